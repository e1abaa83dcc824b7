use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Display},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrets::{FetchSecret, Key, Secret, SecretReference};
use settings::{Absent, Form, Setting, SettingError};

use crate::budget::{Budget, Window};

/// The form of a setting that holds request headers.
pub(crate) const HEADERS: Form = Form::Text {
    range: "a JSON object of texts",
    expects: r#"a JSON object such as {"Referer":"https://example.com/"}"#,
};

/// What gives a setting by its name.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The budgets that were made, by provider.
type Budgets = Mutex<HashMap<&'static str, Arc<Budget>>>;

/// The settings of every provider by name, where secrets are fetched, and the clock. Passed in, never read from
/// the environment here.
#[derive(Clone)]
pub struct FeedSettings {
    lookup: Arc<Lookup>,
    secrets: Option<Arc<dyn FetchSecret>>,
    budgets: Arc<Budgets>,
    pub(crate) clock: fn() -> Timestamp,
}

impl FeedSettings {
    /// `lookup` gives a setting by its name, such as `FINNHUB_URL`; `secrets` is the store of those that are
    /// given by the name of a secret; `clock` tells when an answer arrived.
    pub fn new(
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        secrets: Option<Arc<dyn FetchSecret>>,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self {
            lookup: Arc::new(lookup),
            secrets,
            budgets: Arc::default(),
            clock,
        }
    }

    /// The budget of a provider: one, however many feeds ask it.
    pub(crate) fn budget(&self, provider: &'static str, windows: &[Window]) -> Arc<Budget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = budgets
            .entry(provider)
            .or_insert_with(|| Arc::new(Budget::new(windows.to_vec())));
        Arc::clone(budget)
    }

    /// The base URL that a setting is; [`under`] it are the others.
    pub(crate) fn url(&self, setting: &Setting) -> Result<Url, SettingError> {
        let text: String = self.read(setting)?;
        base(setting, &text).map_err(|problem| setting.refuse(&text, problem))
    }

    /// The value of a setting or its default, parsed.
    pub(crate) fn read<T: FromStr<Err: Display>>(
        &self,
        setting: &Setting,
    ) -> Result<T, SettingError> {
        setting.read(&*self.lookup)
    }

    /// The request headers in a setting, a JSON object, over `defaults`. No value is ever shown: it may be a cookie.
    pub(crate) fn headers(
        &self,
        setting: &Setting,
        defaults: &[(&'static str, &'static str)],
    ) -> Result<HeaderMap, SettingError> {
        let text: Option<String> = setting.optional(&*self.lookup)?;
        let text = text.unwrap_or_else(|| "{}".to_owned());
        let wrong = || setting.refuse(&text, "it is no JSON object of HTTP headers");
        let given: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|_| wrong())?;
        let given = given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut headers = HeaderMap::new();
        for (name, value) in defaults.iter().copied().chain(given) {
            let name = name.parse::<HeaderName>().map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// The key in `setting`, or that of the secret that `reference` names.
    pub(crate) fn key(&self, setting: &Setting, reference: &Setting) -> Result<Key, SettingError> {
        if let Some(key) = setting.optional::<Secret>(&*self.lookup)? {
            return Ok(Key::fixed(key));
        }
        let reference: Option<SecretReference> = reference.optional(&*self.lookup)?;
        match reference.zip(self.secrets.as_ref()) {
            Some((reference, secrets)) => Ok(Key::fetched(reference, Arc::clone(secrets))),
            None => Err(setting.missing()),
        }
    }
}

/// Shows no value: some are secrets.
impl fmt::Debug for FeedSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedSettings").finish_non_exhaustive()
    }
}

