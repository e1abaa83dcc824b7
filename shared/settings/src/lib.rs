//! Settings as data: a crate lists what it reads in a table, and reads it through the entries of that table.
//!
//! ```
//! use settings::{Absent, Form, Setting};
//!
//! const PARTITIONS: Setting = Setting::new(
//!     "PARTITIONS",
//!     Absent::Is("3"),
//!     Form::Number(1, 100),
//!     "how many partitions a new topic gets",
//! );
//!
//! assert_eq!(PARTITIONS.read::<u32>(&|_| None), Ok(3));
//! let refused = PARTITIONS.read::<u32>(&|_| Some("many".to_owned()));
//! assert_eq!(
//!     refused.unwrap_err().to_string(),
//!     "the setting PARTITIONS is 'many' (not a number): set it to a whole number from 1 to 100"
//! );
//! ```
//!
//! The tables of `docs/configure.md` are printed from these entries.

#![forbid(unsafe_code)]

pub mod aws;

mod error;
mod form;

use std::{fmt::Display, str::FromStr};

pub use error::SettingError;
pub use form::{Form, REFERENCE};

/// What gives the value of a setting by its name.
pub type Lookup<'l> = dyn Fn(&str) -> Option<String> + 'l;

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What holds without a value.
    pub absent: Absent,
    /// What a right value is.
    pub form: Form,
    /// What it decides, as a phrase for the documentation.
    pub meaning: &'static str,
    /// Whether the value may be or hold a secret, so that no error shows it.
    pub is_secret: bool,
}

/// What holds where a setting is absent or blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Nothing works without a value.
    Required,
    /// This value.
    Is(&'static str),
    /// No value; in words what follows from that.
    Means(&'static str),
}

impl Setting {
    /// A setting whose value may be shown.
    pub const fn new(
        name: &'static str,
        absent: Absent,
        form: Form,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            absent,
            form,
            meaning,
            is_secret: false,
        }
    }

    /// The same setting with a value that is never shown.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            is_secret: true,
            ..self
        }
    }

    /// The value or the default, parsed.
    ///
    /// # Errors
    /// [`SettingError`] if there is neither, or the value has not the setting's form or does not parse.
    pub fn read<T: FromStr<Err: Display>>(&self, lookup: &Lookup<'_>) -> Result<T, SettingError> {
        self.optional(lookup)?.ok_or_else(|| self.missing())
    }

    /// The value or the default, parsed; `None` if there is neither.
    ///
    /// # Errors
    /// [`SettingError`] if the value has not the setting's form or does not parse.
    pub fn optional<T: FromStr<Err: Display>>(
        &self,
        lookup: &Lookup<'_>,
    ) -> Result<Option<T>, SettingError> {
        let Some(text) = self.text(lookup) else {
            return Ok(None);
        };
        self.form
            .check(&text)
            .map_err(|problem| self.refuse(&text, problem))?;
        let parsed = text.parse().map(Some);
        parsed.map_err(|problem: T::Err| self.refuse(&text, problem))
    }

    /// The value without the space around it, else the default; unchecked.
    pub fn text(&self, lookup: &Lookup<'_>) -> Option<String> {
        let given = lookup(self.name).map(|value| value.trim().to_owned());
        let given = given.filter(|value| !value.is_empty());
        given.or(match self.absent {
            Absent::Is(default) => Some(default.to_owned()),
            Absent::Required | Absent::Means(_) => None,
        })
    }

    /// The error where there is no value and has to be one.
    pub fn missing(&self) -> SettingError {
        SettingError::Missing {
            name: self.name,
            expects: self.form.expects(self.absent),
        }
    }

    /// The error for a value that this setting can't have.
    pub fn refuse(&self, value: &str, problem: impl Display) -> SettingError {
        let (name, problem, expects) = (
            self.name,
            problem.to_string(),
            self.form.expects(self.absent),
        );
        if self.is_secret {
            return SettingError::Unusable {
                name,
                problem,
                expects,
            };
        }
        SettingError::Invalid {
            name,
            value: value.to_owned(),
            problem,
            expects,
        }
    }
}

#[cfg(test)]
mod tests;
