use proptest::prelude::*;

use super::*;

const ARRAY: &[u8] = include_bytes!("../fixtures/ticker-24hr-array.json");
const DAYS: &str = include_str!("../fixtures/klines-1d-BTCUSDT.json");
const BTCUSDT: &str = include_str!("../fixtures/ticker-24hr-BTCUSDT.json");

fn symbols_of(items: &[Result<Ticker, BadTicker>]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item.as_ref().unwrap().symbol.as_str())
        .collect()
}

fn only(body: &[u8]) -> Ticker {
    tickers(body).unwrap().remove(0).unwrap()
}

#[test]
fn an_array_and_an_object_are_both_read() {
    assert_eq!(
        symbols_of(&tickers(ARRAY).unwrap()),
        ["ETHBTC", "LTCBTC", "BNBBTC", "NEOBTC", "QTUMETH", "EOSETH"]
    );
    assert_eq!(
        symbols_of(&tickers(BTCUSDT.as_bytes()).unwrap()),
        ["BTCUSDT"]
    );
    assert_eq!(tickers(b"[]"), Ok(Vec::new()));
}

#[test]
fn microseconds_and_bare_numbers_are_read_alike() {
    let other = BTCUSDT
        .replace("1586991278494", "\"1586991278494000\"")
        .replace("\"6705.82000000\"", "6705.82000000");
    assert_eq!(only(other.as_bytes()), only(BTCUSDT.as_bytes()));
}

#[test]
fn a_bad_item_costs_no_other() {
    let bad = BTCUSDT.replace("\"6705.82000000\"", "\"n/a\"");
    let body = format!("[{bad},7,{BTCUSDT}]");
    let mut items = tickers(body.as_bytes()).unwrap();
    assert_eq!(items.pop().unwrap().unwrap().symbol.as_str(), "BTCUSDT");
    let errors: Vec<_> = items.into_iter().map(|item| item.unwrap_err()).collect();
    assert_eq!(
        errors[0].to_string(),
        r#"the ticker of BTCUSDT can't be read: it is not the expected JSON: "n/a" is not a decimal number as JSON writes one, such as -0.25 at line 1 column 224"#
    );
    assert_eq!(errors[1].symbol, None);
}

#[test]
fn a_number_that_a_ticker_lacks_costs_it_neither_price_nor_time() {
    for nothing in ["null", r#""""#, "{}", r#""n/a""#] {
        let lacking = BTCUSDT
            .replace("\"6933.00000000\"", nothing)
            .replace("\"-2.427\"", nothing)
            .replace("554428", nothing);
        let ticker = only(lacking.as_bytes());
        assert_eq!(ticker.last_price.as_str(), "6705.82000000");
        assert_eq!(
            (ticker.high_price, ticker.price_change_percent),
            (None, None)
        );
        assert_eq!(ticker.count, None, "{nothing}");
        assert_eq!(ticker.low_price.unwrap().as_str(), "6680.10000000");
    }
}

#[test]
fn a_kline_that_can_not_be_read_is_said_in_one_sentence() {
    let row = r#"[1,"1","1","1","1","1",2,"0",0,"0","0","0"]"#;
    let cases = [
        ("[[1,2]]", "a kline has 12 items, not 2"),
        (
            &format!("[{}]", row.replace("]", ",0]")),
            "a kline has 12 items, not 13",
        ),
        (
            &format!("[{}]", row.replace("[1", "[1.5")),
            "a kline's item: 1.5 is not a time",
        ),
        (
            &format!("[{}]", row.replacen("\"1\"", "null", 1)),
            r#"a kline's item: "null" is not a decimal number as JSON writes one, such as -0.25"#,
        ),
        (
            &format!("[{row},{}]", row.replace(r#"[1,"1""#, r#"[1,"2""#)),
            "two bars of 1970-01-01T00:00:01Z differ",
        ),
    ];
    for (body, problem) in cases {
        let error = klines(body.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("it is not the expected JSON: {problem}")
        );
    }
    assert_eq!(klines(b"[]"), Ok(Vec::new()));
}

#[test]
fn what_is_no_answer_is_said_in_one_sentence() {
    let cases: [(&[u8], &str); 6] = [
        (
            br#"{"code":-1121,"msg":"Invalid symbol."}"#,
            "the provider says: Invalid symbol.",
        ),
        (b"<html>403 Forbidden", "it is an HTML page, not JSON"),
        (b"upstream error", "it is text, not JSON: upstream error"),
        (b"", "it is text, not JSON: without a word"),
        (
            b"{}",
            "it is not the expected JSON: missing field `symbol` at line 1 column 2",
        ),
        (
            b"null",
            "it is not the expected JSON: invalid type: null, expected a sequence at line 1 column 4",
        ),
    ];
    for (body, sentence) in cases {
        assert_eq!(tickers(body).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn the_end_of_a_ban_is_read_from_its_words() {
    let body = br#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1785050129644. Please use WebSocket Streams for live updates to avoid bans."}"#;
    assert_eq!(
        banned_until(body).unwrap().as_millisecond(),
        1_785_050_129_644
    );
    for body in [
        "",
        "banned until ",
        "banned until soon",
        "banned until 99999999999999999999",
    ] {
        assert_eq!(banned_until(body.as_bytes()), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = tickers(&body);
        let _ = klines(&body);
        let _ = banned_until(&body);
    }

    #[test]
    fn a_damaged_answer_is_read_or_refused(at in 0..ARRAY.len(), byte: u8) {
        let mut body = ARRAY.to_vec();
        body[at] = byte;
        let _ = tickers(&body);
    }

    #[test]
    fn damaged_klines_are_refused_or_in_the_order_of_time(at in 0..DAYS.len(), byte: u8) {
        let mut body = DAYS.as_bytes().to_vec();
        body[at] = byte;
        if let Ok(bars) = klines(&body) {
            prop_assert!(bars.is_sorted_by(|one, next| one.at < next.at));
        }
    }

    #[test]
    fn every_kline_is_a_bar_with_its_time_and_its_digits(
        rows in prop::collection::btree_map(
            100_000_000_000..4_102_444_800_000_i64,
            prop::array::uniform5("(0|[1-9][0-9]{0,9})\\.[0-9]{8}"),
            0..20,
        )
    ) {
        let row = |(time, digits): (&i64, &[String; 5])| {
            let digits = digits.join(r#"",""#);
            format!(r#"[{time},"{digits}",0,"0.1",7,"0.2","0.3","0"]"#)
        };
        let body = format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(","));
        let bars = klines(body.as_bytes()).unwrap();
        prop_assert_eq!(bars.len(), rows.len());
        for (bar, (time, digits)) in bars.iter().zip(&rows) {
            let numbers = [&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume];
            prop_assert!(numbers.iter().map(|number| number.as_str()).eq(digits));
            prop_assert_eq!(bar.at.as_millisecond(), *time);
        }
    }
}
