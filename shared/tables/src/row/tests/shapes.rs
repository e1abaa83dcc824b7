use lake::{Compression, Granularity, Kind, Layout, Version, admit, read_line};
use market::{Published, Term};

use super::*;

#[test]
fn a_share_of_finnhub_gives_its_row() {
    let quote = &recorded(FINNHUB)[0];
    let expected = "stock-quotes 7 3 50902 AAPL
time 2026-05-22T20:00:00Z
price 308.82
change 3.83
change_percent 1.2558
reference_price 304.99
highest_price 311.4
lowest_price 305.84
created_at 2026-05-22T20:00:01.987Z
event_id 7c39ee452dfa0ffeff977b295f479e16
source finnhub
currency USD
session post
trading_date 2026-05-22
flags []";
    assert_eq!(said(&row("stock-quotes", quote)), expected);
    // The topic may have any name, as the message says its shape.
    let elsewhere = expected.replace("stock-quotes", "anything");
    assert_eq!(said(&row("anything", quote)), elsewhere);
}

#[test]
fn a_pair_of_binance_gives_its_row() {
    let single = include_str!("../../../../feeds/src/binance/snapshots/ticker-single.snap");
    let expected = "crypto-prices 7 3 50902 BTCUSDT
time 2020-04-15T22:54:38.494Z
price 6705.82000000
volume 57857.49485700
change -166.82000000
change_percent -2.427
highest_price 6933.00000000
lowest_price 6680.10000000
created_at 2020-04-15T22:54:38.601Z
event_id a76b6ef79019136c5d8628973ea33a49
source binance
currency USDT
session 24x7
trading_date 2020-04-15
flags []";
    assert_eq!(said(&row("crypto-prices", &recorded(single)[0])), expected);
}

#[test]
fn both_messages_of_a_vietnamese_board_give_their_rows() {
    let messages = recorded(BOARDS[0]);
    let meta = "created_at 2026-04-20T02:41:20.25Z
event_id 26d9c7129132c75d90713b0bc162b655
source kbs
currency VND
mic XSTC
session regular
trading_date 2026-04-20
flags []";
    let prices = format!(
        "stock-prices 7 3 50902 TCB
time 2026-04-20T02:41:17.876Z
price 32600
total_volume 2447800
change 350
change_percent 1.09
highest_price 32800
lowest_price 32350
{meta}"
    );
    let of = |schema: &str| {
        let mut of_schema = messages.iter().filter(|message| message.contains(schema));
        of_schema.next().unwrap()
    };
    assert_eq!(said(&row("stock-prices", of("stock-prices/1"))), prices);
    let board = format!(
        "stock-board 7 3 50902 TCB
time 2026-04-20T02:41:17.876Z
price 32600
volume 100
total_volume 2447800
change 350
change_percent 1.09
ceiling_price 34500
floor_price 30000
reference_price 32250
highest_price 32800
lowest_price 32350
bid_price 32600.0
ask_price 32650.0
{meta}"
    );
    assert_eq!(said(&row("stock-board", of("stock-board/1"))), board);
}

#[test]
fn every_recorded_quote_has_the_row_that_a_consumer_reads() {
    let mut quotes = 0;
    for snapshot in [FINNHUB, BINANCE, BOARDS[0], BOARDS[1]] {
        for message in recorded(snapshot) {
            let row = row("any", &message);
            let published = Published::read("any", message.as_bytes()).unwrap();
            let tick = published.tick().unwrap();
            assert_eq!(row.ticker, tick.symbol.as_str());
            assert_eq!(row.time, tick.event_time);
            assert_eq!(Some(row.created_at), tick.fetched_at);
            assert_eq!(row.price.as_str(), tick.price.as_str());
            assert_eq!(row.event_id.as_deref(), tick.event_id);
            assert_eq!(row.source.as_deref(), tick.source);
            assert_eq!(row.currency.as_deref(), tick.currency);
            assert_eq!(row.mic, tick.mic.map(|mic| mic.to_string()));
            assert_eq!(row.trading_date, tick.trading_date);
            assert_eq!(row.session.is_some(), tick.session.is_some());
            let flags = row.flags.unwrap();
            assert_eq!(flags.len(), tick.flags.len());
            assert!(tick.flags.iter().all(|flag| matches!(flag, Term::Known(_))));
            quotes += 1;
        }
    }
    assert!(quotes > 6, "{quotes}");
}

