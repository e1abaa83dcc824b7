use std::{collections::BTreeMap, fmt};

use plane::proof::{Counted, Judgement};
use serde::Serialize;
use serde_json::json;

use crate::{damaged::Damaged, verify::Findings};

/// What the tables hold, against the records of the lake and of Kafka.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DatabaseVerdict {
    /// The topics that were looked at, and how many records with a row each has.
    pub topics: BTreeMap<String, u64>,
    /// Whether the history was compared too.
    pub with_history: bool,
    /// Topics that were asked for, and of which neither the lake nor the tables nor Kafka have anything.
    pub absent: Vec<String>,
    /// Records that have a row, or have to be in the function's quarantine.
    pub records: u64,
    /// Of these, records whose row is in the history.
    pub rows: u64,
    /// Of these, records that the function has put aside, without a row.
    pub in_quarantine: u64,
    /// Records that are aside and have their row all the same, as after a replay.
    pub in_both: u64,
    /// Records of the lake that are no quotes: trades, and bars of a backfill.
    pub no_quotes: u64,
    /// Records that can be no row and are not in the quarantine, and that the function may not have had.
    pub no_rows: u64,
    /// Offsets of records that can be no row, which the function has had and not put aside.
    pub not_aside: Findings,
    /// Offsets of records without their row.
    pub missing: Findings,
    /// Offsets of rows of no record.
    pub unfounded: Findings,
    /// Rows that are not what their record says.
    pub altered: Findings<AlteredRow>,
    /// Offsets with more than one row, each with another `created_at`.
    pub doubled: Findings,
    /// Rows that no record can have become, such as one with a price of NaN, a sentence each.
    pub foreign: Findings,
    /// Offsets among which some rows are altered, without its being known which.
    pub unresolved: Findings,
    /// Offsets that two records have had; their rows were not compared.
    pub reused: u64,
    /// Rows whose records Kafka has dropped, where no lake was asked.
    pub expired: u64,
    /// Rows outside of the expected offsets.
    pub strangers: u64,
    /// Latest quotes.
    pub latest: u64,
    /// Of these, those that are the newest of all records.
    pub latest_right: u64,
    /// Of these, those of another topic, epoch or offset than was looked at, and newer than what was.
    pub latest_of_others: u64,
    /// Latest quotes that are not the newest record's, a sentence each.
    pub latest_wrong: Findings,
    /// Tickers without a latest quote, each with the record that it should be.
    pub latest_missing: Findings,
    /// Objects of the lake read.
    pub objects: u64,
    /// Objects of the lake that can't be read: what they hold explains no row.
    pub damaged: Damaged,
}

/// A row that is not what its record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlteredRow {
    /// Its coordinates.
    pub row: String,
    /// The columns that differ.
    pub columns: Vec<&'static str>,
}

impl fmt::Display for AlteredRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.row, self.columns.join(", "))
    }
}

/// How many findings of one kind a text shows; JSON has more.
const SHOWN: usize = 10;

impl DatabaseVerdict {
    /// Whether every record has its row, every row its record, and the latest quotes are the newest. Without a record nothing
    /// is.
    pub fn is_exact(&self) -> bool {
        self.records > 0 && self.is_sound()
    }

    /// Whether nothing speaks against the tables.
    fn is_sound(&self) -> bool {
        self.findings().all(|(_, total, _)| total == 0)
    }

    /// What speaks against the tables: each kind in words, how often it was found, and the first of it.
    pub fn findings(&self) -> impl Iterator<Item = (&'static str, u64, Vec<String>)> {
        let of = |what, found: &Findings| (what, found.total, found.first.clone());
        let altered = self.altered.first.iter().map(AlteredRow::to_string);
        let damaged = self.damaged.named.iter();
        let damaged = damaged.map(|object| format!("{} ({})", object.name, object.cause));
        [
            of(
                "records without a row (`quotelake replay --to database` brings them)",
                &self.missing,
            ),
            of(
                "records without a row are not in the quarantine",
                &self.not_aside,
            ),
            of("rows of no record", &self.unfounded),
            ("rows altered", self.altered.total, altered.collect()),
            of("rows doubled, with another created_at", &self.doubled),
            of("rows foreign", &self.foreign),
            of(
                "rows not told apart from altered ones (mend those named, and run it again)",
                &self.unresolved,
            ),
            of("latest quotes wrong", &self.latest_wrong),
            of("latest quotes missing", &self.latest_missing),
            (
                "objects of the lake damaged",
                self.damaged.count,
                damaged.collect(),
            ),
        ]
        .into_iter()
    }

