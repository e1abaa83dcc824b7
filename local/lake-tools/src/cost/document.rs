use std::fmt::Write;

use clap::Parser;

use super::{
    Estimate, Item, Options, estimate, prices,
    table::{grouped, markdown},
};

/// The workloads of the document, and the options that describe them.
const COLUMNS: [(&str, &str); 2] = [
    ("the template", ""),
    (
        "1,000 symbols",
        "--poll 1000@6s --window 300s --batch-size 10000 --pollers 10 --epus 1 --granularity 1h/30000",
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

/// What windows and segments of several lengths cost the second workload.
fn segment_lengths() -> String {
    let [_, (_, thousand_symbols)] = COLUMNS;
    let mut rows = String::new();
    for (window, segment) in [
        ("10s", "10000"),
        ("10s", "30000"),
        ("10s", "50000"),
        ("60s", "10000"),
        ("60s", "30000"),
        ("60s", "50000"),
        ("300s", "10000"),
        ("300s", "30000"),
        ("300s", "50000"),
    ] {
        let arguments = thousand_symbols
            .replace("--window 300s", &format!("--window {window}"))
            .replace("1h/30000", &format!("1h/{segment}"));
        let estimate = estimate_of(&arguments);
        let is_counted = |item: &&Item| match item.part {
            "lake" => item.price != prices::S3_STORAGE,
            "bronze-writer" => item.price != prices::LAMBDA_REQUEST,
            _ => false,
        };
        let counted: Vec<_> = estimate.items.iter().filter(is_counted).collect();
        let writer = counted.iter().find(|item| item.part == "bronze-writer");
        let figures = [
            grouped(estimate.per_million(estimate.puts), 0),
            grouped(estimate.per_million(estimate.gets), 0),
            grouped(writer.map_or(0.0, |item| item.quantity), 0),
            grouped(counted.iter().map(|item| item.dollars).sum(), 2),
        ];
        // Writing to a string can't fail.
        let _ = writeln!(rows, "| {window} | {segment} | {} |", figures.join(" | "));
    }
    rows
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
    let segments = segment_lengths();
    include_str!("document.md")
        .replace("{segments}\n", &segments)
        .replace("{commands}\n", &commands)
        .replace("{bill}\n", &markdown(&columns))
        .replace("{prices}\n", &list)
}
