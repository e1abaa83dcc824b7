use std::collections::{BTreeMap, BTreeSet};

use market::{Instrument, Mic, Symbol};
use serde::Deserialize;

/// What stands for all symbols: those that the provider lists, in a job, and those of a stream, in an answer.
pub(crate) const ALL: &str = "*";

/// The symbols of a job, and what of its list is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Each once, in the order given.
    pub listed: Vec<Symbol>,
    /// Whether the provider's own list is polled (`*`).
    pub all: bool,
    /// The exchanges that the job names (`AAPL@XNAS`), for providers that don't.
    pub venues: BTreeMap<Symbol, Mic>,
    /// The entries that are no symbol, or came before, with what is wrong: they cost no other.
    pub refused: Vec<(String, EntryError)>,
}

/// What is wrong with an entry of a job's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// There is nothing between two commas.
    #[error("the job's symbols have a blank entry: take it out")]
    Blank,
    /// It is no symbol, or names no exchange after an `@`.
    #[error("an entry of the job's symbols is no symbol: write it like AAPL or AAPL@XNAS")]
    Invalid,
    /// It came before.
    #[error("the job's symbols name one twice: take it out")]
    Duplicate,
}

impl EntryError {
    /// The reason in kebab-case, for counts.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Blank => "blank-symbol",
            Self::Invalid => "invalid-symbol",
            Self::Duplicate => "duplicate-symbol",
        }
    }
}

/// The list as JSON has it: a template's parameter gives one text, a program a list.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum List {
    Text(String),
    Names(Vec<String>),
}

impl Symbols {
    /// Reads the list.
    pub(crate) fn read(list: &List) -> Self {
        let names: Vec<&str> = match list {
            List::Text(text) => text.split(',').collect(),
            List::Names(names) => names.iter().map(String::as_str).collect(),
        };
        let mut symbols = Self::default();
        let mut seen = BTreeSet::new();
        for name in names {
            if name.trim() == ALL {
                symbols.all = true;
                continue;
            }
            match symbol(name) {
                Ok((symbol, _)) if !seen.insert(symbol.clone()) => {
                    symbols.refuse(name, EntryError::Duplicate);
                }
                Ok((symbol, venue)) => {
                    symbols
                        .venues
                        .extend(venue.map(|venue| (symbol.clone(), venue)));
                    symbols.listed.push(symbol);
                }
                Err(error) => symbols.refuse(name, error),
            }
        }
        symbols
    }

    /// Adds what the job knows of an instrument and the provider did not say.
    pub(crate) fn complete(&self, instrument: &mut Instrument) {
        let venue = self.venues.get(&instrument.symbol);
        instrument.mic = instrument.mic.or(venue.copied());
    }

    fn refuse(&mut self, name: &str, error: EntryError) {
        self.refused.push((name.trim().to_owned(), error));
    }
}

/// A symbol, and its exchange if it is named after an `@`.
fn symbol(name: &str) -> Result<(Symbol, Option<Mic>), EntryError> {
    if name.trim().is_empty() {
        return Err(EntryError::Blank);
    }
    let (symbol, venue) = match name.trim().rsplit_once('@') {
        Some((symbol, venue)) => (
            symbol,
            Some(venue.parse().map_err(|_| EntryError::Invalid)?),
        ),
        None => (name, None),
    };
    let symbol = symbol.parse().map_err(|_| EntryError::Invalid)?;
    Ok((symbol, venue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Symbols {
        Symbols::read(&List::Text(text.to_owned()))
    }

    #[test]
    fn a_list_and_a_text_are_the_same_symbols_each_once() {
        let names = ["AAPL", "", "MSFT", "AAPL"].map(str::to_owned);
        let symbols = read(" AAPL,,MSFT ,AAPL");
        assert_eq!(symbols, Symbols::read(&List::Names(names.into())));
        let listed: Vec<_> = symbols.listed.iter().map(Symbol::as_str).collect();
        assert_eq!(listed, ["AAPL", "MSFT"]);
    }

    #[test]
    fn a_pair_may_have_letters_of_every_script_and_three_marks() {
        let symbols = read("币安人生USDT,A-B_C.D@XNAS");
        let listed: Vec<_> = symbols.listed.iter().map(Symbol::as_str).collect();
        assert_eq!(listed, ["币安人生USDT", "A-B_C.D"]);
        assert!(symbols.refused.is_empty());
    }

    #[test]
    fn what_is_no_symbol_is_named_with_its_reason_and_costs_no_other() {
        let symbols = read("AAPL@XNAS,, AA PL,AAPL,IBM@nyse,IBM@XNYS");
        let refused: Vec<_> = symbols
            .refused
            .iter()
            .map(|(name, error)| (name.as_str(), error.reason()))
            .collect();
        assert_eq!(
            refused,
            [
                ("", "blank-symbol"),
                ("AA PL", "invalid-symbol"),
                ("AAPL", "duplicate-symbol"),
                ("IBM@nyse", "invalid-symbol"),
            ]
        );
        let venues: Vec<_> = symbols
            .venues
            .iter()
            .map(|(symbol, venue)| (symbol.as_str(), venue.as_str()))
            .collect();
        assert_eq!(venues, [("AAPL", "XNAS"), ("IBM", "XNYS")]);
    }

    #[test]
    fn a_star_is_the_whole_list_of_the_provider() {
        let symbols = read("*");
        assert!(symbols.all && symbols.listed.is_empty() && symbols.refused.is_empty());
    }
}
