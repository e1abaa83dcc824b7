use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Explanation, Gap, Options, Outcome, SymbolGaps, TopicGaps};
use crate::table::{aligned, grouped};

/// The stretches that are named at most, and the symbols of one.
const NAMED: usize = 200;
const SYMBOLS: usize = 5;

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
        .map(|(topic, of)| (topic, of_topic(of)))
        .collect();
    let gaps: Vec<Value> = outcome.gaps().map(of_gap).collect();
    json!({
        "topics": topics,
        "gaps": gaps,
        "damaged": outcome.damaged,
        "logs": outcome.logs,
        "explained": outcome.is_explained(),
    })
}

fn of_topic(of: &TopicGaps) -> Value {
    let symbols: BTreeMap<&String, Value> = of
        .symbols
        .iter()
        .map(|of| {
            let sources = &of.sources;
            let value = json!({"market": of.market, "sources": sources, "minutes": of.minutes});
            (&of.symbol, value)
        })
        .collect();
    json!({"beat_minutes": of.beat, "symbols": symbols})
}

fn of_gap((topic, of, gap): (&str, &SymbolGaps, &Gap)) -> Value {
    json!({
        "topic": topic,
        "symbol": of.symbol,
        "from": gap.from.to_string(),
        "to": gap.to.to_string(),
        "minutes": gap.minutes,
        "reason": gap.explanation.name(),
        "cause": gap.explanation.cause(),
        "holidays_known": gap.holidays_known,
    })
}

fn as_text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (topic, of) in &outcome.topics {
        text.push_str(&format!("{topic}: {}\n", sums(of)));
    }
    let is_quiet = |gap: &Gap| gap.explanation == Explanation::Silent;
    let quiet = outcome.gaps().filter(|(_, _, gap)| is_quiet(gap)).count();
    // What is not explained comes first, and what struck many symbols at once is one row.
    let mut rows: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (topic, of, gap) in outcome.gaps().filter(|(_, _, gap)| !is_quiet(gap)) {
        let is_explained = gap.explanation != Explanation::Unexplained;
        let place = (is_explained, topic, gap.from, gap.to);
        let row = rows.entry((place, &gap.explanation, gap.minutes, gap.holidays_known));
        row.or_default().push(&of.symbol);
    }
    let row = |(((_, topic, from, to), why, minutes, holidays_known), symbols): (_, &Vec<&str>)| {
        let why: &Explanation = why;
        let unsure = match holidays_known {
            true => "",
            false => "; it may have been a holiday, which the calendar does not know",
        };
        let cause = why.cause().map(|cause| format!(" ({cause})"));
        let cells = [
            format!("  {topic}"),
            format!("{from} to {to}"),
            format!("{} min", grouped(minutes)),
            format!("{}{}{unsure}", why.name(), cause.unwrap_or_default()),
            names(symbols),
        ];
        cells.to_vec()
    };
    let shown: Vec<Vec<String>> = rows
        .iter()
        .take(NAMED)
        .map(|(&key, symbols)| row((key, symbols)))
        .collect();
    text.push_str(&aligned(&shown, 5));
    if rows.len() > NAMED {
        let more = grouped((rows.len() - NAMED) as u64);
        text.push_str(&format!("  and {more} more: --json has all\n"));
    }
    if quiet > 0 {
        text.push_str(&format!(
            "  and {} silent stretches, in which there was nothing new: --json has them\n",
            grouped(quiet as u64)
        ));
    }
    text.push_str(&outcome.damaged.lines());
    if outcome.topics.is_empty() {
        text.push_str("bronze has no topic: there is nothing to look at\n");
    }
    if outcome.gaps().any(|(_, _, gap)| gap.explanation.is_loss()) {
        match &outcome.logs {
            None => text.push_str("without --logs nothing tells whether a provider failed\n"),
            Some(logs) if logs.metrics + logs.failures == 0 => text.push_str(&format!(
                "the logs at {} have no line of these topics: check --logs\n",
                logs.folder.display()
            )),
            Some(_) => {}
        }
    }
    text.push_str(match outcome.is_explained() {
        true => "every minute is explained\n",
        false => "not every minute is explained: docs/gaps.md says what to do\n",
    });
    text
}

/// The first symbols, and how many there are beside.
fn names(symbols: &[&str]) -> String {
    let first = symbols.iter().take(SYMBOLS).copied();
    let first = first.collect::<Vec<_>>().join(", ");
    match symbols.len().saturating_sub(SYMBOLS) {
        0 => first,
        more => format!("{first} and {} more", grouped(more as u64)),
    }
}

/// How many minutes of a topic each explanation has.
fn sums(of: &TopicGaps) -> String {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for symbol in &of.symbols {
        for (name, minutes) in &symbol.minutes {
            *sums.entry(name).or_default() += minutes;
        }
    }
    sums.remove(Explanation::Closed.name());
    let parts: Vec<String> = sums
        .into_iter()
        .filter(|(_, minutes)| *minutes > 0)
        .map(|(name, minutes)| format!("{name} {}", grouped(minutes)))
        .collect();
    let symbols = grouped(of.symbols.len() as u64);
    match parts.is_empty() {
        true => format!("{symbols} symbols, no minute of a session"),
        false => format!("{symbols} symbols, minutes: {}", parts.join(", ")),
    }
}
