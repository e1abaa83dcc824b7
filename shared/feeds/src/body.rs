use serde_json::Value;

/// The longest text that is quoted from an answer, in characters.
const MAX_QUOTED: usize = 200;

/// Why the body of an answer is not the data that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// A page for people: a challenge, a firewall, a wrong host.
    #[error("it is an HTML page, not JSON")]
    Html,
    /// The provider says in JSON that it refuses.
    #[error("the provider says: {0}")]
    Refused(String),
    /// Plain text.
    #[error("it is text, not JSON: {0}")]
    Text(String),
    /// JSON of another shape.
    #[error("it is not the expected JSON: {0}")]
    Shape(String),
    /// More than is read of any answer.
    #[error("it is longer than 8 MiB")]
    TooLong,
}

impl BodyError {
    /// What is wrong with a body that did not parse.
    pub(crate) fn of(body: &[u8], error: &serde_json::Error) -> Self {
        if is_html(body) {
            Self::Html
        } else if let Some(message) = provider_message(body) {
            Self::Refused(message)
        } else if error.is_syntax() || body.trim_ascii().is_empty() {
            Self::Text(explain(body))
        } else {
            Self::Shape(quoted(&error.to_string()))
        }
    }
}

/// What the body of an error says: the provider's message, else its text, cut short.
pub(crate) fn explain(body: &[u8]) -> String {
    if is_html(body) {
        return "an HTML page".to_owned();
    }
    if let Some(message) = provider_message(body) {
        return message;
    }
    match quoted(&String::from_utf8_lossy(body)) {
        text if text.is_empty() => "without a word".to_owned(),
        text => text,
    }
}

/// The code of an error as Binance numbers them.
pub(crate) fn error_code(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Value>(body)
        .ok()?
        .get("code")?
        .as_i64()
}

/// `error` of Finnhub, `msg` of Binance.
fn provider_message(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let message = json.get("error").or_else(|| json.get("msg"))?.as_str()?;
    Some(quoted(message))
}

/// Whether it is a page for people.
pub(crate) fn is_html(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<")
}

/// The start of a text, in one line.
fn quoted(text: &str) -> String {
    text.trim()
        .chars()
        .take(MAX_QUOTED)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_body_is_read_whatever_its_format() {
        let cases: [(&[u8], &str); 8] = [
            (
                include_bytes!("finnhub/fixtures/forbidden.json"),
                "You don't have access to this resource.",
            ),
            (
                br#"{"code":-1121,"msg":"Invalid symbol."}"#,
                "Invalid symbol.",
            ),
            (b" API limit reached.\n", "API limit reached."),
            (b"\xEF\xBB\xBF\r\n<!DOCTYPE html><html>", "an HTML page"),
            (
                br#"{"error":{"message":"odd"}}"#,
                r#"{"error":{"message":"odd"}}"#,
            ),
            (b"", "without a word"),
            (b"two\nlines\x1b[2J", "two lines [2J"),
            (b"\xFF\xFE", "\u{FFFD}\u{FFFD}"),
        ];
        for (body, message) in cases {
            assert_eq!(explain(body), message);
        }
        assert_eq!(
            error_code(br#"{"code":-1121,"msg":"Invalid symbol."}"#),
            Some(-1121)
        );
        assert_eq!(error_code(b"<html>"), None);
    }

    proptest! {
        #[test]
        fn an_error_body_of_any_bytes_is_one_short_line(body in prop::collection::vec(any::<u8>(), 0..600)) {
            let text = explain(&body);
            prop_assert!(text.chars().count() <= MAX_QUOTED);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