/// The URL of `path` under `base`.
pub(crate) fn under(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

fn base(setting: &Setting, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    // A stream of trades is of a scheme of its own.
    let schemes = match setting.absent {
        Absent::Is(default) if default.starts_with("ws") => ["ws", "wss"],
        _ => ["http", "https"],
    };
    if !schemes.contains(&url.scheme()) {
        return Err(format!("it is neither {}", schemes.join(" nor ")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or fragment".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &'static str, value: &'static str) -> FeedSettings {
        let lookup = move |asked: &str| (asked == name).then(|| value.to_owned());
        FeedSettings::new(lookup, None, || Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_unknown_feed_gets_the_list() {
        let error = crate::open("kraken", &settings("", ""))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(r#"there is no feed "kraken": the feeds are finnhub, binance"#),
            "{error}"
        );
    }

    #[test]
    fn every_feed_opens_with_the_public_addresses_over_tls() {
        for (name, ..) in crate::FEEDS {
            let feed = crate::open(name, &settings("FINNHUB_API_KEY", "k3y")).unwrap();
            assert!(feed.beat.as_secs() >= 1, "{name}");
        }
    }

    #[test]
    fn feeds_that_ask_one_provider_share_its_budget() {
        let settings = settings("", "");
        let budget = |name: &str, settings: &FeedSettings| {
            let feed = crate::open(name, settings).unwrap();
            let (provider, budget) = feed.budgets.into_iter().next().unwrap();
            assert_eq!(provider, "vci");
            budget
        };
        let shared = budget("vci", &settings);
        shared.charge(7);
        assert_eq!(budget("vietnam", &settings).usage()[0].spent, 7);
    }

    const URL: Setting = Setting::new(
        "FINNHUB_URL",
        Absent::Is("https://finnhub.io/api/v1"),
        Form::Url,
        "",
    )
    .secret();

    const OF_REQUESTS: Setting =
        Setting::new("HEADERS", Absent::Means("none"), HEADERS, "").secret();

    #[test]
    fn a_base_url_may_have_a_path_and_a_last_slash() {
        for base in [
            "https://finnhub.io/api/v1",
            "https://finnhub.io/api/v1/",
            " https://finnhub.io/api/v1\n",
        ] {
            let url = settings("FINNHUB_URL", base).url(&URL).unwrap();
            assert_eq!(
                under(&url, &["quote"]).as_str(),
                "https://finnhub.io/api/v1/quote"
            );
        }
    }

    #[test]
    fn a_wrong_url_is_one_sentence_that_names_the_setting_and_hides_the_value() {
        let cases = [
            ("finnhub.io", "relative URL without a base"),
            ("ftp://finnhub.io", "it is neither http nor https"),
            ("https://k3y@finnhub.io", "it holds a user name or password"),
            (
                "https://finnhub.io/?token=k3y",
                "it has a query or fragment",
            ),
            ("https://", "empty host"),
        ];
        for (base, problem) in cases {
            let error = settings("FINNHUB_URL", base).url(&URL).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "the setting FINNHUB_URL can't be used ({problem}): set it to a URL such as \
                     https://finnhub.io/api/v1"
                )
            );
        }
    }

    #[test]
    fn headers_are_set_over_the_defaults_and_wrong_ones_are_one_sentence() {
        for wrong in ["[]", "{\"a\":1}", "{\"a b\":\"c\"}", "Referer: x"] {
            let error = settings("HEADERS", wrong).headers(&OF_REQUESTS, &[]);
            assert_eq!(
                error.unwrap_err().to_string(),
                "the setting HEADERS can't be used (it is no JSON object of HTTP headers): set it to a JSON object \
                 such as {\"Referer\":\"https://example.com/\"}",
                "{wrong}"
            );
        }
        let headers = settings("HEADERS", "{\"referer\":\"b\"}")
            .headers(&OF_REQUESTS, &[("Referer", "a"), ("X", "y")]);
        let headers = headers.unwrap();
        assert_eq!(
            (&headers["referer"], &headers["x"]),
            (
                &HeaderValue::from_static("b"),
                &HeaderValue::from_static("y")
            )
        );
    }

    #[test]
    fn the_value_of_a_header_is_not_shown() {
        let headers = settings("HEADERS", "{\"Cookie\":\"k3y\"}").headers(&OF_REQUESTS, &[]);
        assert_eq!(
            format!("{:?}", headers.unwrap()),
            r#"{"cookie": Sensitive}"#
        );
    }
}
