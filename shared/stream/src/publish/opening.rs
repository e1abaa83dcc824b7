//! The first connection, which is there as soon as its cluster is known.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{self, BoxFuture},
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{
    ProducerError,
    current::{Shared, renew},
};
use crate::Access;

/// The least time from the start of one attempt to that of the next.
const RETRY: Duration = Duration::from_secs(10);

/// What is opened once, by whoever needs it first.
pub(super) struct Opening {
    access: Access,
    opened: OnceLock<Arc<Opened>>,
    /// The latest attempt, and when it began.
    latest: Mutex<Option<(Instant, Attempt)>>,
}

/// An attempt that all who wait for it drive together; it outlives any of them.
type Attempt = future::Shared<BoxFuture<'static, Result<Arc<Opened>, ProducerError>>>;

struct Opened {
    shared: Arc<Shared>,
    /// Ends with the publisher.
    _renewal: JoinSet<()>,
}

impl Opening {
    pub(super) fn new(access: Access) -> Self {
        Self {
            access,
            opened: OnceLock::new(),
            latest: Mutex::default(),
        }
    }

    /// With a connection that is there already, and never another.
    pub(super) fn opened(shared: Shared, access: Access) -> Self {
        let opened = Opened {
            shared: Arc::new(shared),
            _renewal: JoinSet::new(),
        };
        Self {
            opened: OnceLock::from(Arc::new(opened)),
            ..Self::new(access)
        }
    }

    /// What is open, if it is.
    pub(super) fn get(&self) -> Option<&Shared> {
        self.opened.get().map(|opened| &*opened.shared)
    }

    /// Opens it where it is not. All who ask share an attempt, and its failure, until 10 s after it began.
    ///
    /// # Errors
    /// [`ProducerError::Access`] and [`ProducerError::Unusable`]; [`ProducerError::Pending`] at `until`.
    pub(super) async fn open(&self, until: Instant) -> Result<&Shared, ProducerError> {
        if let Some(opened) = self.get() {
            return Ok(opened);
        }
        let attempt = timeout_at(until, self.attempt()).await;
        let opened = attempt.unwrap_or(Err(ProducerError::Pending))?;
        Ok(&self.opened.get_or_init(|| opened).shared)
    }

    fn attempt(&self) -> Attempt {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((began, attempt)) if stands(attempt) || began.elapsed() < RETRY => attempt.clone(),
            _ => {
                let attempt = open(self.access.clone()).boxed().shared();
                *latest = Some((Instant::now(), attempt.clone()));
                attempt
            }
        }
    }
}

/// Whether it is under way or has succeeded.
fn stands(attempt: &Attempt) -> bool {
    attempt.peek().is_none_or(Result::is_ok)
}

async fn open(access: Access) -> Result<Arc<Opened>, ProducerError> {
    let cluster = access.cluster().await?;
    let shared = Arc::new(Shared::new(&cluster, access)?);
    let mut renewal = JoinSet::new();
    renewal.spawn(renew(Arc::clone(&shared)));
    Ok(Arc::new(Opened {
        shared,
        _renewal: renewal,
    }))
}
