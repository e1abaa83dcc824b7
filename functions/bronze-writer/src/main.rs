//! The Lambda entry point of the bronze writer.

#![forbid(unsafe_code)]

use std::{process::ExitCode, sync::Arc, time::Duration};

use bronze_writer::{Settings, Writer};
use lake::{DescribeError, store::S3Store};
use runtime::{Environment, Event, Invocation, SettingError};
use tokio::time::Instant;

/// How long init waits for a store that does not answer; the first batch asks it again.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let settings = Settings::read(&environment)?;
        let store = S3Store::connect(settings.store).await;
        let writer = Writer::new(store, settings.layout, settings.failure_response);
        writer.begin(Instant::now() + FIRST_ANSWER).await?;
        let writer = Arc::new(writer);
        Ok::<_, StartError>(move |event: Event, invocation: Invocation| {
            let writer = Arc::clone(&writer);
            async move { writer.handle(&event, &invocation).await }
        })
    })
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    History(#[from] DescribeError),
}
