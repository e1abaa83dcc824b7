use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use clap::Parser;
use proptest::prelude::*;

use super::*;
use sam_template as template;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

fn workload(arguments: &str) -> Workload {
    let words = ["cost"].into_iter().chain(arguments.split_whitespace());
    CommandLine::try_parse_from(words)
        .unwrap()
        .options
        .workload()
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

const THOUSAND_SYMBOLS: &str =
    "--poll 1000@6s --window 300s --batch-size 10000 --pollers 10 --granularity 1h/30000";

#[test]
fn the_document_is_what_the_tool_writes() {
    let written = std::fs::read_to_string(repository().join("docs/cost.md")).unwrap();
    assert!(
        written == document(),
        "run `cargo quotelake cost --document > docs/cost.md`"
    );
}

#[test]
fn without_options_the_workload_is_the_templates() {
    let parameters = [
        ("Kafka", "self-managed"),
        ("KafkaBootstrapServers", "localhost:9092"),
        ("KafkaSecurity", "plaintext"),
        ("FinnhubApiKey", "key"),
    ];
    let parameters: BTreeMap<_, _> = parameters
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let pipeline = template::read(&repository().join("template.yaml"), &parameters).unwrap();
    let default = workload("");
    default.check().unwrap();
    let functions = &pipeline.functions;
    let pollers: Vec<_> = functions
        .iter()
        .filter(|one| one.binary == "quote-poller")
        .collect();
    // A stream of trades has no beat: what it costs depends on the market.
    let jobs = pollers.iter().map(|poller| &poller.schedules[0].input);
    let polls: Vec<_> = jobs
        .filter(|job| job["dataset"] != "trades")
        .map(|job| Poll {
            symbols: u32::try_from(job["symbols"].as_str().unwrap().split(',').count()).unwrap(),
            beat_seconds: u32::try_from(job["beat_seconds"].as_u64().unwrap()).unwrap(),
        })
        .collect();
    assert_eq!(default.polls, polls);
    for poller in pollers {
        assert_eq!(default.poller_memory_mb, poller.memory_mb);
    }
    let roller = functions.iter().find(|one| one.binary == "bar-roller");
    let roller = roller.unwrap();
    assert_eq!(bars::ROLLER_MB, f64::from(roller.memory_mb));
    let [roll, sweep] = &*roller.schedules else {
        panic!("{:?}", roller.schedules)
    };
    assert_eq!(roll.input["every"], "1 hour");
    assert_eq!(default.roll_every_seconds, 3_600);
    assert_eq!(sweep.input["hours"].as_f64(), Some(bars::SWEEP_HOURS));
    let writer = functions.iter().find(|one| !one.kafka.is_empty()).unwrap();
    assert_eq!(default.writer_memory_mb, writer.memory_mb);
    let environment = writer.environment.clone().into_iter().collect();
    let granularity = bronze_writer::layout(&environment).unwrap().granularity();
    assert_eq!(
        default.bucket.as_millis(),
        u128::try_from(granularity.bucket_ms()).unwrap()
    );
    assert_eq!(i64::from(default.segment), granularity.segment());
    for trigger in &writer.kafka {
        assert_eq!(default.batch_size as usize, trigger.batch_size);
        assert_eq!(u64::from(default.window_seconds), trigger.window.as_secs());
    }
    // What the README counts, for a day.
    assert_eq!(estimate(&default).quotes, 30.0 * 244_800.0);
}

#[test]
fn the_upserter_of_the_bill_is_the_templates() {
    let parameters = [
        ("Kafka", "self-managed"),
        ("KafkaBootstrapServers", "localhost:9092"),
        ("KafkaSecurity", "plaintext"),
        ("FinnhubApiKey", "key"),
        ("DatabaseHost", "127.0.0.1"),
        ("DatabaseTls", "off"),
    ];
    let parameters: BTreeMap<_, _> = parameters
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let pipeline = template::read(&repository().join("template.yaml"), &parameters).unwrap();
    let mut functions = pipeline.functions.iter();
    let upserter = functions.find(|one| one.binary == "quote-upserter");
    let upserter = upserter.unwrap();
    assert_eq!(database::UPSERTER_MB, f64::from(upserter.memory_mb));
    let window = workload("").database_window_seconds;
    for trigger in &upserter.kafka {
        assert_eq!(trigger.batch_size, database::BATCH_SIZE as usize);
        assert_eq!(trigger.window.as_secs(), u64::from(window));
    }
}

#[test]
fn a_database_costs_its_function_and_a_second_reader_and_the_rest_stays() {
    let of = |options: &str| estimate(&workload(options));
    let without = of("");
    for (kind, lines) in [("other", 2), ("rds", 4), ("aurora", 4)] {
        let with = of(&format!("--database {kind}"));
        let is_of_it = |item: &Item| ["quote-upserter", "database"].contains(&item.part);
        let (its_own, rest): (Vec<Item>, Vec<Item>) = with.items.into_iter().partition(is_of_it);
        assert_eq!(its_own.len(), lines);
        for (with, without) in rest.iter().zip(&without.items) {
            let readers = if with.price.name == "MSK Serverless out" {
                2.0
            } else {
                1.0
            };
            assert_eq!(with.quantity, readers * without.quantity, "{with:?}");
        }
        // No window: the two coins of a second, and the five stocks of six seconds.
        assert_eq!(its_own[0].quantity, 30.0 * 86_400.0 * (1.0 + 1.0 / 6.0));
    }
}

#[test]
fn an_object_a_record_is_a_put_a_quote() {
    for options in [
        "--granularity record",
        "--poll 1000@6s --window 300s --batch-size 10000 --pollers 10 --granularity record",
    ] {
        let estimate = estimate(&workload(options));
        assert!((estimate.per_million(estimate.puts) - 1e6).abs() < 1e-3);
        assert_eq!(estimate.gets, 0.0);
    }
}

#[test]
fn shorter_segments_take_more_puts_and_fewer_gets() {
    let requests = |granularity: &str| {
        let options =
            THOUSAND_SYMBOLS.replace("1h/30000", granularity) + " --cold-starts-per-hour 0";
        let estimate = estimate(&workload(&options));
        let of = |month| estimate.per_million(month).round();
        (of(estimate.puts), of(estimate.gets))
    };
    assert_eq!(requests("1h/10000"), (31_667.0, 0.0));
    assert_eq!(requests("1h/30000"), (25_000.0, 2_666.0));
    assert_eq!(requests("1h/50000"), (23_667.0, 10_981.0));
}

#[test]
fn a_history_costs_a_mark_for_10_000_offsets_and_requests_of_each_start() {
    let estimate = estimate(&workload("--poll 10@1s --cold-starts-per-hour 2"));
    let of_history = |name: &str| {
        let mut items = estimate.items.iter();
        let found = items.find(|item| item.part == "history" && item.price.name == name);
        found.unwrap().quantity
    };
    let (marks, starts) = (estimate.quotes / 10_000.0, 2.0 * 720.0);
    assert_eq!(of_history("S3 PUT"), marks + 2.0 * starts);
    assert_eq!(of_history("S3 GET"), marks + 11.0 * starts);
}

#[test]
fn what_is_on_all_month_costs_what_its_price_says() {
    let estimate = estimate(&workload("--epus 1 --hours-per-day 1"));
    let dollars = |name: &str| {
        let mut items = estimate.items.iter();
        items.find(|item| item.price.name == name).unwrap().dollars
    };
    assert!((dollars("Event poller unit") - 133.20).abs() < 1e-9);
    assert!((dollars("MSK Serverless cluster") - 540.00).abs() < 1e-9);
    assert!((dollars("MSK Serverless partition") - 21.60).abs() < 1e-9);
    // Two calls a minute of one hour on thirty days.
    assert!((dollars("EventBridge Scheduler") - 0.0036).abs() < 1e-9);
}

#[test]
fn without_bars_nothing_is_paid_for_them_and_the_rest_stays() {
    let of = |options: &str| estimate(&workload(options));
    let (with, without) = (of(""), of("--roll-every 0s"));
    let is_of_bars = |item: &Item| ["bar-roller", "silver"].contains(&item.part);
    let (bars, rest): (Vec<Item>, Vec<Item>) = with.items.into_iter().partition(is_of_bars);
    assert_eq!(bars.len(), 7);
    assert_eq!(rest, without.items);
}

/// Counts the objects that each batch of `hours` touches, for quotes a million.
fn puts_by_simulation(workload: &Workload, hours: u64) -> f64 {
    let Poll {
        symbols,
        beat_seconds,
    } = workload.polls[0];
    let estimate = estimate(workload);
    let batch = format!("{:.0}", estimate.quotes / estimate.batches);
    let batch: usize = batch.parse().unwrap();
    let bucket = workload.bucket.as_millis();
    let (mut puts, mut quotes) = (0, 0);
    // Batches, buckets and segments begin at odd times, as they do after a restart.
    let mut offsets: Vec<_> = (0..workload.partitions)
        .map(|partition| 777 + 131 * partition)
        .collect();
    let start = 123_000;
    let mut batches: Vec<Vec<_>> = vec![Vec::new(); workload.pollers as usize];
    for cycle in 0..hours * 3_600 / u64::from(beat_seconds) {
        let bucket = u128::from(start + cycle * u64::from(beat_seconds) * 1_000) / bucket;
        for symbol in 0..symbols {
            let partition = symbol % workload.partitions;
            let offset = &mut offsets[partition as usize];
            let open = &mut batches[(partition % workload.pollers) as usize];
            open.push((symbol, bucket, *offset / workload.segment));
            *offset += 1;
            quotes += 1;
            if open.len() == batch {
                puts += open.drain(..).collect::<HashSet<_>>().len();
            }
        }
    }
    for rest in batches {
        quotes -= rest.len();
    }
    puts as f64 / quotes as f64 * 1e6
}

#[test]
fn puts_are_those_of_a_simulation() {
    let cases = [
        THOUSAND_SYMBOLS.to_owned(),
        THOUSAND_SYMBOLS.replace("--pollers 10", "--pollers 1"),
        THOUSAND_SYMBOLS.replace("1h/30000", "1h/50000"),
        THOUSAND_SYMBOLS.replace("1h/30000", "10m/2000"),
        THOUSAND_SYMBOLS.replace("--batch-size 10000", "--batch-size 100"),
        THOUSAND_SYMBOLS.replace("1h/30000", "record"),
        "--poll 20@1s --window 60s --batch-size 10000 --granularity 1h/30000".to_owned(),
    ];
    for options in cases {
        let workload = workload(&options);
        let estimate = estimate(&workload);
        let (said, counted) = (
            estimate.per_million(estimate.puts),
            puts_by_simulation(&workload, 6),
        );
        assert!(
            counted <= said * 1.001 && said <= counted * 1.05,
            "{options}: {said} for {counted}"
        );
    }
}

proptest! {
    #[test]
    fn a_bill_is_finite_and_the_longer_the_window_the_fewer_the_puts(
        symbols in 1_u32..5_000, beat in 1_u32..=60, window in 0_u32..300, batch in 1_u32..=10_000,
        pollers in 1_u32..=10, segment in 1_u32..100_000, bucket in 1_u64..86_400,
    ) {
        let options = |window| format!(
            "--poll {symbols}@{beat}s --window {window}s --batch-size {batch} --pollers {pollers} --granularity {bucket}s/{segment}"
        );
        let (shorter, longer) = (estimate(&workload(&options(window))), estimate(&workload(&options(window + 1))));
        prop_assert!(shorter.dollars().is_finite() && shorter.dollars() > 0.0);
        prop_assert!(shorter.puts <= shorter.quotes * 1.000_001);
        prop_assert!(longer.puts <= shorter.puts * 1.000_001);
        prop_assert!(longer.batches <= shorter.batches * 1.000_001);
    }
}

#[test]
fn a_figure_that_no_service_takes_is_one_sentence_with_the_option_and_its_range() {
    let check = |options: &str, expected: &str| {
        let error = workload(options).check().unwrap_err();
        assert_eq!(error.to_string(), expected, "{options}");
    };
    check(
        "--poll 0@6s",
        "the number of symbols in --poll is 0: choose 1 to 100000",
    );
    check(
        "--poll 5@90s",
        "the beat in --poll is 90: choose 1 to 60 seconds, as a schedule is of one minute",
    );
    check(
        "--hours-per-day NaN",
        "--hours-per-day is NaN: choose 0.1 to 24 hours",
    );
    check("--window 400s", "--window is 400: choose 0 to 300 seconds");
    check(
        "--batch-size 0",
        "--batch-size is 0: choose 1 to 10000 records",
    );
    check(
        "--granularity 2days/5",
        "the bucket in --granularity is 172800: choose 0.001 to 86400 seconds, at most a day",
    );
    check(
        "--granularity 1h/0",
        "the segment in --granularity is 0: choose 1 to 1000000000 offsets",
    );
    check(
        "--writer-memory 64",
        "--writer-memory is 64: choose 128 to 10240 MB",
    );
    check(
        "--roll-every 30s",
        "--roll-every is 30: choose 60 to 8553600 seconds, a minute to 99 days, or 0s for no bars",
    );
    check(
        "--pollers 20",
        "--pollers is 20, but a topic has only 10 partitions: choose at most one poller a partition, or more --partitions",
    );
}
