use jiff::Timestamp;

use crate::{Digits, Symbol};

/// One quote as a provider answered it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What the provider said.
    pub quote: Quote,
    /// When its answer arrived.
    pub fetched_at: Timestamp,
}

/// A quote of one of the providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quote {
    /// A stock quote of Finnhub.
    Finnhub(FinnhubQuote),
    /// A 24-hour ticker of Binance spot.
    Binance(BinanceTicker),
}

/// Finnhub's `/quote`: the last price of a stock and its trading day so far.
///
/// Outside trading hours Finnhub repeats the last quote with the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinnhubQuote {
    /// The symbol that was asked for: the answer does not carry it.
    pub symbol: Symbol,
    /// `c`: the last price.
    pub current: Digits,
    /// `d`: the change since the previous close.
    pub change: Option<Digits>,
    /// `dp`: that change in percent.
    pub percent_change: Option<Digits>,
    /// `h`: the day's high.
    pub high: Digits,
    /// `l`: the day's low.
    pub low: Digits,
    /// `o`: the day's open.
    pub open: Digits,
    /// `pc`: the previous close.
    pub previous_close: Digits,
    /// `t`: when the price was made.
    pub time: Timestamp,
}

/// Binance's `/api/v3/ticker/24hr`: the last price of a pair and its last 24 hours, which roll and
/// are no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinanceTicker {
    /// The pair, such as `BTCUSDT`.
    pub symbol: Symbol,
    /// `closeTime`: the end of the 24 hours, which is the time of the answer.
    pub close_time: Timestamp,
    /// `lastPrice`: the price of the last trade.
    pub last_price: Digits,
    /// `openPrice`: the price 24 hours before.
    pub open_price: Digits,
    /// `highPrice`: the highest price in the 24 hours.
    pub high_price: Digits,
    /// `lowPrice`: the lowest price in the 24 hours.
    pub low_price: Digits,
    /// `volume`: traded in the 24 hours, in the base asset.
    pub volume: Digits,
    /// `quoteVolume`: traded in the 24 hours, in the quote asset.
    pub quote_volume: Digits,
    /// `count`: the number of trades in the 24 hours.
    pub trades: u64,
    /// `priceChange`: the last price less the open price.
    pub price_change: Digits,
    /// `priceChangePercent`: that change in percent.
    pub price_change_percent: Digits,
}

impl Quote {
    /// The instrument.
    pub fn symbol(&self) -> &Symbol {
        match self {
            Self::Finnhub(quote) => &quote.symbol,
            Self::Binance(ticker) => &ticker.symbol,
        }
    }

    /// When the price was made, by the provider's clock.
    pub fn event_time(&self) -> Timestamp {
        match self {
            Self::Finnhub(quote) => quote.time,
            Self::Binance(ticker) => ticker.close_time,
        }
    }
}
