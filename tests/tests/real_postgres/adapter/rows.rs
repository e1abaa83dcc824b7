//! Rows in, rows out.

use jiff::civil::date;
use pipeline_tests::{
    real_postgres::Pgbouncer,
    table_conformance::{Tables, keeps_every_promise, writers_at_once_end_in_the_same_tables},
};
use tables::{MemoryTables, Upsert, UpsertError, Upserted};

use super::*;

/// The tables, and a connection that reads them.
struct Readable(PostgresTables, Database);

impl Upsert for Readable {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        self.0.upsert(rows, until).await
    }
}

impl Tables for Readable {
    async fn history(&self, epoch: &str) -> Vec<Row> {
        let rows = self.1.history(epoch, None).await.unwrap();
        rows.try_collect().await.unwrap()
    }

    async fn latest(&self) -> Vec<Row> {
        latest(&self.1).await
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn the_tables_in_postgres_keep_every_promise() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("promises").await;
        let pooler = spawn_blocking(|| Pgbouncer::before(postgres, 2))
            .await
            .unwrap();
        let one = Readable(tables(&url), migrated(&url).await);
        let other = Readable(tables(&pooler.url_of("promises")), migrated(&url).await);
        keeps_every_promise(&one).await;
        writers_at_once_end_in_the_same_tables(&one, &other).await;
    }
}

