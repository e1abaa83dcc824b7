use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use ::stream::{OffsetRange, consume::ConsumedRecord, topics::TopicError};
use bronze_writer::Writer;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use lake::{
    Compression, Granularity, Header, Layout, Received, no_row, object_too_large,
    store::{MemoryStore, PutIf},
};
use proptest::prelude::*;
use tables::{Number, Row, UpsertError, key, latest, postgres::ReadError};

use super::{DatabaseVerdict, Kafka, Lake, ReadTables, Scope, options::aside, verify_tables};
use crate::{
    verify::{Progress, Topics},
    written::{Record, deliver, event, run, writer},
};

const TOPIC: &str = "stock-quotes";

/// Tables that somebody may have changed.
#[derive(Clone, Default)]
struct Held {
    history: Vec<Row>,
    latest: Vec<Row>,
}

impl ReadTables for Held {
    async fn history(
        &self,
        epoch: &str,
        since: Option<Timestamp>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        let is_asked =
            |row: &&Row| row.epoch == epoch && since.is_none_or(|since| row.created_at >= since);
        Ok(rows(self.history.iter().filter(is_asked)))
    }

    async fn of_offsets(
        &self,
        topic: &str,
        epoch: &str,
        partition: i32,
        offsets: Range<i64>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        let is_asked = |row: &&Row| {
            row.topic == topic
                && row.epoch == epoch
                && row.partition == partition
                && offsets.contains(&row.offset)
        };
        Ok(rows(self.history.iter().filter(is_asked)))
    }

    async fn latest(&self) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        Ok(rows(self.latest.iter()))
    }
}

fn rows<'r>(
    rows: impl Iterator<Item = &'r Row>,
) -> stream::Iter<std::vec::IntoIter<Result<Row, ReadError>>> {
    let rows: Vec<_> = rows.cloned().map(Ok).collect();
    stream::iter(rows)
}

/// No Kafka.
enum None_ {}

impl Topics for None_ {
    async fn held(&self, _: &str, _: i32) -> Result<Range<i64>, TopicError> {
        match *self {}
    }

    fn read(
        &self,
        _: &str,
        _: Vec<(i32, Range<i64>)>,
    ) -> impl Stream<Item = Result<ConsumedRecord, TopicError>> + Send {
        stream::empty()
    }
}

/// A lake, and the tables that the function has made of the same records.
struct Made {
    writer: Writer<MemoryStore>,
    layout: Layout,
    aside: Layout,
    topics: [String; 1],
    tables: Held,
}

/// A record of each partition and offset: quotes, and now and then what is none.
fn records(partitions: i32, offsets: i64) -> Vec<Record> {
    let of = |partition| {
        (0..offsets).map(move |offset| Record {
            topic: TOPIC,
            partition,
            offset,
            value: Some(value(partition, offset)),
        })
    };
    (0..partitions).flat_map(of).collect()
}

fn value(partition: i32, offset: i64) -> String {
    let second = 1_779_480_000 + offset * 7;
    match offset % 11 {
        9 => "{".to_owned(),
        10 => format!(
            r#"{{"symbol":"A","price":1.5,"fetched_at":{second},"meta":{{"schema":"trades-raw/1"}}}}"#
        ),
        _ => format!(
            r#"{{"symbol":"S{}","c":{}.10,"d":-0.5,"pc":7,"t":{second},"fetched_at":{second}}}"#,
            (offset + i64::from(partition)) % 5,
            100 + offset,
        ),
    }
}

fn received(record: &Record) -> Received<'_> {
    Received {
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: Some(1_779_480_000_123),
        key: Some(b"A"),
        headers: &[Header {
            name: "h",
            value: Some(&[255, 65]),
        }],
        value: record.value.as_deref().map(str::as_bytes),
    }
}

