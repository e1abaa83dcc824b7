//! Records of one symbol, landed as the bronze writer lands them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use lake::{
    Compression, Granularity, ObjectKey, OpenObjects, Received, Requests, gather, merge,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};
use market::bars::{Bar, HOUR, Interval};
use tokio::time::Instant;

use crate::{
    File, How, Judged, Layout, Of, Period, Range, RollError, Rolled, Watermarks, decode, encode,
    judge, roll,
};

/// Whose records they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Market {
    Coins,
    NewYork,
    Vietnam,
}

/// What a record says. Prices are in hundredths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Trade {
        price: i64,
        size: i64,
    },
    Quote {
        price: i64,
    },
    /// With what was traded in the session up to then.
    Board {
        price: i64,
        total: i64,
    },
    /// Of the minute of the event and the one before.
    Minutes {
        price: i64,
    },
    /// Of the UTC date of the event and the one before.
    Days {
        price: i64,
    },
    /// A price that does not say when it was.
    Timeless {
        price: i64,
    },
}

/// A record. Times are in microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) event: i64,
    pub(crate) fetched: i64,
    pub(crate) id: Option<u32>,
    pub(crate) said: Said,
}

impl Record {
    /// A quote that is fetched a second after its event.
    pub(crate) fn quote(offset: i64, event: i64, price: i64) -> Self {
        Self {
            partition: 0,
            offset,
            event,
            fetched: event + 1_000_000,
            id: Some(u32::try_from(offset).unwrap_or(0)),
            said: Said::Quote { price },
        }
    }

    pub(crate) fn fetched(self, fetched: i64) -> Self {
        Self { fetched, ..self }
    }

    pub(crate) fn in_partition(self, partition: i32) -> Self {
        Self { partition, ..self }
    }

