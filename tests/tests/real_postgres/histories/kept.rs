//! Where the records of one history are kept, and whether all is as it should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use bronze_writer::Writer;
use bytes::Bytes;
use futures::TryStreamExt;
use kafka_event::KafkaEvent;
use lake::{
    Compression, Granularity, Layout, ObjectKey,
    store::{Get, MemoryStore, PutIf, S3Store, list_all},
};
use lake_tools::{
    database_location::DatabaseLocation,
    lake_location::LakeLocation,
    verify::{self, DatabaseArgs, DatabaseOptions, DatabaseVerdict, verify_database},
};
use pipeline_tests::{clean_pass, store::client};
use plane::object_store::{ACCESS_KEY, SECRET_KEY};
use quote_upserter::{How, Upserter};
use runtime::{Environment, Invocation};
use serde_json::{Value, value::RawValue};
use tables::{
    MemoryTables, Row, Upsert, UpsertError, Upserted, key, order,
    postgres::{Access, Database, ReadError},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::records::{Home, TOPICS, homes, is_refused};

/// How long anything may take that nothing disturbs.
pub(in super::super) const PATIENCE: Duration = Duration::from_secs(60);

pub(in super::super) const BUCKET: &str = "lake";

/// Short: the embedded store has no room for the longest keys of a longer one.
pub(in super::super) const BRONZE: &str = "b";

/// A record by its partition as events name it, and its offset.
type Position = (String, i64);

/// A database, and a store with the function's quarantine and bronze of the same records.
pub(in super::super) struct Kept {
    /// The database by the straight way, as a user who may do anything.
    pub(in super::super) database: String,
    store: S3Store,
    endpoint: String,
    epoch: String,
    quarantine: Layout,
    /// A connection that nothing is asked of.
    idle: Mutex<Option<Database>>,
}

/// What one pass makes in which nothing goes wrong.
pub(in super::super) struct Clean {
    upserter: Upserter<Refusing, MemoryStore>,
    writer: Writer<S3Store>,
}

/// Tables in memory that refuse what PostgreSQL does.
#[derive(Default)]
struct Refusing(MemoryTables);

impl Upsert for Refusing {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        if rows.iter().any(is_refused) {
            return Err(UpsertError::Refused {
                sqlstate: "54000".to_owned(),
                cause: "a ticker is too long for the index".into(),
            });
        }
        self.0.upsert(rows, until).await
    }
}

impl Kept {
    /// The history of this epoch.
    pub(in super::super) async fn of(database: &str, endpoint: &str, epoch: &str) -> Self {
        Self {
            database: database.to_owned(),
            store: client(endpoint, BUCKET).await,
            endpoint: endpoint.to_owned(),
            epoch: epoch.to_owned(),
            quarantine: layout("postgres", epoch),
            idle: Mutex::default(),
        }
    }

    /// The bucket that every epoch is in.
    pub(in super::super) async fn create_bucket(endpoint: &str) {
        client(endpoint, BUCKET)
            .await
            .create_bucket()
            .await
            .unwrap();
    }

    /// How a function of this history makes rows.
    pub(super) fn how(&self, failure_response: bronze_writer::FailureResponse) -> How {
        How {
            epoch: self.epoch.clone(),
            quarantine: self.quarantine.clone(),
            history: true,
            failure_response,
        }
    }

    /// A client of the store.
    pub(super) fn store(&self) -> S3Store {
        self.store.clone()
    }

    async fn connect(&self) -> Result<Database, UpsertError> {
        let idle = self.idle.lock().unwrap().take();
        if let Some(idle) = idle {
            return Ok(idle);
        }
        let access = Access::of_url(&self.database, None, None).unwrap();
        Database::connect(&access, Instant::now() + PATIENCE).await
    }

