//! Rolls of a lake in memory.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use clap::Parser;
use lake::{
    Compression, Granularity, Layout as Bronze, ObjectKey,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::written::{Record, deliver, event, run, writer};

#[derive(Parser)]
struct Tool {
    #[command(flatten)]
    options: Options,
}

fn options(more: &[&str]) -> Options {
    parsed(more).unwrap()
}

fn parsed(more: &[&str]) -> Result<Options, String> {
    let arguments = [&["roll", "--at-once", "1"], more].concat();
    let tool = Tool::try_parse_from(arguments).map_err(|error| error.to_string())?;
    Ok(tool.options)
}

fn silver() -> Layout {
    let bronze = Bronze::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
    Layout::new("silver", Some("1"), bronze)
}

/// A store that answers so many requests for silver files, and then refuses or hangs.
struct Tiring {
    memory: MemoryStore,
    left: AtomicUsize,
    hangs: bool,
}

impl Tiring {
    async fn of(symbols: &[&str], answers: usize, hangs: bool) -> Self {
        Self {
            memory: lake_of(symbols).await,
            left: AtomicUsize::new(answers),
            hangs,
        }
    }

    async fn take(&self, asked: &str) -> Result<(), StoreError> {
        if !asked.contains("lake_interval=") {
            return Ok(());
        }
        let take = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.left.fetch_update(order, order, take).is_ok() {
            return Ok(());
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let store = "memory".to_owned();
        Err(StoreError::Throttled { store })
    }
}

impl PutIf for Tiring {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.take(key.as_str()).await?;
        self.memory.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.take(key.as_str()).await?;
        self.memory.put_if_match(key, body, etag).await
    }
}

impl Get for Tiring {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.take(key.as_str()).await?;
        self.memory.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.take(key.as_str()).await?;
        self.memory.get_if_changed(key, etag, most).await
    }
}

impl List for Tiring {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.memory.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.memory.folders(prefix, after).await
    }
}

/// A lake with a trade of each symbol.
async fn lake_of(symbols: &[&str]) -> MemoryStore {
    let records: Vec<Record> = symbols
        .iter()
        .zip(0..)
        .map(|(symbol, offset)| {
            let time = 1_779_480_000_000_i64 + offset;
            Record {
                topic: "trades_raw",
                partition: 0,
                offset,
                value: Some(format!(
                    r#"{{"symbol":"{symbol}","price":2,"size":3,"time":{time}}}"#
                )),
            }
        })
        .collect();
    let writer = writer(MemoryStore::default(), silver().bronze());
    deliver(&writer, &event(&records)).await;
    let store = MemoryStore::default();
    for (key, body) in writer.store().objects() {
        store.put_if_absent(&key, body).await.unwrap();
    }
    store
}

async fn rolled<S: PutIf + Get + List + 'static>(
    store: &Arc<Answering<S>>,
    more: &[&str],
) -> Result<Outcome, RollError> {
    let stop = CancellationToken::new();
    roll_lake(&options(more), store, (&silver(), "the lake"), &stop).await
}

async fn answering(symbols: &[&str]) -> Arc<Answering<MemoryStore>> {
    Arc::new(Answering::new(lake_of(symbols).await))
}

#[test]
fn what_is_rolled_is_whole_and_unchanged_the_next_time() {
    run(async {
        let store = answering(&["A", "B"]).await;
        let outcome = rolled(&store, &[]).await.unwrap();
        assert!(outcome.is_whole(), "{outcome:?}");
        let topic = &outcome.topics["trades_raw"];
        assert_eq!((topic.symbols, topic.total.bars), (2, 2));
        let outcome = rolled(&store, &[]).await.unwrap();
        assert_eq!(outcome.topics["trades_raw"].unchanged, 2);
        let said = text(&options(&[]), &outcome);
        assert!(!said.contains("lateness"), "{said}");
    });
}

#[test]
fn an_unknown_symbol_or_topic_is_named_before_anything_is_written() {
    run(async {
        let store = answering(&["A"]).await;
        let before = store.inner().objects();
        let error = rolled(&store, &["--symbol", "A", "--symbol", "zz"]).await;
        let said = error.unwrap_err().to_string();
        assert!(said.contains("no symbol 'zz'"), "{said}");
        let error = rolled(&store, &["--topic", "tt"]).await;
        let said = error.unwrap_err().to_string();
        assert!(said.contains("no topic 'tt': it has trades_raw"), "{said}");
        assert_eq!(store.inner().objects(), before);
    });
}

#[test]
fn a_damaged_object_leaves_a_roll_not_whole_with_what_to_do() {
    run(async {
        let store = answering(&["A"]).await;
        let root = silver().bronze().topic_root("trades_raw");
        let objects = store.inner().objects();
        let key = objects.keys().find(|key| key.as_str().starts_with(&root));
        let etag = store.get(key.unwrap()).await.unwrap().etag;
        let body = Bytes::from_static(b"{");
        store.put_if_match(key.unwrap(), body, &etag).await.unwrap();
        let outcome = rolled(&store, &[]).await.unwrap();
        assert!(!outcome.is_whole());
        let said = text(&options(&[]), &outcome);
        let remedy = "restore it, or remove it if it is none of quotelake's";
        assert!(said.contains(remedy), "{said}");
    });
}

