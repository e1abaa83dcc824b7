use std::{fmt, str::FromStr};

/// The most characters of a number in a record, as in bronze.
pub const NUMBER_MAX: usize = lake::NUMBER_MAX;

/// The largest exponent of a number in a record, and the smallest as its negative.
pub const EXPONENT_MAX: usize = 400;

/// A decimal number in the very text that Postgres prints of a `numeric`: no exponent, the scale kept.
///
/// Two are equal if their texts are: `1.10` is another number than `1.1`, because its scale is another.
///
/// ```
/// use tables::Number;
///
/// let text = |number: &str| number.parse().map(|number: Number| number.to_string());
/// assert_eq!(text("1.10")?, "1.10");
/// assert_eq!(text("1.5e-3")?, "0.0015");
/// assert_eq!(text("1.10e2")?, "110");
/// assert_eq!(text("-0.0")?, "0.0");
/// assert_eq!(text("NaN").unwrap_err().to_string(), "\"NaN\" is no number: write decimal digits, such as 12.5");
/// # Ok::<(), tables::NumberError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(String);

/// Why a text is no [`Number`]. A long text is cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Another text, such as `NaN`.
    #[error("{0:?} is no number: write decimal digits, such as 12.5")]
    NotANumber(String),
    /// More than [`NUMBER_MAX`] characters.
    #[error("{0:?}... has more than {NUMBER_MAX} characters: write fewer digits")]
    TooLong(String),
    /// An exponent beyond [`EXPONENT_MAX`].
    #[error("{0:?} has an exponent beyond {EXPONENT_MAX}: write a number within 1e{EXPONENT_MAX}")]
    Exponent(String),
}

impl Number {
    /// The number in the text that Postgres prints of a `numeric`, of any length.
    ///
    /// # Errors
    /// [`NumberError::NotANumber`], if Postgres prints no finite number so.
    pub fn from_numeric(text: String) -> Result<Self, NumberError> {
        let parts = Parts::of(&text).filter(|parts| parts.exponent.is_none());
        match parts {
            Some(parts) if !(parts.negative && parts.is_zero()) => Ok(Self(text)),
            _ => Err(NumberError::NotANumber(start(&text))),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads a number as JSON writes it.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        if text.len() > NUMBER_MAX {
            return Err(NumberError::TooLong(start(text)));
        }
        let parts = Parts::of(text).ok_or_else(|| NumberError::NotANumber(start(text)))?;
        let Some((below_one, exponent)) = parts.exponent else {
            let sign = parts.negative && parts.is_zero();
            return Ok(Self(text[usize::from(sign)..].to_owned()));
        };
        let digits = exponent.trim_start_matches('0');
        let exponent = if digits.is_empty() {
            Ok(0)
        } else {
            digits.parse()
        };
        match exponent {
            Ok(exponent @ ..=EXPONENT_MAX) => Ok(Self(parts.shifted(below_one, exponent))),
            _ => Err(NumberError::Exponent(start(text))),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number of JSON, taken apart.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// Whether it is negative, and its digits.
    exponent: Option<(bool, &'a str)>,
}

impl<'a> Parts<'a> {
    /// `None` for what is no number of JSON (RFC 8259, section 6).
    fn of(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, rest) = digits(rest)?;
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest)?,
            None => ("", rest),
        };
        let (exponent, rest) = match rest.strip_prefix(['e', 'E']) {
            Some(rest) => {
                let (digits, after) = digits(rest.strip_prefix(['+', '-']).unwrap_or(rest))?;
                (Some((rest.starts_with('-'), digits)), after)
            }
            None => (None, rest),
        };
        rest.is_empty().then_some(Self {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    fn is_zero(&self) -> bool {
        let mut digits = self.whole.bytes().chain(self.fraction.bytes());
        digits.all(|digit| digit == b'0')
    }

    /// The text without exponent. The scale is what the fraction has, less the exponent, but not below 0: Postgres' rule.
    fn shifted(&self, below_one: bool, exponent: usize) -> String {
        let mut digits = [self.whole, self.fraction].concat();
        let scale = if below_one {
            self.fraction.len() + exponent
        } else {
            let missing = exponent.saturating_sub(self.fraction.len());
            digits.extend(std::iter::repeat_n('0', missing));
            self.fraction.len().saturating_sub(exponent)
        };
        // At least one digit before the point.
        let zeros = (scale + 1).saturating_sub(digits.len());
        digits.insert_str(0, &"0".repeat(zeros));
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let sign = if self.negative && !self.is_zero() {
            "-"
        } else {
            ""
        };
        let point = if fraction.is_empty() { "" } else { "." };
        [sign, whole, point, fraction].concat()
    }
}

/// The digits that a text begins with, at least one, and what follows them.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    (end > 0).then(|| text.split_at(end))
}

fn start(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
