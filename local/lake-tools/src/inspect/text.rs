use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Contents, Coordinates, Counts, Found, Place};
use crate::table::{aligned, grouped};

/// The contents for a terminal.
pub(super) fn contents(lake: &str, contents: &Contents) -> String {
    let mut text = format!("{lake}\n");
    if contents.keys_only {
        text.push_str("read from the listing alone: times are those of time buckets\n");
    }
    text.push('\n');
    text.push_str(&aligned(&bronze_rows(contents), 2));
    if !contents.quarantine.is_empty() {
        text.push('\n');
        text.push_str(&aligned(&quarantine_rows(contents), 2));
    }
    if contents.damaged.count > 0 {
        text.push('\n');
        text.push_str(&contents.damaged.lines());
    }
    text
}

fn bronze_rows(contents: &Contents) -> Vec<Vec<String>> {
    let (first, last) = if contents.keys_only {
        ("first bucket", "last bucket")
    } else {
        ("first", "last")
    };
    let row = |topic: &str, symbol: &str, counts: &Counts| {
        let mut row = vec![topic.to_owned(), symbol.to_owned(), grouped(counts.objects)];
        row.extend((!contents.keys_only).then(|| grouped(counts.records)));
        row.push(grouped(counts.bytes));
        row.extend([counts.first, counts.last].map(time));
        row
    };
    let mut head = vec!["topic", "symbol", "objects"];
    head.extend((!contents.keys_only).then_some("records"));
    head.extend(["bytes", first, last]);
    let mut rows = vec![head.into_iter().map(str::to_owned).collect()];
    let mut all = Counts::default();
    for (topic, symbols) in &contents.bronze {
        for (symbol, counts) in symbols {
            rows.push(row(topic, symbol, counts));
        }
        let of_topic = Counts::all(symbols.values());
        if symbols.len() > 1 {
            rows.push(row(topic, "(all)", &of_topic));
        }
        all = all.and(&of_topic);
    }
    if contents.bronze.len() != 1 {
        rows.push(row("(all)", "", &all));
    }
    rows
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(String::new, |time| format!("{time:.3}"))
}

fn quarantine_rows(contents: &Contents) -> Vec<Vec<String>> {
    let head = ["quarantine", "reason", "records", "bytes"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (topic, reasons) in &contents.quarantine {
        for (reason, aside) in reasons {
            let reason = reason.map_or_else(String::new, |reason| reason_name(&reason));
            rows.push(vec![
                topic.clone(),
                reason,
                grouped(aside.records),
                grouped(aside.bytes),
            ]);
        }
    }
    rows
}

/// A reason as its objects spell it.
fn reason_name(reason: &lake::Reason) -> String {
    json!(reason).as_str().unwrap_or_default().to_owned()
}

/// The contents for a program: one JSON object.
pub(super) fn contents_json(lake: &str, contents: &Contents) -> String {
    let counts = |counts: &Counts| {
        json!({
            "objects": counts.objects,
            "records": (!contents.keys_only).then_some(counts.records),
            "bytes": counts.bytes,
            "first": counts.first,
            "last": counts.last,
        })
    };
    let with = |mut of: Value, name: &str, value: Value| {
        of[name] = value;
        of
    };
    let topics = contents.bronze.iter().map(|(topic, symbols)| {
        let of = with(
            counts(&Counts::all(symbols.values())),
            "topic",
            json!(topic),
        );
        let symbols = symbols
            .iter()
            .map(|(symbol, of)| with(counts(of), "symbol", json!(symbol)));
        with(of, "symbols", symbols.collect())
    });
    let quarantine = contents.quarantine.iter().flat_map(|(topic, reasons)| {
        let object = move |(reason, aside): (&Option<lake::Reason>, &super::Aside)| json!({"topic": topic, "reason": reason, "records": aside.records, "bytes": aside.bytes});
        reasons.iter().map(object)
    });
    let all = json!({
        "lake": lake,
        "keys_only": contents.keys_only,
        "topics": topics.collect::<Value>(),
        "quarantine": quarantine.collect::<Value>(),
        "damaged": contents.damaged,
    });
    format!("{all}\n")
}

/// A record's places for a terminal.
pub(super) fn record(at: &Coordinates, found: &Found) -> String {
    let mut text = String::new();
    for place in &found.places {
        text.push_str(&match place {
            Place::Bronze { key, line } => format!("bronze  {key}\n{line}\n"),
            Place::Quarantine {
                key,
                reason,
                detail,
                body,
            } => {
                let reason = reason_name(reason);
                format!("quarantine  {key}\n{reason}: {detail}\n{body}\n")
            }
        });
    }
    if found.places.is_empty() {
        text.push_str(&format!("{at} is neither in bronze nor in quarantine\n"));
    }
    text.push_str(&found.damaged.lines());
    text
}

/// A record's places for a program: one JSON object.
pub(super) fn record_json(at: &Coordinates, found: &Found) -> String {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let places = found.places.iter().map(|place| match place {
        Place::Bronze { key, line } => {
            json!({"in": "bronze", "key": key.as_str(), "line": line})
        }
        Place::Quarantine { key, body, .. } => {
            json!({"in": "quarantine", "key": key.as_str(), "object": parsed(body)})
        }
    });
    let all = json!({
        "record": at.to_string(),
        "places": places.collect::<Value>(),
        "damaged": found.damaged,
    });
    format!("{all}\n")
}
