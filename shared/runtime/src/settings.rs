use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use settings::{Absent, Form, Setting, SettingError};

use crate::DIE_WITH_PARENT;

/// Every setting that all functions have, beside those of [`settings::aws`].
pub const SETTINGS: &[Setting] = &[LOG_LEVEL, STACK_NAME, DIE];

pub(crate) const LOG_LEVEL: Setting = Setting::new(
    "LOG_LEVEL",
    Absent::Is("info"),
    Form::Text {
        range: "`error`, `warn`, `info`, `debug`, `trace`, or `TARGET=LEVEL,TARGET=LEVEL`",
        expects: "a level (error, warn, info, debug, trace), or TARGET=LEVEL,TARGET=LEVEL",
    },
    "the least level that is logged",
);

pub(crate) const STACK_NAME: Setting = Setting::new(
    "STACK_NAME",
    Absent::Means("none"),
    Form::Text {
        range: "a stack's name",
        expects: "the name of a stack",
    },
    "ends the namespace of the metrics: `quotelake/STACK_NAME`, else `quotelake`",
);

const DIE: Setting = Setting::new(
    DIE_WITH_PARENT,
    Absent::Means("off"),
    Form::Text {
        range: "any text",
        expects: "any text",
    },
    "ends the process with the one that started it (Linux); the tool's own host sets it",
);

/// The process's environment, read once at start-up.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the environment of this process; variables that are not UTF-8 are left out.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// The value of a setting or its default, parsed.
    ///
    /// # Errors
    /// [`SettingError`] if there is neither, or the value is wrong.
    pub fn read<T: FromStr<Err: Display>>(&self, setting: &Setting) -> Result<T, SettingError> {
        setting.read(&|name| self.secret(name))
    }

    /// The value of a setting or its default, parsed; `None` if there is neither.
    ///
    /// # Errors
    /// [`SettingError`] if the value is wrong.
    pub fn optional<T: FromStr<Err: Display>>(
        &self,
        setting: &Setting,
    ) -> Result<Option<T>, SettingError> {
        setting.optional(&|name| self.secret(name))
    }

    /// The value of `name` as it is, for what must not appear in an error; `None` if absent or empty.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}
