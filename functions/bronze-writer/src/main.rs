//! The Lambda entry point of the bronze writer.

use std::{process::ExitCode, sync::Arc};

use bronze_writer::{Settings, handle};
use lake::store::S3Store;
use runtime::{Environment, Event, Invocation, SettingError};

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let Settings { store, layout } = Settings::read(&environment)?;
        let shared = Arc::new((S3Store::connect(store).await, layout));
        Ok::<_, SettingError>(move |event: Event, invocation: Invocation| {
            let shared = Arc::clone(&shared);
            async move {
                let (store, layout) = &*shared;
                handle(store, layout, &event, &invocation).await
            }
        })
    })
}
