use std::error::Error;

use async_trait::async_trait;
use lake::{Layout, store::S3Store};
use plane::proof::{Judgement, Proof};
use stream::{Cluster, OffsetRange};

use tables::postgres::Access;

use super::{Kafka, Lake, Scope, verify_tables};
use crate::{database_location::connect, verify::KafkaTopics};

/// The binary of the functions that this proof is for.
pub const DATABASE_BINARY: &str = "quote-upserter";

/// The proof of a function that keeps quotes in tables: every record of its triggers has its row, every row its record,
/// and the latest quotes are the newest.
pub struct DatabaseProof {
    /// The database with the tables.
    pub access: Access,
    /// The client of the bucket with the function's quarantine.
    pub store: S3Store,
    /// Where bronze lies in it, if the same pipeline writes it: what Kafka has dropped is read from there.
    pub bronze: Option<Layout>,
    /// Where the function's quarantine lies.
    pub quarantine: Layout,
    /// The history of the topics; empty if it has no name.
    pub epoch: String,
    /// Whether the function keeps the history of quotes.
    pub history: bool,
    /// Where a person finds the tables.
    pub location: String,
    /// The brokers that have the records.
    pub cluster: Cluster,
}

impl DatabaseProof {
    /// Its name.
    pub const NAME: &str = "database";
}

#[async_trait(?Send)]
impl Proof for DatabaseProof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn expected_under(&self) -> String {
        self.quarantine.root()
    }

    async fn judge(
        &self,
        expected: &[OffsetRange],
    ) -> Result<Judgement, Box<dyn Error + Send + Sync>> {
        let topics = KafkaTopics::connect(&self.cluster).await?;
        let tables = connect(&self.access).await?;
        let mut names: Vec<String> = expected.iter().map(|range| range.topic.clone()).collect();
        names.sort();
        names.dedup();
        let lake = Lake {
            store: &self.store,
            layout: self.bronze.as_ref(),
            aside: &self.quarantine,
        };
        let kafka = Kafka {
            topics: &topics,
            ranges: expected,
        };
        let scope = Scope {
            topics: &names,
            epoch: &self.epoch,
            only: Some(expected),
            since: None,
            history: self.history,
            has_had_all: true,
        };
        let verdict = verify_tables(&tables, &lake, Some(&kafka), &scope, &|_| {}).await?;
        Ok(verdict.into())
    }
}
