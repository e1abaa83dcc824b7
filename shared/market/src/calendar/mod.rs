//! Trading hours and holidays: which session a time falls in, and the trading day it belongs to.
//!
//! The hours are those of today, for every year. US: as LEAN's market-hours database and
//! `pandas_market_calendars` 5.5.0 have them. Vietnam: as the brokers' pages and `vn-market-calendar`
//! 0.2.0 have them; vnstock ends UPCOM at 14:30, everyone else at 15:00. Late openings, such as that of
//! noon in New York on 11 September 2002, and halts within the day are not known.
//!
//! The holidays and their sources are described in `us.rs` and `vietnam.rs`.

use std::{ops::RangeInclusive, sync::LazyLock};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time, Weekday, time},
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

mod us;
mod vietnam;

/// Whose hours an instrument is traded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// The US exchanges, by the holidays of the NYSE, which the others keep too.
    UnitedStates,
    /// The Ho Chi Minh Stock Exchange.
    Hose,
    /// The Hanoi Stock Exchange.
    Hnx,
    /// The Hanoi exchange's market of unlisted companies.
    Upcom,
    /// Always open, by the UTC day: crypto.
    Continuous,
}

/// A part of the trading day. A session holds its first instant and not its last: at 16:00:00 in New
/// York it is [`Post`](Self::Post).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Session {
    /// Before the opening.
    Pre,
    /// The main session, its opening and closing auctions included.
    Regular,
    /// The break at noon in Vietnam.
    Lunch,
    /// After the close: extended hours in the US, put-through and post-close orders in Vietnam.
    Post,
    /// No trading: the night, a weekend, a holiday.
    Closed,
    /// Of a market that never closes.
    #[serde(rename = "24x7")]
    AroundTheClock,
}

/// What a time means to a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TradingTime {
    /// The session at that time.
    pub session: Session,
    /// The local date of the trading day whose first session began last: at night, at weekends and on
    /// holidays the trading day before.
    pub trading_date: Date,
    /// Whether the holidays are known for the local date's year and the trading date's: the US 2000 to
    /// 2035, Vietnam 2024 to 2026 but for one day (24 November 2026), crypto always. Elsewhere a holiday may be
    /// taken for a trading day, or the other way round.
    pub holidays_known: bool,
}

impl Calendar {
    /// The session and the trading date at a time.
    pub fn at(self, time: Timestamp) -> TradingTime {
        let local = self.local(time);
        let today = local.date();
        let session = self
            .is_trading_day(today)
            .then(|| self.session(local))
            .flatten();
        let trading_date = if session.is_some() {
            today
        } else {
            self.trading_day_before(today)
        };
        TradingTime {
            session: session.unwrap_or(Session::Closed),
            trading_date,
            holidays_known: self.knows_holidays(trading_date..=today),
        }
    }

