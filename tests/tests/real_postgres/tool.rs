//! The tool's commands on tables: made, filled from a lake, and compared with it.

use std::{fs, path::Path, time::Duration};

use bronze_writer::{FailureResponse, Writer};
use clap::Parser;
use lake::{Compression, Granularity, Layout, describe};
use lake_tools::{
    lake_location::{Endpoint, connect},
    migrate, replay,
    verify::{DatabaseError, DatabaseOptions, DatabaseVerdict, verify_database},
};
use pipeline_tests::real_postgres::{Postgres, versions};
use plane::{data_folder::DataFolder, object_store::ObjectStore};
use quotelake::cli::{Cli, Command};
use runtime::{Environment, Invocation};
use serde_json::json;
use tokio::{task::spawn_blocking, time::Instant};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// Records of each of two partitions.
const RECORDS: i64 = 300;

async fn shared(version: String) -> &'static Postgres {
    spawn_blocking(move || Postgres::shared(&version))
        .await
        .unwrap()
}

fn command(words: &[&str]) -> Command {
    Cli::try_parse_from([&["quotelake"], words].concat())
        .unwrap()
        .command
}

async fn migrated(url: &str, more: &[&str]) -> String {
    try_migrate(url, more).await.unwrap()
}

async fn try_migrate(url: &str, more: &[&str]) -> Result<String, migrate::MigrateError> {
    let ahead: &[&str] = match more.contains(&"--days-ahead") {
        true => &[],
        false => &["--days-ahead", "3"],
    };
    let words = [&["migrate", "--database", url], ahead, more].concat();
    let Command::Migrate(options) = command(&words) else {
        unreachable!()
    };
    migrate::run(&options, &Environment::default()).await
}

async fn replayed(url: &str, data: &str) -> replay::DatabaseOutcome {
    try_replay(url, data, &[]).await.unwrap()
}

async fn try_replay(
    url: &str,
    data: &str,
    more: &[&str],
) -> Result<replay::DatabaseOutcome, replay::ReplayError> {
    let words = [
        "replay",
        "--to",
        "database",
        "--database",
        url,
        "--data",
        data,
    ];
    let words = [&words, more].concat();
    let Command::Replay(options) = command(&words) else {
        unreachable!()
    };
    let stop = CancellationToken::new();
    replay::run_to_database(&options, &Environment::default(), stop).await
}

async fn verified(url: &str, data: &str) -> DatabaseVerdict {
    try_verify(url, data, &[]).await.unwrap()
}

async fn try_verify(
    url: &str,
    data: &str,
    more: &[&str],
) -> Result<DatabaseVerdict, DatabaseError> {
    let words = [&["verify", "--database", url, "--data", data], more].concat();
    let Command::Verify(verify) = command(&words) else {
        unreachable!()
    };
    let options = DatabaseOptions::of(verify.options, verify.database)?;
    verify_database(&options, &Environment::default(), &|_| {}).await
}

/// A folder as `up` leaves it, with a lake of quotes, trades and records that are neither.
async fn lake(data: &Path) {
    let folder = DataFolder::open(data).unwrap();
    fs::create_dir_all(folder.objects().join("bucket")).unwrap();
    let server = ObjectStore::start(&folder.objects(), 0).await.unwrap();
    let endpoint = Endpoint::embedded(server.endpoint());
    let store = connect(Some(&endpoint), "bucket").await;
    let granularity = Granularity::new(3_600_000, 100).unwrap();
    let layout = Layout::new(
        "bronze",
        Some(&folder.epoch()),
        granularity,
        Compression::None,
    );
    let until = Instant::now() + Duration::from_secs(60);
    describe(&store, &layout, until).await.unwrap();
    let value = |partition: i64, offset: i64| {
        let second = 1_779_480_000 + offset;
        let value = match offset % 20 {
            18 => "{".to_owned(),
            19 => r#"{"symbol":"A","c":"none","fetched_at":1779480000}"#.to_owned(),
            _ => format!(
                r#"{{"symbol":"S{}","c":{}.10,"d":-0.5,"pc":1.5e-3,"t":{second},"fetched_at":{second}}}"#,
                (partition + offset) % 7,
                9_217_126_554_917_738_496_i64 - offset,
            ),
        };
        base64_simd::STANDARD.encode_to_string(value)
    };
    let records = |partition: i64| {
        let record = |offset| {
            json!({
                "topic": "stock-quotes", "partition": partition, "offset": offset,
                "timestamp": 1_779_480_000_123_i64, "timestampType": "CREATE_TIME",
                "value": value(partition, offset), "headers": [],
            })
        };
        (0..RECORDS).map(record).collect::<Vec<_>>()
    };
    let event = json!({
        "eventSource": "SelfManagedKafka", "bootstrapServers": "b:1",
        "records": {"stock-quotes-0": records(0), "stock-quotes-1": records(1)},
    });
    let event = serde_json::value::to_raw_value(&event).unwrap();
    let writer = Writer::new(store, layout, FailureResponse::Batch);
    let invocation = Invocation {
        deadline: until,
        stop: CancellationToken::new(),
    };
    writer.handle(&event, &invocation).await.unwrap();
}

