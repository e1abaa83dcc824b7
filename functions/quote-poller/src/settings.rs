use std::sync::Arc;

use feeds::FeedSettings;
use runtime::{Environment, SettingError, clock};
use secrets::AwsSecrets;
use stream::Cluster;

/// What the function is configured with.
pub struct Settings {
    /// The brokers: `KAFKA_BOOTSTRAP_SERVERS`.
    pub cluster: Cluster,
    /// The providers' own settings, each read by its folder when a job first names it.
    pub feeds: FeedSettings,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let cluster =
            environment.required("KAFKA_BOOTSTRAP_SERVERS", "host:port, comma-separated")?;
        let environment = environment.clone();
        let lookup = move |name: &str| environment.secret(name);
        Ok(Self {
            cluster,
            feeds: FeedSettings::new(lookup, Some(Arc::new(AwsSecrets::new())), clock::now),
        })
    }
}