impl Made {
    async fn of(compression: Compression, records: &[Record]) -> Self {
        let granularity = Granularity::new(3_600_000, 500).unwrap();
        let layout = Layout::new("bronze", Some("7"), granularity, compression);
        let made = Self {
            aside: aside("postgres", Some("7"), &layout),
            topics: [TOPIC.to_owned()],
            tables: tables_of(records),
            writer: writer(MemoryStore::default(), &layout),
            layout,
        };
        deliver(&made.writer, &event(records)).await;
        made
    }

    async fn put_aside(&self, layout: &Layout, record: &Record) {
        let object = match layout == &self.aside {
            true => no_row(layout, &received(record), "the database refuses it"),
            false => object_too_large(layout, &received(record)),
        };
        let body: Bytes = object.body;
        self.writer
            .store()
            .put_if_absent(&object.key, body)
            .await
            .unwrap();
    }

    async fn verify(&self) -> DatabaseVerdict {
        self.verify_within(|_| {}).await
    }

    async fn verify_within<'a>(&'a self, change: impl FnOnce(&mut Scope<'a>)) -> DatabaseVerdict {
        let mut scope = Scope {
            topics: &self.topics,
            epoch: "7",
            only: None,
            since: None,
            history: true,
            has_had_all: false,
        };
        change(&mut scope);
        let lake = Lake {
            store: self.writer.store(),
            layout: Some(&self.layout),
            aside: &self.aside,
        };
        let kafka: Option<&Kafka<'_, None_>> = None;
        let quiet = |_: Progress| {};
        verify_tables(&self.tables, &lake, kafka, &scope, &quiet)
            .await
            .unwrap()
    }
}

fn tables_of(records: &[Record]) -> Held {
    let rows = records
        .iter()
        .filter_map(|record| tables::read(&received(record), "7").ok()?);
    let history: Vec<Row> = rows.collect();
    let latest = latest(history.iter()).into_iter().cloned();
    let latest = latest.map(|row| Row {
        source: Some(row.source.unwrap_or_default()),
        ..row
    });
    Held {
        latest: latest.collect(),
        history,
    }
}

/// What speaks against the tables, by the first words.
fn kinds(verdict: &DatabaseVerdict) -> Vec<&'static str> {
    let found = verdict.findings().filter(|(_, total, _)| *total > 0);
    found
        .map(|(what, ..)| what.split_once(" (").map_or(what, |(first, _)| first))
        .collect()
}

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

#[test]
fn what_the_function_makes_of_a_lake_is_exact() {
    run(async {
        for compression in [Compression::None, Compression::Zstd] {
            let made = Made::of(compression, &records(2, 110)).await;
            let verdict = made.verify().await;
            assert!(verdict.is_exact(), "{verdict}");
            assert_eq!((verdict.records, verdict.rows), (180, 180));
            assert_eq!((verdict.no_quotes, verdict.no_rows), (20, 20), "{verdict}");
            assert_eq!((verdict.latest, verdict.latest_right), (5, 5));
            let said = verdict.to_string();
            assert!(
                said.starts_with(
                    "records 180 = rows 180 + quarantine 0\nlatest quotes 5 = right 5\n"
                ),
                "{said}"
            );
        }
    });
}

#[test]
fn a_record_that_bronze_has_aside_is_expected_too() {
    run(async {
        let all = records(1, 9);
        let mut made = Made::of(Compression::None, &all[..8]).await;
        made.put_aside(&made.layout, &all[8]).await;
        let verdict = made.verify().await;
        assert_eq!(verdict.missing.first, ["stock-quotes-0@8"]);
        made.tables = tables_of(&all);
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
    });
}

#[test]
fn what_the_function_has_aside_needs_no_row_and_may_have_one() {
    run(async {
        let all = records(1, 9);
        let mut made = Made::of(Compression::None, &all).await;
        made.put_aside(&made.aside, &all[8]).await;
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!(
            (verdict.rows, verdict.in_both, verdict.in_quarantine),
            (9, 1, 0)
        );
        made.tables = tables_of(&all[..8]);
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!(
            (verdict.rows, verdict.in_both, verdict.in_quarantine),
            (8, 0, 1)
        );
        made.tables = tables_of(&all);
        made.tables.history[8].price = number("1");
        let verdict = made.verify().await;
        assert_eq!(kinds(&verdict), ["rows altered"], "{verdict}");
    });
}

