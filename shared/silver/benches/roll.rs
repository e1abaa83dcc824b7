//! Rolling a lake in a folder, as a program that can be timed beside an engine over the same files.
//!
//! `cargo bench -p silver --bench roll -- make FOLDER quotes 1000` writes an hour of quotes of 1,000 symbols every 6 s, and
//! `… quotes 1 720` a month of one symbol; `… make FOLDER trades 10000000` a day of trades of one symbol; `… roll FOLDER HOURS`
//! makes the bars of so many hours, of 1 without. `roll_duckdb.py` does the same with an engine. The method and figures are in docs/benchmarks.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::cast_possible_wrap,
    reason = "a benchmark may panic, and reads its own arguments"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use lake::{
    Compression, Granularity, ObjectKey, Received, gather,
    store::{ETag, Get, List, Listed, Object, PAGE, PutIf, StoreError},
};
use market::{Instrument, Observation, Quote, StockQuote, Trade, quote_message, trade_message};
use silver::{How, Job, Layout, Range, Rolled, Shard, roll_topic, topics};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const BEGIN: &str = "2026-11-20T15:00:00Z";

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|text| text != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match arguments[..] {
        ["make", folder, "quotes", symbols] => {
            quotes(Path::new(folder), symbols.parse().unwrap(), 1);
        }
        ["make", folder, "quotes", symbols, hours] => {
            let (symbols, hours) = (symbols.parse().unwrap(), hours.parse().unwrap());
            quotes(Path::new(folder), symbols, hours);
        }
        ["make", folder, "trades", count] => trades(Path::new(folder), count.parse().unwrap()),
        ["roll", folder] => roll(Path::new(folder), 1),
        ["roll", folder, hours] => roll(Path::new(folder), hours.parse().unwrap()),
        // `cargo bench` without a folder.
        _ => {}
    }
}

fn bronze() -> lake::Layout {
    lake::Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None)
}

