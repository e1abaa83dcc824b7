use std::{convert::Infallible, fmt, str::FromStr};

/// An API key or a password. Printed as `***`, whichever way.
///
/// Whitespace around it is dropped: a key that comes out of a file ends in a line feed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The key itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with `***` wherever the key stood: a provider may repeat the key in its answer.
    pub fn redact(&self, text: &str) -> String {
        if self.0.is_empty() {
            text.to_owned()
        } else {
            text.replace(&self.0, "***")
        }
    }
}

impl From<String> for Secret {
    fn from(key: String) -> Self {
        Self(key.trim().to_owned())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(key: &str) -> Result<Self, Infallible> {
        Ok(Self(key.trim().to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
