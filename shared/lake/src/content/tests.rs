use proptest::prelude::*;

use super::*;

fn check_time(version: Version, members: &str, expected: Option<i64>) {
    let value = format!(r#"{{"symbol":"A",{members}}}"#);
    let time = read_content(version, value.as_bytes()).unwrap().time;
    assert_eq!(time.map(Timestamp::as_millisecond), expected, "{value}");
}

#[test]
fn the_time_is_when_the_value_was_fetched() {
    let check = |members: &str, expected| check_time(Version::Two, members, expected);
    let (s, ms) = (Some(1_779_480_005_000), Some(1_779_480_005_123));
    check(r#""meta":{"fetched_at":"2026-05-22T20:00:05.123Z"}"#, ms);
    check(
        r#""fetched_at":1779480005,"meta":{"x":[1],"fetched_at":1779480005123}"#,
        ms,
    );
    check(r#""fetched_at":1779480005,"meta":{"fetched_at":null}"#, s);
    check(r#""fetched_at":1779480005,"meta":{"fetched_at":0}"#, s);
    check(r#""fetched_at":1779480005,"meta":7"#, s);
    check(r#""fetched_at":1779480005.1237"#, ms);
    // What a venue says of its own time is no time of fetching.
    for other in [
        r#""event_time":1779480005123"#,
        r#""t":1779480005"#,
        r#""time":1,"timestamp":2"#,
    ] {
        check(other, None);
    }
    for none in [
        "0",
        "-5",
        "1e300",
        "[1779480005]",
        "true",
        "\"yesterday\"",
        "\"0\"",
    ] {
        check(&format!(r#""fetched_at":{none}"#), None);
    }
}

#[test]
fn the_time_of_layout_1_is_the_first_usable_of_five() {
    let check = |members: &str, expected| check_time(Version::One, members, expected);
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
    check(r#""fetched_at":0"#, Some(0));
    check(r#""meta":{"fetched_at":1779480005}"#, None);
}

#[test]
fn a_value_that_can_be_no_line_says_why() {
    let check = |value: &[u8], expected: &str| {
        assert_eq!(
            read_content(Version::Two, value).unwrap_err().to_string(),
            expected
        );
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
fn the_ticker_serves_where_no_member_is_a_symbol() {
    let of = |version, value: &'static str| read_content(version, value.as_bytes());
    let check = |value, symbol: &str, has_only_ticker| {
        let content = of(Version::Two, value).unwrap();
        assert_eq!(
            (&*content.symbol, content.has_only_ticker),
            (symbol, has_only_ticker)
        );
    };
    check(r#"{"ticker":"VCB"}"#, "VCB", true);
    check(r#"{"symbol":"B","ticker":"V"}"#, "B", false);
    check(r#"{"symbol":"BRK.B"}"#, "BRK.B", false);
    check(r#"{"symbol":"BTC\/USDT"}"#, "BTC/USDT", false);
    // Its line would have two members of the name.
    for value in [
        r#"{"symbol":7,"ticker":"V"}"#,
        r#"{"SYMBOL":"B","ticker":"V"}"#,
    ] {
        assert_eq!(of(Version::Two, value), Err(Defect::NoSymbol));
        assert_eq!(of(Version::One, value).unwrap().symbol, "V");
    }
}

#[test]
fn layout_1_takes_what_layout_2_refuses() {
    for value in [
        r#"{"symbol":"A","x":"\ud800"}"#,
        r#"{"symbol":"A","x":1,"x":2}"#,
        r#"{"symbol":"A","x":1e400}"#,
        r#"{"symbol":"A","epoch":1}"#,
    ] {
        assert!(
            read_content(Version::One, value.as_bytes()).is_ok(),
            "{value}"
        );
        assert!(
            read_content(Version::Two, value.as_bytes()).is_err(),
            "{value}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(value in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_content(Version::Two, &value);
    }

    #[test]
    fn a_time_as_published_is_what_a_parser_reads(
        millis in 0..253_402_207_200_000_i64,
        at in 0..24_usize,
        other in "[0-9:TZ.+-]",
    ) {
        let text = format!("{:.3}", Timestamp::from_millisecond(millis).unwrap());
        prop_assert_eq!(time_of_text(&text), Some(millis));
        let mut mutated = text;
        mutated.replace_range(at..=at, &other);
        prop_assert_eq!(time_of_text(&mutated), time::time_of_any_text(&mutated), "{}", mutated);
    }

    #[test]
    fn a_time_is_usable_or_none(number in any::<i64>(), fraction in any::<f64>(), text in ".{0,30}") {
        for time in [time_of_number(number), time_of_fraction(fraction), time_of_text(&text)] {
            prop_assert!(time.is_none_or(|time| time >= 0));
        }
    }
}