#[test]
fn a_store_that_goes_away_ends_the_roll_after_minutes_and_what_is_left_is_named() {
    run(async {
        // The lateness is given, so that no file is asked for it.
        let store = Tiring::of(&["A", "B", "C"], 0, false).await;
        let store = Arc::new(Answering::new(store));
        let begun = Instant::now();
        let outcome = rolled(&store, &["--lateness", "1h", "--ahead", "1m"]).await;
        let outcome = outcome.unwrap();
        assert!(begun.elapsed() < 2 * answers::SILENCE);
        assert_eq!(outcome.cut, Some(Cut::Silence));
        assert!(!outcome.is_whole());
        assert_eq!(outcome.topics["trades_raw"].left, ["A", "B", "C"]);
        let said = text(&options(&[]), &outcome);
        assert!(said.contains("left  C"), "{said}");
    });
}

#[test]
fn a_stopped_roll_ends_within_seconds_though_the_store_hangs() {
    run(async {
        let store = Arc::new(Answering::new(Tiring::of(&["A", "B"], 0, true).await));
        let (stop, begun) = (CancellationToken::new(), Instant::now());
        let of = options(&[]);
        let (layout, cancel) = (silver(), stop.clone());
        let rolling = roll_lake(&of, &store, (&layout, "the lake"), &stop);
        let stopping = async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(rolling, stopping);
        let outcome = outcome.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(7));
        assert_eq!(outcome.cut, Some(Cut::Stopped));
        assert_eq!(outcome.topics["trades_raw"].left, ["A", "B"]);
    });
}

#[test]
fn without_a_lateness_that_of_the_bars_is_kept_and_told() {
    run(async {
        let store = answering(&["A"]).await;
        rolled(&store, &["--lateness", "2h"]).await.unwrap();
        let outcome = rolled(&store, &[]).await.unwrap();
        let topic = &outcome.topics["trades_raw"];
        assert_eq!((topic.unchanged, topic.total.files), (1, 0));
        assert_eq!(outcome.rules["trades_raw"].lateness, 2 * HOUR);
        let said = text(&options(&[]), &outcome);
        assert!(said.contains("lateness  2h"), "{said}");
    });
}

#[test]
fn a_question_is_asked_again_for_a_minute_and_no_longer() {
    run(async {
        let begun = Instant::now();
        let mut asked = 0;
        let answer = ask(StoreError::is_transient, async || {
            asked += 1;
            let store = "memory".to_owned();
            Err::<(), _>(StoreError::Throttled { store })
        });
        assert!(answer.await.is_err());
        assert!(asked > 20, "{asked}");
        assert!(begun.elapsed() <= Duration::from_mins(1));
    });
}

#[test]
fn a_range_takes_in_every_hour_that_it_touches() {
    let now: Timestamp = "2026-11-28T14:30:00Z".parse().unwrap();
    let hours = |more: &[&str]| {
        let range = range(&options(more), now).unwrap();
        [range.from, range.to].map(|time| Timestamp::from_microsecond(time).unwrap().to_string())
    };
    let touched = ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"];
    let within = ["--from", "2026-11-20T10:30Z", "--to", "2026-11-20T10:40Z"];
    let whole = ["--from", "2026-11-20T10:00Z", "--to", "2026-11-20T11:00Z"];
    assert_eq!(hours(&within), touched);
    assert_eq!(hours(&whole), touched);
    let refused = |more: &[&str]| range(&options(more), now).unwrap_err().to_string();
    let said = refused(&["--from", "2026-11-20", "--to", "2026-11-20"]);
    assert!(said.contains("is not before --to"), "{said}");
    let said = refused(&["--from", "2026-12-01"]);
    assert!(said.contains("lies in the future"), "{said}");
}

#[test]
fn bars_lie_beside_bronze() {
    for silver in ["", "/", "lake/bronze", "lake/bronze/bars/", "lake"] {
        let said = beside(silver, "lake/bronze").unwrap_err().to_string();
        assert!(said.contains("give a prefix beside it"), "{said}");
    }
    for silver in ["silver", "lake/bars", "lake/bronze-bars"] {
        beside(silver, "lake/bronze").unwrap();
    }
}

#[test]
fn a_lateness_is_as_long_as_the_function_takes() {
    assert!(parsed(&["--lateness", "720h"]).is_ok());
    for wrong in ["721h", "-1h", "1", "soon"] {
        let said = parsed(&[&*format!("--lateness={wrong}")]).err().unwrap();
        assert!(said.contains("--lateness"), "{said}");
    }
}