async fn count(client: &Client, statement: &str) -> i64 {
    client.query_one(statement, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn tables_filled_from_a_lake_are_exact_and_any_single_change_is_found() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_changes").await;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        lake(&data).await;
        let data = data.to_str().unwrap();
        migrated(&url, &["--days-since", "2026-05-20"]).await;
        assert!(
            !verified(&url, data).await.is_exact(),
            "nothing is there yet"
        );

        let rows = u64::try_from(2 * RECORDS / 20 * 18).unwrap();
        let outcome = replayed(&url, data).await;
        assert!(outcome.is_complete(), "{}", outcome.text(false));
        assert_eq!(outcome.written.written, rows);
        let outcome = replayed(&url, data).await;
        assert_eq!(
            (outcome.written.written, outcome.written.latest_changed),
            (0, 0)
        );
        let verdict = verified(&url, data).await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!((verdict.rows, verdict.latest_right), (rows, 7));

        let client = postgres.client("tool_changes").await;
        let at = "WHERE kafka_partition = 1 AND kafka_offset = 42";
        for (change, found) in [
            (
                format!("DELETE FROM realtime_quotes {at}"),
                "1 records without a row",
            ),
            (
                format!("UPDATE realtime_quotes SET kafka_offset = 5000 {at}"),
                "1 rows of no record",
            ),
            (
                format!("UPDATE realtime_quotes SET price = price + 1 {at}"),
                "stock-quotes-1@42 (price)",
            ),
            (
                format!("UPDATE realtime_quotes SET price = trim_scale(price) {at}"),
                "stock-quotes-1@42 (price)",
            ),
            (
                format!("UPDATE realtime_quotes SET price = 'NaN' {at}"),
                "1 rows foreign",
            ),
            (
                format!("UPDATE realtime_quotes SET volume = 0 {at}"),
                "stock-quotes-1@42 (volume)",
            ),
            (
                format!("UPDATE realtime_quotes SET time = time + '1 us' {at}"),
                "stock-quotes-1@42 (time)",
            ),
            (
                format!("UPDATE realtime_quotes SET created_at = created_at + '40 days' {at}"),
                "stock-quotes-1@42 (created_at)",
            ),
            (
                format!("UPDATE realtime_quotes SET flags = '{{}}' {at}"),
                "stock-quotes-1@42 (flags)",
            ),
            (
                "UPDATE latest_quotes SET kafka_offset = kafka_offset - 7 WHERE ticker = 'S3'"
                    .to_owned(),
                "S3 is stale",
            ),
            (
                "UPDATE latest_quotes SET price = 1 WHERE ticker = 'S3'".to_owned(),
                "S3 has other price",
            ),
            (
                "DELETE FROM latest_quotes WHERE ticker = 'S3'".to_owned(),
                "1 latest quotes missing: S3",
            ),
            (
                "UPDATE latest_quotes SET ticker = 'S9' WHERE ticker = 'S3'".to_owned(),
                "S9 is of no record",
            ),
        ] {
            client.batch_execute("CREATE TABLE h AS TABLE realtime_quotes; CREATE TABLE l AS TABLE latest_quotes").await.unwrap();
            client.batch_execute(&change).await.unwrap();
            let verdict = verified(&url, data).await;
            assert!(!verdict.is_exact(), "{change}");
            assert!(verdict.to_string().contains(found), "{change}: {verdict}");
            let back = "DELETE FROM realtime_quotes; DELETE FROM latest_quotes; INSERT INTO realtime_quotes TABLE h; \
                        INSERT INTO latest_quotes TABLE l; DROP TABLE h, l";
            client.batch_execute(back).await.unwrap();
        }
        assert!(verified(&url, data).await.is_exact());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn two_that_migrate_at_once_end_with_the_same_tables() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_twice").await;
        let (one, other) = tokio::join!(migrated(&url, &["--json"]), migrated(&url, &["--json"]));
        let applied = |text: &String| text.contains(r#""applied":[1,2,3]"#);
        assert_ne!(applied(&one), applied(&other), "{one}{other}");
        let again = migrated(&url, &["--json"]).await;
        assert!(
            again.contains(r#""applied":[],"#) && again.contains(r#""days_made":[]"#),
            "{again}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn the_sql_that_is_printed_makes_the_tables_that_migrate_takes_for_its_own() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_printed").await;
        let sql = migrated(&url, &["--print"]).await;
        let (tables, days) = sql.split_once("\nCALL ").unwrap();
        let client = postgres.client("tool_printed").await;
        assert_eq!(
            count(
                &client,
                "SELECT count(*) FROM pg_class WHERE relname = 'realtime_quotes'"
            )
            .await,
            0
        );
        client.batch_execute(tables).await.unwrap();
        client.batch_execute(&format!("CALL {days}")).await.unwrap();
        let said = migrated(&url, &[]).await;
        assert!(
            said.contains("no migration was missing\ndays: 0 made"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn days_are_made_and_dropped_while_rows_come_in() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_load").await;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        lake(&data).await;
        let data = data.to_str().unwrap();
        // Without days of the past the rows go to the default partition, which the second call empties.
        migrated(&url, &[]).await;
        let (outcome, _) = tokio::join!(
            replayed(&url, data),
            migrated(&url, &["--days-since", "2026-05-20"])
        );
        assert!(outcome.is_complete(), "{}", outcome.text(false));
        let verdict = verified(&url, data).await;
        assert!(verdict.is_exact(), "{verdict}");
        let said = migrated(&url, &["--keep-days", "1"]).await;
        assert!(said.contains("dropped (2026-05-20 to "), "{said}");
        let client = postgres.client("tool_load").await;
        assert_eq!(
            count(&client, "SELECT count(*) FROM realtime_quotes").await,
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_table_of_somebody_has_its_sentence_at_once_and_once_it_is_renamed_quotes_take_over() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_taken").await;
        let client = postgres.client("tool_taken").await;
        let own = "CREATE TABLE realtime_quotes(id serial PRIMARY KEY, ticker text, price numeric, created_at timestamptz)";
        client.batch_execute(own).await.unwrap();
        let started = Instant::now();
        let said = try_migrate(&url, &[]).await.unwrap_err().to_string();
        assert!(
            said.contains("ALTER TABLE realtime_quotes RENAME TO"),
            "{said}"
        );
        assert!(started.elapsed() < Duration::from_secs(5), "{said}");
        let rename = "ALTER TABLE realtime_quotes RENAME TO realtime_quotes_before";
        client.batch_execute(rename).await.unwrap();
        let said = migrated(&url, &["--json"]).await;
        assert!(said.contains(r#""applied":[1,2,3]"#), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn what_is_not_there_is_refused_by_name() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_names").await;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        lake(&data).await;
        let data = data.to_str().unwrap();
        migrated(&url, &["--days-since", "2026-05-20"]).await;
        let refused = try_replay(&url, data, &["--after", "zzz"]).await;
        let said = refused.unwrap_err().to_string();
        assert!(said.starts_with("--after 'zzz' is no object"), "{said}");
        assert!(replayed(&url, data).await.is_complete());
        for more in [
            ["--topic", "no-such-topic"],
            ["--range", "no-such-topic-0:0-10"],
        ] {
            let said = try_verify(&url, data, &more).await.unwrap_err().to_string();
            assert!(said.contains("the topic 'no-such-topic'"), "{said}");
        }
        let known = try_verify(&url, data, &["--topic", "stock-quotes"]).await;
        assert!(known.unwrap().is_exact());

        // Beyond the records, and within the range.
        let client = postgres.client("tool_names").await;
        let by_hand = "UPDATE realtime_quotes SET kafka_offset = 450 WHERE kafka_partition = 1 AND kafka_offset = 42";
        client.batch_execute(by_hand).await.unwrap();
        let range = ["--range", "stock-quotes-1:0-500"];
        let verdict = try_verify(&url, data, &range).await.unwrap();
        assert_eq!(verdict.unfounded.first, ["stock-quotes-1@450"], "{verdict}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_cut_connection_of_migrate_is_made_again() {
    for version in versions() {
        let postgres = shared(version).await;
        let url = postgres.create_database("tool_cut").await;
        migrated(&url, &[]).await;
        let mut holder = postgres.client("tool_cut").await;
        let transaction = holder.transaction().await.unwrap();
        let lock = "LOCK TABLE realtime_quotes IN ACCESS EXCLUSIVE MODE";
        transaction.batch_execute(lock).await.unwrap();
        let cutter = postgres.client("tool_cut").await;
        let cut = async {
            let waiting = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE datname = 'tool_cut' AND wait_event_type = 'Lock'";
            while count(&cutter, waiting).await == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            transaction.rollback().await.unwrap();
        };
        let (said, ()) = tokio::join!(migrated(&url, &["--days-ahead", "5"]), cut);
        assert!(said.contains("days: 2 made"), "{said}");
    }
}
