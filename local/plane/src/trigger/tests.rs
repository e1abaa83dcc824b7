use std::{cell::Cell, net::TcpListener, time::Duration};

use stream::start::StartAt;
use tokio::{
    select,
    time::{sleep, timeout},
};

use super::*;
use sam_template::FailurePolicy;

/// Of the topic `t` to the function `writer`, without a window.
pub(super) fn mapping(failures: FailurePolicy, on_failure: Option<Destination>) -> Mapping {
    Mapping {
        name: "writer-quotes".to_owned(),
        function: "writer".to_owned(),
        topic: "t".to_owned(),
        group: "g".to_owned(),
        batch_size: 100,
        window: Duration::ZERO,
        start_at: StartAt::Earliest,
        pollers: 1,
        failures,
        on_failure,
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_that_fail_are_asked_again_with_pauses_and_each_failure_is_a_trouble() {
    let stats = Stats::default();
    let asked = Cell::new(0);
    let start = Instant::now();
    let answer = insist(&stats, || {
        asked.set(asked.get() + 1);
        let answer = match asked.get() {
            4 => Ok("answer"),
            number => Err(TopicError::BadName(number.to_string())),
        };
        async { answer }
    });
    assert_eq!(answer.await, "answer");
    // 100 to 200 ms, twice that and four times that; the clock counts whole milliseconds.
    let took = start.elapsed().as_millis();
    assert!((700..=1_403).contains(&took), "{took} ms");
    let counts = stats.snapshot();
    assert_eq!(counts.troubles, 3);
    let last = counts.last_trouble.unwrap();
    assert!(last.starts_with("'3'"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn reports_that_queue_up_while_a_broker_is_away_hold_up_no_record() {
    let stats = Stats::default();
    let reports = Cell::new(0);
    let start = Instant::now();
    let record = receive(&stats, || {
        reports.set(reports.get() + 1);
        let next = match reports.get() {
            101 => Ok("record"),
            number => Err(TopicError::BadName(number.to_string())),
        };
        async { next }
    });
    assert_eq!(record.await, "record");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(stats.snapshot().troubles, 100);
}

#[tokio::test]
async fn brokers_that_are_lost_while_a_trigger_joins_its_group_are_troubles() {
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = gone.unwrap().to_string();
    let cluster: Cluster = gone.parse().unwrap();
    let mapping = mapping(FailurePolicy::default(), None);
    let stats = Stats::default();
    let (joined, _is_joined) = mpsc::channel(1);
    let invoke = async |_| Ok(Bytes::new());
    let troubles = async {
        while stats.snapshot().troubles == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    select! {
        Err(error) = run(&cluster, &mapping, &stats, joined, invoke) => panic!("{error}"),
        in_time = timeout(Duration::from_secs(30), troubles) => in_time.unwrap(),
    }
    let said = stats.snapshot().last_trouble.unwrap();
    assert!(said.contains(&gone) && said.contains("'t'"), "{said}");
}
