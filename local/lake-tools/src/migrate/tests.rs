use tables::postgres::Access;

use super::{Migrated, Options, Passes, run};
use crate::database_location::DatabaseLocation;

fn options() -> Options {
    Options {
        database: DatabaseLocation::default(),
        print: true,
        days_ahead: 7,
        keep_days: Some(30),
        days_since: "2026-01-01".parse().ok(),
        json: false,
    }
}

#[tokio::test]
async fn the_sql_is_printed_without_a_database() {
    let environment = runtime::Environment::default();
    let sql = run(&options(), &environment).await.unwrap();
    assert!(sql.contains("CREATE TABLE realtime_quotes"), "{sql}");
    assert!(
        sql.ends_with("COMMIT;\n\nCALL quotelake_days(7, 30, '2026-01-01');\n"),
        "{sql}"
    );
    let not = Options {
        print: false,
        ..options()
    };
    let said = run(&not, &environment).await.unwrap_err().to_string();
    assert!(said.contains("give --database"), "{said}");
}

#[test]
fn what_was_done_is_told() {
    let migrated = Migrated {
        database: "localhost:5432/q".to_owned(),
        version: 3,
        applied: vec![2, 3],
        days_made: ["2026-11-28", "2026-11-29"].map(str::to_owned).to_vec(),
        days_dropped: vec!["2026-10-01".to_owned()],
        days: 2,
    };
    assert_eq!(
        migrated.text(false),
        "localhost:5432/q: tables of version 3, applied V2, V3\n\
         days: 2 made (2026-11-28 to 2026-11-29), 1 dropped (2026-10-01), 2 in all\n"
    );
    assert!(
        migrated
            .text(true)
            .contains(r#""days_dropped":["2026-10-01"]"#)
    );
}

#[test]
fn only_what_passes_is_tried_again_and_the_rest_has_its_sentence() {
    let access = Access::of_url("postgres://a@localhost/b", None, None).unwrap();
    for (cause, passes, said) in [
        (
            "canceling statement due to lock timeout, SQLSTATE 55P03",
            Passes::Locked,
            "end long queries",
        ),
        (
            "deadlock detected: with 7, SQLSTATE 40P01",
            Passes::Locked,
            "others hold locks",
        ),
        (
            "connection closed",
            Passes::Cut,
            "was cut, in 7 attempts (connection closed)",
        ),
        (
            "terminating connection, SQLSTATE 57P01",
            Passes::Cut,
            "was cut",
        ),
        (
            "relation \"realtime_quotes\" already exists, SQLSTATE 42P07",
            Passes::Never,
            "ALTER TABLE realtime_quotes RENAME TO",
        ),
        (
            "disk full, SQLSTATE 53100",
            Passes::Never,
            "refuses a statement (disk full",
        ),
    ] {
        assert_eq!(Passes::of(cause), passes, "{cause}");
        let error = passes.error(&access, cause.to_owned()).to_string();
        assert!(
            error.contains(said) && error.contains("localhost:5432/b"),
            "{error}"
        );
    }
}
