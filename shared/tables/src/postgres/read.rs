//! Rows of the tables as they are held.

use std::{fmt::Display, ops::Range};

use futures::{FutureExt, Stream, TryStreamExt};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::{
    Client, Error, Row as Columns, RowStream,
    error::SqlState,
    types::{FromSql, ToSql, Type},
};

use super::{access::Access, connect::Connection, refusal};
use crate::{Number, NumberError, Row, UpsertError, schema};

macro_rules! select {
    ($table:literal) => {
        concat!(
            "SELECT '", $table, "', ticker, time, price::text, volume::text, total_volume::text, change::text, change_percent::text, \
             ceiling_price::text, floor_price::text, reference_price::text, highest_price::text, lowest_price::text, \
             bid_price::text, ask_price::text, created_at, topic, epoch, kafka_partition, kafka_offset, event_id, \
             source, currency, mic, session, trading_date, flags FROM ",
            $table
        )
    };
}

const HISTORY: &str = concat!(
    select!("realtime_quotes"),
    " WHERE epoch = $1 AND created_at >= coalesce($2, '-infinity'::timestamptz)"
);

const OF_OFFSETS: &str = concat!(
    select!("realtime_quotes"),
    " WHERE topic = $1 AND epoch = $2 AND kafka_partition = $3 AND kafka_offset >= $4 AND kafka_offset < $5"
);

const LATEST: &str = select!("latest_quotes");

const ENCODING: &str = "SELECT current_setting('server_encoding')";

const VERSION: &str = "SELECT max(version)::integer FROM refinery_schema_history";

/// A wait for a lock ends after this time. For one transaction, so that a pooler's next client has no such limit.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '15s'";

/// A connection of the tool, which reads the tables and looks after them. A table that another session keeps locked for 15
/// seconds ends a reading with an error.
pub struct Database {
    pub(super) access: Access,
    pub(super) connection: Connection,
}

