//! The commits of a member, beside its deliveries: a coordinator that is away holds up no record.

use std::{collections::BTreeMap, future::Future};

use stream::topics::TopicError;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Backoff;
use crate::stats::Stats;

/// Commits what is `done`, the offset after the last record of each partition, one commit after the other, for as long as
/// somebody can send more. One that fails is a trouble; after a pause it is tried again, with what is done by then and
/// without the partitions that the member no longer `holds`: their records come again to whoever has them.
pub(super) async fn commit_all<Committed>(
    mut done: UnboundedReceiver<BTreeMap<i32, i64>>,
    commit: impl Fn(BTreeMap<i32, i64>) -> Committed,
    holds: impl Fn(i32) -> bool,
    stats: &Stats,
) where
    Committed: Future<Output = Result<(), TopicError>>,
{
    let mut open = BTreeMap::new();
    let mut backoff = Backoff::default();
    loop {
        if open.is_empty() {
            let Some(ends) = done.recv().await else {
                return;
            };
            open = ends;
        }
        while let Ok(ends) = done.try_recv() {
            open.extend(ends);
        }
        match commit(open.clone()).await {
            Ok(()) => {
                open.clear();
                backoff = Backoff::default();
            }
            Err(error) => {
                stats.trouble(&error.to_string());
                backoff.pause().await;
                open.retain(|&partition, _| holds(partition));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::future::join;
    use tokio::{
        sync::mpsc,
        time::{Duration, sleep},
    };

    use super::*;

    type Ends = BTreeMap<i32, i64>;

    /// What is asked for when commits fail as often as told, and the group takes partition 1 away meanwhile; partition 0
    /// goes on to 9 while the first commit is out.
    async fn asked(failures: usize) -> (Vec<Ends>, u64) {
        let (done, is_done) = mpsc::unbounded_channel();
        let (asked, stats) = (RefCell::new(Vec::new()), Stats::default());
        let commit = |ends| {
            asked.borrow_mut().push(ends);
            let fails = asked.borrow().len() <= failures;
            async move {
                sleep(Duration::from_secs(15)).await;
                match fails {
                    true => Err(TopicError::BadName(String::new())),
                    false => Ok(()),
                }
            }
        };
        let deliver = async move {
            done.send([(0, 4), (1, 6)].into()).unwrap();
            sleep(Duration::from_secs(1)).await;
            done.send([(0, 9)].into()).unwrap();
            // Nothing comes any more; the trigger goes on.
            sleep(Duration::from_secs(600)).await;
        };
        let committing = commit_all(is_done, commit, |partition| partition == 0, &stats);
        join(deliver, committing).await;
        (asked.take(), stats.snapshot().troubles)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_while_a_commit_is_out_is_committed_after_it() {
        let (asked, troubles) = asked(0).await;
        assert_eq!(asked, [[(0, 4), (1, 6)].into(), Ends::from([(0, 9)])]);
        assert_eq!(troubles, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_that_fails_is_tried_again_without_another_record_for_the_partitions_that_are_left()
     {
        let (asked, troubles) = asked(3).await;
        let again = Ends::from([(0, 9)]);
        let first = Ends::from([(0, 4), (1, 6)]);
        assert_eq!(asked, [first, again.clone(), again.clone(), again]);
        assert_eq!(troubles, 3);
    }
}
