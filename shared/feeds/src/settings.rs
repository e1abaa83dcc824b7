use std::{
    collections::HashMap,
    fmt,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrets::{FetchSecret, Key, Secret, SecretReference};

use crate::{
    FeedError,
    budget::{Budget, Window},
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

    /// The base URL in `setting`, else `default`; [`under`] it are the others.
    pub(crate) fn url(
        &self,
        setting: &'static str,
        default: &'static str,
    ) -> Result<Url, FeedError> {
        base(
            setting,
            &self.text(setting).unwrap_or_else(|| default.to_owned()),
            default,
        )
    }

    /// The whole number in `setting`, else `default`.
    pub(crate) fn number(
        &self,
        setting: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, FeedError> {
        let Some(value) = self.text(setting) else {
            return Ok(default);
        };
        match value.trim().parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(FeedError::Number {
                setting,
                value,
                least: *range.start(),
                most: *range.end(),
            }),
        }
    }

    /// The request headers in `setting`, a JSON object, over `defaults`. No value is ever shown: it may be a cookie.
    pub(crate) fn headers(
        &self,
        setting: &'static str,
        defaults: &[(&'static str, &'static str)],
    ) -> Result<HeaderMap, FeedError> {
        let given: serde_json::Map<String, serde_json::Value> = match self.text(setting) {
            Some(json) => {
                serde_json::from_str(&json).map_err(|_| FeedError::Headers { setting })?
            }
            None => serde_json::Map::new(),
        };
        let defaults = defaults.iter().map(|(name, value)| (*name, Some(*value)));
        let given = given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut headers = HeaderMap::new();
        for (name, value) in defaults.chain(given) {
            let name = name.parse::<HeaderName>().ok();
            let value = value.and_then(|value| HeaderValue::from_str(value).ok());
            let (name, mut value) = name.zip(value).ok_or(FeedError::Headers { setting })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// The key in `setting`, or the one of the secret that the setting of that name with `_SECRET` names.
    pub(crate) fn key(&self, setting: &'static str, at: &'static str) -> Result<Key, FeedError> {
        let by_name = format!("{setting}_SECRET");
        let reference = match (self.text(setting), self.text(&by_name)) {
            (Some(key), _) => return Ok(Key::fixed(Secret::from(key))),
            (None, Some(reference)) => reference,
            (None, None) => return Err(FeedError::MissingKey { setting, at }),
        };
        let reference = reference.parse::<SecretReference>();
        let reference = reference.map_err(|error| FeedError::Reference {
            setting: by_name,
            problem: error.to_string(),
        })?;
        match &self.secrets {
            Some(secrets) => Ok(Key::fetched(reference, Arc::clone(secrets))),
            None => Err(FeedError::MissingKey { setting, at }),
        }
    }

    /// The value of a setting; nothing if absent or blank.
    pub(crate) fn text(&self, setting: &str) -> Option<String> {
        (self.lookup)(setting).filter(|value| !value.trim().is_empty())
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

/// A base URL. An error names the setting and never the value, which may hold a key.
fn base(setting: &'static str, text: &str, example: &'static str) -> Result<Url, FeedError> {
    let wrong = |problem: &str| FeedError::Url {
        setting,
        problem: problem.to_owned(),
        example,
    };
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    // A stream of trades is of a scheme of its own.
    let schemes: &[&str] = match example.split(':').next() {
        Some("wss") => &["ws", "wss"],
        _ => &["http", "https"],
    };
    if !schemes.contains(&url.scheme()) {
        return Err(wrong(&format!("it is neither {}", schemes.join(" nor "))));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or fragment"));
    }
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
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
        for (name, _) in crate::FEEDS {
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

    #[test]
    fn a_base_url_may_have_a_path_and_a_last_slash() {
        for base in [
            "https://finnhub.io/api/v1",
            "https://finnhub.io/api/v1/",
            " https://finnhub.io/api/v1\n",
        ] {
            let url = settings("FINNHUB_URL", base)
                .url("FINNHUB_URL", "https://x")
                .unwrap();
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
            let error = settings("FINNHUB_URL", base)
                .url("FINNHUB_URL", "https://finnhub.io/api/v1")
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "FINNHUB_URL is not a usable URL ({problem}): write it like https://finnhub.io/api/v1"
                )
            );
        }
    }

    #[test]
    fn a_number_out_of_range_and_headers_that_are_none_are_one_sentence_each() {
        for wrong in ["0", "x", "-1", "1e3"] {
            let error = settings("LIMIT", wrong)
                .number("LIMIT", 60, 1..=1000)
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("LIMIT is {wrong:?}: give a whole number from 1 to 1000")
            );
        }
        assert_eq!(settings("", "").number("LIMIT", 60, 1..=1000).unwrap(), 60);
        for wrong in ["[]", "{\"a\":1}", "{\"a b\":\"c\"}", "Referer: x"] {
            let error = settings("HEADERS", wrong)
                .headers("HEADERS", &[])
                .unwrap_err();
            assert!(
                error.to_string().starts_with("HEADERS is no JSON object"),
                "{wrong}"
            );
        }
        let headers = settings("HEADERS", "{\"referer\":\"b\"}")
            .headers("HEADERS", &[("Referer", "a"), ("X", "y")]);
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
        let headers = settings("HEADERS", "{\"Cookie\":\"k3y\"}").headers("HEADERS", &[]);
        assert_eq!(
            format!("{:?}", headers.unwrap()),
            r#"{"cookie": Sensitive}"#
        );
    }
}
