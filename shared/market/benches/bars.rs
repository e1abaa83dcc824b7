//! What a bronze line costs on its way into bars: an hour of one symbol at a beat of 6 s is 600 lines of about 600 bytes.
//!
//! `cargo bench -p market`

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use divan::{Bencher, black_box, counter::ItemsCount};
use jiff::Timestamp;
use market::{
    Instrument, Observation, Quote, StockQuote, Trade,
    bars::{Lines, Reader, Rules, days, hours, minutes},
    quote_message, trade_message,
};

const LINES: i64 = 600;
const START_MS: i64 = 1_772_461_800_000;

fn main() {
    divan::main();
}

/// The lines of an hour, about 600 bytes each.
fn lines(of_trades: bool) -> Vec<Vec<u8>> {
    let line = |n: i64| {
        let at = |millis| Timestamp::from_millisecond(START_MS + n * 6_000 + millis).unwrap();
        let price = |cents: i64| {
            format!("{}.{:02}", 308 + cents / 100, cents % 100)
                .parse()
                .unwrap()
        };
        let instrument = Instrument::us_share("AAPL".parse().unwrap());
        let message = if of_trades {
            let size = "120".parse().unwrap();
            let conditions = vec!["1".to_owned(), "12".to_owned()];
            let said = Trade {
                price: price(n % 97),
                size,
                time: at(0),
                conditions,
            };
            trade_message(&Observation {
                source: "finnhub",
                instrument,
                said,
                fetched_at: at(412),
            })
        } else {
            let said = Quote::Stock(StockQuote {
                current: price(n % 97),
                change: Some(price(3)),
                percent_change: Some(price(7)),
                high: Some(price(99)),
                low: Some(price(1)),
                open: Some(price(4)),
                previous_close: Some(price(8)),
                time: at(0),
            });
            quote_message(
                &Observation {
                    source: "finnhub",
                    instrument,
                    said,
                    fetched_at: at(412),
                },
                false,
            )
        };
        let kafka = format!(
            r#","_kafka":{{"topic":"stock-quotes","partition":3,"offset":{n},"timestamp":{},"key":"AAPL","headers":[]}}}}"#,
            START_MS + n * 6_000
        );
        let mut line = message.body;
        line.pop();
        line.extend_from_slice(kafka.as_bytes());
        line
    };
    (0..LINES).map(line).collect()
}

fn read(lines: &[Vec<u8>]) -> (Reader, Lines) {
    let mut reader = Reader::new("stock-quotes", Rules::default());
    let mut held = Lines::default();
    for line in lines {
        reader.read(line, &mut held).unwrap();
    }
    (reader, held)
}

#[divan::bench(args = ["quotes", "trades"])]
fn read_lines(bencher: Bencher<'_, '_>, of: &str) {
    let lines = lines(of == "trades");
    let bytes = lines.iter().map(Vec::len).sum::<usize>();
    bencher
        .counter(ItemsCount::new(lines.len()))
        .counter(divan::counter::BytesCount::new(bytes))
        .bench_local(|| black_box(read(&lines)));
}

#[divan::bench(args = ["quotes", "trades"])]
fn fold_and_compose(bencher: Bencher<'_, '_>, of: &str) {
    let (reader, held) = read(&lines(of == "trades"));
    bencher
        .counter(ItemsCount::new(held.observed.len()))
        .with_inputs(|| held.observed.clone())
        .bench_local_values(|mut observed| {
            let minutes = minutes(&mut observed, reader.subjects(), &Rules::default());
            black_box(days(&hours(&minutes)))
        });
}
