use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

/// The shape of a message and its version, written `stock-quotes/1`.
///
/// A version changes when a member goes or gets another meaning. A new member changes none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Schema {
    /// The shape.
    pub name: Cow<'static, str>,
    /// Its version, from 1.
    pub version: u32,
}

/// A text that is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input:?} is not a schema: write its name and version, such as stock-quotes/1")]
pub struct SchemaError {
    /// The text, or its first 64 characters.
    pub input: String,
}

impl Schema {
    pub(super) const fn first(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            version: 1,
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.version)
    }
}

impl FromStr for Schema {
    type Err = SchemaError;

    fn from_str(input: &str) -> Result<Self, SchemaError> {
        input
            .rsplit_once('/')
            .and_then(|(name, version)| {
                Some(Self {
                    name: Cow::Owned(name.to_owned()),
                    version: version.parse().ok()?,
                })
            })
            // One schema has one text: no `+1`, no `01`.
            .filter(|schema| !schema.name.is_empty() && schema.to_string() == input)
            .ok_or_else(|| SchemaError {
                input: input.chars().take(64).collect(),
            })
    }
}

impl TryFrom<String> for Schema {
    type Error = SchemaError;

    fn try_from(input: String) -> Result<Self, SchemaError> {
        input.parse()
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
