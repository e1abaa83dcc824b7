use jiff::civil::Date;

use super::*;

const DAYS: &str = include_str!("../../fixtures/bars-day.json");

fn range(start: &str, end: &str) -> Range<Timestamp> {
    start.parse().unwrap()..end.parse().unwrap()
}

#[tokio::test]
async fn days_of_many_symbols_come_with_one_request_and_stay_within_the_range() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, DAYS))).await;
    let feed = feed(&provider.url);
    let bars: Option<&Arc<dyn Bars<Date>>> = feed.daily_bars.as_ref();
    let range = range("2026-02-12T00:00:00Z", "2026-02-13T00:00:00Z");
    let polled = test_server::bars(bars, &symbols(&["SSI", "NONE", "FPT"]), range, soon()).await;
    assert_eq!(
        provider.bodies(),
        [r#"{"countBack":2,"symbols":["SSI","NONE","FPT"],"timeFrame":"ONE_DAY","to":1770940800}"#]
    );
    assert_eq!(provider.targets(), ["/api/chart/OHLCChart/gap-chart"]);
    let closes: Vec<_> = polled
        .iter()
        .map(|polled| match &polled.result {
            Ok(observation) => {
                assert_eq!(observation.source, "vci");
                observation
                    .said
                    .iter()
                    .map(|day| format!("{} {}", day.at, day.close))
                    .collect::<Vec<_>>()
                    .join(",")
            }
            Err(error) => error.reason().to_owned(),
        })
        .collect();
    assert_eq!(
        closes,
        ["2026-02-12 31250", "unknown-symbol", "2026-02-12 98800"]
    );
}

#[tokio::test]
async fn minutes_are_asked_for_by_the_trading_day_and_come_oldest_first() {
    let body = r#"[{"symbol":"TCB","o":[2,1,0],"h":[2,1,0],"l":[2,1,0],"c":[2,1,0],"v":[2,1,0],"t":["1776651360","1776651300","1776651240"]}]"#;
    let provider = Provider::start(move |_, _| Some(Reply::new(200, body))).await;
    let feed = feed(&provider.url);
    let bars = feed.minute_bars.as_ref();
    let range = range("2026-04-20T02:15:00Z", "2026-04-20T02:40:00.5Z");
    let polled = test_server::bars(bars, &symbols(&["TCB"]), range, soon()).await;
    let minutes = &polled[0].result.as_ref().unwrap().said;
    let starts: Vec<_> = minutes.iter().map(|bar| bar.at.to_string()).collect();
    assert_eq!(starts, ["2026-04-20T02:15:00Z", "2026-04-20T02:16:00Z"]);
    assert_eq!(
        provider.bodies(),
        [r#"{"countBack":26,"symbols":["TCB"],"timeFrame":"ONE_MINUTE","to":1776652801}"#]
    );
}

#[tokio::test]
async fn a_symbol_without_bars_has_no_data_and_one_whose_bars_are_older_has_the_latest() {
    let provider = Provider::start(|_, _| {
        let empty = r#"{"symbol":"TCB","o":[],"h":[],"l":[],"c":[],"v":[],"t":[]}"#;
        Some(Reply::new(
            200,
            DAYS.replacen('[', &format!("[{empty},"), 1),
        ))
    })
    .await;
    let feed = feed(&provider.url);
    let bars = feed.daily_bars.as_ref();
    let range = range("2026-02-14T00:00:00Z", "2026-02-16T00:00:00Z");
    let polled = test_server::bars(bars, &symbols(&["TCB", "FPT"]), range, soon()).await;
    assert_eq!(polled[0].result, Err(FetchError::NoData));
    let latest = polled[1].result.as_ref().unwrap().said.iter();
    let latest: Vec<_> = latest.map(|bar| bar.at.to_string()).collect();
    assert_eq!(latest, ["2026-02-11", "2026-02-12", "2026-02-13"]);
}

#[test]
fn a_range_has_room_for_every_bar_it_can_hold() {
    let day = range("2026-04-20T00:00:00Z", "2026-04-20T10:00:00Z");
    assert_eq!(most_bars(Length::Minute, &day), 360);
    assert_eq!(most_bars(Length::Day, &day), 1);
    let week = range("2026-04-20T00:00:00Z", "2026-04-26T20:00:00Z");
    assert_eq!(
        most_bars(Length::Day, &week),
        8,
        "that is the 27th in Vietnam"
    );
    let backwards = range("2026-04-20T00:00:00Z", "2026-04-10T00:00:00Z");
    assert_eq!(most_bars(Length::Minute, &backwards), 1);
}
