use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn text(text: &str) -> Field<Cow<'_, str>> {
    Field::Is(Cow::Borrowed(text))
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
           "headers":[{"schema":[113,118,49]},{"sig":[-1,127,-128]},{"sig":[255]}]}
        ],
        "stock-quotes-3": [
          {"topic":"stock-quotes","partition":3,"offset":902,"timestamp":-1,"value":null,"headers":[]}
        ]
      }
    }"#;
    let event = KafkaEvent::decode(json).unwrap();
    assert_eq!(event.len(), 2);
    let (name, records) = &event.partitions[0];
    assert_eq!(name, "stock-quotes-0");
    assert_eq!(
        Record::decode(records[0]),
        Record {
            topic: text("stock-quotes"),
            partition: Field::Is(0),
            offset: Field::Is(15),
            timestamp: Field::Is(1_779_480_000_123),
            key: text("QUFQTA=="),
            value: text("e30="),
            headers: Field::Is(vec![
                ("schema".into(), Field::Is(b"qv1".to_vec())),
                ("sig".into(), Field::Is(vec![255, 127, 128])),
                ("sig".into(), Field::Is(vec![255])),
            ]),
        }
    );
    let record = Record::decode(event.partitions[1].1[0]);
    assert_eq!(record.value, Field::Absent);
    assert_eq!(record.key, Field::Absent);
    assert_eq!(record.timestamp, Field::Is(-1));
    assert!(matches!(record.topic, Field::Is(Cow::Borrowed(_))));
}

#[test]
fn an_odd_member_costs_itself_and_not_its_neighbours() {
    let json = json!({"records": {"t-0": [
        {"topic": 7, "partition": "0", "offset": [1], "timestamp": "1779480000123", "key": {"a": [null]},
         "value": 1.5, "headers": null, "keySchemaMetadata": {"dataFormat": "JSON"}},
        {"headers": [{"h": null}, {"h": [300]}]},
        {"headers": "none"},
        {"headers": [3]},
        "not a record",
        null,
        {"topic": "t", "partition": 0, "offset": 6}
    ]}})
    .to_string();
    let event = KafkaEvent::decode(&json).unwrap();
    let records: Vec<_> = event.partitions[0]
        .1
        .iter()
        .map(|json| Record::decode(json))
        .collect();
    assert_eq!(
        records[0],
        Record {
            topic: Field::Odd,
            partition: Field::Is(0),
            offset: Field::Odd,
            timestamp: Field::Is(1_779_480_000_123),
            key: Field::Odd,
            value: Field::Odd,
            headers: Field::Absent,
        }
    );
    assert_eq!(
        records[1].headers,
        Field::Is(vec![("h".into(), Field::Absent), ("h".into(), Field::Odd)])
    );
    assert_eq!(records[2].headers, Field::Odd);
    assert_eq!(records[3].headers, Field::Odd);
    assert_eq!(records[4], Record::default());
    assert_eq!(records[5], Record::default());
    assert_eq!(records[6].offset, Field::Is(6));
}

#[test]
fn a_record_that_can_not_be_represented_costs_no_neighbour() {
    let json = r#"{"records":{"t-0":[{"topic":"\ud800","offset":1},{"offset":1e999},{"topic":"t","offset":3}]}}"#;
    let event = KafkaEvent::decode(json).unwrap();
    let records: Vec<_> = event.partitions[0]
        .1
        .iter()
        .map(|json| Record::decode(json))
        .collect();
    assert_eq!(records[0], Record::default());
    assert_eq!(records[1], Record::default());
    assert_eq!(records[2].offset, Field::Is(3));
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
    fn whatever_a_record_holds_every_record_is_counted(
        records in prop::collection::vec(any_json(), 0..6)
    ) {
        let count = records.len();
        let json = json!({"records": {"t-0": records}}).to_string();
        let event = KafkaEvent::decode(&json).unwrap();
        prop_assert_eq!(event.len(), count);
        for json in event.partitions.iter().flat_map(|(_, records)| records) {
            let _ = Record::decode(json);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        let _ = KafkaEvent::decode(&text);
    }
}