/// A row with the most that a record may say.
fn full() -> Row {
    let number = |text: &str| Some(text.parse::<Number>().unwrap());
    Row {
        ticker: "a'b\"c\\d{},%s \u{1F600}".to_owned(),
        time: "0001-01-01T00:00:00Z".parse().ok(),
        price: "0.30000000000000004".parse().unwrap(),
        volume: number("18434253109835476992.0000000000"),
        total_volume: number(&"9".repeat(100)),
        change: number("1e400"),
        change_percent: number("-1.5e-400"),
        ceiling_price: number("1.10"),
        floor_price: number("0"),
        reference_price: number("-0.0"),
        highest_price: number("0.00"),
        lowest_price: number("1e-8"),
        bid_price: number("12345678901234567890123456789012345678.12345678901234567890"),
        ask_price: number("1.10e2"),
        created_at: "9999-12-30T21:59:59.999999Z".parse().unwrap(),
        source: None,
        currency: Some("null".to_owned()),
        mic: Some(String::new()),
        session: Some("NULL".to_owned()),
        trading_date: Some(date(9999, 12, 31)),
        flags: Some(vec![
            "".to_owned(),
            "NULL".to_owned(),
            "a\"b\\c,{}\n".to_owned(),
        ]),
        offset: i64::MAX,
        ..row(i32::MAX, 4, 1)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_row_is_read_as_it_was_written_and_written_once() {
    for version in versions() {
        let url = shared(&version).await.create_database("rows").await;
        let database = migrated(&url).await;
        let bare = Row {
            time: None,
            event_id: None,
            source: None,
            flags: Some(Vec::new()),
            ..row(0, 1, 1)
        };
        let none = Row {
            flags: None,
            ..row(0, 2, 1)
        };
        let rows = [full(), none, bare, row(0, 3, 1)];
        let tables = tables(&url);
        let upserted = tables.upsert(&rows, soon()).await.unwrap();
        // Two of the four are of one key, and the full one lies a minute ahead of nothing.
        assert_eq!(
            upserted,
            Upserted {
                history: 4,
                latest: 3
            }
        );
        assert_eq!(
            tables.upsert(&rows, soon()).await.unwrap(),
            Upserted::default()
        );
        let [full, none, bare, last] = rows;
        assert_eq!(
            history(&database).await,
            [bare.clone(), none, last.clone(), full.clone()]
        );
        let mut expected = vec![bare, last, full];
        expected.sort_by(|a, b| tables::key(a).cmp(&tables::key(b)));
        assert_eq!(latest(&database).await, expected);
        assert_eq!(tables.connections(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn both_statements_of_today_s_consumers_work() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("consumers").await;
        migrated(&url).await;
        let rows: Vec<Row> = (0..20).map(|offset| row(0, offset, 5)).collect();
        tables(&url).upsert(&rows, soon()).await.unwrap();
        let client = postgres.client("consumers").await;
        let count = client
            .query_one("SELECT COUNT(*) FROM realtime_quotes", &[])
            .await;
        assert_eq!(count.unwrap().get::<_, i64>(0), 20);
        let newest = "SELECT * FROM realtime_quotes ORDER BY created_at DESC LIMIT 5";
        let newest = client.query(newest, &[]).await.unwrap();
        let offsets: Vec<i64> = newest.iter().map(|row| row.get("kafka_offset")).collect();
        assert_eq!(offsets, [19, 18, 17, 16, 15]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn whatever_the_order_and_the_cuts_the_tables_are_those_in_memory() {
    for version in versions() {
        let url = shared(&version).await.create_database("orders").await;
        let database = migrated(&url).await;
        let memory = MemoryTables::default();
        let (tables, newest_alone) = (tables(&url), PostgresTables::new(access(&url), false));
        let mut rows: Vec<Row> = (0..200)
            .map(|number| Row {
                // Ties in the time, and none at all.
                time: (number % 7 > 0)
                    .then(|| Timestamp::from_second(1_795_240_000 + number % 5).unwrap()),
                ..row(i32::try_from(number % 3).unwrap(), number, 11)
            })
            .collect();
        for round in 0..4 {
            for batch in rows.chunks(17 + round) {
                let written = tables.upsert(batch, soon()).await.unwrap();
                assert_eq!(written, memory.upsert(batch, soon()).await.unwrap());
                let again = newest_alone.upsert(batch, soon()).await.unwrap();
                assert_eq!(again, Upserted::default());
            }
            rows.rotate_left(61);
            rows.reverse();
        }
        let mut expected = memory.history();
        expected.sort_by_key(|row| (row.partition, row.offset));
        assert_eq!(history(&database).await, expected);
        assert_eq!(latest(&database).await, memory.latest());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn without_history_the_latest_quotes_are_kept_alone() {
    for version in versions() {
        let url = shared(&version).await.create_database("latest").await;
        let database = migrated(&url).await;
        let rows: Vec<Row> = (0..20).map(|offset| row(0, offset, 5)).collect();
        let tables = PostgresTables::new(access(&url), false);
        let upserted = tables.upsert(&rows, soon()).await.unwrap();
        assert_eq!(
            upserted,
            Upserted {
                history: 0,
                latest: 5
            }
        );
        assert_eq!(history(&database).await, []);
        assert_eq!(latest(&database).await, rows[15..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_value_that_the_table_can_t_take_is_told_and_its_neighbours_are_not_in() {
    for version in versions() {
        let url = shared(&version).await.create_database("values").await;
        let database = migrated(&url).await;
        // Noise, because an index packs what it can.
        let noise = (0..4_000_u32).scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x4e00 + (*state >> 18))
        });
        let long = Row {
            ticker: noise.collect(),
            ..row(0, 2, 1)
        };
        let rows = [row(0, 1, 1), long, row(0, 3, 1)];
        let tables = tables(&url);
        let error = tables.upsert(&rows, soon()).await.unwrap_err();
        let UpsertError::Refused { sqlstate, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(sqlstate, "54000");
        assert_eq!(history(&database).await, []);
        let upserted = tables.upsert(&rows[2..], soon()).await.unwrap();
        assert_eq!(
            upserted,
            Upserted {
                history: 1,
                latest: 1
            }
        );
        assert_eq!(tables.connections(), 1);
    }
}

/// 8 writers of the same rows, in opposite orders and other cuts.
async fn at_once(url: &str) -> u64 {
    let rows: Vec<Row> = (0..1_000).map(|offset| row(0, offset, 400)).collect();
    let writers = (0..8_usize).map(|writer| {
        let (mut rows, tables) = (rows.clone(), tables(url));
        tokio::spawn(async move {
            rows.rotate_left(writer * 111);
            if writer % 2 == 1 {
                rows.reverse();
            }
            let mut written = 0;
            for batch in rows.chunks(300 + writer) {
                written += tables.upsert(batch, soon()).await.unwrap().history;
            }
            written
        })
    });
    let written = futures::future::join_all(writers.collect::<Vec<_>>()).await;
    written.into_iter().map(Result::unwrap).sum()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn writers_of_the_same_keys_in_opposite_orders_never_deadlock() {
    for version in versions() {
        let postgres = start(&version, Options::default()).await;
        let database = migrated(&postgres.url()).await;
        assert_eq!(at_once(&postgres.url()).await, 1_000);
        let rows: Vec<Row> = (0..1_000).map(|offset| row(0, offset, 400)).collect();
        assert_eq!(history(&database).await, rows);
        let mut newest = rows[600..].to_vec();
        newest.sort_by(|a, b| tables::key(a).cmp(&tables::key(b)));
        assert_eq!(latest(&database).await, newest);
        assert!(!postgres.log().contains("deadlock"), "{}", postgres.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn eight_writers_share_two_connections_of_a_pooler() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("pooled_writers").await;
        let database = migrated(&url).await;
        let pooler = spawn_blocking(|| Pgbouncer::before(postgres, 2))
            .await
            .unwrap();
        let url = pooler.url_of("pooled_writers");
        assert_eq!(at_once(&url).await, 1_000);
        assert_eq!(history(&database).await.len(), 1_000);
        let counted = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'pooled_writers' AND application_name = 'quotelake'";
        let client = postgres.client("pooled_writers").await;
        let connections: i64 = client.query_one(counted, &[]).await.unwrap().get(0);
        assert!((1..=3).contains(&connections), "{connections}");
        let wrong = tables(&url.replace(postgres.password(), "c0ffee"));
        let error = wrong.check(soon()).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("store the user's password of today"),
            "{error}"
        );
        // By TLS, as a pooler in another network wants it.
        let authority = std::fs::read_to_string(&postgres.certificates().authority).unwrap();
        let verified = Access::of_url(&url, None, Some(authority)).unwrap();
        let tables = PostgresTables::new(verified, true);
        tables.check(soon()).await.unwrap();
        assert_eq!(
            tables
                .upsert(&[row(1, 0, 1)], soon())
                .await
                .unwrap()
                .history,
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn days_are_made_and_dropped_while_rows_come_in() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("days").await;
        let database = migrated(&url).await;
        let now = Timestamp::from_second(runtime::clock::now().as_second()).unwrap();
        let of_days = move |offset: i64| {
            let at = now - jiff::SignedDuration::from_hours(24 * (offset % 40));
            Row {
                time: Some(at),
                created_at: at,
                ..row(0, offset, 10)
            }
        };
        let writer = {
            let tables = tables(&url);
            tokio::spawn(async move {
                for batch in 0..60 {
                    let rows: Vec<Row> = (batch * 40..(batch + 1) * 40).map(of_days).collect();
                    tables.upsert(&rows, soon()).await.unwrap();
                }
            })
        };
        while database.make_days(5, None, None).await.is_err() {}
        writer.await.unwrap();
        database.make_days(5, None, None).await.unwrap();
        assert_eq!(database.days().await.unwrap().len(), 45);
        assert_eq!(history(&database).await.len(), 2_400);
        let client = postgres.client("days").await;
        let stray = "SELECT count(*) FROM realtime_quotes_default";
        assert_eq!(
            client.query_one(stray, &[]).await.unwrap().get::<_, i64>(0),
            0
        );
        database.make_days(5, Some(9), None).await.unwrap();
        assert_eq!(database.days().await.unwrap().len(), 15);
        assert_eq!(history(&database).await.len(), 600);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_table_is_read_a_row_at_a_time_whatever_its_size() {
    let version = versions().pop().unwrap();
    let postgres = shared(&version).await;
    let url = postgres.create_database("many").await;
    let database = migrated(&url).await;
    let fill = "INSERT INTO realtime_quotes (ticker, price, created_at, topic, epoch, kafka_partition, kafka_offset, event_id)
                SELECT 'T', n, to_timestamp(n), 't', '1', 0, n, repeat('x', 500) FROM generate_series(1, 200000) AS n";
    postgres
        .client("many")
        .await
        .batch_execute(fill)
        .await
        .unwrap();
    let before = peak();
    let rows = database.history("1", None).await.unwrap();
    let count = rows
        .try_fold(0, async |count, _| Ok(count + 1))
        .await
        .unwrap();
    assert_eq!(count, 200_000);
    // The rows are over 140 MB.
    let more = peak().saturating_sub(before);
    assert!(more < 80_000, "{more} kB");
}

/// The most memory that this process has had, in kB. Source: proc(5), `VmHWM`.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
