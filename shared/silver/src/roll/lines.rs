//! The lines of a symbol's bronze objects.

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{ETag, Get, StoreError},
};
use market::bars::{Aside, Lines, Reader, Rules, Subject};

use super::{Of, RollError};

/// A bronze object as it was read.
pub(crate) enum Fetched {
    /// Its lines, and the version.
    Lines(Bytes, ETag),
    /// Why it can't be read, and the version if it is not the one that was listed.
    Damaged(String, Option<ETag>),
}

/// What an object has whose bytes are not those of its version, so that the version does not say what was read.
const CORRUPT: &str = "corrupt";

/// Reads an object.
pub(crate) async fn fetch(
    store: &impl Get,
    bronze: &lake::Layout,
    key: &ObjectKey,
) -> Result<Fetched, RollError> {
    match store.get(key).await {
        Ok(object) => Ok(match bronze.unpack(&object.body) {
            Ok(lines) => Fetched::Lines(lines, object.etag),
            Err(damage) => Fetched::Damaged(damage.to_string(), Some(object.etag)),
        }),
        Err(error @ StoreError::Corrupt { .. }) => {
            let version = ETag(CORRUPT.to_owned());
            Ok(Fetched::Damaged(error.to_string(), Some(version)))
        }
        Err(error @ StoreError::TooLarge { .. }) => Ok(Fetched::Damaged(error.to_string(), None)),
        Err(error) => Err(error.into()),
    }
}

/// Reads the lines of one symbol.
pub(crate) struct SymbolReader<'a> {
    bronze: &'a lake::Layout,
    of: &'a Of,
    rules: Rules,
    reader: Reader,
}

impl<'a> SymbolReader<'a> {
    pub(crate) fn new(bronze: &'a lake::Layout, of: &'a Of, rules: Rules) -> Self {
        Self {
            bronze,
            of,
            rules,
            reader: reader(bronze, of, rules),
        }
    }

    pub(crate) fn subjects(&self) -> &[Subject] {
        self.reader.subjects()
    }

    /// The symbol as its provider writes it; `None` before the first line.
    pub(crate) fn symbol(&self) -> Option<&str> {
        self.reader.symbol()
    }

    /// Reads an object's lines, and calls `line` after each that is sound; the reason if one is not.
    pub(crate) fn read(
        &mut self,
        body: &Bytes,
        lines: &mut Lines,
        mut line: impl FnMut(Option<Aside>),
    ) -> Option<String> {
        let cut = || "it ends without a line feed".to_owned();
        let mut damage = (body.last() != Some(&b'\n')).then(cut);
        let ends = memchr::memchr_iter(b'\n', body).chain([body.len()]);
        let mut start = 0;
        for (number, end) in ends.enumerate() {
            let text = &body[start..end];
            start = end + 1;
            if text.is_empty() {
                continue;
            }
            match self.read_line(text, lines) {
                Ok(aside) => line(aside),
                Err(error) => {
                    damage.get_or_insert_with(|| format!("line {}: {error}", number + 1));
                }
            }
        }
        damage
    }

    fn read_line(&mut self, text: &[u8], lines: &mut Lines) -> Result<Option<Aside>, String> {
        let is_first = self.symbol().is_none();
        let before = (lines.observed.len(), lines.days.len());
        let read = self.reader.read(text, lines);
        // The key says the symbol, not the line that happens to be the first.
        if is_first
            && let Some(symbol) = self.reader.symbol()
            && self.bronze.symbol_segment(symbol) != self.of.symbol
        {
            let symbol: String = symbol.chars().take(64).collect();
            lines.observed.truncate(before.0);
            lines.days.truncate(before.1);
            self.reader = reader(self.bronze, self.of, self.rules);
            return Err(format!(
                "it is of the symbol {symbol:?}, not that of its key"
            ));
        }
        read.map_err(|error| error.to_string())
    }
}

fn reader(bronze: &lake::Layout, of: &Of, rules: Rules) -> Reader {
    Reader::new(&lake::spelled_text(bronze.version(), &of.topic), rules)
}
