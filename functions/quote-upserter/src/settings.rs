use kafka_event::answer::FAILURE_RESPONSE;
use lake::{
    Compression, Granularity, Layout,
    settings::{self as of_lake, PREFIX_RANGE, Prefix, prefixes_overlap},
    store::S3Settings,
};
use runtime::{Environment, SettingError};
use settings::{Absent, Form, Setting};

use crate::How;

/// Every setting of this function, beside those of the database ([`tables::postgres`]), those of the lake
/// ([`lake::settings`]), [`FAILURE_RESPONSE`] and those that all functions have.
pub const SETTINGS: &[Setting] = &[QUARANTINE_PREFIX];

const QUARANTINE_PREFIX: Setting = Setting::new(
    "DATABASE_QUARANTINE_PREFIX",
    Absent::Is("postgres"),
    Form::Text {
        range: PREFIX_RANGE,
        expects: "a key prefix beside that of bronze, such as 'postgres'",
    },
    "the key prefix of records that can't be rows, in the bucket of bronze",
);

/// What the function is configured with.
pub struct Settings {
    /// The store of the quarantine.
    pub store: S3Settings,
    /// How records become rows.
    pub how: How,
}

impl Settings {
    /// Reads [`SETTINGS`] and what else the function needs.
    ///
    /// # Errors
    /// [`SettingError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let lookup = |name: &str| environment.secret(name);
        let store = of_lake::store(&lookup)?;
        let (bronze, epoch) = of_lake::history(&lookup)?;
        let Prefix(prefix) = environment.read(&QUARANTINE_PREFIX)?;
        if prefixes_overlap(&prefix, &bronze) {
            let problem = format!("where bronze is, '{bronze}'");
            return Err(QUARANTINE_PREFIX.refuse(&prefix, problem));
        }
        let quarantine = Layout::new(
            &prefix,
            epoch.as_deref(),
            Granularity::SEGMENT,
            Compression::None,
        );
        Ok(Self {
            store,
            how: How {
                epoch: epoch.unwrap_or_default(),
                quarantine,
                history: true,
                failure_response: environment.read(&FAILURE_RESPONSE)?,
            },
        })
    }
}
