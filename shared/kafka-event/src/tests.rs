use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A record's members as a test can compare them.
#[derive(Debug, PartialEq)]
struct Seen<'e> {
    at: (&'e str, i32, i64),
    timestamp: Option<i64>,
    key: Option<&'e [u8]>,
    value: Option<&'e [u8]>,
    headers: Vec<(&'e str, Option<&'e [u8]>)>,
}

fn seen<'e>(event: &'e KafkaEvent<'_>, position: usize) -> Seen<'e> {
    let record = &event.records[position];
    let headers: Vec<_> = event.headers().collect();
    Seen {
        at: (&record.topic, record.partition, record.offset),
        timestamp: record.timestamp,
        key: event.key(record),
        value: event.value(record),
        headers: headers[event.headers_of(record)].to_vec(),
    }
}

#[test]
fn the_documented_event_decodes_member_by_member() {
    let json = r#"{
      "eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:us-east-1:1:cluster/q/1",
      "bootstrapServers": "b-1:9098,b-2:9098",
      "records": {
        "stock-quotes-0": [
          {"topic":"stock-quotes","partition":0,"offset":15,"timestamp":1779480000123,
           "timestampType":"CREATE_TIME","key":"QUFQTA==","value":"e30=",
           "headers":[{"schema":[113,118,49]},{"sig":[-1,127,-128]},{"sig":[255]},{"n":null}]}
        ],
        "stock-quotes-3": [
          {"topic":"stock-quotes","partition":3,"offset":902,"timestamp":-1,"value":null,"headers":[]}
        ]
      }
    }"#;
    let event = KafkaEvent::decode(json).unwrap();
    assert_eq!(event.sources, ["stock-quotes-0", "stock-quotes-3"]);
    assert_eq!(event.records.len(), 2);
    assert_eq!(
        seen(&event, 0),
        Seen {
            at: ("stock-quotes", 0, 15),
            timestamp: Some(1_779_480_000_123),
            key: Some(b"AAPL"),
            value: Some(b"{}"),
            headers: vec![
                ("schema", Some(b"qv1")),
                ("sig", Some(&[255, 127, 128])),
                ("sig", Some(&[255])),
                ("n", None),
            ],
        }
    );
    assert_eq!(
        seen(&event, 1),
        Seen {
            at: ("stock-quotes", 3, 902),
            timestamp: None,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    );
}

#[test]
fn what_a_record_leaves_out_comes_from_the_maps_key() {
    let json = r#"{"records":{"a-b-7":[{"offset":"1","headers":null},{"topic":5,"partition":"x","offset":2,"value":"e30="}]}}"#;
    let event = KafkaEvent::decode(json).unwrap();
    assert_eq!(seen(&event, 0).at, ("a-b", 7, 1));
    assert_eq!(seen(&event, 1).at, ("a-b", 7, 2));
}

