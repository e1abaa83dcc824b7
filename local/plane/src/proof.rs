//! What a function promises, and the judgement on it.

use std::error::Error;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use stream::OffsetRange;

use crate::trigger::Ends;

/// The check of what one function promises about the records of its triggers.
///
/// A proof trusts no counter: it compares what the topics hold with what the function has made of it.
#[async_trait(?Send)]
pub trait Proof: Send + Sync {
    /// Its name, by which `quotelake verify` takes it.
    fn name(&self) -> &'static str;

    /// Where a person finds what it looks at: a folder or a URL.
    fn location(&self) -> &str;

    /// Under which name a run leaves what it expected, so that the proof can be repeated after it.
    fn expected_under(&self) -> String;

    /// Holds what the function has made against the offsets that it had to read.
    ///
    /// # Errors
    /// Whatever keeps it from a judgement, in one sentence.
    async fn judge(
        &self,
        expected: &[OffsetRange],
    ) -> Result<Judgement, Box<dyn Error + Send + Sync>>;
}

/// What a proof has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// What is counted.
    pub counted: Counted,
    /// Whether the promise is kept.
    pub exact: bool,
    /// The records that the function had to do something about, or what it had to make of them.
    pub records: u64,
    /// Those that it has accounted for, or made right.
    pub accounted: u64,
    /// The parts of `accounted`, such as `bronze 5 + quarantine 1`.
    pub parts: String,
    /// What speaks against the promise, one sentence per line; empty if nothing does.
    pub findings: String,
    /// Everything that the proof knows, for machines.
    pub details: Value,
}

/// What a proof counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Counted {
    /// The records of the function's topics, which pollers count too.
    Records,
    /// What the function makes of records, such as bars.
    Made(&'static str),
}

/// What the triggers of `function` had to deliver: each partition once, over all of its triggers.
pub fn expected_of(function: &str, ends: &[Ends]) -> Vec<OffsetRange> {
    let mut expected: Vec<OffsetRange> = Vec::new();
    let of_function = ends.iter().filter(|ends| ends.function == function);
    for range in of_function.flat_map(|ends| &ends.expected) {
        let known = expected
            .iter_mut()
            .find(|known| known.topic == range.topic && known.partition == range.partition);
        match known {
            None => expected.push(range.clone()),
            Some(known) => {
                known.offsets.start = known.offsets.start.min(range.offsets.start);
                known.offsets.end = known.offsets.end.max(range.offsets.end);
            }
        }
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_triggers_on_one_topic_expect_each_partition_once() {
        let range = |partition, offsets| OffsetRange {
            topic: "t".to_owned(),
            partition,
            offsets,
        };
        let ends = |function: &str, expected| Ends {
            function: function.to_owned(),
            topic: "t".to_owned(),
            expected,
            backlog: 0,
        };
        let all = [
            ends("f", vec![range(0, 5..9), range(1, 0..3)]),
            ends("g", vec![range(0, 0..9)]),
            ends("f", vec![range(0, 2..8)]),
        ];
        assert_eq!(expected_of("f", &all), [range(0, 2..9), range(1, 0..3)]);
        assert_eq!(expected_of("h", &all), []);
    }
}
