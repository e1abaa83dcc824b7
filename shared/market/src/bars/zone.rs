use jiff::{Timestamp, civil::Date, tz::Offset};

use crate::Calendar;

/// Whose local days an instrument's daily bars are.
///
/// It follows from the record alone, and no holidays take part, so a new calendar changes no bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Zone {
    /// UTC: coins, currencies, and whatever is not known.
    #[default]
    Utc,
    /// New York: shares and what is traded like them, in US dollars.
    NewYork,
    /// Ho Chi Minh City: whatever is priced in dong.
    HoChiMinh,
}

impl Zone {
    /// That of an instrument of this asset class, priced in this currency.
    pub fn of(asset_class: Option<&str>, currency: Option<&str>) -> Self {
        match (asset_class, currency) {
            (Some("crypto" | "forex"), _) => Self::Utc,
            (Some(_), Some("USD")) => Self::NewYork,
            (_, Some("VND")) => Self::HoChiMinh,
            _ => Self::Utc,
        }
    }

    /// The local date at a time, in microseconds since 1970.
    pub fn date(self, time: i64) -> Date {
        let time = instant(time);
        match self {
            Self::Utc => Offset::UTC.to_datetime(time).date(),
            Self::NewYork | Self::HoChiMinh => self.calendar().local_date(time),
        }
    }

    /// When a local date begins, in microseconds since 1970.
    pub fn midnight(self, date: Date) -> i64 {
        self.calendar()
            .midnight(date)
            .map_or(i64::MAX, Timestamp::as_microsecond)
    }

    /// The name of the time zone in the IANA database.
    pub fn name(self) -> &'static str {
        self.calendar().zone()
    }

    fn calendar(self) -> Calendar {
        match self {
            Self::Utc => Calendar::Continuous,
            Self::NewYork => Calendar::UnitedStates,
            Self::HoChiMinh => Calendar::Hose,
        }
    }
}

fn instant(time: i64) -> Timestamp {
    Timestamp::from_microsecond(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::HOUR;

    #[test]
    fn a_day_in_new_york_has_23_to_25_hours() {
        let hours = |date: &str| {
            let date: Date = date.parse().unwrap();
            (Zone::NewYork.midnight(date.tomorrow().unwrap()) - Zone::NewYork.midnight(date)) / HOUR
        };
        assert_eq!(hours("2026-03-07"), 24);
        assert_eq!(hours("2026-03-08"), 23);
        assert_eq!(hours("2026-11-01"), 25);
    }

    #[test]
    fn every_zone_begins_its_days_on_a_whole_hour() {
        for zone in [Zone::Utc, Zone::NewYork, Zone::HoChiMinh] {
            for day in 0..3_000 {
                let date = Date::constant(2020, 1, 1) + jiff::Span::new().days(day);
                let midnight = zone.midnight(date);
                assert_eq!(midnight % HOUR, 0, "hours compose to days");
                assert_eq!(zone.date(midnight), date);
                assert_eq!(zone.date(midnight - 1), date.yesterday().unwrap());
            }
        }
    }
}
