use proptest::prelude::*;

use super::*;

fn finnhub(symbol: &str, [c, h, l, o, pc]: [&str; 5], change: Option<[&str; 2]>, t: i64) -> Quote {
    Quote::Finnhub(FinnhubQuote {
        symbol: symbol.parse().unwrap(),
        current: c.parse().unwrap(),
        change: change.map(|[d, _]| d.parse().unwrap()),
        percent_change: change.map(|[_, dp]| dp.parse().unwrap()),
        high: h.parse().unwrap(),
        low: l.parse().unwrap(),
        open: o.parse().unwrap(),
        previous_close: pc.parse().unwrap(),
        time: Timestamp::from_second(t).unwrap(),
    })
}

fn aapl() -> Quote {
    finnhub(
        "AAPL",
        ["308.82", "311.4", "305.84", "306.12", "304.99"],
        Some(["3.83", "1.2558"]),
        1_779_480_000,
    )
}

fn binance(symbol: &str, close_time: i64, digits: [&str; 8], trades: u64) -> Quote {
    let [
        price,
        open,
        high,
        low,
        volume,
        quote_volume,
        change,
        percent,
    ] = digits.map(|text| text.parse().unwrap());
    Quote::Binance(BinanceTicker {
        symbol: symbol.parse().unwrap(),
        close_time: Timestamp::from_millisecond(close_time).unwrap(),
        last_price: price,
        open_price: open,
        high_price: high,
        low_price: low,
        volume,
        quote_volume,
        trades,
        price_change: change,
        price_change_percent: percent,
    })
}

fn btc_usdt() -> Quote {
    binance(
        "BTCUSDT",
        1_586_991_278_494,
        [
            "6705.82000000",
            "6872.64000000",
            "6933.00000000",
            "6680.10000000",
            "57857.49485700",
            "392659910.62660750",
            "-166.82000000",
            "-2.427",
        ],
        554_428,
    )
}

fn body(quote: Quote, fetched_at: &str) -> String {
    let fetched_at = fetched_at.parse().unwrap();
    String::from_utf8(message(&Observation { quote, fetched_at }).body).unwrap()
}

fn flags_of(quote: Quote, fetched_at: &str) -> serde_json::Value {
    let message: serde_json::Value = serde_json::from_str(&body(quote, fetched_at)).unwrap();
    message["meta"]["flags"].clone()
}

#[test]
fn a_recorded_stock_quote_is_published_field_for_field() {
    assert_eq!(
        body(aapl(), "2026-05-22T20:00:01.98765Z"),
        concat!(
            r#"{"c":308.82,"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":1779480000,"#,
            r#""symbol":"AAPL","fetched_at":1779480001,"#,
            r#""meta":{"source":"finnhub","schema":"stock-quotes/1","event_id":"7c39ee452dfa0ffeff977b295f479e16","#,
            r#""asset_class":"equity","currency":"USD","event_time":"2026-05-22T20:00:00.000Z","#,
            r#""fetched_at":"2026-05-22T20:00:01.987Z","flags":[]}}"#,
        )
    );
}

#[test]
fn a_recorded_bitcoin_ticker_is_published_field_for_field() {
    assert_eq!(
        body(btc_usdt(), "2020-04-15T22:54:38.601Z"),
        concat!(
            r#"{"symbol":"BTCUSDT","event_time":1586991278494,"price":6705.82000000,"open":6872.64000000,"#,
            r#""high":6933.00000000,"low":6680.10000000,"volume":57857.49485700,"quote_volume":392659910.62660750,"#,
            r#""number_trades":554428,"price_change":-166.82000000,"price_change_percent":-2.427,"#,
            r#""timestamp":"2020-04-15T22:54:38.601Z","#,
            r#""meta":{"source":"binance","schema":"crypto-prices/1","event_id":"a76b6ef79019136c5d8628973ea33a49","#,
            r#""asset_class":"crypto","currency":"USDT","event_time":"2020-04-15T22:54:38.494Z","#,
            r#""fetched_at":"2020-04-15T22:54:38.601Z","flags":[]}}"#,
        )
    );
}

#[test]
fn a_recorded_doge_ticker_is_published_field_for_field() {
    let quote = binance(
        "DOGEUSDT",
        1_630_042_422_749,
        [
            "0.27050000",
            "0.27927000",
            "0.28173000",
            "0.26410000",
            "1343961239.70000000",
            "365772101.01826800",
            "-0.00877000",
            "-3.140",
        ],
        383_971,
    );
    assert_eq!(
        body(quote, "2026-11-21T05:26:49.123Z"),
        concat!(
            r#"{"symbol":"DOGEUSDT","event_time":1630042422749,"price":0.27050000,"open":0.27927000,"#,
            r#""high":0.28173000,"low":0.26410000,"volume":1343961239.70000000,"quote_volume":365772101.01826800,"#,
            r#""number_trades":383971,"price_change":-0.00877000,"price_change_percent":-3.140,"#,
            r#""timestamp":"2026-11-21T05:26:49.123Z","#,
            r#""meta":{"source":"binance","schema":"crypto-prices/1","event_id":"026fd1885725e373682df09df904a05f","#,
            r#""asset_class":"crypto","currency":"USDT","event_time":"2021-08-27T05:33:42.749Z","#,
            r#""fetched_at":"2026-11-21T05:26:49.123Z","flags":[]}}"#,
        )
    );
}

