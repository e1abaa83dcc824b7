use jiff::civil::Date;

use super::*;
use crate::{Bar, Calendar};

fn bar<At>(at: At, [open, high, low, close, volume]: [&str; 5]) -> Bar<At> {
    Bar {
        at,
        open: digits(open),
        high: digits(high),
        low: digits(low),
        close: digits(close),
        volume: digits(volume),
    }
}

fn minute(at: &str) -> Bar<Timestamp> {
    bar(time(at), ["1.00", "3.0", "0.50", "2", "70"])
}

fn day(at: &str) -> Bar<Date> {
    bar(at.parse().unwrap(), ["1.00", "3.0", "0.50", "2", "70"])
}

fn fpt() -> Instrument {
    Instrument::vietnamese_share("FPT".parse().unwrap(), Some(Calendar::Hose))
}

/// The starts of the bars that are published.
fn dates(message: &Message) -> Vec<String> {
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    let rows = body["data"].as_array().unwrap().iter();
    rows.map(|row| row["Date"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn minute_bars_are_published_field_for_field() {
    let minutes = vec![
        minute("2026-11-20T02:15:00Z"),
        bar(
            time("2026-11-20T02:16:00Z"),
            ["101500.0", "101600", "101500", "101600", "1e3"],
        ),
    ];
    let observation = observed("vci", fpt(), minutes, "2026-11-20T02:17:01.5Z");
    let message = intraday_message(&observation, false);
    assert_eq!(message.key, "FPT");
    assert_eq!(
        text(message),
        concat!(
            r#"{"symbol":"FPT","type":"intraday_ohlcv","data":["#,
            r#"{"Date":"2026-11-20T02:15:00Z","Open":1.00,"High":3.0,"Low":0.50,"Close":2,"Volume":70},"#,
            r#"{"Date":"2026-11-20T02:16:00Z","Open":101500.0,"High":101600,"Low":101500,"Close":101600,"#,
            r#""Volume":1e3}],"timestamp":"2026-11-20T02:17:01.500Z","#,
            r#""meta":{"source":"vci","schema":"stock-intraday/1","event_id":"805b0738325400a8d55107e73d2727f7","symbol":"FPT","#,
            r#""asset_class":"equity","mic":"XSTC","currency":"VND","session":"regular","#,
            r#""trading_date":"2026-11-20","event_time":"2026-11-20T02:16:00.000Z","#,
            r#""fetched_at":"2026-11-20T02:17:01.500Z","age_ms":61500,"flags":[]}}"#,
        )
    );
}

/// The indicators that three days are too few for.
const NOT_YET: &str = concat!(
    r#""SMA_20":null,"SMA_50":null,"EMA_12":null,"EMA_26":null,"RSI":null,"MACD":null,"MACD_signal":null,"#,
    r#""MACD_hist":null,"BB_upper":null,"BB_middle":null,"BB_lower":null,"ATR":null,"STOCH_K":null,"STOCH_D":null,"#,
);

#[test]
fn daily_bars_are_published_field_for_field() {
    let days = vec![
        day("2026-11-18"),
        day("2026-11-19"),
        bar(
            "2026-11-20".parse().unwrap(),
            ["100000", "102000", "99900", "101500", "1234500"],
        ),
    ];
    let observation = observed("kbs", fpt(), days, "2026-11-20T03:00:00Z");
    let message = history_message(&observation, 30, false);
    assert_eq!(message.key, "FPT");
    assert_eq!(
        text(message),
        [
            r#"{"symbol":"FPT","period_days":30,"data":["#,
            r#"{"Date":"2026-11-18","Open":1.00,"High":3.0,"Low":0.50,"Close":2,"Volume":70,"#,
            NOT_YET,
            r#""OBV":70},"#,
            r#"{"Date":"2026-11-19","Open":1.00,"High":3.0,"Low":0.50,"Close":2,"Volume":70,"#,
            NOT_YET,
            r#""OBV":70},"#,
            r#"{"Date":"2026-11-20","Open":100000,"High":102000,"Low":99900,"Close":101500,"Volume":1234500,"#,
            NOT_YET,
            r#""OBV":1234570}],"#,
            r#""timestamp":"2026-11-20T03:00:00.000Z","#,
            r#""meta":{"source":"kbs","schema":"stock-historical/1","event_id":"222921e6ce693bef58e741350013cb0a","symbol":"FPT","#,
            r#""asset_class":"equity","mic":"XSTC","currency":"VND","session":"regular","#,
            r#""trading_date":"2026-11-20","event_time":"2026-11-20T00:00:00.000Z","#,
            r#""fetched_at":"2026-11-20T03:00:00.000Z","age_ms":10800000,"flags":[]}}"#,
        ]
        .concat()
    );
}

#[test]
fn minutes_of_several_days_are_one_message_and_the_same_ones_have_the_same_id() {
    let starts = ["2026-11-19T23:59:00Z", "2026-11-20T00:00:00Z"];
    let fetched = |at| {
        let minutes = starts.map(minute).to_vec();
        minutes_message(&observed("binance", pair("BTC", "USDT"), minutes, at))
    };
    let (one, again) = (
        fetched("2026-11-21T00:00:00Z"),
        fetched("2026-11-22T00:00:00Z"),
    );
    assert_eq!(dates(&one), starts);
    let id = |message: &Message| {
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        body["meta"]["event_id"].clone()
    };
    assert_eq!(id(&one), id(&again));
    assert_eq!(one.key, again.key);
}

#[test]
fn only_the_minutes_of_the_last_trading_date_are_published_by_the_exchange_s_own_day() {
    let cases = [
        (
            fpt(),
            ["2026-11-19T07:29:00Z", "2026-11-20T02:15:00Z"].as_slice(),
            1,
        ),
        (
            us_share("AAPL"),
            &[
                "2026-11-19T20:59:00Z",
                "2026-11-20T20:59:00Z",
                // Post-market of the 20th in New York.
                "2026-11-21T00:30:00Z",
            ],
            2,
        ),
        (
            pair("BTC", "USDT"),
            &["2026-11-19T23:59:00Z", "2026-11-20T00:00:00Z"],
            1,
        ),
        (
            Instrument::unknown("^GSPC".parse().unwrap()),
            &["2026-11-19T23:59:00Z", "2026-11-20T00:00:00Z"],
            2,
        ),
    ];
    for (instrument, starts, published) in cases {
        let minutes = starts.iter().map(|start| minute(start)).collect();
        let observation = observed("vci", instrument, minutes, "2026-11-21T01:00:00Z");
        let message = intraday_message(&observation, false);
        assert_eq!(
            dates(&message),
            starts[starts.len() - published..],
            "{}",
            message.key
        );
    }
}

#[test]
fn a_series_without_bars_has_no_event_time_and_an_id() {
    let observation = observed("vci", fpt(), Vec::new(), "2026-11-20T03:00:00Z");
    let message = intraday_message(&observation, false);
    assert_eq!(dates(&message), Vec::<String>::new());
    let meta = meta(&message);
    for member in ["event_time", "age_ms"] {
        assert!(meta.get(member).unwrap().is_null(), "{member}");
    }
    assert_eq!(meta["trading_date"], "2026-11-20");
    assert_eq!(meta["event_id"].as_str().unwrap().len(), 32);
}

#[test]
fn the_same_bars_have_one_id_and_another_digit_or_day_is_another() {
    let id = |days: Vec<Bar<Date>>, fetched_at| {
        let observation = observed("kbs", fpt(), days, fetched_at);
        meta(&history_message(&observation, 30, false))["event_id"].clone()
    };
    let first = id(vec![day("2026-11-19")], "2026-11-20T03:00:00Z");
    assert_eq!(
        first,
        id(vec![day("2026-11-19")], "2026-11-20T04:00:00Z"),
        "fetched again"
    );
    let mut other = day("2026-11-19");
    other.volume = digits("70.0");
    for days in [
        vec![other],
        vec![day("2026-11-18")],
        vec![day("2026-11-18"), day("2026-11-19")],
    ] {
        assert_ne!(first, id(days, "2026-11-20T03:00:00Z"));
    }
}
