use std::{collections::BTreeMap, fs, sync::Arc};

use jiff::Timestamp;
use lake::{
    Compression, Granularity, Layout, ObjectKey,
    store::{MemoryStore, PutIf, list_all},
};
use market::{
    Assets, Bar, CryptoTicker, Instrument, Observation, Quote, StockQuote, Trade, intraday_message,
    minutes_message, quote_message, trade_message,
};

use proptest::prelude::*;

use super::{Gap, GapsError, Options, Outcome, Selection, range, report, scan};
use crate::{
    lake_location::LakeLocation,
    written::{Record, deliver, event, record, run, writer},
};

const DAY: &str = "2026-05-22T";

fn time(clock: &str) -> Timestamp {
    format!("{DAY}{clock}Z").parse().unwrap()
}

fn pair(symbol: &str) -> Instrument {
    let assets = Assets {
        base: symbol.replace("USDT", ""),
        quote: "USDT".to_owned(),
    };
    Instrument::crypto_pair(symbol.parse().unwrap(), symbol, Some(&assets))
}

/// A ticker as it was at a time and fetched at another.
fn ticker(symbol: &str, event: &str, fetched: &str) -> String {
    let said = CryptoTicker {
        close_time: time(event),
        last_price: "100.5".parse().unwrap(),
        open_price: None,
        high_price: None,
        low_price: None,
        volume: None,
        quote_volume: None,
        trades: None,
        price_change: None,
        price_change_percent: None,
        bid: None,
        ask: None,
    };
    let observation = Observation {
        source: "binance",
        instrument: pair(symbol),
        said: Quote::Crypto(said),
        fetched_at: time(fetched),
    };
    text(quote_message(&observation, false))
}

fn text(message: market::Message) -> String {
    String::from_utf8(message.body).unwrap()
}

/// A provider's bars of minutes, fetched days later.
fn bars(symbol: &str, starts: &[&str]) -> String {
    let price = || "100".parse().unwrap();
    let bar = |start: &&str| Bar {
        at: time(start),
        open: price(),
        high: price(),
        low: price(),
        close: price(),
        volume: price(),
    };
    let observation = Observation {
        source: "binance",
        instrument: pair(symbol),
        said: starts.iter().map(bar).collect(),
        fetched_at: "2026-05-25T09:00:00Z".parse().unwrap(),
    };
    text(minutes_message(&observation))
}

