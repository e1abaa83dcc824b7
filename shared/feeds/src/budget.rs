//! The request budget of a provider: never more than a limit in any window of time.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync,
    time::{Instant, sleep_until, timeout_at},
};

/// At most `limit` in any `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The most weight in a period; a plain request weighs 1.
    pub limit: u32,
    /// The length of the window.
    pub period: Duration,
}

/// The budget allows nothing of this weight in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request budget is spent until after the deadline")]
pub struct OverBudget;

/// What is spent of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The window.
    pub window: Window,
    /// The weight in it.
    pub spent: u64,
}

/// The request budget of a provider and key, over sliding windows. It is exact: no stretch of time as long as a
/// window ever holds more than the window's limit, wherever it starts.
///
/// Why no token buckets: a bucket that is full after a quiet minute gives a minute's limit at once and refills by
/// another one in the minute after. A provider that counts by the minute sees up to twice its limit and answers
/// with a ban; a bucket of half the size and rate is safe and wastes half of what is allowed. A window remembers
/// each spending instead of one level: 3,000 entries at most for Binance.
///
/// Those who wait are served in the order they came.
pub struct Budget {
    /// The longest last.
    windows: Vec<Window>,
    turn: sync::Mutex<()>,
    spent: Mutex<VecDeque<Spending>>,
}

#[derive(Clone, Copy)]
struct Spending {
    at: Instant,
    weight: u32,
}

impl Budget {
    /// A budget that keeps every one of `windows`.
    pub fn new(windows: impl IntoIterator<Item = Window>) -> Self {
        let mut windows: Vec<Window> = windows.into_iter().collect();
        windows.sort_by_key(|window| window.period);
        Self {
            windows,
            turn: sync::Mutex::new(()),
            spent: Mutex::default(),
        }
    }

    /// Spends `weight` as soon as every window has room for it.
    ///
    /// # Errors
    /// [`OverBudget`], as soon as it is known, if there is no room before `until`. Nothing is spent then.
    pub async fn acquire(&self, weight: u32, until: Instant) -> Result<(), OverBudget> {
        let _turn = timeout_at(until, self.turn.lock())
            .await
            .map_err(|_| OverBudget)?;
        while let Some(room) = self.spend_or_wait(weight) {
            match room {
                Room::At(at) if at < until => sleep_until(at).await,
                Room::At(_) | Room::Never => return Err(OverBudget),
            }
        }
        Ok(())
    }

    /// Takes the provider's word that at least `used` is spent in the longest window, by whomever.
    pub fn charge(&self, used: u32) {
        let mut spent = self.spent();
        let now = Instant::now();
        let Some(longest) = self.windows.last() else {
            return;
        };
        let known = longest.spent(&spent, now);
        let unknown = u64::from(used).saturating_sub(known);
        if let Ok(weight @ 1..) = u32::try_from(unknown) {
            spent.push_back(Spending { at: now, weight });
        }
    }

    /// What is spent now, window by window, shortest first.
    pub fn usage(&self) -> Vec<Usage> {
        let (spent, now) = (self.spent(), Instant::now());
        let windows = self.windows.iter();
        windows
            .map(|window| Usage {
                window: *window,
                spent: window.spent(&spent, now),
            })
            .collect()
    }

    /// Whether at least half of the longest window is unspent now.
    pub fn has_half_left(&self) -> bool {
        let usage = self.usage();
        usage
            .last()
            .is_none_or(|usage| usage.spent * 2 <= u64::from(usage.window.limit))
    }

    /// Spends now and answers `None`, or says when there is room.
    fn spend_or_wait(&self, weight: u32) -> Option<Room> {
        let mut spent = self.spent();
        let now = Instant::now();
        spent.retain(|spending| {
            self.windows
                .iter()
                .any(|window| window.holds(spending, now))
        });
        let room = self
            .windows
            .iter()
            .filter_map(|window| window.room(&spent, weight, now))
            .max();
        if room.is_none() {
            spent.push_back(Spending { at: now, weight });
        }
        room
    }

    fn spent(&self) -> MutexGuard<'_, VecDeque<Spending>> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a window that is full has room again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    At(Instant),
    Never,
}

impl Window {
    fn holds(&self, spending: &Spending, now: Instant) -> bool {
        spending.at + self.period > now
    }

    fn spent(&self, spendings: &VecDeque<Spending>, now: Instant) -> u64 {
        spendings
            .iter()
            .filter(|spending| self.holds(spending, now))
            .map(|spending| u64::from(spending.weight))
            .sum()
    }

    /// `None` if there is room for `weight` now.
    fn room(&self, spendings: &VecDeque<Spending>, weight: u32, now: Instant) -> Option<Room> {
        let Some(allowed) = self.limit.checked_sub(weight).map(u64::from) else {
            return Some(Room::Never);
        };
        let mut spent = self.spent(spendings, now);
        if spent <= allowed {
            return None;
        }
        for spending in spendings
            .iter()
            .filter(|spending| self.holds(spending, now))
        {
            spent -= u64::from(spending.weight);
            if spent <= allowed {
                return Some(Room::At(spending.at + self.period));
            }
        }
        None
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budget").field(&self.windows).finish()
    }
}

#[cfg(test)]
mod tests;
