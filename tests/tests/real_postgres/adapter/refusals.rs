//! What keeps a function from its tables is one sentence with the remedy, and passes without a restart once it is put right.

use tables::{Upsert, UpsertError, schema::NEEDED};

use super::*;

/// What is told of a database that can't be used as it is set up.
async fn refused(tables: &PostgresTables) -> String {
    let error = tables.check(soon()).await.unwrap_err();
    assert!(
        matches!(error, UpsertError::Misconfigured { .. }),
        "{error}"
    );
    let said = error.to_string();
    assert!(!said.contains('\n'), "{said}");
    said
}

/// The settings of a function whose password is in a secret.
fn settings<'s>(port: &'s str, database: &'s str) -> [(&'s str, &'s str); 6] {
    [
        ("DATABASE_HOST", "127.0.0.1"),
        ("DATABASE_PORT", port),
        ("DATABASE_NAME", database),
        ("DATABASE_TLS", "off"),
        ("DATABASE_SECRET", "ssm:/database"),
        ("DATABASE_HISTORY", "true"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_password_that_is_rotated_is_fetched_again_and_goes_on() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("rotated").await;
        migrated(&url).await;
        let owner = postgres.client("rotated").await;
        let user = "CREATE ROLE rotating LOGIN PASSWORD 'first' IN ROLE quotelake_writer";
        owner.batch_execute(user).await.unwrap();
        let secret = Arc::<Rotated>::default();
        let store = async |password: &str| {
            *secret.0.lock().await =
                format!(r#"{{"username":"rotating","password":"{password}"}}"#);
        };
        let port = postgres.port().to_string();
        store("first").await;
        let tables = PostgresTables::new(of_settings(&settings(&port, "rotated"), &secret), true);
        tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap();
        let rotate = "ALTER ROLE rotating PASSWORD 'second'";
        owner.batch_execute(rotate).await.unwrap();
        store("second").await;
        // What is connected goes on; what connects anew is refused, and renews the secret.
        tables.upsert(&[row(0, 1, 1)], soon()).await.unwrap();
        let cut =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotating'";
        owner.batch_execute(cut).await.unwrap();
        let upserted = tables.upsert(&[row(0, 2, 1)], soon()).await.unwrap();
        assert_eq!(upserted.history, 1);
        assert_eq!(tables.connections(), 2);

        store("third").await;
        let wrong = PostgresTables::new(of_settings(&settings(&port, "rotated"), &secret), true);
        let said = refused(&wrong).await;
        assert!(
            said.contains("SQLSTATE 28P01): store the user's password of today"),
            "{said}"
        );
        assert!(!said.contains("third"), "{said}");
        *secret.0.lock().await = "no JSON".to_owned();
        let wrong = PostgresTables::new(of_settings(&settings(&port, "rotated"), &secret), true);
        let said = refused(&wrong).await;
        assert!(
            said.contains(r#"is not {"username":"…","password":"…"}"#),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_wrong_database_user_or_privilege_is_told_for_what_it_is() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("told").await;
        migrated(&url).await;
        let said = refused(&tables(&postgres.url_of("no such"))).await;
        assert!(
            said.contains("SQLSTATE 3D000): create that database"),
            "{said}"
        );
        let unknown = url.replace(&format!("{}:", postgres.user()), "nobody:");
        let said = refused(&tables(&unknown)).await;
        assert!(said.contains("name the right user"), "{said}");
        let said = refused(&tables(&url.replace(postgres.password(), "c0ffee"))).await;
        assert!(said.contains("SQLSTATE 28P01"), "{said}");
        assert!(!said.contains("c0ffee"), "{said}");
        let without = url.replace(&format!(":{}@", postgres.password()), "@");
        let said = refused(&tables(&without)).await;
        assert!(said.contains("give the user's password"), "{said}");

        let owner = postgres.client("told").await;
        owner
            .batch_execute("CREATE ROLE told_reader LOGIN PASSWORD 'p'")
            .await
            .unwrap();
        let as_reader = url.replace(
            &format!("{}:{}@", postgres.user(), postgres.password()),
            "told_reader:p@",
        );
        let reader = tables(&as_reader);
        let said = refused(&reader).await;
        assert!(
            said.contains("SQLSTATE 42501): grant the user the role quotelake_writer"),
            "{said}"
        );
        owner
            .batch_execute("GRANT quotelake_reader TO told_reader")
            .await
            .unwrap();
        reader.check(soon()).await.unwrap();
        let error = reader.upsert(&[row(0, 0, 1)], soon()).await.unwrap_err();
        assert!(error.to_string().contains("SQLSTATE 42501"), "{error}");
        owner
            .batch_execute("GRANT quotelake_writer TO told_reader")
            .await
            .unwrap();
        assert_eq!(
            reader
                .upsert(&[row(0, 0, 1)], soon())
                .await
                .unwrap()
                .history,
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn tables_that_are_missing_or_old_are_told_and_newer_ones_do() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("versions").await;
        let tables = tables(&url);
        let said = refused(&tables).await;
        assert!(
            said.ends_with("(the database has no quotes' tables): run 'quotelake migrate' on it"),
            "{said}"
        );
        let error = tables.upsert(&[row(0, 0, 1)], soon()).await.unwrap_err();
        assert_eq!(error.to_string(), said);
        let database = migrated(&url).await;
        assert_eq!(database.version().await, Ok(Some(NEEDED)));
        tables.check(soon()).await.unwrap();
        let owner = postgres.client("versions").await;
        let set = async |change: i32| {
            let statement = format!(
                "UPDATE refinery_schema_history SET version = version + {change} WHERE version >= 3"
            );
            owner.batch_execute(&statement).await.unwrap();
        };
        set(100).await;
        tables.check(soon()).await.unwrap();
        owner
            .batch_execute("DELETE FROM refinery_schema_history WHERE version > 3")
            .await
            .unwrap();
        let said = refused(&tables).await;
        assert!(
            said.contains(&format!("have version 2, and this program needs {NEEDED}")),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn what_is_printed_makes_the_same_tables_and_migrating_twice_changes_nothing() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("printed").await;
        let owner = postgres.client("printed").await;
        owner
            .batch_execute(&tables::postgres::printed())
            .await
            .unwrap();
        let mut database = Database::connect(&access(&url), soon()).await.unwrap();
        assert_eq!(database.version().await, Ok(Some(NEEDED)));
        assert_eq!(database.migrate().await.unwrap(), Vec::<i32>::new());
        assert_eq!(
            tables(&url)
                .upsert(&[row(0, 0, 1)], soon())
                .await
                .unwrap()
                .history,
            1
        );
        assert!(database.lock(PATIENCE).await.unwrap());
        let other = Database::connect(&access(&url), soon()).await.unwrap();
        assert!(!other.lock(Duration::from_millis(300)).await.unwrap());
        drop(database);
        assert!(other.lock(PATIENCE).await.unwrap());
    }
}
