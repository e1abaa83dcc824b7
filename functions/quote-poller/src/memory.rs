use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use market::{Observation, Said, Symbol, event_id};
use tokio::time::Instant;

/// A failure of one kind is logged once in so long.
const LOG_WINDOW: Duration = Duration::from_mins(1);

/// A provider's list of symbols is asked for once in so long.
const LIST_WINDOW: Duration = Duration::from_hours(24);

/// What a process remembers from one cycle and invocation to the next. Losing it costs nothing but a flag, a line
/// in the log and a request.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    seen: Mutex<HashMap<(String, Symbol), String>>,
    logged: Mutex<HashMap<(String, &'static str), Instant>>,
    listed: Mutex<HashMap<String, (Instant, Vec<Symbol>)>>,
}

impl Memory {
    /// Whether the very same was observed of the instrument last time, for this topic.
    pub(crate) fn is_repeated<T: Said>(&self, topic: &str, observation: &Observation<T>) -> bool {
        let id = event_id(observation);
        let of = (topic.to_owned(), observation.instrument.symbol.clone());
        lock(&self.seen).insert(of, id.clone()) == Some(id)
    }

    /// Whether a failure of this kind should be logged now.
    pub(crate) fn is_news(&self, topic: &str, reason: &'static str) -> bool {
        let mut logged = lock(&self.logged);
        let (key, now) = ((topic.to_owned(), reason), Instant::now());
        let is_news = logged.get(&key).is_none_or(|at| now - *at >= LOG_WINDOW);
        if is_news {
            logged.insert(key, now);
        }
        is_news
    }

    /// The symbols that the feed listed less than a day ago.
    pub(crate) fn listed(&self, feed: &str) -> Option<Vec<Symbol>> {
        let listed = lock(&self.listed);
        let (at, symbols) = listed.get(feed)?;
        (at.elapsed() < LIST_WINDOW).then(|| symbols.clone())
    }

    /// Remembers what the feed listed.
    pub(crate) fn remember_list(&self, feed: &str, symbols: Vec<Symbol>) {
        lock(&self.listed).insert(feed.to_owned(), (Instant::now(), symbols));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_kind_of_failure_is_news_once_in_a_minute_for_each_topic() {
        let memory = Memory::default();
        assert!(memory.is_news("a", "timeout"));
        assert!(memory.is_news("b", "timeout"));
        assert!(!memory.is_news("a", "timeout"));
        assert!(memory.is_news("a", "rate-limited"));
        tokio::time::advance(LOG_WINDOW).await;
        assert!(memory.is_news("a", "timeout"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_is_remembered_for_a_day() {
        let memory = Memory::default();
        memory.remember_list("vietnam", vec!["FPT".parse().unwrap()]);
        assert_eq!(memory.listed("vietnam").map(|list| list.len()), Some(1));
        assert_eq!(memory.listed("vci"), None);
        tokio::time::advance(LIST_WINDOW).await;
        assert_eq!(memory.listed("vietnam"), None);
    }
}
