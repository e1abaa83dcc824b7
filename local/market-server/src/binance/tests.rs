use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use crate::{Times, playback::Playback};

use super::*;

/// A body that api.binance.com sent.
const RECORDED: &str = concat!(
    r#"{"symbol":"BTCUSDT","priceChange":"-2668.68000000","priceChangePercent":"-3.691","#,
    r#""weightedAvgPrice":"70738.89534149","prevClosePrice":"72292.68000000","lastPrice":"69624.00000000","#,
    r#""lastQty":"0.00335000","bidPrice":"69624.00000000","bidQty":"0.09810000","askPrice":"69624.01000000","#,
    r#""askQty":"8.52891000","openPrice":"72292.68000000","highPrice":"72700.00000000","#,
    r#""lowPrice":"68830.00000000","volume":"33278.39129000","quoteVolume":"2354076638.59660790","#,
    r#""openTime":1730352618472,"closeTime":1730439018472,"firstId":3983862692,"lastId":3988881941,"#,
    r#""count":5019250}"#,
);

#[test]
fn a_second_with_the_recorded_numbers_gives_the_recorded_body() {
    let decimal = |text: &str| text.parse().unwrap();
    let second = Second {
        last: decimal("69624.00"),
        last_quantity: decimal("0.00335"),
        bid: decimal("69624.00"),
        bid_quantity: decimal("0.0981"),
        ask: decimal("69624.01"),
        ask_quantity: decimal("8.52891"),
        volume: decimal("33278.39129"),
        quote_volume: decimal("2354076638.59660790"),
        count: 5_019_250,
        first_id: 3_983_862_692,
        last_id: 3_988_881_941,
        high: decimal("72700"),
        low: decimal("68830"),
        open: decimal("72292.68"),
    };
    let ticker = Ticker::new("BTCUSDT", [1_730_352_618_472, 1_730_439_018_472], &second);
    assert_eq!(serde_json::to_string(&ticker).unwrap(), RECORDED);
}

#[test]
fn a_change_that_rounds_to_nothing_has_no_sign() {
    assert_eq!(fixed("-0.0004".parse().unwrap(), 3), "0.000");
    assert_eq!(fixed("-0.0005".parse().unwrap(), 3), "-0.001");
    assert_eq!(fixed("61837.63".parse().unwrap(), 8), "61837.63000000");
}

fn asked(query: &[(&str, &str)]) -> Result<Asked, Refused> {
    let parameters: Vec<_> = query
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Asked::read(&parameters)
}

#[test]
fn the_weight_grows_with_the_list_in_the_documented_steps() {
    assert_eq!(asked(&[("symbol", "BTCUSDT")]).unwrap().weight(), 2);
    assert_eq!(asked(&[]).unwrap().weight(), 80);
    for (count, weight) in [(1, 2), (20, 2), (21, 40), (100, 40), (101, 80), (500, 80)] {
        let names: Vec<_> = (0..count).map(|n| format!("\"S{n}\"")).collect();
        let list = format!("[{}]", names.join(","));
        assert_eq!(asked(&[("symbols", &list)]).unwrap().weight(), weight);
    }
}

#[test]
fn each_malformed_query_has_its_own_code() {
    for (query, code) in [
        (&[("symbols", "BTCUSDT")][..], -1100),
        (&[("symbols", r#"["BTCUSDT", "ETHUSDT"]"#)], -1100),
        (&[("symbols", r#"["BTCUSDT",]"#)], -1100),
        (&[("symbols", r#"["btcusdt"]"#)], -1100),
        (&[("symbols", r#"[""]"#)], -1100),
        (&[("symbols", r#"["BTCUSDT""#)], -1100),
        (&[("symbols", "[]")], -1102),
        (&[("symbols", "")], -1102),
        (&[("symbol", "btcusdt")], -1100),
        (&[("symbol", r#"["BTCUSDT"]"#)], -1100),
        (&[("symbol", "")], -1102),
        (&[("symbol", "BTCUSDT"), ("symbols", "[]")], -1128),
        (&[("symbol", "BTCUSDT"), ("type", "MINI")], -1104),
        (&[("symbol", &"A".repeat(51))], -1100),
    ] {
        assert_eq!(asked(query).unwrap_err().code, code, "{query:?}");
    }
}

#[test]
fn every_recorded_pair_has_its_assets() {
    let seconds = seconds().unwrap();
    let pairs = info::PAIRS.map(|[symbol, ..]| symbol);
    assert!(seconds.symbols().iter().eq(pairs.iter()));
    for [symbol, base, quote] in info::PAIRS {
        assert_eq!(symbol, format!("{base}{quote}"));
    }
}

#[test]
fn letters_of_every_script_and_three_marks_are_legal_in_a_symbol() {
    for symbol in ["币安人生USDT", "A-B_C.D", "1INCHUSDT"] {
        let read = asked(&[("symbol", symbol)]).unwrap();
        assert_eq!(read, Asked::One(symbol.to_owned()));
    }
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(symbol in ".*", symbols in ".*", list in r#"\[("[A-Zé "]{0,3}",?){0,3}\]"#) {
        let _ = asked(&[("symbol", &symbol)]);
        let _ = asked(&[("symbols", &symbols)]);
        if let Ok(Asked::List(read)) = asked(&[("symbols", &list)]) {
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), list);
        }
    }

    #[test]
    fn at_any_time_and_speed_the_body_parses_and_its_numbers_agree(
        elapsed in 0.0..1e9_f64,
        speed in 1e-6..1e6_f64,
        times in prop::sample::select(vec![Times::Now, Times::Recorded]),
    ) {
        let elapsed = Duration::from_secs_f64(elapsed);
        let playback = Playback::new(times, speed, || Timestamp::UNIX_EPOCH).unwrap();
        let answer = answer(&seconds().unwrap(), &Asked::All, playback.position(elapsed)).unwrap();
        let body: Vec<Value> = serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
        prop_assert_eq!(body.len(), 2);
        for ticker in body {
            let number = |name: &str| ticker[name].as_str().unwrap().parse::<Decimal>().unwrap();
            let integer = |name: &str| ticker[name].as_u64().unwrap();
            prop_assert!(number("highPrice") >= number("lastPrice"));
            prop_assert!(number("lastPrice") >= number("lowPrice"));
            prop_assert!(number("highPrice") >= number("weightedAvgPrice"));
            prop_assert!(number("weightedAvgPrice") >= number("lowPrice"));
            prop_assert!(number("askPrice") > number("bidPrice"));
            prop_assert_eq!(number("openPrice") + number("priceChange"), number("lastPrice"));
            prop_assert_eq!(integer("lastId") - integer("firstId") + 1, integer("count"));
            prop_assert!(integer("closeTime") >= integer("openTime"));
            let recorded = include_str!("../../data/crypto.csv").lines().any(|line| {
                let fields: Vec<_> = line.split(',').collect();
                fields[1] == ticker["symbol"] && fields[2] == ticker["lastPrice"]
            });
            prop_assert!(recorded);
        }
    }
}
