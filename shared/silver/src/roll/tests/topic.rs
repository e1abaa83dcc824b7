//! All symbols of a topic.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};
use market::bars::{HOUR, Interval};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Lake, Market, Record, at, hour_range, lake_of_records};
use crate::{How, Job, Period, Shard, TopicRolled, roll_topic, symbols, topics};

/// A store that does not answer at times, or not to every request.
#[derive(Default)]
struct Away {
    store: MemoryStore,
    is_away: AtomicBool,
    hangs: AtomicBool,
    /// PUTs until it goes away.
    puts: AtomicUsize,
}

impl Away {
    async fn answer(&self) -> Result<(), StoreError> {
        if !self.is_away.load(SeqCst) {
            return Ok(());
        }
        if self.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        Err(StoreError::Unavailable {
            store: "s".to_owned(),
            cause: "away".into(),
        })
    }

    fn count_put(&self) {
        if self.puts.load(SeqCst) > 0 && self.puts.fetch_sub(1, SeqCst) == 1 {
            self.is_away.store(true, SeqCst);
        }
    }
}

impl PutIf for Away {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.answer().await?;
        self.count_put();
        self.store.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.answer().await?;
        self.count_put();
        self.store.put_if_match(key, body, etag).await
    }
}

impl Get for Away {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.answer().await?;
        self.store.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.answer().await?;
        self.store.get_if_changed(key, etag, most).await
    }
}

impl List for Away {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.answer().await?;
        self.store.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.answer().await?;
        self.store.folders(prefix, after).await
    }
}

const SYMBOLS: [&str; 5] = ["A", "B", "BRK.B", "btc/usdt", "0050"];

async fn lake() -> Lake<Away> {
    let lake = Lake::with(Arc::new(Away::default()));
    let ten = at("2026-11-20T10:00:00Z");
    for symbol in SYMBOLS {
        let of = (Market::Coins, symbol);
        lake_of_records::land(
            &*lake.store,
            lake.layout.bronze(),
            of,
            &[Record::quote(0, ten, 100)],
        )
        .await;
    }
    lake
}

fn job() -> Job {
    Job {
        topic: "t".to_owned(),
        range: hour_range("2026-11-20T08:00:00Z", 8),
        how: How::default(),
        shard: Shard::ALL,
        symbols: BTreeSet::new(),
        at_once: 2,
    }
}

async fn roll_job(lake: &Lake<Away>, job: &Job) -> Result<TopicRolled, StoreError> {
    let until = Instant::now() + Duration::from_secs(30);
    let end = (until, &CancellationToken::new());
    roll_topic(&lake.store, &lake.layout, job, end, |_, _, _| {}).await
}

#[tokio::test]
async fn shards_part_the_symbols_of_a_topic() {
    let lake = lake().await;
    assert_eq!(topics(&*lake.store, &lake.layout).await.unwrap(), ["t"]);
    let all = symbols(&*lake.store, &lake.layout, "t").await.unwrap();
    assert_eq!(all.len(), SYMBOLS.len());
    for of in 1..4 {
        let mut files = 0;
        for number in 0..of {
            let shard = Shard { number, of };
            files += roll_job(&lake, &Job { shard, ..job() })
                .await
                .unwrap()
                .symbols;
        }
        assert_eq!(files, SYMBOLS.len(), "{of}");
    }
    let unknown = Job {
        topic: "u".to_owned(),
        ..job()
    };
    assert_eq!(roll_job(&lake, &unknown).await.unwrap().symbols, 0);
    let again = roll_job(&lake, &job()).await.unwrap();
    assert_eq!((again.unchanged, again.total.files), (5, 0));
}

#[tokio::test]
async fn a_later_record_of_another_symbol_completes_a_bar_by_the_recorded_watermark() {
    let lake = lake().await;
    let completes = async || {
        roll_job(&lake, &job()).await.unwrap();
        lake.minutes("2026-11-20T10:00:00Z").await[0].complete
    };
    assert!(!completes().await);
    let later = at("2026-11-20T12:00:00Z");
    let of = (Market::Coins, "B");
    lake_of_records::land(
        &*lake.store,
        lake.layout.bronze(),
        of,
        &[Record::quote(1, later, 100)],
    )
    .await;
    assert!(!completes().await, "it is recorded after this run");
    assert!(completes().await);
    let only = Job {
        symbols: ["A".to_owned()].into(),
        ..job()
    };
    assert_eq!(roll_job(&lake, &only).await.unwrap().total.files, 0);
}

#[tokio::test(start_paused = true)]
async fn what_there_was_no_answer_for_is_named_and_taken_up_by_the_next_run() {
    for (hangs, puts) in [
        (false, 4),
        (true, 4),
        (false, 1),
        (true, 1),
        (true, 15),
        (false, 15),
    ] {
        let lake = lake().await;
        lake.store.hangs.store(hangs, SeqCst);
        lake.store.puts.store(puts, SeqCst);
        let begin = Instant::now();
        let rolled = roll_job(&lake, &job()).await.unwrap();
        assert!(
            begin.elapsed() <= Duration::from_secs(31),
            "{:?}",
            begin.elapsed()
        );
        let missing = rolled.failed.len() + rolled.left.len();
        assert_eq!(missing == 0, puts == 15, "{rolled:?}");
        assert!(rolled.failed.values().all(crate::RollError::is_transient));
        if hangs {
            assert_eq!(rolled.failed.len(), 0, "{:?}", rolled.failed);
        }
        lake.store.is_away.store(false, SeqCst);
        let again = roll_job(&lake, &job()).await.unwrap();
        assert_eq!((again.failed.len(), again.left.len()), (0, 0));
        let judged = lake.judge().await;
        assert_eq!((&judged.wrong[..], judged.behind), (&[][..], 0));
        assert_eq!(roll_job(&lake, &job()).await.unwrap().total.files, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_whose_store_never_answers_ends_in_time() {
    for hangs in [false, true] {
        let lake = lake().await;
        lake.store.hangs.store(hangs, SeqCst);
        lake.store.is_away.store(true, SeqCst);
        let begin = Instant::now();
        roll_job(&lake, &job()).await.unwrap_err();
        assert!(begin.elapsed() <= Duration::from_secs(31));
    }
}

#[tokio::test]
async fn what_is_not_begun_when_it_has_to_stop_is_left() {
    let lake = lake().await;
    let stop = CancellationToken::new();
    stop.cancel();
    let end = (Instant::now() + Duration::from_secs(30), &stop);
    let rolled = roll_topic(&lake.store, &lake.layout, &job(), end, |_, _, _| {}).await;
    assert_eq!(rolled.unwrap().left.len(), SYMBOLS.len());
}

#[tokio::test]
async fn a_symbol_with_a_damaged_file_costs_no_other() {
    let lake = lake().await;
    roll_job(&lake, &job()).await.unwrap();
    let key = lake.key(Interval::Hour, Period::Year(2026));
    lake.overwrite(&key, "garbage").await;
    let of = (Market::Coins, "B");
    let next = Record::quote(1, at("2026-11-20T10:00:00Z") + HOUR, 100);
    lake_of_records::land(&*lake.store, lake.layout.bronze(), of, &[next]).await;
    let rolled = roll_job(&lake, &job()).await.unwrap();
    assert_eq!(rolled.failed.keys().collect::<Vec<_>>(), ["A"]);
    assert_eq!((rolled.total.files, rolled.unchanged), (3, 3));
}
