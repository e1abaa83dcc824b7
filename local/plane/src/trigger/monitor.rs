use std::{
    ops::Range,
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use stream::{
    Cluster, OffsetRange,
    topics::{TopicError, Watermarks},
};
use tokio::sync::oneshot;

use super::{Mapping, TriggersError};
use crate::stats::Stats;

/// Looks at the watermarks once a second, for the lag, on a thread of its own because that blocks.
pub(super) struct Monitor {
    looks: Sender<oneshot::Sender<Result<Vec<Ends>, TopicError>>>,
}

/// How far the topic of a mapping goes.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The function.
    pub function: String,
    /// The topic.
    pub topic: String,
    /// What the mapping had to deliver since the start, by partition.
    pub expected: Vec<OffsetRange>,
    /// How many of these records were there before the start.
    pub backlog: u64,
}

/// The topic of a mapping.
struct Watched {
    mapping: Mapping,
    watermarks: Watermarks,
    partitions: Vec<Partition>,
}

/// One partition since the start of the triggers.
struct Partition {
    partition: i32,
    /// The first offset that the trigger has to read.
    first: i64,
    /// The high watermark at the start.
    high_at_start: i64,
}

const INTERVAL: Duration = Duration::from_secs(1);

impl Monitor {
    pub(super) async fn start(
        cluster: &Cluster,
        mappings: Vec<Mapping>,
        stats: &Arc<Stats>,
    ) -> Result<Self, TriggersError> {
        let cluster = cluster.clone();
        let begin = move || -> Result<Vec<_>, TopicError> {
            let watch = |mapping: Mapping| {
                let watermarks = Watermarks::new(&cluster, &mapping.group)?;
                Ok(Watched {
                    partitions: start_of(&watermarks, &mapping)?,
                    watermarks,
                    mapping,
                })
            };
            mappings.into_iter().map(watch).collect()
        };
        let begun = tokio::task::spawn_blocking(begin).await;
        let watched = begun.map_err(|_| gone())??;
        let (looks, asked) = mpsc::channel::<oneshot::Sender<Result<Vec<Ends>, TopicError>>>();
        let stats: Weak<Stats> = Arc::downgrade(stats);
        thread::spawn(move || {
            let mut watched = watched;
            loop {
                let asked = asked.recv_timeout(INTERVAL);
                let Some(stats) = stats.upgrade() else { return };
                match asked {
                    Ok(answer) => {
                        // Whoever asked may have gone.
                        let _ = answer.send(look(&mut watched, &stats));
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(error) = look(&mut watched, &stats) {
                            stats.trouble(&error.to_string());
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Ok(Self { looks })
    }

    /// Looks now.
    pub(super) async fn look(&self) -> Result<Vec<Ends>, TriggersError> {
        let (answer, looked) = oneshot::channel();
        self.looks.send(answer).map_err(|_| gone())?;
        Ok(looked.await.map_err(|_| gone())??)
    }
}

fn gone() -> TriggersError {
    TriggersError::Ended("the look at the watermarks has ended".to_owned())
}
fn start_of(watermarks: &Watermarks, mapping: &Mapping) -> Result<Vec<Partition>, TopicError> {
    let partitions = watermarks.partitions(&mapping.topic)?;
    let committed = watermarks.committed(&mapping.topic, &partitions)?;
    partitions
        .into_iter()
        .zip(committed)
        .map(|(partition, committed)| {
            let Range { start, end } = watermarks.held(&mapping.topic, partition)?;
            // A start elsewhere than at the oldest record is a commit by now.
            let first = committed.unwrap_or(start);
            Ok(Partition {
                partition,
                first,
                high_at_start: end,
            })
        })
        .collect()
}

fn look(watched: &mut [Watched], stats: &Stats) -> Result<Vec<Ends>, TopicError> {
    let of_mapping = |watched| look_at(watched, stats);
    watched.iter_mut().map(of_mapping).collect()
}

fn look_at(watched: &mut Watched, stats: &Stats) -> Result<Ends, TopicError> {
    let Watched {
        mapping,
        watermarks,
        partitions,
    } = watched;
    let mut ends = Ends {
        function: mapping.function.clone(),
        topic: mapping.topic.clone(),
        expected: Vec::new(),
        backlog: 0,
    };
    for partition in watermarks.partitions(&mapping.topic)? {
        if partitions.iter().all(|known| known.partition != partition) {
            // Added since the start, so empty then.
            partitions.push(Partition {
                partition,
                first: 0,
                high_at_start: 0,
            });
        }
    }
    for Partition {
        partition,
        first,
        high_at_start,
    } in partitions
    {
        let held = watermarks.held(&mapping.topic, *partition)?;
        let place = mapping.partition(*partition);
        let left = held.start.max(*first)..held.end;
        stats.held(&mapping.function, place, left);
        ends.backlog += u64::try_from(*high_at_start - *first).unwrap_or(0);
        ends.expected.push(OffsetRange {
            topic: mapping.topic.clone(),
            partition: *partition,
            offsets: *first..held.end,
        });
    }
    Ok(ends)
}
