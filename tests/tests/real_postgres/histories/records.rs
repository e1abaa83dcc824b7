//! Records of every kind that a topic of quotes may hold.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kafka_event::KafkaEvent;
use lake::{headers, received};
use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};
use tables::Row;

/// The topics of a log, each with its shape of a message.
pub(in super::super) const TOPICS: [&str; 2] = ["stock-quotes", "stock-board"];

/// Tickers that all topics have.
const TICKERS: [&str; 4] = ["FPT", "VNM", "BTC/USDT", "é"];

const SOURCES: [&str; 2] = ["vci", "kbs"];

const NUMBERS: [&str; 8] = [
    "0",
    "1.10",
    "1.10e2",
    "-0.0",
    "9217126554917738496",
    "0.30000000000000004",
    "1e-8",
    "123456789012345678901234567890.5",
];

/// No index of a table takes a ticker as long as this.
const LONG: usize = 4_000;

/// A record in a topic.
#[derive(Clone, Debug)]
pub(super) struct Record {
    topic: &'static str,
    partition: i32,
    offset: i64,
    value: Option<String>,
}

impl Record {
    /// Its partition as events name it, and its offset.
    pub(super) fn position(&self) -> (String, i64) {
        (format!("{}-{}", self.topic, self.partition), self.offset)
    }
}

/// So many records in two topics of two partitions each, in the order of their publication.
pub(super) fn log(records: usize, chance: &mut StdRng) -> Vec<Record> {
    let mut ends: BTreeMap<(&str, i32), i64> = BTreeMap::new();
    let record = |_| {
        let topic = TOPICS[chance.random_range(0..2)];
        let partition = chance.random_range(0..2);
        let end = ends.entry((topic, partition)).or_default();
        *end += 1;
        Record {
            topic,
            partition,
            offset: *end - 1,
            value: value(topic, chance),
        }
    };
    (0..records).map(record).collect()
}

/// The trigger's event with these records.
pub(super) fn event<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<u8> {
    let mut sources: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for Record {
        topic,
        partition,
        offset,
        value,
    } in records
    {
        let value = value.as_ref();
        sources
            .entry(format!("{topic}-{partition}"))
            .or_default()
            .push(json!({
                "topic": topic, "partition": partition, "offset": offset, "timestamp": 1_795_240_801_123_i64,
                "value": value.map(|value| base64_simd::STANDARD.encode_to_string(value)),
            }));
    }
    serde_json::to_vec(&json!({ "records": sources })).unwrap()
}

/// What is to become of a record.
pub(in super::super) enum Home {
    Row(Box<Row>),
    Quarantine,
    Nowhere,
}

/// Where each record of an event belongs, with its partition as events name it and its offset.
pub(in super::super) fn homes(event: &KafkaEvent<'_>, epoch: &str) -> Vec<(String, i64, Home)> {
    let headers = headers(event);
    let received = received(event, &headers);
    let homes = event
        .records
        .iter()
        .zip(received)
        .map(|(record, received)| {
            let home = match tables::read(&received, epoch) {
                Ok(Some(row)) if is_refused(&row) => Home::Quarantine,
                Ok(Some(row)) => Home::Row(Box::new(row)),
                Ok(None) => Home::Nowhere,
                Err(_) => Home::Quarantine,
            };
            let source = event.sources[record.source].clone().into_owned();
            (source, record.offset, home)
        });
    homes.collect()
}

/// Whether PostgreSQL has no room for a row in an index, as it says with 54000.
pub(in super::super) fn is_refused(row: &Row) -> bool {
    row.ticker.len() >= LONG
}

/// The value of a record: a quote mostly. Times are of a few seconds of three days, so that many are alike.
pub(in super::super) fn value(topic: &str, chance: &mut StdRng) -> Option<String> {
    let ticker = TICKERS[chance.random_range(0..TICKERS.len())];
    Some(match chance.random_range(0..40) {
        0 => return None,
        1 | 2 => "{".to_owned(),
        3 => format!(r#"{{"symbol":"{ticker}","price":"NaN","c":"NaN","fetched_at":1795240800}}"#),
        4 => quote(topic, &long(chance), chance, true),
        5 | 6 => json!({
            "symbol": ticker, "data": [], "fetched_at": 1_795_240_800_i64,
            "meta": {"schema": "stock-intraday/1", "source": "vci"},
        })
        .to_string(),
        7..10 => quote(topic, ticker, chance, false),
        _ => quote(topic, ticker, chance, true),
    })
}

/// Nothing that an index could pack.
fn long(chance: &mut StdRng) -> String {
    let letter = |_| char::from(chance.random_range(b'A'..=b'Z'));
    (0..LONG).map(letter).collect()
}

fn quote(topic: &str, ticker: &str, chance: &mut StdRng, has_meta: bool) -> String {
    let day = SignedDuration::from_hours(24 * chance.random_range(0..3));
    let second = SignedDuration::from_secs(chance.random_range(0..4));
    let fetched_at = Timestamp::from_second(1_795_240_800).unwrap() - day + second;
    let time = fetched_at
        - match chance.random_range(0..8) {
            // Old, ahead by what is let pass, and by more.
            0 => SignedDuration::from_hours(24 * 3_000),
            1 => SignedDuration::from_secs(-60),
            2 => SignedDuration::from_micros(-60_000_001),
            _ => SignedDuration::from_secs(chance.random_range(0..3)),
        };
    // The marks go at the end: no type of this JSON holds all the digits.
    let number =
        |chance: &mut StdRng| format!("#{}#", NUMBERS[chance.random_range(0..NUMBERS.len())]);
    let source = SOURCES.get(chance.random_range(0..3));
    let schema = format!("{topic}/1");
    let mut quote = json!({
        "symbol": ticker, "fetched_at": fetched_at.as_second(),
        "meta": {
            "source": source, "schema": schema, "event_id": format!("{ticker}-{}", chance.random_range(0..99)),
            "symbol": ticker, "asset_class": "equity", "mic": "XSTC", "currency": "VND", "session": "regular",
            "trading_date": "2026-11-21", "event_time": chance.random_bool(0.9).then(|| time.to_string()),
            "fetched_at": fetched_at.to_string(), "age_ms": 0, "flags": ["stale", "a\"b"],
        },
    });
    let members: &[&str] = match topic {
        "stock-quotes" => &["c", "d", "dp", "h", "l", "o", "pc"],
        _ => &[
            "price",
            "volume",
            "total_volume",
            "change",
            "change_percent",
            "ceiling_price",
            "floor_price",
            "bid_price",
        ],
    };
    for (place, member) in members.iter().enumerate() {
        if place == 0 || chance.random_bool(0.9) {
            quote[*member] = number(chance).into();
        }
    }
    match topic {
        "stock-quotes" => quote["t"] = time.as_second().into(),
        _ => quote["time"] = time.to_string().into(),
    }
    if !has_meta {
        quote.as_object_mut().unwrap().remove("meta");
    }
    quote.to_string().replace("\"#", "").replace("#\"", "")
}
