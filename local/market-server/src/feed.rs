//! A provider's feed: where it stands in its recording, and what is wrong with it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    fault::{Fault, Provider},
    playback::{Playback, Position},
};

/// Every provider's feed.
#[derive(Clone)]
pub(super) struct Feeds([Arc<Feed>; Provider::ALL.len()]);

pub(super) struct Feed {
    provider: Provider,
    playback: Playback,
    switched: Mutex<Option<Switched>>,
}

/// A fault, and the real time since the start at which it was switched on.
#[derive(Clone, Copy)]
struct Switched {
    fault: Fault,
    since: Duration,
}

/// A time at which a feed is asked.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// The real time since the start.
    pub(super) elapsed: Duration,
    /// The place in the recordings; it stands still while the feed is frozen.
    pub(super) position: Position,
}

impl Feeds {
    pub(super) fn new(playback: &Playback) -> Self {
        Self(Provider::ALL.map(|provider| {
            Arc::new(Feed {
                provider,
                playback: playback.clone(),
                switched: Mutex::default(),
            })
        }))
    }

    pub(super) fn of(&self, provider: Provider) -> &Arc<Feed> {
        &self.0[provider as usize]
    }
}

impl fmt::Debug for Feeds {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let faults = self.0.iter().map(|feed| (feed.provider, feed.fault()));
        formatter.debug_map().entries(faults).finish()
    }
}

impl Feed {
    pub(super) fn provider(&self) -> Provider {
        self.provider
    }

    pub(super) fn moment(&self) -> Moment {
        let elapsed = self.playback.elapsed();
        let played = match self.switched() {
            Some(Switched {
                fault: Fault::Frozen,
                since,
            }) => since,
            _ => elapsed,
        };
        Moment {
            elapsed,
            position: self.playback.position(played),
        }
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.switched().map(|switched| switched.fault)
    }

    pub(super) fn set_fault(&self, fault: Option<Fault>) {
        let since = self.playback.elapsed();
        let switched = fault.map(|fault| Switched { fault, since });
        *self.lock() = switched;
    }

    fn switched(&self) -> Option<Switched> {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Switched>> {
        self.switched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
