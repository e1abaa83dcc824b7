//! The servers of these tests are what they are said to be.

use std::time::Duration;

use pipeline_tests::real_postgres::{Options, Pgbouncer, Postgres, versions};
use plane::postgres::NAME;
use tokio::{task::spawn_blocking, time::timeout};
use tokio_postgres::{Client, Config, NoTls, error::SqlState};

const TABLE: &str = "CREATE TABLE held (text text)";
const ROW: &str = "INSERT INTO held VALUES ('a')";
/// Some 10 MB.
const MANY: &str = "INSERT INTO held SELECT repeat('a', 1000) FROM generate_series(1, 10000)";

async fn start(version: String, options: Options) -> Postgres {
    spawn_blocking(move || Postgres::start_with(&version, &options))
        .await
        .unwrap()
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn rows(client: &Client) -> i64 {
    let counted = client.query_one("SELECT count(*) FROM held", &[]).await;
    counted.unwrap().get(0)
}

async fn refusal(client: &Client, statement: &str) -> SqlState {
    let error = client.batch_execute(statement).await.unwrap_err();
    error.code().cloned().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_killed_server_keeps_what_was_committed_and_nothing_else() {
    for version in versions() {
        let mut postgres = start(version, Options::default()).await;
        let url = postgres.url();
        let writer = client(&url).await;
        writer.batch_execute(TABLE).await.unwrap();
        writer.batch_execute(ROW).await.unwrap();
        writer.batch_execute("BEGIN").await.unwrap();
        writer.batch_execute(ROW).await.unwrap();
        postgres.kill();
        assert!(writer.batch_execute("COMMIT").await.is_err());
        assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
        postgres.restart();
        assert_eq!(rows(&client(&url).await).await, 1);
        postgres.stop();
        postgres.restart();
        assert_eq!(rows(&client(&url).await).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_read_only_server_and_a_full_disk_refuse_a_write_until_they_don_t() {
    let disk = Some(64 << 20);
    for version in versions() {
        let options = Options {
            disk,
            ..Options::default()
        };
        let postgres = start(version, options).await;
        client(&postgres.url())
            .await
            .batch_execute(TABLE)
            .await
            .unwrap();

        postgres.set_read_only(true).await;
        let session = client(&postgres.url()).await;
        let refused = refusal(&session, ROW).await;
        assert_eq!(refused, SqlState::READ_ONLY_SQL_TRANSACTION);
        postgres.set_read_only(false).await;
        let session = client(&postgres.url()).await;
        session.batch_execute(ROW).await.unwrap();

        postgres.fill_disk();
        assert_eq!(refusal(&session, MANY).await, SqlState::DISK_FULL);
        assert_eq!(rows(&session).await, 1);
        postgres.empty_disk();
        session.batch_execute(MANY).await.unwrap();
        assert_eq!(rows(&session).await, 10_001);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_frozen_server_answers_once_it_is_thawed() {
    let short = Duration::from_millis(300);
    for version in versions() {
        let postgres = start(version, Options::default()).await;
        let session = client(&postgres.url()).await;
        postgres.freeze();
        let asked = session.query_one("SELECT 1", &[]);
        tokio::pin!(asked);
        assert!(timeout(short, &mut asked).await.is_err());
        postgres.thaw();
        assert_eq!(asked.await.unwrap().get::<_, i32>(0), 1);
        // The next is dropped while it is frozen.
        postgres.freeze();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_pooler_lends_one_connection_to_many_for_a_transaction_each() {
    for version in versions() {
        let postgres = spawn_blocking(move || Postgres::shared(&version))
            .await
            .unwrap();
        let database = "pooled";
        postgres.create_database(database).await;
        let pooler = spawn_blocking(|| Pgbouncer::before(postgres, 1))
            .await
            .unwrap();
        let (one, other) = (
            client(&pooler.url_of(database)).await,
            client(&pooler.url_of(database)).await,
        );
        let process = "SELECT pg_backend_pid()";
        let of = async |client: &Client| {
            client
                .simple_query(process)
                .await
                .unwrap()
                .iter()
                .find_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                })
        };
        let (first, second) = (of(&one).await, of(&other).await);
        assert!(first.is_some());
        assert_eq!(first, second);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_has_a_socket_and_asks_everybody_for_the_password() {
    for version in versions() {
        let postgres = spawn_blocking(move || Postgres::shared(&version))
            .await
            .unwrap();
        let mut config = Config::new();
        config.user(NAME).dbname(NAME).port(postgres.port());
        config.host_path(postgres.socket_folder());
        let without = config.connect(NoTls).await.err().unwrap();
        assert!(
            format!("{without:?}").contains("password missing"),
            "{without:?}"
        );
        config.password("wrong");
        let wrong = config.connect(NoTls).await.err().unwrap();
        assert_eq!(wrong.code(), Some(&SqlState::INVALID_PASSWORD));
        config.password(postgres.password());
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("SELECT 1").await.unwrap();
    }
}
