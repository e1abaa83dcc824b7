use std::{
    io::{Write, stderr},
    ops::AddAssign,
    sync::{Arc, Mutex},
    time::Duration,
};

use bar_roller::{Place, Roller};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use lake::{
    Compression, Granularity, Layout, ObjectKey, OpenObjects, Received, Requests, describe, gather,
    merge,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};
use lake_tools::cost::{Estimate, Workload, estimate};
use runtime::{Environment, Invocation};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::thousand_symbols;

/// How many days are rolled; a month, as the model has it, if it is not set.
const ROLLED_DAYS: &str = "QUOTELAKE_ROLLED_DAYS";
const DAYS: i64 = 30;
/// On average a run is in the middle of an hour, and no hour begins with a segment.
const BEGIN: &str = "2026-01-25T00:30:00Z";
const FIRST_OFFSET: i64 = 7;

/// One symbol of the thousand, by the template's schedules: what is asked for it counts a thousand times.
#[tokio::test]
async fn the_cost_model_counts_the_requests_of_rollers_for_a_thousand_symbols() {
    let asked = Environment::of_process().secret(ROLLED_DAYS);
    let days = asked.map_or(DAYS, |days| days.parse().unwrap());
    let (counted, store) = roll_for(days).await;
    let silver = store.objects();
    let silver: Vec<_> = silver
        .iter()
        .filter(|(key, _)| {
            key.as_str().starts_with("silver/") && key.as_str().ends_with(".parquet")
        })
        .collect();
    let bytes: usize = silver.iter().map(|(_, body)| body.len()).sum();
    let files = silver.len();
    say(&format!(
        "{days} days: {counted:?}, {files} files of {bytes} bytes"
    ));

    let workload = Workload {
        segment: 30_000,
        ..thousand_symbols()
    };
    let said = estimate(&workload);
    let months = days as f64 / 30.0;
    let all = |of_run: u64, of_symbol: u64| of_run as f64 + of_symbol as f64 * 1_000.0;
    let (run, symbol) = (&counted.of_run, &counted.of_symbol);
    for (name, counted) in [
        ("S3 PUT", all(run.puts, symbol.puts)),
        ("S3 LIST", all(run.lists, symbol.lists)),
        ("S3 GET", all(run.gets, symbol.gets)),
    ] {
        let said = of_silver(&said, name) * months;
        say(&format!(
            "{name}: {counted:.0}, and the model says {said:.0}"
        ));
        assert!(
            (counted / said - 1.0).abs() < 0.03,
            "{counted} {name}, and the model says {said}"
        );
    }
    // A file of minutes for each month, one of hours and one of days for each year.
    if days == DAYS {
        assert_eq!(silver.len(), 2 + 1 + 1);
    }
}

fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

fn of_silver(estimate: &Estimate, name: &str) -> f64 {
    let mut items = estimate.items.iter();
    let found = items.find(|item| item.part == "silver" && item.price.name == name);
    found.unwrap().quantity
}

/// Lands a symbol's quotes and rolls them, as the schedules would for so many days.
async fn roll_for(days: i64) -> (Counted, Arc<MemoryStore>) {
    let store = Counting::default();
    let memory = Arc::clone(&store.memory);
    describe(&*memory, &bronze(), soon()).await.unwrap();
    let begin: Timestamp = BEGIN.parse().unwrap();
    let mut minute = 0;
    for hour in 1..=days * 24 {
        land(&memory, begin, minute..hour * 60).await;
        minute = hour * 60;
        let now = begin + SignedDuration::from_hours(hour);
        run(&store, r#"{"topic":"stock-quotes","every":"1 hour"}"#, now).await;
        if hour % 24 == 0 {
            run(&store, r#"{"topic":"stock-quotes","hours":168}"#, now).await;
        }
    }
    let counted = std::mem::take(&mut *store.counted.lock().unwrap());
    (counted, memory)
}

/// As many quotes to a segment as one of the thousand symbols has of a segment of 30,000 offsets, in fewer quotes an hour.
fn bronze() -> Layout {
    let granularity = Granularity::new(3_600_000, 30);
    Layout::new("bronze", Some("1"), granularity.unwrap(), Compression::None)
}

/// A quote a minute, of which ten say the same time.
async fn land(store: &MemoryStore, begin: Timestamp, minutes: std::ops::Range<i64>) {
    let quotes = minutes.map(|minute| {
        let fetched = begin.as_second() + minute * 60;
        let value = format!(
            r#"{{"symbol":"A","c":{}.5,"t":{},"fetched_at":{fetched}}}"#,
            100 + minute % 7,
            fetched - fetched % 600,
        );
        (FIRST_OFFSET + minute, fetched, value)
    });
    let quotes: Vec<_> = quotes.collect();
    let received = quotes.iter().map(|(offset, fetched, value)| Received {
        topic: "stock-quotes",
        partition: 3,
        offset: *offset,
        timestamp: Some(fetched * 1_000),
        value: Some(value.as_bytes()),
        ..Received::default()
    });
    let received: Vec<_> = received.collect();
    let layout = bronze();
    let open = OpenObjects::default();
    for share in gather(&layout, &received).shares().iter() {
        let (key, (lines, _)) = (share.key(), share.lines());
        let requests = &mut Requests::default();
        let merged = merge(store, &layout, &open, (&key, &lines), soon(), requests);
        merged.await.unwrap();
    }
}

/// A cold start of the function and one invocation.
async fn run(store: &Counting, job: &str, now: Timestamp) {
    let place = Place {
        bronze: "bronze".to_owned(),
        epoch: Some("1".to_owned()),
        silver: "silver".to_owned(),
    };
    let roller = Roller::new(store.clone(), place, <_>::default());
    let input = RawValue::from_string(job.to_owned()).unwrap();
    let invocation = Invocation {
        deadline: soon(),
        stop: CancellationToken::new(),
    };
    let report = roller.handle(&input, &invocation, now).await.unwrap();
    assert_eq!((report.symbols, report.failed.len()), (1, 0), "{report:?}");
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Requests, those that name a symbol apart from the others.
#[derive(Debug, Default)]
struct Counted {
    of_run: Kinds,
    of_symbol: Kinds,
}

#[derive(Debug, Default)]
struct Kinds {
    puts: u64,
    lists: u64,
    gets: u64,
}

/// A store that counts what it is asked.
#[derive(Clone, Default)]
struct Counting {
    memory: Arc<MemoryStore>,
    counted: Arc<Mutex<Counted>>,
}

impl Counting {
    fn count(&self, key: &str, kind: fn(&mut Kinds) -> &mut u64) {
        let mut counted = self.counted.lock().unwrap();
        let kinds = match key.contains("/lake_symbol=") {
            true => &mut counted.of_symbol,
            false => &mut counted.of_run,
        };
        kind(kinds).add_assign(1);
    }
}

impl PutIf for Counting {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.count(key.as_str(), |kinds| &mut kinds.puts);
        self.memory.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.count(key.as_str(), |kinds| &mut kinds.puts);
        self.memory.put_if_match(key, body, etag).await
    }
}

impl Get for Counting {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.count(key.as_str(), |kinds| &mut kinds.gets);
        self.memory.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.count(key.as_str(), |kinds| &mut kinds.gets);
        self.memory.get_if_changed(key, etag, most).await
    }
}

impl List for Counting {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.count(prefix, |kinds| &mut kinds.lists);
        self.memory.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.count(prefix, |kinds| &mut kinds.lists);
        self.memory.folders(prefix, after).await
    }
}
