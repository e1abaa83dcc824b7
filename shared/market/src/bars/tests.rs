use jiff::Timestamp;

use super::*;

mod asides;
mod days;
mod order;
mod properties;
mod published;
mod spark;
mod versions;
mod volumes;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// Microseconds since 1970.
fn time(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

/// A record at an offset of partition 0 that was fetched at its event, without an `event_id`.
fn record(event: &str, offset: i64, said: Said) -> Observed {
    let event_time = time(event);
    Observed {
        event_time,
        fetched_at: event_time,
        event_id: None,
        partition: 0,
        offset,
        said,
        subject: 0,
    }
}

fn trade(event: &str, offset: i64, price: &str, size: &str) -> Observed {
    let (price, size) = (amount(price), amount(size));
    record(event, offset, Said::Trade { price, size })
}

fn quote(event: &str, offset: i64, price: &str) -> Observed {
    let said = Said::Quote {
        price: amount(price),
        session_volume: None,
    };
    record(event, offset, said)
}

/// A quote with the venue's total of the session so far.
fn board(event: &str, offset: i64, price: &str, total: &str) -> Observed {
    let said = Said::Quote {
        price: amount(price),
        session_volume: Some(amount(total)),
    };
    record(event, offset, said)
}

/// A provider's bar whose four prices are one.
fn provider(start: &str, offset: i64, price: &str, fetched: &str) -> Observed {
    let price = amount(price);
    let said = Said::Bar {
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Amount::from(7),
    };
    Observed {
        fetched_at: time(fetched),
        ..record(start, offset, said)
    }
}

/// The same record again, as fetched this long after its event.
fn after(record: Observed, age: i64) -> Observed {
    Observed {
        fetched_at: record.event_time + age,
        ..record
    }
}

fn of_zone(zone: Zone) -> Subject {
    Subject {
        zone,
        ..Subject::default()
    }
}

fn folded(mut records: Vec<Observed>, zone: Zone) -> Vec<Bar> {
    minutes(&mut records, &[of_zone(zone)], &Rules::default())
}

/// The one bar of these records, which are of one minute.
fn one_minute(records: Vec<Observed>) -> Bar {
    let mut bars = folded(records, Zone::Utc);
    assert_eq!(bars.len(), 1, "{bars:?}");
    bars.remove(0)
}

/// Open, high, low, close.
fn prices(bar: &Bar) -> [String; 4] {
    let Prices {
        open,
        high,
        low,
        close,
    } = bar.prices.unwrap();
    [open, high, low, close].map(|price| price.to_string())
}

fn starts(bars: &[Bar]) -> Vec<String> {
    let start = |bar: &Bar| Timestamp::from_microsecond(bar.start).unwrap().to_string();
    bars.iter().map(start).collect()
}

/// What a reader makes of lines, with the name of each one's aside or its error.
fn read(topic: &str, lines: &[String]) -> (Reader, Lines, Vec<String>) {
    let mut reader = Reader::new(topic, Rules::default());
    let mut held = Lines::default();
    let outcome = |line: &String| match reader.read(line.as_bytes(), &mut held) {
        Ok(aside) => aside.map_or("read", Aside::name).to_owned(),
        Err(error) => error.to_string(),
    };
    let outcomes = lines.iter().map(outcome).collect();
    (reader, held, outcomes)
}