    pub(crate) fn value(&self, market: Market, symbol: &str) -> String {
        let price = |price: i64| format!("{}.{:02}", price / 100, price % 100);
        let bar = |date: String, price: String, more: String| {
            format!(
                r#"{{"Date":"{date}","Open":{price},"High":{more},"Low":{price},"Close":{price},"Volume":5}}"#
            )
        };
        let minute = self.event - self.event.rem_euclid(60_000_000);
        let (schema, body) = match &self.said {
            Said::Trade { price: of, size } => (
                "trades-raw",
                format!(r#""price":{},"size":{}"#, price(*of), price(*size)),
            ),
            Said::Quote { price: of } => ("stock-quotes", format!(r#""c":{}"#, price(*of))),
            Said::Timeless { price: of } => ("stock-quotes", format!(r#""c":{}"#, price(*of))),
            Said::Board { price: of, total } => (
                "stock-prices",
                format!(r#""price":{},"volume":{total}"#, price(*of)),
            ),
            Said::Minutes { price: of } => {
                let bars = [0, 1].map(|back| {
                    let at = text(minute - back * 60_000_000);
                    bar(at, price(*of), price(*of + 1))
                });
                ("stock-intraday", format!(r#""data":[{}]"#, bars.join(",")))
            }
            Said::Days { price: of } => {
                let bars = [0, 1].map(|back| {
                    let date = crate::layout::utc_date(self.event - back * 24 * HOUR);
                    bar(date.to_string(), price(*of), price(*of + 1))
                });
                (
                    "stock-historical",
                    format!(r#""data":[{}]"#, bars.join(",")),
                )
            }
        };
        let (class, currency) = match market {
            Market::Coins => ("crypto", "USDT"),
            Market::NewYork => ("equity", "USD"),
            Market::Vietnam => ("equity", "VND"),
        };
        let event = match self.said {
            Said::Timeless { .. } => String::new(),
            _ => format!(r#","event_time":"{}""#, text(self.event)),
        };
        let id = self
            .id
            .map_or(String::new(), |id| format!(r#","event_id":"{id:032x}""#));
        format!(
            r#"{{"symbol":"{symbol}",{body},"meta":{{"schema":"{schema}/1","source":"s","symbol":"{symbol}","asset_class":"{class}","currency":"{currency}","fetched_at":"{}"{event}{id}}}}}"#,
            text(self.fetched),
        )
    }
}

fn text(time: i64) -> String {
    Timestamp::from_microsecond(time).unwrap().to_string()
}

/// A time in microseconds since 1970.
pub(crate) fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

/// Hours from a text on.
pub(crate) fn hour_range(from: &str, hours: i64) -> Range {
    let from = at(from);
    Range {
        from,
        to: from + hours * HOUR,
    }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A store with bronze objects and bars of the topic `t`.
pub(crate) struct Lake<S = MemoryStore> {
    pub(crate) store: Arc<S>,
    pub(crate) layout: Layout,
    pub(crate) market: Market,
    pub(crate) of: Of,
}

impl Lake {
    pub(crate) fn new() -> Self {
        Self::with(Arc::default())
    }
}

impl<S: PutIf + Get + List> Lake<S> {
    pub(crate) fn with(store: Arc<S>) -> Self {
        let granularity = Granularity::new(3_600_000, 1_000).unwrap();
        Self {
            store,
            layout: layout(granularity, Compression::None),
            market: Market::Coins,
            of: of("A"),
        }
    }

    pub(crate) async fn land(&self, records: &[Record]) {
        let bronze = self.layout.bronze();
        land(&*self.store, bronze, (self.market, "A"), records).await;
    }

    pub(crate) async fn roll_with(&self, range: Range, how: &How) -> Result<Rolled, RollError> {
        let known = (&Watermarks::default(), soon());
        roll(&*self.store, &self.layout, &self.of, range, how, known).await
    }

    pub(crate) async fn roll(&self, range: Range) -> Rolled {
        self.roll_with(range, &How::default()).await.unwrap()
    }

    pub(crate) async fn judge(&self) -> Judged {
        let by = (How::default().rules, &Watermarks::default());
        judge(&*self.store, &self.layout, &self.of, by)
            .await
            .unwrap()
    }

    /// Rolls, and demands that the bars are those of bronze.
    pub(crate) async fn roll_right(&self, range: Range) -> Rolled {
        let rolled = self.roll(range).await;
        let judged = self.judge().await;
        assert_eq!((&judged.wrong[..], judged.behind), (&[][..], 0));
        assert!(judged.damaged.is_empty(), "{:?}", judged.damaged);
        rolled
    }

    pub(crate) fn key(&self, interval: Interval, period: Period) -> ObjectKey {
        self.layout.file_key(interval, "t", &self.of.symbol, period)
    }

    pub(crate) async fn file(&self, interval: Interval, period: Period) -> File {
        let key = self.key(interval, period);
        decode(&self.store.get(&key).await.unwrap().body).unwrap()
    }

    /// The minute bars of the month that `time` is in.
    pub(crate) async fn minutes(&self, time: &str) -> Vec<Bar> {
        let month = Period::of_time(Interval::Minute, at(time));
        self.file(Interval::Minute, month).await.bars
    }

    /// The keys of bronze, in order.
    pub(crate) async fn bronze(&self) -> Vec<ObjectKey> {
        let root = self.layout.bronze().root();
        lake::store::list_all(&*self.store, &root).await.unwrap()
    }

    /// How far each partition has come in bronze.
    pub(crate) async fn marks(&self) -> Watermarks {
        let mut marks = Watermarks::default();
        for key in self.bronze().await {
            if let lake::Name::Bronze {
                bucket, partition, ..
            } = self.layout.bronze().name_of(&key)
            {
                marks.see(partition, bucket.as_microsecond());
            }
        }
        marks
    }

    /// Puts other bytes in an object's place.
    pub(crate) async fn overwrite(&self, key: &ObjectKey, body: impl Into<Bytes>) {
        let etag = self.store.get(key).await.unwrap().etag;
        self.store
            .put_if_match(key, body.into(), &etag)
            .await
            .unwrap();
    }

    /// Changes what a silver file says, such that it looks as if a roll had written it.
    pub(crate) async fn forge(
        &self,
        interval: Interval,
        period: Period,
        change: impl FnOnce(&mut File),
    ) {
        let mut file = self.file(interval, period).await;
        change(&mut file);
        self.overwrite(&self.key(interval, period), encode(&file))
            .await;
    }
}

pub(crate) fn of(symbol: &str) -> Of {
    Of {
        topic: "t".to_owned(),
        symbol: symbol.to_owned(),
    }
}

pub(crate) fn layout(granularity: Granularity, compression: Compression) -> Layout {
    let bronze = lake::Layout::new("bronze", Some("1"), granularity, compression);
    Layout::new("silver", Some("1"), bronze)
}

pub(crate) async fn land(
    store: &(impl PutIf + Get),
    bronze: &lake::Layout,
    (market, symbol): (Market, &str),
    records: &[Record],
) {
    let values: Vec<String> = records
        .iter()
        .map(|one| one.value(market, symbol))
        .collect();
    let received = records.iter().zip(&values).map(|(record, value)| Received {
        topic: "t",
        partition: record.partition,
        offset: record.offset,
        timestamp: Some(record.fetched / 1_000),
        value: Some(value.as_bytes()),
        ..Received::default()
    });
    let received: Vec<_> = received.collect();
    let gathered = gather(bronze, &received);
    assert_eq!(gathered.unfit().count(), 0, "{values:?}");
    for share in gathered.shares().iter() {
        let (open, mut requests) = (OpenObjects::default(), Requests::default());
        let lines = (&share.key(), &share.lines().0);
        merge(store, bronze, &open, lines, soon(), &mut requests)
            .await
            .unwrap();
    }
}

/// Start, close in hundredths, ticks, late and complete of each.
pub(crate) fn minute_bars(bars: &[Bar]) -> Vec<(String, Option<String>, i64, i64, bool)> {
    let said = bars.iter().map(|bar| {
        let start = text(bar.start)[11..16].to_owned();
        let close = bar.prices.map(|prices| prices.close.to_string());
        (start, close, bar.ticks, bar.late, bar.complete)
    });
    said.collect()
}

/// A store that counts what is asked of it.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) store: MemoryStore,
    asked: Mutex<Vec<String>>,
    alive: AtomicUsize,
    pub(crate) most_alive: AtomicUsize,
}

impl Counting {
    /// The requests since the last time, each with its verb.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn note(&self, verb: &str, key: &str) {
        self.asked.lock().unwrap().push(format!("{verb} {key}"));
    }
}

impl PutIf for Counting {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.note("PUT", key.as_str());
        self.store.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.note("PUT", key.as_str());
        self.store.put_if_match(key, body, etag).await
    }
}

impl Get for Counting {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.note("GET", key.as_str());
        let alive = self.alive.fetch_add(1, SeqCst) + 1;
        self.most_alive.fetch_max(alive, SeqCst);
        tokio::task::yield_now().await;
        self.alive.fetch_sub(1, SeqCst);
        self.store.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.note("GET", key.as_str());
        self.store.get_if_changed(key, etag, most).await
    }
}

impl List for Counting {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.note("LIST", prefix);
        self.store.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.note("LIST", prefix);
        self.store.folders(prefix, after).await
    }
}
