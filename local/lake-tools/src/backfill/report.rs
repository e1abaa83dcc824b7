use serde_json::{Value, json};

use super::{Filled, Options, Outcome};
use crate::table::grouped;

/// The outcome as the options want it printed.
pub fn text(options: &Options, outcome: &Outcome) -> String {
    match options.json {
        true => format!("{}\n", as_json(outcome)),
        false => as_text(outcome),
    }
}

fn as_json(outcome: &Outcome) -> Value {
    let symbols: Vec<Value> = outcome
        .symbols
        .iter()
        .map(|((topic, symbol), filled)| {
            json!({
                "topic": topic,
                "symbol": symbol,
                "missing_minutes": filled.missing,
                "bars": filled.bars,
                "messages": filled.messages,
                "problems": filled.problems,
            })
        })
        .collect();
    json!({
        "symbols": symbols,
        "dry_run": outcome.dry_run,
        "complete": outcome.is_complete(),
    })
}

fn as_text(outcome: &Outcome) -> String {
    let mut text = String::new();
    let verb = if outcome.dry_run {
        "would be asked for"
    } else {
        "published"
    };
    for ((topic, symbol), filled) in &outcome.symbols {
        let Filled {
            missing,
            bars,
            messages,
            problems,
        } = filled;
        text.push_str(&format!(
            "{topic} {symbol}: {} of {} missing minutes {verb}; messages: {}\n",
            grouped(*bars),
            grouped(*missing),
            grouped(*messages),
        ));
        for problem in problems {
            text.push_str(&format!("  {problem}\n"));
        }
    }
    if outcome.symbols.is_empty() {
        text.push_str("no minute is missing: there is nothing to fill\n");
    } else if !outcome.dry_run {
        text.push_str(
            "the trigger lands them, and `quotelake roll` or its function makes bars of them\n",
        );
    }
    text
}
