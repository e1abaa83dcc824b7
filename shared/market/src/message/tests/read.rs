use proptest::prelude::*;

use super::*;
use crate::{Basis, Flag, Published, Session, Term, Volume};

const TRADE: &str = concat!(
    r#"{"symbol":"AAPL","price":146.760,"size":43,"time":1628260130221,"conditions":["1"],"#,
    r#""meta":{"source":"finnhub","schema":"trades-raw/1","event_id":"6ee1","symbol":"AAPL","#,
    r#""asset_class":"equity","mic":"XNAS","currency":"USD","session":"regular","#,
    r#""trading_date":"2021-08-06","event_time":"2021-08-06T14:28:50.221Z","#,
    r#""fetched_at":"2021-08-06T14:28:50.300Z","age_ms":79,"flags":["stale"]}}"#,
);
const QUOTE: &str =
    r#"{"c":1.10,"h":2,"l":1,"o":1,"pc":1,"t":1779480000,"symbol":"AAPL","fetched_at":1779480001}"#;
const TICKER: &str = concat!(
    r#"{"symbol":"BTCUSDT","event_time":1586991278494,"price":6705.82000000,"open":1,"high":1,"low":1,"#,
    r#""volume":57857.49485700,"quote_volume":392659910.62660750,"number_trades":554428,"price_change":0,"#,
    r#""price_change_percent":0,"timestamp":"2020-04-15T22:54:38.601Z"}"#,
);
const PRICE: &str = r#"{"symbol":"FPT","price":101500.0,"volume":1234500,"change":0,"timestamp":"2026-11-20T03:00:00.250Z"}"#;
const ROW: &str = concat!(
    r#"{"symbol":"FPT","ticker":"FPT","time":"2026-11-20T03:00:00Z","price":101500.0,"volume":300,"total_volume":1234500,"#,
    r#""change":0,"ceiling_price":1,"floor_price":1,"reference_price":1}"#,
);
const BARS: &str =
    r#"{"symbol":"FPT","type":"intraday_ohlcv","data":[],"timestamp":"2026-11-20T03:00:00.250Z"}"#;

fn read(topic: &str, value: &str) -> Published {
    Published::read(topic, value.as_bytes()).unwrap()
}

fn refused(topic: &str, value: &str) -> String {
    let error = Published::read(topic, value.as_bytes()).unwrap_err();
    error.to_string()
}

#[test]
fn a_trade_gives_everything_that_its_message_has() {
    let published = read("any", TRADE);
    let tick = published.tick().unwrap();
    assert_eq!(tick.symbol.as_str(), "AAPL");
    assert_eq!(tick.canonical_symbol, Some("AAPL"));
    assert_eq!(tick.basis, Basis::Trade);
    assert_eq!(tick.event_time, Some(time("2021-08-06T14:28:50.221Z")));
    assert_eq!(tick.fetched_at, Some(time("2021-08-06T14:28:50.300Z")));
    assert_eq!(published.fetched_at(), tick.fetched_at);
    assert_eq!(tick.age_ms, Some(79));
    assert_eq!(tick.price.as_str(), "146.760");
    assert_eq!(tick.volume, Volume::Trade(&digits("43")));
    assert_eq!(tick.source, Some("finnhub"));
    assert_eq!(tick.event_id, Some("6ee1"));
    assert_eq!(tick.mic.unwrap().as_str(), "XNAS");
    assert_eq!(tick.currency, Some("USD"));
    assert_eq!(tick.session.unwrap().known(), Some(&Session::Regular));
    assert_eq!(tick.trading_date.unwrap().to_string(), "2021-08-06");
    assert_eq!(tick.flags, [Term::Known(Flag::Stale)]);
}

#[test]
fn a_volume_comes_with_what_it_means() {
    let total = digits("1234500");
    let cases = [
        ("stock-quotes", QUOTE, Volume::Unknown),
        (
            "crypto-prices",
            TICKER,
            Volume::Rolling24h {
                base: &digits("57857.49485700"),
                quote: &digits("392659910.62660750"),
                trades: 554_428,
            },
        ),
        ("trades_raw", TRADE, Volume::Trade(&digits("43"))),
        (
            "stock-prices",
            PRICE,
            Volume::Session {
                total: &total,
                last_trade: None,
            },
        ),
        (
            "stock-board",
            ROW,
            Volume::Session {
                total: &total,
                last_trade: Some(&digits("300")),
            },
        ),
    ];
    for (topic, value, volume) in cases {
        assert_eq!(read(topic, value).tick().unwrap().volume, volume, "{topic}");
    }
}

#[test]
fn bars_have_no_tick_and_are_read_by_their_own_type() {
    let published = read("stock-intraday", BARS);
    assert_eq!(published.tick(), None);
    assert_eq!(published.symbol().as_str(), "FPT");
    let Published::StockIntraday(bars) = published else {
        panic!("{published:?}")
    };
    assert_eq!(bars.data, []);
}

#[test]
fn a_record_without_meta_gives_the_times_of_its_shape() {
    let published = read("stock-quotes", QUOTE);
    let tick = published.tick().unwrap();
    assert_eq!(tick.event_time, Some(time("2026-05-22T20:00:00Z")));
    assert_eq!(tick.fetched_at, Some(time("2026-05-22T20:00:01Z")));
    assert_eq!(tick.age_ms, Some(1000));
    assert_eq!((tick.source, tick.currency, tick.mic), (None, None, None));
    assert_eq!(tick.flags, []);
    let published = read("stock-prices", PRICE);
    let tick = published.tick().unwrap();
    assert_eq!((tick.event_time, tick.age_ms), (None, None));
    assert_eq!(tick.fetched_at, Some(time("2026-11-20T03:00:00.250Z")));
}