#[test]
fn rows_of_days_that_were_dropped_are_not_expected() {
    run(async {
        let mut made = Made::of(Compression::None, &records(2, 40)).await;
        let since = Timestamp::from_second(1_779_480_000 + 20 * 7).unwrap();
        made.tables.history.retain(|row| row.created_at >= since);
        assert_eq!(kinds(&made.verify().await), ["records without a row"]);
        let verdict = made.verify_within(|scope| scope.since = Some(since)).await;
        assert!(verdict.is_exact(), "{verdict}");
        made.tables = tables_of(&records(2, 40));
        let verdict = made.verify_within(|scope| scope.since = Some(since)).await;
        assert!(verdict.is_exact(), "{verdict}");
    });
}

#[test]
fn without_a_history_the_latest_quotes_are_compared_alone() {
    run(async {
        let mut made = Made::of(Compression::None, &records(2, 40)).await;
        made.tables.history.clear();
        let verdict = made.verify_within(|scope| scope.history = false).await;
        assert!(verdict.is_exact(), "{verdict}");
        made.tables.latest.pop();
        let verdict = made.verify_within(|scope| scope.history = false).await;
        assert_eq!(kinds(&verdict), ["latest quotes missing"], "{verdict}");
    });
}

#[test]
fn a_latest_quote_of_another_epoch_may_be_newer_and_never_older() {
    run(async {
        let mut made = Made::of(Compression::None, &records(1, 8)).await;
        let other = Row {
            epoch: "8".to_owned(),
            ..made.tables.latest[0].clone()
        };
        made.tables.latest[0] = other.clone();
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!(verdict.latest_of_others, 1);
        made.tables.latest[0] = Row {
            epoch: "6".to_owned(),
            ..other
        };
        let verdict = made.verify().await;
        assert_eq!(kinds(&verdict), ["latest quotes wrong"], "{verdict}");
    });
}

#[test]
fn where_no_record_was_read_nothing_is_exact() {
    run(async {
        let mut made = Made::of(Compression::None, &records(1, 8)).await;
        let topics = ["no-such-topic".to_owned()];
        let verdict = made.verify_within(|scope| scope.topics = &topics).await;
        assert!(!verdict.is_exact(), "{verdict}");
        assert_eq!(verdict.absent, topics);
        assert!(verdict.latest > 0 && verdict.to_string().contains("nothing to verify"));
        let later = Timestamp::from_second(2_000_000_000).unwrap();
        let verdict = made.verify_within(|scope| scope.since = Some(later)).await;
        assert!(!verdict.is_exact(), "{verdict}");
        assert!(verdict.absent.is_empty());
        // Rows alone are of a topic that is known.
        made.tables.history[0].topic = topics[0].clone();
        let verdict = made.verify_within(|scope| scope.topics = &topics).await;
        assert_eq!(kinds(&verdict), ["rows of no record"], "{verdict}");
        assert!(verdict.absent.is_empty());
    });
}

#[test]
fn a_row_within_a_range_that_no_record_explains_is_found() {
    run(async {
        let mut made = Made::of(Compression::None, &records(1, 8)).await;
        let ranges = [OffsetRange {
            topic: TOPIC.to_owned(),
            partition: 0,
            offsets: 0..100,
        }];
        let verdict = made.verify_within(|scope| scope.only = Some(&ranges)).await;
        assert!(verdict.is_exact(), "{verdict}");
        let row = Row {
            offset: 50,
            ..made.tables.history[0].clone()
        };
        made.tables.history.push(row);
        let verdict = made.verify_within(|scope| scope.only = Some(&ranges)).await;
        assert_eq!(verdict.unfounded.first, ["stock-quotes-0@50"], "{verdict}");
        assert_eq!(verdict.expired, 0);
    });
}

