//! Where silver lies.

use std::fmt;

use jiff::{Timestamp, civil::Date, tz::Offset};
use lake::ObjectKey;
use market::bars::Interval;

/// Where the bars of one history of the topics lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: String,
    bronze: lake::Layout,
}

/// The month or year whose bars share a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// A month: of minute bars, by the UTC date of their start.
    Month {
        /// The year.
        year: i16,
        /// The month, from 1.
        month: i8,
    },
    /// A year: of hour bars, by the UTC date of their start; of daily bars, by their trading date.
    Year(i16),
}

impl Period {
    /// The period of a bar that starts on this date of UTC, or of a daily bar of this trading date.
    pub fn of_date(interval: Interval, date: Date) -> Self {
        match interval {
            Interval::Minute => Self::Month {
                year: date.year(),
                month: date.month(),
            },
            Interval::Hour | Interval::Day => Self::Year(date.year()),
        }
    }

    /// The same by a time in microseconds since 1970.
    pub fn of_time(interval: Interval, time: i64) -> Self {
        Self::of_date(interval, utc_date(time))
    }

    /// When it begins and the next begins, in UTC.
    pub(crate) fn bounds(self) -> (i64, i64) {
        let first = match self {
            Self::Month { year, month } => Date::new(year, month, 1),
            Self::Year(year) => Date::new(year, 1, 1),
        };
        let first = first.unwrap_or(Date::MIN);
        let last = match self {
            Self::Month { .. } => first.last_of_month(),
            Self::Year(_) => first.last_of_year(),
        };
        let next = last.tomorrow().map_or(i64::MAX, utc_midnight);
        (utc_midnight(first), next)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month { year, month } => write!(f, "{year:04}-{month:02}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

impl Layout {
    /// The bars under `prefix` that are made of the bronze objects of this layout and epoch.
    pub fn new(prefix: &str, epoch: Option<&str>, bronze: lake::Layout) -> Self {
        let root = lake::Layout::new(prefix, epoch, bronze.granularity(), bronze.compression());
        let root = root.in_version(bronze.version()).root();
        Self { root, bronze }
    }

    /// The layout of the bronze objects.
    pub fn bronze(&self) -> &lake::Layout {
        &self.bronze
    }

    /// What every key starts with, up to and including the last `/`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// What the keys of a symbol's bars start with. Topic and symbol are as keys spell them.
    pub fn symbol_root(&self, interval: Interval, topic: &str, symbol: &str) -> String {
        let names = self.bronze.names();
        format!(
            "{}lake_interval={interval}/{}{topic}/{}{symbol}/",
            self.root, names.topic, names.symbol
        )
    }

    /// A key below the root.
    pub(crate) fn place<'a>(&self, key: &'a ObjectKey) -> &'a str {
        let key = key.as_str();
        key.strip_prefix(&self.root).unwrap_or(key)
    }

    /// The file of a symbol's bars of one period.
    pub fn file_key(
        &self,
        interval: Interval,
        topic: &str,
        symbol: &str,
        period: Period,
    ) -> ObjectKey {
        let root = self.symbol_root(interval, topic, symbol);
        ObjectKey::new(format!("{root}{period}.parquet"))
    }

    /// The object that says how far each partition of a topic has come.
    pub fn watermark_key(&self, topic: &str) -> ObjectKey {
        ObjectKey::new(format!("{}_watermarks/{topic}.json", self.root))
    }
}

/// The date of UTC at a time in microseconds since 1970; of a time beyond all dates the nearest.
pub(crate) fn utc_date(time: i64) -> Date {
    let beyond = |_| match time < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    };
    let time = Timestamp::from_microsecond(time).unwrap_or_else(beyond);
    Offset::UTC.to_datetime(time).date()
}

/// When a date of UTC begins, in microseconds since 1970.
pub(crate) fn utc_midnight(date: Date) -> i64 {
    let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0));
    midnight.map_or(i64::MAX, Timestamp::as_microsecond)
}
