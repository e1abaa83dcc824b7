//! Rows of the tables as they are held.

use std::{fmt::Display, ops::Range};

use futures::{Stream, TryStreamExt};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::{
    Client, Row as Columns,
    error::SqlState,
    types::{FromSql, ToSql, Type},
};

use super::{access::Access, connect::Connection, refusal};
use crate::{Number, NumberError, Row, UpsertError};

macro_rules! select {
    ($table:literal) => {
        concat!(
            "SELECT ticker, time, price::text, volume::text, total_volume::text, change::text, change_percent::text, \
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

const VERSION: &str = "SELECT max(version)::integer FROM refinery_schema_history";

/// A connection of the tool, which reads the tables and looks after them.
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
    #[error("a row of the tables was not written by quotelake: its {column} is {problem}")]
    Foreign {
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
        version(&self.connection.client)
            .await
            .map_err(|error| refusal::of_statement(&self.access, error))
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
        let parameters = parameters
            .iter()
            .map(|(value, kind)| (*value, kind.clone()));
        let rows = self
            .connection
            .client
            .query_typed_raw(statement, parameters)
            .await;
        let rows = rows.map_err(|error| refusal::of_statement(&self.access, error))?;
        Ok(rows
            .map_err(move |error| ReadError::Database(refusal::of_statement(&access, error)))
            .and_then(async |columns| row(&columns)))
    }
}

pub(super) async fn version(client: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    match client.query_typed(VERSION, &[]).await {
        Ok(rows) => rows.first().map_or(Ok(None), |row| row.try_get(0)),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(error),
    }
}

fn row(columns: &Columns) -> Result<Row, ReadError> {
    let columns = Cells(columns);
    Ok(Row {
        ticker: columns.get(0)?,
        time: columns.get(1)?,
        price: columns
            .number(2)?
            .ok_or_else(|| columns.foreign(2, &"NULL"))?,
        volume: columns.number(3)?,
        total_volume: columns.number(4)?,
        change: columns.number(5)?,
        change_percent: columns.number(6)?,
        ceiling_price: columns.number(7)?,
        floor_price: columns.number(8)?,
        reference_price: columns.number(9)?,
        highest_price: columns.number(10)?,
        lowest_price: columns.number(11)?,
        bid_price: columns.number(12)?,
        ask_price: columns.number(13)?,
        created_at: columns.get(14)?,
        topic: columns.get(15)?,
        epoch: columns.get(16)?,
        partition: columns.get(17)?,
        offset: columns.get(18)?,
        event_id: columns.get(19)?,
        source: columns
            .get::<Option<String>>(20)?
            .filter(|source| !source.is_empty()),
        currency: columns.get(21)?,
        mic: columns.get(22)?,
        session: columns.get(23)?,
        trading_date: columns.get(24)?,
        flags: columns.get(25)?,
    })
}

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
        ReadError::Foreign {
            column: self.0.columns()[at].name().to_owned(),
            problem: problem.to_string(),
        }
    }
}
