//! What the pollers have logged: failures by reason, cycles that were left out, and how long streams were not connected.
//!
//! A line is a JSON object, with or without a time and other text before it, as the plane writes them to files and as
//! `aws logs tail --format short` prints them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use market::bars::MINUTE;
use serde::Deserialize;

use super::slots::{Grid, Slots};

/// A stream without a connection for longer than this may have missed what was traded, in milliseconds.
const GAP_MS: u64 = 10_000;

/// A session of a stream is no longer than this.
const SESSION: i64 = 15 * MINUTE;

/// What the logs say, by topic.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    topics: BTreeMap<String, OfTopic>,
    /// Lines of pollers' metrics, and lines that name a failure, of the topics that are looked at.
    pub(crate) metrics: u64,
    pub(crate) failures: u64,
}

/// What the logs say of a topic.
#[derive(Debug, Default)]
pub(crate) struct OfTopic {
    published: Slots,
    failed: Slots,
    skipped: Slots,
    /// What failed, by slot.
    failures: BTreeMap<usize, BTreeSet<Failure>>,
    connected: Slots,
    disconnected: Slots,
    last_session: Option<i64>,
}

/// A reason, and whom it struck.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failure {
    reason: Arc<str>,
    /// `None` where more symbols failed than the line names.
    symbols: Option<Arc<str>>,
}

/// As much of a line as is used here.
#[derive(Deserialize)]
struct LogLine<'a> {
    topic: Option<&'a str>,
    #[serde(rename = "_aws")]
    aws: Option<Aws>,
    timestamp: Option<&'a str>,
    reason: Option<&'a str>,
    symbols: Option<&'a str>,
    #[serde(default)]
    count: u64,
    #[serde(rename = "QuotesPublished")]
    published: Option<u64>,
    #[serde(rename = "QuotesFailed")]
    failed: Option<u64>,
    #[serde(rename = "CyclesSkipped")]
    skipped: Option<u64>,
    #[serde(rename = "StreamGapMilliseconds")]
    gap_ms: Option<u64>,
}

impl LogLine<'_> {
    /// Whether its metrics are a poller's.
    fn is_of_poller(&self) -> bool {
        let counts = [self.published, self.failed, self.skipped, self.gap_ms];
        counts.iter().any(Option::is_some)
    }
}

#[derive(Deserialize)]
struct Aws {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
}

impl Logs {
    /// Reads every file of a folder and of the folders in it, line by line; `grids` has the topics that are looked at.
    ///
    /// # Errors
    /// The path and the system's words.
    pub(crate) fn read(
        folder: &Path,
        grids: &BTreeMap<String, Grid>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let mut logs = Self::default();
        let mut names = BTreeSet::new();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            let failed = |error| (folder.clone(), error);
            for entry in folder.read_dir().map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                logs.read_file(&path, grids, &mut names)
                    .map_err(|error| (path, error))?;
            }
        }
        Ok(logs)
    }

    fn read_file(
        &mut self,
        path: &Path,
        grids: &BTreeMap<String, Grid>,
        names: &mut BTreeSet<Arc<str>>,
    ) -> io::Result<()> {
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            if let Ok(text) = str::from_utf8(&line) {
                self.add(text, grids, names);
            }
            line.clear();
        }
        Ok(())
    }

    fn add(&mut self, text: &str, grids: &BTreeMap<String, Grid>, names: &mut BTreeSet<Arc<str>>) {
        let json = text.find('{').and_then(|start| text.get(start..));
        let Some(line) = json.and_then(|json| serde_json::from_str::<LogLine<'_>>(json).ok())
        else {
            return;
        };
        let Some((topic, grid)) = line.topic.and_then(|topic| grids.get_key_value(topic)) else {
            return;
        };
        let of = self.topics.entry(topic.clone()).or_insert_with(|| OfTopic {
            published: Slots::none(grid.count),
            failed: Slots::none(grid.count),
            skipped: Slots::none(grid.count),
            connected: Slots::none(grid.count),
            disconnected: Slots::none(grid.count),
            ..OfTopic::default()
        });
        match &line.aws {
            Some(aws) => {
                self.metrics += u64::from(line.is_of_poller());
                of.count(grid, aws.timestamp.saturating_mul(1_000), &line);
            }
            None => self.failures += u64::from(of.fail(grid, &line, names)),
        }
    }

    /// What they say of a topic.
    pub(crate) fn of(&self, topic: &str) -> Option<&OfTopic> {
        self.topics.get(topic)
    }
}

impl OfTopic {
    /// A line of metrics.
    fn count(&mut self, grid: &Grid, time: i64, line: &LogLine<'_>) {
        let counts = [
            (line.published, &mut self.published),
            (line.failed, &mut self.failed),
            (line.skipped, &mut self.skipped),
        ];
        for (count, slots) in counts {
            if count > Some(0) {
                slots.mark_time(grid, time);
            }
        }
        if let Some(gap_ms) = line.gap_ms {
            let last = self.last_session.replace(time);
            if let Some(last) = last.filter(|last| (time - SESSION..time).contains(last)) {
                let slots = match gap_ms < GAP_MS {
                    true => &mut self.connected,
                    false => &mut self.disconnected,
                };
                slots.mark_span(grid, last, time);
            }
        }
    }

