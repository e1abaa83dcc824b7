use feeds::FeedSettings;
use runtime::{Environment, SettingError};
use secrets::Secret;

/// What the function is configured with.
pub struct Settings {
    /// `KAFKA_BOOTSTRAP_SERVERS`.
    pub brokers: String,
    /// `FINNHUB_URL`, `FINNHUB_API_KEY`, `BINANCE_URL`.
    pub feeds: FeedSettings,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let defaults = FeedSettings::default();
        let url = |name, default| {
            let given: Option<String> = environment.optional(name, "a URL")?;
            Ok::<_, SettingError>(given.unwrap_or(default))
        };
        Ok(Self {
            brokers: environment
                .required("KAFKA_BOOTSTRAP_SERVERS", "host:port, comma-separated")?,
            feeds: FeedSettings {
                finnhub_url: url("FINNHUB_URL", defaults.finnhub_url)?,
                finnhub_token: environment.secret("FINNHUB_API_KEY").map(Secret::from),
                binance_url: url("BINANCE_URL", defaults.binance_url)?,
            },
        })
    }
}
