use jiff::{Timestamp, civil::Date};

use crate::{Digits, Instrument};

/// What a provider said about an instrument, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation<T = Quote> {
    /// The provider: `finnhub`, `vci`.
    pub source: &'static str,
    /// What it is about.
    pub instrument: Instrument,
    /// What was said.
    pub said: T,
    /// When the answer arrived.
    pub fetched_at: Timestamp,
}

/// A snapshot of an instrument, in one of the forms that topics have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quote {
    /// The last price of a share and its trading day so far.
    Stock(StockQuote),
    /// The last price of a pair and its last 24 hours.
    Crypto(CryptoTicker),
    /// A row of a price board.
    Board(BoardQuote),
}

/// The last price of a share and its trading day so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockQuote {
    /// The last price.
    pub current: Digits,
    /// The change since the previous close.
    pub change: Option<Digits>,
    /// That change in percent.
    pub percent_change: Option<Digits>,
    /// The day's high.
    pub high: Digits,
    /// The day's low.
    pub low: Digits,
    /// The day's open.
    pub open: Digits,
    /// The previous close.
    pub previous_close: Digits,
    /// When the price was made.
    pub time: Timestamp,
}

/// The last price of a pair and its last 24 hours, which roll and are no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoTicker {
    /// The end of the 24 hours, which is the time of the answer.
    pub close_time: Timestamp,
    /// The price of the last trade.
    pub last_price: Digits,
    /// The price 24 hours before.
    pub open_price: Digits,
    /// The highest price in the 24 hours.
    pub high_price: Digits,
    /// The lowest price in the 24 hours.
    pub low_price: Digits,
    /// Traded in the 24 hours, in the base asset.
    pub volume: Digits,
    /// Traded in the 24 hours, in the quote asset.
    pub quote_volume: Digits,
    /// The number of trades in the 24 hours.
    pub trades: u64,
    /// The last price less the open price.
    pub price_change: Digits,
    /// That change in percent.
    pub price_change_percent: Digits,
    /// The best bid, if there is one.
    pub bid: Option<Digits>,
    /// The best ask, if there is one.
    pub ask: Option<Digits>,
}

/// A row of a price board: a share's trading day so far within its daily band. Prices are in the
/// instrument's currency, volumes in shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardQuote {
    /// The last price; the reference price before the day's first trade.
    pub price: Digits,
    /// Whether there was a trade today.
    pub traded: bool,
    /// The volume of the last trade.
    pub volume: Option<Digits>,
    /// The day's volume so far.
    pub total_volume: Digits,
    /// The reference price, which the band lies around.
    pub reference: Digits,
    /// The highest price that is allowed today.
    pub ceiling: Digits,
    /// The lowest price that is allowed today.
    pub floor: Digits,
    /// The day's high.
    pub high: Option<Digits>,
    /// The day's low.
    pub low: Option<Digits>,
    /// The day's average price.
    pub average: Option<Digits>,
    /// The best bid.
    pub bid: Option<Digits>,
    /// The best ask.
    pub ask: Option<Digits>,
    /// When the price was made, or the answer where the provider does not say.
    pub time: Timestamp,
}

/// A trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The price.
    pub price: Digits,
    /// The size: shares, or the base asset. 0 is a price update without a trade.
    pub size: Digits,
    /// When it was made, to the millisecond.
    pub time: Timestamp,
    /// The provider's condition codes.
    pub conditions: Vec<String>,
}

/// What was traded in a stretch of time: from `at` on a [`Timestamp`], or on the trading day `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar<At> {
    /// The start, or the day.
    pub at: At,
    /// The first price.
    pub open: Digits,
    /// The highest price.
    pub high: Digits,
    /// The lowest price.
    pub low: Digits,
    /// The last price.
    pub close: Digits,
    /// The volume: shares, or the base asset.
    pub volume: Digits,
}

/// Bars of a minute, oldest first.
pub type MinuteBars = Vec<Bar<Timestamp>>;

/// Bars of a trading day, oldest first.
pub type DailyBars = Vec<Bar<Date>>;

/// What every quote, trade or series of bars has.
pub trait Said {
    /// When the last price was made, by the provider's clock; `None` for a series without bars.
    fn event_time(&self) -> Option<Timestamp>;

    /// The trading day that it says itself to be of.
    fn trading_date(&self) -> Option<Date> {
        None
    }

    /// Every number as sent, in a fixed order, empty where there is none: what tells two of one time apart.
    fn digits(&self) -> Vec<String>;

    /// The prices that are compared with each other.
    fn prices(&self) -> Prices<'_>;
}

