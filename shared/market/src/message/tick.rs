use jiff::{Timestamp, civil::Date};

use super::{CryptoPrices, Meta, StockBoard, StockPrices, StockQuotes, Term, TradesRaw};
use crate::{AssetClass, Digits, Flag, Mic, Session, Symbol};

/// A quote or a trade in one form, whatever shape its message has.
///
/// What a message does not say is `None`, never 0. Without `meta`, the times are those of the shape itself,
/// the age is their difference, and the rest is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick<'a> {
    /// The symbol as the provider writes it.
    pub symbol: &'a Symbol,
    /// The instrument's one name from every provider.
    pub canonical_symbol: Option<&'a str>,
    /// What the price is of.
    pub basis: Basis,
    /// When the price was made. The `time` of a board's row without `meta` may be that of its fetch.
    pub event_time: Option<Timestamp>,
    /// When the answer arrived.
    pub fetched_at: Option<Timestamp>,
    /// Milliseconds from the event to the fetch; negative if the provider's clock is ahead.
    pub age_ms: Option<i64>,
    /// The last price, in `currency`.
    pub price: &'a Digits,
    /// What was traded, with what the number means.
    pub volume: Volume<'a>,
    /// The provider.
    pub source: Option<&'a str>,
    /// Equal for equal observations.
    pub event_id: Option<&'a str>,
    /// The kind of instrument.
    pub asset_class: Option<&'a Term<AssetClass>>,
    /// The exchange.
    pub mic: Option<Mic>,
    /// The currency or asset that prices are in.
    pub currency: Option<&'a str>,
    /// The market's session when this was fetched.
    pub session: Option<&'a Term<Session>>,
    /// The trading day that the price belongs to.
    pub trading_date: Option<Date>,
    /// Everything odd about it.
    pub flags: &'a [Term<Flag>],
}

/// What a price is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// A snapshot: the last price when somebody asked.
    Quote,
    /// One trade.
    Trade,
}

/// What was traded. Only the sizes of trades add up: the others overlap from one message to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume<'a> {
    /// The provider does not say.
    Unknown,
    /// The size of this trade: shares, or the base asset. 0 is a price update without a trade.
    Trade(&'a Digits),
    /// Traded in the 24 hours that end at the event time.
    Rolling24h {
        /// In the base asset.
        base: &'a Digits,
        /// In the quote asset.
        quote: &'a Digits,
        /// The number of trades.
        trades: u64,
    },
    /// Traded since the trading day began, in shares: what two ticks of one trading date differ by was traded
    /// between them.
    Session {
        /// The day's so far.
        total: &'a Digits,
        /// The volume of the last trade, which the total holds too.
        last_trade: Option<&'a Digits>,
    },
}

impl<'a> Volume<'a> {
    /// A part of it that is missing leaves the rest without a use.
    fn rolling(ticker: &'a CryptoPrices) -> Self {
        match (&ticker.volume, &ticker.quote_volume, ticker.number_trades) {
            (Some(base), Some(quote), Some(trades)) => Self::Rolling24h {
                base,
                quote,
                trades,
            },
            _ => Self::Unknown,
        }
    }

    /// Without a total nobody can tell what was traded between two ticks.
    fn of_session(total: Option<&'a Digits>, last_trade: Option<&'a Digits>) -> Self {
        total.map_or(Self::Unknown, |total| Self::Session { total, last_trade })
    }
}

impl<'a> Tick<'a> {
    /// What `meta` says goes before the times of the shape itself.
    fn new(
        symbol: &'a Symbol,
        price: &'a Digits,
        event_time: Option<Timestamp>,
        fetched_at: Option<Timestamp>,
        meta: Option<&'a Meta>,
    ) -> Self {
        let age = || Some(fetched_at?.as_millisecond() - event_time?.as_millisecond());
        Self {
            symbol,
            canonical_symbol: meta.map(|meta| meta.symbol.as_str()),
            basis: Basis::Quote,
            event_time: meta.map_or(event_time, |meta| meta.event_time),
            fetched_at: meta.map(|meta| meta.fetched_at).or(fetched_at),
            age_ms: meta.map_or_else(age, |meta| meta.age_ms),
            price,
            volume: Volume::Unknown,
            source: meta.map(|meta| meta.source.as_str()),
            event_id: meta.map(|meta| meta.event_id.as_str()),
            asset_class: meta.and_then(|meta| meta.asset_class.as_ref()),
            mic: meta.and_then(|meta| meta.mic),
            currency: meta.and_then(|meta| meta.currency.as_deref()),
            session: meta.and_then(|meta| meta.session.as_ref()),
            trading_date: meta.and_then(|meta| meta.trading_date),
            flags: meta.map_or(&[], |meta| &meta.flags),
        }
    }
}

impl<'a> From<&'a StockQuotes> for Tick<'a> {
    fn from(quote: &'a StockQuotes) -> Self {
        let fetched_at = Some(quote.fetched_at);
        let meta = quote.meta.as_ref();
        Self::new(&quote.symbol, &quote.c, Some(quote.t), fetched_at, meta)
    }
}

impl<'a> From<&'a CryptoPrices> for Tick<'a> {
    fn from(ticker: &'a CryptoPrices) -> Self {
        let (event_time, fetched_at) = (Some(ticker.event_time), Some(ticker.timestamp));
        let meta = ticker.meta.as_ref();
        Self {
            volume: Volume::rolling(ticker),
            ..Self::new(&ticker.symbol, &ticker.price, event_time, fetched_at, meta)
        }
    }
}

impl<'a> From<&'a TradesRaw> for Tick<'a> {
    fn from(trade: &'a TradesRaw) -> Self {
        let meta = trade.meta.as_ref();
        Self {
            basis: Basis::Trade,
            volume: Volume::Trade(&trade.size),
            ..Self::new(&trade.symbol, &trade.price, Some(trade.time), None, meta)
        }
    }
}

impl<'a> From<&'a StockPrices> for Tick<'a> {
    fn from(quote: &'a StockPrices) -> Self {
        let fetched_at = Some(quote.timestamp);
        let meta = quote.meta.as_ref();
        Self {
            volume: Volume::of_session(quote.volume.as_ref(), None),
            ..Self::new(&quote.symbol, &quote.price, None, fetched_at, meta)
        }
    }
}

impl<'a> From<&'a StockBoard> for Tick<'a> {
    fn from(row: &'a StockBoard) -> Self {
        let meta = row.meta.as_ref();
        Self {
            volume: Volume::of_session(row.total_volume.as_ref(), row.volume.as_ref()),
            ..Self::new(
                row.symbol.as_ref().unwrap_or(&row.ticker),
                &row.price,
                Some(row.time),
                None,
                meta,
            )
        }
    }
}
