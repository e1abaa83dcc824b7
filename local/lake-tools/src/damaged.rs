//! Objects that are not what their key says.

use std::fmt::Display;

use serde::Serialize;

/// Objects that can't be read: how many, and the first of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// How many.
    pub count: u64,
    /// The first hundred.
    pub named: Vec<DamagedObject>,
}

/// An object that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DamagedObject {
    /// Its key, or the place of a message as `topic-partition@offset`.
    pub name: String,
    /// What is wrong with it.
    pub cause: String,
}

/// What is named at most.
const NAMED: usize = 100;

impl Damaged {
    /// Counts one more.
    pub fn add(&mut self, name: &dyn Display, cause: &dyn Display) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(DamagedObject {
                name: name.to_string(),
                cause: cause.to_string(),
            });
        }
    }

    /// Counts those of `other` too.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.count += other.count;
        let room = NAMED.saturating_sub(self.named.len());
        self.named.extend(other.named.iter().take(room).cloned());
    }

    /// A line for each that is named, and one for the rest.
    pub fn lines(&self) -> String {
        let named = self.named.iter();
        let mut text: String = named
            .map(|object| format!("damaged  {}: {}\n", object.name, object.cause))
            .collect();
        let rest = self.count - self.named.len() as u64;
        if rest > 0 {
            text.push_str(&format!("damaged  {rest} more\n"));
        }
        text
    }
}
