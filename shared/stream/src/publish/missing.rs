//! Topics that don't exist and are to be created, each once.

use std::{collections::HashMap, future::Future, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use crate::topics::TopicError;

/// How long the outcome of a creation stands: then the topic may have been deleted, or be allowed.
const STANDS: Duration = Duration::from_mins(1);

/// Creates topics with a number of partitions.
pub(super) struct MissingTopics {
    partitions: i32,
    /// When each was tried, and whether it was created. Held while one is created, so that nobody tries beside.
    tried: Mutex<HashMap<String, (Instant, bool)>>,
}

impl MissingTopics {
    pub(super) fn new(partitions: i32) -> Self {
        Self {
            partitions,
            tried: Mutex::default(),
        }
    }

    pub(super) fn partitions(&self) -> i32 {
        self.partitions
    }

    /// Has `create` create `topic` unless that was tried within the last minute; says whether it was created. Dropped
    /// while it waits, it leaves the topic to the next caller.
    pub(super) async fn create(
        &self,
        topic: &str,
        create: impl Future<Output = Result<(), TopicError>>,
    ) -> bool {
        let mut tried = self.tried.lock().await;
        if let Some(&(at, created)) = tried.get(topic)
            && at.elapsed() < STANDS
        {
            return created;
        }
        let created = match create.await {
            Ok(()) => {
                tracing::info!(topic, self.partitions, "created the topic");
                true
            }
            Err(error) => {
                tracing::error!("{error}");
                false
            }
        };
        tried.insert(topic.to_owned(), (Instant::now(), created));
        created
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::{join, task::yield_now, time::advance};

    use super::*;

    fn refused() -> TopicError {
        TopicError::BadName("t".to_owned())
    }

    #[tokio::test]
    async fn a_topic_is_created_once_however_many_records_miss_it() {
        let (missing, tries) = (MissingTopics::new(3), AtomicU32::new(0));
        let create = || async {
            tries.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
            Ok(())
        };
        let both = join!(missing.create("t", create()), missing.create("t", create()));
        assert_eq!(both, (true, true));
        assert!(missing.create("t", create()).await);
        assert_eq!(tries.load(Ordering::Relaxed), 1);
        assert!(missing.create("u", create()).await);
        assert_eq!(tries.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_may_not_be_created_is_tried_again_each_minute_not_with_every_record() {
        let (missing, tries) = (MissingTopics::new(3), AtomicU32::new(0));
        for _ in 0..3 {
            let create = async {
                tries.fetch_add(1, Ordering::Relaxed);
                Err(refused())
            };
            assert!(!missing.create("t", create).await);
        }
        assert_eq!(tries.load(Ordering::Relaxed), 1);
        advance(STANDS).await;
        assert!(missing.create("t", async { Ok(()) }).await);
    }
}
