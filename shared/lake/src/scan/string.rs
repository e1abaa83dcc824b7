//! The strings of a JSON text.

use super::{Broken, Scanner};
use crate::Defect;

/// A string as it is spelled between its quotes.
pub(super) struct Spelled<'a> {
    pub(super) text: &'a str,
    /// Whether it is known to be ASCII without escapes.
    pub(super) is_simple: bool,
}

impl<'a> Scanner<'a> {
    /// Reads a string. A lone surrogate in it is refused.
    pub(super) fn string(&mut self) -> Result<Spelled<'a>, Broken> {
        self.at += 1;
        let start = self.at;
        let mut is_simple = true;
        loop {
            is_simple &= self.skip_plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_simple = false;
                    self.escape()?;
                }
                // A control character, or the end.
                _ => return Err(Broken),
            }
        }
        let text = &self.text[start..self.at];
        self.at += 1;
        Ok(Spelled { text, is_simple })
    }

    /// Goes on to the next quote, backslash or control character; false if there may be more than ASCII before it.
    fn skip_plain(&mut self) -> bool {
        let mut all = 0;
        while let Some(word) = self.bytes.get(self.at..self.at + 8) {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            let word = u64::from_le_bytes(eight);
            all |= word;
            let ends = ends_of(word);
            if ends != 0 {
                self.at += (ends.trailing_zeros() / 8) as usize;
                return all & HIGHS == 0;
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek()
            && !matches!(byte, b'"' | b'\\' | 0..=0x1f)
        {
            all |= u64::from(byte);
            self.at += 1;
        }
        all & HIGHS == 0
    }

    fn escape(&mut self) -> Result<(), Broken> {
        let kind = *self.bytes.get(self.at + 1).ok_or(Broken)?;
        self.at += 2;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let unit = self.code_unit()?;
                if !(0xd800..0xe000).contains(&unit) {
                    return Ok(());
                }
                let has_pair = unit < 0xdc00 && self.bytes[self.at..].starts_with(b"\\u") && {
                    let before = self.at;
                    self.at += 2;
                    let low = self.code_unit()?;
                    let is_low = (0xdc00..0xe000).contains(&low);
                    if !is_low {
                        // It is an escape of its own.
                        self.at = before;
                    }
                    is_low
                };
                if !has_pair {
                    self.refuse(|| Defect::LoneSurrogate);
                }
                Ok(())
            }
            _ => Err(Broken),
        }
    }

    fn code_unit(&mut self) -> Result<u32, Broken> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Broken)?;
        let mut unit = 0;
        for &digit in digits {
            unit = unit * 16 + char::from(digit).to_digit(16).ok_or(Broken)?;
        }
        self.at += 4;
        Ok(unit)
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// The bytes of a word that end a plain stretch of a string: each has its highest bit set, and the lowest one is exact.
///
/// Formulas: "Bit Twiddling Hacks", S. E. Anderson, "Determine if a word has a zero byte" and "less than n".
pub(super) fn ends_of(word: u64) -> u64 {
    let has_byte = |byte: u8| {
        let differing = word ^ (ONES * u64::from(byte));
        differing.wrapping_sub(ONES) & !differing
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (has_byte(b'"') | has_byte(b'\\') | control) & HIGHS
}
