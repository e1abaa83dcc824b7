use lake::Reason;
use serde_json::json;

use super::{Counts, Outcome};
use crate::table::grouped;

/// The outcome for a program: one JSON object.
pub(super) fn json(outcome: &Outcome) -> String {
    let mut all = json!(outcome);
    all["complete"] = outcome.is_complete().into();
    format!("{all}\n")
}

/// The outcome for a terminal.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    let sources = [
        ("on-failure bucket", outcome.payloads.as_ref()),
        ("on-failure topic", outcome.messages.as_ref()),
        ("quarantine", Some(&outcome.quarantine)),
    ];
    for (source, counts) in sources {
        if let Some(counts) = counts {
            text.push_str(&format!(
                "{source}: {}\n",
                sentence(outcome.dry_run, counts)
            ));
            text.push_str(&counts.damaged.lines());
        }
    }
    if outcome.stopped {
        text.push_str("stopped before the end: run it again to go on\n");
    }
    text
}

fn sentence(dry_run: bool, counts: &Counts) -> String {
    if counts.records == 0 && counts.damaged.count == 0 {
        return "there is nothing to do".to_owned();
    }
    let would = if dry_run { "would be " } else { "" };
    let stay = if dry_run { "would stay" } else { "stay" };
    let mut parts = vec![
        format!("{} {would}brought to bronze", grouped(counts.brought)),
        format!("{} in bronze already", grouped(counts.in_bronze_already)),
    ];
    let aside: u64 = counts.aside.values().sum();
    if aside > 0 {
        let reasons: Vec<String> = counts.aside.iter().map(reason).collect();
        let reasons = reasons.join(", ");
        parts.push(format!(
            "{} {stay} in quarantine ({reasons})",
            grouped(aside)
        ));
    }
    parts.push(format!(
        "{} objects {would}deleted",
        grouped(counts.deleted)
    ));
    if counts.replaced > 0 {
        parts.push(format!(
            "{} objects replaced meanwhile stay: run it again",
            grouped(counts.replaced)
        ));
    }
    let records = if counts.records == 1 {
        "record"
    } else {
        "records"
    };
    format!(
        "{} {records}: {}",
        grouped(counts.records),
        parts.join(", ")
    )
}

fn reason((reason, count): (&Reason, &u64)) -> String {
    let name = json!(reason);
    format!("{} {}", name.as_str().unwrap_or_default(), grouped(*count))
}
