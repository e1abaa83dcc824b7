use std::fmt::Write;

use clap::Parser;

use super::{Estimate, Options, estimate, prices, table::markdown};

/// The workloads of the document, and the options that describe them.
const COLUMNS: [(&str, &str); 2] = [
    ("the template", ""),
    (
        "1,000 symbols",
        "--poll 1000@6s --window 300s --batch-size 10000 --pollers 10 --epus 1 --granularity 1h/50000",
    ),
];

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

#[expect(
    clippy::expect_used,
    reason = "they are constants of the document, which a test writes"
)]
fn estimate_of(arguments: &str) -> Estimate {
    let words = ["cost"].into_iter().chain(arguments.split_whitespace());
    let line = CommandLine::try_parse_from(words).expect("the tool's own options");
    estimate(&line.options.workload())
}

/// `docs/cost.md`.
pub fn document() -> String {
    let columns = COLUMNS.map(|(name, arguments)| (name, estimate_of(arguments)));
    let mut commands = String::new();
    for (name, arguments) in COLUMNS {
        let command = format!("cargo quotelake cost {arguments}");
        // Writing to a string can't fail.
        let _ = writeln!(commands, "- {name}: `{}`", command.trim_end());
    }
    let mut list = String::new();
    for price in prices::ALL {
        let (name, dollars, per, unit) = (price.name, price.dollars, price.per, price.unit);
        let (source, seen) = (price.source, price.seen);
        let status = match price.status {
            prices::Status::PricingPage => "pricing page",
            prices::Status::ThirdParty => "third party",
            prices::Status::Unconfirmed => "unconfirmed",
        };
        let _ = writeln!(
            list,
            "| {name} | ${dollars} per {per} {unit} | {source} | {seen} | {status} |"
        );
    }
    include_str!("document.md")
        .replace("{commands}\n", &commands)
        .replace("{bill}\n", &markdown(&columns))
        .replace("{prices}\n", &list)
}
