//! Tables that are changed while batches come.

use lake_tools::{database_location::DatabaseLocation, migrate};
use pipeline_tests::real_postgres::{Options, versions};
use plane::postgres::NAME;
use tables::postgres::Access;

use super::{Mode, Rig};

/// What a version to come may do: a function that runs knows nothing of it.
const CHANGES: [&str; 4] = [
    "ALTER TABLE realtime_quotes ADD COLUMN note text",
    "ALTER TABLE latest_quotes ADD COLUMN note text",
    "CREATE INDEX realtime_quotes_mic ON realtime_quotes (mic, created_at)",
    "ALTER TABLE latest_quotes ADD COLUMN seen timestamptz NOT NULL DEFAULT now()",
];

/// Records lie in three days of the past.
const DAYS: [&str; 3] = ["2026-11-19", "2026-11-20", "2026-11-21"];

const IN_DEFAULT: &str = "SELECT count(*) FROM realtime_quotes_default";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn tables_get_days_columns_and_indexes_while_the_same_rows_come_again_and_lose_none() {
    for (version, mode) in versions().iter().zip([Mode::Batch, Mode::Items]) {
        let mut rig = Rig::start(version, Options::default(), mode, false).await;
        let mut others = Vec::new();
        rig.during(async |rig| {
            let owner = rig.postgres.client(NAME).await;
            let strays = async || {
                owner
                    .query_one(IN_DEFAULT, &[])
                    .await
                    .unwrap()
                    .get::<_, i64>(0)
            };
            assert!(strays().await > 0);
            let again = rig.another("again").await;
            again.answers(1).await;
            // Rows move from the default partition into their days.
            let migrated = Box::pin(migrate::migrate(&access(rig), &options()))
                .await
                .unwrap();
            for day in DAYS {
                assert!(
                    migrated.days_made.iter().any(|made| made == day),
                    "{migrated:?}"
                );
            }
            assert_eq!(strays().await, 0);
            for change in CHANGES {
                rig.writers.answers(3).await;
                owner.batch_execute(change).await.unwrap();
            }
            again.answers(3).await;
            others.push(again);
        })
        .await;
        for again in others {
            rig.topic.until_committed("again").await;
            again.end().await;
        }
        rig.is_exact().await;
        let outcomes = rig.writers.outcomes();
        assert_eq!((outcomes.failed, outcomes.crashed), (0, 0), "{outcomes:?}");
    }
}

fn access(rig: &Rig) -> Access {
    Access::of_url(&rig.postgres.url(), None, None).unwrap()
}

fn options() -> migrate::Options {
    migrate::Options {
        database: DatabaseLocation::default(),
        print: false,
        days_ahead: 3,
        keep_days: None,
        days_since: None,
        json: false,
    }
}
