//! What a line says that counts in no bar, and lines of other writers.

use super::*;

const KAFKA: &str = r#""_kafka":{"partition":3,"offset":7,"timestamp":1772445600000}"#;

/// A bronze line of these members, whose record Kafka got at 10:00 on 2 March 2026.
fn line(members: &str) -> String {
    format!("{{{members},{KAFKA}}}")
}

/// What one line of a topic is read into; or its aside or error.
fn one(topic: &str, members: &str) -> Result<Observed, String> {
    let (_, lines, outcomes) = read(topic, &[line(members)]);
    let outcome = outcomes.into_iter().next().unwrap();
    lines.observed.first().copied().ok_or(outcome)
}

#[test]
fn a_record_without_an_event_time_is_set_aside() {
    for members in [
        r#""symbol":"A","price":1,"size":1"#,
        r#""symbol":"A","price":1,"size":1,"time":null"#,
        r#""symbol":"A","price":1,"size":1,"time":"not a time""#,
        r#""symbol":"A","price":1,"size":1,"time":1772445600000,"meta":{"event_time":null}"#,
        r#""symbol":"A","price":1,"size":1,"time":1772445600000,"meta":{}"#,
        r#""symbol":"A","price":1,"size":1,"meta":{"event_time":"yesterday"}"#,
    ] {
        assert_eq!(
            one("trades_raw", members),
            Err("no-event-time".to_owned()),
            "{members}"
        );
    }
    let quote = r#""symbol":"FPT","price":1,"volume":5,"timestamp":"2026-03-02T10:00:00Z""#;
    assert_eq!(
        one("stock-prices", quote),
        Err("no-event-time".to_owned()),
        "a board's time is that of the fetch"
    );
}

