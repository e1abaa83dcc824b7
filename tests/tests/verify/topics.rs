//! Which topics are verified against brokers.

use std::{path::Path, time::Duration};

use lake::store::PutIf;
use pipeline_tests::{
    clean_pass::clean_pass, lake::Lake, plane::workspace, served::Served, topic::Topic,
};
use plane::object_store::{ACCESS_KEY, SECRET_KEY};
use serde_json::{Value, json};
use stream::{
    Position,
    embedded::EmbeddedBroker,
    publish::{KafkaPublisher, Publish},
};
use tokio::time::Instant;

use super::{outcome, quotelake};

/// Publishes quotes of one symbol to a topic, which is made if there is none.
async fn publish(at: &Topic, topic: &str, quotes: u32) -> Vec<Position> {
    let publisher = KafkaPublisher::new(at.cluster()).unwrap();
    let mut positions = Vec::new();
    for second in 0..quotes {
        let until = Instant::now() + Duration::from_secs(60);
        let time = 1_779_480_000 + second;
        let quote = format!(r#"{{"symbol":"A","c":{second}.5,"fetched_at":{time}}}"#);
        let published = publisher.publish(topic, "A", quote.as_bytes(), until);
        positions.push(published.await.unwrap());
    }
    positions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_a_trigger_of_which_nothing_has_landed_is_missing_and_named() {
    let topic = Topic::new(1);
    publish(&topic, topic.name(), 3).await;
    let served = Served::embedded().await;
    let endpoint = served.endpoint();
    let lake = Lake::create(&endpoint, &[]).await;
    for (key, body) in clean_pass(&topic, &lake.layout).await {
        lake.store.put_if_absent(&key, body).await.unwrap();
    }
    let verify_at = async |brokers: &str, folder: &Path, arguments: &[&str]| {
        let of_lake = ["verify", "--bucket", "bronze", "--epoch", "1"];
        let places = ["--s3-endpoint", &endpoint, "--brokers", brokers];
        let mut command = quotelake(&[&of_lake[..], &places, arguments].concat()).await;
        command
            .current_dir(folder)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let (code, output) = outcome(command).await;
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (code, said)
    };
    let brokers = topic.cluster().brokers();
    let verify =
        async |folder: &Path, arguments: &[&str]| verify_at(brokers, folder, arguments).await;

    // The lake's own topic is none of the template's, of which there is none yet.
    for _ in 0..2 {
        let (code, said) = verify(workspace(), &[]).await;
        assert_eq!(code, Some(0), "{said}");
        let named = "topics: quotes 3\nnot at the brokers, so nothing is expected of them: \
                     crypto-prices, stock-board, stock-historical, stock-intraday, stock-prices, \
                     stock-quotes, trades_raw\n";
        assert!(said.contains(named), "a look makes no topic: {said}");
    }

    // Its trigger is off by the template's defaults.
    let first = publish(&topic, "stock-board", 2).await.swap_remove(0);
    let (code, said) = verify(workspace(), &[]).await;
    assert_eq!(code, Some(1), "{said}");
    let partition = first.partition;
    let missing = format!("2 missing: stock-board-{partition}@0-1\nNOT EXACT");
    assert!(said.contains(&missing), "{said}");
    assert!(said.contains("topics: quotes 3, stock-board 2\n"), "{said}");
    let (code, said) = verify(workspace(), &["--json"]).await;
    let verdict: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &verdict["exact"]), (Some(1), &json!(false)));
    assert_eq!(verdict["topics"], json!({"quotes": 3, "stock-board": 2}));
    assert_eq!(verdict["absent"].as_array().unwrap().len(), 6, "{said}");

    let elsewhere = tempfile::tempdir().unwrap();
    let (code, said) = verify(elsewhere.path(), &[]).await;
    assert_eq!(code, Some(2), "{said}");
    let advice =
        "so nothing says which topics to verify: name them by --topic, or give --template\n";
    assert!(
        said.starts_with("quotelake: template.yaml can't be read"),
        "{said}"
    );
    assert!(said.ends_with(advice), "{said}");
    let template = workspace().join("template.yaml");
    let template = ["--template", template.to_str().unwrap()];
    let (code, said) = verify(elsewhere.path(), &template).await;
    assert_eq!(code, Some(1), "{said}");

    let (code, said) = verify(elsewhere.path(), &["--topic", "quotes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("topics: quotes 3\n3 compared"), "{said}");
    let (code, said) = verify(elsewhere.path(), &["--topic", "qoutes"]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("have no topic 'qoutes'"), "{said}");

    let other = EmbeddedBroker::start().unwrap();
    let (code, said) = verify_at(other.brokers(), workspace(), &[]).await;
    assert_eq!(code, Some(2), "{said}");
    let gone = "have no topic 'quotes', of which the lake has records: check --brokers";
    assert!(said.contains(gone), "{said}");
}
