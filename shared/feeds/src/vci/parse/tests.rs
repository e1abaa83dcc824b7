use jiff::{Timestamp, civil::Date};
use market::{AssetClass, Calendar, Digits};
use proptest::prelude::*;

use super::*;
use crate::test_server::with_numbers_quoted;

const TCB: &[u8] = include_bytes!("../fixtures/board-TCB.json");
const DAYS: &[u8] = include_bytes!("../fixtures/bars-day.json");

fn digits(text: &str) -> Digits {
    text.parse().unwrap()
}

fn only<T>(rows: Result<Vec<Row<T>>, BodyError>) -> T {
    let mut rows = rows.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0).content.unwrap()
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
        bid: Some(digits("32600")),
        ask: Some(digits("32650")),
        time: Some("2026-04-20T02:40:34Z".parse().unwrap()),
        incomplete: false,
    };
    assert_eq!(only(board(TCB)), row);
    assert_eq!(only(board(&with_numbers_quoted(TCB))), row);
}

#[test]
fn before_the_first_match_there_is_no_last_price_and_no_range() {
    let mut rows = board(include_bytes!("../fixtures/board.json")).unwrap();
    let row = rows.remove(1).content.unwrap();
    assert_eq!(row.exchange, Some(Calendar::Upcom));
    assert_eq!((row.last, row.high, row.low), (None, None, None));
    assert_eq!((row.bid, row.ask, row.volume), (None, None, None));
    assert_eq!(row.reference, Some(digits("28000")));
    assert_eq!(row.total_volume, Some(digits("0")));
}