    /// A line of the log; whether it names a failure.
    fn fail(&mut self, grid: &Grid, line: &LogLine<'_>, names: &mut BTreeSet<Arc<str>>) -> bool {
        let (Some(reason), Some(symbols)) = (line.reason, line.symbols) else {
            return false;
        };
        let time = line
            .timestamp
            .and_then(|text| text.parse::<Timestamp>().ok());
        let slot = time.and_then(|time| grid.slot(time.as_microsecond()));
        let Some(slot) = slot else {
            return true;
        };
        let mut name = |text: &str| match names.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = text.into();
                names.insert(Arc::clone(&new));
                new
            }
        };
        let is_named = |symbols: &&str| {
            // A symbol may have failed several times in the cycle.
            let named = symbols.split(',').count() as u64;
            !symbols.split(',').any(|symbol| symbol == "*")
                && (named < NAMED || line.count <= named)
        };
        let failure = Failure {
            reason: name(reason),
            symbols: Some(symbols).filter(is_named).map(&mut name),
        };
        self.failures.entry(slot).or_default().insert(failure);
        true
    }

    /// Why the poller got nothing of a symbol in a slot.
    pub(crate) fn failure(&self, symbol: &str, slot: usize) -> Option<String> {
        // A reason is logged once a minute: what goes on failing is in the line before.
        let first = slot.saturating_sub(usize::from(self.failed.has(slot)));
        let lines = self.failures.range(first..=slot).rev();
        let struck = lines
            .flat_map(|(_, failures)| failures)
            .find(|failure| failure.struck(symbol));
        let reason = struck.map(|failure| failure.reason.to_string());
        let disconnected = || self.disconnected.has(slot).then(|| "stream".to_owned());
        let skipped = || self.skipped.has(slot).then(|| "skipped-cycles".to_owned());
        reason.or_else(disconnected).or_else(skipped)
    }

    /// Whether a stream was connected throughout a slot.
    pub(crate) fn is_connected(&self, slot: usize) -> bool {
        self.connected.has(slot) && !self.disconnected.has(slot)
    }

    /// Whether records were published in a slot.
    pub(crate) fn has_published(&self, slot: usize) -> bool {
        self.published.has(slot)
    }
}

/// A line of the log names so many symbols at most.
const NAMED: u64 = 20;

impl Failure {
    fn struck(&self, symbol: &str) -> bool {
        match &self.symbols {
            None => true,
            Some(symbols) => symbols.split(',').any(|named| named == symbol),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Lines as the poller prints them.
    const PRINTED: &str = r#"2026-11-28T10:00:05 {"timestamp":"2026-11-28T10:00:05.130Z","level":"WARN","topic":"crypto-prices","reason":"rate-limited","count":4,"symbols":"BTCUSDT,ETHUSDT","message":"the provider's rate limit is reached","target":"quote_poller::failures"}
{"_aws":{"Timestamp":1795860006000,"CloudWatchMetrics":[]},"topic":"crypto-prices","QuotesPolled":0,"QuotesPublished":0,"QuotesFailed":4}
no JSON
{"_aws":{"Timestamp":1795860070000,"CloudWatchMetrics":[]},"topic":"crypto-prices","QuotesPolled":1,"QuotesPublished":1,"QuotesFailed":2}
{"_aws":{"Timestamp":1795860190000,"CloudWatchMetrics":[]},"topic":"crypto-prices","CyclesSkipped":3}
{"_aws":{"Timestamp":1795860000000,"CloudWatchMetrics":[]},"topic":"trades_raw","StreamConnections":1,"StreamGapMilliseconds":12}
{"_aws":{"Timestamp":1795860120000,"CloudWatchMetrics":[]},"topic":"trades_raw","StreamConnections":1,"StreamGapMilliseconds":80}
{"_aws":{"Timestamp":1795860240000,"CloudWatchMetrics":[]},"topic":"trades_raw","StreamConnections":0,"StreamGapMilliseconds":120000}
"#;

    fn read() -> Logs {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let from = time("2026-11-28T10:00Z");
        assert_eq!(from.as_millisecond(), 1_795_860_000_000);
        let grid = Grid::new(from, time("2026-11-28T10:10Z"), 1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("pollers");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("CryptoPricesPoller.log"), PRINTED).unwrap();
        let grids = ["crypto-prices", "trades_raw"].map(|topic| (topic.to_owned(), grid));
        Logs::read(folder.path(), &BTreeMap::from(grids)).unwrap()
    }

    #[test]
    fn a_failure_explains_the_symbols_that_it_struck_as_long_as_it_goes_on() {
        let logs = read();
        assert_eq!((logs.metrics, logs.failures), (6, 1));
        let of = logs.of("crypto-prices").unwrap();
        let failure = |symbol: &str, slot| of.failure(symbol, slot);
        let limited = Some("rate-limited".to_owned());
        // Count and names differ, because each failed twice.
        assert_eq!(failure("BTCUSDT", 0), limited);
        assert_eq!(failure("ETHUSDT", 1), limited);
        assert_eq!(failure("SOLUSDT", 0), None);
        assert_eq!(failure("BTCUSDT", 2), None);
        assert_eq!(failure("SOLUSDT", 3), Some("skipped-cycles".to_owned()));
        let published: Vec<_> = (0..10).filter(|slot| of.has_published(*slot)).collect();
        assert_eq!(published, [1]);
    }

    #[test]
    fn a_stream_is_connected_from_session_to_session_unless_it_says_otherwise() {
        let logs = read();
        let of = logs.of("trades_raw").unwrap();
        let connected: Vec<_> = (0..10).filter(|slot| of.is_connected(*slot)).collect();
        assert_eq!(connected, [0, 1]);
        assert_eq!(of.failure("AAPL", 2), Some("stream".to_owned()));
        assert_eq!(of.failure("AAPL", 5), None);
    }
}
