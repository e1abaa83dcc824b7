use jiff::{Timestamp, civil::Date};
use market::{AssetClass, Calendar, Digits};
use proptest::prelude::*;

use super::*;
use crate::test_server::with_numbers_quoted;

const TCB: &[u8] = include_bytes!("../fixtures/board-TCB.json");
const FPT: &[u8] = include_bytes!("../fixtures/bars-day-FPT.json");

fn digits(text: &str) -> Digits {
    text.parse().unwrap()
}

fn only(body: &[u8]) -> BoardRow {
    let mut rows = board(body).unwrap();
    assert_eq!(rows.len(), 1);
    let row = rows.remove(0);
    assert_eq!(row.symbol.unwrap().as_str(), "TCB");
    row.content.unwrap()
}

#[test]
fn a_recorded_row_is_read_to_the_digit() {
    let row = BoardRow {
        exchange: Some(Calendar::Hose),
        asset_class: Some(AssetClass::Equity),
        last: Some(digits("32600")),
        volume: Some(digits("100")),
        total_volume: Some(digits("2447800")),
        reference: Some(digits("32250")),
        ceiling: Some(digits("34500")),
        floor: Some(digits("30000")),
        high: Some(digits("32800")),
        low: Some(digits("32350")),
        average: None,
        bid: Some(digits("32600.0")),
        ask: Some(digits("32650.0")),
        time: Some("2026-04-20T02:41:17.876Z".parse().unwrap()),
        incomplete: false,
    };
    assert_eq!(only(TCB), row);
    assert_eq!(only(&with_numbers_quoted(TCB)), row);
}

#[test]
fn an_order_without_a_price_is_null_and_noted_and_a_price_of_0_is_none() {
    let text = str::from_utf8(TCB).unwrap();
    let auction = text
        .replace(r#""32600.0""#, r#""ATO""#)
        .replace(r#""32650.0""#, r#""ATC""#)
        .replace(r#""CP":32600"#, r#""CP":0"#)
        .replace(r#""HI":32800"#, r#""HI":0"#);
    let row = only(auction.as_bytes());
    assert_eq!(
        (row.bid, row.ask, row.last, row.high),
        (None, None, None, None)
    );
    assert!(row.incomplete);
    for word in ["PLO", "MP", "MTL"] {
        let row = only(text.replace("32600.0", word).as_bytes());
        assert_eq!((row.last, row.bid), (Some(digits("32600")), None));
        assert!(row.incomplete, "{word}");
    }
    let empty = only(text.replace("32600.0", "").as_bytes());
    assert_eq!((empty.bid, empty.incomplete), (None, false));
}

#[test]
fn a_number_that_a_row_lacks_is_null_and_noted_and_costs_no_other() {
    let text = str::from_utf8(TCB).unwrap();
    for nothing in ["null", r#""""#, r#""many""#] {
        let row = only(text.replace("34500", nothing).as_bytes());
        assert_eq!((row.ceiling, row.incomplete), (None, true), "{nothing}");
        let row = only(text.replace("2447800", nothing).as_bytes());
        assert_eq!(row.last, Some(digits("32600")));
        assert_eq!(
            (row.total_volume, row.incomplete),
            (None, true),
            "{nothing}"
        );
    }
    let before = text
        .replace(r#""CP":32600"#, r#""CP":0"#)
        .replace("2447800", "null");
    let row = only(before.as_bytes());
    assert_eq!(row.total_volume, Some(digits("0")), "nothing was traded");
    assert!(!row.incomplete);
}

#[test]
fn a_bad_row_costs_no_other() {
    let good = str::from_utf8(&TCB[1..TCB.len() - 1]).unwrap();
    for (from, to) in [
        (r#""CP":32600"#, r#""CP":{}"#),
        (r#""CP":32600"#, r#""LP":32600"#),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        let rows = board(format!("[{bad},null,{good}]").as_bytes()).unwrap();
        assert_eq!(rows[0].symbol.as_ref().unwrap().as_str(), "TCB");
        assert!(rows[0].content.is_err(), "{to}");
        assert!(rows[1].content.is_err());
        assert!(rows[2].content.is_ok());
    }
}

#[test]
fn days_and_minutes_are_read_in_local_time() {
    let days: Vec<Bar<Date>> = bars(include_bytes!("../fixtures/bars-day-TCB.json")).unwrap();
    let day = Bar {
        at: "2026-04-17".parse().unwrap(),
        open: digits("32150"),
        high: digits("32450"),
        low: digits("32000"),
        close: digits("32250"),
        volume: digits("12197000"),
    };
    assert_eq!(days, [day]);
    let minute = br#"{"symbol":"TCB","data_1P":[{"t":"2026-04-20 09:15","o":"1","h":2,"l":"1.0","c":2,"v":"3"}]}"#;
    let minutes: Vec<Bar<Timestamp>> = bars(minute).unwrap();
    assert_eq!(minutes[0].at.to_string(), "2026-04-20T02:15:00Z");
    assert_eq!(bars::<Date>(&with_numbers_quoted(FPT)), bars::<Date>(FPT));
    assert_eq!(
        bars::<Date>(br#"{"symbol":"TCB","data_day":[]}"#),
        Ok(vec![])
    );
}

#[test]
fn what_is_no_series_is_said_in_one_sentence() {
    let cases: [(&[u8], &str); 5] = [
        (b"<html>blocked", "it is an HTML page, not JSON"),
        (b"Request Blocked", "it is text, not JSON: Request Blocked"),
        (
            br#"{"data_day":[{"t":"soon"}]}"#,
            r#"it is not the expected JSON: "soon" is not a time at line 1 column 25"#,
        ),
        (
            br#"{"data_day":[{"t":"2026-04-17 07:00","o":1,"h":1,"l":1,"c":null,"v":1}]}"#,
            "it is not the expected JSON: \"null\" is not a decimal number as JSON writes one, such as -0.25 at line 1 column 63",
        ),
        (
            br#"{"data_day":{}}"#,
            "it is not the expected JSON: invalid type: map, expected a sequence at line 1 column 12",
        ),
    ];
    for (body, sentence) in cases {
        assert_eq!(bars::<Date>(body).unwrap_err().to_string(), sentence);
    }
    assert!(bars::<Date>(b"[]").is_err());
    assert!(
        bars::<Date>(b"{}").is_err(),
        "a list by another name is not an empty one"
    );
    assert!(board(&TCB[..50]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (board(&body), bars::<Date>(&body), bars::<Timestamp>(&body));
    }

    #[test]
    fn a_damaged_answer_is_read_or_refused(at: prop::sample::Index, byte: u8) {
        let mut body = TCB.to_vec();
        body[at.index(TCB.len())] = byte;
        let _ = board(&body);
        let mut body = FPT.to_vec();
        body[at.index(FPT.len())] = byte;
        let _ = bars::<Date>(&body);
    }
}
