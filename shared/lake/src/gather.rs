use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::{
    Identity, Layout, Lines, ObjectKey, Received, Segment, Unfit, identify, line::LineWriter,
};

/// The records of a batch, sorted into the objects that they belong in.
pub struct Gathered<'a> {
    layout: &'a Layout,
    received: &'a [Received<'a>],
    judged: Vec<Result<Identity<'a>, Unfit>>,
}

/// The records of a batch by the object that they belong in.
pub struct Shares<'a> {
    gathered: &'a Gathered<'a>,
    /// Each object's segment, with the end of its records in `positions`.
    segments: Vec<(Segment<'a>, usize)>,
    positions: Vec<usize>,
}

/// The records of a batch that belong in one object.
#[derive(Clone, Copy)]
pub struct Share<'a> {
    gathered: &'a Gathered<'a>,
    segment: Segment<'a>,
    /// Their positions in the batch, in offset order.
    positions: &'a [usize],
}

/// Judges every record of a batch.
pub fn gather<'a>(layout: &'a Layout, received: &'a [Received<'a>]) -> Gathered<'a> {
    let judge = |received| identify(layout.version(), received);
    Gathered {
        layout,
        received,
        judged: received.iter().map(judge).collect(),
    }
}

impl<'a> Gathered<'a> {
    /// The records that can be no line, each with its position in the batch.
    pub fn unfit(&self) -> impl Iterator<Item = (usize, &Unfit)> {
        let judged = self.judged.iter().enumerate();
        judged.filter_map(|(position, judged)| Some((position, judged.as_ref().err()?)))
    }

    /// The others by object, in the order in which the batch touches them.
    pub fn shares(&self) -> Shares<'_> {
        let mut of_segment: HashMap<Segment<'_>, usize, RandomState> = HashMap::default();
        let mut segments: Vec<(Segment<'_>, usize)> = Vec::new();
        let mut share_of = Vec::with_capacity(self.judged.len());
        for (position, (judged, received)) in self.judged.iter().zip(self.received).enumerate() {
            let Ok(identity) = judged else { continue };
            let segment = self.layout.segment_of(identity.place(received));
            let share = *of_segment.entry(segment).or_insert_with(|| {
                segments.push((segment, 0));
                segments.len() - 1
            });
            segments[share].1 += 1;
            share_of.push((share, position));
        }

        // Each share's count becomes where it starts, and by placing its records where it ends.
        let mut next = 0;
        for (_, count) in &mut segments {
            (*count, next) = (next, next + *count);
        }
        let mut positions = vec![0; share_of.len()];
        for (share, position) in share_of {
            let end = &mut segments[share].1;
            positions[*end] = position;
            *end += 1;
        }
        let mut start = 0;
        for &(_, end) in &segments {
            // Stable: of two records at one offset the first of the batch stays the first.
            positions[start..end].sort_by_key(|&position| self.received[position].offset);
            start = end;
        }
        Shares {
            gathered: self,
            segments,
            positions,
        }
    }
}

impl Shares<'_> {
    /// Each object's share.
    pub fn iter(&self) -> impl Iterator<Item = Share<'_>> {
        let mut start = 0;
        self.segments.iter().map(move |&(segment, end)| {
            let positions = &self.positions[start..end];
            start = end;
            Share {
                gathered: self.gathered,
                segment,
                positions,
            }
        })
    }
}

impl<'a> Share<'a> {
    /// The object.
    pub fn key(&self) -> ObjectKey {
        self.gathered.layout.segment_key(&self.segment)
    }

