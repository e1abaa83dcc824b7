use std::sync::Arc;

use feeds::{FEEDS, FeedSettings};
use runtime::{Environment, clock};
use secrets::{AwsAccount, AwsSecrets};
use settings::Setting;
use stream::{Access, AccessError};

/// What the function is configured with.
pub struct Settings {
    /// The brokers and how to get at them.
    pub access: Access,
    /// The providers' own settings, read where a provider is opened.
    pub feeds: FeedSettings,
    /// The providers of which the environment sets something.
    pub set_feeds: Vec<&'static str>,
}

impl Settings {
    /// Reads the settings of the brokers, and finds whose settings there are beside; fetches nothing.
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, AccessError> {
        let lookup = |name: &str| environment.secret(name);
        let account = Arc::new(AwsAccount::in_region(Access::region(&lookup)));
        let access = Access::on_aws(&lookup, &account, clock::now)?;
        let secrets = Arc::new(AwsSecrets::of(account));
        let is_set = |setting: &Setting| environment.secret(setting.name).is_some();
        let feeds = FEEDS
            .iter()
            .filter(|(.., settings)| settings.iter().any(is_set));
        let set_feeds = feeds.map(|(name, ..)| *name).collect();
        let environment = environment.clone();
        let lookup = move |name: &str| environment.secret(name);
        Ok(Self {
            access,
            feeds: FeedSettings::new(lookup, Some(secrets), clock::now),
            set_feeds,
        })
    }
}
