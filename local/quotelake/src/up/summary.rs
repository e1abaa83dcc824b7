//! The last word on a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use plane::{
    proof::{Counted, Judgement},
    stats::FunctionCounts,
};
use serde::Serialize;

use crate::counts::Counts;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Whether others may have published to the topics too.
    pub shared_topics: bool,
    /// The functions' own counts.
    pub counts: Counts,
    /// What each proof has found.
    pub proofs: Vec<Proven>,
    /// The functions whose promise nothing checks.
    pub unverified: Vec<String>,
}

/// What the proof of one function has found, beside what the pollers count.
#[derive(Clone, Debug, Serialize)]
pub struct Proven {
    /// The function.
    pub function: String,
    /// The proof's name.
    pub proof: &'static str,
    /// Where a person finds what it has looked at.
    pub location: String,
    /// Quotes that the pollers of the function's topics count.
    pub polled: u64,
    /// Records that were in the topics before the start and not yet done.
    pub backlog: u64,
    /// The judgement.
    #[serde(flatten)]
    pub judgement: Judgement,
}

impl Proven {
    /// Whether polled = published = what the function has accounted for. On topics that are shared more may have been
    /// published than was polled here.
    fn is_exact(&self, shared_topics: bool) -> bool {
        let (known, published) = (self.polled + self.backlog, self.judgement.records);
        let is_counted = matches!(self.judgement.counted, Counted::Made(_));
        self.judgement.exact
            && (is_counted || known == published || (shared_topics && known < published))
    }
}

impl Summary {
    /// Whether every proof is exact and no trigger has left, dropped or missed a record.
    pub fn is_exact(&self) -> bool {
        let mut proofs = self.proofs.iter();
        self.is_complete() && proofs.all(|proven| proven.is_exact(self.shared_topics))
    }

    /// Whether every trigger has delivered every record and every proof agrees.
    fn is_complete(&self) -> bool {
        let counts = &self.counts;
        let is_delivered = counts.dropped == 0 && counts.expired == 0 && counts.left() == 0;
        is_delivered && self.proofs.iter().all(|proven| proven.judgement.exact)
    }

    /// Whether the run is exact and there was something to count, if anything could be.
    pub fn is_success(&self) -> bool {
        self.is_exact() && (self.proofs.is_empty() || self.records() > 0)
    }

    /// The records of all proofs.
    fn records(&self) -> u64 {
        let records = self.proofs.iter().map(|proven| proven.judgement.records);
        records.sum()
    }
}

/// The summary for machines: `audit` and `location` are those of the first proof.
impl Serialize for Summary {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            exact: bool,
            seconds: f64,
            backlog: u64,
            shared_topics: bool,
            counts: &'a Counts,
            audit: Option<&'a serde_json::Value>,
            location: Option<&'a str>,
            proofs: &'a [Proven],
            unverified: &'a [String],
        }
        let of_records = |proven: &&Proven| proven.judgement.counted == Counted::Records;
        let first = self.proofs.iter().find(of_records).or(self.proofs.first());
        let fields = Fields {
            exact: self.is_exact(),
            seconds: self.seconds,
            backlog: self.proofs.iter().map(|proven| proven.backlog).sum(),
            shared_topics: self.shared_topics,
            counts: &self.counts,
            audit: first.map(|proven| &proven.judgement.details),
            location: first.map(|proven| &*proven.location),
            proofs: &self.proofs,
            unverified: &self.unverified,
        };
        fields.serialize(serializer)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        writeln!(
            f,
            "ran {:.0} s: {} batches ({} retried), {} records written by {} PUTs and {} GETs, {} already there, {} quotes failed",
            self.seconds,
            counts.batches,
            counts.retried_batches,
            counts.lines_written,
            counts.puts,
            counts.gets,
            counts.already_there,
            counts.failed,
        )?;
        if counts.rows_written + counts.rows_already_there + counts.latest_changed > 0 {
            writeln!(
                f,
                "{} rows written to the database, {} already there, {} latest quotes changed",
                counts.rows_written, counts.rows_already_there, counts.latest_changed
            )?;
        }
        writeln!(
            f,
            "fetch to durable object: p50 {} ms, p99 {} ms",
            counts.latency_p50_ms, counts.latency_p99_ms
        )?;
        for proven in self.of_records() {
            self.write_equality(f, proven)?;
        }
        for (what, made) in self.made() {
            write_made(f, what, &made)?;
        }
        if counts.dropped + counts.sent_to_destination > 0 {
            writeln!(
                f,
                "records given up by the triggers: dropped {}, sent to a destination {}",
                counts.dropped, counts.sent_to_destination
            )?;
        }
        if counts.expired > 0 {
            writeln!(
                f,
                "records that expired before the triggers read them: {}",
                counts.expired
            )?;
        }
        for (function, of) in &counts.functions {
            write_left(f, function, of)?;
        }
        if let Some(trouble) = &counts.last_trouble {
            writeln!(f, "troubles: {}, the last: {trouble}", counts.troubles)?;
        }
        if !self.unverified.is_empty() {
            writeln!(f, "not verified: {}", self.unverified.join(", "))?;
        }
        self.write_verdict(f)
    }
}