    /// Which records of an event are not where they belong although its answer does not name them. Waits for a server that is
    /// away.
    pub(in super::super) async fn missing(&self, event: &[u8], answer: &[u8]) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.look(event, answer).await {
                Ok(missing) => return missing,
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn look(&self, event: &[u8], answer: &[u8]) -> Result<Vec<String>, String> {
        let event = KafkaEvent::decode(str::from_utf8(event).unwrap()).unwrap();
        let failed = failures(answer);
        let mut homes = homes(&event, &self.epoch);
        homes.retain(|(source, offset, _)| !failed.contains(&(source.clone(), *offset)));
        let (history, latest) = self.held(&event).await.map_err(|error| error.to_string())?;
        let latest: BTreeMap<_, _> = latest.iter().map(|row| (key(row), order(row))).collect();
        let mut missing = Vec::new();
        for (source, offset, home) in homes {
            let at = (source, offset);
            let is_there = match home {
                Home::Nowhere => true,
                Home::Quarantine => self.is_aside(&at).await,
                Home::Row(row) => {
                    let newest = latest.get(&key(&row));
                    let is_newest = !tables::is_candidate(&row)
                        || newest.is_some_and(|newest| *newest >= order(&row));
                    is_newest && history.contains(&at)
                }
            };
            if !is_there {
                missing.push(format!("epoch {}, {}: {}", self.epoch, at.0, at.1));
            }
        }
        Ok(missing)
    }

    /// What of the history may be of an event, and the latest quotes.
    async fn held(
        &self,
        event: &KafkaEvent<'_>,
    ) -> Result<(BTreeSet<Position>, Vec<Row>), ReadError> {
        let mut places: BTreeMap<(&str, i32), Vec<i64>> = BTreeMap::new();
        for record in &event.records {
            let place = places.entry((&record.topic, record.partition)).or_default();
            place.push(record.offset);
        }
        let database = self.connect().await?;
        let mut history = BTreeSet::new();
        for ((topic, partition), offsets) in places {
            let least = offsets.iter().min().copied().unwrap_or_default();
            let most = offsets.iter().max().copied().unwrap_or_default();
            let rows = database.of_offsets(topic, &self.epoch, partition, least..most + 1);
            let rows: Vec<Row> = rows.await?.try_collect().await?;
            history.extend(rows.iter().map(position));
        }
        let latest = database.latest().await?.try_collect().await?;
        *self.idle.lock().unwrap() = Some(database);
        Ok((history, latest))
    }

    /// Every row of the history and of the latest quotes.
    async fn tables(&self) -> Result<(Vec<Row>, Vec<Row>), ReadError> {
        let database = self.connect().await?;
        let history = database.history(&self.epoch, None).await?;
        let history = history.try_collect().await?;
        let latest = database.latest().await?.try_collect().await?;
        *self.idle.lock().unwrap() = Some(database);
        Ok((history, latest))
    }

    async fn is_aside(&self, (source, offset): &Position) -> bool {
        let (topic, partition) = source.rsplit_once('-').unwrap();
        let partition = partition.parse().unwrap();
        let place = self
            .quarantine
            .quarantine_place(topic, partition, Some(*offset));
        !list_all(&self.store, &place).await.unwrap().is_empty()
    }

    /// The tables and the quarantine are those of a clean pass, and those that `verify` finds exact.
    pub(in super::super) async fn is_that_of(&self, clean: &Clean, brokers: Option<&str>) {
        let (mut history, mut latest) = self.tables().await.unwrap();
        history.sort_by(|one, other| coordinates(one).cmp(&coordinates(other)));
        latest.sort_by(|one, other| key(one).cmp(&key(other)));
        let tables = &clean.upserter.tables().0;
        let what = |what| format!("{what} of epoch {}", self.epoch);
        is_equal(&what("history"), &history, &tables.history());
        is_equal(&what("latest quotes"), &latest, &tables.latest());
        let aside = list_all(&self.store, &self.quarantine.root()).await;
        let aside: Vec<ObjectKey> = aside.unwrap();
        let expected: Vec<ObjectKey> = clean.upserter.store().objects().into_keys().collect();
        assert_eq!(aside, expected);

        let verdict = self.verify(brokers).await;
        assert!(verdict.is_exact(), "{}\n{verdict}", what("tables"));
        let refused = verdict.records - history.len() as u64;
        let counted = (verdict.rows, verdict.in_quarantine, verdict.in_both);
        assert_eq!(counted, (history.len() as u64, refused, 0), "{verdict}");
        assert_eq!(verdict.latest, latest.len() as u64, "{verdict}");
    }

    /// What `quotelake verify database` finds.
    async fn verify(&self, brokers: Option<&str>) -> DatabaseVerdict {
        // Brokers have the first of them alone. A history need not have both, so without brokers none is named.
        let topics = match brokers {
            Some(_) => &TOPICS[..1],
            None => &[],
        };
        let options = verify::Options {
            lake: LakeLocation {
                bucket: Some(BUCKET.to_owned()),
                prefix: BRONZE.to_owned(),
                epoch: Some(self.epoch.clone()),
                s3_endpoint: Some(self.endpoint.clone()),
                data: None,
            },
            brokers: brokers.map(str::to_owned),
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            template: "template.yaml".into(),
            parameters: Vec::new(),
            ranges: Vec::new(),
            json: false,
        };
        let database = DatabaseArgs {
            location: DatabaseLocation {
                database: Some(self.database.clone()),
                database_ca: None,
            },
            since: None,
            no_history: false,
            database_quarantine_prefix: "postgres".to_owned(),
        };
        let options = DatabaseOptions::of(options, database).unwrap();
        let keys = [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ];
        let keys = keys.map(|(name, key)| (name.to_owned(), key.to_owned()));
        let environment: Environment = keys.into_iter().collect();
        // What it does takes more room than a thread's stack has.
        let verified = Box::pin(verify_database(&options, &environment, &|_| {}));
        verified.await.unwrap()
    }
}

impl Clean {
    /// A pass beside a history, which writes its bronze.
    pub(in super::super) fn of(kept: &Kept) -> Self {
        let response = bronze_writer::FailureResponse::Batch;
        Self {
            upserter: Upserter::new(
                Refusing::default(),
                MemoryStore::default(),
                kept.how(response),
            ),
            writer: Writer::new(kept.store(), layout(BRONZE, &kept.epoch), response),
        }
    }

