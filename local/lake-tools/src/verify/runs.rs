use std::ops::Range;

use super::bits::Bits;

/// Offsets as runs of neighbours, given in their order.
#[derive(Default)]
pub(super) struct Runs {
    pub(super) runs: Vec<Range<i64>>,
}

impl Runs {
    /// Adds those of the page that starts at `start`.
    pub(super) fn push(&mut self, start: i64, bits: Bits) {
        if bits.is_empty() {
            return;
        }
        for place in bits.iter() {
            let offset = start + i64::try_from(place).unwrap_or_default();
            self.push_run(offset..offset + 1);
        }
    }

    pub(super) fn push_run(&mut self, run: Range<i64>) {
        match self.runs.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => self.runs.push(run),
        }
    }
}
