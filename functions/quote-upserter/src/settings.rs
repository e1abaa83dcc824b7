use std::sync::Arc;

use kafka_event::answer::FAILURE_RESPONSE;
use lake::{
    Compression, Granularity, Layout,
    settings::{self as of_lake, PREFIX_RANGE, Prefix, prefixes_overlap},
    store::S3Settings,
};
use runtime::{Environment, clock};
use secrets::AwsAccount;
use settings::{Absent, Form, Setting};
use tables::postgres::{Access, AccessError, keeps_history};

use crate::How;

/// Every setting of this function, beside those of the database ([`tables::postgres::SETTINGS`]), those of the lake
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
    /// Where the database is and how to get in.
    pub access: Access,
    /// The store of the quarantine.
    pub store: S3Settings,
    /// How records become rows.
    pub how: How,
}

impl Settings {
    /// Reads [`SETTINGS`] and what else the function needs.
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, AccessError> {
        let lookup = |name: &str| environment.secret(name);
        let access = Access::on_aws(&lookup, &Arc::new(AwsAccount::new()), clock::now)?;
        let store = of_lake::store(&lookup)?;
        let (bronze, epoch) = of_lake::history(&lookup)?;
        let Prefix(prefix) = environment.read(&QUARANTINE_PREFIX)?;
        if prefixes_overlap(&prefix, &bronze) {
            let problem = format!("where bronze is, '{bronze}'");
            return Err(QUARANTINE_PREFIX.refuse(&prefix, problem).into());
        }
        let quarantine = Layout::new(
            &prefix,
            epoch.as_deref(),
            Granularity::SEGMENT,
            Compression::None,
        );
        Ok(Self {
            access,
            store,
            how: How {
                epoch: epoch.unwrap_or_default(),
                quarantine,
                history: keeps_history(&lookup)?,
                failure_response: environment.read(&FAILURE_RESPONSE)?,
            },
        })
    }
}
