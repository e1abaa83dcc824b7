use bytes::Bytes;

use crate::{
    Layout, ObjectKey, Place, Reason,
    content::{read_content, usable_time},
    line::line,
    quarantine::quarantine,
};

/// A record as Kafka gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Kafka's timestamp in milliseconds since the epoch, where it has one.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The headers in order; names may repeat, values may be null.
    pub headers: Vec<Header>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// A header's name and value, which may be null.
pub type Header = (String, Option<Vec<u8>>);

/// What one record becomes in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The object that holds it.
    pub key: ObjectKey,
    /// The object's bytes, with this record alone.
    pub body: Bytes,
    /// Which of the two it is.
    pub kind: Kind,
}

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To the lake.
    Bronze,
    /// Aside, with its reason.
    Quarantine(Reason),
}

/// Judges a record: a JSON object with a symbol and a time becomes a bronze line, anything else is kept in
/// quarantine. The result is a function of the layout and the record alone.
pub fn admit(layout: &Layout, received: &Received) -> Admitted {
    let Some(value) = &received.value else {
        return quarantine(
            layout,
            received,
            Reason::Tombstone,
            "the record has no value",
        );
    };
    let content = match read_content(value) {
        Ok(content) => content,
        Err(defect) => {
            return quarantine(layout, received, Reason::of(&defect), &defect.to_string());
        }
    };
    let Some(time) = content
        .time
        .or_else(|| received.timestamp.and_then(usable_time))
    else {
        let detail = "neither the value nor the record has a usable time";
        return quarantine(layout, received, Reason::NoTime, detail);
    };
    let place = Place {
        topic: &received.topic,
        symbol: &content.symbol,
        time,
        partition: received.partition,
        offset: received.offset,
    };
    Admitted {
        key: layout.bronze_key(place),
        body: line(received, value).into(),
        kind: Kind::Bronze,
    }
}

/// The quarantine object of a record whose place in bronze is taken by other bytes.
pub fn offset_reused(layout: &Layout, received: &Received) -> Admitted {
    let detail = "other bytes are in bronze at this offset; a recreated topic needs a new epoch";
    quarantine(layout, received, Reason::OffsetReused, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{coordinates, quarantined_coordinates};

    fn layout() -> Layout {
        Layout::record("bronze", Some("7"))
    }

    fn received(value: Option<&str>) -> Received {
        Received {
            topic: "t".into(),
            partition: 1,
            offset: 5,
            timestamp: Some(1_779_480_000_123),
            value: value.map(|value| value.as_bytes().to_vec()),
            ..Received::default()
        }
    }

    #[test]
    fn each_kind_of_bad_record_has_its_reason_and_keeps_its_bytes() {
        let check = |received: Received, reason: Reason| {
            let admitted = admit(&layout(), &received);
            assert_eq!(admitted.kind, Kind::Quarantine(reason));
            let key = admitted.key.as_str();
            assert!(
                key.starts_with("bronze/epoch=7/_quarantine/t/p001-o0000000000000000005-"),
                "{key}"
            );
            let body: Value = serde_json::from_slice(&admitted.body).unwrap();
            let kept = body["value_base64"]
                .as_str()
                .map(|text| base64_simd::STANDARD.decode_to_vec(text).unwrap());
            assert_eq!(kept, received.value);
            let (coordinates, read) = quarantined_coordinates(&admitted.body).unwrap();
            assert_eq!((coordinates.offset, read), (5, reason));
        };
        check(received(None), Reason::Tombstone);
        check(received(Some("{\"symbol\":")), Reason::BrokenJson);
        check(received(Some("[]")), Reason::NotAnObject);
        check(received(Some("{\"c\":1}")), Reason::NoSymbol);
        check(
            received(Some("{\"symbol\":\"../../x\"}")),
            Reason::UnsafeSymbol,
        );
        check(
            received(Some("{\"symbol\":\"A\",\"_kafka\":1}")),
            Reason::ReservedMember,
        );
        for timestamp in [None, Some(-1), Some(i64::MAX)] {
            check(
                Received {
                    timestamp,
                    ..received(Some("{\"symbol\":\"A\"}"))
                },
                Reason::NoTime,
            );
        }
    }

    #[test]
    fn kafkas_time_serves_a_value_without_one() {
        let admitted = admit(&layout(), &received(Some("{\"symbol\":\"A\"}")));
        assert_eq!(
            admitted.key.as_str(),
            "bronze/epoch=7/t/symbol=A/date=2026-05-22/20260522T200000.123Z-p001-o0000000000000000005.ndjson"
        );
    }

    #[test]
    fn two_records_at_one_offset_have_two_quarantine_keys() {
        let key = |value| offset_reused(&layout(), &received(Some(value))).key;
        assert_ne!(key("a"), key("b"));
        assert_eq!(key("a"), key("a"));
    }

    proptest! {
        #[test]
        fn any_record_is_admitted_with_its_coordinates(
            partition in 0..1000_i32,
            offset in 0..i64::MAX,
            timestamp in any::<Option<i64>>(),
            key in any::<Option<Vec<u8>>>(),
            headers in prop::collection::vec((".{0,5}", any::<Option<Vec<u8>>>()), 0..3),
            value in prop_oneof![
                any::<Option<Vec<u8>>>(),
                ".{0,10}".prop_map(|s| Some(serde_json::json!({"symbol": s, "fetched_at": 1_779_480_000}).to_string().into_bytes())),
            ],
        ) {
            let received = Received { topic: "t".into(), partition, offset, timestamp, key, headers, value };
            let admitted = admit(&layout(), &received);
            let found = match admitted.kind {
                Kind::Bronze => coordinates(&admitted.body),
                Kind::Quarantine(_) => quarantined_coordinates(&admitted.body).map(|(found, _)| found),
            };
            let found = found.unwrap();
            prop_assert_eq!((&*found.topic, found.partition, found.offset), ("t", partition, offset));
            prop_assert_eq!(admit(&layout(), &received), admitted);
        }
    }
}
