use std::sync::Arc;

use feeds::FeedSettings;
use runtime::{Environment, clock};
use secrets::{AwsAccount, AwsSecrets};
use stream::{Access, AccessError};

/// What the function is configured with.
pub struct Settings {
    /// The brokers and how to get at them.
    pub access: Access,
    /// The providers' own settings, each read by its folder when a job first names it.
    pub feeds: FeedSettings,
}

impl Settings {
    /// Reads the settings; fetches nothing.
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, AccessError> {
        let lookup = |name: &str| environment.secret(name);
        let account = Arc::new(AwsAccount::in_region(Access::region(&lookup)));
        let access = Access::on_aws(&lookup, &account, clock::now)?;
        let secrets = Arc::new(AwsSecrets::of(account));
        let environment = environment.clone();
        let lookup = move |name: &str| environment.secret(name);
        Ok(Self {
            access,
            feeds: FeedSettings::new(lookup, Some(secrets), clock::now),
        })
    }
}
