use std::borrow::Cow;

use serde::de::IgnoredAny;
use smallvec::SmallVec;

use crate::Defect;

mod name;
mod string;

use name::{decoded, fold, mark, same_name};
use string::Spelled;

/// How deep arrays and objects may lie in each other, the value itself included.
pub const NESTING_MAX: usize = 64;

/// How many characters a number may have.
pub const NUMBER_MAX: usize = 100;

/// What one pass over a JSON object finds: the members that decide where it goes, each as its text, and what makes it
/// unreadable to the engines.
#[derive(Debug, Default)]
pub(crate) struct Scanned<'a> {
    pub(crate) symbol: Option<&'a str>,
    pub(crate) ticker: Option<&'a str>,
    /// `fetched_at`, `event_time`, `timestamp`, `time` and `t`.
    pub(crate) times: [Option<&'a str>; 5],
    /// The member `fetched_at` of the member `meta`.
    pub(crate) meta_fetched_at: Option<&'a str>,
    pub(crate) kafka: Option<&'a str>,
    /// A member with a name of the lake's own, but for the very name `_kafka`.
    pub(crate) reserved: Option<&'static str>,
    /// Whether a member is named `symbol`, in upper or lower case.
    pub(crate) has_symbol: bool,
    /// The first thing that is JSON by its grammar and that not every engine reads.
    pub(crate) unreadable: Option<Defect>,
}

/// The member that a line has beside those of its value: the record's coordinates.
pub(crate) const KAFKA: &str = "_kafka";

/// What the lake names itself, in lines and in paths: no member of a value has one of these names, in upper or lower case.
const RESERVED: [&str; 5] = [KAFKA, "epoch", "lake_topic", "lake_symbol", "lake_date"];

/// Scans a JSON text in one pass, whatever it is.
///
/// # Errors
/// [`Defect::BrokenJson`] for what is no JSON (RFC 8259), [`Defect::NotAnObject`] for JSON of another kind.
pub(crate) fn scan(text: &str) -> Result<Scanned<'_>, Defect> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        names: SmallVec::new(),
        found: Scanned::default(),
    };
    scanner.blank();
    let is_object = scanner.peek() == Some(b'{');
    let read = scanner.value(1, Level::Top).and_then(|()| {
        scanner.blank();
        (scanner.at == text.len()).then_some(()).ok_or(Broken)
    });
    match read {
        Err(Broken) => Err(Defect::BrokenJson(words(text, scanner.at))),
        Ok(()) if is_object => Ok(scanner.found),
        Ok(()) => Err(Defect::NotAnObject),
    }
}

/// The text is no JSON from here on.
struct Broken;

/// Which object a member belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Meta,
    Below,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The names of the objects that are open, each as it is spelled.
    names: SmallVec<[&'a str; 64]>,
    found: Scanned<'a>,
}

impl<'a> Scanner<'a> {
    fn value(&mut self, depth: usize, level: Level) -> Result<(), Broken> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{' | b'[') if depth > RECURSION_MAX => self.skip(),
            Some(b'{') => self.object(depth, level),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(Broken),
        }
    }

