use proptest::prelude::*;

use super::*;
use crate::{BoardQuote, Calendar, Published};

/// A row of the board on the morning of a trading day.
fn row() -> BoardQuote {
    BoardQuote {
        price: digits("101500.0"),
        traded: true,
        volume: Some(digits("300")),
        total_volume: Some(digits("1234500")),
        reference: Some(digits("100000")),
        ceiling: Some(digits("107000")),
        floor: Some(digits("93000")),
        high: Some(digits("102000")),
        low: Some(digits("99900")),
        average: Some(digits("101012.55")),
        bid: Some(digits("101400")),
        ask: Some(digits("101500")),
        time: Some(time("2026-11-20T03:00:00Z")),
        incomplete: false,
    }
}

fn before_the_first_trade() -> BoardQuote {
    BoardQuote {
        price: digits("100000"),
        traded: false,
        volume: None,
        total_volume: Some(digits("0")),
        high: Some(digits("0")),
        low: Some(digits("0")),
        average: None,
        bid: None,
        ask: None,
        ..row()
    }
}

fn fpt(row: BoardQuote) -> Observation {
    let share = Instrument::vietnamese_share("FPT".parse().unwrap(), Some(Calendar::Hose));
    observed("vci", share, Quote::Board(row), "2026-11-20T03:00:00.250Z")
}

