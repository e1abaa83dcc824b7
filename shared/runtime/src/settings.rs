use std::{collections::BTreeMap, fmt::Display, str::FromStr};

/// The process's environment, read once at start-up.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// A setting that the function can't start with. Never carries the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The setting is absent or empty.
    #[error("the setting {name} is missing: set it to {expects}")]
    Missing {
        /// The environment variable.
        name: String,
        /// What a right value is, as a noun phrase.
        expects: String,
    },
    /// The setting has a value that can't be used.
    #[error("the setting {name} is '{value}' ({problem}): set it to {expects}")]
    Invalid {
        /// The environment variable.
        name: String,
        /// Its value.
        value: String,
        /// Why that can't be used.
        problem: String,
        /// What a right value is, as a noun phrase.
        expects: String,
    },
}

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

    /// The value of `name`, parsed.
    ///
    /// # Errors
    /// [`SettingError`] if it is absent, empty or does not parse; `expects` says in words what it should be.
    pub fn required<T>(&self, name: &str, expects: &str) -> Result<T, SettingError>
    where
        T: FromStr<Err: Display>,
    {
        self.optional(name, expects)?
            .ok_or_else(|| SettingError::Missing {
                name: name.to_owned(),
                expects: expects.to_owned(),
            })
    }

    /// The value of `name`, parsed, or `None` if it is absent or empty.
    ///
    /// # Errors
    /// [`SettingError::Invalid`] if there is a value and it does not parse.
    pub fn optional<T>(&self, name: &str, expects: &str) -> Result<Option<T>, SettingError>
    where
        T: FromStr<Err: Display>,
    {
        let Some(value) = self.secret(name) else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|problem: T::Err| SettingError::Invalid {
                name: name.to_owned(),
                value,
                problem: problem.to_string(),
                expects: expects.to_owned(),
            })
    }

    /// Whether anything is set whose name begins with `prefix`.
    pub fn sets_any(&self, prefix: &str) -> bool {
        let mut set = self.0.iter().filter(|(_, value)| !value.is_empty());
        set.any(|(name, _)| name.starts_with(prefix))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_setting_is_one_sentence_with_the_remedy() {
        let environment = Environment::from_iter([("EMPTY", "")]);
        for name in ["ABSENT", "EMPTY"] {
            let error = environment
                .required::<u16>(name, "a port from 1 to 65535")
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the setting {name} is missing: set it to a port from 1 to 65535")
            );
        }
    }

    #[test]
    fn what_is_empty_sets_nothing_of_its_prefix() {
        let environment = Environment::from_iter([("KBS_URL", ""), ("VCI_URL", "https://x")]);
        assert!(environment.sets_any("VCI_"));
        assert!(!environment.sets_any("KBS_") && !environment.sets_any("DNSE_"));
    }

    #[test]
    fn a_wrong_setting_names_itself_its_value_and_the_remedy() {
        let environment = Environment::from_iter([("PORT", "http")]);
        let error = environment
            .required::<u16>("PORT", "a port from 1 to 65535")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the setting PORT is 'http' (invalid digit found in string): set it to a port from 1 to 65535"
        );
    }
}
