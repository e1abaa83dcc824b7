use proptest::prelude::*;

use super::*;
use crate::event_id;

fn btc_usdt() -> Quote {
    Quote::Crypto(ticker(
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
    ))
}

#[test]
fn a_recorded_stock_quote_is_published_field_for_field() {
    let quote = stock(
        ["308.82", "311.4", "305.84", "306.12", "304.99"],
        Some(["3.83", "1.2558"]),
        1_779_480_000,
    );
    let observation = observed(
        "finnhub",
        us_share("AAPL"),
        quote,
        "2026-05-22T20:00:01.98765Z",
    );
    let message = quote_message(&observation, false);
    assert_eq!(message.key, "AAPL");
    assert_eq!(
        text(message),
        concat!(
            r#"{"c":308.82,"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":1779480000,"#,
            r#""symbol":"AAPL","fetched_at":1779480001,"#,
            r#""meta":{"source":"finnhub","schema":"stock-quotes/1","event_id":"7c39ee452dfa0ffeff977b295f479e16","#,
            r#""symbol":"AAPL","asset_class":"equity","mic":null,"currency":"USD","session":"post","#,
            r#""trading_date":"2026-05-22","event_time":"2026-05-22T20:00:00.000Z","#,
            r#""fetched_at":"2026-05-22T20:00:01.987Z","age_ms":1987,"flags":[]}}"#,
        )
    );
}

#[test]
fn a_recorded_bitcoin_ticker_is_published_field_for_field() {
    let fetched_at = "2020-04-15T22:54:38.601Z";
    let observation = observed("binance", pair("BTC", "USDT"), btc_usdt(), fetched_at);
    let message = quote_message(&observation, false);
    assert_eq!(message.key, "BTCUSDT");
    assert_eq!(
        text(message),
        concat!(
            r#"{"symbol":"BTCUSDT","event_time":1586991278494,"price":6705.82000000,"open":6872.64000000,"#,
            r#""high":6933.00000000,"low":6680.10000000,"volume":57857.49485700,"quote_volume":392659910.62660750,"#,
            r#""number_trades":554428,"price_change":-166.82000000,"price_change_percent":-2.427,"#,
            r#""timestamp":"2020-04-15T22:54:38.601Z","#,
            r#""meta":{"source":"binance","schema":"crypto-prices/1","event_id":"a76b6ef79019136c5d8628973ea33a49","#,
            r#""symbol":"BTC/USDT","asset_class":"crypto","mic":null,"currency":"USDT","session":"24x7","#,
            r#""trading_date":"2020-04-15","event_time":"2020-04-15T22:54:38.494Z","#,
            r#""fetched_at":"2020-04-15T22:54:38.601Z","age_ms":107,"flags":[]}}"#,
        )
    );
}

