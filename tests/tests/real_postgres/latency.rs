//! How long it takes from the fetch of a quote to its row, as the clock of the server tells it.

use std::{fs, time::Duration};

use futures::future::join_all;
use pipeline_tests::{
    plane::{options, workspace},
    real_postgres::{Options, Postgres, versions},
};
use plane::postgres::NAME;
use quotelake::up::Running;
use runtime::clock;
use stream::publish::{KafkaPublisher, Publish};
use tables::postgres::{Access, Database};
use tempfile::TempDir;
use tokio::{
    task::spawn_blocking,
    time::{Instant, interval, sleep},
};

/// The product's promise, 99 of 100 rows.
const PROMISED: Duration = Duration::from_secs(3);

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

const TICKERS: u64 = 1_000;

/// The times from `created_at`, which is when a quote was fetched, to the commit of its row.
const LATENCY: &str = "
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY latency), percentile_cont(0.99) WITHIN GROUP (ORDER BY latency)
    FROM (
        SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - created_at)::float8 AS latency
        FROM realtime_quotes WHERE currency = $1
    ) AS rows";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_row_is_committed_within_three_seconds_of_its_fetch() {
    let version = versions().pop().unwrap();
    let postgres = spawn_blocking(move || Postgres::start_with(&version, &durable()))
        .await
        .unwrap();
    let access = Access::of_url(&postgres.url(), None, None).unwrap();
    let mut database = Database::connect(&access, Instant::now() + PATIENCE)
        .await
        .unwrap();
    database.migrate().await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let running = start(&postgres, &data).await;
    let publisher = KafkaPublisher::new(running.cluster()).unwrap();
    publisher.connect(PATIENCE).await.unwrap();

    // A cycle of the poller for 1,000 tickers, at once, as it is every five minutes; the function has not started.
    join_all((0..TICKERS).map(|number| publish(&publisher, number, "AAA"))).await;
    let cycle = latency(&postgres, "AAA", TICKERS).await;

    // 1,000 records a second for fifteen seconds.
    let (seconds, ticks) = (15, 50);
    let mut tick = interval(Duration::from_secs(1) / ticks);
    for turn in 0..seconds * ticks {
        tick.tick().await;
        let numbers = (0..20).map(|number| (u64::from(turn) * 20 + number) % TICKERS);
        join_all(numbers.map(|number| publish(&publisher, number, "BBB"))).await;
    }
    let stream = latency(&postgres, "BBB", u64::from(seconds) * 1_000).await;
    drop(running);
    for (what, [half, most]) in [("a cycle", cycle), ("1,000 a second", stream)] {
        assert!(
            most < PROMISED.as_secs_f64(),
            "{what}: p50 {half:.3} s, p99 {most:.3} s"
        );
    }
}

/// A server that writes to its disk, and notes the time of each commit.
fn durable() -> Options {
    let parameters = [("fsync", "on"), ("track_commit_timestamp", "on")];
    Options {
        parameters: parameters
            .map(|(name, value)| (name, value.to_owned()))
            .into(),
        disk: None,
    }
}

/// The upserter alone, with a batching window of nothing.
async fn start(postgres: &Postgres, data: &TempDir) -> Running {
    let secret = data.path().join("password");
    fs::write(&secret, postgres.password()).unwrap();
    let parameters = [
        ("DatabasePort", postgres.port().to_string()),
        ("DatabaseName", NAME.to_owned()),
        ("DatabaseUser", postgres.user().to_owned()),
        ("DatabaseSecret", format!("file:{}", secret.display())),
    ];
    let options = quotelake::up::Options {
        template: workspace().join("tests/postgres/template.yaml"),
        parameters: parameters
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        ..options(data).await
    };
    Running::start(&options).await.unwrap()
}

/// A quote that is fetched now; `currency` tells whose turn it is of.
async fn publish(publisher: &KafkaPublisher, number: u64, currency: &str) {
    let symbol = format!("T{number:03}");
    let now = clock::now();
    let (fetched, second) = (format!("{now:.3}"), now.as_second());
    let quote = format!(
        r#"{{"c":308.82,"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":{second},"symbol":"{symbol}",
        "fetched_at":{second},"meta":{{"source":"finnhub","schema":"stock-quotes/1","event_id":"{second}{symbol}",
        "symbol":"{symbol}","asset_class":"equity","mic":null,"currency":"{currency}","session":"post",
        "trading_date":"2026-05-22","event_time":"{fetched}","fetched_at":"{fetched}","age_ms":0,"flags":[]}}}}"#
    );
    let until = Instant::now() + PATIENCE;
    let published = publisher.publish("stock-quotes", &symbol, quote.as_bytes(), until);
    published.await.unwrap();
}

/// p50 and p99 in seconds, once all rows are there.
async fn latency(postgres: &Postgres, currency: &str, rows: u64) -> [f64; 2] {
    let client = postgres.client(NAME).await;
    let end = Instant::now() + PATIENCE;
    loop {
        let row = client.query_one(LATENCY, &[&currency]).await.unwrap();
        let found: i64 = row.get(0);
        if u64::try_from(found) == Ok(rows) {
            return [row.get(1), row.get(2)];
        }
        assert!(Instant::now() < end, "{found} of {rows} rows");
        sleep(Duration::from_millis(200)).await;
    }
}
