//! The Lambda entry point of the quote upserter.

#![forbid(unsafe_code)]

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lake::store::S3Store;
use quote_upserter::{Settings, Upserter, metrics::DATABASE_CONNECTIONS};
use runtime::{Environment, Event, Invocation, clock, metrics::emit};
use tables::{
    UpsertError,
    postgres::{AccessError, PostgresTables},
};
use tokio::time::Instant;

/// How long init waits for a database that does not answer; the first batch asks it again.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let Settings { access, store, how } = Settings::read(&environment)?;
        let database = access.to_string();
        let tables = PostgresTables::new(access, how.history);
        begin(&tables).await?;
        let store = S3Store::connect(store).await;
        let upserter = Arc::new(Upserter::new(tables, store, how));
        let connections = Arc::new(AtomicU64::new(0));
        Ok::<_, StartError>(move |event: Event, invocation: Invocation| {
            let (upserter, connections) = (Arc::clone(&upserter), Arc::clone(&connections));
            let database = database.clone();
            async move {
                let answer = upserter.handle(&event, &invocation).await;
                let so_far = upserter.tables().connections();
                let opened = so_far - connections.swap(so_far, Ordering::Relaxed);
                if opened > 0 {
                    let values = [(DATABASE_CONNECTIONS, opened)];
                    emit(clock::now(), ("database", &database), &values);
                }
                answer
            }
        })
    })
}

/// Opens the connection, and ends the start if no batch could be brought in either. A database that is slow or down is no
/// error: the first batch asks it again.
async fn begin(tables: &PostgresTables) -> Result<(), UpsertError> {
    match tables.check(Instant::now() + FIRST_ANSWER).await {
        Err(error @ UpsertError::Misconfigured { .. }) => Err(error),
        _ => Ok(()),
    }
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Database(#[from] UpsertError),
}