/// The prices of a quote that are compared with each other; `None` is not compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prices<'a> {
    /// The last price.
    pub last: Option<&'a Digits>,
    /// The highest and the lowest in its time.
    pub range: Option<(&'a Digits, &'a Digits)>,
    /// The highest and the lowest that are allowed.
    pub band: Option<(&'a Digits, &'a Digits)>,
    /// The best bid.
    pub bid: Option<&'a Digits>,
    /// The best ask.
    pub ask: Option<&'a Digits>,
    /// Whether nothing was traded today, so that `last` is only the reference price.
    pub not_traded: bool,
}

fn text(digits: Option<&Digits>) -> String {
    digits.map_or_else(String::new, ToString::to_string)
}

impl Said for Quote {
    fn event_time(&self) -> Option<Timestamp> {
        Some(match self {
            Self::Stock(quote) => quote.time,
            Self::Crypto(ticker) => ticker.close_time,
            Self::Board(quote) => quote.time,
        })
    }

    fn digits(&self) -> Vec<String> {
        match self {
            Self::Stock(quote) => vec![
                quote.current.to_string(),
                text(quote.change.as_ref()),
                text(quote.percent_change.as_ref()),
                quote.high.to_string(),
                quote.low.to_string(),
                quote.open.to_string(),
                quote.previous_close.to_string(),
            ],
            Self::Crypto(ticker) => vec![
                ticker.last_price.to_string(),
                ticker.open_price.to_string(),
                ticker.high_price.to_string(),
                ticker.low_price.to_string(),
                ticker.volume.to_string(),
                ticker.quote_volume.to_string(),
                ticker.trades.to_string(),
                ticker.price_change.to_string(),
                ticker.price_change_percent.to_string(),
            ],
            Self::Board(quote) => vec![
                quote.price.to_string(),
                text(quote.volume.as_ref()),
                quote.total_volume.to_string(),
                quote.reference.to_string(),
                quote.ceiling.to_string(),
                quote.floor.to_string(),
                text(quote.high.as_ref()),
                text(quote.low.as_ref()),
                text(quote.average.as_ref()),
                text(quote.bid.as_ref()),
                text(quote.ask.as_ref()),
            ],
        }
    }

    fn prices(&self) -> Prices<'_> {
        match self {
            Self::Stock(quote) => Prices {
                last: Some(&quote.current),
                range: Some((&quote.high, &quote.low)),
                ..Prices::default()
            },
            Self::Crypto(ticker) => Prices {
                last: Some(&ticker.last_price),
                range: Some((&ticker.high_price, &ticker.low_price)),
                bid: ticker.bid.as_ref(),
                ask: ticker.ask.as_ref(),
                ..Prices::default()
            },
            Self::Board(quote) => Prices {
                last: Some(&quote.price),
                range: quote.high.as_ref().zip(quote.low.as_ref()),
                band: Some((&quote.ceiling, &quote.floor)),
                bid: quote.bid.as_ref(),
                ask: quote.ask.as_ref(),
                not_traded: !quote.traded,
            },
        }
    }
}

impl Said for Trade {
    fn event_time(&self) -> Option<Timestamp> {
        Some(self.time)
    }

    fn digits(&self) -> Vec<String> {
        vec![
            self.price.to_string(),
            self.size.to_string(),
            self.conditions.join(" "),
        ]
    }

    fn prices(&self) -> Prices<'_> {
        Prices {
            last: Some(&self.price),
            ..Prices::default()
        }
    }
}

impl Said for MinuteBars {
    fn event_time(&self) -> Option<Timestamp> {
        self.last().map(|bar| bar.at)
    }

    fn digits(&self) -> Vec<String> {
        digits(self)
    }

    fn prices(&self) -> Prices<'_> {
        last_bar(self)
    }
}

impl Said for DailyBars {
    /// Midnight UTC of the last day: a day has no moment of its own.
    fn event_time(&self) -> Option<Timestamp> {
        let day = self.last()?.at.at(0, 0, 0, 0);
        day.in_tz("UTC").ok().map(|midnight| midnight.timestamp())
    }

    fn trading_date(&self) -> Option<Date> {
        self.last().map(|bar| bar.at)
    }

    fn digits(&self) -> Vec<String> {
        digits(self)
    }

    fn prices(&self) -> Prices<'_> {
        last_bar(self)
    }
}

fn digits<At: ToString>(bars: &[Bar<At>]) -> Vec<String> {
    bars.iter()
        .flat_map(|bar| {
            let numbers = [&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume];
            std::iter::once(bar.at.to_string()).chain(numbers.map(ToString::to_string))
        })
        .collect()
}

fn last_bar<At>(bars: &[Bar<At>]) -> Prices<'_> {
    bars.last().map_or_else(Prices::default, |bar| Prices {
        last: Some(&bar.close),
        range: Some((&bar.high, &bar.low)),
        ..Prices::default()
    })
}
