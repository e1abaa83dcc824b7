use lake::store::PAGE;
use market::bars::Rules;

use super::{
    Item, Poll, Workload,
    model::{BYTES_PER_SECOND, COLD_START_SECONDS, DAYS, GB, HOURS, item, line_bytes},
    prices::{self, Price},
};

/// How many hours back the daily sweep looks, and the memory of a roller: the template's.
pub(super) const SWEEP_HOURS: f64 = 168.0;
pub(super) const ROLLER_MB: f64 = 1_769.0;

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
const MONTH: f64 = DAYS * DAY;
/// Minutes, hours and days.
const FILES: f64 = 3.0;
/// A file of minutes for each month, one of hours, one of days.
pub(super) const FILES_A_YEAR: f64 = 14.0;
/// Around a new year the files of hours and days of both years are read, for so many of the year's days.
const NEW_YEAR: f64 = 8.0 / 365.0;
/// The months that are kept: bars are never removed, and this is the bill after a year.
const KEPT_MONTHS: f64 = 12.0;

/// A bar of a minute, an hour and a day in its file with its share of the metadata, in bytes (docs/benchmarks.md).
pub(super) const MINUTE_BYTES: f64 = 50.0;
pub(super) const HOUR_BYTES: f64 = 140.0;
pub(super) const DAY_BYTES: f64 = 230.0;
/// A line of bronze through the roller on a whole processor, a bar read and written again, and a symbol beside both
/// (docs/benchmarks.md).
pub(super) const LINE_SECONDS: f64 = 1.5e-6;
pub(super) const BAR_SECONDS: f64 = 2e-6;
pub(super) const SYMBOL_SECONDS: f64 = 0.4e-3;
/// A request, the requests of a symbol that wait for one another, and the symbols that are rolled at once.
const REQUEST_SECONDS: f64 = 0.03;
const ROUNDS: f64 = 10.0;
const SYMBOLS_AT_ONCE: f64 = 16.0;

/// A month of the rollers of some topics.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bars {
    calls: f64,
    seconds: f64,
    puts: f64,
    lists: f64,
    gets: f64,
    kept_bytes: f64,
}

/// The lines of the bill: those of the rollers, and those of what they ask of the lake.
pub(super) fn items(workload: &Workload, duration: Price) -> Vec<Item> {
    if workload.roll_every_seconds == 0 {
        return Vec::new();
    }
    let topics = workload.polls.iter().map(|poll| of_topic(workload, *poll));
    let all = topics.fold(Bars::default(), |all, topic| Bars {
        calls: all.calls + topic.calls,
        seconds: all.seconds + topic.seconds,
        puts: all.puts + topic.puts,
        lists: all.lists + topic.lists,
        gets: all.gets + topic.gets,
        kept_bytes: all.kept_bytes + topic.kept_bytes,
    });
    vec![
        item("bar-roller", prices::LAMBDA_REQUEST, all.calls),
        item("bar-roller", duration, all.seconds * ROLLER_MB / 1024.0),
        item("bar-roller", prices::SCHEDULER_CALL, all.calls),
        item("silver", prices::S3_PUT, all.puts),
        item("silver", prices::S3_LIST, all.lists),
        item("silver", prices::S3_GET, all.gets),
        item("silver", prices::S3_STORAGE, all.kept_bytes / GB),
    ]
}

fn of_topic(workload: &Workload, poll: Poll) -> Bars {
    let symbols = f64::from(poll.symbols);
    let every = f64::from(workload.roll_every_seconds);
    let (runs, sweeps) = (MONTH / every, DAYS);
    let active = workload.hours_per_day / 24.0;
    let bucket = workload.bucket.as_secs_f64();
    let Rules { lateness, ahead } = Rules::default();
    let (lateness, ahead) = (lateness as f64 / 1e6, ahead as f64 / 1e6);

    // Each run asks for the watermarks and the symbols, and records the watermarks of a new bucket.
    let pages = (symbols / PAGE as f64).ceil() + 1.0;
    let marked = (every / bucket).min(1.0) * active;

    // The hours that a run looks at, each month of them for itself.
    let hours = ((lateness + every) / HOUR).ceil() + 3.0;
    let months = |hours: f64| 1.0 + (hours - 1.0) / HOURS;
    let read_files = 1.0 + (FILES - 1.0) * (1.0 + NEW_YEAR);

    // The objects of the hours that changed: those that share an object with what is new.
    let reread = every + bucket.max(HOUR) / 2.0 + ((lateness + ahead) / bucket).ceil() * bucket;
    let rate = f64::from(60_u32.div_ceil(poll.beat_seconds)) / 60.0;
    let offsets = rate * symbols / f64::from(workload.partitions).min(symbols);
    let crossed = 1.0 / bucket + offsets / f64::from(workload.segment);
    let lines = rate * reread;
    let objects = (reread * crossed + 0.5).min(lines);
    // A listing begins with a date, and has what is newer.
    let list_pages = |hours: f64| {
        let seconds = hours * HOUR + bucket + DAY / 2.0;
        let objects = (seconds * crossed).min(seconds * rate) * active;
        (objects / PAGE as f64).floor() + 1.0
    };

    // A file is written again whole, half full on average.
    let minutes = workload.hours_per_day * 60.0 * DAYS;
    let of_hours = workload.hours_per_day * DAYS * 12.0;
    let of_days = DAYS * 12.0;
    let bars = (minutes + of_hours + of_days) / 2.0;
    let bytes = minutes * MINUTE_BYTES + of_hours * HOUR_BYTES + of_days * DAY_BYTES;
    let read_and_written = bytes / 2.0 * (1.0 + active);

    let per_symbol = SYMBOL_SECONDS
        + ROUNDS * REQUEST_SECONDS / SYMBOLS_AT_ONCE.min(symbols)
        + bars * BAR_SECONDS
        + (read_and_written + lines * active * line_bytes(workload)) / BYTES_PER_SECOND
        + lines * active * LINE_SECONDS;
    let looking = runs * months(hours) + sweeps * months(SWEEP_HOURS + 1.0);
    // Hours of two months are listed together, then those of each.
    let lists = |hours: f64| (2.0 * months(hours) - 1.0) * list_pages(hours);
    let listing = runs * lists(hours) + sweeps * lists(SWEEP_HOURS + 1.0);
    Bars {
        calls: runs + sweeps,
        seconds: (runs + sweeps) * (COLD_START_SECONDS + symbols * per_symbol),
        puts: runs * (marked + symbols * FILES * months(hours) * active),
        lists: (runs + sweeps) * pages + symbols * listing,
        gets: (runs + sweeps) * 3.0 + symbols * (looking * read_files + runs * objects * active),
        kept_bytes: symbols
            * (minutes * KEPT_MONTHS * MINUTE_BYTES + of_hours * HOUR_BYTES + of_days * DAY_BYTES),
    }
}
