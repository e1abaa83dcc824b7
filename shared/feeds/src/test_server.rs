//! A provider for tests: a server on this host that answers as a test says, and remembers the requests.

pub(crate) mod stream;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::to_bytes,
    extract::Request,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use market::{Bar, Observation, Quote, Symbol};
use reqwest::StatusCode;
use secrets::{FetchSecret, Secret, SecretError, SecretReference};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::Instant};

use crate::{Bars, Feed, FeedSettings, FetchError, Polled, Sink, gathered};

/// A running server. Ends with the test's runtime.
pub(crate) struct Provider {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request that came in.
#[derive(Clone)]
struct Seen {
    target: String,
    headers: HeaderMap,
    body: String,
}

/// One answer.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::from_utf8(body.as_ref().to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Provider {
    /// Answers each request by its path and query and by the number of requests before it; `None`
    /// keeps the connection open without an answer.
    pub(crate) async fn start(
        answer: impl Fn(&str, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(move |seen, before| answer(&seen.target, before)).await
    }

    /// The same, by the body of the request too.
    pub(crate) async fn start_with_bodies(
        answer: impl Fn(&str, &str, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(move |seen, before| answer(&seen.target, &seen.body, before)).await
    }

    /// Answers each request by its headers.
    pub(crate) async fn by_headers(
        answer: impl Fn(&HeaderMap) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(move |seen, _| answer(&seen.headers)).await
    }

    async fn serve(answer: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let log = Arc::clone(&seen);
        let router = Router::new().fallback(move |request: Request| {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
            async move {
                let (head, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let seen = Seen {
                    target: head.uri.to_string(),
                    headers: head.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                let before = {
                    let mut log = log.lock().unwrap();
                    log.push(seen.clone());
                    log.len() - 1
                };
                match answer(&seen, before) {
                    Some(reply) => respond(reply),
                    None => std::future::pending().await,
                }
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    /// The path and query of every request so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|(target, _)| target).collect()
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<(String, HeaderMap)> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .map(|seen| (seen.target.clone(), seen.headers.clone()))
            .collect()
    }

    /// The body of every request so far; empty of a GET.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|seen| seen.body.clone()).collect()
    }
}

/// The settings of these names and values, and no others.
pub(crate) fn settings(values: &[(&str, &str)], clock: fn() -> Timestamp) -> FeedSettings {
    let values: HashMap<String, String> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    FeedSettings::new(move |name| values.get(name).cloned(), None, clock)
}

/// The settings of these names and values, with the key `name` from a store of secrets; and how often it was
/// fetched. The store gives these secrets in turn, the last one from then on, and has none if there are none.
pub(crate) fn stored(
    values: &[(&str, &str)],
    name: &str,
    secrets: &[&str],
    clock: fn() -> Timestamp,
) -> (FeedSettings, impl Fn() -> usize + use<>) {
    let mut values: HashMap<String, String> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    values.insert(format!("{name}_SECRET"), "ssm:/key".to_owned());
    let store = Arc::new(Store {
        secrets: secrets
            .iter()
            .map(|secret| secret.parse().unwrap())
            .collect(),
        fetches: AtomicUsize::new(0),
    });
    let lookup = move |name: &str| values.get(name).cloned();
    let settings = FeedSettings::new(lookup, Some(Arc::clone(&store) as _), clock);
    (settings, move || store.fetches.load(Ordering::Relaxed))
}

#[derive(Debug)]
struct Store {
    secrets: Vec<Secret>,
    fetches: AtomicUsize,
}

#[async_trait]
impl FetchSecret for Store {
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let before = self.fetches.fetch_add(1, Ordering::Relaxed);
        let secret = self.secrets.get(before).or(self.secrets.last());
        secret.cloned().ok_or_else(|| SecretError::NotFound {
            reference: reference.clone(),
        })
    }
}

/// The URL of a server that refuses every connection.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A deadline that a test meets by far.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// The quotes of a poll, in the order asked.
pub(crate) async fn quotes(feed: &Feed, symbols: &[Symbol], until: Instant) -> Vec<Polled<Quote>> {
    let quotes = feed.quotes.as_ref().unwrap();
    let poll = async |sink: Sink<'_, _>| quotes.quotes(symbols, until, sink).await;
    gathered(symbols, poll).await
}

/// The bars of a poll, in the order asked.
pub(crate) async fn bars<At: Send>(
    bars: Option<&Arc<dyn Bars<At>>>,
    symbols: &[Symbol],
    range: Range<Timestamp>,
    until: Instant,
) -> Vec<Polled<Vec<Bar<At>>>> {
    let bars = bars.unwrap();
    let poll = async |sink: Sink<'_, _>| bars.bars(symbols, range, until, sink).await;
    gathered(symbols, poll).await
}

/// The first `count` outcomes of a poll that is not over when they are known, as they came. It is dropped then.
pub(crate) async fn early<T: Send>(
    count: usize,
    poll: impl AsyncFnOnce(Sink<'_, T>),
) -> Vec<Polled<T>> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let take = |polled| assert!(sender.send(polled).is_ok());
    let mut outcomes = Vec::new();
    tokio::select! {
        biased;
        () = poll(&take) => panic!("the poll is over"),
        () = async {
            while outcomes.len() < count {
                outcomes.extend(receiver.recv().await);
            }
        } => {}
    }
    outcomes
}

pub(crate) fn symbols<T: AsRef<str>>(names: &[T]) -> Vec<Symbol> {
    names
        .iter()
        .map(|name| name.as_ref().parse().unwrap())
        .collect()
}

/// Each symbol with its price or the reason why there is none.
pub(crate) fn outcomes(polled: &[Polled<Quote>]) -> Vec<(&str, &str)> {
    polled
        .iter()
        .map(|polled| (polled.symbol.as_str(), outcome(&polled.result)))
        .collect()
}

fn outcome(result: &Result<Observation, FetchError>) -> &str {
    match result {
        Ok(observation) => match &observation.said {
            Quote::Stock(quote) => quote.current.as_str(),
            Quote::Crypto(ticker) => ticker.last_price.as_str(),
            Quote::Board(quote) => quote.price.as_str(),
        },
        Err(error) => error.reason(),
    }
}

fn respond(reply: Reply) -> Response {
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), reply.body).into_response();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// The same JSON with every number in quotes.
pub(crate) fn with_numbers_quoted(json: &[u8]) -> Vec<u8> {
    fn quoted(json: Value) -> Value {
        match json {
            Value::Number(number) => Value::String(number.to_string()),
            Value::Array(items) => items.into_iter().map(quoted).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, member)| (name, quoted(member)))
                .collect(),
            other => other,
        }
    }
    let json = serde_json::from_slice(json).unwrap();
    quoted(json).to_string().into_bytes()
}
