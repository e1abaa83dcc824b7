use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::test_server::with_numbers_quoted;

const FPT: &[u8] = include_bytes!("../fixtures/bars-day-FPT.json");

#[test]
fn thousands_of_vnd_become_vnd_exactly() {
    let days: Vec<Bar<Date>> = bars(FPT).unwrap();
    let last = days.last().unwrap();
    assert_eq!(last.at.to_string(), "2026-02-13");
    let prices = [&last.open, &last.high, &last.low, &last.close];
    assert_eq!(
        prices.map(Digits::as_str),
        ["98100", "98500", "96300", "96300"]
    );
    assert_eq!(last.volume.as_str(), "18508400", "shares stay shares");
    assert_eq!(bars::<Date>(&with_numbers_quoted(FPT)).unwrap(), days);
}

#[test]
fn no_bars_are_empty_columns_or_null_ones() {
    assert_eq!(
        bars::<Date>(include_bytes!("../fixtures/empty.json")),
        Ok(vec![])
    );
    let nulls = br#"{"t":null,"o":null,"h":null,"l":null,"c":null,"v":null}"#;
    assert_eq!(bars::<Date>(nulls), Ok(vec![]));
}

#[test]
fn what_is_no_series_is_said_in_one_sentence() {
    let cases: [(&[u8], &str); 4] = [
        (b"<html>", "it is an HTML page, not JSON"),
        (
            br#"{"error":"no such symbol"}"#,
            "the provider says: no such symbol",
        ),
        (
            br#"{"t":[1],"o":[1],"h":[1],"l":[1],"c":[],"v":[1]}"#,
            "it is not the expected JSON: the columns of the bars differ in length",
        ),
        (
            br#"{"t":[1],"o":[79228162514264337593543950335],"h":[1],"l":[1],"c":[1],"v":[1]}"#,
            "it is not the expected JSON: 79228162514264337593543950335 is no price",
        ),
    ];
    for (body, sentence) in cases {
        assert_eq!(bars::<Date>(body).unwrap_err().to_string(), sentence);
    }
}

proptest! {
    #[test]
    fn every_price_is_a_thousand_times_what_was_sent(vnd in 1..2_000_000_000_u64, zeros in 0..3_usize) {
        let price = format!("{}.{:03}{}", vnd / 1000, vnd % 1000, "0".repeat(zeros));
        let body = format!(r#"{{"t":[1776124800],"o":[{price}],"h":["{price}"],"l":[{price}],"c":[{price}],"v":[1]}}"#);
        let days = bars::<Date>(body.as_bytes()).unwrap();
        prop_assert_eq!(days[0].open.to_string(), vnd.to_string());
        prop_assert_eq!(&days[0].open, &days[0].high);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = bars::<Date>(&body);
    }

    #[test]
    fn a_damaged_answer_is_read_or_refused(at: prop::sample::Index, byte: u8) {
        let mut body = FPT.to_vec();
        body[at.index(FPT.len())] = byte;
        let _ = bars::<Date>(&body);
    }
}
