use jiff::Timestamp;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, Error as _},
};

use super::{
    CryptoPrices, Meta, Schema, StockBoard, StockHistorical, StockIntraday, StockPrices,
    StockQuotes, Tick, TradesRaw,
};
use crate::Symbol;

/// A message that was read back, of any of the seven shapes.
///
/// A quote or a trade gives its [`tick`](Self::tick), whatever its shape. The two shapes that hold bars give
/// none: match on the variant and read its `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Published {
    /// The last price of a share.
    StockQuotes(StockQuotes),
    /// The last price of a pair and its last 24 hours.
    CryptoPrices(CryptoPrices),
    /// A trade.
    TradesRaw(TradesRaw),
    /// The last price of a share and its trading day so far.
    StockPrices(StockPrices),
    /// Minute bars.
    StockIntraday(StockIntraday),
    /// Daily bars.
    StockHistorical(StockHistorical),
    /// A row of a price board.
    StockBoard(StockBoard),
}

/// Why a record is no message that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not a JSON object, or one whose `meta.schema` is no schema.
    #[error("the record is not a message in JSON: {source}")]
    NotAMessage {
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// Neither the record nor the topic says the shape.
    #[error(
        "the record has no meta.schema and the topic {topic:?} does not name its shape: write \
         meta.schema, such as stock-quotes/1"
    )]
    NoSchema {
        /// The topic.
        topic: String,
    },
    /// A shape or a version that this program does not know.
    #[error("the schema {schema} is not known here: this program reads {KNOWN}")]
    UnknownSchema {
        /// The record's.
        schema: Schema,
    },
    /// Another form than its schema says.
    #[error("the record is not of the schema {schema}: {source}")]
    Malformed {
        /// The record's, or the topic's.
        schema: Schema,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

const KNOWN: &str = "stock-quotes/1, crypto-prices/1, trades-raw/1, stock-prices/1, \
                     stock-intraday/1, stock-historical/1 and stock-board/1";

impl Published {
    /// Reads the value of a record.
    ///
    /// Its own `meta.schema` decides the shape, because topics can be named freely. A record without one is
    /// of the shape that the template's name of its topic says: `stock-quotes`, `trades_raw`. Members that
    /// the shape does not have are ignored, so a message that is written again has lost them.
    ///
    /// # Errors
    /// [`ReadError`], for any bytes that are no such message.
    pub fn read(topic: &str, value: &[u8]) -> Result<Self, ReadError> {
        let head = Head::read(value).map_err(|source| ReadError::NotAMessage { source })?;
        let schema = head
            .meta
            .and_then(|meta| meta.schema)
            .or_else(|| schema_of(topic))
            .ok_or_else(|| ReadError::NoSchema {
                topic: topic.chars().take(64).collect(),
            })?;
        let read = match schema {
            _ if schema == StockQuotes::SCHEMA => parse(value).map(Self::StockQuotes),
            _ if schema == CryptoPrices::SCHEMA => parse(value).map(Self::CryptoPrices),
            _ if schema == TradesRaw::SCHEMA => parse(value).map(Self::TradesRaw),
            _ if schema == StockPrices::SCHEMA => parse(value).map(Self::StockPrices),
            _ if schema == StockIntraday::SCHEMA => parse(value).map(Self::StockIntraday),
            _ if schema == StockHistorical::SCHEMA => parse(value).map(Self::StockHistorical),
            _ if schema == StockBoard::SCHEMA => parse(value).map(Self::StockBoard),
            _ => return Err(ReadError::UnknownSchema { schema }),
        };
        read.map_err(|source| ReadError::Malformed { schema, source })
    }

    /// The quote or trade in one form; `None` for bars.
    pub fn tick(&self) -> Option<Tick<'_>> {
        match self {
            Self::StockQuotes(quote) => Some(quote.into()),
            Self::CryptoPrices(ticker) => Some(ticker.into()),
            Self::TradesRaw(trade) => Some(trade.into()),
            Self::StockPrices(quote) => Some(quote.into()),
            Self::StockBoard(row) => Some(row.into()),
            Self::StockIntraday(_) | Self::StockHistorical(_) => None,
        }
    }

    /// The symbol as the provider writes it.
    pub fn symbol(&self) -> &Symbol {
        match self {
            Self::StockQuotes(quote) => &quote.symbol,
            Self::CryptoPrices(ticker) => &ticker.symbol,
            Self::TradesRaw(trade) => &trade.symbol,
            Self::StockPrices(quote) => &quote.symbol,
            Self::StockIntraday(bars) => &bars.symbol,
            Self::StockHistorical(bars) => &bars.symbol,
            Self::StockBoard(row) => row.symbol.as_ref().unwrap_or(&row.ticker),
        }
    }

    /// What the message says of itself; `None` if another writer left it out.
    pub fn meta(&self) -> Option<&Meta> {
        match self {
            Self::StockQuotes(quote) => quote.meta.as_ref(),
            Self::CryptoPrices(ticker) => ticker.meta.as_ref(),
            Self::TradesRaw(trade) => trade.meta.as_ref(),
            Self::StockPrices(quote) => quote.meta.as_ref(),
            Self::StockIntraday(bars) => bars.meta.as_ref(),
            Self::StockHistorical(bars) => bars.meta.as_ref(),
            Self::StockBoard(row) => row.meta.as_ref(),
        }
    }

    /// When the answer arrived: `meta` says it to the millisecond. `None` for a trade or a board's row without
    /// `meta`.
    pub fn fetched_at(&self) -> Option<Timestamp> {
        let body = match self {
            Self::StockQuotes(quote) => Some(quote.fetched_at),
            Self::CryptoPrices(ticker) => Some(ticker.timestamp),
            Self::StockPrices(quote) => Some(quote.timestamp),
            Self::StockIntraday(bars) => Some(bars.timestamp),
            Self::StockHistorical(bars) => Some(bars.timestamp),
            Self::TradesRaw(_) | Self::StockBoard(_) => None,
        };
        self.meta().map(|meta| meta.fetched_at).or(body)
    }
}

/// As much of a message as says its shape.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Head {
    meta: Option<HeadMeta>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object as its meta")]
struct HeadMeta {
    schema: Option<Schema>,
}

impl Head {
    fn read(value: &[u8]) -> Result<Self, serde_json::Error> {
        // serde takes an array of the members in order for the object.
        if value.trim_ascii_start().starts_with(b"[") {
            return Err(serde_json::Error::custom("it is an array, not an object"));
        }
        serde_json::from_slice(value)
    }
}

/// The shape that a topic of the template has: its name is the shape's, but for an underscore.
fn schema_of(topic: &str) -> Option<Schema> {
    [
        ("stock-quotes", StockQuotes::SCHEMA),
        ("crypto-prices", CryptoPrices::SCHEMA),
        ("trades_raw", TradesRaw::SCHEMA),
        ("stock-prices", StockPrices::SCHEMA),
        ("stock-intraday", StockIntraday::SCHEMA),
        ("stock-historical", StockHistorical::SCHEMA),
        ("stock-board", StockBoard::SCHEMA),
    ]
    .into_iter()
    .find_map(|(name, schema)| (name == topic).then_some(schema))
}

fn parse<T: DeserializeOwned>(value: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(value)
}
