//! A stretch of time in slots of whole minutes, and which of them are marked.

use std::ops::Range;

use jiff::Timestamp;
use market::bars::MINUTE;

/// A stretch of time in slots of one length. Times are microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// When the first slot begins: a multiple of the length.
    pub(crate) from: i64,
    /// How long a slot is: whole minutes.
    pub(crate) length: i64,
    /// How many slots there are.
    pub(crate) count: usize,
}

impl Grid {
    /// The whole slots of `minutes` minutes between two times; `None` if there is none.
    pub(crate) fn new(from: Timestamp, to: Timestamp, minutes: u32) -> Option<Self> {
        let length = i64::from(minutes) * MINUTE;
        let floor = |time: Timestamp| time.as_microsecond().div_euclid(length) * length;
        let (from, to) = (floor(from), floor(to));
        let count = usize::try_from((to - from) / length).ok()?;
        (count > 0).then_some(Self {
            from,
            length,
            count,
        })
    }

    /// When the last slot ends.
    pub(crate) fn to(&self) -> i64 {
        self.time(self.count)
    }

    /// When a slot begins.
    pub(crate) fn time(&self, slot: usize) -> i64 {
        let slot = i64::try_from(slot).unwrap_or(i64::MAX);
        self.from.saturating_add(self.length.saturating_mul(slot))
    }

    /// When a slot begins.
    pub(crate) fn timestamp(&self, slot: usize) -> Timestamp {
        Timestamp::from_microsecond(self.time(slot)).unwrap_or(Timestamp::MAX)
    }

    /// The slot that a time lies in.
    pub(crate) fn slot(&self, time: i64) -> Option<usize> {
        let slot = usize::try_from((time - self.from).div_euclid(self.length)).ok()?;
        (slot < self.count).then_some(slot)
    }

    /// The slots that have a part of a stretch of time, its end not included.
    pub(crate) fn slots(&self, from: i64, to: i64) -> Range<usize> {
        let at = |time: i64| {
            let slot = (time.clamp(self.from, self.to()) - self.from).div_euclid(self.length);
            usize::try_from(slot).unwrap_or_default()
        };
        match from < to && to > self.from && from < self.to() {
            true => at(from)..at(to - 1).min(self.count - 1) + 1,
            false => 0..0,
        }
    }

    /// How many minutes so many slots have.
    pub(crate) fn minutes(&self, slots: usize) -> u64 {
        let minutes = self.length / MINUTE;
        slots as u64 * u64::try_from(minutes).unwrap_or_default()
    }
}

/// Which slots of a grid are marked: a bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots(Vec<u64>);

impl Slots {
    /// None of so many.
    pub(crate) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Marks one.
    pub(crate) fn mark(&mut self, slot: usize) {
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    /// Marks the slot of a time, if it lies in the grid.
    pub(crate) fn mark_time(&mut self, grid: &Grid, time: i64) {
        if let Some(slot) = grid.slot(time) {
            self.mark(slot);
        }
    }

    /// Marks the slots that have a part of a stretch of time.
    pub(crate) fn mark_span(&mut self, grid: &Grid, from: i64, to: i64) {
        for slot in grid.slots(from, to) {
            self.mark(slot);
        }
    }

    /// Whether one is marked.
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.0
            .get(slot / 64)
            .is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }

    /// Marks those of `other` too.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    proptest! {
        #[test]
        fn every_time_of_a_grid_lies_in_one_slot_and_none_beyond_it(
            from in 0..5_000_i64, length in 0..5_000_i64, minutes in 1..8_u32, at in -5_000_000_000..15_000_000_000_i64,
        ) {
            let Some(grid) = Grid::new(time(from), time(from + length), minutes) else {
                prop_assert!(length < i64::from(minutes) * 60);
                return Ok(());
            };
            prop_assert_eq!((grid.from % grid.length, grid.to() % grid.length), (0, 0));
            let slot = grid.slot(at);
            prop_assert_eq!(slot.is_some(), (grid.from..grid.to()).contains(&at));
            if let Some(slot) = slot {
                prop_assert!((grid.time(slot)..grid.time(slot + 1)).contains(&at));
            }
        }

        #[test]
        fn a_stretch_marks_the_slots_that_it_touches(
            count in 1..200_i64, minutes in 1..4_u32, from in -100..400_i64, length in -10..100_i64,
        ) {
            let grid = Grid::new(time(0), time(count * 60 * i64::from(minutes)), minutes).unwrap();
            let (from, to) = (from * 30_000_000, (from + length) * 30_000_000);
            let mut slots = Slots::none(grid.count);
            slots.mark_span(&grid, from, to);
            for slot in 0..grid.count {
                let touches = from.max(grid.time(slot)) < to.min(grid.time(slot + 1));
                prop_assert_eq!(slots.has(slot), touches, "{}", slot);
            }
        }
    }
}
