use proptest::prelude::*;

use super::*;

const AAPL: &[u8] = include_bytes!("../fixtures/quote-AAPL.json");

#[test]
fn a_recorded_answer_of_zeros_is_no_data() {
    assert_eq!(
        quote(include_bytes!("../fixtures/quote-unknown.json")),
        Ok(None)
    );
}

#[test]
fn partial_zeros_without_a_change_are_a_quote() {
    let body = br#"{"c":517.96,"h":0,"l":0,"o":0,"pc":0,"t":1585296137}"#;
    let quote = quote(body).unwrap().unwrap();
    assert_eq!((quote.c.as_str(), quote.d), ("517.96", None));
    assert_eq!(quote.t.as_second(), 1_585_296_137);
}

#[test]
fn strings_milliseconds_and_new_fields_are_accepted() {
    let body = br#"{"c":"1.50","d":null,"dp":"0","h":"2","l":"1","o":"1","pc":"1","t":"1779480000000","v":[1]}"#;
    let quote = quote(body).unwrap().unwrap();
    assert_eq!(quote.c.as_str(), "1.50");
    assert_eq!(quote.t.as_second(), 1_779_480_000);
}

#[test]
fn what_is_no_quote_is_said_in_one_sentence() {
    let cases: [(&[u8], &str); 7] = [
        (
            include_bytes!("../fixtures/forbidden.json"),
            "the provider says: You don't have access to this resource.",
        ),
        (
            br#"{"error":"API limit reached. Please try again later. Remaining Limit: 0"}"#,
            "the provider says: API limit reached. Please try again later. Remaining Limit: 0",
        ),
        (
            b"API limit reached.",
            "it is text, not JSON: API limit reached.",
        ),
        (b"<!DOCTYPE html>", "it is an HTML page, not JSON"),
        (b"", "it is text, not JSON: without a word"),
        (
            b"{}",
            "it is not the expected JSON: missing field `c` at line 1 column 2",
        ),
        (
            &AAPL[..40],
            "it is not the expected JSON: EOF while parsing an object at line 1 column 40",
        ),
    ];
    for (body, sentence) in cases {
        assert_eq!(quote(body).unwrap_err().to_string(), sentence);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = quote(&body);
    }

    #[test]
    fn a_damaged_quote_is_read_or_refused(at in 0..AAPL.len(), byte: u8) {
        let mut body = AAPL.to_vec();
        body[at] = byte;
        let _ = quote(&body);
    }

    #[test]
    fn every_price_keeps_its_digits(price in "(0|[1-9][0-9]{0,8})\\.[0-9]{1,10}", t in 1..4_102_444_800_i64) {
        let body = format!(r#"{{"c":{price},"d":-{price},"dp":null,"h":"{price}","l":0,"o":0,"pc":0,"t":{t}}}"#);
        let quote = quote(body.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(quote.c.as_str(), &price);
        prop_assert_eq!(quote.h.as_str(), &price);
        prop_assert_eq!(quote.d.unwrap().to_string(), format!("-{price}"));
        prop_assert_eq!(quote.t.as_second(), t);
    }
}
