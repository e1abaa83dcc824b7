//! A topic whose roll can end before its end.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use lake::store::{Get, List, PutIf, StoreError};
use silver::{How, Job, Layout, Range, Rolled, Shard, TopicRolled};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Cut, Options, Outcome, answers::Answering, progress::Progress, roll_until_complete, rules,
    symbols_of,
};

/// How long a topic may take. What is left then is named, and a second run goes on.
const LONGEST: Duration = Duration::from_hours(24);

/// How long the symbols in hand have once it is stopped.
const LAST: Duration = Duration::from_secs(5);

/// What topics are rolled with.
pub(super) struct Cuttable<'a, S> {
    pub(super) options: &'a Options,
    pub(super) range: Range,
    pub(super) store: &'a Arc<Answering<S>>,
    pub(super) layout: &'a Layout,
    pub(super) stop: &'a CancellationToken,
}

impl<S: PutIf + Get + List + 'static> Cuttable<'_, S> {
    /// Rolls a topic as far as it comes, and adds what became of it.
    ///
    /// # Errors
    /// A [`StoreError`] if nothing of the topic could be begun.
    pub(super) async fn roll(
        &self,
        topic: &str,
        progress: &mut Progress,
        outcome: &mut Outcome,
    ) -> Result<(), StoreError> {
        let mut job = self.job(topic);
        let (mut left, mut done) = (BTreeSet::new(), TopicRolled::default());
        let rolling = async {
            job.how.rules = rules(&self.options.silver, &**self.store, self.layout, topic).await?;
            left = self.wanted(&job).await?;
            let end = (Instant::now() + LONGEST, self.stop);
            let mut count = |of: usize, symbol: &str, rolled: &Result<Rolled, _>| {
                progress.symbol(of);
                if let Ok(rolled) = rolled {
                    left.remove(symbol);
                    done.symbols += 1;
                    done.unchanged += usize::from(rolled.files == 0);
                    done.total.add(rolled.clone());
                }
            };
            roll_until_complete(self.store, self.layout, &job, end, &mut count).await
        };
        let (rolled, cut) = tokio::select! {
            rolled = rolling => (Some(rolled), self.stop.is_cancelled().then_some(Cut::Stopped)),
            cut = self.cut() => (None, Some(cut)),
        };
        let is_begun = done.symbols > 0 || !outcome.topics.is_empty();
        let (rolled, cut) = match rolled {
            Some(Ok(rolled)) => (Some(rolled), cut),
            // What is done is told.
            Some(Err(error)) if is_begun && error.is_transient() => (None, Some(Cut::Silence)),
            Some(Err(error)) => return Err(error),
            None => (None, cut),
        };
        let rolled = rolled.unwrap_or_else(|| {
            done.symbols += left.len();
            done.left = left.into_iter().collect();
            done
        });
        outcome.topics.insert(topic.to_owned(), rolled);
        outcome.rules.insert(topic.to_owned(), job.how.rules);
        outcome.cut = cut;
        Ok(())
    }

    fn job(&self, topic: &str) -> Job {
        let options = self.options;
        let bronze = self.layout.bronze();
        let symbols = options.symbols.iter();
        Job {
            topic: topic.to_owned(),
            range: self.range,
            how: How {
                rules: options.silver.rules(),
                provisional: !options.only_complete,
                rebuild: options.rebuild,
                dry_run: options.dry_run,
            },
            shard: Shard::ALL,
            symbols: symbols
                .map(|symbol| bronze.symbol_segment(symbol))
                .collect(),
            at_once: usize::try_from(options.at_once).unwrap_or(1),
        }
    }

    async fn wanted(&self, job: &Job) -> Result<BTreeSet<String>, StoreError> {
        let known = symbols_of(&**self.store, self.layout, &job.topic).await?;
        let is_wanted = |symbol: &String| job.symbols.is_empty() || job.symbols.contains(symbol);
        Ok(known.into_iter().filter(is_wanted).collect())
    }

    /// Ends when the roll has to.
    async fn cut(&self) -> Cut {
        let stopped = async {
            self.stop.cancelled().await;
            sleep(LAST).await;
        };
        tokio::select! {
            () = stopped => Cut::Stopped,
            () = self.store.silence() => Cut::Silence,
        }
    }
}
