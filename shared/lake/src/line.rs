use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Header, Received, Version};

/// Writes the lines of one partition's records.
pub(crate) struct LineWriter {
    version: Version,
    /// The member `_kafka` up to the offset, which is the same in every line.
    head: Vec<u8>,
}

impl LineWriter {
    pub(crate) fn new(version: Version, topic: &str, partition: i32) -> Self {
        let mut head = Vec::with_capacity(topic.len() + HEAD_WITHOUT_TOPIC);
        head.extend_from_slice(b"\"_kafka\":{\"topic\":");
        write_json(&mut head, &topic);
        head.extend_from_slice(b",\"partition\":");
        write_json(&mut head, &partition);
        head.extend_from_slice(b",\"offset\":");
        Self { version, head }
    }

    /// Appends the record's value exactly as received plus `_kafka`, and a line feed. `value` is a JSON object; a
    /// line break between its tokens becomes a space. A value without a member `symbol` gets the one of `added_symbol`.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        received: &Received<'_>,
        value: &[u8],
        added_symbol: Option<&str>,
    ) {
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
        if let Some(symbol) = added_symbol {
            out.extend_from_slice(b"\"symbol\":");
            write_json(out, &symbol);
            out.push(b',');
        }
        out.extend_from_slice(&self.head);
        write_json(out, &received.offset);
        out.extend_from_slice(b",\"timestamp\":");
        write_json(out, &received.timestamp);
        out.extend_from_slice(b",\"key\":");
        match (self.version, received.key.map(str::from_utf8)) {
            (Version::One, _) => write_json(out, &received.key.map(Bytes)),
            (Version::Two, Some(Err(_))) => {
                out.extend_from_slice(b"null,\"key_base64\":");
                write_json(out, &received.key.map(Base64));
            }
            (Version::Two, text) => write_json(out, &text.and_then(Result::ok)),
        }
        out.extend_from_slice(b",\"headers\":");
        write_json(out, &Headers(self.version, received.headers));
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

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(self.0))
    }
}

/// Headers in JSON: `[{"name": name, "value": value}, ...]`, with `base64` for a value that is no UTF-8 and so null.
/// A column has one type in every line, and a foreign name is the name of no member. In layout 1 `[{name: value}, ...]`.
pub(crate) struct Headers<'a>(pub(crate) Version, pub(crate) &'a [Header<'a>]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|header| OneHeader(self.0, header)))
    }
}

struct OneHeader<'a>(Version, &'a Header<'a>);

impl Serialize for OneHeader<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(version, &Header { name, value }) = *self;
        let mut map = serializer.serialize_map(None)?;
        match (version, value.map(str::from_utf8)) {
            (Version::One, _) => map.serialize_entry(name, &value.map(Bytes))?,
            (Version::Two, Some(Err(_))) => {
                map.serialize_entry("name", name)?;
                map.serialize_entry("value", &None::<&str>)?;
                map.serialize_entry("base64", &value.map(Base64))?;
            }
            (Version::Two, text) => {
                map.serialize_entry("name", name)?;
                map.serialize_entry("value", &text.and_then(Result::ok))?;
            }
        }
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

    fn line(version: Version, key: &[u8], value: &[u8], added_symbol: Option<&str>) -> String {
        let received = Received {
            topic: "stock-quotes",
            partition: 3,
            offset: 902,
            timestamp: Some(1_779_480_005_123),
            key: Some(key),
            headers: &HEADERS,
            value: None,
        };
        let mut line = Vec::new();
        let writer = LineWriter::new(version, received.topic, received.partition);
        writer.write(&mut line, &received, value, added_symbol);
        String::from_utf8(line).unwrap()
    }

    const KAFKA: &str = r#""_kafka":{"topic":"stock-quotes","partition":3,"offset":902,"timestamp":1779480005123,"key":"AAPL","headers":[{"name":"schema","value":"v1"},{"name":"sig","value":null,"base64":"/w=="},{"name":"n","value":null}]}"#;

    #[test]
    fn a_key_and_a_header_have_one_type_in_every_line() {
        let key = |version| {
            let line = line(version, &[255], b"{}", None);
            let read: Value = serde_json::from_str(&line).unwrap();
            (
                read["_kafka"]["key"].clone(),
                read["_kafka"]["key_base64"].clone(),
            )
        };
        assert_eq!(key(Version::Two), (Value::Null, json!("/w==")));
        assert_eq!(key(Version::One), (json!({"base64": "/w=="}), Value::Null));
        let of_one = line(Version::One, b"AAPL", b"{}", None);
        let headers = r#""headers":[{"schema":"v1"},{"sig":{"base64":"/w=="}},{"n":null}]"#;
        assert!(of_one.contains(headers), "{of_one}");
    }

    #[test]
    fn a_value_without_a_symbol_gets_that_of_its_ticker() {
        let line = line(Version::Two, b"AAPL", br#"{"ticker":"V\"B"}"#, Some("V\"B"));
        let before = r#"{"ticker":"V\"B","symbol":"V\"B","#;
        assert_eq!(line, format!("{before}{KAFKA}}}\n"));
    }

    #[test]
    fn a_line_is_the_value_as_received_plus_its_coordinates() {
        let check = |value: &str, before: &str| {
            let line = line(Version::Two, b"AAPL", value.as_bytes(), None);
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
            let line = line(Version::Two, b"AAPL", text.as_bytes(), None);
            prop_assert_eq!(line.matches('\n').count(), 1);
            let mut read: Value = serde_json::from_str(&line).unwrap();
            prop_assert!(read.as_object_mut().unwrap().remove("_kafka").is_some());
            prop_assert_eq!(read, value);
        }
    }
}
