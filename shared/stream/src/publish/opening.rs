//! The first connection, which is there as soon as its cluster is known.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OnceCell},
    task::JoinSet,
    time::Instant,
};

use super::{
    ProducerError,
    current::{Shared, renew},
};
use crate::Access;

/// The least time between two attempts.
const RETRY: Duration = Duration::from_secs(5);

/// What is opened once, by whoever needs it first.
pub(super) struct Opening {
    access: Access,
    opened: OnceCell<Opened>,
    /// When the latest attempt failed, and why.
    failed: Mutex<Option<(Instant, ProducerError)>>,
}

struct Opened {
    shared: Arc<Shared>,
    /// Ends with the publisher.
    _renewal: JoinSet<()>,
}

impl Opening {
    pub(super) fn new(access: Access) -> Self {
        Self {
            access,
            opened: OnceCell::new(),
            failed: Mutex::default(),
        }
    }

    /// With a connection that is there already, and never another.
    pub(super) fn opened(shared: Shared, access: Access) -> Self {
        let opened = Opened {
            shared: Arc::new(shared),
            _renewal: JoinSet::new(),
        };
        Self {
            opened: OnceCell::new_with(Some(opened)),
            ..Self::new(access)
        }
    }

    /// What is open, if it is.
    pub(super) fn get(&self) -> Option<&Shared> {
        self.opened.get().map(|opened| &*opened.shared)
    }

    /// Opens it where it is not; an attempt that failed stands for 5 s for all who ask. Ends by itself.
    ///
    /// # Errors
    /// [`ProducerError::Access`] and [`ProducerError::Unusable`].
    pub(super) async fn open(&self) -> Result<&Shared, ProducerError> {
        if let Some(opened) = self.get() {
            return Ok(opened);
        }
        // Held over the attempt, so that nobody tries beside.
        let mut failed = self.failed.lock().await;
        match &*failed {
            Some((at, error)) if at.elapsed() < RETRY => return Err(error.clone()),
            _ => {}
        }
        match self.opened.get_or_try_init(|| self.attempt()).await {
            Ok(opened) => Ok(&opened.shared),
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn attempt(&self) -> Result<Opened, ProducerError> {
        let cluster = self.access.cluster().await?;
        let shared = Arc::new(Shared::new(&cluster, self.access.clone())?);
        let mut renewal = JoinSet::new();
        renewal.spawn(renew(Arc::clone(&shared)));
        Ok(Opened {
            shared,
            _renewal: renewal,
        })
    }
}