#[test]
fn a_known_message_that_is_no_quote_has_no_row_and_is_no_fault() {
    let trade = include_str!("../../../../feeds/src/finnhub/snapshots/trades.snap");
    for snapshot in [trade, BARS[0], BARS[1]] {
        for message in recorded(snapshot) {
            assert_eq!(read(&received("stock-quotes", &message), "7"), Ok(None));
        }
    }
    for topic in ["trades_raw", "stock-intraday", "stock-historical"] {
        assert_eq!(read(&received(topic, r#"{"symbol":"A"}"#), "7"), Ok(None));
    }
}

#[test]
fn a_record_without_meta_is_read_by_its_topic_and_has_its_shapes_own_time() {
    let quote = r#"{"c":308.82,"pc":null,"t":1779480000,"symbol":"AAPL","fetched_at":1779480001}"#;
    assert_eq!(
        said(&row("stock-quotes", quote)),
        "stock-quotes 7 3 50902 AAPL
time 2026-05-22T20:00:00Z
price 308.82
created_at 2026-05-22T20:00:01Z"
    );
    let ticker = r#"{"symbol":"BTCUSDT","price":"1e-8","event_time":1779480000123,"meta":null}"#;
    assert_eq!(
        said(&row("crypto-prices", ticker)),
        "crypto-prices 7 3 50902 BTCUSDT
time 2026-05-22T20:00:00.123Z
price 0.00000001
created_at 2026-05-22T20:00:09Z"
    );
    let board = r#"{"ticker":"TCB","price":32600,"time":"2026-04-20T09:41:17.8761239+07:00"}"#;
    assert_eq!(
        said(&row("stock-board", board)),
        "stock-board 7 3 50902 TCB
time 2026-04-20T02:41:17.876123Z
price 32600
created_at 2026-05-22T20:00:09Z"
    );
    let prices = r#"{"symbol":"TCB","price":0,"timestamp":"2026-04-20T02:41:20.250Z"}"#;
    assert_eq!(
        said(&row("stock-prices", prices)),
        "stock-prices 7 3 50902 TCB
price 0
created_at 2026-05-22T20:00:09Z"
    );
}

#[test]
fn what_meta_does_not_say_of_the_time_no_other_member_says() {
    let board = r#"{"symbol":"A","price":1,"time":"2026-04-20T02:41:17Z","meta":{"schema":"stock-board/1"}}"#;
    assert_eq!(row("stock-board", board).time, None);
}

#[test]
fn what_says_nothing_is_null() {
    let value = r#"{"symbol":"A","c":1,"d":"","dp":null,"t":9,"meta":{"schema":"","source":"","mic":null,
        "event_time":"1970-01-01T00:00:00.000Z","trading_date":"","flags":null}}"#;
    assert_eq!(
        said(&row("stock-quotes", value)),
        "stock-quotes 7 3 50902 A\nprice 1\ncreated_at 2026-05-22T20:00:09Z"
    );
    let zero = r#"{"symbol":"A","c":1,"t":0}"#;
    assert_eq!(row("stock-quotes", zero).time, None);
    let none_of_them = r#"{"symbol":"A","c":1,"meta":{"flags":[]}}"#;
    assert_eq!(row("stock-quotes", none_of_them).flags, Some(vec![]));
}

#[test]
fn numbers_keep_every_digit() {
    let fraction = "0.1234567890123456789012345678901234567890";
    let value = format!(
        r#"{{"symbol":"A","price":{fraction},"volume":9217126554917738496,"total_volume":"1e308","change":-0.0,
        "change_percent":"1.10"}}"#
    );
    let row = row("stock-board", &value);
    let text = |number: Option<Number>| number.unwrap().to_string();
    assert_eq!(row.price.as_str(), fraction);
    assert_eq!(text(row.volume), "9217126554917738496");
    assert_eq!(text(row.total_volume), format!("1{}", "0".repeat(308)));
    assert_eq!(text(row.change), "0.0");
    assert_eq!(text(row.change_percent), "1.10");
}

#[test]
fn times_from_the_year_1_to_9999_are_kept_to_the_microsecond() {
    let time = |text: &str| {
        let value = format!(r#"{{"symbol":"A","c":1,"meta":{{"event_time":"{text}"}}}}"#);
        row("stock-quotes", &value).time.unwrap().to_string()
    };
    for (text, kept) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ("9999-12-30T21:59:59.999999Z", "9999-12-30T21:59:59.999999Z"),
        (
            "2026-05-22 16:00:00.1234567-04",
            "2026-05-22T20:00:00.123456Z",
        ),
    ] {
        assert_eq!(time(text), kept);
    }
    let seconds = |t: &str| {
        let value = format!(r#"{{"symbol":"A","c":1,"t":{t}}}"#);
        row("stock-quotes", &value).time.unwrap().to_string()
    };
    assert_eq!(seconds("1779480000.1234567"), "2026-05-22T20:00:00.123456Z");
    assert_eq!(seconds("\"1.77948e9\""), "2026-05-22T20:00:00Z");
    assert_eq!(seconds("-1"), "1969-12-31T23:59:59Z");
}

#[test]
fn the_row_of_a_bronze_line_is_that_of_its_record() {
    let layout = Layout::new("bronze", Some("7"), Granularity::SEGMENT, Compression::None);
    let ticker_alone = r#"{"ticker":"TCB","price":32600,"time":"2026-04-20T02:41:17Z"}"#;
    let mut messages = [FINNHUB, BINANCE, BOARDS[0], BOARDS[1]]
        .map(recorded)
        .concat();
    messages.push(ticker_alone.to_owned());
    for message in &messages {
        let received = received("stock-board", message);
        let admitted = admit(&layout, &received);
        assert_eq!(admitted.kind, Kind::Bronze);
        let line = read_line(Version::Two, &admitted.body).unwrap();
        let mut value = Vec::new();
        let stored = line.received(&mut value).unwrap();
        assert_eq!(read(&stored, "7"), read(&received, "7"));
        assert!(matches!(read(&stored, "7"), Ok(Some(_))));
    }
}