#[test]
fn a_recorded_doge_ticker_from_long_ago_is_published_field_for_field() {
    let ticker = ticker(
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
    let observation = observed(
        "binance",
        pair("DOGE", "USDT"),
        Quote::Crypto(ticker),
        "2026-11-21T05:26:49.123Z",
    );
    assert_eq!(
        text(quote_message(&observation, true)),
        concat!(
            r#"{"symbol":"DOGEUSDT","event_time":1630042422749,"price":0.27050000,"open":0.27927000,"#,
            r#""high":0.28173000,"low":0.26410000,"volume":1343961239.70000000,"quote_volume":365772101.01826800,"#,
            r#""number_trades":383971,"price_change":-0.00877000,"price_change_percent":-3.140,"#,
            r#""timestamp":"2026-11-21T05:26:49.123Z","#,
            r#""meta":{"source":"binance","schema":"crypto-prices/1","event_id":"026fd1885725e373682df09df904a05f","#,
            r#""symbol":"DOGE/USDT","asset_class":"crypto","mic":null,"currency":"USDT","session":"24x7","#,
            r#""trading_date":"2021-08-27","event_time":"2021-08-27T05:33:42.749Z","#,
            r#""fetched_at":"2026-11-21T05:26:49.123Z","age_ms":165196386374,"flags":["stale","repeated"]}}"#,
        )
    );
}

#[test]
fn an_absent_change_is_null_and_partial_zeros_are_flagged_not_dropped() {
    let quote = stock(["517.96", "0", "0", "0", "0"], None, 1_585_296_137);
    let observation = observed("finnhub", us_share("SPY"), quote, "2020-03-27T08:02:18Z");
    let body = text(quote_message(&observation, false));
    let start = r#"{"c":517.96,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":1585296137,"#;
    assert!(body.starts_with(start), "{body}");
    let end = r#""flags":["price-out-of-range"]}}"#;
    assert!(body.ends_with(end), "{body}");
}

#[test]
fn what_a_quote_lacks_is_null_and_flagged() {
    for (member, expected) in [("h", 0), ("l", 1), ("o", 2), ("pc", 3)] {
        let mut quote = stock(["2", "3", "1", "2", "2"], None, 1);
        let Quote::Stock(stock) = &mut quote else {
            unreachable!()
        };
        let members = [
            &mut stock.high,
            &mut stock.low,
            &mut stock.open,
            &mut stock.previous_close,
        ];
        *members[expected] = None;
        let observation = observed("finnhub", us_share("AAPL"), quote, "2026-05-23T20:00:00Z");
        let body: Value = serde_json::from_slice(&quote_message(&observation, false).body).unwrap();
        assert_eq!(body["c"], 2, "the price stays");
        for other in ["h", "l", "o", "pc"] {
            assert_eq!(body[other].is_null(), other == member, "{other}");
        }
        assert_eq!(body["meta"]["flags"], serde_json::json!(["incomplete"]));
    }
}

#[test]
fn what_a_ticker_lacks_is_null_and_flagged() {
    type Lack = fn(&mut CryptoTicker);
    let Quote::Crypto(whole) = btc_usdt() else {
        unreachable!()
    };
    let lacks: [(&str, Lack); 8] = [
        ("open", |ticker| ticker.open_price = None),
        ("high", |ticker| ticker.high_price = None),
        ("low", |ticker| ticker.low_price = None),
        ("volume", |ticker| ticker.volume = None),
        ("quote_volume", |ticker| ticker.quote_volume = None),
        ("number_trades", |ticker| ticker.trades = None),
        ("price_change", |ticker| ticker.price_change = None),
        ("price_change_percent", |ticker| {
            ticker.price_change_percent = None;
        }),
    ];
    for (member, lack) in lacks {
        let mut ticker = whole.clone();
        lack(&mut ticker);
        let quote = Quote::Crypto(ticker);
        let fetched_at = "2020-04-15T22:54:39Z";
        let observation = observed("binance", pair("BTC", "USDT"), quote, fetched_at);
        let body: Value = serde_json::from_slice(&quote_message(&observation, false).body).unwrap();
        assert_eq!(body["price"].to_string(), "6705.82", "the price stays");
        for (other, _) in lacks {
            assert_eq!(body[other].is_null(), other == member, "{other}");
        }
        assert_eq!(body["meta"]["flags"], serde_json::json!(["incomplete"]));
    }
}

#[test]
fn what_nobody_has_told_of_an_instrument_is_null() {
    let instrument = Instrument::unknown("^GSPC".parse().unwrap());
    let quote = stock(["1"; 5], None, 0);
    let observation = observed("finnhub", instrument, quote, "1970-01-01T00:00:01Z");
    let meta = meta(&quote_message(&observation, false));
    assert_eq!(meta["symbol"], "^GSPC");
    for member in ["asset_class", "mic", "currency", "session", "trading_date"] {
        let value = meta.get(member).unwrap();
        assert!(value.is_null(), "{member}");
    }
}

#[test]
fn the_currency_of_a_pair_is_its_quote_asset_if_that_is_known() {
    let unsplit = Instrument::crypto_pair("QTCAEUR".parse().unwrap(), "QTCAEUR", None);
    let pairs = [
        (pair("QTC", "AEUR"), "QTC/AEUR", Some("AEUR")),
        (unsplit, "QTCAEUR", None),
    ];
    for (pair, canonical, currency) in pairs {
        let observation = observed("binance", pair, btc_usdt(), "2020-04-15T22:54:39Z");
        let meta = meta(&quote_message(&observation, false));
        assert_eq!(meta["symbol"], canonical);
        assert_eq!(meta["currency"].as_str(), currency);
    }
}

fn any_ticker() -> impl Strategy<Value = Observation> {
    (
        "[A-Z0-9]{1,10}(USDT|BTC|XYZ)",
        0..4_000_000_000_000_i64,
        prop::array::uniform8(number()),
        any::<u64>(),
    )
        .prop_map(|(symbol, time, numbers, trades)| {
            let ticker = ticker(time, numbers.each_ref().map(String::as_str), trades);
            observed(
                "binance",
                Instrument::crypto_pair(symbol.parse().unwrap(), &symbol, None),
                Quote::Crypto(ticker),
                "2026-05-22T20:00:01Z",
            )
        })
}

proptest! {
    #[test]
    fn a_quote_has_one_id_however_often_it_is_fetched(
        observation in any_ticker(),
        seconds: u32,
        repeated: bool,
    ) {
        let again = Observation {
            fetched_at: Timestamp::from_second(seconds.into()).unwrap(),
            ..observation.clone()
        };
        let first = meta(&quote_message(&observation, false));
        let second = meta(&quote_message(&again, repeated));
        prop_assert_eq!(&first["event_id"], &second["event_id"]);
        let id = first["event_id"].as_str().unwrap();
        prop_assert!(id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn any_other_digit_symbol_time_or_source_is_another_id(one in any_ticker(), other in any_ticker()) {
        prop_assume!(one != other);
        prop_assert_ne!(event_id(&one), event_id(&other));
        let elsewhere = Observation { source: "finnhub", ..one.clone() };
        prop_assert_ne!(event_id(&one), event_id(&elsewhere));
        let mut changed = one.clone();
        let Quote::Crypto(ticker) = &mut changed.said else { unreachable!() };
        let volume = ticker.volume.take().unwrap();
        ticker.volume = Some(digits(&format!("1{}", volume.as_str().trim_start_matches('-'))));
        prop_assert_ne!(event_id(&one), event_id(&changed));
    }

    #[test]
    fn every_number_is_published_with_the_digits_that_were_sent(numbers in prop::array::uniform5(number())) {
        let [c, h, l, o, pc] = numbers.each_ref().map(String::as_str);
        let quote = stock([c, h, l, o, pc], None, 1);
        let observation = observed("finnhub", us_share("AAPL"), quote, "2026-05-22T20:00:01Z");
        let body = text(quote_message(&observation, false));
        let start = format!(
            r#"{{"c":{c},"d":null,"dp":null,"h":{h},"l":{l},"o":{o},"pc":{pc},"t":1,"symbol":"AAPL","#
        );
        prop_assert!(body.starts_with(&start), "{}", body);
    }
}
