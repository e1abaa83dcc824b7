use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use lake::{
    described,
    store::{S3Store, StoreError},
};
use market::bars::HOUR;
use plane::proof::{Judgement, Proof};
use runtime::clock;
use silver::{How, Job, Layout, Range, Shard, topics};
use stream::OffsetRange;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{SilverVerdict, verdict};
use crate::roll::{ask, roll_until_complete};

/// The proof of a bar roller: every bar of its topics is what a fold of all records at once makes.
pub struct SilverProof {
    /// The client of the lake's bucket.
    pub store: S3Store,
    /// The prefix of bronze.
    pub bronze: String,
    /// The prefix of the bars.
    pub silver: String,
    /// The history of the topics.
    pub epoch: Option<String>,
    /// Where a person finds them.
    pub location: String,
    /// The topics that the function rolls.
    pub topics: Vec<String>,
    /// How it rolls.
    pub how: How,
}

impl SilverProof {
    /// Its name.
    pub const NAME: &str = "silver";

    /// The layout, once a writer has begun the history.
    async fn layout(&self) -> Result<Option<Layout>, StoreError> {
        let epoch = self.epoch.as_deref();
        let bronze = described(&self.store, &self.bronze, epoch).await?;
        Ok(bronze.map(|bronze| Layout::new(&self.silver, epoch, bronze)))
    }

    /// What the function's next run would do: bronze has changed since the last one.
    async fn roll(&self, layout: &Layout, topic: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let now = clock::now().as_microsecond();
        let end = now - now.rem_euclid(HOUR) + HOUR;
        let job = Job {
            topic: topic.to_owned(),
            range: Range { from: 0, to: end },
            how: self.how,
            shard: Shard::ALL,
            symbols: <_>::default(),
            at_once: 8,
        };
        let until = Instant::now() + LAST_ROLL;
        let (store, stop) = (Arc::new(self.store.clone()), CancellationToken::new());
        roll_until_complete(&store, layout, &job, (until, &stop), &mut |_, _, _| {}).await?;
        Ok(())
    }
}

/// How long the last roll of a topic may take.
const LAST_ROLL: Duration = Duration::from_mins(5);

#[async_trait(?Send)]
impl Proof for SilverProof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn expected_under(&self) -> String {
        format!("{}/{}", self.silver, self.topics.join(","))
    }

    async fn judge(&self, _: &[OffsetRange]) -> Result<Judgement, Box<dyn Error + Send + Sync>> {
        let Some(layout) = self.layout().await? else {
            return Ok(SilverVerdict::default().into());
        };
        let listing = async || topics(&self.store, &layout).await;
        let known = ask(StoreError::is_transient, listing).await?;
        let named = self
            .topics
            .iter()
            .map(|topic| layout.bronze().topic_segment(topic));
        let known = named.filter(|topic| known.contains(topic));
        let topics: Vec<_> = known.map(|topic| (topic, self.how.rules)).collect();
        for (topic, _) in &topics {
            self.roll(&layout, topic).await?;
        }
        let verdict = verdict(&self.store, &layout, &topics).await?;
        Ok(verdict.after(self.how).into())
    }
}
