//! The Lambda entry point of the quote poller.

#![forbid(unsafe_code)]

use std::{process::ExitCode, sync::Arc, time::Duration};

use quote_poller::{Poller, Settings};
use runtime::{Environment, Event, Invocation};
use stream::publish::KafkaPublisher;
use tokio::time::Instant;

/// When init goes on without the brokers, from its start: within Lambda's ten seconds of init. The secrets and the
/// brokers' addresses take 5 s of it at the most.
const INIT: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let until = Instant::now() + INIT;
        let Settings { access, feeds } = Settings::read(&environment)?;
        let roots = tokio::task::spawn_blocking(feeds::load_roots);
        let publisher = KafkaPublisher::open(access).await?;
        let left = until.saturating_duration_since(Instant::now());
        if let Err(error) = publisher.connect(left).await {
            // They may come, and credentials may be put right: until then, every quote counts as failed.
            tracing::error!("{error}");
        }
        // Read while the brokers were waited for; a panic in there comes again where they are used.
        let _ = roots.await;
        let shared = Arc::new((Poller::new(feeds), publisher));
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
    Setting(#[from] stream::AccessError),
    #[error(transparent)]
    Producer(#[from] stream::publish::ProducerError),
}
