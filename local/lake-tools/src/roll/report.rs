use std::collections::BTreeMap;

use jiff::SignedDuration;
use market::bars::Rules;
use serde_json::{Value, json};
use silver::TopicRolled;

use super::{Cut, Options, Outcome};
use crate::table::grouped;

/// What is named at most of each kind.
const NAMED: usize = 100;

/// In microseconds.
const SECOND: i64 = 1_000_000;

/// The outcome as the options want it printed.
pub fn text(options: &Options, outcome: &Outcome) -> String {
    match options.json {
        true => format!("{}\n", as_json(outcome)),
        false => as_text(outcome),
    }
}

fn as_json(outcome: &Outcome) -> Value {
    let topics: BTreeMap<&String, Value> = outcome
        .topics
        .iter()
        .map(|(topic, rolled)| (topic, of_topic(rolled, outcome.rules.get(topic))))
        .collect();
    json!({
        "topics": topics,
        "dry_run": outcome.dry_run,
        "stopped": outcome.cut == Some(Cut::Stopped),
        "unanswered": outcome.cut == Some(Cut::Silence),
        "whole": outcome.is_whole(),
    })
}

fn of_topic(rolled: &TopicRolled, rules: Option<&Rules>) -> Value {
    let total = &rolled.total;
    let asides: BTreeMap<&str, u64> = total
        .asides
        .iter()
        .map(|(aside, count)| (aside.name(), *count))
        .collect();
    let damaged: BTreeMap<&str, &String> = total
        .damaged
        .iter()
        .map(|(key, reason)| (key.as_str(), reason))
        .collect();
    let failed: BTreeMap<&String, String> = rolled
        .failed
        .iter()
        .map(|(symbol, error)| (symbol, error.to_string()))
        .collect();
    json!({
        "symbols": rolled.symbols,
        "unchanged": rolled.unchanged,
        "hours": total.hours,
        "bars": total.bars,
        "files": total.files,
        "objects": total.objects,
        "lines": total.lines,
        "late": total.late,
        "aside": asides,
        "damaged": damaged,
        "failed": failed,
        "left": rolled.left,
        "lateness_seconds": rules.map(|rules| rules.lateness / SECOND),
    })
}

fn as_text(outcome: &Outcome) -> String {
    let mut text = String::new();
    let would = if outcome.dry_run { "would be " } else { "" };
    for (topic, rolled) in &outcome.topics {
        let total = &rolled.total;
        let count = |count: usize| grouped(count as u64);
        text.push_str(&format!(
            "{topic}: {} minute bars in {} hours {would}made again, {} files {would}written, of {} symbols ({} unchanged); {} \
             lines in {} objects read\n",
            count(total.bars),
            count(total.hours),
            count(total.files),
            count(rolled.symbols),
            count(rolled.unchanged),
            grouped(total.lines),
            count(total.objects),
        ));
        if let Some(rules) = outcome.rules.get(topic) {
            text.push_str(&lateness(*rules));
        }
        if total.late > 0 {
            text.push_str(&format!(
                "  late  {} observations, which their bars count\n",
                grouped(total.late)
            ));
        }
        for (aside, count) in &total.asides {
            text.push_str(&format!(
                "  {}  {} records, which are in no bar\n",
                aside.name(),
                grouped(*count)
            ));
        }
        let damaged = total.damaged.iter().map(|(key, reason)| {
            format!("damaged  {key}: {reason}; its hours are not complete: restore it, or remove it if it is none of quotelake's, and roll again")
        });
        let failed = rolled
            .failed
            .iter()
            .map(|(symbol, error)| format!("failed  {symbol}: {error}"));
        text.push_str(&named(damaged));
        text.push_str(&named(failed));
        if !rolled.left.is_empty() {
            text.push_str(&format!(
                "  {} symbols are left: run it again\n",
                count(rolled.left.len())
            ));
            let left = rolled.left.iter().map(|symbol| format!("left  {symbol}"));
            text.push_str(&named(left));
        }
    }
    if outcome.topics.is_empty() && outcome.cut.is_none() {
        text.push_str("bronze has no topic: there is nothing to do\n");
    }
    match outcome.cut {
        Some(Cut::Stopped) => text.push_str("stopped before the end: run it again to go on\n"),
        Some(Cut::Silence) => {
            text.push_str(
                "the store does not answer any more: run it again to go on once it does\n",
            );
        }
        None => {}
    }
    text
}

/// A line that says which records are late, if these are not the usual rules.
pub(crate) fn lateness(rules: Rules) -> String {
    match rules.lateness == Rules::default().lateness {
        true => String::new(),
        false => {
            let time = SignedDuration::from_micros(rules.lateness);
            format!("  lateness  {time:#}\n")
        }
    }
}

fn named(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    let mut text: String = lines
        .iter()
        .take(NAMED)
        .map(|line| format!("  {line}\n"))
        .collect();
    if lines.len() > NAMED {
        text.push_str(&format!("  and {} more\n", lines.len() - NAMED));
    }
    text
}
