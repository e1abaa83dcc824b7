//! The connection in use, and when another takes its place.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use super::{ProducerError, connection::Connection, missing::MissingTopics};
use crate::{Access, Cluster};

/// What a publisher's senders and its renewal share.
pub(super) struct Shared {
    current: RwLock<Connection>,
    /// Told when the brokers refuse a connection or none can be reached.
    troubled: Arc<Notify>,
    access: Access,
    pub(super) missing: Option<MissingTopics>,
}

/// The least time between two questions for other addresses and credentials.
const RENEWAL: Duration = Duration::from_secs(30);

impl Shared {
    pub(super) fn new(cluster: &Cluster, access: Access) -> Result<Self, ProducerError> {
        let missing = access.create_partitions().map(MissingTopics::new);
        let troubled = Arc::new(Notify::new());
        Ok(Self {
            current: RwLock::new(Connection::open(cluster, Arc::clone(&troubled))?),
            troubled,
            access,
            missing,
        })
    }

    pub(super) fn open(&self, cluster: &Cluster) -> Result<Connection, ProducerError> {
        Connection::open(cluster, Arc::clone(&self.troubled))
    }

    /// The connection to use now, new if the one before can't be used any more.
    pub(super) fn connection(&self) -> Connection {
        // The lock must not be held beyond this line.
        let current =
            Connection::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        if current.is_spent()
            && let Ok(new) = self.open(current.cluster())
        {
            return self.replace(&current, new);
        }
        current
    }

    /// Puts `new` in the place of `old`, unless another took it before; gives what stands there.
    pub(super) fn replace(&self, old: &Connection, new: Connection) -> Connection {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.is_same(old) {
            *current = new;
            old.leave();
        }
        current.clone()
    }
}

/// Looks for other addresses and credentials whenever a connection is in trouble.
pub(super) async fn renew(shared: Arc<Shared>) {
    loop {
        shared.troubled.notified().await;
        if let Err(error) = look(&shared).await {
            tracing::error!("{error}");
        }
        sleep(RENEWAL).await;
    }
}

/// Looks once. It must hold no connection afterwards: one that was replaced ends with its last record.
async fn look(shared: &Shared) -> Result<(), ProducerError> {
    let connection = shared.connection();
    if let Some(cluster) = shared.access.renewed(connection.cluster()).await? {
        let new = shared.open(&cluster)?;
        tracing::info!(brokers = %cluster, "the brokers or the credentials have changed: connecting anew");
        shared.replace(&connection, new);
    }
    Ok(())
}
