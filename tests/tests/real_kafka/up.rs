use pipeline_tests::{
    plane::{audit, bin_dir, records, workspace},
    real_kafka::Kafka,
};
use quotelake::{
    serve::Times,
    up::{Feed, Running, Up},
};
use runtime::Environment;
use stream::topics::{self, TopicError};
use tempfile::TempDir;

use super::{
    way::{Way, right},
    *,
};

/// The plane as `quotelake up --brokers` starts it with the settings of a way to them.
async fn plane(way: &Way) -> (Running, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let up = Up {
        run_for: None,
        json: false,
        data: data.path().join("data"),
        template: workspace().join("template.yaml"),
        parameters: Vec::new(),
        feed: Feed::Recorded,
        times: Times::Now,
        speed: 1.0,
        faults: Vec::new(),
        brokers: Some(way.settings["KAFKA_BOOTSTRAP_SERVERS"].clone()),
        s3_endpoint: None,
        s3_port: 0,
        postgres: None,
        database_ca: None,
        bin_dir: Some(bin_dir().await.to_owned()),
    };
    let options = up.options(&Environment::from_iter(way.settings.clone()));
    (Running::start(&options).await.unwrap(), data)
}

/// Lets the plane run until this many quotes more are published.
async fn run_until_published(plane: &mut Running, more: u64) {
    let published = |plane: &Running| plane.stats().snapshot().metric("QuotesPublished");
    let (enough, end) = (published(plane) + more, Instant::now() + PATIENCE);
    while published(plane) < enough {
        assert!(Instant::now() < end, "{:?}", plane.stats().snapshot());
        tokio::select! {
            error = plane.failure() => panic!("{error}"),
            () = sleep(Duration::from_millis(50)) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn over_scram_partitions_that_are_added_while_the_plane_runs_lose_and_double_nothing() {
    const TOPIC: &str = "stock-prices";
    let kafka = shared().await;
    let way = right(kafka, "scram");
    let (mut plane, _data) = plane(&way).await;
    run_until_published(&mut plane, 60).await;
    blocking(|| kafka.set_partitions(TOPIC, 20)).await;
    let watermarks = Arc::new(Watermarks::new(&kafka.cluster(), "audit").unwrap());
    let give_up = Instant::now() + PATIENCE;
    let mut moved = 0;
    while moved == 0 {
        assert!(Instant::now() < give_up, "no symbol has moved");
        run_until_published(&mut plane, 10).await;
        for partition in 10..20 {
            moved += end(&watermarks, TOPIC, partition).await;
        }
    }
    run_until_published(&mut plane, 30).await;
    let summary = plane.stop().await.unwrap();
    assert!(summary.is_exact(), "{summary}");
    let counts = &summary.counts;
    assert_eq!(counts.polled, records(&summary), "{summary}");
    assert_eq!(audit(&summary)["compared"], records(&summary), "{summary}");
    assert_eq!((counts.failed, counts.expired), (0, 0), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn topics_that_exist_are_enough_for_a_user_who_may_create_none() {
    const TOPICS: [&str; 7] = [
        "crypto-prices",
        "stock-board",
        "stock-historical",
        "stock-intraday",
        "stock-prices",
        "stock-quotes",
        "trades_raw",
    ];
    let kafka = blocking(|| Kafka::start(1)).await;
    for topic in TOPICS {
        topics::create(&kafka.cluster(), topic, 2).await.unwrap();
    }
    let kafka = blocking(move || {
        kafka.deny_creating();
        kafka
    })
    .await;
    let way = right(&kafka, "scram");
    let cluster = way.access().cluster().await.unwrap();
    let refused = topics::create(&cluster, TOPICS[0], 2).await.unwrap_err();
    assert!(matches!(refused, TopicError::Refused { .. }), "{refused}");
    let (mut plane, _data) = plane(&way).await;
    run_until_published(&mut plane, 10).await;
    let summary = plane.stop().await.unwrap();
    assert!(summary.is_exact(), "{summary}");
    drop(kafka);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn over_mutual_tls_a_broker_that_dies_and_comes_back_and_leaders_that_move_lose_and_double_nothing()
 {
    let mut kafka = blocking(|| Kafka::start(3)).await;
    let way = right(&kafka, "mtls");
    let (mut plane, _data) = plane(&way).await;
    run_until_published(&mut plane, 60).await;
    kafka.kill(1);
    run_until_published(&mut plane, 60).await;
    let kafka = blocking(move || {
        kafka.restart(1);
        kafka
    })
    .await;
    run_until_published(&mut plane, 30).await;
    let kafka = blocking(move || {
        kafka.move_leaders_back();
        kafka
    })
    .await;
    run_until_published(&mut plane, 30).await;
    let summary = plane.stop().await.unwrap();
    assert!(summary.proofs[0].judgement.exact, "{summary}");
    let counts = &summary.counts;
    // A quote that was given up may have been written all the same.
    let in_topics = records(&summary);
    assert!(
        (counts.published..=counts.polled).contains(&in_topics),
        "{summary}"
    );
    assert_eq!((counts.dropped, counts.expired), (0, 0), "{summary}");
    drop(kafka);
}
