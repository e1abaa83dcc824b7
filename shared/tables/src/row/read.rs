use jiff::Timestamp;
use lake::{Defect, Received, Unfit, Version, identify};

use super::{
    NoRow, Row,
    message::{
        Message, Meta, day, milliseconds, number, object, owned, seconds, start, text, texts, time,
    },
};
use crate::Number;

/// The row of a record; `None` for a known message that is no quote: a trade, or the bars of a backfill, which lie in the
/// same topics.
///
/// Pure: the row of a record is always the same. `epoch` is that of the history, empty if there is none.
///
/// - What bronze puts in quarantine because of the record alone has no row either. Ticker and fetch time are bronze's.
/// - The shape is that of `meta.schema`; of a record without one it is that of its topic's name.
/// - A member that is absent or null is `None`, and so are an empty text and a time of 0. Only the price must be there.
/// - A number may be a text of one. Its digits are kept, however many.
/// - The time is `meta.event_time`; of a record without `meta` it is the shape's own. A fraction beyond a microsecond is cut.
///
/// # Errors
/// [`NoRow`], for a record that belongs in quarantine.
pub fn read(received: &Received<'_>, epoch: &str) -> Result<Option<Row>, NoRow> {
    let identity = identify(Version::Two, received)?;
    let message = message(received)?;
    let meta: Option<Meta<'_>> = object("meta", message.meta)?;
    let Some(shape) = shape(meta.as_ref(), received.topic)? else {
        return Ok(None);
    };
    let prices = prices(shape, &message)?;
    let price = prices.price.ok_or(NoRow::NoPrice {
        member: shape.price(),
    })?;
    let time = match &meta {
        Some(meta) => time("meta.event_time", meta.event_time)?,
        None => own_time(shape, &message)?,
    };
    let meta = meta.unwrap_or_default();
    Ok(Some(Row {
        topic: received.topic.to_owned(),
        epoch: epoch.to_owned(),
        partition: received.partition,
        offset: received.offset,
        ticker: identity.symbol.into_owned(),
        time,
        price,
        volume: prices.volume,
        total_volume: prices.total_volume,
        change: prices.change,
        change_percent: prices.change_percent,
        ceiling_price: prices.ceiling,
        floor_price: prices.floor,
        reference_price: prices.reference,
        highest_price: prices.highest,
        lowest_price: prices.lowest,
        bid_price: prices.bid,
        ask_price: prices.ask,
        created_at: identity.time,
        event_id: owned("meta.event_id", meta.event_id)?,
        source: owned("meta.source", meta.source)?,
        currency: owned("meta.currency", meta.currency)?,
        mic: owned("meta.mic", meta.mic)?,
        session: owned("meta.session", meta.session)?,
        trading_date: day("meta.trading_date", meta.trading_date)?,
        flags: texts("meta.flags", meta.flags)?,
    }))
}

#[derive(Clone, Copy)]
enum Shape {
    StockQuotes,
    CryptoPrices,
    StockPrices,
    StockBoard,
}

impl Shape {
    /// The member that has the price.
    fn price(self) -> &'static str {
        match self {
            Self::StockQuotes => "c",
            _ => "price",
        }
    }
}

/// `None` for a message that is no quote.
fn shape(meta: Option<&Meta<'_>>, topic: &str) -> Result<Option<Shape>, NoRow> {
    let schema = match meta {
        Some(meta) => text("meta.schema", meta.schema)?,
        None => None,
    };
    Ok(match (schema.as_deref(), topic) {
        (Some("stock-quotes/1"), _) | (None, "stock-quotes") => Some(Shape::StockQuotes),
        (Some("crypto-prices/1"), _) | (None, "crypto-prices") => Some(Shape::CryptoPrices),
        (Some("stock-prices/1"), _) | (None, "stock-prices") => Some(Shape::StockPrices),
        (Some("stock-board/1"), _) | (None, "stock-board") => Some(Shape::StockBoard),
        (Some("trades-raw/1" | "stock-intraday/1" | "stock-historical/1"), _)
        | (None, "trades_raw" | "stock-intraday" | "stock-historical") => None,
        (Some(schema), _) => {
            return Err(NoRow::UnknownSchema {
                schema: start(schema),
            });
        }
        (None, topic) => {
            return Err(NoRow::NoSchema {
                topic: start(topic),
            });
        }
    })
}

fn message<'a>(received: &Received<'a>) -> Result<Message<'a>, NoRow> {
    let value = received.value.ok_or(Unfit::Tombstone)?;
    // What identify has read is JSON.
    let broken = |words: String| NoRow::Unfit(Defect::BrokenJson(words).into());
    let value = str::from_utf8(value).map_err(|error| broken(error.to_string()))?;
    serde_json::from_str(value).map_err(|error| broken(error.to_string()))
}

#[derive(Default)]
struct Prices {
    price: Option<Number>,
    volume: Option<Number>,
    total_volume: Option<Number>,
    change: Option<Number>,
    change_percent: Option<Number>,
    ceiling: Option<Number>,
    floor: Option<Number>,
    reference: Option<Number>,
    highest: Option<Number>,
    lowest: Option<Number>,
    bid: Option<Number>,
    ask: Option<Number>,
}

fn prices(shape: Shape, message: &Message<'_>) -> Result<Prices, NoRow> {
    Ok(match shape {
        Shape::StockQuotes => Prices {
            price: number("c", message.c)?,
            change: number("d", message.d)?,
            change_percent: number("dp", message.dp)?,
            reference: number("pc", message.pc)?,
            highest: number("h", message.h)?,
            lowest: number("l", message.l)?,
            ..Prices::default()
        },
        Shape::CryptoPrices => Prices {
            price: number("price", message.price)?,
            volume: number("volume", message.volume)?,
            change: number("price_change", message.price_change)?,
            change_percent: number("price_change_percent", message.price_change_percent)?,
            highest: number("high", message.high)?,
            lowest: number("low", message.low)?,
            ..Prices::default()
        },
        Shape::StockPrices => Prices {
            price: number("price", message.price)?,
            total_volume: number("volume", message.volume)?,
            change: number("change", message.change)?,
            change_percent: number("percent_change", message.percent_change)?,
            highest: number("high", message.high)?,
            lowest: number("low", message.low)?,
            ..Prices::default()
        },
        Shape::StockBoard => Prices {
            price: number("price", message.price)?,
            volume: number("volume", message.volume)?,
            total_volume: number("total_volume", message.total_volume)?,
            change: number("change", message.change)?,
            change_percent: number("change_percent", message.change_percent)?,
            ceiling: number("ceiling_price", message.ceiling_price)?,
            floor: number("floor_price", message.floor_price)?,
            reference: number("reference_price", message.reference_price)?,
            highest: number("highest_price", message.highest_price)?,
            lowest: number("lowest_price", message.lowest_price)?,
            bid: number("bid_price", message.bid_price)?,
            ask: number("ask_price", message.ask_price)?,
        },
    })
}

fn own_time(shape: Shape, message: &Message<'_>) -> Result<Option<Timestamp>, NoRow> {
    match shape {
        Shape::StockQuotes => seconds("t", message.t),
        Shape::CryptoPrices => milliseconds("event_time", message.event_time),
        Shape::StockPrices => Ok(None),
        Shape::StockBoard => time("time", message.time),
    }
}
