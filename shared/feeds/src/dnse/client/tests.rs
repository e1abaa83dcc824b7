use super::*;
use crate::test_server::{self, Provider, Reply, settings, soon, symbols};

const FPT: &str = include_str!("../fixtures/bars-day-FPT.json");

fn clock() -> Timestamp {
    "2026-02-13T10:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn days_are_vnd_and_each_symbol_has_its_outcome() {
    let provider = Provider::start(|target, _| {
        Some(if target.contains("symbol=FPT&") {
            Reply::new(200, FPT)
        } else if target.contains("symbol=NONE&") {
            Reply::new(200, include_str!("../fixtures/empty.json"))
        } else {
            Reply::new(200, "blocked")
        })
    })
    .await;
    let settings = settings(&[("DNSE_URL", &format!("{}/v2", provider.url))], clock);
    let feed = crate::open("dnse", &settings).unwrap();
    let bars: Option<&Arc<dyn Bars<Date>>> = feed.daily_bars.as_ref();
    let range = "2026-02-12T00:00:00Z".parse().unwrap()..clock();
    let asked = symbols(&["NONE", "FPT", "TEXT"]);
    let polled = test_server::bars(bars, &asked, range, soon()).await;
    assert_eq!(polled[0].result, Err(FetchError::NoData));
    assert_eq!(polled[2].result.as_ref().unwrap_err().reason(), "malformed");
    let observation = polled[1].result.as_ref().unwrap();
    assert_eq!(observation.source, "dnse");
    assert_eq!(observation.fetched_at, clock());
    let days: Vec<_> = observation
        .said
        .iter()
        .map(|day| format!("{} {}", day.at, day.close))
        .collect();
    assert_eq!(days, ["2026-02-12 98800", "2026-02-13 96300"]);
    assert!(provider.targets().contains(
        &"/v2/ohlcs/stock?symbol=FPT&from=1770854400&to=1770976800&resolution=1D".to_owned()
    ));
}
