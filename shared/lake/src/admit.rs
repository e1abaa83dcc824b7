use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    Defect, Layout, ObjectKey, Place, Reason, Version,
    content::{read_content, usable_time},
    line::LineWriter,
    quarantine::quarantine,
};

/// A record as Kafka gave it, borrowed from wherever it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Kafka's timestamp in milliseconds since the epoch, where it has one.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The headers in order; names may repeat.
    pub headers: &'a [Header<'a>],
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// A header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, which may be null.
    pub value: Option<&'a [u8]>,
}

/// What of a record's value decides where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The symbol.
    pub symbol: Cow<'a, str>,
    /// Whether the value says it as `ticker` alone, so that its line gets a member `symbol`.
    pub has_only_ticker: bool,
    /// When the value was fetched, as it says itself; else Kafka's timestamp.
    pub time: Timestamp,
}

impl Identity<'_> {
    /// The place of the record that this is the identity of.
    pub fn place<'a>(&'a self, received: &Received<'a>) -> Place<'a> {
        Place {
            topic: received.topic,
            symbol: &self.symbol,
            time: self.time,
            partition: received.partition,
            offset: received.offset,
        }
    }

    /// What the line says as `symbol` that its value does not.
    pub(crate) fn added_symbol(&self) -> Option<&str> {
        self.has_only_ticker.then_some(&*self.symbol)
    }
}

/// Why a record can be no bronze line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has no value.
    #[error("the record has no value")]
    Tombstone,
    /// Its value is none that a line can hold.
    #[error(transparent)]
    Value(#[from] Defect),
    /// It has no time.
    #[error("neither the value nor the record has a usable time")]
    NoTime,
}

/// What one record alone becomes in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The object that holds it.
    pub key: ObjectKey,
    /// For bronze its line; for quarantine the whole object.
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

/// Judges a record: a JSON object with a symbol and a time becomes a bronze line. The result is a function of
/// the record alone.
///
/// # Errors
/// [`Unfit`] for what belongs in quarantine.
pub fn identify<'a>(version: Version, received: &Received<'a>) -> Result<Identity<'a>, Unfit> {
    let value = received.value.ok_or(Unfit::Tombstone)?;
    let content = read_content(version, value)?;
    let of_kafka = || usable_time(version, received.timestamp?);
    Ok(Identity {
        symbol: content.symbol,
        has_only_ticker: content.has_only_ticker,
        time: content.time.or_else(of_kafka).ok_or(Unfit::NoTime)?,
    })
}

/// A record's object as if it were alone in it: its key, and its line or its quarantine body.
pub fn admit(layout: &Layout, received: &Received<'_>) -> Admitted {
    let version = layout.version();
    match (identify(version, received), received.value) {
        (Ok(identity), Some(value)) => {
            let mut line = Vec::with_capacity(value.len() + 192);
            let writer = LineWriter::new(version, received.topic, received.partition);
            writer.write(&mut line, received, value, identity.added_symbol());
            Admitted {
                key: layout.bronze_key(identity.place(received)),
                body: line.into(),
                kind: Kind::Bronze,
            }
        }
        (Err(unfit), _) => put_aside(layout, received, &unfit),
        (Ok(_), None) => put_aside(layout, received, &Unfit::Tombstone),
    }
}

/// The quarantine object of a record that can be no bronze line.
pub fn put_aside(layout: &Layout, received: &Received<'_>, unfit: &Unfit) -> Admitted {
    quarantine(layout, received, Reason::of(unfit), &unfit.to_string())
}

/// The quarantine object of a record whose place in bronze is taken by other bytes.
pub fn offset_reused(layout: &Layout, received: &Received<'_>) -> Admitted {
    let detail = "other bytes are in bronze at this offset; a recreated topic needs a new epoch";
    quarantine(layout, received, Reason::OffsetReused, detail)
}

/// The quarantine object of a record whose bronze object would be too large to be read again.
pub fn object_too_large(layout: &Layout, received: &Received<'_>) -> Admitted {
    let detail = "its bronze object is full; take fewer offsets or a shorter time for each object, in a new epoch";
    quarantine(layout, received, Reason::ObjectTooLarge, detail)
}

/// The quarantine object of a record whose bronze object can't be read any more.
pub fn object_damaged(layout: &Layout, received: &Received<'_>) -> Admitted {
    let detail = "its bronze object is damaged; restore or remove that, then replay this";
    quarantine(layout, received, Reason::ObjectDamaged, detail)
}