#[test]
fn a_record_that_can_not_be_read_costs_no_neighbour_and_keeps_its_coordinates() {
    let check = |record: &str, offset: Option<i64>, defect: &str| {
        let json = format!(
            r#"{{"records":{{"t-3":[{{"offset":1,"value":"YQ=="}},{record},{{"offset":9,"value":"Yg=="}}]}}}}"#
        );
        let event = KafkaEvent::decode(&json).unwrap();
        assert_eq!((event.records.len(), event.unreadable.len()), (2, 1));
        assert_eq!(seen(&event, 0).value, Some(&b"a"[..]));
        assert_eq!(seen(&event, 1).value, Some(&b"b"[..]));
        let unreadable = &event.unreadable[0];
        assert_eq!((unreadable.json, unreadable.offset), (record, offset));
        assert_eq!((&*unreadable.topic, unreadable.partition), ("t", 3));
        assert!(
            unreadable.defect.starts_with(defect),
            "{}",
            unreadable.defect
        );
    };
    check(
        r#"{"offset":4,"value":"%%%"}"#,
        Some(4),
        "the value is not Base64",
    );
    check(
        r#"{"offset":4,"key":"a"}"#,
        Some(4),
        "the key is not Base64",
    );
    check(
        r#"{"offset":4,"value":1.5}"#,
        Some(4),
        "invalid type: floating point `1.5`, expected Base64 or null",
    );
    check(
        r#"{"offset":4,"headers":[{"h":[300]}]}"#,
        Some(4),
        "a header's byte is not from -128 to 255",
    );
    check(
        r#"{"offset":4,"headers":"none"}"#,
        Some(4),
        "invalid type: string \"none\", expected the headers",
    );
    check(
        r#"{"offset":4,"headers":[3]}"#,
        Some(4),
        "invalid type: integer `3`, expected a map of a header's name",
    );
    check(r#"{"offset":[1]}"#, None, "the record has no offset");
    check(r#"{"offset":-1}"#, None, "the record has no offset");
    check(r#"{"value":"e30="}"#, None, "the record has no offset");
    check(r#"{"offset":1e999}"#, None, "number out of range");
    check(
        r#"{"offset":4,"key":"\ud800"}"#,
        Some(4),
        "unexpected end of hex escape",
    );
    check(
        "\"text\"",
        None,
        "invalid type: string \"text\", expected a record",
    );
    check("null", None, "invalid type: null, expected a record");
}

#[test]
fn without_any_partition_a_record_can_not_be_read() {
    let event = KafkaEvent::decode(r#"{"records":{"t":[{"offset":1}]}}"#).unwrap();
    let record = &event.unreadable[0];
    assert_eq!(
        (&*record.topic, record.partition, record.offset),
        ("t", -1, Some(1))
    );
}

#[test]
fn a_payload_of_another_kind_is_one_sentence() {
    for json in [
        "",
        "[]",
        "{}",
        r#"{"records":[]}"#,
        r#"{"records":{"t-0":1}}"#,
        "{\"records\":",
        r#"{"records":{}} x"#,
    ] {
        let said = KafkaEvent::decode(json).unwrap_err().to_string();
        assert!(
            said.starts_with("the payload is not a Kafka trigger's event ("),
            "{said}"
        );
        assert!(!said.contains('\n'), "{said}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(Value::from("QUFQTA==")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![
                    "topic|partition|offset|timestamp|key|value|headers",
                    ".{0,4}"
                ],
                inner,
                0..4
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_records_hold_each_is_read_as_if_it_were_alone(
        records in prop::collection::vec(any_json(), 0..6)
    ) {
        let json = json!({"records": {"t-0": records}}).to_string();
        let event = KafkaEvent::decode(&json).unwrap();
        let (mut sound, mut unreadable) = (0..event.records.len(), event.unreadable.iter());
        for record in &records {
            let alone = json!({"records": {"t-0": [record]}}).to_string();
            let alone = KafkaEvent::decode(&alone).unwrap();
            prop_assert_eq!(alone.records.len() + alone.unreadable.len(), 1);
            if alone.unreadable.is_empty() {
                prop_assert_eq!(seen(&event, sound.next().unwrap()), seen(&alone, 0));
            } else {
                prop_assert_eq!(unreadable.next().unwrap().json, record.to_string());
            }
        }
        prop_assert_eq!((sound.len(), unreadable.len()), (0, 0));
    }

    #[test]
    fn every_byte_of_a_record_comes_through(
        key in any::<Option<Vec<u8>>>(),
        value in any::<Option<Vec<u8>>>(),
        headers in prop::collection::vec((".{0,5}", any::<Vec<i8>>()), 0..3),
    ) {
        let base64 = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| base64_simd::STANDARD.encode_to_string(bytes));
        let list: Vec<Value> = headers.iter().map(|(name, bytes)| json!({name: bytes})).collect();
        let json = json!({"records": {"t-0": [{"offset": 1, "key": base64(&key), "value": base64(&value), "headers": list}]}}).to_string();
        let event = KafkaEvent::decode(&json).unwrap();
        let seen = seen(&event, 0);
        prop_assert_eq!((seen.key, seen.value), (key.as_deref(), value.as_deref()));
        let unsigned: Vec<(&str, Vec<u8>)> = headers
            .iter()
            .map(|(name, bytes)| (&**name, bytes.iter().map(|byte| byte.cast_unsigned()).collect()))
            .collect();
        let found: Vec<(&str, Vec<u8>)> = seen.headers.iter().map(|(name, value)| (*name, value.unwrap().to_vec())).collect();
        prop_assert_eq!(found, unsigned);
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        let _ = KafkaEvent::decode(&text);
    }
}
