use std::{fmt, str::FromStr};

/// A decimal number in the very text that Postgres prints of a `numeric`: no exponent, the scale kept.
///
/// Two are equal if their texts are: `1.10` is another number than `1.1`, as it has another scale.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(String);

/// Why a text is no [`Number`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Another text, such as `NaN`.
    #[error("{0:?} is no number: write decimal digits, such as 12.5")]
    NotANumber(String),
}

impl Number {
    /// The number in the text that Postgres prints of a `numeric`, of any length.
    ///
    /// # Errors
    /// [`NumberError`], if Postgres prints no number so.
    pub fn from_numeric(text: String) -> Result<Self, NumberError> {
        Err(NumberError::NotANumber(text))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Err(NumberError::NotANumber(text.to_owned()))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