    fn findings_text(&self) -> String {
        let mut text = String::new();
        for (what, total, first) in self.findings().filter(|(_, total, _)| *total > 0) {
            let more = if first.len() > SHOWN { ", …" } else { "" };
            let shown: Vec<_> = first.into_iter().take(SHOWN).collect();
            text.push_str(&format!("{total} {what}: {}{more}\n", shown.join(", ")));
        }
        text
    }

    fn parts(&self) -> String {
        let history = match self.with_history {
            true => format!(
                "history {} + quarantine {}, ",
                self.rows, self.in_quarantine
            ),
            false => String::new(),
        };
        format!(
            "{history}latest {} of {}",
            self.latest_right,
            self.latest - self.latest_of_others
        )
    }
}

impl fmt::Display for DatabaseVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.with_history {
            let accounted = self.rows + self.in_quarantine;
            let sign = if self.records == accounted {
                '='
            } else {
                '≠'
            };
            let (records, rows, aside) = (self.records, self.rows, self.in_quarantine);
            writeln!(
                f,
                "records {records} {sign} rows {rows} + quarantine {aside}"
            )?;
        } else {
            writeln!(f, "records {}, without a history", self.records)?;
        }
        let (latest, right) = (self.latest - self.latest_of_others, self.latest_right);
        let sign = if latest == right { '=' } else { '≠' };
        writeln!(f, "latest quotes {latest} {sign} right {right}")?;
        let topics = self.topics.iter();
        let topics: Vec<_> = topics
            .map(|(topic, records)| format!("{topic} {records}"))
            .collect();
        writeln!(f, "topics: {}", topics.join(", "))?;
        for (count, what) in [
            (self.no_quotes, "records are no quotes, and have no row"),
            (
                self.no_rows,
                "records without a row are not in the quarantine, as of a replay or from before the function",
            ),
            (
                self.in_both,
                "records are in quarantine and have their row all the same",
            ),
            (
                self.reused,
                "offsets were used twice, and their rows not compared",
            ),
            (
                self.expired,
                "rows were not compared, as their records have expired",
            ),
            (self.strangers, "rows are outside of the expected offsets"),
            (
                self.latest_of_others,
                "latest quotes are of other topics, epochs or days, and newer",
            ),
        ] {
            if count > 0 {
                writeln!(f, "{count} {what}")?;
            }
        }
        f.write_str(&self.findings_text())?;
        f.write_str(match (self.is_sound(), self.records) {
            (false, _) => "NOT EXACT",
            (true, 0) => {
                "nothing to verify: no record has a row; check --topic, --range, --epoch and --since"
            }
            (true, _) if self.with_history => {
                "exact: every record has its row, every row its record, and the latest quotes are the newest of this epoch \
                 and these topics"
            }
            (true, _) => "exact: the latest quotes are the newest of this epoch and these topics",
        })
    }
}

impl From<DatabaseVerdict> for Judgement {
    fn from(verdict: DatabaseVerdict) -> Self {
        let (records, accounted) = match verdict.with_history {
            true => {
                let wrong = verdict.altered.total + verdict.doubled.total;
                let accounted = verdict.rows + verdict.in_quarantine;
                (verdict.records, accounted.saturating_sub(wrong))
            }
            false => {
                let expected = verdict.latest_right
                    + verdict.latest_wrong.total
                    + verdict.latest_missing.total;
                (expected, verdict.latest_right)
            }
        };
        Self {
            counted: Counted::Made("rows"),
            // A run without a record is as it should be.
            exact: verdict.is_sound(),
            records,
            accounted,
            parts: verdict.parts(),
            findings: verdict.findings_text(),
            details: json!(verdict),
        }
    }
}
