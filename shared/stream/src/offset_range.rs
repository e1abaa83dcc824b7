use std::{ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

/// Offsets of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRange {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// From the first to, not including, the last one's successor: for a whole partition its watermarks.
    pub offsets: Range<i64>,
}

impl FromStr for OffsetRange {
    type Err = &'static str;

    /// Reads `T-P:FROM-TO`, with the last offset included, as offsets are named everywhere.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (partition, offsets) = text.rsplit_once(':')?;
            let (topic, partition) = partition.rsplit_once('-')?;
            let (from, to) = offsets.split_once('-')?;
            let (from, to): (i64, i64) = (from.parse().ok()?, to.parse().ok()?);
            let partition = partition.parse().ok().filter(|&number| number >= 0)?;
            (!topic.is_empty() && from <= to && to < i64::MAX).then(|| Self {
                topic: topic.to_owned(),
                partition,
                offsets: from..to + 1,
            })
        };
        read().ok_or("write TOPIC-PARTITION:FROM-TO, such as stock-quotes-3:0-999")
    }
}

/// How a run of offsets is named: `topic-partition@from-to`, with both included.
pub fn name_of_offsets(topic: &str, partition: i32, offsets: &Range<i64>) -> String {
    let (first, last) = (offsets.start, offsets.end - 1);
    if first == last {
        format!("{topic}-{partition}@{first}")
    } else {
        format!("{topic}-{partition}@{first}-{last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_written() {
        let read: OffsetRange = "stock-quotes-3:5-9".parse().unwrap();
        assert_eq!((&*read.topic, read.partition), ("stock-quotes", 3));
        assert_eq!(read.offsets, 5..10);
        assert_eq!(name_of_offsets("t", 0, &(5..10)), "t-0@5-9");
        assert_eq!(name_of_offsets("t", 0, &(5..6)), "t-0@5");
        for wrong in [
            "", "t:0-1", "t-0", "t-0:1", "t-0:2-1", "t-0:a-b", "-0:0-1", "t-x:0-1",
        ] {
            assert!(wrong.parse::<OffsetRange>().is_err(), "{wrong}");
        }
    }
}