#[test]
fn an_event_more_than_a_minute_after_its_fetch_is_set_aside() {
    let at = |event: i64| format!(r#""symbol":"A","price":1,"size":1,"time":{event}"#);
    let fetched = 1_772_445_600_000;
    assert!(one("trades_raw", &at(fetched + 60_000)).is_ok());
    assert_eq!(
        one("trades_raw", &at(fetched + 60_001)),
        Err("ahead".to_owned())
    );
}

#[test]
fn a_provider_s_bar_of_a_time_to_come_is_set_aside_and_the_others_are_read() {
    let bar =
        |date| format!(r#"{{"Date":"{date}","Open":1,"High":1,"Low":1,"Close":1,"Volume":1}}"#);
    let data = [
        bar("2026-03-02T09:59:00Z"),
        bar("2026-03-02T10:02:00Z"),
        bar("2026-03-02T10:01:00Z"),
    ]
    .join(",");
    let line = line(&format!(r#""symbol":"FPT","data":[{data}]"#));
    let (_, lines, outcomes) = read("stock-intraday", &[line]);
    assert_eq!(outcomes, ["ahead"]);
    let starts: Vec<_> = lines.observed.iter().map(|one| one.event_time).collect();
    assert_eq!(
        starts,
        [time("2026-03-02T09:59:00Z"), time("2026-03-02T10:01:00Z")]
    );
}

#[test]
fn a_number_with_more_digits_than_a_column_is_set_aside() {
    for number in [
        "100000000000000000000",
        "0.0000000000000000001",
        "1e20",
        "1e-19",
    ] {
        let price = format!(r#""symbol":"A","price":{number},"size":1,"time":1772445600000"#);
        assert_eq!(one("trades_raw", &price), Err("out-of-range".to_owned()));
        let size = format!(r#""symbol":"A","price":1,"size":{number},"time":1772445600000"#);
        assert_eq!(one("trades_raw", &size), Err("out-of-range".to_owned()));
        let total = format!(
            r#""ticker":"A","price":1,"total_volume":{number},"time":"2026-03-02T10:00:00Z""#
        );
        let said = one("stock-board", &total).unwrap().said;
        assert_eq!(
            said,
            Said::Quote {
                price: Amount::from(1),
                session_volume: None
            },
            "a total is not known then"
        );
    }
}

#[test]
fn a_line_whose_number_is_missing_or_no_number_is_refused_by_its_name() {
    for (number, named) in [
        ("null", "price"),
        ("true", "price"),
        ("[1]", "price"),
        (r#""n/a""#, "price"),
        (r#""1.""#, "price"),
        (r#""01""#, "price"),
        (r#"" 1""#, "price"),
        (r#""1 ""#, "price"),
        (r#""""#, "price"),
        (r#""-""#, "price"),
        (r#""+1""#, "price"),
        (r#""NaN""#, "price"),
    ] {
        let members = format!(r#""symbol":"A","price":{number},"size":1,"time":1772445600000"#);
        let refused = one("trades_raw", &members).unwrap_err();
        assert_eq!(
            refused,
            format!("it has no {named} as its schema says"),
            "{number}"
        );
    }
    let without = r#""symbol":"A","price":1,"time":1772445600000"#;
    assert_eq!(
        one("trades_raw", without).unwrap_err(),
        "it has no size as its schema says"
    );
    let total = r#""ticker":"A","price":1,"total_volume":"many","time":"2026-03-02T10:00:00Z""#;
    assert_eq!(
        one("stock-board", total).unwrap_err(),
        "it has no total_volume as its schema says"
    );
}

#[test]
fn a_number_in_quotes_is_a_number() {
    let members = r#""symbol":"A","price":"69624.00000000","size":"1e2","time":1772445600000"#;
    let said = one("trades_raw", members).unwrap().said;
    let (price, size) = (amount("69624"), amount("100"));
    assert_eq!(said, Said::Trade { price, size });
}

#[test]
fn a_message_without_meta_has_the_times_of_its_shape_and_kafka_s_and_no_id() {
    let event = time("2026-03-02T09:59:58Z");
    for (topic, members) in [
        ("stock-quotes", r#""symbol":"A","c":1,"t":1772445598"#),
        (
            "crypto-prices",
            r#""symbol":"A","price":1,"event_time":1772445598000"#,
        ),
        (
            "trades_raw",
            r#""symbol":"A","price":1,"size":1,"time":1772445598000"#,
        ),
        (
            "stock-board",
            r#""ticker":"A","price":1,"time":"2026-03-02T09:59:58Z""#,
        ),
    ] {
        let read = one(topic, members).unwrap();
        assert_eq!(read.event_time, event, "{topic}");
        assert_eq!(read.fetched_at, time("2026-03-02T10:00:00Z"), "{topic}");
        assert_eq!((read.event_id, read.partition, read.offset), (None, 3, 7));
    }
    let (reader, ..) = read(
        "stock-quotes",
        &[line(
            r#""symbol":"A","c":1,"t":1772445598,"fetched_at":1772445599"#,
        )],
    );
    assert_eq!(reader.subjects(), [Subject::default()], "a day of UTC");
    assert_eq!(reader.symbol(), Some("A"));
}

#[test]
fn a_fetch_time_is_that_of_meta_then_the_shape_s_then_kafka_s() {
    let fetched = |members: &str| {
        let members = format!(r#""symbol":"A","c":1,"t":1772445598{members}"#);
        one("stock-quotes", &members).map(|read| read.fetched_at)
    };
    let body = r#","fetched_at":1772445599"#;
    assert_eq!(fetched(body), Ok(time("2026-03-02T09:59:59Z")));
    assert_eq!(
        fetched(r#","fetched_at":0"#),
        Ok(time("2026-03-02T10:00:00Z"))
    );
    let meta =
        r#","meta":{"event_time":"2026-03-02T09:59:58Z","fetched_at":"2026-03-02T09:59:58.5Z"}"#;
    assert_eq!(
        fetched(&format!("{body}{meta}")),
        Ok(time("2026-03-02T09:59:58.5Z"))
    );
    let none = r#"{"symbol":"A","c":1,"t":1772445598,"_kafka":{"partition":0,"offset":1}}"#;
    let (.., outcomes) = read("stock-quotes", &[none.to_owned()]);
    assert_eq!(
        outcomes,
        ["it does not say when it was fetched, and Kafka's timestamp is missing"]
    );
}

#[test]
fn an_event_id_that_is_no_hex_is_told_apart_by_its_hash() {
    let id = |id: &str| {
        let members = format!(
            r#""symbol":"A","c":1,"meta":{{"event_id":"{id}","event_time":"2026-03-02T10:00:00Z"}}"#
        );
        one("stock-quotes", &members).unwrap().event_id.unwrap()
    };
    assert_eq!(id("000000000000000000000000000000ff"), 255);
    let texts = [
        "000000000000000000000000000000FF",
        "+00000000000000000000000000000ff",
        "order-1",
        "order-2",
        "ff",
        "",
    ];
    let mut ids: Vec<_> = texts.map(id).into();
    ids.push(255);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 7);
    // The first half of the SHA-256 of "order-1".
    assert_eq!(id("order-1"), id("order-1"));
}

#[test]
fn the_record_s_own_schema_goes_before_the_topic_s_name() {
    let members = r#""symbol":"A","c":1,"price":2,"size":3,"time":1772445600000,"t":1772445600"#;
    let meta = r#""meta":{"schema":"trades-raw/1","event_time":"2026-03-02T10:00:00Z"}"#;
    let said = one("stock-quotes", &format!("{members},{meta}"))
        .unwrap()
        .said;
    assert!(matches!(said, Said::Trade { .. }));
    assert!(matches!(
        one("trades_raw", members).unwrap().said,
        Said::Trade { .. }
    ));
    for topic in ["trades-raw", "stock_quotes", "my-topic", ""] {
        let aside = one(topic, members).unwrap_err();
        assert_eq!(aside, "unknown-schema", "{topic}");
    }
    let newer = format!(r#"{members},"meta":{{"schema":"trades-raw/2"}}"#);
    let refused = one("trades_raw", &newer).unwrap_err();
    assert!(refused.contains("trades-raw/2"), "{refused}");
}

#[test]
fn a_line_of_another_symbol_is_refused_and_leaves_the_others() {
    let of = |symbol: &str| line(&format!(r#""symbol":"{symbol}","c":1,"t":1772445598"#));
    let (reader, lines, outcomes) = read("stock-quotes", &[of("A"), of("B"), of("A")]);
    assert_eq!(
        outcomes[1],
        r#"it is of the symbol "B", not that of the lines before"#
    );
    assert_eq!(
        (outcomes[0].as_str(), outcomes[2].as_str()),
        ("read", "read")
    );
    assert_eq!((reader.symbol(), lines.observed.len()), (Some("A"), 2));
}

#[test]
fn a_line_with_bars_is_read_whole_or_not_at_all() {
    let good = r#"{"Date":"2026-03-02T09:59:00Z","Open":1,"High":1,"Low":1,"Close":1,"Volume":1}"#;
    let day = r#"{"Date":"2026-03-02","Open":1,"High":1,"Low":1,"Close":1,"Volume":1}"#;
    for (topic, good) in [("stock-intraday", good), ("stock-historical", day)] {
        for bad in [
            good.replace(r#""Close":1"#, r#""Close":null"#),
            good.replace(r#""Close":1,"#, ""),
            good.replace("2026-03-02", "2026-02-30"),
            "7".to_owned(),
        ] {
            let line = line(&format!(r#""symbol":"FPT","data":[{good},{bad}]"#));
            let (_, lines, outcomes) = read(topic, &[line]);
            assert_ne!(outcomes, ["read"], "{topic} {bad}");
            assert_eq!(lines, Lines::default(), "{topic} {bad}");
        }
        let (.., outcomes) = read(topic, &[line(r#""symbol":"FPT""#)]);
        assert_eq!(outcomes, ["it has no data as its schema says"]);
    }
}
