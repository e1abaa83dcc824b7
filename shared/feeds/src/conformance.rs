//! Recorded answers in, the exact messages out: reviewed by eye and kept in `snapshots` beside each provider's
//! fixtures.
//!
//! One file a provider here, and one that reads all their messages back. `INSTA_UPDATE=always cargo test -p feeds` writes them anew; the change is reviewed like code.

mod binance;
mod finnhub;
mod read_back;
mod vietnam;

use insta::Settings;
use jiff::Timestamp;
use market::{Message, Observation};

use crate::{
    Feed, Polled,
    test_server::{Provider, Reply, settings},
};

/// The provider `name`, opened with the settings `others` at a server that answers each path and query with a
/// recorded body, and all else with 404. `url` is the setting of its address.
pub(crate) async fn served(
    name: &str,
    url: &str,
    others: &[(&str, &str)],
    clock: fn() -> Timestamp,
    recorded: impl Fn(&str) -> Option<&'static [u8]> + Send + Sync + 'static,
) -> Feed {
    let provider = Provider::start(move |target, _| {
        Some(match recorded(target) {
            Some(body) => Reply::new(200, body),
            None => Reply::new(404, "not recorded"),
        })
    })
    .await;
    let mut values = others.to_vec();
    values.push((url, &provider.url));
    crate::open(name, &settings(&values, clock)).unwrap()
}

/// Every message of a poll with its key, or the reason why a symbol has none.
pub(crate) fn published<T>(
    polled: &[Polled<T>],
    message: impl Fn(&Observation<T>) -> Message,
) -> String {
    let shown = |polled: &Polled<T>| match &polled.result {
        Ok(observation) => {
            let Message { key, body } = message(observation);
            format!("{key}: {}\n", in_lines(str::from_utf8(&body).unwrap()))
        }
        Err(error) => format!("{}: {}\n", polled.symbol, error.reason()),
    };
    polled.iter().map(shown).collect()
}

/// Fails unless `text` is the snapshot `name` in the provider's folder.
pub(crate) fn assert_reviewed(provider: &str, name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(format!("{provider}/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// How many levels of a message have a line for each item.
const LEVELS: usize = 2;

/// A message in lines, not a byte of it changed: JSON tools would write its numbers anew.
fn in_lines(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped, mut break_due) = (0, false, false, false);
    for c in json.chars() {
        if !in_string && matches!(c, '}' | ']') {
            break_due = depth <= LEVELS && !text.ends_with(['{', '[']);
            depth -= 1;
        }
        if break_due {
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
        }
        text.push(c);
        if !in_string && matches!(c, '{' | '[') {
            depth += 1;
        }
        break_due = !in_string && matches!(c, '{' | '[' | ',') && depth <= LEVELS;
        in_string ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_lines_is_the_message() {
        let json = r#"{"a":1.10,"b":{"c":"x\"},{[\\","flags":[]},"data":[{"d":1e3,"e":[0,1]},{"d":2}],"no":[]}"#;
        let text = in_lines(json);
        let lines = [
            "{",
            r#"  "a":1.10,"#,
            r#"  "b":{"#,
            r#"    "c":"x\"},{[\\","#,
            r#"    "flags":[]"#,
            "  },",
            r#"  "data":["#,
            r#"    {"d":1e3,"e":[0,1]},"#,
            r#"    {"d":2}"#,
            "  ],",
            r#"  "no":[]"#,
            "}",
        ];
        assert_eq!(text, lines.join("\n"));
        assert_eq!(text.lines().map(str::trim_start).collect::<String>(), json);
    }
}
