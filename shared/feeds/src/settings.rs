use std::{fmt, str::FromStr};

use reqwest::Url;
use secrets::Secret;
use serde::Deserialize;

use crate::{FeedError, binance, finnhub};

/// The name of a provider, as a job writes it.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[serde(rename_all = "lowercase")]
pub enum FeedName {
    /// `finnhub`
    Finnhub,
    /// `binance`
    Binance,
}

/// A name that no provider has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no feed {name:?}: the feeds are finnhub and binance")]
pub struct UnknownFeed {
    /// The name.
    pub name: String,
}

/// Where the providers are and how they know us. Passed in, never read from the environment.
#[derive(Clone, Debug)]
pub struct FeedSettings {
    /// The URL under which Finnhub's `/quote` is; by default [`finnhub::DEFAULT_URL`].
    pub finnhub_url: String,
    /// The key of Finnhub, which has no anonymous access.
    pub finnhub_token: Option<Secret>,
    /// The URL under which Binance's `/api/v3` is; by default [`binance::DEFAULT_URL`].
    pub binance_url: String,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            finnhub_url: finnhub::DEFAULT_URL.to_owned(),
            finnhub_token: None,
            binance_url: binance::DEFAULT_URL.to_owned(),
        }
    }
}

impl FromStr for FeedName {
    type Err = UnknownFeed;

    fn from_str(name: &str) -> Result<Self, UnknownFeed> {
        match name {
            "finnhub" => Ok(Self::Finnhub),
            "binance" => Ok(Self::Binance),
            _ => Err(UnknownFeed {
                name: name.to_owned(),
            }),
        }
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finnhub => "finnhub",
            Self::Binance => "binance",
        })
    }
}

/// The URL of `path` under `base`. An error names the setting and never the value, which may hold a key.
pub(crate) fn endpoint(
    setting: &'static str,
    base: &str,
    path: &[&str],
    example: &'static str,
) -> Result<Url, FeedError> {
    let wrong = |problem: &str| FeedError::Url {
        setting,
        problem: problem.to_owned(),
        example,
    };
    let mut url = Url::parse(base.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or fragment"));
    }
    url.path_segments_mut()
        .map_err(|()| wrong("it has no host"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_named_in_lower_case_and_an_unknown_one_gets_the_list() {
        for name in [FeedName::Finnhub, FeedName::Binance] {
            assert_eq!(name.to_string().parse(), Ok(name));
            let json = format!("\"{name}\"");
            assert_eq!(serde_json::from_str::<FeedName>(&json).unwrap(), name);
        }
        assert_eq!(
            "kraken".parse::<FeedName>().unwrap_err().to_string(),
            r#"there is no feed "kraken": the feeds are finnhub and binance"#
        );
        let error = serde_json::from_str::<FeedName>("\"kraken\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`finnhub` or `binance`"), "{error}");
    }

    #[test]
    fn the_public_apis_are_reached_over_tls_with_the_default_urls() {
        let settings = FeedSettings {
            finnhub_token: Some("k3y".parse().unwrap()),
            ..FeedSettings::default()
        };
        for name in [FeedName::Finnhub, FeedName::Binance] {
            let feed = crate::Feed::new(name, &settings, || jiff::Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(
                feed.default_beat().as_secs(),
                if name == FeedName::Finnhub { 6 } else { 1 }
            );
        }
    }

    #[test]
    fn a_base_url_may_have_a_path_and_a_last_slash() {
        for base in [
            "https://finnhub.io/api/v1",
            "https://finnhub.io/api/v1/",
            " https://finnhub.io/api/v1\n",
        ] {
            let url = endpoint("FINNHUB_URL", base, &["quote"], "").unwrap();
            assert_eq!(url.as_str(), "https://finnhub.io/api/v1/quote");
        }
    }

    #[test]
    fn a_wrong_url_is_one_sentence_that_names_the_setting_and_hides_the_value() {
        let cases = [
            ("finnhub.io", "relative URL without a base"),
            ("", "relative URL without a base"),
            ("ftp://finnhub.io", "it is neither http nor https"),
            ("https://k3y@finnhub.io", "it holds a user name or password"),
            (
                "https://finnhub.io/?token=k3y",
                "it has a query or fragment",
            ),
            ("https://", "empty host"),
        ];
        for (base, problem) in cases {
            let error =
                endpoint("FINNHUB_URL", base, &["quote"], finnhub::DEFAULT_URL).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "FINNHUB_URL is not a usable URL ({problem}): write it like https://finnhub.io/api/v1"
                )
            );
        }
    }
}