#[test]
fn a_record_without_a_row_is_aside_or_found() {
    run(async {
        // Offsets 9 and 20 can be no row.
        let all = records(1, 25);
        let made = Made::of(Compression::None, &all).await;
        let has_had_all = |scope: &mut Scope<'_>| scope.has_had_all = true;
        let verdict = made.verify_within(has_had_all).await;
        assert_eq!(
            verdict.not_aside.first,
            ["stock-quotes-0@9", "stock-quotes-0@20"]
        );
        // Filled by `replay` alone, which puts nothing aside.
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!((verdict.no_rows, verdict.in_quarantine), (2, 0));
        made.put_aside(&made.aside, &all[20]).await;
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!((verdict.no_rows, verdict.in_quarantine), (1, 1));
        let verdict = made.verify_within(has_had_all).await;
        assert_eq!(verdict.not_aside.first, ["stock-quotes-0@9"]);
        made.put_aside(&made.aside, &all[9]).await;
        let verdict = made.verify_within(has_had_all).await;
        assert!(verdict.is_exact(), "{verdict}");
        let said = verdict.to_string();
        assert!(
            said.starts_with("records 23 = rows 21 + quarantine 2\n"),
            "{said}"
        );
    });
}

#[test]
fn of_a_function_that_has_put_an_earlier_record_aside_a_later_one_is_expected_there() {
    run(async {
        let all = records(1, 25);
        let made = Made::of(Compression::None, &all).await;
        made.put_aside(&made.aside, &all[9]).await;
        let verdict = made.verify().await;
        assert_eq!(verdict.not_aside.first, ["stock-quotes-0@20"], "{verdict}");
        assert!(!verdict.is_exact());
    });
}

/// Tables that a function goes on to fill, and whose records are in the lake only after it was looked at.
struct Running<'a> {
    made: &'a Made,
    later: &'a [Record],
    held: Mutex<Held>,
    looks: AtomicU32,
}

impl ReadTables for Running<'_> {
    async fn history(
        &self,
        epoch: &str,
        since: Option<Timestamp>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        let held = self.held.lock().unwrap().clone();
        let read: Vec<_> = held.history(epoch, since).await?.collect().await;
        Ok(stream::iter(read))
    }

    async fn of_offsets(
        &self,
        topic: &str,
        epoch: &str,
        partition: i32,
        offsets: Range<i64>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        let held = self.held.lock().unwrap().clone();
        let read = held.of_offsets(topic, epoch, partition, offsets).await?;
        let read: Vec<_> = read.collect().await;
        Ok(stream::iter(read))
    }

    async fn latest(&self) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        // The lake lags by two looks.
        if self.looks.fetch_add(1, Ordering::Relaxed) == 2 {
            deliver(&self.made.writer, &event(self.later)).await;
        }
        let rows: Vec<_> = self.held.lock().unwrap().latest.clone();
        Ok(rows_of(rows))
    }
}

fn rows_of(rows: Vec<Row>) -> stream::Iter<std::vec::IntoIter<Result<Row, ReadError>>> {
    let rows: Vec<_> = rows.into_iter().map(Ok).collect();
    stream::iter(rows)
}

#[test]
fn what_a_running_function_has_brought_since_the_look_is_not_wrong_and_what_nobody_has_is() {
    run(async {
        let all = records(2, 40);
        let (first, later) = all.split_at(60);
        for is_forged in [false, true] {
            let made = Made::of(Compression::None, first).await;
            let mut held = tables_of(&all);
            if is_forged {
                let newest = held.latest.last_mut().unwrap();
                newest.offset = 5_000;
                newest.time = newest
                    .time
                    .map(|time| time + jiff::SignedDuration::from_secs(9));
            }
            let running = Running {
                made: &made,
                later,
                held: Mutex::new(held),
                looks: AtomicU32::new(0),
            };
            let topics = [TOPIC.to_owned()];
            let scope = Scope {
                topics: &topics,
                epoch: "7",
                only: None,
                since: None,
                history: true,
                has_had_all: false,
            };
            let lake = Lake {
                store: made.writer.store(),
                layout: Some(&made.layout),
                aside: &made.aside,
            };
            let kafka: Option<&Kafka<'_, None_>> = None;
            let verdict = verify_tables(&running, &lake, kafka, &scope, &|_| {})
                .await
                .unwrap();
            match is_forged {
                false => assert!(verdict.is_exact(), "{verdict}"),
                true => assert_eq!(kinds(&verdict), ["latest quotes wrong"], "{verdict}"),
            }
        }
    });
}