fn roll(folder: &Path, length: i64) {
    let executor = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let layout = Layout::new("silver", Some("1"), bronze());
    let store = Arc::new(Folder(folder.to_owned()));
    let begin: Timestamp = BEGIN.parse().unwrap();
    let hours = |hours| (begin + SignedDuration::from_hours(hours)).as_microsecond();
    // As by a schedule of an hour.
    let range = Range {
        from: hours(-4),
        to: hours(length),
    };
    let start = std::time::Instant::now();
    executor.block_on(async {
        for topic in topics(&*store, &layout).await.unwrap() {
            let job = Job {
                topic,
                range,
                how: How::default(),
                shard: Shard::ALL,
                symbols: <_>::default(),
                at_once: 4,
            };
            let until = Instant::now() + Duration::from_secs(3_600);
            let stop = CancellationToken::new();
            let rolled = roll_topic(&store, &layout, &job, (until, &stop), |_, _, _| {}).await;
            let rolled = rolled.unwrap();
            assert!(rolled.failed.is_empty(), "{:?}", rolled.failed);
            let Rolled {
                lines, bars, files, ..
            } = rolled.total;
            say(&format!("{lines} lines, {bars} minutes, {files} files"));
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap_or_default().trim();
    say(&format!("silver: seconds {seconds:.3}, peak {peak}"));
}

fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn quotes(folder: &Path, symbols: usize, hours: i64) {
    let begin: Timestamp = BEGIN.parse().unwrap();
    let mut dice = fastrand::Rng::with_seed(13);
    let mut prices: Vec<i64> = (0..symbols).map(|_| dice.i64(1_000..90_000)).collect();
    let mut offsets = [0; 10];
    let mut objects = Objects::default();
    for beat in 0..600 * hours {
        let fetched_at =
            begin + SignedDuration::from_secs(beat * 6) + SignedDuration::from_millis(317);
        for (symbol, price) in prices.iter_mut().enumerate() {
            *price += dice.i64(-20..=20);
            *price = (*price).max(100);
            let cents = |cents: i64| {
                format!("{}.{:02}", cents / 100, cents % 100)
                    .parse()
                    .unwrap()
            };
            let quote = StockQuote {
                current: cents(*price),
                change: Some("3.83".parse().unwrap()),
                percent_change: Some("1.2558".parse().unwrap()),
                high: Some(cents(*price + 300)),
                low: Some(cents(*price - 50)),
                open: Some(cents(*price - 7)),
                previous_close: Some(cents(*price - 9)),
                time: begin + SignedDuration::from_secs(beat * 6 - dice.i64(0..3)),
            };
            let observation = Observation {
                source: "finnhub",
                instrument: Instrument::us_share(format!("S{symbol:04}").parse().unwrap()),
                said: Quote::Stock(quote),
                fetched_at,
            };
            let message = quote_message(&observation, false);
            objects.add(
                "stock-quotes",
                symbol % 10,
                &mut offsets,
                fetched_at,
                &message,
            );
        }
    }
    objects.write(folder);
}

fn trades(folder: &Path, trades: i64) {
    let begin: Timestamp = BEGIN.parse().unwrap();
    let mut dice = fastrand::Rng::with_seed(13);
    let mut price: i64 = 6_000_000;
    let mut offsets = [0; 10];
    let mut objects = Objects::default();
    for number in 0..trades {
        let time = begin + SignedDuration::from_millis(86_400_000 * number / trades);
        price += dice.i64(-20..=20);
        let observation = Observation {
            source: "finnhub",
            instrument: Instrument::crypto_pair(
                "BINANCE:BTCUSDT".parse().unwrap(),
                "BTCUSDT",
                None,
            ),
            said: Trade {
                price: format!("{}.{:02}", price / 100, price % 100)
                    .parse()
                    .unwrap(),
                size: format!("0.{:05}", dice.u32(1..99_999)).parse().unwrap(),
                time,
                conditions: Vec::new(),
            },
            fetched_at: time + SignedDuration::from_millis(dice.i64(5..900)),
        };
        let message = trade_message(&observation);
        objects.add(
            "trades_raw",
            3,
            &mut offsets,
            observation.fetched_at,
            &message,
        );
        if number % 200_000 == 0 {
            objects.write_all_but_last(folder);
        }
    }
    objects.write(folder);
}

#[derive(Default)]
struct Objects(BTreeMap<String, Vec<u8>>);

impl Objects {
    fn add(
        &mut self,
        topic: &str,
        partition: usize,
        offsets: &mut [i64; 10],
        time: Timestamp,
        message: &market::Message,
    ) {
        let received = [Received {
            topic,
            partition: i32::try_from(partition).unwrap(),
            offset: offsets[partition],
            timestamp: Some(time.as_millisecond()),
            key: Some(message.key.as_bytes()),
            headers: &[],
            value: Some(&message.body),
        }];
        offsets[partition] += 1;
        let layout = bronze();
        let gathered = gather(&layout, &received);
        for share in gathered.shares().iter() {
            let (lines, _) = share.lines();
            let object = self.0.entry(share.key().as_str().to_owned()).or_default();
            object.extend_from_slice(lines.body());
        }
    }

    fn write(&mut self, folder: &Path) {
        for (key, body) in std::mem::take(&mut self.0) {
            let path = folder.join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        }
    }

    /// All but those that may still grow.
    fn write_all_but_last(&mut self, folder: &Path) {
        let keys: Vec<String> = self.0.keys().rev().take(2).cloned().collect();
        let last: Vec<_> = keys
            .into_iter()
            .map(|key| (key.clone(), self.0.remove(&key).unwrap()))
            .collect();
        self.write(folder);
        self.0.extend(last);
    }
}

/// A folder as a store for one process: what it costs to read and write files, and nothing else.
struct Folder(PathBuf);

impl Folder {
    fn path(&self, key: &ObjectKey) -> PathBuf {
        self.0.join(key.as_str())
    }

    fn version(meta: &fs::Metadata) -> ETag {
        ETag(format!("{}-{:?}", meta.len(), meta.modified().unwrap()))
    }

    fn read(&self, key: &ObjectKey) -> Result<Object, StoreError> {
        match fs::File::open(self.path(key)) {
            Ok(mut file) => {
                let meta = file.metadata().unwrap();
                let mut body = Vec::with_capacity(usize::try_from(meta.len()).unwrap() + 1);
                file.read_to_end(&mut body).unwrap();
                Ok(Object {
                    body: body.into(),
                    etag: Self::version(&meta),
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::NotFound { key: key.clone() })
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn write(&self, key: &ObjectKey, body: &Bytes) -> ETag {
        let path = self.path(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, body).unwrap();
        Self::version(&fs::metadata(path).unwrap())
    }
}

impl PutIf for Folder {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        Ok(self.write(key, &body))
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        _: &ETag,
    ) -> Result<ETag, StoreError> {
        Ok(self.write(key, &body))
    }
}

impl Get for Folder {
    async fn get_within(&self, key: &ObjectKey, _: usize) -> Result<Object, StoreError> {
        self.read(key)
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        _: usize,
    ) -> Result<Option<Object>, StoreError> {
        Ok(Some(self.read(key)?).filter(|object| object.etag != *etag))
    }
}

impl List for Folder {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut found = Vec::new();
        walk(&self.0, prefix.trim_end_matches('/'), &mut found);
        let after = after.map_or("", ObjectKey::as_str);
        found.retain(|(key, _)| key.as_str() > after);
        found.sort();
        found.truncate(PAGE);
        let listed = found.into_iter().map(|(key, path)| {
            let meta = fs::metadata(path).unwrap();
            Listed {
                key: ObjectKey::new(key),
                size: meta.len(),
                etag: Self::version(&meta),
            }
        });
        Ok(listed.collect())
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let Ok(entries) = fs::read_dir(self.0.join(prefix)) else {
            return Ok(Vec::new());
        };
        let names =
            entries.map(|entry| format!("{prefix}{}/", entry.unwrap().file_name().display()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.retain(|name| name.as_str() > after.unwrap_or_default());
        names.truncate(PAGE);
        Ok(names)
    }
}

fn walk(root: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = fs::read_dir(root.join(prefix)) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let key = format!("{prefix}/{}", entry.file_name().display());
        if entry.file_type().unwrap().is_dir() {
            walk(root, &key, found);
        } else {
            found.push((key, entry.path()));
        }
    }
}