/// A lake of these values of topics.
async fn lake(values: &[(&'static str, String)]) -> (Arc<MemoryStore>, Layout) {
    let layout = Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
    let writer = writer(MemoryStore::default(), &layout);
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    let records = values.iter().map(|(topic, value)| {
        let end = ends.entry(topic).or_default();
        *end += 1;
        Record {
            topic,
            ..record(*end - 1, value)
        }
    });
    let records: Vec<Record> = records.collect();
    deliver(&writer, &event(&records)).await;
    let store = MemoryStore::default();
    for (key, body) in writer.store().objects() {
        store.put_if_absent(&key, body).await.unwrap();
    }
    (Arc::new(store), layout)
}

fn selection(from: &str, to: &str) -> Selection {
    Selection {
        location: LakeLocation::default(),
        from: Some(time(from)),
        to: Some(time(to)),
        topics: Vec::new(),
        symbols: Vec::new(),
        beats: Vec::new(),
        extended: false,
        lateness: jiff::SignedDuration::from_hours(1),
    }
}

async fn look(
    (store, layout): &(Arc<MemoryStore>, Layout),
    selection: &Selection,
    logs: Option<&std::path::Path>,
) -> Result<Outcome, GapsError> {
    let now = "2026-05-26T00:00:00Z".parse().unwrap();
    let range = range(selection, now)?;
    let of = (Arc::clone(store), layout, "here");
    scan(
        of,
        selection,
        logs.map(ToOwned::to_owned),
        (range, now),
        true,
    )
    .await
}

/// The gaps of a symbol: start, minutes, reason.
fn gaps(outcome: &Outcome, symbol: &str) -> Vec<(String, u64, String)> {
    let of = outcome.gaps().filter(|(_, of, _)| of.symbol == symbol);
    of.map(|(_, _, gap)| gap).map(short).collect()
}

fn short(gap: &Gap) -> (String, u64, String) {
    let why = gap.explanation.cause().unwrap_or(gap.explanation.name());
    let from = gap.from.strftime("%H:%M").to_string();
    (from, gap.minutes, why.to_owned())
}

fn is<const N: usize>(gaps: [(&str, u64, &str); N]) -> Vec<(String, u64, String)> {
    let owned =
        |(from, minutes, why): (&str, u64, &str)| (from.to_owned(), minutes, why.to_owned());
    gaps.map(owned).to_vec()
}

/// Two coins with a gap of every kind between 19:50 and 20:03.
fn coins() -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    let mut both = |minutes: &[&str], symbols: &[&str]| {
        for minute in minutes {
            for symbol in symbols {
                let at = format!("{minute}:30");
                values.push(("crypto-prices", ticker(symbol, &at, &at)));
            }
        }
    };
    both(
        &["19:50", "19:51", "19:52", "19:55", "19:57", "20:01"],
        &["BTCUSDT", "ETHUSDT"],
    );
    both(&["19:58", "19:59", "20:00", "20:02"], &["ETHUSDT"]);
    both(&["19:56"], &["BTCUSDT"]);
    let more = [
        ticker("BTCUSDT", "19:58:30", "21:30:00"),
        // The same as before.
        ticker("BTCUSDT", "19:57:30", "19:59:10"),
        // Kafka's timestamp is at 20:00.
        r#"{"symbol":"BTCUSDT","a":1,"A":2}"#.to_owned(),
        bars("BTCUSDT", &["20:02:00"]),
    ];
    values.extend(more.map(|value| ("crypto-prices", value)));
    values
}

#[tokio::test]
async fn each_minute_without_data_has_its_reason() {
    let lake = lake(&coins()).await;
    let outcome = look(&lake, &selection("19:50:00", "20:03:00"), None)
        .await
        .unwrap();
    let bitcoin = [
        ("19:53", 2, "poller-not-running"),
        ("19:58", 1, "late"),
        ("19:59", 1, "silent"),
        ("20:00", 1, "quarantined"),
        ("20:02", 1, "filled"),
    ];
    assert_eq!(gaps(&outcome, "BTCUSDT"), is(bitcoin));
    let ether = [
        ("19:53", 2, "poller-not-running"),
        ("19:56", 1, "unexplained"),
    ];
    assert_eq!(gaps(&outcome, "ETHUSDT"), is(ether));
    assert!(!outcome.is_explained());
    for symbol in &outcome.topics["crypto-prices"].symbols {
        assert_eq!(symbol.minutes.values().sum::<u64>(), 13, "{symbol:?}");
    }
    // Others are read for one symbol's sake too, and are not told of.
    let one = Selection {
        symbols: vec!["ETHUSDT".to_owned()],
        ..selection("19:50:00", "20:03:00")
    };
    let alone = look(&lake, &one, None).await.unwrap();
    assert_eq!(gaps(&alone, "ETHUSDT"), is(ether));
    assert_eq!(gaps(&alone, "BTCUSDT"), []);
}

#[tokio::test]
async fn the_pollers_logs_tell_what_failed_and_what_never_landed() {
    let lake = lake(&coins()).await;
    let logs = tempfile::tempdir().unwrap();
    let warning = |clock: &str, symbols: &str| {
        let at = time(clock);
        format!(
            r#"{{"timestamp":"{at}","level":"WARN","topic":"crypto-prices","reason":"timeout","count":1,"symbols":"{symbols}","message":"m"}}"#
        )
    };
    let published = time("19:54:20").as_millisecond();
    let lines = [
        warning("19:56:10", "ETHUSDT"),
        format!(
            r#"{{"_aws":{{"Timestamp":{published}}},"topic":"crypto-prices","QuotesPublished":2}}"#
        ),
    ];
    fs::write(logs.path().join("a.log"), lines.join("\n")).unwrap();
    let outcome = look(&lake, &selection("19:50:00", "19:58:00"), Some(logs.path()))
        .await
        .unwrap();
    let ether = [
        ("19:53", 1, "poller-not-running"),
        ("19:54", 1, "unexplained"),
        ("19:56", 1, "timeout"),
    ];
    assert_eq!(gaps(&outcome, "ETHUSDT"), is(ether));

    fs::write(logs.path().join("a.log"), warning("19:56:10", "SOLUSDT")).unwrap();
    let outcome = look(&lake, &selection("19:56:00", "19:58:00"), Some(logs.path()))
        .await
        .unwrap();
    let unexplained = is([("19:56", 1, "unexplained")]);
    assert_eq!(
        gaps(&outcome, "ETHUSDT"),
        unexplained,
        "the failure is of another"
    );
}

#[tokio::test]
async fn a_share_has_no_gap_while_its_market_is_closed_and_none_before_it_was_first_asked_for() {
    let quote = |event: &str, fetched: &str| {
        let said = StockQuote {
            current: "1".parse().unwrap(),
            change: None,
            percent_change: None,
            high: None,
            low: None,
            open: None,
            previous_close: None,
            time: time(event),
        };
        let observation = Observation {
            source: "finnhub",
            instrument: Instrument::us_share("AAPL".parse().unwrap()),
            said: Quote::Stock(said),
            fetched_at: time(fetched),
        };
        ("stock-quotes", text(quote_message(&observation, false)))
    };
    let lake = lake(&[quote("19:56:05", "19:56:06"), quote("19:59:05", "19:59:06")]).await;
    // The market closes at 20:00 UTC.
    let outcome = look(&lake, &selection("19:00:00", "23:00:00"), None)
        .await
        .unwrap();
    let silent = is([("19:57", 2, "poller-not-running")]);
    assert_eq!(gaps(&outcome, "AAPL"), silent);
    let extended = Selection {
        extended: true,
        ..selection("19:00:00", "20:10:00")
    };
    let outcome = look(&lake, &extended, None).await.unwrap();
    let post = is([
        ("19:57", 2, "poller-not-running"),
        ("20:00", 10, "poller-not-running"),
    ]);
    assert_eq!(gaps(&outcome, "AAPL"), post);
}

#[tokio::test]
async fn a_stream_is_silent_where_others_were_traded() {
    let trade = |symbol: &str, at: &str| {
        let observation = Observation {
            source: "finnhub",
            instrument: pair(symbol),
            said: Trade {
                price: "1".parse().unwrap(),
                size: "1".parse().unwrap(),
                time: time(at),
                conditions: Vec::new(),
            },
            fetched_at: time(at),
        };
        ("trades_raw", text(trade_message(&observation)))
    };
    let values = ["19:50:01", "19:51:01", "19:53:01"].map(|at| trade("BTCUSDT", at));
    let rare = ["19:50:02", "19:53:02"].map(|at| trade("XUSDT", at));
    let lake = lake(&[&values[..], &rare[..]].concat()).await;
    let outcome = look(&lake, &selection("19:50:00", "19:54:00"), None)
        .await
        .unwrap();
    let expected = [("19:51", 1, "silent"), ("19:52", 1, "poller-not-running")];
    assert_eq!(gaps(&outcome, "XUSDT"), is(expected));
}

#[tokio::test]
async fn a_damaged_object_is_named_and_explains_its_hour_alone() {
    let values = ["19:58:01", "20:01:01"].map(|at| ("crypto-prices", ticker("BTCUSDT", at, at)));
    let lake = lake(&values).await;
    let (store, layout) = &lake;
    let keys = list_all(&**store, &layout.root()).await.unwrap();
    let of_hour = |key: &&ObjectKey| key.as_str().contains("T200000");
    let key = keys.iter().find(of_hour).unwrap();
    store.remove(key);
    store.put_if_absent(key, "{}\n".into()).await.unwrap();
    let outcome = look(&lake, &selection("19:58:00", "20:02:00"), None)
        .await
        .unwrap();
    assert_eq!(
        (outcome.damaged.count, &*outcome.damaged.named[0].name),
        (1, key.as_str())
    );
    let expected = [("19:59", 1, "poller-not-running"), ("20:00", 2, "damaged")];
    assert_eq!(gaps(&outcome, "BTCUSDT"), is(expected));
    assert!(!outcome.is_explained());
}

#[tokio::test]
async fn a_wrong_range_topic_or_symbol_is_one_sentence() {
    let lake = lake(&coins()).await;
    let of = |change: fn(&mut Selection)| {
        let mut selection = selection("19:50:00", "20:03:00");
        change(&mut selection);
        let lake = &lake;
        async move { look(lake, &selection, None).await.unwrap_err().to_string() }
    };
    let said = of(|of| of.to = of.from).await;
    assert!(said.contains("is not before --to"), "{said}");
    let said = of(|of| of.from = Some("2027-01-01T00:00:00Z".parse().unwrap())).await;
    assert!(said.contains("lies in the future"), "{said}");
    let said = of(|of| of.topics.push("nope".to_owned())).await;
    assert!(
        said.contains("no topic 'nope': it has crypto-prices"),
        "{said}"
    );
    let said = of(|of| of.symbols.push("NOPE".to_owned())).await;
    assert!(said.contains("no symbol 'NOPE'"), "{said}");
    let said = of(|of| of.beats.push(("crypto-prices".to_owned(), 1_440))).await;
    assert!(said.contains("no whole beat of 1440 min"), "{said}");
}

#[tokio::test]
async fn a_minute_that_a_series_of_bars_has_none_of_is_silent() {
    let price = || "100".parse().unwrap();
    let bar = |minute: &str| Bar {
        at: format!("{DAY}{minute}:00Z").parse().unwrap(),
        open: price(),
        high: price(),
        low: price(),
        close: price(),
        volume: price(),
    };
    let series = |minutes: &[&str], fetched: &str| {
        let observation = Observation {
            source: "vci",
            instrument: Instrument::vietnamese_share("FPT".parse().unwrap(), None),
            said: minutes.iter().map(|minute| bar(minute)).collect(),
            fetched_at: time(fetched),
        };
        (
            "stock-intraday",
            text(intraday_message(&observation, false)),
        )
    };
    let lake = lake(&[
        series(&["02:30"], "02:31:00"),
        // Then nothing was polled until 02:39.
        series(&["02:30", "02:32", "02:34"], "02:39:00"),
    ])
    .await;
    let outcome = look(&lake, &selection("02:20:00", "02:40:00"), None)
        .await
        .unwrap();
    let expected = [
        ("02:31", 1, "silent"),
        ("02:33", 1, "silent"),
        ("02:35", 4, "poller-not-running"),
        ("02:39", 1, "silent"),
    ];
    // The market opens at 02:00, and nobody had asked before the first poll.
    assert_eq!(gaps(&outcome, "FPT"), is(expected));
}

/// A ticker of the minutes behind 20:00: which symbol, when it was made, how long after it was fetched, and whether it is
/// broken.
fn tickers() -> impl Strategy<Value = Vec<(bool, u32, u32, bool)>> {
    let ticker = (
        any::<bool>(),
        0..20_u32,
        0..90_u32,
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(ticker, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_minute_of_a_session_is_recorded_or_in_one_gap(tickers in tickers(), length in 1..25_u32) {
        let at = |seconds: u32| {
            let time = time("20:00:00") + jiff::SignedDuration::from_secs(seconds.into());
            time.strftime("%H:%M:%S").to_string()
        };
        let value = |&(other, minute, age, is_broken): &(bool, u32, u32, bool)| {
            let symbol = if other { "ETHUSDT" } else { "BTCUSDT" };
            let (event, fetched) = (at(minute * 60), at((minute + age) * 60));
            let ticker = ticker(symbol, &event, &fetched);
            match is_broken {
                true => ("crypto-prices", ticker.replace("\"symbol\"", "\"x\":1,\"x\":2,\"symbol\"")),
                false => ("crypto-prices", ticker),
            }
        };
        let values: Vec<_> = tickers.iter().map(value).collect();
        let outcome = run(async {
            let lake = lake(&values).await;
            look(&lake, &selection("20:00:00", &at(length * 60)), None).await
        });
        let Ok(outcome) = outcome else {
            prop_assert!(tickers.iter().all(|ticker| ticker.3), "no topic but that of quarantine");
            return Ok(());
        };
        for of in outcome.topics.values().flat_map(|topic| &topic.symbols) {
            prop_assert_eq!(of.minutes.values().sum::<u64>(), u64::from(length));
            let named: u64 = of.gaps.iter().map(|gap| gap.minutes).sum();
            let beside = of.minutes["recorded"] + of.minutes["market-closed"];
            prop_assert_eq!(named + beside, u64::from(length));
            for pair in of.gaps.windows(2) {
                prop_assert!(pair[0].to < pair[1].from || pair[0].explanation != pair[1].explanation);
                prop_assert!(pair[0].to <= pair[1].from);
            }
            for &(other, minute, age, is_broken) in &tickers {
                let is_of = other == (of.symbol == "ETHUSDT") && !is_broken;
                if is_of && age <= 60 {
                    let made = time(&at(minute * 60));
                    let mut gaps = of.gaps.iter();
                    prop_assert!(!gaps.any(|gap| (gap.from..gap.to).contains(&made)), "{} is recorded", made);
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_explained_is_told_first_and_what_struck_all_once() {
    let lake = lake(&coins()).await;
    let selection = selection("19:50:00", "19:58:00");
    let outcome = look(&lake, &selection, None).await.unwrap();
    let options = Options {
        selection,
        logs: None,
        json: false,
    };
    let said = report::text(&options, &outcome);
    let day = DAY.trim_end_matches('T');
    let expected = format!(
        "crypto-prices: 2 symbols, minutes: poller-not-running 4, recorded 11, unexplained 1\n  \
         crypto-prices  {day}T19:56:00Z to {day}T19:57:00Z  1 min  unexplained         ETHUSDT\n  \
         crypto-prices  {day}T19:53:00Z to {day}T19:55:00Z  2 min  poller-not-running  BTCUSDT, ETHUSDT\n\
         without --logs nothing tells whether a provider failed\n\
         not every minute is explained: docs/gaps.md says what to do\n"
    );
    assert_eq!(said, expected);
}