#[test]
fn the_key_is_the_symbol() {
    let observation = Observation {
        quote: aapl(),
        fetched_at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(message(&observation).key, "AAPL");
}

#[test]
fn an_absent_change_is_null_and_partial_zeros_are_flagged_not_dropped() {
    let quote = finnhub("SPY", ["517.96", "0", "0", "0", "0"], None, 1_585_296_137);
    let body = body(quote, "2020-03-27T08:02:18Z");
    assert!(
        body.starts_with(
            r#"{"c":517.96,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":1585296137,"#
        ),
        "{body}"
    );
    assert!(
        body.ends_with(r#""flags":["price-out-of-range"]}}"#),
        "{body}"
    );
}

#[test]
fn a_price_of_zero_a_crossed_range_and_a_time_ahead_are_flagged() {
    let at = "2026-05-22T20:00:00Z";
    let zero = finnhub("X", ["0.00", "2", "0", "1", "1"], None, 1_779_480_005);
    assert_eq!(flags_of(zero, at), serde_json::json!(["zero-price"]));
    let crossed = finnhub("X", ["1.5", "1", "2", "1", "1"], None, 1_779_480_006);
    assert_eq!(
        flags_of(crossed, at),
        serde_json::json!(["high-below-low", "price-out-of-range", "future-time"])
    );
}

#[test]
fn currency_and_asset_class_are_null_where_the_symbol_does_not_tell() {
    let cases = [
        ("BRK.B", Some("USD"), Some(AssetClass::Equity)),
        ("SAP.DE", None, Some(AssetClass::Equity)),
        ("BINANCE:BTCUSDT", None, None),
        ("^GSPC", None, None),
    ];
    for (symbol, expected_currency, class) in cases {
        let quote = finnhub(symbol, ["1"; 5], None, 0);
        assert_eq!(currency(&quote), expected_currency, "{symbol}");
        assert_eq!(asset_class(&quote), class, "{symbol}");
    }
    let pairs = [
        ("ETHBTC", Some("BTC")),
        ("BTCFDUSD", Some("FDUSD")),
        ("TUSDUSDT", Some("USDT")),
        ("BTCIDRT", Some("IDRT")),
        ("USDT", None),
        ("BTCXYZ", None),
    ];
    for (pair, expected) in pairs {
        let quote = binance(pair, 0, ["1"; 8], 1);
        assert_eq!(currency(&quote), expected, "{pair}");
    }
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,8})?"
}

fn any_binance() -> impl Strategy<Value = Quote> {
    (
        "[A-Z0-9]{1,10}(USDT|BTC|XYZ)",
        0..4_000_000_000_000_i64,
        prop::array::uniform8(number()),
        any::<u64>(),
    )
        .prop_map(|(symbol, time, digits, trades)| {
            binance(&symbol, time, digits.each_ref().map(String::as_str), trades)
        })
}

proptest! {
    #[test]
    fn a_quote_has_one_id_however_often_it_is_fetched(quote in any_binance(), first: u32, second: u32) {
        let fetched = |seconds: u32| Observation {
            quote: quote.clone(),
            fetched_at: Timestamp::from_second(seconds.into()).unwrap(),
        };
        let id = |observation: &Observation| {
            let body: serde_json::Value = serde_json::from_slice(&message(observation).body).unwrap();
            body["meta"]["event_id"].as_str().unwrap().to_owned()
        };
        let (first, second) = (id(&fetched(first)), id(&fetched(second)));
        prop_assert_eq!(&first, &second);
        prop_assert!(first.len() == 32 && first.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn any_other_digit_symbol_or_time_is_another_id(quote in any_binance(), other in any_binance()) {
        prop_assume!(quote != other);
        prop_assert_ne!(event_id(&quote), event_id(&other));
        let Quote::Binance(mut ticker) = quote.clone() else { unreachable!() };
        ticker.volume = format!("1{}", ticker.volume.as_str().trim_start_matches('-')).parse().unwrap();
        prop_assert_ne!(event_id(&quote), event_id(&Quote::Binance(ticker)));
    }

    #[test]
    fn every_number_is_published_with_the_digits_that_were_sent(digits in prop::array::uniform5(number())) {
        let [c, h, l, o, pc] = digits.each_ref().map(String::as_str);
        let body = body(finnhub("AAPL", [c, h, l, o, pc], None, 1), "2026-05-22T20:00:01Z");
        let start = format!(
            r#"{{"c":{c},"d":null,"dp":null,"h":{h},"l":{l},"o":{o},"pc":{pc},"t":1,"symbol":"AAPL","#
        );
        prop_assert!(body.starts_with(&start), "{}", body);
    }
}