#[test]
fn an_object_that_cant_be_read_is_named() {
    run(async {
        let made = Made::of(Compression::None, &records(1, 8)).await;
        let objects = made.writer.store().objects();
        let key = objects
            .keys()
            .find(|key| key.as_str().contains("lake_symbol"))
            .unwrap();
        made.writer.store().remove(key);
        made.writer
            .store()
            .put_if_absent(key, Bytes::from_static(b"edited"))
            .await
            .unwrap();
        let verdict = made.verify().await;
        assert_eq!(verdict.damaged.count, 1);
        assert!(!verdict.is_exact(), "{verdict}");
    });
}

/// A change to tables that were exact.
#[derive(Clone, Copy, Debug)]
enum Change {
    Remove,
    Add,
    Digit,
    Scale,
    Column(usize),
    Double,
    LatestStale,
    LatestDigit,
    LatestRemoved,
    LatestAdded,
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Remove),
        Just(Change::Add),
        Just(Change::Digit),
        Just(Change::Scale),
        (0..6_usize).prop_map(Change::Column),
        Just(Change::Double),
        Just(Change::LatestStale),
        Just(Change::LatestDigit),
        Just(Change::LatestRemoved),
        Just(Change::LatestAdded),
    ]
}

impl Change {
    /// Makes it, and gives the one finding with the name in it.
    fn make(self, tables: &mut Held, at: usize) -> (&'static str, String) {
        let at = at % tables.history.len();
        let of_latest = at % tables.latest.len();
        let name = |row: &Row| format!("{}-{}@{}", row.topic, row.partition, row.offset);
        let row = &mut tables.history[at];
        let named = name(row);
        match self {
            Self::Remove => {
                tables.history.remove(at);
                ("records without a row", named)
            }
            Self::Add => {
                row.offset += 1_000_000;
                let added = row.clone();
                row.offset -= 1_000_000;
                let named = name(&added);
                tables.history.push(added);
                ("rows of no record", named)
            }
            Self::Digit => {
                row.price = number("1.23");
                ("rows altered", format!("{named} (price)"))
            }
            Self::Scale => {
                row.price = number(&format!("{}0", row.price));
                ("rows altered", format!("{named} (price)"))
            }
            Self::Column(which) => {
                let column = match which {
                    0 => {
                        row.ticker.push('x');
                        "ticker"
                    }
                    1 => {
                        row.time = None;
                        "time"
                    }
                    2 => {
                        row.flags = Some(Vec::new());
                        "flags"
                    }
                    3 => {
                        row.volume = Some(number("0"));
                        "volume"
                    }
                    4 => {
                        row.session = Some(String::new());
                        "session"
                    }
                    _ => {
                        row.created_at += jiff::SignedDuration::from_micros(1);
                        "created_at"
                    }
                };
                ("rows altered", format!("{named} ({column})"))
            }
            Self::Double => {
                let mut other = row.clone();
                other.created_at += jiff::SignedDuration::from_micros(1);
                tables.history.insert(0, other);
                ("rows doubled, with another created_at", named)
            }
            Self::LatestStale => {
                let row = &mut tables.latest[of_latest];
                let of_key = tables.history.iter().filter(|other| key(other) == key(row));
                let older = of_key
                    .min_by(|a, b| tables::order(a).cmp(&tables::order(b)))
                    .unwrap();
                *row = Row {
                    source: Some(String::new()),
                    ..older.clone()
                };
                ("latest quotes wrong", row.ticker.clone())
            }
            Self::LatestDigit => {
                let row = &mut tables.latest[of_latest];
                row.price = number("1.23");
                (
                    "latest quotes wrong",
                    format!("{} has other price than {}", row.ticker, name(row)),
                )
            }
            Self::LatestRemoved => {
                let row = tables.latest.remove(of_latest);
                (
                    "latest quotes missing",
                    format!("{} of {}", row.ticker, name(&row)),
                )
            }
            Self::LatestAdded => {
                let row = Row {
                    ticker: "NONE".to_owned(),
                    ..tables.latest[of_latest].clone()
                };
                tables.latest.push(row);
                ("latest quotes wrong", "NONE is of no record".to_owned())
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_single_change_is_found_and_named(change in changes(), at in any::<usize>(), offsets in 12..60_i64) {
        run(async {
            let mut made = Made::of(Compression::None, &records(2, offsets)).await;
            let (what, named) = change.make(&mut made.tables, at);
            let verdict = made.verify().await;
            let kinds = kinds(&verdict);
            prop_assert!(kinds.contains(&what), "{what}: {verdict}");
            let found: BTreeMap<_, _> = verdict
                .findings()
                .filter(|(_, total, _)| *total > 0)
                .map(|(what, _, first)| (what.split_once(" (").map_or(what, |(first, _)| first), first))
                .collect();
            prop_assert!(found[what].iter().any(|first| first.contains(&named)), "{named}: {verdict}");
            // A doubled row is another than its record says, too.
            let is_alone = kinds.len() == 1 || matches!(change, Change::Double);
            prop_assert!(is_alone, "{kinds:?}: {verdict}");
            Ok(())
        })?;
    }
}

/// A partition as Kafka has it.
struct Broker(Vec<ConsumedRecord>);

impl Topics for Broker {
    async fn held(&self, _: &str, _: i32) -> Result<Range<i64>, TopicError> {
        let ends = self.0.first().zip(self.0.last());
        Ok(ends.map_or(0..0, |(first, last)| first.offset..last.offset + 1))
    }

    fn read(
        &self,
        _: &str,
        ranges: Vec<(i32, Range<i64>)>,
    ) -> impl Stream<Item = Result<ConsumedRecord, TopicError>> + Send {
        let is_asked = |record: &&ConsumedRecord| {
            ranges.iter().any(|(partition, offsets)| {
                *partition == record.partition && offsets.contains(&record.offset)
            })
        };
        stream::iter(
            self.0
                .iter()
                .filter(is_asked)
                .cloned()
                .map(Ok)
                .collect::<Vec<_>>(),
        )
    }
}

#[test]
fn kafka_alone_is_enough_for_what_it_still_has() {
    run(async {
        let all = records(1, 60);
        let mut made = Made::of(Compression::None, &[]).await;
        made.tables = tables_of(&all);
        let records = all[20..].iter().map(|record| ConsumedRecord {
            partition: 0,
            offset: record.offset,
            timestamp: Some(1_779_480_000_123),
            log_append_time: false,
            key: None,
            headers: Vec::new(),
            value: record.value.clone().map(Into::into),
        });
        let broker = Broker(records.collect());
        let ranges = [OffsetRange {
            topic: TOPIC.to_owned(),
            partition: 0,
            offsets: 0..60,
        }];
        let topics = [TOPIC.to_owned()];
        let verify = async |made: &Made| {
            let scope = Scope {
                topics: &topics,
                epoch: "7",
                only: Some(&ranges),
                since: None,
                history: true,
                has_had_all: false,
            };
            let lake = Lake {
                store: made.writer.store(),
                layout: None,
                aside: &made.aside,
            };
            let kafka = Kafka {
                topics: &broker,
                ranges: &ranges,
            };
            verify_tables(&made.tables, &lake, Some(&kafka), &scope, &|_| {})
                .await
                .unwrap()
        };
        let verdict = verify(&made).await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!(verdict.records, verdict.rows);
        assert!(verdict.expired > 10, "{verdict}");
        made.tables.history.pop();
        assert_eq!(kinds(&verify(&made).await), ["records without a row"]);
    });
}
