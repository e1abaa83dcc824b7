use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest symbol, in bytes.
const MAX_BYTES: usize = 64;

/// The name of an instrument as its provider writes it: `AAPL`, `BRK.B`, `BTCUSDT`.
///
/// Never empty, at most 64 bytes, without whitespace or control characters. Whitespace around the
/// text it is made from is dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Symbol(String);

/// Why a text is no symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// Nothing but whitespace.
    #[error(
        "the symbol {input:?} is empty: write the provider's name of the instrument, such as AAPL"
    )]
    Empty {
        /// The text.
        input: String,
    },
    /// More than 64 bytes.
    #[error("the symbol {start:?}... has {bytes} bytes: at most {MAX_BYTES} are allowed")]
    TooLong {
        /// The first 16 characters.
        start: String,
        /// The length of the whole, in bytes.
        bytes: usize,
    },
    /// Whitespace or a control character inside.
    #[error(
        "the symbol {input:?} holds {found:?}: whitespace and control characters are not allowed"
    )]
    Character {
        /// The text.
        input: String,
        /// The first such character.
        found: char,
    },
}

impl Symbol {
    /// The symbol as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(input: &str) -> Result<Self, SymbolError> {
        let text = input.trim();
        if text.is_empty() {
            return Err(SymbolError::Empty {
                input: input.chars().take(16).collect(),
            });
        }
        if text.len() > MAX_BYTES {
            return Err(SymbolError::TooLong {
                start: text.chars().take(16).collect(),
                bytes: text.len(),
            });
        }
        if let Some(found) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(SymbolError::Character {
                input: text.to_owned(),
                found,
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(input: String) -> Result<Self, SymbolError> {
        input.parse()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_symbol_is_named_with_its_fault() {
        let cases = [
            (
                "",
                r#"the symbol "" is empty: write the provider's name of the instrument, such as AAPL"#,
            ),
            (
                " \t",
                r#"the symbol " \t" is empty: write the provider's name of the instrument, such as AAPL"#,
            ),
            (
                "AA PL",
                r#"the symbol "AA PL" holds ' ': whitespace and control characters are not allowed"#,
            ),
            (
                "A\0",
                r#"the symbol "A\0" holds '\0': whitespace and control characters are not allowed"#,
            ),
        ];
        for (input, sentence) in cases {
            assert_eq!(input.parse::<Symbol>().unwrap_err().to_string(), sentence);
        }
        assert_eq!(
            "X".repeat(65).parse::<Symbol>().unwrap_err().to_string(),
            r#"the symbol "XXXXXXXXXXXXXXXX"... has 65 bytes: at most 64 are allowed"#
        );
    }

    #[test]
    fn a_symbol_read_from_json_obeys_the_same_rule() {
        assert_eq!(
            serde_json::from_str::<Symbol>(r#"" BRK.B\n""#)
                .unwrap()
                .as_str(),
            "BRK.B"
        );
        assert!(serde_json::from_str::<Symbol>(r#""BRK B""#).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_clean_and_comes_back_the_same(input in ".{0,70}") {
            if let Ok(symbol) = input.parse::<Symbol>() {
                prop_assert_eq!(symbol.as_str(), input.trim());
                prop_assert!((1..=64).contains(&symbol.as_str().len()));
                prop_assert!(!symbol.as_str().contains(|c: char| c.is_whitespace() || c.is_control()));
                let json = serde_json::to_string(&symbol).unwrap();
                prop_assert_eq!(serde_json::from_str::<Symbol>(&json).unwrap(), symbol);
            }
        }

        #[test]
        fn every_usual_ticker_is_a_symbol(input in "[A-Z0-9]{1,12}([.:/_-][A-Z0-9]{1,8})?") {
            prop_assert_eq!(input.parse::<Symbol>().unwrap().to_string(), input);
        }
    }
}