/// The quarantine object of a record that is no row of the database's tables; `detail` says why, in a sentence.
pub fn no_row(layout: &Layout, received: &Received<'_>, detail: &str) -> Admitted {
    quarantine(layout, received, Reason::NoRow, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Compression, Granularity, read_line, read_quarantined, read_stored};

    fn layout() -> Layout {
        Layout::new("bronze", Some("7"), Granularity::RECORD, Compression::None)
    }

    fn received(value: Option<&str>) -> Received<'_> {
        Received {
            topic: "t",
            partition: 1,
            offset: 5,
            timestamp: Some(1_779_480_000_123),
            value: value.map(str::as_bytes),
            ..Received::default()
        }
    }

    #[test]
    fn each_kind_of_bad_record_has_its_reason_and_keeps_its_bytes() {
        let check = |received: Received<'_>, reason: Reason| {
            let admitted = admit(&layout(), &received);
            assert_eq!(admitted.kind, Kind::Quarantine(reason));
            let key = admitted.key.as_str();
            assert!(
                key.starts_with("bronze/epoch=7/_quarantine/t/p001-o0000000000000000005-"),
                "{key}"
            );
            let read = read_quarantined(&admitted.body).unwrap();
            assert_eq!(read.reason, reason);
            let headers = read.headers();
            assert_eq!(read.received(&headers), Some(received));
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
        check(
            received(Some("{\"symbol\":\"A\",\"Lake_Date\":1}")),
            Reason::ReservedMember,
        );
        check(
            received(Some("{\"symbol\":\"A\",\"x\":\"\\udc00\"}")),
            Reason::LoneSurrogate,
        );
        check(
            received(Some("{\"symbol\":\"A\",\"x\":1,\"X\":2}")),
            Reason::NamedTwice,
        );
        check(
            received(Some("{\"symbol\":\"A\",\"x\":1e400}")),
            Reason::NumberTooLarge,
        );
        let deep = format!(
            "{{\"symbol\":\"A\",\"x\":{}{}}}",
            "[".repeat(64),
            "]".repeat(64)
        );
        check(received(Some(&deep)), Reason::TooDeep);
        for timestamp in [None, Some(-1), Some(0), Some(i64::MAX)] {
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
        // When a thing happened is no time at which it was fetched, and zero is none.
        let value = r#"{"symbol":"A","event_time":1600000000000,"fetched_at":0}"#;
        let admitted = admit(&layout(), &received(Some(value)));
        assert_eq!(
            admitted.key.as_str(),
            "bronze/epoch=7/lake_topic=t/lake_symbol=_A/lake_date=2026-05-22/20260522T200000.123Z-p001-o0000000000000000005.ndjson"
        );
    }

    #[test]
    fn two_records_at_one_offset_have_two_quarantine_keys() {
        let key = |value| offset_reused(&layout(), &received(Some(value))).key;
        assert_ne!(key("a"), key("b"));
        assert_eq!(key("a"), key("a"));
    }

    #[test]
    fn a_line_tells_its_record_whatever_the_value_has_inside() {
        let check = |value: &str, back: &str| {
            let admitted = admit(&layout(), &received(Some(value)));
            let line = read_line(Version::Two, &admitted.body).unwrap();
            let mut bytes = Vec::new();
            assert_eq!(line.received(&mut bytes), Some(received(Some(back))));
        };
        let nested = r#"{"symbol":"A","x":{"_kafka":{"topic":"u"}},"y":"\"_kafka\":{"}"#;
        check(nested, nested);
        let added = r#"{"ticker":"A","symbol":"A"}"#;
        check(
            "{\"ticker\":\n\"A\"}\n",
            &added.replace(":\"A\",", ": \"A\","),
        );
        let edited = br#"{"symbol":"A","_kafka":{"topic":"t","partition":1,"offset":5,"timestamp":9},"x":1}"#;
        let line = read_line(Version::Two, edited).unwrap();
        let mut value = Vec::new();
        let back = line.received(&mut value).unwrap();
        assert_eq!(
            back.value,
            Some(&br#"{"symbol":"A"}"#[..]),
            "what comes after is none of the record's"
        );
    }

    proptest! {
        #[test]
        fn what_is_admitted_is_read_back_whatever_its_members_are_named(
            names in prop::collection::vec(prop::sample::select(vec![
                "_kafka", "_KAFKA", "_\u{212a}afka", "_\\u212aafka", "lake_\u{17f}ymbol", "LAKE_DATE", "Epoch", "epochs", "k",
                "\u{212a}", "symbol", "SYMBOL", "\u{17f}ymbol", "s\\u0079mbol", "ticker", "fetched_at", "meta", "\u{b5}", "\u{3bc}",
            ]), 0..4),
        ) {
            let members: Vec<_> = names.iter().map(|name| format!(r#""{name}":"A""#)).collect();
            let value = format!("{{{}}}", members.join(","));
            let admitted = admit(&layout(), &received(Some(&value)));
            if admitted.kind == Kind::Bronze {
                let read = read_stored(&layout(), &admitted.key, &admitted.body);
                prop_assert!(read.is_ok(), "{}: {:?}", value, read);
            }
        }

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
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value): &(String, Option<Vec<u8>>)| Header { name, value: value.as_deref() })
                .collect();
            let received = Received {
                topic: "t", partition, offset, timestamp,
                key: key.as_deref(), headers: &headers, value: value.as_deref(),
            };
            let admitted = admit(&layout(), &received);
            match admitted.kind {
                Kind::Bronze => {
                    let line = read_line(Version::Two, &admitted.body).unwrap();
                    prop_assert_eq!((&*line.topic, line.partition, line.offset), ("t", partition, offset));
                    prop_assert_eq!(layout().bronze_key(line.place()), admitted.key.clone());
                    let mut value = Vec::new();
                    let back = line.received(&mut value);
                    prop_assert_eq!(back, Some(Received { key: None, headers: &[], ..received }));
                }
                Kind::Quarantine(_) => {
                    let read = read_quarantined(&admitted.body).unwrap();
                    let headers = read.headers();
                    prop_assert_eq!(read.received(&headers), Some(received));
                }
            }
            prop_assert_eq!(admit(&layout(), &received), admitted);
        }
    }
}
