use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Header, Received};

/// Writes the lines of one partition's records.
pub(crate) struct LineWriter {
    /// The member `_kafka` up to the offset, which is the same in every line.
    head: Vec<u8>,
}

impl LineWriter {
    pub(crate) fn new(topic: &str, partition: i32) -> Self {
        let mut head = Vec::with_capacity(topic.len() + HEAD_WITHOUT_TOPIC);
        head.extend_from_slice(b"\"_kafka\":{\"topic\":");
        write_json(&mut head, &topic);
        head.extend_from_slice(b",\"partition\":");
        write_json(&mut head, &partition);
        head.extend_from_slice(b",\"offset\":");
        Self { head }
    }

    /// Appends the record's value exactly as received plus `_kafka`, and a line feed. `value` is a JSON object; a
    /// line break between its tokens becomes a space.
    pub(crate) fn write(&self, out: &mut Vec<u8>, received: &Received<'_>, value: &[u8]) {
        let object = value.trim_ascii_end();
        let open = &object[..object.len() - 1];
        let start = out.len();
        out.extend_from_slice(open);
        for byte in &mut out[start..] {
            *byte = match *byte {
                b'\n' | b'\r' => b' ',
                byte => byte,
            };
        }
        if open.trim_ascii() != b"{" {
            out.push(b',');
        }
        out.extend_from_slice(&self.head);
        write_json(out, &received.offset);
        out.extend_from_slice(b",\"timestamp\":");
        write_json(out, &received.timestamp);
        out.extend_from_slice(b",\"key\":");
        write_json(out, &received.key.map(Bytes));
        out.extend_from_slice(b",\"headers\":");
        write_json(out, &Headers(received.headers));
        out.extend_from_slice(b"}}\n");
    }
}

/// Room for what the head has beside the topic.
const HEAD_WITHOUT_TOPIC: usize = 64;

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

/// Headers in JSON: `[{"name": value}, ...]`.
pub(crate) struct Headers<'a>(pub(crate) &'a [Header<'a>]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(OneHeader))
    }
}

struct OneHeader<'a>(&'a Header<'a>);

impl Serialize for OneHeader<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0.name, &self.0.value.map(Bytes))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const HEADERS: [Header<'_>; 3] = [
        Header {
            name: "schema",
            value: Some(b"v1"),
        },
        Header {
            name: "sig",
            value: Some(&[255]),
        },
        Header {
            name: "n",
            value: None,
        },
    ];

    fn line(value: &[u8]) -> Vec<u8> {
        let received = Received {
            topic: "stock-quotes",
            partition: 3,
            offset: 902,
            timestamp: Some(1_779_480_005_123),
            key: Some(b"AAPL"),
            headers: &HEADERS,
            value: None,
        };
        let mut line = Vec::new();
        LineWriter::new(received.topic, received.partition).write(&mut line, &received, value);
        line
    }

    const KAFKA: &str = r#""_kafka":{"topic":"stock-quotes","partition":3,"offset":902,"timestamp":1779480005123,"key":"AAPL","headers":[{"schema":"v1"},{"sig":{"base64":"/w=="}},{"n":null}]}"#;

    #[test]
    fn a_line_is_the_value_as_received_plus_its_coordinates() {
        let check = |value: &str, before: &str| {
            let line = String::from_utf8(line(value.as_bytes())).unwrap();
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

    proptest! {
        #[test]
        fn any_object_keeps_its_members_on_one_line(
            members in prop::collection::btree_map(".{0,6}", ".{0,12}", 0..5),
            pretty in any::<bool>(),
        ) {
            let value = json!(members);
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let line = line(text.as_bytes());
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            let mut read: Value = serde_json::from_slice(&line).unwrap();
            prop_assert!(read.as_object_mut().unwrap().remove("_kafka").is_some());
            prop_assert_eq!(read, value);
        }
    }
}
