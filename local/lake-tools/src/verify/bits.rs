use std::ops::{BitAnd, BitOr, Not, Range};

/// The offsets of a page.
pub(super) const PAGE: i64 = 4_096;

/// The offsets of the page `number`.
pub(super) fn page_at(number: i64) -> Range<i64> {
    let start = number.saturating_mul(PAGE);
    start..start.saturating_add(PAGE)
}

const WORDS: usize = 64;

/// Some of the offsets of a page, by their place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits([u64; WORDS]);

impl Bits {
    pub(super) const NONE: Self = Self([0; WORDS]);

    /// Those of the page `number` that are in `offsets`.
    pub(super) fn within(number: i64, offsets: &Range<i64>) -> Self {
        let start = page_at(number).start;
        let place = |offset: i64| {
            let place = offset.saturating_sub(start).clamp(0, PAGE);
            usize::try_from(place).unwrap_or_default()
        };
        let (from, to) = (place(offsets.start), place(offsets.end));
        let mut bits = Self::NONE;
        for (index, word) in bits.0.iter_mut().enumerate() {
            let below = |end: usize| match end.saturating_sub(index * 64) {
                places @ 0..64 => (1 << places) - 1,
                _ => u64::MAX,
            };
            *word = below(to) & !below(from);
        }
        bits
    }

    /// Adds a place; false if it was in already.
    pub(super) fn insert(&mut self, place: usize) -> bool {
        let (word, bit) = (&mut self.0[place / 64], 1 << (place % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn contains(&self, place: usize) -> bool {
        self.0[place / 64] & (1 << (place % 64)) != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The places in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..WORDS * 64).filter(|&place| self.contains(place))
    }
}

impl BitAnd for Bits {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index] & other.0[index]))
    }
}

impl BitOr for Bits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index] | other.0[index]))
    }
}

impl Not for Bits {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_page_has_the_offsets_of_a_range_that_lie_in_it(
            number in 0..3_i64,
            from in 0..3 * PAGE,
            length in 0..3 * PAGE,
        ) {
            let range = from..from + length;
            let bits = Bits::within(number, &range);
            let expected = (0..PAGE).filter(|place| range.contains(&(number * PAGE + place)));
            let expected = expected.map(|place| usize::try_from(place).unwrap());
            prop_assert!(bits.iter().eq(expected));
            prop_assert_eq!(bits.count() + (!bits).count(), 4_096);
        }
    }
}
