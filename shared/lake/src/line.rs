use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use crate::Received;

/// Where a line's record was in Kafka.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Coordinates {
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// Reads the coordinates of a bronze line; `None` if it has none.
pub fn coordinates(line: &[u8]) -> Option<Coordinates> {
    #[derive(Deserialize)]
    struct Line {
        _kafka: Coordinates,
    }
    serde_json::from_slice(line)
        .ok()
        .map(|Line { _kafka }| _kafka)
}

/// The member that a line has more than its record's value.
#[derive(Serialize)]
struct Kafka<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    key: Option<Bytes<'a>>,
    headers: Vec<Header<'a>>,
}

/// The record's value exactly as received plus `_kafka`, and a line feed. `value` is a JSON object; a line
/// break between its tokens becomes a space.
pub(crate) fn line(received: &Received, value: &[u8]) -> Vec<u8> {
    let object = value.trim_ascii_end();
    let open = &object[..object.len() - 1];
    let has_members = open.trim_ascii() != b"{";
    let mut line = Vec::with_capacity(value.len() + 192);
    line.extend(open.iter().map(|&byte| match byte {
        b'\n' | b'\r' => b' ',
        byte => byte,
    }));
    line.extend_from_slice(if has_members {
        b",\"_kafka\":"
    } else {
        b"\"_kafka\":"
    });
    write_json(&mut line, &kafka(received));
    line.extend_from_slice(b"}\n");
    line
}

fn kafka(received: &Received) -> Kafka<'_> {
    Kafka {
        topic: &received.topic,
        partition: received.partition,
        offset: received.offset,
        timestamp: received.timestamp,
        key: received.key.as_deref().map(Bytes),
        headers: headers(&received.headers),
    }
}

pub(crate) fn headers(headers: &[crate::Header]) -> Vec<Header<'_>> {
    headers
        .iter()
        .map(|(name, value)| Header {
            name,
            value: value.as_deref().map(Bytes),
        })
        .collect()
}

/// Appends `value` as JSON; writing to memory and to types of our own can't fail.
pub(crate) fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Bytes in JSON: text where they are UTF-8, else `{"base64":"..."}`.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(self.0) {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("base64", &base64_simd::STANDARD.encode_to_string(self.0))?;
        map.end()
    }
}

/// A header in JSON: `{"name": value}`.
pub(crate) struct Header<'a> {
    name: &'a str,
    value: Option<Bytes<'a>>,
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.name, &self.value)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn received() -> Received {
        Received {
            topic: "stock-quotes".into(),
            partition: 3,
            offset: 902,
            timestamp: Some(1_779_480_005_123),
            key: Some(b"AAPL".to_vec()),
            headers: vec![
                ("schema".into(), Some(b"v1".to_vec())),
                ("sig".into(), Some(vec![255])),
                ("n".into(), None),
            ],
            value: None,
        }
    }

    const KAFKA: &str = r#""_kafka":{"topic":"stock-quotes","partition":3,"offset":902,"timestamp":1779480005123,"key":"AAPL","headers":[{"schema":"v1"},{"sig":{"base64":"/w=="}},{"n":null}]}"#;

    #[test]
    fn a_line_is_the_value_as_received_plus_its_coordinates() {
        let check = |value: &str, before: &str| {
            let line = String::from_utf8(line(&received(), value.as_bytes())).unwrap();
            assert_eq!(line, format!("{before}{KAFKA}}}\n"));
        };
        check(
            r#"{"symbol":"AAPL","c":308.820}"#,
            r#"{"symbol":"AAPL","c":308.820,"#,
        );
        check("{ \"c\" : 1.0e5 } \n", "{ \"c\" : 1.0e5 ,");
        check("{\r\n  \"a\": 1\n}\n", "{    \"a\": 1 ,");
        check("{ }", "{ ");
        check("{}", "{");
    }

    #[test]
    fn coordinates_are_read_back_from_a_line() {
        let line = line(&received(), br#"{"symbol":"AAPL"}"#);
        let expected = Coordinates {
            topic: "stock-quotes".into(),
            partition: 3,
            offset: 902,
        };
        assert_eq!(coordinates(&line), Some(expected));
        assert_eq!(coordinates(b"{}"), None);
    }

    proptest! {
        #[test]
        fn any_object_keeps_its_members_on_one_line(
            members in prop::collection::btree_map(".{0,6}", ".{0,12}", 0..5),
            pretty in any::<bool>(),
        ) {
            let value = json!(members);
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let line = line(&received(), text.as_bytes());
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            let mut read: Value = serde_json::from_slice(&line).unwrap();
            prop_assert!(read.as_object_mut().unwrap().remove("_kafka").is_some());
            prop_assert_eq!(read, value);
        }
    }
}
