/// A setting that nothing can start with. Never carries the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The setting is absent or blank.
    #[error("the setting {name} is missing: set it to {expects}")]
    Missing {
        /// The environment variable.
        name: &'static str,
        /// What a right value is, as a noun phrase.
        expects: String,
    },
    /// The setting has a value that can't be used.
    #[error("the setting {name} is '{value}' ({problem}): set it to {expects}")]
    Invalid {
        /// The environment variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// Why that can't be used.
        problem: String,
        /// What a right value is, as a noun phrase.
        expects: String,
    },
    /// The same of a setting whose value may be or hold a secret.
    #[error("the setting {name} can't be used ({problem}): set it to {expects}")]
    Unusable {
        /// The environment variable.
        name: &'static str,
        /// Why its value can't be used, without the value.
        problem: String,
        /// What a right value is, as a noun phrase.
        expects: String,
    },
}
