use std::error::Error;

use async_trait::async_trait;
use lake::{Layout, store::S3Store};
use plane::proof::{Counted, Judgement, Proof};
use serde_json::json;
use stream::{Cluster, OffsetRange};

use super::{KafkaTopics, Verdict, verify};

/// The binary of the functions that this proof is for.
pub const BINARY: &str = "bronze-writer";

/// The proof of a bronze writer: every record of its triggers is in the lake once, as Kafka has it.
pub struct BronzeProof {
    /// The client of the lake's bucket.
    pub store: S3Store,
    /// Where the lake's objects are in it.
    pub layout: Layout,
    /// Where a person finds them.
    pub location: String,
    /// The brokers that have the records.
    pub cluster: Cluster,
}

impl BronzeProof {
    /// Its name.
    pub const NAME: &str = "bronze";
}

#[async_trait(?Send)]
impl Proof for BronzeProof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn expected_under(&self) -> String {
        self.layout.root()
    }

    async fn judge(
        &self,
        expected: &[OffsetRange],
    ) -> Result<Judgement, Box<dyn Error + Send + Sync>> {
        let topics = KafkaTopics::connect(&self.cluster).await?;
        let verdict = verify(&self.store, &self.layout, Some(&topics), expected, &|_| {}).await?;
        Ok(verdict.into())
    }
}

impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        let Verdict {
            in_topics,
            in_bronze,
            in_quarantine,
            ..
        } = verdict;
        Self {
            counted: Counted::Records,
            exact: verdict.is_exact(),
            records: in_topics,
            accounted: in_bronze + in_quarantine,
            parts: format!("bronze {in_bronze} + quarantine {in_quarantine}"),
            findings: verdict.findings_text(),
            details: json!(verdict),
        }
    }
}
