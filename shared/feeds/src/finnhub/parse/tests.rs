use proptest::prelude::*;

use super::{super::model::Frame, *};

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
fn a_number_that_a_quote_lacks_costs_it_neither_price_nor_time() {
    for nothing in ["null", r#""""#, "{}", r#""n/a""#] {
        let text = str::from_utf8(AAPL).unwrap();
        let numbers = ["3.83", "1.2558", "311.4", "305.84", "306.12", "304.99"];
        let without = numbers.iter().fold(text.to_owned(), |text, number| {
            text.replace(number, nothing)
        });
        let quote = quote(without.as_bytes()).unwrap().unwrap();
        assert_eq!(quote.c.as_str(), "308.82");
        let others = [quote.d, quote.dp, quote.h, quote.l, quote.o, quote.pc];
        assert_eq!(others, [const { None }; 6], "{nothing}");
    }
    assert!(quote(br#"{"c":null,"t":1779480000}"#).is_err());
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

fn trades(items: &[impl AsRef<str>]) -> Frame {
    let items: Vec<_> = items.iter().map(AsRef::as_ref).collect();
    let message = format!(r#"{{"type":"trade","data":[{}]}}"#, items.join(","));
    frame(message.as_bytes()).unwrap()
}

#[test]
fn conditions_are_a_list_of_texts_or_numbers_or_nothing() {
    let cases: [(&str, &[&str]); 6] = [
        (r#""c":["1","24"],"#, &["1", "24"]),
        (r#""c":[1,24,2.5],"#, &["1", "24", "2.5"]),
        (r#""c":["@","T"],"x":{},"#, &["@", "T"]),
        (r#""c":[],"#, &[]),
        (r#""c":null,"#, &[]),
        ("", &[]),
    ];
    for (c, conditions) in cases {
        let item = format!(r#"{{{c}"p":"146.760","s":"AAPL","t":1628238530221,"v":0}}"#);
        let Frame::Trades { trades, malformed } = trades(&[item]) else {
            panic!("{c}");
        };
        let (symbol, trade) = &trades[0];
        assert_eq!((symbol.as_str(), malformed), ("AAPL", 0));
        assert_eq!(
            (trade.price.as_str(), trade.size.as_str()),
            ("146.760", "0")
        );
        assert_eq!(trade.time.as_millisecond(), 1_628_238_530_221);
        assert_eq!(trade.conditions, conditions, "{c}");
    }
}

#[test]
fn what_is_no_trade_is_counted() {
    let wrong = [
        "null",
        "[]",
        "{}",
        r#"{"p":1,"s":"","t":1628238530221,"v":1}"#,
        r#"{"p":null,"s":"A","t":1628238530221,"v":1}"#,
        r#"{"p":1,"s":"A","t":"now","v":1}"#,
        r#"{"p":1,"s":"A","t":1628238530221}"#,
        r#"{"c":"1","p":1,"s":"A","t":1628238530221,"v":1}"#,
    ];
    let nothing = Frame::Trades {
        trades: vec![],
        malformed: 8,
    };
    assert_eq!(trades(&wrong), nothing);
}

#[test]
fn other_messages_are_told_apart() {
    let cases: [(&[u8], Option<Frame>); 9] = [
        (br#"{"type":"ping"}"#, Some(Frame::Other)),
        (br#"{"type":"news","data":{}}"#, Some(Frame::Other)),
        (
            br#"{"msg":"Subscribing to too many symbols","type":"error"}"#,
            Some(Frame::TooManySymbols),
        ),
        (
            br#"{"type":"error","msg":"Invalid symbol"}"#,
            Some(Frame::Error),
        ),
        (br#"{"type":"error","msg":{}}"#, Some(Frame::Error)),
        (br#"{"type":"trade"}"#, None),
        (br#"{"type":"trade","data":{}}"#, None),
        (b"{}", None),
        (b"<html>", None),
    ];
    for (message, expected) in cases {
        assert_eq!(frame(message).ok(), expected);
    }
}

/// A JSON value that is no trade: it has no member of a trade's name.
fn no_trade() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        // Deeper than a reader that recurses can go.
        (1..2000_usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-oA-Z]{1,3}", inner), 0..4).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_message_of_any_bytes_is_read_or_refused(message in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = frame(&message);
    }

    #[test]
    fn any_data_of_a_message_is_read_or_refused(data in no_trade()) {
        let _ = frame(format!(r#"{{"type":"trade","data":{data}}}"#).as_bytes());
    }

    #[test]
    fn an_item_that_is_no_trade_costs_no_neighbour(
        items in prop::collection::vec(prop::option::of(no_trade()), 0..12)
    ) {
        let good = |place: usize| format!(r#"{{"p":1.5,"s":"A","t":1628238530221,"v":{place}}}"#);
        let written: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(place, item)| item.clone().unwrap_or_else(|| good(place)))
            .collect();
        let Frame::Trades { trades, malformed } = trades(&written) else {
            panic!("{written:?}");
        };
        let sizes: Vec<_> = trades.iter().map(|(_, trade)| trade.size.to_string()).collect();
        let places = items.iter().enumerate().filter(|(_, item)| item.is_none());
        let places: Vec<_> = places.map(|(place, _)| place.to_string()).collect();
        prop_assert_eq!(malformed as usize, items.len() - places.len());
        prop_assert_eq!(sizes, places);
    }

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
        prop_assert_eq!(quote.h.unwrap().to_string(), price.clone());
        prop_assert_eq!(quote.d.unwrap().to_string(), format!("-{price}"));
        prop_assert_eq!(quote.t.as_second(), t);
    }
}
