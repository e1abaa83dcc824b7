//! Histories that are too long for a record.

use super::*;

#[tokio::test]
async fn a_history_that_no_topic_takes_is_refused_before_it_is_polled() {
    let ask = async |feed: &str, dataset: &str, days: u16| {
        let lookup = |name: &str| {
            name.ends_with("_URL")
                .then(|| "http://127.0.0.1:1".to_owned())
        };
        let poller = Poller::new(FeedSettings::new(lookup, None, clock::now));
        let job = json!({"feed": feed, "dataset": dataset, "symbols": "FPT", "topic": "t",
                         "period_days": days, "budget_seconds": 0});
        let job = to_raw_value(&job).unwrap();
        let report = poller
            .handle(&Taken::default(), &job, &invocation(2_000))
            .await;
        report
            .map(|report| report.cycles)
            .map_err(|fault| fault.to_string())
    };
    let refused = |feed: &str, days: u16, most: u16| {
        Err(format!(
            "the job's period_days is {days}, whose record may exceed the 1000000 bytes that a topic takes: give at \
             most {most} for the feed {feed}"
        ))
    };
    assert_eq!(
        ask("vietnam", "daily-bars", 3_660).await,
        refused("vietnam", 3_660, 2_723)
    );
    assert_eq!(
        ask("binance", "daily-bars", 1_950).await,
        refused("binance", 1_950, 1_949)
    );
    assert_eq!(ask("binance", "daily-bars", 1_949).await, Ok(1));
    assert_eq!(
        ask("binance", "intraday-bars", 3_660).await,
        Ok(1),
        "it has no period"
    );
}
