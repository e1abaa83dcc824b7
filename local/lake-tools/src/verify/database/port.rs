use std::ops::Range;

use futures::Stream;
use jiff::Timestamp;
use tables::{
    Row, UpsertError,
    postgres::{Database, ReadError},
};

/// The tables as they are compared.
pub(super) trait ReadTables: Sync {
    /// Every row of the history that is of this epoch and was fetched at `since` or later, in any order.
    fn history(
        &self,
        epoch: &str,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError>>;

    /// The rows of the history that are of some offsets of a partition.
    fn of_offsets(
        &self,
        topic: &str,
        epoch: &str,
        partition: i32,
        offsets: Range<i64>,
    ) -> impl Future<Output = Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError>>;

    /// Every row of the latest quotes.
    fn latest(
        &self,
    ) -> impl Future<Output = Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError>>;
}

impl ReadTables for Database {
    async fn history(
        &self,
        epoch: &str,
        since: Option<Timestamp>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        self.history(epoch, since).await
    }

    async fn of_offsets(
        &self,
        topic: &str,
        epoch: &str,
        partition: i32,
        offsets: Range<i64>,
    ) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        self.of_offsets(topic, epoch, partition, offsets).await
    }

    async fn latest(&self) -> Result<impl Stream<Item = Result<Row, ReadError>>, UpsertError> {
        self.latest().await
    }
}