    /// Takes an event in.
    ///
    /// # Errors
    /// The fault in words.
    pub(in super::super) async fn handle(&self, event: &[u8]) -> Result<Bytes, String> {
        Box::pin(clean_pass::handle(&self.writer, event)).await?;
        Box::pin(handle(&self.upserter, event, PATIENCE)).await
    }
}

/// Has a function in this process handle an event; `within` is the time for the work itself.
///
/// # Errors
/// The fault in words.
pub(super) async fn handle(
    upserter: &Upserter<impl Upsert, impl PutIf + Get>,
    event: &[u8],
    within: Duration,
) -> Result<Bytes, String> {
    let invocation = Invocation {
        // A second of it is for the answer.
        deadline: Instant::now() + within + Duration::from_secs(1),
        stop: CancellationToken::new(),
    };
    let event: Box<RawValue> = serde_json::from_slice(event).unwrap();
    let answer = upserter.handle(&event, &invocation).await;
    let answer = answer.map_err(|fault| fault.to_string())?;
    Ok(serde_json::to_vec(&answer).unwrap().into())
}

/// The records that an answer names as not durable.
pub(super) fn failures(answer: &[u8]) -> BTreeSet<Position> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let items = answer["batchItemFailures"].as_array().unwrap();
    let position = |item: &Value| {
        let item = &item["itemIdentifier"];
        let partition = item["partition"].as_str().unwrap();
        (partition.to_owned(), item["offset"].as_i64().unwrap())
    };
    items.iter().map(position).collect()
}

fn layout(prefix: &str, epoch: &str) -> Layout {
    Layout::new(prefix, Some(epoch), Granularity::SEGMENT, Compression::None)
}

fn position(row: &Row) -> Position {
    (format!("{}-{}", row.topic, row.partition), row.offset)
}

fn coordinates(row: &Row) -> (&str, i32, i64) {
    (&row.topic, row.partition, row.offset)
}

/// Names the first that differs: all of them would fill a screen.
fn is_equal(what: &str, found: &[Row], expected: &[Row]) {
    let differs = found.iter().zip(expected).find(|(one, other)| one != other);
    assert!(differs.is_none(), "{what}: {differs:#?}");
    assert_eq!(found.len(), expected.len(), "{what}");
}
