//! What somebody has changed of the tables or of their database costs no row: it is told, or goes unnoticed.

use tables::{
    Upsert, UpsertError,
    postgres::{MigrateError, ReadError},
};
use tokio::time::{sleep, timeout};

use super::*;

/// The remedy of what can't be used as it is set up.
fn remedy(error: &UpsertError) -> &str {
    match error {
        UpsertError::Misconfigured { remedy, .. } => remedy,
        other => panic!("{other}"),
    }
}

async fn sqlstate(tables: &PostgresTables, row: Row) -> String {
    match tables.upsert(&[row], soon()).await.unwrap_err() {
        UpsertError::Refused { sqlstate, .. } => sqlstate,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn columns_that_somebody_adds_and_drops_are_left_alone() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("columns").await;
        let (database, tables) = (migrated(&url).await, tables(&url));
        let owner = postgres.client("columns").await;
        let change = async |statement: &str| owner.batch_execute(statement).await.unwrap();
        let newest_alone = PostgresTables::new(access(&url), false);
        tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();
        for table in ["realtime_quotes", "latest_quotes"] {
            let added = "ADD written timestamptz NOT NULL DEFAULT now(), ADD note text";
            change(&format!("ALTER TABLE {table} {added}")).await;
        }
        let written = tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap();
        assert_eq!((written.history, written.latest), (1, 1));
        database.make_days(2, None, None).await.unwrap();
        let one = newest_alone.upsert(&[row(0, 2, 1)], soon()).await.unwrap();
        assert_eq!(one.latest, 1);
        let stays = "SELECT count(*) FROM latest_quotes WHERE written <= now() AND note IS NULL";
        assert_eq!(
            owner.query_one(stays, &[]).await.unwrap().get::<_, i64>(0),
            1
        );
        for table in ["realtime_quotes", "latest_quotes"] {
            change(&format!("ALTER TABLE {table} DROP COLUMN written")).await;
        }
        let written = tables.upsert(&[row(0, 3, 1)], soon()).await.unwrap();
        assert_eq!((written.history, written.latest), (1, 1));
        database.make_days(3, None, None).await.unwrap();
        assert_eq!(
            history(&database).await,
            [row(0, 0, 1), row(0, 1, 1), row(0, 3, 1)]
        );
        assert_eq!(latest(&database).await, [row(0, 3, 1)]);
        assert_eq!((tables.connections(), newest_alone.connections()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_column_or_a_key_that_somebody_adds_brings_the_batch_again_and_is_named() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("additions").await;
        let (database, tables) = (migrated(&url).await, tables(&url));
        let owner = postgres.client("additions").await;
        let change = async |statement: &str| owner.batch_execute(statement).await.unwrap();
        let refused = async || {
            let error = tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap_err();
            remedy(&error).to_owned()
        };
        change("ALTER TABLE realtime_quotes ADD tenant text NOT NULL").await;
        assert!(
            refused()
                .await
                .starts_with("drop the column tenant that was added to realtime_quotes"),
            "{}",
            refused().await
        );
        change("ALTER TABLE realtime_quotes ALTER tenant SET DEFAULT 'one'").await;
        tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();
        change("CREATE UNIQUE INDEX one_price ON latest_quotes (source)").await;
        let other = Row {
            ticker: "OTHER".to_owned(),
            ..row(0, 2, 1)
        };
        let error = tables.upsert(&[other], soon()).await.unwrap_err();
        assert_eq!(
            remedy(&error),
            "drop the constraint or unique index one_price that was added to latest_quotes"
        );
        change("DROP INDEX one_price").await;
        // A rule about values is one, and so is what a trigger says.
        change("ALTER TABLE latest_quotes ADD CONSTRAINT cheap CHECK (price < 5)").await;
        assert_eq!(sqlstate(&tables, row(0, 7, 1)).await, "23514");
        change("ALTER TABLE latest_quotes DROP CONSTRAINT cheap").await;
        change("CREATE TABLE known (ticker text PRIMARY KEY); INSERT INTO known VALUES ('T0')")
            .await;
        change("ALTER TABLE latest_quotes ADD CONSTRAINT of_known FOREIGN KEY (ticker) REFERENCES known").await;
        assert_eq!(sqlstate(&tables, row(0, 8, 10)).await, "23503");
        change("ALTER TABLE latest_quotes DROP CONSTRAINT of_known").await;
        change("CREATE RULE none AS ON INSERT TO latest_quotes DO INSTEAD NOTHING").await;
        assert!(
            refused()
                .await
                .contains("undo what was changed of its tables")
        );
        change("DROP RULE none ON latest_quotes").await;
        change("ALTER TABLE latest_quotes RENAME mic TO venue").await;
        assert!(
            refused()
                .await
                .contains("undo what was changed of its tables")
        );
        change("ALTER TABLE latest_quotes RENAME venue TO mic").await;
        tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap();
        assert_eq!(history(&database).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_default_partition_that_is_gone_is_told_and_made_again() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("partition").await;
        let (database, tables) = (migrated(&url).await, tables(&url));
        let owner = postgres.client("partition").await;
        let rows = [row(0, 0, 1), row(0, 1, 1), row(0, 2, 1)];
        tables.upsert(&rows[..1], soon()).await.unwrap();
        for (number, gone) in ["DETACH PARTITION", "DROP"].into_iter().enumerate() {
            let statement = match gone {
                "DROP" => "DROP TABLE realtime_quotes_default".to_owned(),
                gone => format!("ALTER TABLE realtime_quotes {gone} realtime_quotes_default"),
            };
            // What it had goes to the partition of its day first, where it is dropped.
            if gone == "DROP" {
                database.make_days(0, None, None).await.unwrap();
            }
            owner.batch_execute(&statement).await.unwrap();
            let far = Row {
                created_at: format!("202{number}-01-01T00:00:00Z").parse().unwrap(),
                ..rows[number + 1].clone()
            };
            let error = tables
                .upsert(std::slice::from_ref(&far), soon())
                .await
                .unwrap_err();
            assert!(
                remedy(&error).starts_with("run 'quotelake migrate' on it, which makes"),
                "{error}"
            );
            database.make_days(1, None, None).await.unwrap();
            assert_eq!(tables.upsert(&[far], soon()).await.unwrap().history, 1);
            assert_eq!(history(&database).await.len(), number + 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_database_of_another_encoding_is_refused_before_a_row_of_it_is_lost() {
    for version in versions() {
        let postgres = shared(&version).await;
        postgres.create_database("utf8").await;
        let owner = postgres.client("utf8").await;
        let make = "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
        owner.batch_execute(make).await.unwrap();
        let url = postgres.url_of("latin");
        let remedy_of_all = "make the database with ENCODING 'UTF8'";
        let mut database = Database::connect(&access(&url), soon()).await.unwrap();
        match database.migrate().await.unwrap_err() {
            MigrateError::Database(error) => assert_eq!(remedy(&error), remedy_of_all),
            other => panic!("{other}"),
        }
        let owner = postgres.client("latin").await;
        let printed = tables::postgres::printed();
        owner.batch_execute(&printed).await.unwrap();
        // The check, and a first batch that nothing was asked before.
        let checked = tables(&url).check(soon()).await.unwrap_err();
        assert!(
            checked
                .to_string()
                .contains("(its encoding is LATIN1): make"),
            "{checked}"
        );
        let error = tables(&url)
            .upsert(&[row(0, 0, 1)], soon())
            .await
            .unwrap_err();
        assert_eq!(error, checked);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_text_that_the_database_has_no_character_for_is_not_the_record_s_fault() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("words").await;
        let (_database, tables) = (migrated(&url).await, tables(&url));
        let owner = postgres.client("words").await;
        for code in ["22P05", "22021"] {
            let trigger = format!(
                "CREATE OR REPLACE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE 'no such character' USING ERRCODE = '{code}'; END $$;
                 CREATE OR REPLACE TRIGGER says BEFORE INSERT ON latest_quotes FOR EACH ROW EXECUTE FUNCTION says()"
            );
            let trigger = trigger.replace("OR REPLACE TRIGGER", "TRIGGER");
            owner
                .batch_execute("DROP TRIGGER IF EXISTS says ON latest_quotes")
                .await
                .unwrap();
            owner.batch_execute(&trigger).await.unwrap();
            let error = tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap_err();
            assert_eq!(remedy(&error), "make the database with ENCODING 'UTF8'");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn days_are_those_of_utc_whatever_the_database_s_zone_and_style_of_dates() {
    for version in versions() {
        let postgres = shared(&version).await;
        let bounds = async |name: &str, settings: &[&str]| {
            let url = postgres.create_database(name).await;
            let owner = postgres.client(name).await;
            for setting in settings {
                let set = format!("ALTER DATABASE {name} SET {setting}");
                owner.batch_execute(&set).await.unwrap();
            }
            let (database, tables) = (migrated(&url).await, tables(&url));
            let now = runtime::clock::now();
            let stray = Row {
                created_at: Timestamp::from_second(now.as_second()).unwrap(),
                ..row(0, 0, 1)
            };
            tables
                .upsert(std::slice::from_ref(&stray), soon())
                .await
                .unwrap();
            database.make_days(40, None, None).await.unwrap();
            assert_eq!(history(&database).await, [stray]);
            let client = postgres.client(name).await;
            client
                .batch_execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
                .await
                .unwrap();
            let asked = "SELECT relname || ' ' || pg_get_expr(relpartbound, oid) FROM pg_class
                         WHERE relname ~ '^realtime_quotes_[0-9]{8}$' ORDER BY relname";
            let rows = client.query(asked, &[]).await.unwrap();
            let in_default = "SELECT count(*) FROM realtime_quotes_default";
            let in_default = client.query_one(in_default, &[]).await.unwrap();
            assert_eq!(in_default.get::<_, i64>(0), 0);
            rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
        };
        let plain = bounds("plain", &[]).await;
        assert_eq!(plain.len(), 41);
        let day = &plain[0]["realtime_quotes_".len()..][..8];
        let starts = format!("('{}-{}-{} 00:00:00+00')", &day[..4], &day[4..6], &day[6..]);
        assert!(plain[0].contains(&starts), "{}", plain[0]);
        for (name, settings) in [
            (
                "shanghai",
                ["timezone = 'Asia/Shanghai'", "datestyle = 'SQL, DMY'"],
            ),
            (
                "berlin",
                ["timezone = 'America/Santiago'", "datestyle = 'German'"],
            ),
        ] {
            assert_eq!(bounds(name, &settings).await, plain);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_row_of_another_hand_is_named_by_its_table_and_record() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("foreign_rows").await;
        let (database, tables) = (migrated(&url).await, tables(&url));
        tables.upsert(&[row(3, 17, 1)], soon()).await.unwrap();
        let owner = postgres.client("foreign_rows").await;
        owner
            .batch_execute("UPDATE latest_quotes SET price = 'NaN'")
            .await
            .unwrap();
        let rows = database.latest().await.unwrap();
        let error = rows.try_collect::<Vec<Row>>().await.unwrap_err();
        assert!(matches!(error, ReadError::Foreign { .. }), "{error}");
        assert!(
            error.to_string().starts_with(
                "the row of stock-quotes-3@17 in latest_quotes was not written by quotelake: its price is"
            ),
            "{error}"
        );
        owner
            .batch_execute("UPDATE realtime_quotes SET created_at = 'infinity'")
            .await
            .unwrap();
        let rows = database.history("1", None).await.unwrap();
        let error = rows.try_collect::<Vec<Row>>().await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("stock-quotes-3@17 in realtime_quotes"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_table_that_stays_locked_ends_a_reading_with_one_sentence() {
    let version = versions().pop().unwrap();
    let postgres = shared(&version).await;
    let url = postgres.create_database("locked").await;
    let (database, tables) = (migrated(&url).await, tables(&url));
    tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();
    let owner = postgres.client("locked").await;
    owner
        .batch_execute("BEGIN; LOCK TABLE realtime_quotes")
        .await
        .unwrap();
    let read = timeout(Duration::from_secs(20), database.history("1", None));
    let error = read.await.unwrap().map(drop).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("(a table stays locked, SQLSTATE 55P03): another session"),
        "{error}"
    );
    owner.batch_execute("COMMIT").await.unwrap();
    // The transaction of the reading is over, and so are those of the next.
    assert_eq!(history(&database).await.len(), 1);
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'locked' AND state LIKE 'idle in transaction%'";
    assert_eq!(latest(&database).await.len(), 1);
    let end = soon();
    while owner.query_one(idle, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < end, "a transaction stays open");
        sleep(Duration::from_millis(10)).await;
    }
}
