use proptest::prelude::*;
use serde_json::Value;

use super::{string::ends_of, *};

fn unreadable(text: &str) -> Option<String> {
    let found = scan(text).unwrap_or_else(|defect| panic!("{text}: {defect}"));
    found.unreadable.map(|defect| defect.to_string())
}

#[test]
fn what_some_engine_refuses_is_named() {
    let fine = |text: &str| assert_eq!(unreadable(text), None, "{text}");
    let refused = |text: &str, words: &str| {
        let why = unreadable(text).unwrap_or_else(|| panic!("{text}"));
        assert!(why.contains(words), "{text}: {why}");
    };
    fine(r#"{"a":"\ud83d\ude00 \u0000 é","A ":[0,-0.5e-7,1E308,{"a":1},{"a":2}],"":""}"#);
    for lone in [
        r"\ud800",
        r"\udc00",
        r"\ud800\ud800",
        r"\udbff x",
        r"\ud83d\n",
    ] {
        refused(&format!(r#"{{"a":["{lone}"]}}"#), "lone surrogate");
        refused(&format!(r#"{{"x":{{"{lone}":1}}}}"#), "lone surrogate");
    }
    refused(r#"{"a":1,"b":2,"a":1}"#, "named 'a'");
    refused(r#"{"x":[{"ab":1,"\u0061B":2}]}"#, "named 'ab'");
    refused("{\"É\":1,\"é\":2}", "named 'é'");
    refused("{\"k\":1,\"\u{212a}\":2}", "named 'k'");
    refused("{\"\u{b5}\":1,\"\u{3bc}\":2}", "named 'μ'");
    refused("{\"\u{17f}ym\":1,\"Sym\":2}", "named 'sym'");
    fine("{\"ß\":1,\"ss\":2,\"ﬁ\":3,\"fi\":4}");
    refused("{\"\u{212a}\":1,\"k\":2}", "named 'k'");
    let many: Vec<String> = (0..200).map(|n| format!(r#""n{n}":0"#)).collect();
    fine(&format!("{{{}}}", many.join(",")));
    refused(&format!(r#"{{{},"N7":0}}"#, many.join(",")), "named 'n7'");
    for long in [
        "1".repeat(101),
        format!("0.{}", "0".repeat(99)),
        "1e309".to_owned(),
    ] {
        refused(&format!(r#"{{"a":[{long}]}}"#), "the number ");
        refused(&format!(r#"{{"a":-{long}}}"#), "the number -");
    }
    fine(&format!(r#"{{"a":{},"b":1e-400}}"#, "9".repeat(100)));
    let nested = |depth| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    fine(&nested(63));
    refused(&nested(64), "64 deep");
    refused(&nested(100_000), "64 deep");
    let cut = nested(10_000).replace("]}", "}");
    assert!(matches!(scan(&cut), Err(Defect::BrokenJson(_))));
}

#[test]
fn a_member_is_found_where_it_belongs() {
    let text = r#"{"x":{"symbol":"no","meta":{"fetched_at":1}},"meta":{"fetched_at":2,"a":{"fetched_at":3}},"symbol" : "A","t":4}"#;
    let found = scan(text).unwrap();
    assert_eq!(found.symbol, Some("\"A\""));
    assert_eq!(found.meta_fetched_at, Some("2"));
    assert_eq!(found.times, [None, None, None, None, Some("4")]);
    assert!(found.has_symbol && found.kafka.is_none() && found.reserved.is_none());
    for name in [
        "EPOCH",
        "lake_topic",
        "Lake_Symbol",
        "lake_date",
        "_KAFKA",
        "_\u{212a}afka",
        "_\\u212aafka",
        "la\u{212a}e_symbol",
        "lake_\u{17f}ymbol",
    ] {
        let found = format!(r#"{{"{name}":1}}"#);
        assert!(scan(&found).unwrap().reserved.is_some(), "{name}");
    }
    assert!(
        scan(r#"{"x":{"epoch":1},"epochs":1}"#)
            .unwrap()
            .reserved
            .is_none()
    );
}

/// JSON as a writer of any kind might spell it.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        ".{0,12}".prop_map(|text| Value::from(text).to_string()),
        r#""(\\u[0-9a-f]{4}|[a-z]{0,9}|\\[nrtbf"/\\]){0,4}""#,
    ];
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![text.clone(), number, "true|false|null"];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let member = (text.clone(), "[ \n]{0,1}", inner.clone())
            .prop_map(|(name, blank, value)| format!("{name}{blank}:{blank}{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..6)
                .prop_map(|values| format!("[{}]", values.join(" ,"))),
            prop::collection::vec(member, 0..6)
                .prop_map(|members| format!("{{{}}}", members.join(",\t"))),
        ]
    })
}

/// Whether a reader that refuses nothing but what is no JSON takes a text.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn scans(text: &str) -> bool {
    !matches!(scan(text), Err(Defect::BrokenJson(_)))
}

proptest! {
    #[test]
    fn what_scans_is_json_and_the_reverse(text in json(), at in any::<prop::sample::Index>(), other in "[\\PC\n]?") {
        prop_assert!(is_json(&text) && scans(&text), "{}", text);
        let at = at.index(text.chars().count());
        let mutate = |replaced: usize| -> String {
            let (before, after) = (text.chars().take(at), text.chars().skip(at + replaced));
            before.chain(other.chars()).chain(after).collect()
        };
        for mutated in [mutate(0), mutate(1)] {
            prop_assert_eq!(scans(&mutated), is_json(&mutated), "{}", mutated);
        }
    }

    #[test]
    fn what_is_readable_is_read_whole_by_a_strict_reader(text in json()) {
        let text = format!(r#"{{"a":{text}}}"#);
        let found = scan(&text).unwrap();
        match serde_json::from_str::<Value>(&text) {
            Ok(value) if found.unreadable.is_none() => {
                // Nothing was dropped for being there twice.
                prop_assert_eq!(members(&value), count_members(&text));
            }
            Ok(_) => {}
            Err(error) => prop_assert!(found.unreadable.is_some(), "{}: {}", text, error),
        }
    }

    #[test]
    fn any_text_ends_in_an_answer(text in "[\\PC\u{0}-\u{1f}{}\\[\\]\",:\\\\]{0,60}") {
        prop_assert_eq!(scans(&text), is_json(&text), "{}", text);
    }

    #[test]
    fn a_plain_stretch_ends_at_the_first_byte_that_ends_it(bytes in any::<[u8; 8]>()) {
        let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let first = bytes.iter().position(ends);
        let word = ends_of(u64::from_le_bytes(bytes));
        prop_assert_eq!((word != 0).then(|| (word.trailing_zeros() / 8) as usize), first);
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(members_of) => {
            members_of.len() + members_of.values().map(members).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(members).sum(),
        _ => 0,
    }
}

/// The members of a text, counted by the colons outside of strings.
fn count_members(text: &str) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_string = !in_string,
            ':' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}