#[test]
fn an_order_without_a_price_is_null_and_noted_if_it_has_a_word() {
    let text = str::from_utf8(TCB).unwrap();
    let words = [
        r#""ATO""#, r#""ATC""#, r#""PLO""#, r#""MP""#, r#""MTL""#, "{}",
    ];
    let nothing = ["0", "null", r#""""#];
    for best in words.into_iter().chain(nothing) {
        let at_auction = text.replace(r#"[{"price":32600"#, &format!(r#"[{{"price":{best}"#));
        let row = only(board(at_auction.as_bytes()));
        assert_eq!(row.last, Some(digits("32600")));
        assert_eq!((row.bid, row.ask), (None, Some(digits("32650"))));
        assert_eq!(row.incomplete, words.contains(&best), "{best}");
    }
    let empty = text.replace(r#""bidAsk":{"#, r#""bidAsk":null,"was":{"#);
    let row = only(board(empty.as_bytes()));
    assert_eq!((row.bid, row.ask), (None, None));
}

#[test]
fn a_bad_row_costs_no_other() {
    let good = &TCB[1..TCB.len() - 1];
    let good = str::from_utf8(good).unwrap();
    let other = good.replace("TCB", "VCI");
    for (from, to) in [
        (r#""matchPrice":32600"#, r#""lastPrice":32600"#),
        (r#""matchPrice":32600"#, r#""matchPrice":"n/a""#),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        let rows = board(format!("[{bad},7,{other}]").as_bytes()).unwrap();
        assert_eq!(rows[0].symbol.as_ref().unwrap().as_str(), "TCB");
        assert!(rows[0].content.is_err(), "{to}");
        assert_eq!(rows[1].symbol, None);
        assert!(rows[1].content.is_err());
        assert_eq!(rows[2].symbol.as_ref().unwrap().as_str(), "VCI");
        assert!(rows[2].content.is_ok());
    }
}

#[test]
fn a_number_that_a_row_lacks_is_null_and_noted_and_costs_no_other() {
    let text = str::from_utf8(TCB).unwrap();
    let lacks = |from: &str, to: &str| {
        let other = text.replace(from, to);
        assert_ne!(other, text);
        let row = only(board(other.as_bytes()));
        assert_eq!(row.last, Some(digits("32600")), "{to}");
        assert!(row.incomplete, "{to}");
        row
    };
    for nothing in ["null", r#""""#, "{}", r#""n/a""#] {
        let row = lacks("34500", nothing);
        assert_eq!((row.ceiling, row.floor), (None, Some(digits("30000"))));
        assert_eq!(lacks("30000", nothing).floor, None);
        assert_eq!(lacks("32250", nothing).reference, None);
        assert_eq!(lacks("2447800", nothing).total_volume, None);
    }
    assert_eq!(
        lacks(r#""accumulatedVolume""#, r#""was""#).total_volume,
        None
    );
    assert_eq!(lacks("32800", "[32800]").high, None);
    assert_eq!(lacks(r#"{"price":32600"#, r#"7,{"price":32600"#).bid, None);
    assert_eq!(
        lacks(r#""bidAsk":{"#, r#""bidAsk":"none","was":{"#).ask,
        None
    );
}

#[test]
fn the_class_is_that_of_the_type_that_the_row_names() {
    use AssetClass::{Equity, Etf, Warrant};
    for (kind, class) in [
        ("STOCK", Some(Equity)),
        ("ETF", Some(Etf)),
        ("CW", Some(Warrant)),
        ("BOND", None),
        (r#"","was":""#, Some(Equity)),
    ] {
        let named = format!(r#""stockType":"{kind}","board":"HSX""#);
        let text = str::from_utf8(TCB)
            .unwrap()
            .replace(r#""board":"HSX""#, &named);
        assert_eq!(only(board(text.as_bytes())).asset_class, class, "{kind}");
    }
    assert_eq!(only(board(TCB)).asset_class, Some(Equity));
}

#[test]
fn what_is_no_answer_is_said_in_one_sentence() {
    let cases: [(&[u8], &str); 5] = [
        (
            b"<!DOCTYPE html><title>Just a moment",
            "it is an HTML page, not JSON",
        ),
        (b"Request Blocked", "it is text, not JSON: Request Blocked"),
        (b"", "it is text, not JSON: without a word"),
        (
            br#"{"data":[]}"#,
            "it is not the expected JSON: invalid type: map, expected a sequence at line 1 column 0",
        ),
        (
            &TCB[..100],
            "it is not the expected JSON: EOF while parsing a string at line 1 column 100",
        ),
    ];
    for (body, sentence) in cases {
        assert_eq!(board(body).unwrap_err().to_string(), sentence);
        assert!(bars::<Date>(body).is_err());
        assert!(shares(body).is_err());
    }
}

#[test]
fn days_are_read_by_their_local_date_whether_times_are_texts_or_numbers() {
    let days: Vec<Bar<Date>> = only(bars(include_bytes!("../fixtures/bars-day-TCB.json")));
    let first = Bar {
        at: "2026-04-14".parse().unwrap(),
        open: digits("32400"),
        high: digits("32550"),
        low: digits("31850"),
        close: digits("32050"),
        volume: digits("9838400"),
    };
    assert_eq!(days[0], first);
    assert_eq!(days.len(), 3);
    assert_eq!(days[2].at.to_string(), "2026-04-16");

    let both = bars::<Date>(DAYS).unwrap();
    let dates = |row: &Row<Vec<Bar<Date>>>| -> Vec<String> {
        let days = row.content.as_ref().unwrap();
        days.iter().map(|day| day.at.to_string()).collect()
    };
    assert_eq!(dates(&both[0]), ["2026-02-11", "2026-02-12", "2026-02-13"]);
    assert_eq!(dates(&both[1]), dates(&both[0]));
    assert_eq!(bars::<Date>(&with_numbers_quoted(DAYS)), Ok(both));
}

#[test]
fn adjusted_prices_keep_their_fraction_and_minutes_their_time() {
    let body = br#"[{"symbol":"TCB","o":[34400.52],"h":["34400.52"],"l":[34000],"c":[34000],"v":[0],"t":[1776651300]}]"#;
    let minutes: Vec<Bar<Timestamp>> = only(bars(body));
    assert_eq!(minutes[0].at.to_string(), "2026-04-20T02:15:00Z");
    assert_eq!(minutes[0].open, digits("34400.52"));
    assert_eq!(minutes[0].open, minutes[0].high);
}

#[test]
fn a_series_with_a_hole_is_refused_and_costs_no_other() {
    let body = str::from_utf8(DAYS).unwrap();
    for hole in ["99200,98500", "99200,null,98500"] {
        let holed = body.replace("99500,99200,98500", hole);
        assert_ne!(holed, body);
        let rows = bars::<Date>(holed.as_bytes()).unwrap();
        assert!(rows[0].content.is_err(), "{hole}");
        assert!(rows[1].content.is_ok());
    }
}

#[test]
fn the_listing_is_the_shares_of_the_three_exchanges_each_once() {
    let body = include_bytes!("../fixtures/securities.json");
    let listed = shares(body).unwrap();
    let names: Vec<_> = listed.iter().map(Symbol::as_str).collect();
    assert_eq!(names, ["CAP", "TCB", "YTC"]);
    let error = shares(b"[]").unwrap_err().to_string();
    assert_eq!(error, "it is not the expected JSON: it lists no share");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (board(&body), bars::<Date>(&body), bars::<Timestamp>(&body), shares(&body));
    }

    #[test]
    fn a_damaged_answer_is_read_or_refused(at: prop::sample::Index, byte: u8) {
        let mut body = TCB.to_vec();
        body[at.index(TCB.len())] = byte;
        let _ = board(&body);
        let mut body = DAYS.to_vec();
        body[at.index(DAYS.len())] = byte;
        let _ = (bars::<Date>(&body), bars::<Timestamp>(&body));
    }

    #[test]
    fn rows_in_any_order_are_read_alike(
        names in prop::collection::hash_set("[A-Z]{3}", 1..20),
        quoted: bool,
    ) {
        let row = str::from_utf8(&TCB[1..TCB.len() - 1]).unwrap();
        let rows: Vec<_> = names.iter().map(|name| row.replace("TCB", name)).collect();
        let body = format!("[{}]", rows.join(",")).into_bytes();
        let body = if quoted { with_numbers_quoted(&body) } else { body };
        for (row, name) in board(&body).unwrap().into_iter().zip(&names) {
            prop_assert_eq!(row.symbol.unwrap().to_string(), name.clone());
            prop_assert_eq!(row.content, Ok(only(board(TCB))));
        }
    }
}
