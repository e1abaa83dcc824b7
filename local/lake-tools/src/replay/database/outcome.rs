use std::{collections::BTreeMap, fmt::Write};

use lake::Reason;
use serde::Serialize;
use serde_json::json;

use crate::{damaged::Damaged, table::grouped};

/// What became of bronze's records on their way to the tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DatabaseOutcome {
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// The last object that is done: what `--after` takes to go on behind it.
    pub after: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was read.
    #[serde(flatten)]
    pub read: ReadCounts,
    /// What was written.
    #[serde(flatten)]
    pub written: WrittenCounts,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReadCounts {
    /// Objects.
    pub objects: u64,
    /// Records.
    pub records: u64,
    /// Records that are no quotes: trades, and bars of a backfill.
    pub no_quotes: u64,
    /// Records that can be no row, by the reason, with the first of each.
    pub without_row: BTreeMap<Reason, Named>,
    /// Objects that can't be read.
    pub damaged: Damaged,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WrittenCounts {
    /// Rows that were brought.
    pub rows: u64,
    /// Of these, rows that are new in the history.
    pub written: u64,
    /// How often a latest quote changed.
    pub latest_changed: u64,
    /// Rows that the database refuses, which are not in it.
    pub refused: Named,
}

/// How many there are, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// How many.
    pub total: u64,
    /// The first five, as `topic-partition@offset` and a sentence.
    pub first: Vec<String>,
}

impl Named {
    pub(super) fn add(&mut self, name: impl FnOnce() -> String) {
        self.total += 1;
        if self.first.len() < 5 {
            self.first.push(name());
        }
    }
}

impl DatabaseOutcome {
    pub(super) fn of(read: ReadCounts, written: WrittenCounts) -> Self {
        Self {
            read,
            written,
            ..Self::default()
        }
    }

    /// Whether every record that has a row is in the tables.
    pub fn is_complete(&self) -> bool {
        !self.stopped && self.written.refused.total == 0 && self.read.damaged.count == 0
    }

    /// The outcome as the options want it printed.
    pub fn text(&self, as_json: bool) -> String {
        if as_json {
            let mut all = json!(self);
            all["complete"] = self.is_complete().into();
            return format!("{all}\n");
        }
        let Self { read, written, .. } = self;
        let mut text = format!(
            "{} records in {} objects: {} rows written, {} there already, {} changes of latest quotes, in {:.1} s\n",
            grouped(read.records),
            grouped(read.objects),
            grouped(written.written),
            grouped(written.rows - written.written),
            grouped(written.latest_changed),
            self.seconds,
        );
        let line = |text: &mut String, what: &str, named: &Named| {
            let more = if named.total > named.first.len() as u64 {
                "; …"
            } else {
                ""
            };
            let (total, first) = (grouped(named.total), named.first.join("; "));
            // Writing to a string can't fail.
            let _ = writeln!(text, "{total} {what}: {first}{more}");
        };
        if read.no_quotes > 0 {
            let no_quotes = grouped(read.no_quotes);
            text.push_str(&format!(
                "{no_quotes} records are no quotes, and have no row\n"
            ));
        }
        for (reason, named) in &read.without_row {
            let reason = json!(reason);
            let what = format!("without a row ({})", reason.as_str().unwrap_or_default());
            line(&mut text, &what, named);
        }
        if written.refused.total > 0 {
            line(&mut text, "refused by the database", &written.refused);
        }
        text.push_str(&read.damaged.lines());
        if self.stopped {
            let go_on = match &self.after {
                Some(after) => format!("go on with --after '{after}'"),
                None => "run it again to go on".to_owned(),
            };
            text.push_str(&format!("stopped before the end: {go_on}\n"));
        }
        text
    }
}
