use std::collections::HashMap;

use crate::{
    Identity, Layout, Lines, ObjectKey, Received, Segment, Unfit, identify, line::write_line,
};

/// The records of a batch, sorted into the objects that they belong in.
pub struct Gathered<'a> {
    layout: &'a Layout,
    received: &'a [Received<'a>],
    judged: Vec<Result<Identity<'a>, Unfit>>,
}

/// The records of a batch that belong in one object.
pub struct Share<'a> {
    gathered: &'a Gathered<'a>,
    segment: Segment<'a>,
    /// Their positions in the batch, in offset order.
    records: Vec<usize>,
}

/// Judges every record of a batch.
pub fn gather<'a>(layout: &'a Layout, received: &'a [Received<'a>]) -> Gathered<'a> {
    Gathered {
        layout,
        received,
        judged: received.iter().map(identify).collect(),
    }
}

impl<'a> Gathered<'a> {
    /// The records that can be no line, each with its position in the batch.
    pub fn unfit(&self) -> impl Iterator<Item = (usize, &Unfit)> {
        let judged = self.judged.iter().enumerate();
        judged.filter_map(|(position, judged)| Some((position, judged.as_ref().err()?)))
    }

    /// The others by object, in the order in which the batch touches them.
    pub fn shares(&'a self) -> Vec<Share<'a>> {
        let mut shares: Vec<Share<'a>> = Vec::new();
        let mut of_segment: HashMap<Segment<'a>, usize> = HashMap::new();
        for (position, (judged, received)) in self.judged.iter().zip(self.received).enumerate() {
            let Ok(identity) = judged else { continue };
            let segment = self.layout.segment_of(identity.place(received));
            let share = *of_segment.entry(segment).or_insert_with(|| {
                shares.push(Share {
                    gathered: self,
                    segment,
                    records: Vec::new(),
                });
                shares.len() - 1
            });
            shares[share].records.push(position);
        }
        for share in &mut shares {
            // Stable: of two records at one offset the first of the batch stays the first.
            share
                .records
                .sort_by_key(|&position| self.received[position].offset);
        }
        shares
    }
}

impl<'a> Share<'a> {
    /// The object.
    pub fn key(&self) -> ObjectKey {
        self.gathered.layout.segment_key(&self.segment)
    }

    /// The records' positions in the batch.
    pub fn positions(&self) -> &[usize] {
        &self.records
    }

    /// The records' lines; the second value are the positions of those whose offset another record of the
    /// batch has taken with other bytes.
    pub fn lines(&self) -> (Lines, Vec<usize>) {
        let values = self.records.iter().map(|&position| self.value(position));
        let bytes = values.map(|value| value.len() + KAFKA_MEMBER).sum();
        let mut lines = Lines::builder(self.records.len(), bytes);
        let mut taken = Vec::new();
        for &position in &self.records {
            let received = self.received(position);
            match lines.last() {
                Some((offset, line)) if offset == received.offset => {
                    let mut other = Vec::with_capacity(line.len());
                    write_line(&mut other, received, self.value(position));
                    if other != line {
                        taken.push(position);
                    }
                }
                _ => lines.push_with(received.offset, |body| {
                    write_line(body, received, self.value(position));
                }),
            }
        }
        (lines.build(), taken)
    }

    /// The position of the record whose line is the one at `offset`.
    pub fn first_at(&self, offset: i64) -> Option<usize> {
        let at = self
            .records
            .partition_point(|&position| self.received(position).offset < offset);
        let position = *self.records.get(at)?;
        (self.received(position).offset == offset).then_some(position)
    }

    fn received(&self, position: usize) -> &'a Received<'a> {
        &self.gathered.received[position]
    }

    fn value(&self, position: usize) -> &'a [u8] {
        // A record without a value is unfit, and no share has it.
        self.received(position).value.unwrap_or_default()
    }
}

/// About the length of a line beyond its record's value.
const KAFKA_MEMBER: usize = 160;
