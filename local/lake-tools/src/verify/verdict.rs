use std::{collections::BTreeMap, fmt, ops::Range};

use serde::Serialize;

use stream::name_of_offsets;

/// What was found of one kind: all counted, the first named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings<T = String> {
    /// How many there are: offsets, or objects.
    pub total: u64,
    /// The first of them; of offsets, the first runs, as `topic-partition@from-to`.
    pub first: Vec<T>,
}

/// How many findings of one kind are named.
pub const NAMED: usize = 100;

impl<T> Default for Findings<T> {
    fn default() -> Self {
        Self {
            total: 0,
            first: Vec::new(),
        }
    }
}

impl<T> Findings<T> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(crate) fn add(&mut self, count: u64, finding: impl FnOnce() -> T) {
        self.total += count;
        if self.first.len() < NAMED {
            self.first.push(finding());
        }
    }
}

impl Findings {
    pub(crate) fn add_offsets(&mut self, topic: &str, partition: i32, offsets: &Range<i64>) {
        let count = u64::try_from(offsets.end - offsets.start).unwrap_or(0);
        self.add(count, || name_of_offsets(topic, partition, offsets));
    }
}

/// An object that no writer of the layout has left so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamagedObject {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for DamagedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.key, self.why)
    }
}

/// What the store holds of the expected offsets, against the topics where they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The topics that were looked at, and how many of the records that have to be in the store each has.
    pub topics: BTreeMap<String, u64>,
    /// Topics of the template that the brokers don't have, so that nothing is expected of them.
    pub absent: Vec<String>,
    /// Records that have to be in the store: those that Kafka has, and every expected offset that it can't tell of.
    pub in_topics: u64,
    /// Of these, records in bronze.
    pub in_bronze: u64,
    /// Of these, records in quarantine alone.
    pub in_quarantine: u64,
    /// Of these, records whose bytes were compared with Kafka's.
    pub compared: u64,
    /// Offsets that are in neither.
    pub missing: Findings,
    /// Of these, offsets below Kafka's low watermark: nothing can bring them any more.
    pub expired: u64,
    /// Offsets with more than one line, or with more than one quarantine object.
    pub doubled: Findings,
    /// Offsets that are in bronze and in quarantine.
    pub in_both: Findings,
    /// Offsets that two records have had.
    pub reused: Findings,
    /// Offsets whose line or quarantine object holds another record than Kafka does.
    pub altered: Findings,
    /// Offsets among which some are altered, or were when Kafka still had them, without its being known which.
    pub unresolved: Findings,
    /// Objects of the layout that were edited, cut or put elsewhere.
    pub damaged: Findings<DamagedObject>,
    /// Objects under the layout's root that are none of the layout.
    pub foreign: Findings,
    /// Records in the store that Kafka had and has no longer between its watermarks, as after compaction.
    pub compacted: u64,
    /// Records in the store outside of the expected offsets.
    pub strangers: u64,
    /// Objects of topics of which nothing is expected; they were not read.
    pub other_topics: u64,
    /// Objects read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Verdict {
    /// Whether every record is in the store exactly once, in the object that it belongs in, as Kafka has it.
    pub fn is_exact(&self) -> bool {
        self.findings().all(|(_, total, _)| total == 0)
    }

    /// What speaks against the store: each kind in words, how often it was found, and the first of it.
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, u64, Vec<String>)> {
        let damaged = self.damaged.first.iter().map(DamagedObject::to_string);
        let offsets = |what, found: &Findings| (what, found.total, found.first.clone());
        [
            offsets("missing", &self.missing),
            offsets("doubled", &self.doubled),
            offsets(
                "both in bronze and in quarantine (`quotelake replay` clears what was put aside and has landed since)",
                &self.in_both,
            ),
            offsets("reused by another record (take a new epoch)", &self.reused),
            offsets("altered", &self.altered),
            offsets("not told apart from altered ones (run it again)", &self.unresolved),
            ("damaged", self.damaged.total, damaged.collect()),
            offsets("foreign to the layout", &self.foreign),
        ]
        .into_iter()
    }
}

/// How many findings of one kind a text shows; JSON has more.
const SHOWN: usize = 10;

impl Verdict {
    /// A line for each kind of finding; empty for an exact store.
    pub(super) fn findings_text(&self) -> String {
        let mut text = String::new();
        for (what, total, first) in self.findings().filter(|(_, total, _)| *total > 0) {
            let more = if first.len() > SHOWN { ", …" } else { "" };
            let shown: Vec<_> = first.into_iter().take(SHOWN).collect();
            text.push_str(&format!("{total} {what}: {}{more}\n", shown.join(", ")));
        }
        if self.expired > 0 {
            let expired = self.expired;
            text.push_str(&format!(
                "{expired} of the missing have expired: they are in the topics no longer\n"
            ));
        }
        text
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored = self.in_bronze + self.in_quarantine;
        let sign = if self.in_topics == stored { '=' } else { '≠' };
        writeln!(
            f,
            "records {} {sign} bronze {} + quarantine {}, in {} objects of {} bytes",
            self.in_topics, self.in_bronze, self.in_quarantine, self.objects, self.bytes
        )?;
        let topics = self.topics.iter();
        let topics: Vec<_> = topics
            .map(|(topic, records)| format!("{topic} {records}"))
            .collect();
        writeln!(f, "topics: {}", topics.join(", "))?;
        if !self.absent.is_empty() {
            let absent = self.absent.join(", ");
            writeln!(
                f,
                "not at the brokers, so nothing is expected of them: {absent}"
            )?;
        }
        if self.compared == 0 && self.in_topics > 0 {
            writeln!(
                f,
                "none compared with Kafka, which was not asked or has none of them any more"
            )?;
        } else {
            writeln!(f, "{} compared with Kafka byte for byte", self.compared)?;
        }
        for (count, what) in [
            (
                self.compacted,
                "records in the store are no longer in Kafka",
            ),
            (
                self.strangers,
                "records are outside of the expected offsets",
            ),
            (self.other_topics, "objects of other topics were not read"),
        ] {
            if count > 0 {
                writeln!(f, "{count} {what}")?;
            }
        }
        f.write_str(&self.findings_text())?;
        f.write_str(match (self.is_exact(), self.in_topics) {
            (false, _) => "NOT EXACT",
            (true, 0) => "exact, but there was nothing to verify",
            (true, of) if self.compared < of => {
                "exact: every record is in the store once; of those not compared with Kafka, an edit that leaves a line readable goes unseen"
            }
            (true, _) => "exact: every record is in the store once, byte for byte as Kafka has it",
        })
    }
}
