use std::fmt::Write;

use clap::Parser;

use super::{
    Estimate, Item, Options, bars, database, estimate, prices,
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

/// What bars cost the second workload, by how often they are made.
fn roll_periods() -> String {
    let [_, (_, thousand_symbols)] = COLUMNS;
    let mut rows = String::new();
    for every in ["5m", "15m", "1h", "1d"] {
        let estimate = estimate_of(&format!("{thousand_symbols} --roll-every {every}"));
        let is_of_bars = |item: &&Item| ["bar-roller", "silver"].contains(&item.part);
        let items: Vec<_> = estimate.items.iter().filter(is_of_bars).collect();
        let of = |name: &str, decimals| {
            let found = items.iter().find(|item| item.price.name == name);
            grouped(found.map_or(0.0, |item| item.quantity), decimals)
        };
        let figures = [
            grouped(1_000.0 * bars::FILES_A_YEAR, 0),
            of(prices::S3_STORAGE.name, 1),
            of(prices::S3_PUT.name, 0),
            of(prices::S3_LIST.name, 0),
            of(prices::S3_GET.name, 0),
            of(prices::LAMBDA_ARM64.name, 0),
            grouped(items.iter().map(|item| item.dollars).sum(), 2),
        ];
        // Writing to a string can't fail.
        let _ = writeln!(rows, "| {every} | {} |", figures.join(" | "));
    }
    rows
}

/// What a database costs both workloads, by which it is and how long a batch waits.
fn databases() -> String {
    let mut rows = String::new();
    for (name, arguments) in COLUMNS {
        for (kind, window) in [
            ("other", "0s"),
            ("other", "10s"),
            ("rds", "0s"),
            ("aurora", "0s"),
        ] {
            let with = format!("{arguments} --database {kind} --database-window {window}");
            let (without, with) = (estimate_of(arguments), estimate_of(&with));
            let of = |part: &str, name: &str| {
                let mut items = with.items.iter();
                let found = items.find(|item| item.part == part && item.price.name.contains(name));
                found.map_or(0.0, |item| item.quantity)
            };
            let more = with.dollars() - without.dollars();
            let figures = [
                grouped(of("quote-upserter", "request"), 0),
                grouped(of("quote-upserter", "duration"), 0),
                grouped(of("database", "storage"), 1),
                grouped(more, 2),
                grouped(with.per_million(more), 4),
            ];
            // Writing to a string can't fail.
            let _ = writeln!(
                rows,
                "| {name} | {kind} | {window} | {} |",
                figures.join(" | ")
            );
        }
    }
    rows
}

/// How long a roller takes for the second workload.
fn run_seconds() -> String {
    let [_, (_, thousand_symbols)] = COLUMNS;
    let estimate = estimate_of(thousand_symbols);
    let of_roller = |name: &str| {
        let mut items = estimate.items.iter();
        let found = items.find(|item| item.part == "bar-roller" && item.price.name == name);
        found.map_or(0.0, |item| item.quantity)
    };
    let seconds = of_roller(prices::LAMBDA_ARM64.name) / bars::ROLLER_MB * 1024.0;
    grouped(seconds / of_roller(prices::LAMBDA_REQUEST.name), 0)
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
        .replace("{rolls}\n", &roll_periods())
        .replace("{databases}\n", &databases())
        .replace("{row_bytes}", &database::ROW_BYTES.to_string())
        .replace("{row_us}", &(database::ROW_SECONDS * 1e6).to_string())
        .replace("{least_acus}", &database::LEAST_ACUS.to_string())
        .replace("{run_seconds}", &run_seconds())
        .replace("{minute_bytes}", &bars::MINUTE_BYTES.to_string())
        .replace("{hour_bytes}", &bars::HOUR_BYTES.to_string())
        .replace("{day_bytes}", &bars::DAY_BYTES.to_string())
        .replace("{symbol_ms}", &(bars::SYMBOL_SECONDS * 1e3).to_string())
        .replace("{line_us}", &(bars::LINE_SECONDS * 1e6).to_string())
        .replace("{bar_us}", &(bars::BAR_SECONDS * 1e6).to_string())
        .replace("{commands}\n", &commands)
        .replace("{bill}\n", &markdown(&columns))
        .replace("{prices}\n", &list)
}
