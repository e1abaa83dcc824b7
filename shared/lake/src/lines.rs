use bytes::Bytes;

/// Lines of one segment in offset order, each offset once. Cloning shares the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    body: Bytes,
    index: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    offset: i64,
    end: usize,
}

/// What the union of stored lines with others is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    /// All of them; `None` if the others bring nothing that is not stored.
    pub lines: Option<Lines>,
    /// How many of the others were not stored.
    pub added: usize,
    /// The offsets of the others that are stored with other bytes; the stored ones stay.
    pub taken: Vec<i64>,
}

impl Lines {
    /// No lines, with room for `bytes` bytes of `lines` lines.
    pub fn builder(lines: usize, bytes: usize) -> LinesBuilder {
        LinesBuilder {
            body: Vec::with_capacity(bytes),
            index: Vec::with_capacity(lines),
        }
    }

    /// A body whose lines are still to be marked.
    pub(crate) fn over(body: Bytes) -> Self {
        Self {
            body,
            index: Vec::new(),
        }
    }

    /// Marks the next line, of `length` bytes; false if its offset is not above the one before.
    pub(crate) fn mark(&mut self, offset: i64, length: usize) -> bool {
        let (above, start) = match self.index.last() {
            None => (true, 0),
            Some(last) => (last.offset < offset, last.end),
        };
        let end = start + length;
        self.index.push(Entry { offset, end });
        above
    }

    /// The lines one after the other.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The memory that they take, in bytes.
    pub fn memory(&self) -> usize {
        self.body.len() + self.index.capacity() * size_of::<Entry>()
    }

    /// Each offset with its line, which ends with a line feed.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &[u8])> {
        let mut start = 0;
        self.index.iter().map(move |&Entry { offset, end }| {
            let line = &self.body[start..end];
            start = end;
            (offset, line)
        })
    }

    /// These, which are stored, and `others`.
    pub fn union(&self, others: &Self) -> Union {
        let (mut added, mut taken) = (0, Vec::new());
        let mut stored = self.iter().peekable();
        for (offset, line) in others.iter() {
            while stored.next_if(|&(stored, _)| stored < offset).is_some() {}
            match stored.peek() {
                Some(&(present, bytes)) if present == offset => {
                    if bytes != line {
                        taken.push(offset);
                    }
                }
                _ => added += 1,
            }
        }
        Union {
            lines: (added > 0).then(|| self.with(others)),
            added,
            taken,
        }
    }

    /// The offsets of `others` that these don't have.
    pub(crate) fn lacks(&self, others: &Self) -> Vec<i64> {
        let has = |offset: i64| {
            let found = self
                .index
                .binary_search_by_key(&offset, |entry| entry.offset);
            found.is_ok()
        };
        let offsets = others.index.iter().map(|entry| entry.offset);
        offsets.filter(|&offset| !has(offset)).collect()
    }

    /// Both in offset order; of two lines at one offset, the one of these.
    fn with(&self, others: &Self) -> Self {
        let mut both = Self::builder(
            self.len() + others.len(),
            self.body.len() + others.body.len(),
        );
        let mut others = others.iter().peekable();
        for (offset, line) in self.iter() {
            while let Some((offset, line)) = others.next_if(|&(other, _)| other < offset) {
                both.push(offset, line);
            }
            others.next_if(|&(other, _)| other == offset);
            both.push(offset, line);
        }
        others.for_each(|(offset, line)| both.push(offset, line));
        both.build()
    }
}

/// Lines in the making.
pub struct LinesBuilder {
    body: Vec<u8>,
    index: Vec<Entry>,
}

impl LinesBuilder {
    /// Puts a line behind the others; its offset is higher than theirs.
    pub(crate) fn push(&mut self, offset: i64, line: &[u8]) {
        self.push_with(offset, |body| body.extend_from_slice(line));
    }

    /// The same with a line that `write` appends.
    pub(crate) fn push_with(&mut self, offset: i64, write: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(self.index.last().is_none_or(|last| last.offset < offset));
        write(&mut self.body);
        self.index.push(Entry {
            offset,
            end: self.body.len(),
        });
    }

    /// The last line with its offset.
    pub(crate) fn last(&self) -> Option<(i64, &[u8])> {
        let last = self.index.last()?;
        let before = self.index.len().checked_sub(2);
        let start = before.map_or(0, |before| self.index[before].end);
        Some((last.offset, &self.body[start..]))
    }

    pub(crate) fn build(self) -> Lines {
        Lines {
            body: self.body.into(),
            index: self.index,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn lines(of: &BTreeMap<i64, u8>) -> Lines {
        let mut builder = Lines::builder(0, 0);
        for (offset, text) in of {
            builder.push(*offset, format!("{offset}:{text}\n").as_bytes());
        }
        builder.build()
    }

    fn some() -> impl Strategy<Value = BTreeMap<i64, u8>> {
        prop::collection::btree_map(0..12_i64, 0..2_u8, 0..10)
    }

    proptest! {
        #[test]
        fn a_union_keeps_what_is_stored_adds_what_is_new_and_names_what_is_taken(a in some(), b in some()) {
            let union = lines(&a).union(&lines(&b));
            let mut all = b.clone();
            all.extend(a.clone());
            let expected = (all.len() > a.len()).then(|| lines(&all));
            prop_assert_eq!(union.added, all.len() - a.len());
            prop_assert_eq!(union.lines, expected);
            let differs = |offset: &&i64| a.get(offset).is_some_and(|text| b[offset] != *text);
            prop_assert_eq!(union.taken, b.keys().filter(differs).copied().collect::<Vec<_>>());
        }

        #[test]
        fn the_order_of_unions_does_not_matter(all in some(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let mut grown = Lines::default();
            for (cut, from_start) in cuts.into_iter().zip([true, false].into_iter().cycle()) {
                let at = cut.index(all.len() + 1);
                let part: BTreeMap<i64, u8> = all
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| (*index < at) == from_start)
                    .map(|(_, (offset, text))| (*offset, *text))
                    .collect();
                grown = grown.union(&lines(&part)).lines.unwrap_or(grown);
            }
            grown = grown.union(&lines(&all)).lines.unwrap_or(grown);
            prop_assert_eq!(grown, lines(&all));
        }
    }
}
