use super::*;

/// The sentence about a record of `topic` whose members are these beside its symbol.
fn sentence(topic: &str, members: &str) -> String {
    let value = format!(r#"{{"symbol":"A",{members}}}"#);
    read(&received(topic, &value), "").unwrap_err().to_string()
}

#[test]
fn a_number_that_is_none_names_its_member() {
    let board = |members: &str| sentence("stock-board", members);
    for text in ["NaN", "Infinity", "-Infinity", "12,5", "0x10", " 1"] {
        let members = format!(r#""price":1,"volume":"{text}""#);
        let expected = format!(
            "'volume' holds no number for the table: {text:?} is no number: write decimal digits, such as 12.5"
        );
        assert_eq!(board(&members), expected);
    }
    assert_eq!(
        board(r#""price":"1e401""#),
        "'price' holds no number for the table: \"1e401\" has an exponent beyond 400: write a number within 1e400"
    );
    let long = "9".repeat(101);
    assert_eq!(
        board(&format!(r#""price":1,"ask_price":"{long}""#)),
        format!(
            "'ask_price' holds no number for the table: {:?}... has more than 100 characters: write fewer digits",
            &long[..64]
        )
    );
}

#[test]
fn a_member_of_another_type_is_named_with_what_it_holds() {
    let a_number = "a number, or leave it out";
    let a_text = "a text, or leave it out";
    let texts = "a list of texts, or leave it out";
    for (topic, members, expected) in [
        (
            "stock-quotes",
            r#""c":true"#,
            format!("'c' holds true or false: write {a_number}"),
        ),
        (
            "stock-quotes",
            r#""c":1,"dp":{"value":1}"#,
            format!("'dp' holds an object: write {a_number}"),
        ),
        (
            "crypto-prices",
            r#""price":1,"price_change":[1]"#,
            format!("'price_change' holds a list: write {a_number}"),
        ),
        (
            "stock-board",
            r#""price":1,"time":1779480000"#,
            format!("'time' holds a number: write {a_text}"),
        ),
        (
            "stock-board",
            r#""meta":[]"#,
            "'meta' holds a list: write an object, or leave it out".to_owned(),
        ),
        (
            "stock-board",
            r#""meta":{"schema":1}"#,
            format!("'meta.schema' holds a number: write {a_text}"),
        ),
        (
            "stock-board",
            r#""price":1,"meta":{"mic":false}"#,
            format!("'meta.mic' holds true or false: write {a_text}"),
        ),
        (
            "stock-board",
            r#""price":1,"meta":{"flags":"stale"}"#,
            format!("'meta.flags' holds a text: write {texts}"),
        ),
        (
            "stock-board",
            r#""price":1,"meta":{"flags":["stale",null]}"#,
            format!("'meta.flags' holds a list: write {texts}"),
        ),
    ] {
        assert_eq!(sentence(topic, members), expected, "{members}");
    }
}

#[test]
fn a_text_with_nul_is_named_wherever_it_is() {
    let expected = |member: &str| {
        format!("'{member}' has the character U+0000, which Postgres refuses: leave it out")
    };
    for member in [
        "event_id",
        "source",
        "currency",
        "mic",
        "session",
        "trading_date",
        "schema",
    ] {
        let members = format!(r#""c":1,"meta":{{"{member}":"a\u0000b"}}"#);
        let expected = expected(&format!("meta.{member}"));
        assert_eq!(sentence("stock-quotes", &members), expected);
    }
    let flags = r#""c":1,"meta":{"flags":["a","\u0000"]}"#;
    assert_eq!(sentence("stock-quotes", flags), expected("meta.flags"));
    assert_eq!(sentence("stock-quotes", r#""c":"1\u0000""#), expected("c"));
}

#[test]
fn a_time_or_day_that_is_none_names_its_member() {
    let meta = |member: &str, text: &str| {
        let members = format!(r#""c":1,"meta":{{"{member}":"{text}"}}"#);
        sentence("stock-quotes", &members)
    };
    for text in ["2026-05-22T20:00:00", "2026-05-22 20:00", "2026-05-22"] {
        let expected = format!(
            "'meta.event_time' holds {text:?}, a time without a zone: write it in UTC, such as 2026-05-22T20:00:00Z"
        );
        assert_eq!(meta("event_time", text), expected);
    }
    for text in [
        "soon",
        "1779480000",
        "0000-12-31T23:59:59Z",
        "-000044-03-15T12:00:00Z",
        "9999-12-31T23:00:00Z",
        "2026-02-30T00:00:00Z",
    ] {
        let expected = format!(
            "'meta.event_time' holds {text:?}, which is no time in the years 1 to 9999: write it in UTC, such as 2026-05-22T20:00:00Z"
        );
        assert_eq!(meta("event_time", text), expected);
    }
    for text in [
        "tomorrow",
        "20260522",
        "0000-01-01",
        "2026-05-22T00:00",
        "22.05.2026",
        "2026-02-30",
    ] {
        let expected = format!(
            "'meta.trading_date' holds {text:?}, which is no day in the years 1 to 9999: write it such as 2026-05-22"
        );
        assert_eq!(meta("trading_date", text), expected);
    }
    for (topic, members, member, unit) in [
        ("stock-quotes", r#""c":1,"t":1e17"#, "t", "seconds"),
        (
            "crypto-prices",
            r#""price":1,"event_time":1e17"#,
            "event_time",
            "milliseconds",
        ),
    ] {
        let expected = format!(
            "'{member}' holds \"100000000000000000\", which is no time in the years 1 to 9999: write the {unit} since 1970"
        );
        assert_eq!(sentence(topic, members), expected);
    }
}

#[test]
fn a_record_without_shape_price_or_place_says_what_to_write() {
    assert_eq!(
        sentence("weather", r#""c":1"#),
        "the record has no 'meta.schema' and the topic \"weather\" does not name its shape: write meta.schema, such as stock-quotes/1"
    );
    assert_eq!(
        sentence(
            "stock-quotes",
            r#""c":1,"meta":{"schema":"stock-quotes/2"}"#
        ),
        "the 'meta.schema' \"stock-quotes/2\" is not known here: write a quote's, which is stock-quotes/1, crypto-prices/1, stock-prices/1 or stock-board/1"
    );
    for members in [r#""price":1"#, r#""c":null"#, r#""c":"""#] {
        let expected = "the record has no price: write 'c' as a number";
        assert_eq!(sentence("stock-quotes", members), expected);
    }
    let expected = "the record has no price: write 'price' as a number";
    assert_eq!(sentence("stock-board", r#""c":1"#), expected);
    let no_symbol = read(&received("stock-quotes", r#"{"c":1}"#), "").unwrap_err();
    assert_eq!(
        no_symbol.to_string(),
        "the value has no symbol: neither 'symbol' nor 'ticker' is a text"
    );
    let tombstone = Received {
        value: None,
        ..received("stock-quotes", "")
    };
    assert_eq!(read(&tombstone, ""), Err(lake::Unfit::Tombstone.into()));
}

#[test]
fn members_that_the_shape_does_not_have_are_not_looked_at() {
    let value = r#"{"symbol":"A","c":1,"price":"NaN","volume":{},"time":[],"meta":{"age_ms":"x"}}"#;
    assert_eq!(row("stock-quotes", value).price.as_str(), "1");
}
