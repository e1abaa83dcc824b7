use std::fmt::Write;

use crate::{Record, Unreadable};

/// Where a record is in Kafka; one that can't be read may lack its offset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'e> {
    /// The topic's name.
    pub topic: &'e str,
    /// The partition; -1 if neither the record nor the map's key has one.
    pub partition: i32,
    /// The offset.
    pub offset: Option<i64>,
    /// The position of the map's key in the event's sources.
    pub source: usize,
}

impl<'e> Place<'e> {
    /// That of a record of an event.
    pub fn of_record(record: &'e Record<'_>) -> Self {
        Self {
            topic: &record.topic,
            partition: record.partition,
            offset: Some(record.offset),
            source: record.source,
        }
    }

    /// That of what should be a record and can't be read.
    pub fn of_unreadable(record: &'e Unreadable<'_>) -> Self {
        Self {
            topic: &record.topic,
            partition: record.partition,
            offset: record.offset,
            source: record.source,
        }
    }
}

/// Places as text: `topic-0: 3, 5-9; topic-1: 4`.
pub fn ranges(mut places: Vec<Place<'_>>) -> String {
    places.sort();
    let mut text = String::new();
    let mut places = places.into_iter().peekable();
    let mut partition = None;
    while let Some(first) = places.next() {
        let mut last = first.offset;
        while let Some(next) = places.next_if(|next| {
            (next.topic, next.partition) == (first.topic, first.partition)
                && next.offset.is_some()
                && next.offset == last.map(|last| last + 1)
        }) {
            last = next.offset;
        }
        let here = (first.topic, first.partition);
        if partition.as_ref() == Some(&here) {
            text.push_str(", ");
        } else {
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a String can't fail.
            let _ = write!(text, "{separator}{}-{}: ", here.0, here.1);
        }
        partition = Some(here);
        let _ = match (first.offset, last) {
            (Some(first), Some(last)) if first != last => write!(text, "{first}-{last}"),
            (Some(first), _) => write!(text, "{first}"),
            (None, _) => write!(text, "no offset"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_named_as_ranges_by_partition() {
        let place = |topic: &'static str, partition, offset| Place {
            topic,
            partition,
            offset,
            source: 0,
        };
        let places = vec![
            place("t", 1, Some(4)),
            place("t", 0, Some(6)),
            place("t", 0, Some(5)),
            place("t", 0, Some(3)),
            place("u", 0, Some(7)),
            place("u", 0, None),
        ];
        assert_eq!(ranges(places), "t-0: 3, 5-6; t-1: 4; u-0: no offset, 7");
    }
}
