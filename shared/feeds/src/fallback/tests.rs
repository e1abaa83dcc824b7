use std::{collections::HashSet, sync::Mutex, time::Duration};

use market::{Instrument, Observation, StockQuote};
use proptest::prelude::*;
use tokio::time::sleep_until;

use super::*;
use crate::{gathered, test_server::symbols};

/// A source that knows some symbols, has no answer of others before its time is up, says `error` of all others at
/// once, and remembers what it was asked.
#[derive(Debug)]
struct Source {
    name: &'static str,
    known: HashSet<String>,
    error: FetchError,
    hanging: HashSet<String>,
    asked: Mutex<Vec<(Vec<String>, Duration)>>,
}

impl Source {
    fn new(name: &'static str, known: &[&str], error: FetchError) -> Arc<Self> {
        Self::hanging(name, known, &[], error)
    }

    fn hanging(
        name: &'static str,
        known: &[&str],
        hanging: &[&str],
        error: FetchError,
    ) -> Arc<Self> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Arc::new(Self {
            name,
            known: set(known),
            error,
            hanging: set(hanging),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<(Vec<String>, Duration)> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Quotes for Source {
    async fn quotes(&self, symbols: &[Symbol], until: Instant, sink: Sink<'_, Quote>) {
        let names = symbols.iter().map(ToString::to_string).collect();
        let time = until.saturating_duration_since(Instant::now());
        self.asked.lock().unwrap().push((names, time));
        let (hanging, prompt): (Vec<_>, Vec<_>) = symbols
            .iter()
            .cloned()
            .partition(|symbol| self.hanging.contains(symbol.as_str()));
        for symbol in prompt.into_iter().rev() {
            let result = if self.known.contains(symbol.as_str()) {
                Ok(observation(self.name, &symbol))
            } else {
                Err(self.error.clone())
            };
            sink(Polled { symbol, result });
        }
        for symbol in hanging {
            sleep_until(until).await;
            let result = Err(FetchError::PastDeadline);
            sink(Polled { symbol, result });
        }
    }
}

#[async_trait]
impl Listing for Source {
    async fn listed(&self, _until: Instant) -> Result<Vec<Symbol>, FetchError> {
        if self.known.is_empty() {
            return Err(self.error.clone());
        }
        Ok(symbols(&self.known.iter().collect::<Vec<_>>()))
    }
}

fn observation(source: &'static str, symbol: &Symbol) -> Observation {
    let one: market::Digits = "1".parse().unwrap();
    Observation {
        source,
        instrument: Instrument::unknown(symbol.clone()),
        said: Quote::Stock(StockQuote {
            current: one.clone(),
            change: None,
            percent_change: None,
            high: Some(one.clone()),
            low: Some(one.clone()),
            open: Some(one.clone()),
            previous_close: Some(one),
            time: Timestamp::UNIX_EPOCH,
        }),
        fetched_at: Timestamp::UNIX_EPOCH,
    }
}

fn forbidden() -> FetchError {
    FetchError::Forbidden {
        detail: "no".to_owned(),
    }
}

fn fallback(sources: &[&Arc<Source>]) -> Fallback<dyn Quotes> {
    let sources = sources
        .iter()
        .map(|source| -> Arc<dyn Quotes> { Arc::<Source>::clone(source) });
    Fallback::new(sources).unwrap()
}

/// The source that answered, or the reason why there is no answer.
fn said(polled: &Polled<Quote>) -> &str {
    let said = polled.result.as_ref();
    said.map_or_else(FetchError::reason, |observation| observation.source)
}

/// Each symbol with what is said of it.
async fn poll(sources: &[&Arc<Source>], names: &[&str]) -> Vec<(String, String)> {
    let until = Instant::now() + Duration::from_secs(9);
    let asked = symbols(names);
    let fallback = fallback(sources);
    let poll = async |sink: Sink<'_, _>| fallback.quotes(&asked, until, sink).await;
    let polled = gathered(&asked, poll).await;
    polled
        .iter()
        .map(|polled| (polled.symbol.to_string(), said(polled).to_owned()))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(symbol, said)| ((*symbol).to_owned(), (*said).to_owned()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_source_is_asked_for_what_is_still_open_and_nothing_else() {
    let first = Source::new("first", &["A", "C"], FetchError::UnknownSymbol);
    let second = Source::new("second", &["A", "B"], FetchError::NoData);
    let third = Source::new("third", &[], FetchError::NoTurn);
    let said = poll(&[&first, &second, &third], &["B", "A", "X", "C", "B"]).await;
    assert_eq!(
        said,
        pairs(&[
            ("B", "second"),
            ("A", "first"),
            ("X", "unknown-symbol"),
            ("C", "first"),
            ("B", "second"),
        ])
    );
    assert_eq!(second.asked()[0].0, ["B", "X", "B"]);
    assert_eq!(third.asked()[0].0, ["X"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_answers_everything_is_the_only_one_asked() {
    let first = Source::new("first", &["A"], forbidden());
    let second = Source::new("second", &["A"], forbidden());
    assert_eq!(
        poll(&[&first, &second], &["A"]).await,
        pairs(&[("A", "first")])
    );
    assert_eq!(second.asked(), []);
    assert_eq!(poll(&[&first], &[]).await, []);
    assert_eq!(first.asked().len(), 1, "no symbols are no requests");
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_error_is_that_of_the_first_source() {
    let first = Source::new("first", &[], forbidden());
    let second = Source::new("second", &[], FetchError::UnknownSymbol);
    assert_eq!(
        poll(&[&first, &second], &["A"]).await,
        pairs(&[("A", "forbidden")])
    );
}

#[tokio::test(start_paused = true)]
async fn sources_that_hang_leave_the_others_their_share_of_the_time() {
    let hanging = |name| Source::hanging(name, &[], &["A"], forbidden());
    let (first, second) = (hanging("first"), hanging("second"));
    let third = Source::new("third", &["A"], forbidden());
    let start = Instant::now();
    let said = poll(&[&first, &second, &third], &["A"]).await;
    assert_eq!(said, pairs(&[("A", "third")]));
    assert_eq!(start.elapsed(), Duration::from_secs(6));
    for source in [&first, &second, &third] {
        assert_eq!(source.asked()[0].1, Duration::from_secs(3));
    }
}

#[tokio::test(start_paused = true)]
async fn time_that_a_source_does_not_use_is_for_the_next() {
    let first = Source::new("first", &[], forbidden());
    let second = Source::new("second", &["A"], forbidden());
    poll(&[&first, &second], &["A"]).await;
    assert_eq!(first.asked()[0].1, Duration::from_millis(4500));
    assert_eq!(second.asked()[0].1, Duration::from_secs(9));
}

#[tokio::test]
async fn a_listing_is_that_of_the_first_source_that_has_one() {
    let first = Source::new("first", &[], forbidden());
    let second = Source::new("second", &["A"], forbidden());
    let listings = |sources: &[&Arc<Source>]| {
        let sources = sources
            .iter()
            .map(|source| -> Arc<dyn Listing> { Arc::<Source>::clone(source) });
        Fallback::new(sources.collect::<Vec<_>>()).unwrap()
    };
    let until = Instant::now() + Duration::from_secs(1);
    let listed = listings(&[&first, &second]).listed(until).await;
    assert_eq!(listed, Ok(symbols(&["A"])));
    let third = Source::new("third", &[], FetchError::NoTurn);
    let listed = listings(&[&first, &third]).listed(until).await;
    assert_eq!(listed, Err(forbidden()), "the first source's error");
    assert!(Fallback::<dyn Listing>::new([]).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_symbol_that_hangs_at_the_first_source_holds_up_no_answer_of_it() {
    let first = Source::hanging("first", &["A", "B"], &["HANG"], forbidden());
    let second = Source::new("second", &["HANG", "X"], FetchError::UnknownSymbol);
    let asked = symbols(&["HANG", "A", "GONE", "X", "B"]);
    let start = Instant::now();
    let came = Mutex::new(Vec::new());
    let take = |polled: Polled<Quote>| {
        let (symbol, said) = (polled.symbol.to_string(), said(&polled).to_owned());
        let outcome = (start.elapsed().as_secs(), symbol, said);
        came.lock().unwrap().push(outcome);
    };
    let until = start + Duration::from_secs(8);
    fallback(&[&first, &second])
        .quotes(&asked, until, &take)
        .await;
    let mut came = came.into_inner().unwrap();
    came.sort();
    let expected = [
        (0, "A", "first"),
        (0, "B", "first"),
        (4, "GONE", "forbidden"),
        (4, "HANG", "second"),
        (4, "X", "second"),
    ]
    .map(|(second, symbol, said)| (second, symbol.to_owned(), said.to_owned()));
    assert_eq!(came, expected);
}

proptest! {
    #[test]
    fn every_symbol_has_one_outcome_in_time_whatever_a_source_does_not_know_and_where_it_hangs(
        names in prop::collection::vec("[A-E]", 0..12),
        sources in prop::collection::vec(
            (prop::collection::hash_set("[A-E]", 0..5), prop::collection::hash_set("[A-E]", 0..3)),
            1..4,
        ),
    ) {
        let sources: Vec<_> = ["first", "second", "third"]
            .into_iter()
            .zip(&sources)
            .map(|(name, (known, hanging))| {
                let known = known.difference(hanging).map(String::as_str).collect::<Vec<_>>();
                let hanging = hanging.iter().map(String::as_str).collect::<Vec<_>>();
                Source::hanging(name, &known, &hanging, FetchError::UnknownSymbol)
            })
            .collect();
        let asked = symbols(&names);
        let fallback = fallback(&sources.iter().collect::<Vec<_>>());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let polled = runtime.unwrap().block_on(async {
            let until = Instant::now() + Duration::from_secs(9);
            let poll = async |sink: Sink<'_, _>| fallback.quotes(&asked, until, sink).await;
            let polled = gathered(&asked, poll).await;
            assert!(Instant::now() <= until + Duration::from_millis(1));
            polled
        });
        prop_assert_eq!(polled.len(), asked.len());
        for (polled, symbol) in polled.iter().zip(&asked) {
            prop_assert_eq!(&polled.symbol, symbol);
            let name = symbol.as_str();
            let answers = sources.iter().find(|source| source.known.contains(name));
            let first_error = if sources[0].hanging.contains(name) {
                "past-deadline"
            } else {
                "unknown-symbol"
            };
            prop_assert_eq!(said(polled), answers.map_or(first_error, |source| source.name));
        }
    }
}
