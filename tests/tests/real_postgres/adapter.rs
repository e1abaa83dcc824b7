//! The tables in PostgreSQL: what is written is what is read, and what a database refuses is told for what it is.

mod changes;
mod refusals;
mod rows;
mod tls;
mod troubles;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::TryStreamExt;
use jiff::Timestamp;
use pipeline_tests::real_postgres::{Options, Postgres, versions};
use secrets::{FetchSecret, Secret, SecretError, SecretReference};
use tables::{
    Number, Row,
    postgres::{Access, Database, PostgresTables},
};
use tokio::{sync::Mutex, task::spawn_blocking, time::Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

async fn start(version: &str, options: Options) -> Postgres {
    let version = version.to_owned();
    spawn_blocking(move || Postgres::start_with(&version, &options))
        .await
        .unwrap()
}

async fn shared(version: &str) -> &'static Postgres {
    let version = version.to_owned();
    spawn_blocking(move || Postgres::shared(&version))
        .await
        .unwrap()
}

fn access(url: &str) -> Access {
    Access::of_url(url, None, None).unwrap()
}

/// The database of a URL, with the newest tables.
async fn migrated(url: &str) -> Database {
    let mut database = Database::connect(&access(url), soon()).await.unwrap();
    database.migrate().await.unwrap();
    database
}

fn tables(url: &str) -> PostgresTables {
    PostgresTables::new(access(url), true)
}

async fn history(database: &Database) -> Vec<Row> {
    let rows = database.history("1", None).await.unwrap();
    let mut rows: Vec<Row> = rows.try_collect().await.unwrap();
    rows.sort_by_key(|row| (row.partition, row.offset));
    rows
}

async fn latest(database: &Database) -> Vec<Row> {
    let rows = database.latest().await.unwrap();
    let mut rows: Vec<Row> = rows.try_collect().await.unwrap();
    rows.sort_by(|a, b| tables::key(a).cmp(&tables::key(b)));
    rows
}

/// The row of an offset, of one of so many tickers.
fn row(partition: i32, offset: i64, tickers: i64) -> Row {
    let at = Timestamp::from_second(1_795_240_800 + offset).unwrap();
    let number = |text: &str| Some(text.parse::<Number>().unwrap());
    Row {
        topic: "stock-quotes".to_owned(),
        epoch: "1".to_owned(),
        partition,
        offset,
        ticker: format!("T{}", offset % tickers),
        time: Some(at),
        price: format!("{offset}.10").parse().unwrap(),
        volume: number("9217126554917738496"),
        total_volume: None,
        change: number("-0.50"),
        change_percent: None,
        ceiling_price: None,
        floor_price: None,
        reference_price: number("100"),
        highest_price: None,
        lowest_price: None,
        bid_price: None,
        ask_price: None,
        created_at: at,
        event_id: Some(format!("{partition}-{offset}")),
        source: Some("finnhub".to_owned()),
        currency: Some("USD".to_owned()),
        mic: None,
        session: Some("regular".to_owned()),
        trading_date: Some(jiff::civil::date(2026, 11, 21)),
        flags: Some(vec!["stale".to_owned()]),
    }
}

/// A secret that its owner changes.
#[derive(Debug, Default)]
struct Rotated(Mutex<String>);

#[async_trait]
impl FetchSecret for Rotated {
    async fn fetch(&self, _: &SecretReference) -> Result<Secret, SecretError> {
        Ok(Secret::from(self.0.lock().await.clone()))
    }
}

/// The database as a function's settings name it, with its password in `secret`.
fn of_settings(settings: &[(&str, &str)], secret: &Arc<Rotated>) -> Access {
    let lookup = |name: &str| {
        let found = settings.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let secrets: Arc<dyn FetchSecret> = Arc::<Rotated>::clone(secret);
    Access::read(&lookup, &secrets).unwrap()
}
