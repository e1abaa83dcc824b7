use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;

/// The longest number, in bytes.
const MAX_BYTES: usize = 64;

/// A decimal number exactly as its provider wrote it.
///
/// Read from a JSON number or from a JSON string of digits, written as a JSON number with the very
/// same digits: `"69624.00000000"` becomes `69624.00000000`. Two are equal when their digits are, so
/// `1.0` and `1.00` differ; compare their [values](Self::value) to compare amounts.
///
/// Reads and writes through `serde_json` only.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Digits {
    text: Box<RawValue>,
    #[serde(skip)]
    value: Decimal,
}

/// Why a text is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigitsError {
    /// Not a number as JSON writes one.
    #[error("{input:?} is not a decimal number as JSON writes one, such as -0.25")]
    NotANumber {
        /// The text, or its first 64 characters.
        input: String,
    },
    /// More than 64 bytes, or beyond what a decimal of 28 digits can hold.
    #[error(
        "the number {input} is out of range: at most 28 digits before or after the point are kept"
    )]
    OutOfRange {
        /// The text, or its first 64 characters.
        input: String,
    },
}

impl Digits {
    /// The digits as text.
    pub fn as_str(&self) -> &str {
        self.text.get()
    }

    /// The number; digits beyond the 28th are rounded.
    pub fn value(&self) -> Decimal {
        self.value
    }
}

impl FromStr for Digits {
    type Err = DigitsError;

    fn from_str(input: &str) -> Result<Self, DigitsError> {
        let start = || input.chars().take(MAX_BYTES).collect();
        let is_number = input.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let text = serde_json::from_str::<Box<RawValue>>(input)
            .ok()
            .filter(|raw| is_number && raw.get().len() == input.len())
            .ok_or_else(|| DigitsError::NotANumber { input: start() })?;
        if input.len() > MAX_BYTES {
            return Err(DigitsError::OutOfRange { input: start() });
        }
        let value = if input.contains(['e', 'E']) {
            Decimal::from_scientific_lossy(input)
        } else {
            Decimal::from_str(input)
        }
        .map_err(|_| DigitsError::OutOfRange { input: start() })?;
        Ok(Self { text, value })
    }
}

impl From<Decimal> for Digits {
    /// The shortest digits of the number.
    fn from(value: Decimal) -> Self {
        let value = value.normalize();
        #[expect(
            clippy::expect_used,
            reason = "a decimal is written as a JSON number is: a sign, digits, at most one point"
        )]
        let text = RawValue::from_string(value.to_string()).expect("a decimal is JSON");
        Self { text, value }
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            let text: String = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            text.parse()
        } else {
            raw.get().parse()
        }
        .map_err(D::Error::custom)
    }
}

impl PartialEq for Digits {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Digits {}

impl Hash for Digits {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
