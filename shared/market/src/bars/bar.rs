use std::{fmt, str::FromStr};

use jiff::civil::Date;

use super::{Amount, Zone};

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// A minute of UTC.
    Minute,
    /// An hour of UTC.
    Hour,
    /// A local day of the instrument's [`Zone`].
    Day,
}

impl Interval {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// How it is written: `1m`, `1h`, `1d`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|interval| interval.name() == text);
        found.ok_or_else(|| format!("{text:?} is no interval: write 1m, 1h or 1d"))
    }
}

/// What happened in a stretch of time. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// When it begins.
    pub start: i64,
    /// When the next begins.
    pub end: i64,
    /// The local date of its start in the instrument's zone.
    pub trading_date: Date,
    /// The prices; `None` if only late records are of this time.
    pub prices: Option<Prices>,
    /// What was traded; `None` where the source does not say, or only as a total that overlaps.
    pub volume: Option<Amount>,
    /// The price times the size of each trade, added up. `None` where there are no trades.
    pub quote_volume: Option<Amount>,
    /// How many trades. `None` where the source does not say.
    pub trades: Option<i64>,
    /// How many observations gave prices. A provider's bar is none.
    pub ticks: i64,
    /// Their prices, added up; `None` beyond 20 digits before the point.
    pub price_sum: Option<Amount>,
    /// How many observations were late, which count nowhere else.
    pub late: i64,
    /// What the prices are of.
    pub basis: Bases,
    /// What it is a bar of, as the record of the close says it, and from which providers.
    pub subject: Subject,
    /// The first event.
    pub first_event_time: Option<i64>,
    /// The last event.
    pub last_event_time: Option<i64>,
    /// What the venue had traded in its session up to the last event, if the source says so.
    pub session_volume: Option<Amount>,
    /// The `event_id` of the close.
    pub close_event_id: Option<u128>,
    /// Whether the lake has all that can still come on time.
    pub complete: bool,
}

/// The four prices of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The first.
    pub open: Amount,
    /// The highest.
    pub high: Amount,
    /// The lowest.
    pub low: Amount,
    /// The last.
    pub close: Amount,
}

impl Bar {
    /// A bar in which nothing happened.
    pub fn empty(start: i64, end: i64, trading_date: Date) -> Self {
        Self {
            start,
            end,
            trading_date,
            prices: None,
            volume: None,
            quote_volume: None,
            trades: None,
            ticks: 0,
            price_sum: Some(Amount::ZERO),
            late: 0,
            basis: Bases::default(),
            subject: Subject::default(),
            first_event_time: None,
            last_event_time: None,
            session_volume: None,
            close_event_id: None,
            complete: false,
        }
    }

    /// The average price of a trade, weighted by size: quote volume over volume. `None` without either.
    pub fn vwap(&self) -> Option<f64> {
        let volume = self.volume.filter(|volume| *volume != Amount::ZERO)?;
        Some(self.quote_volume?.to_f64() / volume.to_f64())
    }

    /// The average price of an observation.
    pub fn avg_price(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "no bar has 2^53 ticks")]
        let ticks = self.ticks as f64;
        self.price_sum
            .filter(|_| self.ticks > 0)
            .map(|sum| sum.to_f64() / ticks)
    }
}

/// What the prices of a bar are of: one of three, or several where longer bars compose of different ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bases(u8);

impl Bases {
    /// The bars of a provider.
    pub const PROVIDER: Self = Self(1);
    /// Snapshots of the last price.
    pub const QUOTE: Self = Self(2);
    /// Trades.
    pub const TRADE: Self = Self(4);

    const NAMES: [(Self, &'static str); 3] = [
        (Self::PROVIDER, "provider"),
        (Self::QUOTE, "quote"),
        (Self::TRADE, "trade"),
    ];

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Their names, in alphabetic order with commas between them.
    pub fn names(self) -> String {
        let held = Self::NAMES
            .into_iter()
            .filter(|(basis, _)| self.0 & basis.0 != 0);
        held.map(|(_, name)| name).collect::<Vec<_>>().join(",")
    }
}

impl FromStr for Bases {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').try_fold(Self::default(), |held, word| {
            let found = Self::NAMES.into_iter().find(|(_, name)| *name == word);
            let (basis, _) = found.ok_or_else(|| format!("{word:?} is no basis"))?;
            Ok(held.and(basis))
        })
    }
}

/// What a bar is of. Each is `None` where no record has told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The instrument's one name from every provider.
    pub canonical_symbol: Option<String>,
    /// The currency or asset that prices are in.
    pub currency: Option<String>,
    /// The exchange.
    pub mic: Option<String>,
    /// The providers, in alphabetic order with commas between them.
    pub source: Option<String>,
    /// Whose local days its daily bars are.
    pub zone: Zone,
}

impl Subject {
    /// The same with the providers of `other` too.
    pub(super) fn add_source(&mut self, other: &Self) {
        if self.source == other.source {
            return;
        }
        let of = |source: &Option<String>| -> Vec<String> {
            let words = source.as_deref().map(|words| words.split(','));
            words.into_iter().flatten().map(str::to_owned).collect()
        };
        let mut words = [of(&self.source), of(&other.source)].concat();
        words.sort();
        words.dedup();
        self.source = (!words.is_empty()).then(|| words.join(","));
    }
}
