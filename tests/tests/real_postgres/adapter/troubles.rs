//! A server that is away, slow, full or cut off in the middle costs a batch a second try, and no row.

use std::sync::atomic::{AtomicBool, Ordering};

use pipeline_tests::real_postgres::Pgbouncer;
use tables::{Upsert, UpsertError, Upserted};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    spawn,
    time::sleep,
};

use super::*;

fn unavailable(error: &UpsertError) -> String {
    assert!(matches!(error, UpsertError::Unavailable { .. }), "{error}");
    error.to_string()
}

/// A way to a server, which cuts a connection when its next answer comes.
struct Way {
    port: u16,
    cuts: Arc<AtomicBool>,
}

impl Way {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::<AtomicBool>::default();
        let cut = Arc::clone(&cuts);
        spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let cut = Arc::clone(&cut);
                spawn(async move {
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let there = spawn(async move {
                        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
                    });
                    let mut bytes = [0; 8192];
                    while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
                        if cut.swap(false, Ordering::SeqCst)
                            || to_client.write_all(&bytes[..length]).await.is_err()
                        {
                            break;
                        }
                    }
                    there.abort();
                });
            }
        });
        Self { port, cuts }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_connection_that_is_cut_after_the_commit_is_replaced_and_no_row_is_doubled() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("cut").await;
        let database = migrated(&url).await;
        let way = Way::to(postgres.port()).await;
        let tables = tables(&url.replace(&postgres.port().to_string(), &way.port.to_string()));
        tables.check(soon()).await.unwrap();
        let rows: Vec<Row> = (0..20).map(|offset| row(0, offset, 5)).collect();
        way.cuts.store(true, Ordering::SeqCst);
        // The first try is committed and its answer lost; the second finds everything there.
        let upserted = tables.upsert(&rows, soon()).await.unwrap();
        assert_eq!(upserted, Upserted::default());
        assert_eq!(tables.connections(), 2);
        assert_eq!(history(&database).await, rows);
        assert_eq!(latest(&database).await, rows[15..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_connection_that_died_between_two_batches_is_replaced() {
    for version in versions() {
        let mut postgres = start(&version, Options::default()).await;
        let database = migrated(&postgres.url()).await;
        drop(database);
        let tables = tables(&postgres.url());
        tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();
        postgres.cut_connections().await;
        assert_eq!(
            tables
                .upsert(&[row(0, 1, 1)], soon())
                .await
                .unwrap()
                .history,
            1
        );
        let postgres = spawn_blocking(move || {
            postgres.kill();
            postgres
        });
        let mut postgres = postgres.await.unwrap();
        let said = unavailable(&tables.upsert(&[row(0, 2, 1)], soon()).await.unwrap_err());
        assert!(said.contains("refused"), "{said}");
        let postgres = spawn_blocking(move || {
            postgres.restart();
            postgres
        });
        let postgres = postgres.await.unwrap();
        assert_eq!(
            tables
                .upsert(&[row(0, 2, 1)], soon())
                .await
                .unwrap()
                .history,
            1
        );
        assert_eq!(tables.connections(), 3);
        let database = Database::connect(&access(&postgres.url()), soon())
            .await
            .unwrap();
        assert_eq!(history(&database).await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_hangs_costs_the_time_and_no_more() {
    for version in versions() {
        let postgres = start(&version, Options::default()).await;
        let database = migrated(&postgres.url()).await;
        let tables = tables(&postgres.url());
        tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();
        postgres.freeze();
        for _ in 0..2 {
            let start = Instant::now();
            let until = start + Duration::from_secs(1);
            let error = tables.upsert(&[row(0, 1, 1)], until).await.unwrap_err();
            assert!(matches!(error, UpsertError::OutOfTime { .. }), "{error}");
            assert!(
                start.elapsed() < Duration::from_millis(1_200),
                "{:?}",
                start.elapsed()
            );
        }
        postgres.thaw();
        tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap();
        assert_eq!(history(&database).await, [row(0, 0, 1), row(0, 1, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_statement_that_waits_too_long_is_taken_back_by_every_way() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("taken_back").await;
        let database = migrated(&url).await;
        let pooler = spawn_blocking(|| Pgbouncer::before(postgres, 2))
            .await
            .unwrap();
        let authority = std::fs::read_to_string(&postgres.certificates().authority).unwrap();
        let ways = [
            access(&url),
            Access::of_url(&url, None, Some(authority.clone())).unwrap(),
            access(&pooler.url_of("taken_back")),
            Access::of_url(&pooler.url_of("taken_back"), None, Some(authority)).unwrap(),
        ];
        for (number, way) in ways.into_iter().enumerate() {
            let owner = postgres.client("taken_back").await;
            owner
                .batch_execute("BEGIN; LOCK TABLE latest_quotes")
                .await
                .unwrap();
            let tables = PostgresTables::new(way, true);
            let until = Instant::now() + Duration::from_secs(2);
            let offset = i64::try_from(number).unwrap();
            let error = tables
                .upsert(&[row(0, offset, 1)], until)
                .await
                .unwrap_err();
            assert!(matches!(error, UpsertError::OutOfTime { .. }), "{error}");
            let active = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'taken_back' AND state = 'active' AND pid <> pg_backend_pid()";
            // Without the request it would wait for the lock, as nobody tells it that its client is gone.
            let end = soon();
            while owner.query_one(active, &[]).await.unwrap().get::<_, i64>(0) > 0 {
                assert!(Instant::now() < end, "way {number}");
                sleep(Duration::from_millis(10)).await;
            }
            owner.batch_execute("COMMIT").await.unwrap();
            assert_eq!(history(&database).await.len(), number);
            tables.upsert(&[row(0, offset, 1)], soon()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_is_read_only_full_or_taken_up_is_told_and_comes_back() {
    for version in versions() {
        let options = Options {
            parameters: vec![("max_connections", "8".to_owned())],
            disk: Some(64 << 20),
        };
        let postgres = start(&version, options).await;
        let database = migrated(&postgres.url()).await;
        let tables = tables(&postgres.url());
        tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();

        postgres.set_read_only(true).await;
        postgres.cut_connections().await;
        let error = tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("SQLSTATE 25006): name the primary's address"),
            "{error}"
        );
        postgres.set_read_only(false).await;
        tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap();

        postgres.fill_disk();
        let many: Vec<Row> = (0..40_000).map(|offset| row(1, offset, 1)).collect();
        let error = tables.upsert(&many, soon()).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("SQLSTATE 53100): give the server more storage"),
            "{error}"
        );
        postgres.empty_disk();
        tables.upsert(&many[..100], soon()).await.unwrap();

        // As a user who gets none of the connections that are kept for administrators.
        let owner = postgres.client("quotelake").await;
        owner
            .batch_execute("CREATE ROLE taken LOGIN PASSWORD 'p' IN ROLE quotelake_writer")
            .await
            .unwrap();
        let url = postgres.url();
        let as_other = url.replace(
            &format!("{}:{}@", postgres.user(), postgres.password()),
            "taken:p@",
        );
        let mut others = Vec::new();
        let late = super::tables(&as_other);
        let error = loop {
            match Database::connect(&access(&as_other), soon()).await {
                Ok(other) => others.push(other),
                Err(error) => break error,
            }
        };
        let said = unavailable(&error);
        assert!(said.contains("SQLSTATE 53300"), "{said}");
        assert!(said.contains("free connections"), "{said}");
        drop(others);
        while late.check(soon()).await.is_err() {}
        late.upsert(&[row(0, 2, 1)], soon()).await.unwrap();
        drop(database);
    }
}
