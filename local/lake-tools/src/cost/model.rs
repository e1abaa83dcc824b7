use lake::REMEMBERED_BYTES;
use serde::Serialize;

use super::{
    Architecture, Database, Kafka, Poll, Workload, bars, database,
    prices::{self, Price},
};

/// What a month brings and costs. A month has 30 days; no free allowance is taken off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Quotes.
    pub quotes: f64,
    /// Batches of the triggers, each an invocation of the bronze writer.
    pub batches: f64,
    /// PUTs of bronze objects.
    pub puts: f64,
    /// GETs of bronze objects.
    pub gets: f64,
    /// What is billed.
    pub items: Vec<Item>,
}

/// A line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Whose line it is.
    pub part: &'static str,
    /// The price of a unit.
    pub price: Price,
    /// Units a month.
    pub quantity: f64,
    /// US dollars a month.
    pub dollars: f64,
}

impl Estimate {
    /// US dollars a month.
    pub fn dollars(&self) -> f64 {
        self.items.iter().map(|item| item.dollars).sum()
    }

    /// A month's figure for a million quotes.
    pub fn per_million(&self, month: f64) -> f64 {
        month / self.quotes * 1e6
    }
}

pub(super) const DAYS: f64 = 30.0;
pub(super) const HOURS: f64 = 24.0 * DAYS;
pub(super) const GB: f64 = 1e9;

/// The trigger's payload limit and what a record takes of it beside its value in Base64.
const PAYLOAD_BYTES: f64 = 6e6;
const EVENT_OVERHEAD_BYTES: f64 = 150.0;
/// `_kafka` and the line break.
const LINE_OVERHEAD_BYTES: f64 = 110.0;
/// What the writer's memory takes for a line beside it.
const LINE_INDEX_BYTES: f64 = 16.0;
/// Key, offsets, timestamps and the record's share of its Kafka batch.
const KAFKA_OVERHEAD_BYTES: f64 = 70.0;

/// The last cycle of a job, from its start to the last acknowledgement.
const LAST_CYCLE_SECONDS: f64 = 0.5;
/// What an invocation of the writer takes beside records and PUTs, or one of the upserter beside records and rows.
pub(super) const INVOCATION_SECONDS: f64 = 0.01;
/// A record through the handler on a whole processor (docs/benchmarks.md), and the memory that buys one.
pub(super) const RECORD_SECONDS: f64 = 0.9e-6;
pub(super) const PROCESSOR_MB: f64 = 1_769.0;
/// A PUT, and how many the writer has in flight.
const PUT_SECONDS: f64 = 0.03;
const CONCURRENT_PUTS: f64 = 64.0;
/// A function's network.
pub(super) const BYTES_PER_SECOND: f64 = 75e6;
/// A start of the writer or a roller, which is billed.
pub(super) const COLD_START_SECONDS: f64 = 0.3;
/// The writes that a start has the store refuse, as proof that it keeps their conditions.
const REFUSED_WRITES: f64 = 2.0;
/// The offsets of a partition that share a mark: it is asked for once and written once.
const MARK_OFFSETS: f64 = 10_000.0;

/// One topic's month.
struct Flow {
    quotes: f64,
    calls: f64,
    poller_seconds: f64,
    batches: f64,
    puts: f64,
    gets: f64,
    writer_seconds: f64,
}

/// Counts and prices a month of `workload`, which has been checked. The derivation is in `docs/cost.md`.
pub fn estimate(workload: &Workload) -> Estimate {
    let flows: Vec<Flow> = workload
        .polls
        .iter()
        .map(|poll| flow(workload, *poll))
        .collect();
    let sum = |figure: fn(&Flow) -> f64| flows.iter().map(figure).sum::<f64>();
    let quotes = sum(|flow| flow.quotes);
    let batches = sum(|flow| flow.batches);
    let puts = sum(|flow| flow.puts);

    let cold_starts = workload.cold_starts_per_hour * workload.hours_per_day * DAYS;
    let symbols: f64 = workload
        .polls
        .iter()
        .map(|poll| f64::from(poll.symbols))
        .sum();
    // An object of one record is finished when it is written.
    let open_objects = if workload.segment > 1 { symbols } else { 0.0 };
    let gets = sum(|flow| flow.gets) + cold_starts * open_objects;
    let partitions = f64::from(workload.partitions) * workload.polls.len() as f64;
    let marks = quotes / MARK_OFFSETS;
    let history_puts = marks + cold_starts * REFUSED_WRITES;
    let history_gets = marks + cold_starts * (1.0 + partitions);

    let duration = match workload.architecture {
        Architecture::Arm64 => prices::LAMBDA_ARM64,
        Architecture::X86 => prices::LAMBDA_X86_64,
    };
    let gb = |memory_mb: u32| f64::from(memory_mb) / 1024.0;
    let poller_gb_s = sum(|flow| flow.poller_seconds) * gb(workload.poller_memory_mb);
    let writer_seconds = sum(|flow| flow.writer_seconds) + cold_starts * COLD_START_SECONDS;
    let kept_gb = quotes / DAYS * workload.retention_days * line_bytes(workload) / GB;

    let mut items = vec![
        item(
            "quote-poller",
            prices::LAMBDA_REQUEST,
            sum(|flow| flow.calls),
        ),
        item("quote-poller", duration, poller_gb_s),
        item("schedules", prices::SCHEDULER_CALL, sum(|flow| flow.calls)),
        item("bronze-writer", prices::LAMBDA_REQUEST, batches),
        item(
            "bronze-writer",
            duration,
            writer_seconds * gb(workload.writer_memory_mb),
        ),
        item(
            "triggers",
            prices::EVENT_POLLER_UNIT,
            f64::from(workload.event_poller_units) * HOURS,
        ),
        item("lake", prices::S3_PUT, puts),
        item("lake", prices::S3_GET, gets),
        item("history", prices::S3_PUT, history_puts),
        item("history", prices::S3_GET, history_gets),
        item("lake", prices::S3_STORAGE, kept_gb),
    ];
    items.extend(bars::items(workload, duration));
    items.extend(database::items(workload, duration));
    if workload.kafka == Kafka::Serverless {
        let moved_gb = quotes * (f64::from(workload.quote_bytes) + KAFKA_OVERHEAD_BYTES) / GB;
        let readers = if workload.database == Database::None {
            1.0
        } else {
            2.0
        };
        items.extend([
            item("Kafka", prices::MSK_CLUSTER, HOURS),
            item("Kafka", prices::MSK_PARTITION, partitions * HOURS),
            item("Kafka", prices::MSK_IN, moved_gb),
            item("Kafka", prices::MSK_OUT, moved_gb * readers),
            item(
                "Kafka",
                prices::MSK_STORAGE,
                moved_gb / DAYS * workload.kafka_retention_days,
            ),
        ]);
    }
    Estimate {
        quotes,
        batches,
        puts,
        gets,
        items,
    }
}

