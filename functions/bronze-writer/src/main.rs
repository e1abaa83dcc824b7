//! The Lambda entry point of the bronze writer.

use std::{process::ExitCode, sync::Arc};

use bronze_writer::{Settings, Writer};
use lake::store::S3Store;
use runtime::{Environment, Event, Invocation, SettingError};

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let settings = Settings::read(&environment)?;
        let store = S3Store::connect(settings.store).await;
        let writer = Writer::new(store, settings.layout, settings.failure_response);
        let writer = Arc::new(writer);
        Ok::<_, SettingError>(move |event: Event, invocation: Invocation| {
            let writer = Arc::clone(&writer);
            async move { writer.handle(&event, &invocation).await }
        })
    })
}