    fn object(&mut self, depth: usize, level: Level) -> Result<(), Broken> {
        self.enter(depth);
        let first_name = self.names.len();
        let mut seen = 0_u64;
        let mut all_simple = true;
        if self.next_is(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(Broken);
            }
            let Spelled {
                text: spelled,
                is_simple,
            } = self.string()?;
            if is_simple {
                let mark = mark(spelled);
                if seen & mark != 0 {
                    self.check_name(first_name, spelled);
                }
                seen |= mark;
            }
            all_simple &= is_simple;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(Broken);
            }
            self.at += 1;
            self.blank();
            let start = self.at;
            if level == Level::Below {
                self.value(depth + 1, Level::Below)?;
            } else {
                let name = if is_simple {
                    Cow::Borrowed(spelled)
                } else {
                    decoded(spelled)
                };
                let is_meta = level == Level::Top && name == "meta";
                let below = if is_meta { Level::Meta } else { Level::Below };
                self.value(depth + 1, below)?;
                let value = &self.text[start..self.at];
                if level == Level::Top {
                    self.found.member(&name, value);
                } else if name == "fetched_at" {
                    self.found.meta_fetched_at = Some(value);
                }
            }
            self.names.push(spelled);
            match self.separator(b'}')? {
                Next::Member => {}
                Next::End => break,
            }
        }
        if !all_simple || self.names.len() - first_name > COMPARED {
            self.check_many(first_name);
        }
        self.names.truncate(first_name);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Broken> {
        self.enter(depth);
        if self.next_is(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1, Level::Below)?;
            match self.separator(b']')? {
                Next::Member => {}
                Next::End => return Ok(()),
            }
        }
    }

    /// Steps into an array or object.
    fn enter(&mut self, depth: usize) {
        if depth > NESTING_MAX {
            self.refuse(|| Defect::TooDeep);
        }
        self.at += 1;
        self.blank();
    }

    /// Passes over an array or object without recursion; it lies too deep already.
    fn skip(&mut self) -> Result<(), Broken> {
        let rest = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let mut values = rest.into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                self.at += values.byte_offset();
                Ok(())
            }
            _ => Err(Broken),
        }
    }

    fn separator(&mut self, end: u8) -> Result<Next, Broken> {
        self.blank();
        let next = match self.peek() {
            Some(b',') => Next::Member,
            Some(byte) if byte == end => Next::End,
            _ => return Err(Broken),
        };
        self.at += 1;
        if matches!(next, Next::Member) {
            self.blank();
        }
        Ok(next)
    }

    fn number(&mut self) -> Result<(), Broken> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(Broken),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        if has_exponent || self.at - start > NUMBER_MAX {
            let number = &self.text[start..self.at];
            let is_finite = number.parse::<f64>().is_ok_and(f64::is_finite);
            if number.len() > NUMBER_MAX || !is_finite {
                self.refuse(|| Defect::NumberTooLarge(number.chars().take(32).collect()));
            }
        }
        Ok(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), Broken> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(Broken);
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        let is_there = self.bytes[self.at..].starts_with(word);
        self.at += word.len();
        is_there.then_some(()).ok_or(Broken)
    }

    /// Compares a simple name with those before it in its object, as far as they are few.
    fn check_name(&mut self, first_name: usize, name: &str) {
        let before = &self.names[first_name..];
        let is_same = |other: &&str| other.eq_ignore_ascii_case(name);
        if before.len() < COMPARED && before.iter().any(is_same) {
            self.refuse(|| Defect::named_twice(name));
        }
    }

    /// Compares all names of an object, each decoded and folded once: of one with many, or with some that are not simple.
    fn check_many(&mut self, first_name: usize) {
        let names = self.names[first_name..].iter();
        let mut folded: Vec<String> = names.map(|name| fold(&decoded(name))).collect();
        folded.sort_unstable();
        if let Some(twice) = folded.windows(2).find(|pair| pair[0] == pair[1]) {
            self.refuse(|| Defect::named_twice(&twice[0]));
        }
    }

    fn refuse(&mut self, defect: impl FnOnce() -> Defect) {
        self.found.unreadable.get_or_insert_with(defect);
    }

    fn next_is(&mut self, end: u8) -> bool {
        let is_next = self.peek() == Some(end);
        self.at += usize::from(is_next);
        is_next
    }

    #[inline]
    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

enum Next {
    Member,
    End,
}

impl<'a> Scanned<'a> {
    fn member(&mut self, name: &str, value: &'a str) {
        match name {
            "symbol" => self.symbol = Some(value),
            "ticker" => self.ticker = Some(value),
            "fetched_at" => self.times[0] = Some(value),
            "event_time" => self.times[1] = Some(value),
            "timestamp" => self.times[2] = Some(value),
            "time" => self.times[3] = Some(value),
            "t" => self.times[4] = Some(value),
            KAFKA => self.kafka = Some(value),
            _ => {}
        }
        self.has_symbol |= same_name(name, "symbol");
        let may_be_reserved = match name.as_bytes().first() {
            Some(b'_' | b'e' | b'E' | b'l' | b'L') => name != KAFKA,
            Some(first) => !first.is_ascii(),
            None => false,
        };
        if may_be_reserved {
            let mut reserved = RESERVED.into_iter();
            let is_name = |reserved: &&str| same_name(name, reserved);
            self.reserved = self.reserved.or_else(|| reserved.find(is_name));
        }
    }
}

/// How many names of an object are compared one by one; those of a larger one are sorted.
const COMPARED: usize = 64;

/// Where reading goes on without recursion: the stack is finite.
const RECURSION_MAX: usize = 127;

/// What is wrong with a text that is no JSON: `serde_json`'s words, if it finds the same.
fn words(text: &str, at: usize) -> String {
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => error.to_string(),
        Ok(_) => format!("unexpected text at byte {at}"),
    }
}

#[cfg(test)]
mod tests;
