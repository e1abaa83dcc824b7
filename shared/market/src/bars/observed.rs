use super::Amount;

/// One record's price, or one bar of a provider, as the fold takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When it happened, or the bar began, in microseconds since 1970.
    pub event_time: i64,
    /// When it was fetched, in microseconds since 1970.
    pub fetched_at: i64,
    /// Its `event_id`: 32 hexadecimal digits as a number, of another text the first 32 of its SHA-256. `None` if the record has
    /// none: then it is an observation of its own.
    pub event_id: Option<u128>,
    /// The partition of its record.
    pub partition: i32,
    /// The offset of its record.
    pub offset: i64,
    /// What was said.
    pub said: Said,
    /// Of what: the index in [`super::Reader::subjects`].
    pub subject: u32,
}

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// A trade, or a price update without one if its size is 0.
    Trade {
        /// The price.
        price: Amount,
        /// The size.
        size: Amount,
    },
    /// A snapshot of the last price.
    Quote {
        /// The price.
        price: Amount,
        /// What was traded since the venue's session began, if the source says so.
        session_volume: Option<Amount>,
    },
    /// A bar of a minute that the provider has made.
    Bar {
        /// The first price.
        open: Amount,
        /// The highest price.
        high: Amount,
        /// The lowest price.
        low: Amount,
        /// The last price.
        close: Amount,
        /// What was traded.
        volume: Amount,
    },
}

impl Observed {
    /// From the event to the fetch, in microseconds; negative if the provider's clock is ahead.
    pub fn age(&self) -> i64 {
        self.fetched_at.saturating_sub(self.event_time)
    }

    /// What says which record of one observation is the one that counts: the first fetched.
    pub(super) fn precedence(&self) -> (i64, i32, i64) {
        (self.fetched_at, self.partition, self.offset)
    }
}
