use std::collections::BTreeMap;

use jiff::Timestamp;
use runtime::metrics::emit;
use serde::Serialize;
use silver::TopicRolled;

use crate::metrics;

/// How many of many names an answer has.
const FIRST: usize = 10;

/// What became of the bars of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The topic.
    pub topic: String,
    /// No record was ever written to this lake, so there is nothing to make bars of.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nothing_yet: bool,
    /// The environment had to end before the topic was done with. What was written is right; the next run does the rest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Symbols that bronze has of the topic, in the job's shard.
    pub symbols: usize,
    /// Those of which nothing had changed.
    pub unchanged: usize,
    /// Hours of symbols that were made again.
    pub hours: usize,
    /// Minute bars in them.
    pub bars: usize,
    /// Files that were written.
    pub files: usize,
    /// Late observations in these hours.
    pub late: u64,
    /// Records that count in no bar, by reason in kebab-case.
    pub asides: BTreeMap<&'static str, u64>,
    /// The keys of bronze objects that can't be read.
    pub damaged: Named,
    /// Symbols that were not rolled, each with the reason.
    pub failed: BTreeMap<String, String>,
    /// Symbols that there was no time for.
    pub left: Named,
}

/// How many there are, and the names of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// How many.
    pub count: usize,
    /// The first ones.
    pub first: Vec<String>,
}

impl Report {
    pub(crate) fn of(topic: &str, rolled: &TopicRolled) -> Self {
        let total = &rolled.total;
        let asides = total.asides.iter();
        let failed = rolled.failed.iter();
        Self {
            topic: topic.to_owned(),
            symbols: rolled.symbols,
            unchanged: rolled.unchanged,
            hours: total.hours,
            bars: total.bars,
            files: total.files,
            late: total.late,
            asides: asides
                .map(|(aside, &count)| (aside.name(), count))
                .collect(),
            damaged: Named::of(total.damaged.keys()),
            failed: failed
                .map(|(symbol, error)| (symbol.clone(), error.to_string()))
                .collect(),
            left: Named::of(rolled.left.iter()),
            ..Self::default()
        }
    }

    /// Emits what is counted, and how old the newest bar is; `newest` is its end in microseconds since 1970.
    pub(crate) fn emit(&self, now: Timestamp, newest: Option<i64>) {
        let (failed, left) = (self.failed.len(), self.left.count);
        let mut values = vec![
            (
                metrics::SYMBOLS_ROLLED,
                (self.symbols - failed - left) as u64,
            ),
            (metrics::SYMBOLS_LEFT, left as u64),
            (metrics::SYMBOLS_FAILED, failed as u64),
            (metrics::BARS_WRITTEN, self.bars as u64),
            (metrics::SILVER_FILES, self.files as u64),
            (metrics::LATE_RECORDS, self.late),
            (metrics::RECORDS_ASIDE, self.asides.values().sum()),
            (metrics::INPUTS_DAMAGED, self.damaged.count as u64),
        ];
        if let Some(newest) = newest {
            let age = now.as_microsecond().saturating_sub(newest) / 1_000_000;
            let age = u64::try_from(age).unwrap_or(0);
            values.push((metrics::NEWEST_BAR_AGE_SECONDS, age));
        }
        emit(now, ("topic", &self.topic), &values);
    }
}

impl Named {
    fn of<T: ToString>(names: impl ExactSizeIterator<Item = T>) -> Self {
        Self {
            count: names.len(),
            first: names.take(FIRST).map(|name| name.to_string()).collect(),
        }
    }
}