fn body(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

#[test]
fn a_row_is_published_as_a_price_field_for_field() {
    let message = quote_message(&fpt(row()), false);
    assert_eq!(message.key, "FPT");
    assert_eq!(
        text(message),
        concat!(
            r#"{"symbol":"FPT","price":101500.0,"volume":1234500,"change":1500,"percent_change":1.5,"#,
            r#""high":102000,"low":99900,"avg":101012.55,"timestamp":"2026-11-20T03:00:00.250Z","#,
            r#""meta":{"source":"vci","schema":"stock-prices/1","event_id":"e5a5c4687284d5211e58bf0016e54eb4","symbol":"FPT","#,
            r#""asset_class":"equity","mic":"XSTC","currency":"VND","session":"regular","#,
            r#""trading_date":"2026-11-20","event_time":"2026-11-20T03:00:00.000Z","#,
            r#""fetched_at":"2026-11-20T03:00:00.250Z","age_ms":250,"flags":[]}}"#,
        )
    );
}

#[test]
fn a_row_is_published_as_a_board_field_for_field() {
    let message = board_message(&fpt(row()), false);
    assert_eq!(message.key, "FPT");
    assert_eq!(
        text(message),
        concat!(
            r#"{"symbol":"FPT","ticker":"FPT","time":"2026-11-20T03:00:00.000Z","price":101500.0,"volume":300,"#,
            r#""total_volume":1234500,"change":1500,"change_percent":1.5,"ceiling_price":107000,"#,
            r#""floor_price":93000,"reference_price":100000,"highest_price":102000,"lowest_price":99900,"#,
            r#""bid_price":101400,"ask_price":101500,"#,
            r#""meta":{"source":"vci","schema":"stock-board/1","event_id":"e5a5c4687284d5211e58bf0016e54eb4","symbol":"FPT","#,
            r#""asset_class":"equity","mic":"XSTC","currency":"VND","session":"regular","#,
            r#""trading_date":"2026-11-20","event_time":"2026-11-20T03:00:00.000Z","#,
            r#""fetched_at":"2026-11-20T03:00:00.250Z","age_ms":250,"flags":[]}}"#,
        )
    );
}

#[test]
fn before_the_first_trade_the_price_is_the_reference_price_and_flagged() {
    let observation = fpt(before_the_first_trade());
    let price = body(&quote_message(&observation, false));
    assert_eq!(price["price"], 100_000);
    assert_eq!(price["change"], 0);
    assert_eq!(price["percent_change"], 0);
    assert_eq!(price["meta"]["flags"], serde_json::json!(["not-traded"]));
    let board = body(&board_message(&observation, false));
    assert_eq!(board["price"], board["reference_price"]);
    assert!(board["volume"].is_null() && board["bid_price"].is_null());
    assert_eq!(board["meta"]["flags"], serde_json::json!(["not-traded"]));
}

#[test]
fn the_change_is_recomputed_from_the_reference_price_with_two_decimals_of_percent() {
    let cases = [
        ("107000", "100000", "7000", "7"),
        ("98765", "100000", "-1235", "-1.24"),
        ("23.45", "23.40", "0.05", "0.21"),
        ("100005", "100000", "5", "0.01"),
        ("10.5", "0", "10.5", "null"),
        ("0", "0", "0", "null"),
    ];
    for (price, reference, change, percent) in cases {
        let observation = fpt(BoardQuote {
            price: digits(price),
            reference: Some(digits(reference)),
            ..row()
        });
        let prices = text(quote_message(&observation, false));
        let expected = format!(r#""change":{change},"percent_change":{percent},"#);
        assert!(prices.contains(&expected), "{prices}");
        let board = text(board_message(&observation, false));
        let expected = format!(r#""change":{change},"change_percent":{percent},"#);
        assert!(board.contains(&expected), "{board}");
    }
}

#[test]
fn a_row_of_a_writer_that_only_knew_the_ticker_has_its_symbol() {
    let whole = text(board_message(&fpt(row()), false));
    let older = whole.replacen(r#""symbol":"FPT","#, "", 1);
    assert!(older.starts_with(r#"{"ticker":"FPT","#));
    let published = Published::read("stock-board", older.as_bytes()).unwrap();
    assert_eq!(published.symbol().as_str(), "FPT");
    assert_eq!(published.tick().unwrap().symbol.as_str(), "FPT");
    assert_eq!(serde_json::to_string(&published).unwrap(), older);
}

#[test]
fn what_a_row_lacks_is_null_and_flagged_and_costs_no_price() {
    let observation = fpt(BoardQuote {
        total_volume: None,
        reference: None,
        ceiling: None,
        floor: None,
        bid: None,
        incomplete: true,
        ..row()
    });
    let flagged = serde_json::json!(["incomplete"]);
    let price = body(&quote_message(&observation, false));
    assert_eq!(price["price"].as_f64(), Some(101_500.0));
    for member in ["volume", "change", "percent_change"] {
        assert!(price[member].is_null(), "{member}");
    }
    assert_eq!(price["meta"]["flags"], flagged);
    let board = body(&board_message(&observation, false));
    for member in [
        "total_volume",
        "change",
        "change_percent",
        "ceiling_price",
        "floor_price",
        "reference_price",
        "bid_price",
    ] {
        assert!(board[member].is_null(), "{member}");
    }
    assert_eq!(board["ask_price"], 101_500);
    assert_eq!(board["meta"]["flags"], flagged);
}

#[test]
fn the_price_and_the_board_of_one_row_have_one_id() {
    let observation = fpt(row());
    let id = |message: &Message| meta(message)["event_id"].clone();
    assert_eq!(
        id(&quote_message(&observation, false)),
        id(&board_message(&observation, false))
    );
}

#[test]
fn a_row_without_a_time_is_the_same_all_day_and_another_on_the_next() {
    let fetched = |at: &str| {
        let row = BoardQuote {
            time: None,
            ..before_the_first_trade()
        };
        let observation = Observation {
            fetched_at: time(at),
            ..fpt(row)
        };
        let board = body(&board_message(&observation, false));
        assert_eq!(board["time"], board["meta"]["fetched_at"]);
        assert!(board["meta"]["event_time"].is_null() && board["meta"]["age_ms"].is_null());
        let meta = &board["meta"];
        (meta["trading_date"].clone(), meta["event_id"].clone())
    };
    let first = fetched("2026-11-19T02:30:00Z");
    assert_eq!(first.0, "2026-11-19");
    assert_eq!(fetched("2026-11-19T02:30:10Z"), first);
    let next = fetched("2026-11-20T02:30:00Z");
    assert_eq!(next.0, "2026-11-20");
    assert_ne!(next.1, first.1);
}

#[test]
fn the_board_of_what_is_no_row_is_its_quote() {
    let quote = stock(["1"; 5], None, 1);
    let observation = observed("finnhub", us_share("AAPL"), quote, "1970-01-01T00:00:01Z");
    assert_eq!(
        board_message(&observation, false),
        quote_message(&observation, false)
    );
}

proptest! {
    #[test]
    fn every_number_of_a_row_keeps_its_digits(numbers in prop::array::uniform6(number())) {
        let [price, reference, ceiling, floor, high, low] = numbers.each_ref().map(|text| digits(text));
        let observation = fpt(BoardQuote {
            price,
            reference: Some(reference),
            ceiling: Some(ceiling),
            floor: Some(floor),
            high: Some(high),
            low: Some(low),
            ..row()
        });
        let body = text(board_message(&observation, false));
        let names =
            ["price", "reference_price", "ceiling_price", "floor_price", "highest_price", "lowest_price"];
        for (name, number) in names.iter().zip(&numbers) {
            let member = format!(r#""{name}":{number},"#);
            prop_assert!(body.contains(&member), "{} in {}", member, body);
        }
    }
}
