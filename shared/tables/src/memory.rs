use tokio::time::Instant;

use crate::{Row, Upsert, UpsertError, Upserted};

/// Tables in memory: for tests of what uses the port.
#[derive(Debug, Default)]
pub struct MemoryTables;

impl MemoryTables {
    /// The history, sorted by coordinates.
    pub fn history(&self) -> Vec<Row> {
        Vec::new()
    }

    /// The latest quotes, sorted by key.
    pub fn latest(&self) -> Vec<Row> {
        Vec::new()
    }
}

impl Upsert for MemoryTables {
    async fn upsert(&self, _rows: &[Row], _until: Instant) -> Result<Upserted, UpsertError> {
        Err(UpsertError::OutOfTime {
            database: "memory".to_owned(),
        })
    }
}
