//! What the commands that run for a while print, and the times that they take.

use std::{
    io::{Write, stdout},
    time::Duration,
};

use serde::Serialize;

use crate::counts::Counts;

/// Reads a time such as `60s`, `10m` or `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a time: give one such as 60s or 10m");
    runtime::clock::duration(text).ok_or_else(wrong)
}

/// Minutes and seconds.
pub(crate) fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// What went wrong last, after `before`; nothing if nothing did.
pub(crate) fn trouble(counts: &Counts, before: &str) -> String {
    counts
        .last_trouble
        .as_ref()
        .map_or_else(String::new, |trouble| {
            format!("{before}troubles: {}, the last: {trouble}", counts.troubles)
        })
}

/// Writes a JSON object with its `event`.
pub(crate) fn write_json(event: &str, value: &impl Serialize) {
    #[derive(Serialize)]
    struct Line<'a, T> {
        event: &'a str,
        #[serde(flatten)]
        value: &'a T,
    }
    if let Ok(text) = serde_json::to_string(&Line { event, value }) {
        write(&text);
    }
}

/// A closed pipe ends the reader's interest, not the run.
pub(crate) fn write(text: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "soon", "60", "-5s"] {
            let said = duration(wrong).unwrap_err();
            assert!(said.starts_with(&format!("'{wrong}' is not")), "{said}");
        }
    }
}