impl Summary {
    /// The proofs that count records.
    fn of_records(&self) -> impl Iterator<Item = &Proven> {
        let proofs = self.proofs.iter();
        proofs.filter(|proven| proven.judgement.counted == Counted::Records)
    }

    /// The proofs that count something made of records, by what that is.
    fn made(&self) -> BTreeMap<&'static str, Vec<&Proven>> {
        let mut made: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for proven in &self.proofs {
            if let Counted::Made(what) = proven.judgement.counted {
                made.entry(what).or_default().push(proven);
            }
        }
        made
    }

    /// The name of the function, where several have records.
    fn of(&self, proven: &Proven) -> String {
        match self.of_records().count() {
            1 => String::new(),
            _ => format!("{}: ", proven.function),
        }
    }

    fn write_equality(&self, f: &mut fmt::Formatter<'_>, proven: &Proven) -> fmt::Result {
        let Proven {
            polled,
            backlog,
            judgement,
            ..
        } = proven;
        let sign = |equal: bool| if equal { '=' } else { '≠' };
        let before = match backlog {
            0 => String::new(),
            backlog => format!(" + backlog {backlog}"),
        };
        let Judgement {
            records,
            accounted,
            parts,
            findings,
            ..
        } = judgement;
        writeln!(
            f,
            "{}polled {polled}{before} {} published {records} {} {parts}",
            self.of(proven),
            sign(polled + backlog == *records),
            sign(records == accounted),
        )?;
        f.write_str(findings)
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.proofs.is_empty() {
            return f.write_str(match self.is_complete() {
                true => "nothing is verified: no function has a proof",
                false => "NOT EXACT: records are left, dropped or expired",
            });
        }
        let mut verdicts = Vec::new();
        for proven in self.of_records() {
            let verdict = match (proven.judgement.records, proven.judgement.exact) {
                (0, _) => "nothing was published",
                (_, false) => "NOT EXACT",
                (_, true) if !self.is_complete() => "NOT EXACT",
                (_, true) if proven.is_exact(self.shared_topics) => "nothing lost, nothing doubled",
                (_, true) => {
                    "nothing published was lost or doubled, but the pollers count otherwise"
                }
            };
            let (of, location) = (self.of(proven), &proven.location);
            verdicts.push(format!(
                "{of}{verdict}: counted in the topics and in {location}"
            ));
        }
        for (what, made) in self.made() {
            let places: BTreeSet<&str> = made.iter().map(|proven| &*proven.location).collect();
            let places: Vec<&str> = places.into_iter().collect();
            let verdict = match made.iter().all(|proven| proven.judgement.exact) {
                true => format!("the {what} are those of all records together"),
                false => format!("the {what} are NOT EXACT"),
            };
            verdicts.push(format!("{verdict}: in {}", places.join(" and ")));
        }
        f.write_str(&verdicts.join("\n"))
    }
}

fn write_made(f: &mut fmt::Formatter<'_>, what: &str, made: &[&Proven]) -> fmt::Result {
    let sum =
        |of: fn(&Judgement) -> u64| made.iter().map(|proven| of(&proven.judgement)).sum::<u64>();
    let (records, accounted) = (sum(|of| of.records), sum(|of| of.accounted));
    let sign = if records == accounted { '=' } else { '≠' };
    writeln!(f, "{what} {records} {sign} right {accounted}")?;
    for proven in made {
        let Judgement {
            exact,
            parts,
            findings,
            ..
        } = &proven.judgement;
        if !exact {
            writeln!(f, "{}: {parts}", proven.function)?;
        }
        f.write_str(findings)?;
    }
    Ok(())
}

fn write_left(f: &mut fmt::Formatter<'_>, function: &str, of: &FunctionCounts) -> fmt::Result {
    for (group, partitions) in &of.lag {
        let left: i64 = partitions.values().sum();
        writeln!(
            f,
            "{function} has not answered for {left} records (consumer group {group})"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