pub(super) fn item(part: &'static str, price: Price, quantity: f64) -> Item {
    Item {
        part,
        price,
        quantity,
        dollars: price.of(quantity),
    }
}

/// A line of bronze.
pub(super) fn line_bytes(workload: &Workload) -> f64 {
    f64::from(workload.quote_bytes) + LINE_OVERHEAD_BYTES
}

/// The cycles of a minute.
fn cycles(poll: Poll) -> f64 {
    f64::from(60_u32.div_ceil(poll.beat_seconds))
}

/// The minutes of a month in which the schedules are on.
fn minutes(workload: &Workload) -> f64 {
    workload.hours_per_day * 60.0 * DAYS
}

/// The quotes of a topic in a month.
pub(super) fn quotes(workload: &Workload, poll: Poll) -> f64 {
    f64::from(poll.symbols) * cycles(poll) * minutes(workload)
}

/// The partitions of a topic that hold its symbols, and the pollers that read them: a symbol's quotes are in one partition,
/// so what is beyond the symbols has nothing to do.
fn at_work(workload: &Workload, poll: Poll) -> (f64, f64) {
    let partitions = f64::from(workload.partitions).min(f64::from(poll.symbols));
    (partitions, f64::from(workload.pollers).min(partitions))
}

/// The records of a batch of a trigger with this window and batch size.
pub(super) fn batch(workload: &Workload, poll: Poll, window_seconds: u32, size: u32) -> f64 {
    let symbols = f64::from(poll.symbols);
    let (_, pollers) = at_work(workload, poll);
    let rate = symbols * cycles(poll) / 60.0;
    let event_bytes = f64::from(workload.quote_bytes) * 4.0 / 3.0 + EVENT_OVERHEAD_BYTES;
    (f64::from(window_seconds) * rate / pollers)
        .max(symbols / pollers)
        .min(f64::from(size))
        .min((PAYLOAD_BYTES / event_bytes).floor())
}

fn flow(workload: &Workload, poll: Poll) -> Flow {
    let (symbols, beat) = (f64::from(poll.symbols), f64::from(poll.beat_seconds));
    let (cycles, minutes) = (cycles(poll), minutes(workload));
    let quotes = quotes(workload, poll);
    let rate = symbols * cycles / 60.0;

    let (partitions, pollers) = at_work(workload, poll);
    let poller_symbols = symbols / pollers;
    let batch = batch(workload, poll, workload.window_seconds, workload.batch_size);
    let batches = quotes / batch;
    let batch_seconds = batch * pollers / rate;

    let batch_symbols = batch.min(poller_symbols);
    let batch_offsets = batch * pollers / partitions;
    let bucket = workload.bucket.as_secs_f64();
    let segment = f64::from(workload.segment);
    let symbol_records = batch / batch_symbols;
    let symbol_puts = (1.0 + batch_seconds / bucket + batch_offsets / segment).min(symbol_records);
    let batch_puts = batch_symbols * symbol_puts;

    // An object is written again and again until its bucket or its segment is over: half of it on average.
    let full = (bucket * rate / symbols).min(segment * partitions / symbols);
    let object_records = ((full + symbol_records) / 2.0).max(1.0);
    let line_bytes = line_bytes(workload);
    let processors = (f64::from(workload.writer_memory_mb) / PROCESSOR_MB).min(1.0);
    let invocation = INVOCATION_SECONDS
        + batch * RECORD_SECONDS / processors
        + (batch_puts / CONCURRENT_PUTS).ceil() * PUT_SECONDS
        + batch_puts * object_records * line_bytes / BYTES_PER_SECOND;

    // Once the open lines are beyond the memory, each object is forgotten before its turn comes again.
    let open_seconds = bucket.min(segment * partitions / rate);
    let line_memory = line_bytes + LINE_INDEX_BYTES;
    let remembered_seconds = REMEMBERED_BYTES as f64 * pollers / (rate * line_memory);
    let forgotten = if workload.segment > 1 {
        (1.0 - remembered_seconds / open_seconds).max(0.0)
    } else {
        0.0
    };

    Flow {
        gets: batches * batch_puts * forgotten,
        quotes,
        calls: minutes,
        poller_seconds: minutes * ((cycles - 1.0) * beat + LAST_CYCLE_SECONDS),
        batches,
        puts: batches * batch_puts,
        writer_seconds: batches * invocation,
    }
}