    /// The name of the time zone in the IANA database.
    pub fn zone(self) -> &'static str {
        match self {
            Self::UnitedStates => "America/New_York",
            Self::Hose | Self::Hnx | Self::Upcom => "Asia/Ho_Chi_Minh",
            Self::Continuous => "UTC",
        }
    }

    /// The local date at a time, whether there is trading or not.
    pub(crate) fn local_date(self, time: Timestamp) -> Date {
        self.local(time).date()
    }

    /// When a local date begins; `None` beyond what a [`Timestamp`] can hold.
    pub(crate) fn midnight(self, date: Date) -> Option<Timestamp> {
        let midnight = date.at(0, 0, 0, 0);
        match self {
            Self::UnitedStates => NEW_YORK.to_timestamp(midnight),
            Self::Hose | Self::Hnx | Self::Upcom => HO_CHI_MINH.to_timestamp(midnight),
            Self::Continuous => Offset::UTC.to_timestamp(midnight),
        }
        .ok()
    }

    /// Whether there is trading on a local date.
    pub fn is_trading_day(self, date: Date) -> bool {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        match self {
            Self::UnitedStates => !weekend && !us::is_holiday(date),
            Self::Hose | Self::Hnx | Self::Upcom => !weekend && !vietnam::is_holiday(date),
            Self::Continuous => true,
        }
    }

    /// Whether the holidays are known from a trading date to a day that has it.
    fn knows_holidays(self, days: RangeInclusive<Date>) -> bool {
        let years = match self {
            Self::UnitedStates => us::KNOWN_YEARS,
            Self::Hose | Self::Hnx | Self::Upcom => vietnam::KNOWN_YEARS,
            Self::Continuous => return true,
        };
        let settled = match self {
            Self::Hose | Self::Hnx | Self::Upcom => {
                !vietnam::UNSETTLED.iter().any(|day| days.contains(day))
            }
            Self::UnitedStates | Self::Continuous => true,
        };
        settled && years.contains(&days.start().year()) && years.contains(&days.end().year())
    }

    fn local(self, time: Timestamp) -> DateTime {
        match self {
            Self::UnitedStates => NEW_YORK.to_datetime(time),
            Self::Hose | Self::Hnx | Self::Upcom => HO_CHI_MINH.to_datetime(time),
            Self::Continuous => Offset::UTC.to_datetime(time),
        }
    }

    /// The session on a trading day; none before the first.
    fn session(self, local: DateTime) -> Option<Session> {
        self.sessions(local.date())
            .iter()
            .rev()
            .find(|(start, _)| *start <= local.time())
            .map(|(_, session)| *session)
    }

    fn sessions(self, trading_day: Date) -> Sessions {
        match self {
            Self::UnitedStates if us::closes_early(trading_day) => US_SHORT_DAY,
            Self::UnitedStates => US_DAY,
            Self::Hose | Self::Hnx => HOSE_AND_HNX_DAY,
            Self::Upcom => UPCOM_DAY,
            Self::Continuous => CONTINUOUS_DAY,
        }
    }

    fn trading_day_before(self, date: Date) -> Date {
        std::iter::successors(date.yesterday().ok(), |day| day.yesterday().ok())
            .find(|day| self.is_trading_day(*day))
            .unwrap_or(Date::MIN)
    }
}

/// The sessions of a trading day in order, each with its start; one ends where the next begins.
type Sessions = &'static [(Time, Session)];

const US_DAY: Sessions = &[
    (time(4, 0, 0, 0), Session::Pre),
    (time(9, 30, 0, 0), Session::Regular),
    (time(16, 0, 0, 0), Session::Post),
    (time(20, 0, 0, 0), Session::Closed),
];
const US_SHORT_DAY: Sessions = &[
    (time(4, 0, 0, 0), Session::Pre),
    (time(9, 30, 0, 0), Session::Regular),
    (time(13, 0, 0, 0), Session::Post),
    (time(17, 0, 0, 0), Session::Closed),
];
const HOSE_AND_HNX_DAY: Sessions = &[
    (time(9, 0, 0, 0), Session::Regular),
    (time(11, 30, 0, 0), Session::Lunch),
    (time(13, 0, 0, 0), Session::Regular),
    (time(14, 45, 0, 0), Session::Post),
    (time(15, 0, 0, 0), Session::Closed),
];
const UPCOM_DAY: Sessions = &[
    (time(9, 0, 0, 0), Session::Regular),
    (time(11, 30, 0, 0), Session::Lunch),
    (time(13, 0, 0, 0), Session::Regular),
    (time(15, 0, 0, 0), Session::Closed),
];
const CONTINUOUS_DAY: Sessions = &[(Time::MIN, Session::AroundTheClock)];

/// Vietnam has kept UTC+7 since 1975, without daylight saving.
const HO_CHI_MINH: Offset = Offset::constant(7);

// The bundled database rather than the machine's: the same answer everywhere, and no file is read.
#[expect(
    clippy::expect_used,
    reason = "the database compiled into the program holds New York"
)]
static NEW_YORK: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZoneDatabase::bundled()
        .get("America/New_York")
        .expect("New York has a time zone")
});

#[cfg(test)]
mod tests;
