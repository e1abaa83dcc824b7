use std::time::Duration;

use lake::ObjectKey;
use tables::{Row, Upsert, UpsertError};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep},
};

use super::{outcome::WrittenCounts, read::Chunk};
use crate::{
    replay::{Progress, ReplayError},
    table::grouped,
};

/// How long one transaction may take.
const TIME: Duration = Duration::from_secs(30);

/// How often one that takes longer is tried: each time it is a lock that it waits for.
const ATTEMPTS: u32 = 2;

/// The pauses between attempts, while the database is away: a restart is over in less than their sum.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// What is in the tables.
pub(super) struct Written {
    pub(super) counts: WrittenCounts,
    /// The last object whose rows all are.
    pub(super) after: Option<ObjectKey>,
}

impl Written {
    pub(super) fn new(after: Option<ObjectKey>) -> Self {
        Self {
            counts: WrittenCounts::default(),
            after,
        }
    }

    /// Brings every chunk that comes.
    pub(super) async fn bring(
        &mut self,
        tables: &impl Upsert,
        mut chunks: Receiver<Chunk>,
        progress: &Progress,
    ) -> Result<(), ReplayError> {
        let mut rate = Rate::new();
        while let Some(Chunk { rows, done }) = chunks.recv().await {
            self.chunk(tables, &rows, progress).await?;
            rate.add(rows.len());
            self.after = done.or(self.after.take());
            let counts = &self.counts;
            progress.say(|| {
                format!(
                    "{} rows written, {} there already, {} rows per second",
                    grouped(counts.written),
                    grouped(counts.rows - counts.written),
                    grouped(rate.per_second()),
                )
            });
        }
        Ok(())
    }

    /// Brings rows by one transaction; halves them until a row that is refused is alone.
    async fn chunk(
        &mut self,
        tables: &impl Upsert,
        rows: &[Row],
        progress: &Progress,
    ) -> Result<(), ReplayError> {
        let mut parts = vec![rows];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match upsert(tables, part, progress).await {
                Ok(upserted) => {
                    self.counts.rows += part.len() as u64;
                    self.counts.written += upserted.history;
                    self.counts.latest_changed += upserted.latest;
                }
                Err(error) if error.is_of_rows() => match part {
                    [
                        Row {
                            topic,
                            partition,
                            offset,
                            ..
                        },
                    ] => {
                        let name = || format!("{topic}-{partition}@{offset}: {error}");
                        self.counts.refused.add(name);
                    }
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                },
                Err(error) => return Err(meant(error)),
            }
        }
        Ok(())
    }
}

/// Asks again while the database is away.
async fn upsert(
    tables: &impl Upsert,
    rows: &[Row],
    progress: &Progress,
) -> Result<tables::Upserted, UpsertError> {
    let mut pauses = PAUSES.iter();
    let mut attempts = 1;
    loop {
        let error = match tables.upsert(rows, Instant::now() + TIME).await {
            Err(error @ UpsertError::OutOfTime { .. }) if attempts == ATTEMPTS => {
                return Err(error);
            }
            Err(error @ (UpsertError::Unavailable { .. } | UpsertError::OutOfTime { .. })) => error,
            answer => return answer,
        };
        let Some(pause) = pauses.next() else {
            return Err(error);
        };
        attempts += u32::from(matches!(error, UpsertError::OutOfTime { .. }));
        progress.say(|| format!("waiting: {error}"));
        sleep(*pause).await;
    }
}

fn meant(error: UpsertError) -> ReplayError {
    match error {
        UpsertError::OutOfTime { database } => ReplayError::Held {
            database,
            seconds: TIME.as_secs() * u64::from(ATTEMPTS),
        },
        error => error.into(),
    }
}

/// Rows since the start.
struct Rate {
    started: Instant,
    rows: usize,
}

impl Rate {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            rows: 0,
        }
    }

    fn add(&mut self, rows: usize) {
        self.rows += rows;
    }

    fn per_second(&self) -> u64 {
        let milliseconds = self.started.elapsed().as_millis().max(1);
        u64::try_from(self.rows as u128 * 1_000 / milliseconds).unwrap_or(u64::MAX)
    }
}