    /// The records' positions in the batch.
    pub fn positions(&self) -> &'a [usize] {
        self.positions
    }

    /// The records' lines; the second value are the positions of those whose offset another record of the
    /// batch has taken with other bytes.
    pub fn lines(&self) -> (Lines, Vec<usize>) {
        let values = self.positions.iter().map(|&position| self.value(position));
        let bytes = values.map(|value| value.len() + KAFKA_MEMBER).sum();
        let mut lines = Lines::builder(self.positions.len(), bytes);
        let version = self.gathered.layout.version();
        let writer = LineWriter::new(version, self.segment.topic(), self.segment.partition());
        let mut taken = Vec::new();
        for &position in self.positions {
            let received = self.received(position);
            match lines.last() {
                Some((offset, line)) if offset == received.offset => {
                    let mut other = Vec::with_capacity(line.len());
                    writer.write(
                        &mut other,
                        received,
                        self.value(position),
                        self.added_symbol(position),
                    );
                    if other != line {
                        taken.push(position);
                    }
                }
                _ => lines.push_with(received.offset, |body| {
                    writer.write(
                        body,
                        received,
                        self.value(position),
                        self.added_symbol(position),
                    );
                }),
            }
        }
        (lines.build(), taken)
    }

    /// The position of the record whose line is the one at `offset`.
    pub fn first_at(&self, offset: i64) -> Option<usize> {
        let at = self
            .positions
            .partition_point(|&position| self.received(position).offset < offset);
        let position = *self.positions.get(at)?;
        (self.received(position).offset == offset).then_some(position)
    }

    fn received(&self, position: usize) -> &'a Received<'a> {
        &self.gathered.received[position]
    }

    fn added_symbol(&self, position: usize) -> Option<&'a str> {
        self.gathered.judged[position].as_ref().ok()?.added_symbol()
    }

    fn value(&self, position: usize) -> &'a [u8] {
        // A record without a value is unfit, and no share has it.
        self.received(position).value.unwrap_or_default()
    }
}

/// About the length of a line beyond its record's value.
const KAFKA_MEMBER: usize = 160;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::{Compression, Granularity, Kind, admit};

    proptest! {
        #[test]
        fn a_batch_is_sorted_as_if_each_record_were_alone(
            records in prop::collection::vec((0..3_i32, 0..9_i64, prop::sample::select(vec!['A', 'B', 'C']), 0..3_i64, any::<bool>()), 0..30),
        ) {
            let granularity = Granularity::new(3_600_000, 4).unwrap();
            let layout = Layout::new("b", None, granularity, Compression::None);
            let values: Vec<String> = records
                .iter()
                .map(|(_, _, symbol, hour, sound)| {
                    let end = if *sound { "}" } else { "" };
                    format!(r#"{{"symbol":"{symbol}","fetched_at":{}{end}"#, (hour + 1) * 3_600)
                })
                .collect();
            let received: Vec<Received<'_>> = records
                .iter()
                .zip(&values)
                .map(|(&(partition, offset, ..), value)| Received {
                    topic: "t", partition, offset, value: Some(value.as_bytes()), ..Received::default()
                })
                .collect();
            let gathered = gather(&layout, &received);
            let shares = gathered.shares();

            let mut expected: BTreeMap<ObjectKey, BTreeMap<i64, BTreeSet<Vec<u8>>>> = BTreeMap::new();
            let mut unfit = Vec::new();
            for (position, received) in received.iter().enumerate() {
                let admitted = admit(&layout, received);
                match admitted.kind {
                    Kind::Bronze => {
                        let offsets = expected.entry(admitted.key).or_default();
                        offsets.entry(received.offset).or_default().insert(admitted.body.to_vec());
                    }
                    Kind::Quarantine(_) => unfit.push(position),
                }
            }
            prop_assert_eq!(gathered.unfit().map(|(position, _)| position).collect::<Vec<_>>(), unfit);
            let mut found = BTreeMap::new();
            for share in shares.iter() {
                let (lines, taken) = share.lines();
                let mut offsets: BTreeMap<i64, BTreeSet<Vec<u8>>> = BTreeMap::new();
                for (offset, line) in lines.iter() {
                    prop_assert!(share.first_at(offset).is_some());
                    offsets.entry(offset).or_default().insert(line.to_vec());
                }
                for position in taken {
                    let other = admit(&layout, &received[position]).body.to_vec();
                    prop_assert!(offsets.get_mut(&received[position].offset).unwrap().insert(other));
                }
                prop_assert!(found.insert(share.key(), offsets).is_none());
            }
            prop_assert_eq!(found, expected);
        }
    }
}
