//! The Lambda entry point of the bar roller.

#![forbid(unsafe_code)]

use std::{process::ExitCode, sync::Arc};

use bar_roller::{Roller, Settings};
use lake::store::S3Store;
use runtime::{Environment, Event, Invocation, SettingError, clock};

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let settings = Settings::read(&environment)?;
        let store = S3Store::connect(settings.store).await;
        let roller = Arc::new(Roller::new(store, settings.place, settings.how));
        Ok::<_, SettingError>(move |event: Event, invocation: Invocation| {
            let roller = Arc::clone(&roller);
            async move { roller.handle(&event, &invocation, clock::now()).await }
        })
    })
}
