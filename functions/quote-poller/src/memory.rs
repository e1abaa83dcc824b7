use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use market::{Observation, Said, Symbol, event_id};
use tokio::time::Instant;

use crate::beat::Turn;

/// A failure of one kind is logged once in so long.
const LOG_WINDOW: Duration = Duration::from_mins(1);

/// A provider's list of symbols is asked for once in so long.
const LIST_WINDOW: Duration = Duration::from_hours(24);

/// What a process remembers from one cycle and invocation to the next. Losing it costs nothing but a flag, a line
/// in the log and a request.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    seen: Mutex<HashMap<(String, String), String>>,
    turns: Mutex<HashMap<String, Turn>>,
    beats: Mutex<HashMap<(String, Duration), u64>>,
    logged: Mutex<HashMap<(String, &'static str), Instant>>,
    listed: Mutex<HashMap<String, (Instant, Vec<Symbol>)>>,
}

impl Memory {
    /// Whether the very same was observed of the symbol last time, for this topic.
    pub(crate) fn is_repeated<T: Said>(
        &self,
        topic: &str,
        symbol: &str,
        observation: &Observation<T>,
    ) -> bool {
        let id = event_id(observation);
        let of = (topic.to_owned(), symbol.to_owned());
        lock(&self.seen).insert(of, id.clone()) == Some(id)
    }

    /// Forgets what was observed of the symbol last time, because it was not published.
    pub(crate) fn forget(&self, topic: &str, symbol: &str) {
        lock(&self.seen).remove(&(topic.to_owned(), symbol.to_owned()));
    }

    /// The topic's last invocation that had a scheduled time.
    pub(crate) fn turn(&self, topic: &str) -> Option<Turn> {
        lock(&self.turns).get(topic).copied()
    }

    /// Remembers the topic's last invocation.
    pub(crate) fn remember_turn(&self, topic: &str, turn: Turn) {
        lock(&self.turns).insert(topic.to_owned(), turn);
    }

    /// The number of the topic's last beat, if it is remembered.
    pub(crate) fn last_beat(&self, topic: &str, beat: Duration) -> Option<u64> {
        lock(&self.beats).get(&(topic.to_owned(), beat)).copied()
    }

    /// Remembers the number of the topic's last beat.
    pub(crate) fn remember_beat(&self, topic: &str, beat: Duration, last: u64) {
        lock(&self.beats).insert((topic.to_owned(), beat), last);
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

    /// The symbols that the feed listed last, and whether that was less than a day ago.
    pub(crate) fn listed(&self, feed: &str) -> Option<(Vec<Symbol>, bool)> {
        let listed = lock(&self.listed);
        let (at, symbols) = listed.get(feed)?;
        Some((symbols.clone(), at.elapsed() < LIST_WINDOW))
    }

    /// Remembers what the feed listed.
    pub(crate) fn remember_list(&self, feed: &str, symbols: Vec<Symbol>) {
        lock(&self.listed).insert(feed.to_owned(), (Instant::now(), symbols));
    }
}

/// What a mutex holds: nothing here is left half done by a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
    async fn a_list_is_fresh_for_a_day_and_remembered_beyond() {
        let memory = Memory::default();
        let symbols = vec!["FPT".parse().unwrap()];
        memory.remember_list("vietnam", symbols.clone());
        assert_eq!(memory.listed("vietnam"), Some((symbols.clone(), true)));
        assert_eq!(memory.listed("vci"), None);
        tokio::time::advance(LIST_WINDOW).await;
        assert_eq!(memory.listed("vietnam"), Some((symbols, false)));
    }
}
