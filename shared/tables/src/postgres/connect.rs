use std::{pin::pin, time::Duration};

use tokio::{
    spawn,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_postgres::{Client, Config, Error, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::debug;

use super::{
    access::{Access, Host, Tls},
    cancel::cancel,
    login::Login,
    refusal, tls,
};
use crate::UpsertError;

/// The longest that a server's host may take to be reached.
const REACH: Duration = Duration::from_secs(5);

/// How long sent bytes may stay unacknowledged: after a thaw the other end may have forgotten the connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// What of the time is left for taking a statement back.
const CANCEL: Duration = Duration::from_millis(500);

/// One connection.
pub(super) struct Connection {
    pub(super) client: Client,
    access: Access,
    tls: Option<MakeRustlsConnect>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects to the database of `access`. A refused login is tried once more, if its secrets are others by now.
    ///
    /// # Errors
    /// [`UpsertError`], never [`UpsertError::Refused`].
    pub(super) async fn open(access: &Access, until: Instant) -> Result<Self, UpsertError> {
        let opened = timeout_at(until, opened(access)).await;
        opened.unwrap_or_else(|_| Err(out_of_time(access)))
    }

    /// Whether nothing can be asked of it any more.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The outcome of `asked`, which is to be asked of this connection; `None` if it does not come by `until`. Shortly before
    /// that the server is asked to take the statement back; after `None` the connection is to be [dropped](Self::abandon).
    pub(super) async fn within<T>(
        &self,
        until: Instant,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Option<Result<T, Error>> {
        let mut asked = pin!(asked);
        let left = until.saturating_duration_since(Instant::now());
        if let Ok(outcome) = timeout_at(until - CANCEL.min(left / 4), &mut asked).await {
            return Some(outcome);
        }
        let token = self.client.cancel_token();
        let cancelled = cancel(&self.access.0, &token, self.tls.clone());
        // Best effort: a server that hangs takes no request either, and bringing rows again is safe.
        if let Ok(Err(error)) = timeout_at(until, cancelled).await {
            debug!("the statement can't be taken back: {error}");
        }
        // A pooler forgets the request if its client goes before the statement ends; and that may have been done by now.
        match timeout_at(until, asked).await {
            Ok(Ok(done)) => Some(Ok(done)),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Drops the connection as it is, whatever the server has to say.
    pub(super) fn abandon(self) {
        self.task.abort();
    }
}

pub(super) fn out_of_time(access: &Access) -> UpsertError {
    UpsertError::OutOfTime {
        database: access.to_string(),
    }
}

async fn opened(access: &Access) -> Result<Connection, UpsertError> {
    let login = match access.login().await {
        Ok(login) => login,
        Err(error) => return Err(refusal::of_access(access, error)),
    };
    let refused = match connected(access, &login).await {
        Err(refused @ UpsertError::Misconfigured { .. }) => refused,
        outcome => return outcome,
    };
    // The first refusal says more than that a secret can't be fetched again.
    match access.renewed(&login).await {
        Ok(Some(renewed)) => connected(access, &renewed).await,
        Ok(None) | Err(_) => Err(refused),
    }
}

async fn connected(access: &Access, login: &Login) -> Result<Connection, UpsertError> {
    let parts = &access.0;
    let mut config = Config::new();
    // Every parameter of the start is one that poolers take.
    config
        .user(&login.user)
        .dbname(&parts.name)
        .port(parts.port)
        .application_name(&parts.application)
        .connect_timeout(REACH)
        .tcp_user_timeout(UNACKNOWLEDGED)
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3);
    if let Some(password) = &login.password {
        config.password(password.expose());
    }
    match &parts.host {
        Host::Name(name) => config.host(name),
        Host::Folder(folder) => config.host_path(folder),
    };
    let refuse = |error| refusal::of_connecting(access, error);
    if let Tls::Off = parts.tls {
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(refuse)?;
        let task = spawn(async { told(connection.await) });
        return Ok(Connection {
            client,
            access: access.clone(),
            tls: None,
            task,
        });
    }
    config.ssl_mode(SslMode::Require);
    let tls = tls::verified(login.authority.as_deref())
        .map_err(|problem| refusal::of_authority(access, problem))?;
    let (client, connection) = config.connect(tls.clone()).await.map_err(refuse)?;
    let task = spawn(async { told(connection.await) });
    Ok(Connection {
        client,
        access: access.clone(),
        tls: Some(tls),
        task,
    })
}

/// Who waits for an answer is told by the client; this is for a connection that nobody waited on.
fn told(ended: Result<(), Error>) {
    if let Err(error) = ended {
        debug!(
            "a connection to the database ended: {}",
            cause::innermost(&error)
        );
    }
}
