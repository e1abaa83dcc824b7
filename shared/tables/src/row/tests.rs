use lake::{Header, Received};

use super::*;

mod properties;
mod refused;
mod shapes;

const FINNHUB: &str = include_str!("../../../feeds/src/finnhub/snapshots/quotes.snap");
const BINANCE: &str = include_str!("../../../feeds/src/binance/snapshots/ticker-array.snap");
const BOARDS: [&str; 2] = [
    include_str!("../../../feeds/src/kbs/snapshots/board.snap"),
    include_str!("../../../feeds/src/vci/snapshots/board.snap"),
];
const BARS: [&str; 2] = [
    include_str!("../../../feeds/src/binance/snapshots/klines-intraday.snap"),
    include_str!("../../../feeds/src/binance/snapshots/klines-daily.snap"),
];

/// The messages that the feeds made of recorded answers.
fn recorded(snapshot: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut rest = snapshot;
    while let Some(start) = rest.find(": {\n  \"") {
        let end = rest[start..].find("\n}\n").unwrap() + start;
        messages.push(rest[start + 2..end + 2].to_owned());
        rest = &rest[end + 2..];
    }
    assert!(!messages.is_empty());
    messages
}

fn received<'a>(topic: &'a str, value: &'a str) -> Received<'a> {
    Received {
        topic,
        partition: 3,
        offset: 50_902,
        timestamp: Some(1_779_480_009_000),
        key: Some(b"AAPL"),
        headers: &[Header {
            name: "trace",
            value: None,
        }],
        value: Some(value.as_bytes()),
    }
}

fn row(topic: &str, value: &str) -> Row {
    read(&received(topic, value), "7").unwrap().unwrap()
}

/// A row with nothing but what it must have.
pub(crate) fn plain() -> Row {
    let value = r#"{"symbol":"A","c":1,"fetched_at":1779480000}"#;
    row("stock-quotes", value)
}

/// The columns that are not NULL, as a line each.
fn said(row: &Row) -> String {
    let number = |name: &str, number: &Option<Number>| {
        let number = number.as_ref();
        number.map(|number| format!("{name} {number}"))
    };
    let text = |name: &str, text: &Option<String>| {
        let text = text.as_ref();
        text.map(|text| format!("{name} {text}"))
    };
    let columns = [
        Some(format!(
            "{} {} {} {} {}",
            row.topic, row.epoch, row.partition, row.offset, row.ticker
        )),
        row.time.map(|time| format!("time {time}")),
        Some(format!("price {}", row.price)),
        number("volume", &row.volume),
        number("total_volume", &row.total_volume),
        number("change", &row.change),
        number("change_percent", &row.change_percent),
        number("ceiling_price", &row.ceiling_price),
        number("floor_price", &row.floor_price),
        number("reference_price", &row.reference_price),
        number("highest_price", &row.highest_price),
        number("lowest_price", &row.lowest_price),
        number("bid_price", &row.bid_price),
        number("ask_price", &row.ask_price),
        Some(format!("created_at {}", row.created_at)),
        text("event_id", &row.event_id),
        text("source", &row.source),
        text("currency", &row.currency),
        text("mic", &row.mic),
        text("session", &row.session),
        row.trading_date.map(|date| format!("trading_date {date}")),
        row.flags.as_ref().map(|flags| format!("flags {flags:?}")),
    ];
    columns.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
