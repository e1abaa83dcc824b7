use std::ops::Range;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    FetchError,
    test_server::{self, Provider, Reply, settings, soon, symbols},
};

fn bar<At>(at: At, close: &str) -> Bar<At> {
    let one = || "1".parse::<Digits>().unwrap();
    Bar {
        at,
        open: one(),
        high: one(),
        low: one(),
        close: close.parse().unwrap(),
        volume: one(),
    }
}

/// Answers with FPT's recorded days, one of which comes twice, by provider: as it is recorded, the repetition that
/// says the same, and one that does not.
const TWICE: [(&str, &str, &str, [&str; 3]); 3] = [
    (
        "vci",
        "VCI_URL",
        r#"[{"symbol":"FPT","o":[98200,99000,DAY.o],"h":[99500,99200,DAY.h],"l":[97400,98400,DAY.l],"c":[98600,98800,DAY.c],"v":[5507500,4125200,DAY.v],"t":["1770768000","1770854400",DAY.t]}]"#,
        ["\"1770854400\"", "1770854400.0", "1770829200"],
    ),
    (
        "kbs",
        "KBS_URL",
        r#"{"symbol":"FPT","data_day":[{"t":DAY.t,"o":DAY.o,"h":DAY.h,"l":DAY.l,"c":DAY.c,"v":DAY.v},{"t":"2026-02-12 07:00","o":99000,"h":99200,"l":98400,"c":98800,"v":4125200},{"t":"2026-02-11 07:00","o":98200,"h":99500,"l":97400,"c":98600,"v":5507500}]}"#,
        [
            "\"2026-02-12 07:00\"",
            "\"2026-02-12\"",
            "\"2026-02-12 00:00\"",
        ],
    ),
    (
        "dnse",
        "DNSE_URL",
        r#"{"t":[1770768000,1770854400,DAY.t],"o":[98.2,99.0,DAY.o],"h":[99.5,99.2,DAY.h],"l":[97.4,98.4,DAY.l],"c":[98.6,98.8,DAY.c],"v":[5507500,4125200,DAY.v]}"#,
        ["1770854400", "1770854400000", "1770829200"],
    ),
];

/// The dates of FPT's days, or the reason why there are none.
async fn dates(provider: &str, setting: &str, body: String) -> Vec<String> {
    let server = Provider::start(move |_, _| Some(Reply::new(200, &body))).await;
    let clock = || "2026-02-13T10:00:00Z".parse().unwrap();
    let feed = crate::open(provider, &settings(&[(setting, &server.url)], clock)).unwrap();
    let range: Range<Timestamp> = "2026-02-10T00:00:00Z".parse().unwrap()..clock();
    let bars = feed.daily_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["FPT"]), range, soon()).await;
    match &polled[0].result {
        Ok(observation) => observation
            .said
            .iter()
            .map(|bar| bar.at.to_string())
            .collect(),
        Err(error) => vec![error.reason().to_owned()],
    }
}

#[tokio::test]
async fn a_day_that_comes_twice_is_one_day_or_the_series_is_refused_at_every_broker() {
    for (provider, setting, body, times) in TWICE {
        for time in times {
            let again = |close: &str, unit: f64| {
                let number = |vnd: f64| (vnd / unit).to_string();
                body.replace("DAY.t", time)
                    .replace("DAY.o", &number(99_000.0))
                    .replace("DAY.h", &number(99_200.0))
                    .replace("DAY.l", &number(98_400.0))
                    .replace("DAY.c", close)
                    .replace("DAY.v", "4125200.0")
            };
            let (same, other, unit) = match provider {
                "dnse" => ("98.80", "98.9", 1_000.0),
                _ => ("98800.0", "98900", 1.0),
            };
            let days = dates(provider, setting, again(same, unit)).await;
            assert_eq!(days, ["2026-02-11", "2026-02-12"], "{provider} {time}");
            let days = dates(provider, setting, again(other, unit)).await;
            assert_eq!(days, ["malformed"], "{provider} {time}");
        }
    }
}

#[tokio::test]
async fn a_minute_that_comes_twice_is_one_minute_or_the_series_is_refused() {
    let answers = [
        (
            "vci",
            "VCI_URL",
            r#"[{"symbol":"FPT","o":[1,1],"h":[2,2],"l":[1,1],"c":[2,LAST],"v":[9,9],"t":["1776651300","1776651300"]}]"#,
        ),
        (
            "kbs",
            "KBS_URL",
            r#"{"data_1P":[{"t":"2026-04-20 09:15","o":1,"h":2,"l":1,"c":2,"v":9},{"t":"2026-04-20 09:15:00","o":1,"h":2,"l":1,"c":LAST,"v":9}]}"#,
        ),
    ];
    let clock = || "2026-04-20T03:00:00Z".parse().unwrap();
    for (provider, setting, body) in answers {
        for (last, expected) in [("2.0", Ok(1)), ("1", Err("malformed"))] {
            let body = body.replace("LAST", last);
            let server = Provider::start(move |_, _| Some(Reply::new(200, &body))).await;
            let feed = crate::open(provider, &settings(&[(setting, &server.url)], clock)).unwrap();
            let range = "2026-04-19T17:00:00Z".parse().unwrap()..clock();
            let bars = feed.minute_bars.as_ref();
            let polled = test_server::bars(bars, &symbols(&["FPT"]), range, soon()).await;
            let found = polled[0].result.as_ref();
            let found = found.map(|found| found.said.len());
            assert_eq!(found.map_err(FetchError::reason), expected, "{provider}");
        }
    }
}

#[test]
fn bars_that_differ_are_refused_in_one_sentence_that_names_their_time() {
    let day: Date = "2026-02-12".parse().unwrap();
    let error = series(vec![bar(day, "1"), bar(day, "2")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is not the expected JSON: two bars of 2026-02-12 differ"
    );
}

#[test]
fn a_minute_is_one_whatever_second_it_is_said_to_start_at() {
    let at = |second: i64| Timestamp::from_second(1_776_651_300 + second).unwrap();
    let minutes = vec![bar(at(60), "1"), bar(at(59), "1.0"), bar(at(0), "1")];
    let found: Vec<_> = series(minutes).unwrap().iter().map(|bar| bar.at).collect();
    assert_eq!(found, [at(0), at(60)]);
    assert!(series(vec![bar(at(0), "1"), bar(at(30), "2")]).is_err());
}

proptest! {
    #[test]
    fn a_series_has_every_minute_once_in_order_or_is_refused_for_two_that_differ(
        rows in prop::collection::vec((0..40_i64, 1..3_u8), 0..20),
    ) {
        let bars = rows.iter().map(|(minute, close)| {
            bar(Timestamp::from_second(minute * 60).unwrap(), &close.to_string())
        });
        let differ = rows.iter().any(|(minute, close)| {
            rows.iter().any(|(other, another)| minute == other && close != another)
        });
        match series(bars.collect()) {
            Ok(series) => {
                prop_assert!(!differ);
                prop_assert!(series.is_sorted_by(|one, next| one.at < next.at));
                let minutes: std::collections::BTreeSet<_> = rows.iter().map(|(minute, _)| minute).collect();
                prop_assert_eq!(series.len(), minutes.len());
            }
            Err(_) => prop_assert!(differ),
        }
    }
}