/// Why a row can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The database does not give it.
    #[error(transparent)]
    Database(#[from] UpsertError),
    /// It is in the table, and no record can have become it.
    #[error(
        "the row of {place} in {table} was not written by quotelake: its {column} is {problem}"
    )]
    Foreign {
        /// The table.
        table: String,
        /// Its record, as `topic-partition@offset`.
        place: String,
        /// The column.
        column: String,
        /// What is there, or why it can't be read.
        problem: String,
    },
}

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// [`UpsertError`], never [`UpsertError::Refused`].
    pub async fn connect(access: &Access, until: Instant) -> Result<Self, UpsertError> {
        Ok(Self {
            connection: Connection::open(access, until).await?,
            access: access.clone(),
        })
    }

    /// The version of its tables; `None` if it has none.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn version(&self) -> Result<Option<i32>, UpsertError> {
        let rows = self.asked(VERSION, &[]).await;
        let rows: Result<Vec<Columns>, Error> = match rows {
            Ok(rows) => rows.try_collect().await,
            Err(error) => Err(error),
        };
        version(rows).map_err(|error| refusal::of_reading(&self.access, error))
    }

    /// Whether every text fits into its encoding.
    #[cfg(feature = "migrate")]
    pub(super) async fn check_encoding(&self) -> Result<(), UpsertError> {
        let encoding = encoding(&self.connection.client).await;
        let encoding = encoding.map_err(|error| refusal::of_statement(&self.access, error))?;
        check_encoding(&self.access, &encoding)
    }

    /// The rows of the history of `epoch` that were fetched at `since` or later, in no order. One at a time comes into
    /// memory, whatever their number; all are of one instant.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn history(
        &self,
        epoch: &str,
        since: Option<Timestamp>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>> + Send + use<>, UpsertError> {
        self.rows(
            HISTORY,
            &[(&epoch, Type::TEXT), (&since, Type::TIMESTAMPTZ)],
        )
        .await
    }

    /// The rows of the history that are of some offsets of a partition, as [`Self::history`] gives its rows.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn of_offsets(
        &self,
        topic: &str,
        epoch: &str,
        partition: i32,
        offsets: Range<i64>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>> + Send + use<>, UpsertError> {
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (&topic, Type::TEXT),
            (&epoch, Type::TEXT),
            (&partition, Type::INT4),
            (&offsets.start, Type::INT8),
            (&offsets.end, Type::INT8),
        ];
        self.rows(OF_OFFSETS, &parameters).await
    }

    /// The latest quotes, whatever their epoch, in no order, as [`Self::history`] gives its rows.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn latest(
        &self,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>> + Send + use<>, UpsertError> {
        self.rows(LATEST, &[]).await
    }

    async fn rows(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<impl Stream<Item = Result<Row, ReadError>> + Send + use<>, UpsertError> {
        let access = self.access.clone();
        let rows = self.asked(statement, parameters).await;
        let rows = rows.map_err(|error| refusal::of_reading(&self.access, error))?;
        Ok(rows
            .map_err(move |error| ReadError::Database(refusal::of_reading(&access, error)))
            .and_then(async |columns| row(&columns)))
    }

    /// The answer to a statement in a transaction of its own, which limits its waits for locks.
    async fn asked(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<RowStream, Error> {
        let client = &self.connection.client;
        let parameters = parameters
            .iter()
            .map(|(value, kind)| (*value, kind.clone()));
        client.batch_execute(BEGIN).await?;
        let rows = client.query_typed_raw(statement, parameters).await;
        // The first poll sends it. The server comes to it after the last row, and nobody waits for its answer.
        let _ = client.batch_execute("COMMIT").now_or_never();
        rows
    }
}

/// What a database is like, before anything of it is used.
pub(super) struct Make {
    encoding: String,
    version: Option<i32>,
}

impl Make {
    /// # Errors
    /// [`UpsertError::Misconfigured`] if rows can't be brought there.
    pub(super) fn check(&self, access: &Access) -> Result<(), UpsertError> {
        check_encoding(access, &self.encoding)?;
        schema::check(self.version).map_err(|error| refusal::of_schema(access, error))
    }
}

pub(super) async fn make(client: &Client) -> Result<Make, Error> {
    Ok(Make {
        encoding: encoding(client).await?,
        version: version(client.query_typed(VERSION, &[]).await)?,
    })
}

async fn encoding(client: &Client) -> Result<String, Error> {
    client.query_typed_one(ENCODING, &[]).await?.try_get(0)
}

fn check_encoding(access: &Access, encoding: &str) -> Result<(), UpsertError> {
    match encoding {
        "UTF8" => Ok(()),
        other => Err(refusal::of_encoding(access, other)),
    }
}

fn version(answer: Result<Vec<Columns>, Error>) -> Result<Option<i32>, Error> {
    match answer {
        Ok(rows) => rows.first().map_or(Ok(None), |row| row.try_get(0)),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(error),
    }
}

fn row(columns: &Columns) -> Result<Row, ReadError> {
    let columns = Cells(columns);
    Ok(Row {
        ticker: columns.get(1)?,
        time: columns.get(2)?,
        price: columns
            .number(3)?
            .ok_or_else(|| columns.foreign(3, &"NULL"))?,
        volume: columns.number(4)?,
        total_volume: columns.number(5)?,
        change: columns.number(6)?,
        change_percent: columns.number(7)?,
        ceiling_price: columns.number(8)?,
        floor_price: columns.number(9)?,
        reference_price: columns.number(10)?,
        highest_price: columns.number(11)?,
        lowest_price: columns.number(12)?,
        bid_price: columns.number(13)?,
        ask_price: columns.number(14)?,
        created_at: columns.get(15)?,
        topic: columns.get(TOPIC)?,
        epoch: columns.get(17)?,
        partition: columns.get(PARTITION)?,
        offset: columns.get(OFFSET)?,
        event_id: columns.get(20)?,
        source: columns
            .get::<Option<String>>(21)?
            .filter(|source| !source.is_empty()),
        currency: columns.get(22)?,
        mic: columns.get(23)?,
        session: columns.get(24)?,
        trading_date: columns.get(25)?,
        flags: columns.get(26)?,
    })
}

/// Where the name of a row's table and its coordinates are in the answer.
const TABLE: usize = 0;
const TOPIC: usize = 16;
const PARTITION: usize = 18;
const OFFSET: usize = 19;

/// The columns of a row, in the order of [`HISTORY`].
struct Cells<'c>(&'c Columns);

impl<'c> Cells<'c> {
    fn get<T: FromSql<'c>>(&self, at: usize) -> Result<T, ReadError> {
        let value = self.0.try_get(at);
        value.map_err(|error| self.foreign(at, &cause::innermost(&error)))
    }

    fn number(&self, at: usize) -> Result<Option<Number>, ReadError> {
        let text: Option<String> = self.get(at)?;
        let number = text.map(Number::from_numeric).transpose();
        number.map_err(|error: NumberError| self.foreign(at, &error))
    }

    fn foreign(&self, at: usize, problem: &dyn Display) -> ReadError {
        let texts = |at| self.0.try_get::<_, String>(at).unwrap_or_default();
        let partition = self.0.try_get::<_, i32>(PARTITION).unwrap_or_default();
        let offset = self.0.try_get::<_, i64>(OFFSET).unwrap_or_default();
        ReadError::Foreign {
            table: texts(TABLE),
            place: format!("{}-{partition}@{offset}", texts(TOPIC)),
            column: self.0.columns()[at].name().to_owned(),
            problem: problem.to_string(),
        }
    }
}
