//! The hours of exchanges.

/// Whose hours an instrument is traded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// The exchanges of the United States.
    UnitedStates,
    /// Ho Chi Minh City.
    Hose,
    /// Hanoi.
    Hnx,
    /// Hanoi's UPCOM.
    Upcom,
    /// Around the clock.
    Continuous,
}

/// The state of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Session {
    /// Before.
    #[serde(rename = "pre")]
    Pre,
    /// Open.
    #[serde(rename = "regular")]
    Regular,
    /// At lunch.
    #[serde(rename = "lunch")]
    Lunch,
    /// After.
    #[serde(rename = "post")]
    Post,
    /// Closed.
    #[serde(rename = "closed")]
    Closed,
    /// Always.
    #[serde(rename = "24x7")]
    AroundTheClock,
}

/// A moment in a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingTime {
    /// The session.
    pub session: Session,
    /// The date.
    pub trading_date: jiff::civil::Date,
    /// Whether holidays are known.
    pub holidays_known: bool,
}

impl Calendar {
    /// Placeholder until the calendars land.
    pub fn at(self, time: jiff::Timestamp) -> TradingTime {
        TradingTime {
            session: Session::AroundTheClock,
            trading_date: time.to_zoned(jiff::tz::TimeZone::UTC).date(),
            holidays_known: true,
        }
    }
}
