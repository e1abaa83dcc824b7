use proptest::prelude::*;

use super::*;

#[test]
fn the_time_is_the_first_usable_of_the_known_members() {
    let check = |members: &str, expected: Option<i64>| {
        let value = format!(r#"{{"symbol":"A",{members}}}"#);
        let time = read_content(value.as_bytes()).unwrap().time;
        assert_eq!(time.map(Timestamp::as_millisecond), expected, "{value}");
    };
    let (s, ms) = (Some(1_779_480_005_000), Some(1_779_480_005_123));
    check(r#""fetched_at":1779480005,"event_time":1"#, s);
    check(
        r#""event_time":1779480005123,"timestamp":"2020-01-01T00:00:00Z""#,
        ms,
    );
    check(r#""fetched_at":null,"event_time":1779480005123456"#, ms);
    check(r#""t":1779480005123456789"#, ms);
    check(r#""fetched_at":1779480005.1237"#, ms);
    check(r#""fetched_at":"1779480005""#, s);
    check(r#""timestamp":"2026-05-22T20:00:05.123Z""#, ms);
    check(r#""timestamp":"2026-05-23T03:00:05.123+07:00""#, ms);
    check(r#""timestamp":"2026-05-22T20:00:05""#, s);
    check(r#""time":"2026-05-22 20:00:05""#, s);
    check(r#""fetched_at":"yesterday","time":1779480005"#, s);
    check(r#""fetched_at":-5"#, None);
    check(r#""fetched_at":1e300"#, None);
    check(r#""fetched_at":[1779480005]"#, None);
    check(r#""fetched_at":true"#, None);
    check(r#""timestamp":"-000001-01-01T00:00:00Z""#, None);
    check(r#""c":1"#, None);
}

#[test]
fn a_value_that_can_be_no_line_says_why() {
    let check = |value: &[u8], expected: &str| {
        assert_eq!(read_content(value).unwrap_err().to_string(), expected);
    };
    check(
        b"{\"symbol\":",
        "the value is not JSON: EOF while parsing a value at line 1 column 10",
    );
    check(
        b"{} {}",
        "the value is not JSON: trailing characters at line 1 column 4",
    );
    check(
        b"{\"c\":\"\xff\"}",
        "the value is not JSON: invalid utf-8 sequence of 1 bytes from index 6",
    );
    check(
        b"",
        "the value is not JSON: EOF while parsing a value at line 1 column 0",
    );
    for other in [
        "[{\"symbol\":\"A\"}]",
        "null",
        "7",
        "-7",
        "7.5",
        "true",
        "\"A\"",
    ] {
        check(other.as_bytes(), "the value is JSON but no object");
    }
    let no_symbol = "the value has no symbol: neither 'symbol' nor 'ticker' is a text";
    for none in [
        "{}",
        r#"{"symbol":""}"#,
        r#"{"symbol":null}"#,
        r#"{"symbol":7}"#,
        r#"{"symbol":{"a":1}}"#,
    ] {
        check(none.as_bytes(), no_symbol);
    }
    check(
        br#"{"symbol":"../../x"}"#,
        "the symbol \"../../x\" is a path or holds control characters",
    );
    check(
        br#"{"symbol":"a\\..\\b"}"#,
        "the symbol \"a\\\\..\\\\b\" is a path or holds control characters",
    );
    check(
        br#"{"symbol":"A\u0000"}"#,
        "the symbol \"A\\0\" is a path or holds control characters",
    );
    check(
        br#"{"symbol":"A","_kafka":{}}"#,
        "the value has a member '_kafka', which is reserved for its coordinates",
    );
}

#[test]
fn a_board_quote_is_known_by_its_ticker() {
    assert_eq!(read_content(br#"{"ticker":"VCB"}"#).unwrap().symbol, "VCB");
    assert_eq!(
        read_content(br#"{"symbol":"B","ticker":"V"}"#)
            .unwrap()
            .symbol,
        "B"
    );
    assert_eq!(
        read_content(br#"{"symbol":"BRK.B"}"#).unwrap().symbol,
        "BRK.B"
    );
    assert_eq!(
        read_content(br#"{"symbol":"BTC\/USDT"}"#).unwrap().symbol,
        "BTC/USDT"
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(value in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_content(&value);
    }

    #[test]
    fn a_time_is_usable_or_none(number in any::<i64>(), fraction in any::<f64>(), text in ".{0,30}") {
        for time in [time_of_number(number), time_of_fraction(fraction), time_of_text(&text)] {
            prop_assert!(time.is_none_or(|time| time >= 0));
        }
    }
}
