//! The plane runs any template: shapes beside those of the repository's own, each added to a copy of it.

use std::{path::PathBuf, time::Duration};

use pipeline_tests::plane::{get, options, workspace};
use plane::stats::Snapshot;
use quotelake::up::{
    Options, Running, UpError,
    summary::{Proven, Summary},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The repository's template with more `resources`, and with each of `changes` made once.
async fn template(data: &TempDir, resources: &str, changes: &[(&str, &str)]) -> Options {
    let path = workspace().join("template.yaml");
    let mut text = std::fs::read_to_string(path).unwrap();
    for (before, after) in changes {
        assert_eq!(text.matches(before).count(), 1, "{before}");
        text = text.replace(before, after);
    }
    let resources = format!("\nResources:\n{resources}\n");
    let text = text.replacen("\nResources:\n", &resources, 1);
    let copy = data.path().join("template.yaml");
    std::fs::write(&copy, text).unwrap();
    Options {
        template: copy,
        ..options(data).await
    }
}

/// Runs the pipeline until its counts are such.
async fn run(options: &Options, until: impl Fn(&Snapshot) -> bool) -> Summary {
    let running = Running::start(options).await.unwrap();
    go_on(running, until).await
}

async fn go_on(mut running: Running, until: impl Fn(&Snapshot) -> bool) -> Summary {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let counts = running.stats().snapshot();
        if until(&counts) {
            return running.stop().await.unwrap();
        }
        assert!(Instant::now() < end, "{counts:?}");
        tokio::select! {
            error = running.failure() => panic!("{error}"),
            () = sleep(Duration::from_millis(50)) => {}
        }
    }
}

/// The lines that a function has written.
fn written(counts: &Snapshot, function: &str) -> u64 {
    let of = counts.functions.get(function);
    of.map_or(0, |of| of.metric("RecordsWritten"))
}