#[test]
fn a_volume_that_is_null_is_unknown() {
    for (topic, value, member) in [
        ("stock-prices", PRICE, r#""volume":1234500"#),
        ("stock-board", ROW, r#""total_volume":1234500"#),
        ("crypto-prices", TICKER, r#""volume":57857.49485700"#),
        ("crypto-prices", TICKER, r#""number_trades":554428"#),
    ] {
        let (name, _) = member.split_once(':').unwrap();
        let value = value.replace(member, &format!("{name}:null"));
        let published = read(topic, &value);
        assert_eq!(published.tick().unwrap().volume, Volume::Unknown);
    }
}

#[test]
fn meta_that_knows_no_event_time_is_believed() {
    let meta = r#""event_time":"2021-08-06T14:28:50.221Z""#;
    let value = TRADE.replace(meta, r#""event_time":null"#);
    assert_eq!(read("any", &value).tick().unwrap().event_time, None);
}

#[test]
fn members_and_words_of_a_newer_writer_cost_nothing() {
    let value = TRADE
        .replace(
            r#"{"symbol":"AAPL","price""#,
            r#"{"new":[{"a":1e999}],"symbol":"AAPL","price""#,
        )
        .replace(r#""source""#, r#""new":{},"source""#)
        .replace("stale", "halted")
        .replace("regular", "auction");
    let published = read("any", &value);
    let tick = published.tick().unwrap();
    assert_eq!(tick.flags, [Term::Other("halted".to_owned())]);
    assert_eq!(tick.session.unwrap().known(), None);
}

#[test]
fn the_schema_decides_and_not_the_name_of_the_topic() {
    assert!(matches!(
        read("stock-quotes", TRADE),
        Published::TradesRaw(_)
    ));
}

#[test]
fn what_is_no_message_is_told_in_one_sentence() {
    let cases = [
        (
            "fx",
            QUOTE.to_owned(),
            r#"the record has no meta.schema and the topic "fx" does not name its shape: write meta.schema, such as stock-quotes/1"#,
        ),
        (
            "any",
            TRADE.replace("trades-raw/1", "trades-raw/2"),
            "the schema trades-raw/2 is not known here: this program reads stock-quotes/1, crypto-prices/1, \
             trades-raw/1, stock-prices/1, stock-intraday/1, stock-historical/1 and stock-board/1",
        ),
        (
            "any",
            TRADE.replace("trades-raw/1", "trades-raw/01"),
            r#"the record is not a message in JSON: "trades-raw/01" is not a schema: write its name and version, such as stock-quotes/1 at line 1 column 134"#,
        ),
        (
            "trades_raw",
            TRADE.replace(r#""price":146.760,"#, ""),
            "the record is not of the schema trades-raw/1: missing field `price` at line 1 column 364",
        ),
        (
            "stock-quotes",
            "[1.10]".to_owned(),
            "the record is not a message in JSON: it is an array, not an object",
        ),
        (
            "stock-quotes",
            String::new(),
            "the record is not a message in JSON: EOF while parsing a value at line 1 column 0",
        ),
        (
            "stock-quotes",
            "5".to_owned(),
            "the record is not a message in JSON: invalid type: integer `5`, expected an object at line 1 column 1",
        ),
        (
            "stock-quotes",
            QUOTE.replace("1.10", "NaN"),
            "the record is not a message in JSON: expected value at line 1 column 6",
        ),
        (
            "stock-quotes",
            QUOTE.replace("1.10", "1e99"),
            "the record is not of the schema stock-quotes/1: the number 1e99 is out of range: at most 28 digits \
             before or after the point are kept at line 1 column 9",
        ),
    ];
    for (topic, value, sentence) in cases {
        assert_eq!(refused(topic, &value), sentence);
    }
}

/// A message with one value of it replaced by other JSON.
fn damaged() -> impl Strategy<Value = (&'static str, String)> {
    let shapes = [
        ("stock-quotes", QUOTE),
        ("crypto-prices", TICKER),
        ("trades_raw", TRADE),
        ("stock-prices", PRICE),
        ("stock-board", ROW),
        ("stock-intraday", BARS),
        ("stock-historical", BARS),
    ];
    let value = prop::sample::select(
        &[
            "null",
            "-1",
            "1e400",
            "\"\"",
            "\"x\"",
            "[]",
            "{}",
            "[[]]",
            "true",
            "\"9999-99-99\"",
            "9223372036854775808",
            "\"\\u0000\"",
            "{\"schema\":\"stock-board/1\"}",
            "",
        ][..],
    );
    (
        prop::sample::select(shapes.to_vec()),
        any::<prop::sample::Index>(),
        value,
    )
        .prop_map(|((topic, message), place, value)| {
            let colons: Vec<_> = message.match_indices("\":").collect();
            let start = colons[place.index(colons.len())].0 + 2;
            let rest = &message[start..];
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            (
                topic,
                format!("{}{value}{}", &message[..start], &rest[end..]),
            )
        })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_in_one_line(topic in ".{0,80}", bytes: Vec<u8>) {
        if let Err(error) = Published::read(&topic, &bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn a_damaged_message_is_read_or_refused_in_one_line((topic, value) in damaged()) {
        match Published::read(topic, value.as_bytes()) {
            Ok(published) => {
                let again = serde_json::to_vec(&published).unwrap();
                prop_assert_eq!(Published::read(topic, &again).unwrap(), published);
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }
}
