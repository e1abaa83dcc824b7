use secrets::{FetchSecret, SecretError, SecretReference};

use super::*;
use crate::test_server::{nobody, stored};

#[tokio::test]
async fn the_key_travels_in_its_header_and_nowhere_else() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, AAPL))).await;
    feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    let (target, headers) = provider.seen().remove(0);
    assert_eq!(target, "/api/v1/quote?symbol=AAPL");
    assert_eq!(headers["x-finnhub-token"], KEY);
    assert_eq!(
        headers["user-agent"],
        format!("quotelake/{}", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn the_key_shows_in_no_debug_output_and_no_error() {
    let echo = Provider::start(|target, _| {
        let body = format!(r#"{{"error":"{KEY} is no key"}}"#);
        Some(match target.split_once("symbol=").unwrap().1 {
            "OK200" => Reply::new(200, body),
            "TYPE" => Reply::new(200, format!(r#"{{"c":"{KEY}"}}"#)),
            "DOWN" => Reply::new(500, body),
            _ => Reply::new(401, body),
        })
    })
    .await;
    let feed = feed(&echo.url);
    let mut shown = vec![format!("{:?}", feed.0)];
    let mut polled = feed
        .poll(&symbols(&["AAPL", "OK200", "TYPE", "DOWN"]), soon())
        .await;
    let refused = self::feed(&nobody().await);
    polled.extend(refused.poll(&symbols(&["AAPL"]), soon()).await);
    for polled in &polled {
        let error = polled.result.as_ref().unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    assert_eq!(
        polled[0].result.as_ref().unwrap_err().to_string(),
        "the provider refuses the key (*** is no key): check the token"
    );
    assert_eq!(
        outcomes(&polled)
            .iter()
            .map(|(_, reason)| *reason)
            .collect::<Vec<_>>(),
        [
            "unauthorized",
            "malformed",
            "malformed",
            "unavailable",
            "transport"
        ]
    );
    for text in shown {
        assert!(!text.contains(KEY), "{text}");
    }
}

#[test]
fn a_missing_key_stops_the_start_with_one_sentence() {
    let start = |values: &[(&str, &str)]| {
        let error = crate::open("finnhub", &settings(values, clock)).err();
        error.map(|error| error.to_string())
    };
    let missing = "the setting FINNHUB_API_KEY is missing: set it to a key from https://finnhub.io, or \
                   FINNHUB_API_KEY_SECRET to the reference of a secret that holds one";
    assert_eq!(start(&[]).as_deref(), Some(missing));
    assert_eq!(start(&[(API_KEY, " \n")]).as_deref(), Some(missing));
    assert_eq!(start(&[(API_KEY, "abc\n")]), None);
}

#[tokio::test]
async fn a_key_that_can_not_travel_in_a_header_is_named_as_such() {
    let settings = settings(
        &[("FINNHUB_URL", &nobody().await), (API_KEY, "a\nb")],
        clock,
    );
    let feed = Finnhub(crate::open("finnhub", &settings).unwrap());
    let polled = feed.poll(&symbols(&["AAPL"]), soon()).await;
    assert_eq!(outcomes(&polled), [("AAPL", "no-key")]);
}

#[tokio::test]
async fn a_key_across_the_cut_of_a_long_answer_is_not_shown_by_half() {
    let provider =
        Provider::start(|_, _| Some(Reply::new(401, format!("{}{KEY}", "x".repeat(195))))).await;
    let polled = feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    let said = polled[0].result.clone().unwrap_err().to_string();
    assert!(said.contains("xxx") && !said.contains(&KEY[..3]), "{said}");
}

/// Finnhub with a key from a store that gives these in turn, and how often it was asked.
fn feed_of(
    url: &str,
    concurrency: &str,
    secrets: &[&str],
) -> (Finnhub, impl Fn() -> usize + use<>) {
    let values = [("FINNHUB_URL", url), ("FINNHUB_CONCURRENCY", concurrency)];
    let (settings, fetches) = stored(&values, API_KEY, secrets, clock);
    let feed = Finnhub(crate::open("finnhub", &settings).unwrap());
    (feed, fetches)
}

/// Takes the key `right` only.
async fn provider(right: &'static str) -> Provider {
    Provider::by_headers(move |headers| {
        Some(if headers["x-finnhub-token"] == right {
            Reply::new(200, AAPL)
        } else {
            Reply::new(401, r#"{"error":"Invalid API key."}"#)
        })
    })
    .await
}

fn keys(provider: &Provider) -> Vec<String> {
    let seen = provider.seen().into_iter();
    let keys = seen.map(|(_, headers)| headers["x-finnhub-token"].to_str().unwrap().to_owned());
    keys.collect()
}

#[tokio::test]
async fn a_rotated_key_is_fetched_once_for_all_symbols_of_a_cycle_and_kept() {
    let provider = provider("new").await;
    let (feed, fetches) = feed_of(&provider.url, "32", &["old", "new"]);
    let asked = symbols(&["A", "B", "C", "D", "E"]);
    for _ in 0..2 {
        let polled = feed.poll(&asked, soon()).await;
        assert!(polled.iter().all(|polled| polled.result.is_ok()));
    }
    assert_eq!(fetches(), 2);
    let keys = keys(&provider);
    let refused = keys.iter().filter(|key| *key == "old").count();
    assert!((1..=5).contains(&refused), "{keys:?}");
    assert_eq!(keys.len(), refused + 10);
}

#[tokio::test]
async fn only_the_symbol_that_found_the_key_rotated_is_asked_for_twice() {
    let provider = provider("new").await;
    let (feed, _) = feed_of(&provider.url, "1", &["old", "new"]);
    let polled = feed.poll(&symbols(&["A", "B", "C"]), soon()).await;
    assert!(polled.iter().all(|polled| polled.result.is_ok()));
    assert_eq!(keys(&provider), ["old", "new", "new", "new"]);
}

#[tokio::test]
async fn a_key_that_stays_wrong_is_fetched_anew_once_and_not_hammered_with() {
    let provider = provider("right").await;
    let (feed, fetches) = feed_of(&provider.url, "1", &["old", "new"]);
    for _ in 0..2 {
        let polled = feed.poll(&symbols(&["A", "B"]), soon()).await;
        let unauthorized = [("A", "unauthorized"), ("B", "unauthorized")];
        assert_eq!(outcomes(&polled), unauthorized);
    }
    assert_eq!(keys(&provider), ["old", "new", "new", "new", "new"]);
    assert_eq!(fetches(), 2);
}

#[tokio::test]
async fn without_its_secret_no_symbol_is_asked_for() {
    let provider = provider("right").await;
    let (feed, fetches) = feed_of(&provider.url, "32", &[]);
    let polled = feed.poll(&symbols(&["A", "B"]), soon()).await;
    assert_eq!(outcomes(&polled), [("A", "no-key"), ("B", "no-key")]);
    assert_eq!((provider.targets().len(), fetches()), (0, 1));
}

#[tokio::test]
async fn a_store_of_secrets_that_hangs_holds_no_poll_beyond_its_deadline() {
    #[derive(Debug)]
    struct Hanging;

    #[async_trait]
    impl FetchSecret for Hanging {
        async fn fetch(&self, _: &SecretReference) -> Result<Secret, SecretError> {
            std::future::pending().await
        }
    }

    let lookup = |name: &str| (name == "FINNHUB_API_KEY_SECRET").then(|| "ssm:/key".to_owned());
    let settings = FeedSettings::new(lookup, Some(Arc::new(Hanging)), clock);
    let feed = Finnhub(crate::open("finnhub", &settings).unwrap());
    let until = Instant::now() + Duration::from_millis(50);
    let asked = symbols(&["A", "B"]);
    let polled = timeout_at(soon(), feed.poll(&asked, until)).await.unwrap();
    let late = [("A", "past-deadline"), ("B", "past-deadline")];
    assert_eq!(outcomes(&polled), late);
}