/// The records of the proof of `function`.
fn records_of(summary: &Summary, function: &str) -> u64 {
    let mut proofs = summary.proofs.iter();
    let proven = proofs.find(|proven| proven.function == function);
    proven.unwrap().judgement.records
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consumer_groups_on_one_topic_are_counted_and_proved_apart() {
    let data = tempfile::tempdir().unwrap();
    let second = include_str!("any_template/second_group.yaml");
    let both = |counts: &Snapshot| {
        written(counts, "SecondWriter") > 0
            && written(counts, "BronzeWriter") > written(counts, "SecondWriter")
    };
    let summary = run(&template(&data, second, &[]).await, both).await;
    assert!(summary.is_success(), "{summary}");
    assert_eq!(summary.unverified, [""; 0]);
    let (writer, second) = (
        &summary.counts.functions["BronzeWriter"],
        &summary.counts.functions["SecondWriter"],
    );
    let quotes = records_of(&summary, "SecondWriter");
    assert!(quotes > 0 && quotes < records_of(&summary, "BronzeWriter"));
    assert_eq!(second.metric("RecordsWritten"), quotes);
    assert_eq!(second.metric_of("RecordsWritten", "stock-quotes"), quotes);
    assert_eq!(writer.metric_of("RecordsWritten", "stock-quotes"), quotes);
    assert!(second.batches > 0 && writer.batches > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bronze_is_held_to_the_topics_of_its_own_triggers_only() {
    let data = tempfile::tempdir().unwrap();
    let own = include_str!("any_template/own_topic.yaml");
    let board = (
        r#""topic":"stock-board","beat_seconds""#,
        r#""topic":"board-only","beat_seconds""#,
    );
    let both = |counts: &Snapshot| {
        written(counts, "SecondWriter") == 10 && written(counts, "BronzeWriter") > 0
    };
    let summary = run(&template(&data, own, &[board]).await, both).await;
    assert!(summary.is_success(), "{summary}");
    let proven = &summary.proofs;
    let own = proven.iter().find(|of| of.function == "SecondWriter");
    assert_eq!(own.unwrap().judgement.records, 10, "{summary}");
    let writer = proven.iter().find(|of| of.function == "BronzeWriter");
    let topics = &writer.unwrap().judgement.details["topics"];
    assert_eq!(topics.get("board-only"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_is_known_by_what_it_is_and_not_by_its_place() {
    let data = tempfile::tempdir().unwrap();
    let first = include_str!("any_template/declared_first.yaml");
    let writer_alone = |counts: &Snapshot| {
        let first = counts.functions.get("SecondWriter");
        written(counts, "BronzeWriter") > 0 && first.is_some_and(|of| of.lag() > 0)
    };
    let summary = run(&template(&data, first, &[]).await, writer_alone).await;
    assert_eq!(summary.unverified, ["SecondWriter"]);
    let mut proofs = summary.proofs.iter();
    let writer = proofs.find(|of| of.function == "BronzeWriter").unwrap();
    assert!(writer.judgement.exact && writer.judgement.records > 0);
    let is_proved = |of: &Proven| of.function == "SecondWriter";
    assert!(!summary.proofs.iter().any(is_proved), "{summary}");
    // It never starts, because it is a bronze writer without its settings, so its quotes are left.
    assert!(!summary.is_success(), "{summary}");
    let left = &summary.counts.functions["SecondWriter"].lag;
    assert_eq!(left.keys().collect::<Vec<_>>(), ["upsert"]);
    let said = summary.to_string();
    assert!(
        said.contains("SecondWriter has not answered for "),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_needs_no_topic() {
    let data = tempfile::tempdir().unwrap();
    let roller = include_str!("any_template/schedule_without_topic.yaml");
    let options = template(&data, roller, &[]).await;
    // The roller's invocation fails, which is a trouble.
    let invoked = |counts: &Snapshot| counts.troubles > 0 && written(counts, "BronzeWriter") > 0;
    let summary = run(&options, invoked).await;
    assert!(summary.is_success(), "{summary}");
    assert_eq!(summary.unverified, ["BarRoller"]);
    let log = options.data.join("logs/BarRoller.log");
    let log = std::fs::read_to_string(log).unwrap();
    // It is a bronze writer without its settings, which says so when it is invoked.
    assert!(
        log.contains("the setting BRONZE_BUCKET is missing"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_url_is_served_on_a_loopback_port() {
    let data = tempfile::tempdir().unwrap();
    let page = include_str!("any_template/function_url.yaml");
    let options = template(&data, page, &[]).await;
    let running = Running::start(&options).await.unwrap();
    let url = running.plane().urls()["Dashboards"].clone();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    // The binary is a bronze writer, which fails on an event that is not Kafka's.
    let answered = get(&url).await.unwrap();
    assert_eq!(answered.status(), 502);
    let said = answered.text().await.unwrap();
    assert_eq!(said, r#"{"Message":"Internal Server Error"}"#);
    let summary = go_on(running, |counts| written(counts, "BronzeWriter") > 0).await;
    assert!(summary.is_success(), "{summary}");
    assert_eq!(summary.unverified, ["Dashboards"]);
    assert!(get(&url).await.is_err(), "it ends with the run");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_api_is_refused_with_what_to_use_instead() {
    let data = tempfile::tempdir().unwrap();
    let page = include_str!("any_template/http_api.yaml");
    let options = template(&data, page, &[]).await;
    let Err(error @ UpError::Template(_)) = Running::start(&options).await else {
        panic!("it starts");
    };
    let said = error.to_string();
    let expected = "Dashboards.Events.Page is of type HttpApi, which the local plane can't run: it runs ScheduleV2, MSK \
                    and SelfManagedKafka, and serves HTTP for a function with FunctionUrlConfig";
    assert!(said.ends_with(expected), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_without_anything_that_invokes_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let path: PathBuf = data.path().join("template.yaml");
    let function = "Resources:\n  Idle:\n    Type: AWS::Serverless::Function\n    \
                    Metadata: {BuildProperties: {Binary: bronze-writer}}\n";
    std::fs::write(&path, function).unwrap();
    let options = Options {
        template: path,
        ..options(&data).await
    };
    let Err(error) = Running::start(&options).await else {
        panic!("it starts");
    };
    let said = error.to_string();
    assert!(said.contains("nothing would happen"), "{said}");
}
