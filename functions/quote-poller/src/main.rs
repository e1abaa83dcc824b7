//! The Lambda entry point of the quote poller.

#![forbid(unsafe_code)]

use std::{process::ExitCode, sync::Arc, time::Duration};

use feeds::FeedError;
use quote_poller::{Poller, Settings};
use runtime::{Environment, Event, Invocation};
use stream::{AccessError, publish::KafkaPublisher};

/// When init goes on without the brokers: within Lambda's ten seconds of init. The secrets and the brokers' addresses take
/// 5 s of it at the most.
const INIT: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let settings = Settings::read(&environment)?;
        let poller = Poller::new(settings.feeds);
        // Before the brokers are waited for: a wrong deployment need not wait to be told so.
        poller.open(&settings.set_feeds).await?;
        let publisher = KafkaPublisher::with_access(settings.access);
        if let Err(error) = publisher.connect(INIT).await {
            // They may come, and secrets may be put right: until then, every quote counts as failed.
            tracing::error!("{error}");
        }
        let shared = Arc::new((poller, publisher));
        Ok::<_, StartError>(move |event: Event, invocation: Invocation| {
            let shared = Arc::clone(&shared);
            async move {
                let (poller, publisher) = &*shared;
                poller.handle(publisher, &event, &invocation).await
            }
        })
    })
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Feed(#[from] FeedError),
}
