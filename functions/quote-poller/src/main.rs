//! The Lambda entry point of the quote poller.

#![forbid(unsafe_code)]

use std::{process::ExitCode, sync::Arc, time::Duration};

use quote_poller::{Poller, Settings};
use runtime::{Environment, Event, Invocation};
use stream::{AccessError, publish::KafkaPublisher};

/// When init goes on without the brokers: within Lambda's ten seconds of init. The secrets and the brokers' addresses take
/// 5 s of it at the most.
const INIT: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let Settings { access, feeds } = Settings::read(&environment)?;
        let roots = tokio::task::spawn_blocking(feeds::load_roots);
        let publisher = KafkaPublisher::with_access(access);
        if let Err(error) = publisher.connect(INIT).await {
            // They may come, and secrets may be put right: until then, every quote counts as failed.
            tracing::error!("{error}");
        }
        // Read while the brokers were waited for; a panic in there comes again where they are used.
        let _ = roots.await;
        let shared = Arc::new((Poller::new(feeds), publisher));
        Ok::<_, AccessError>(move |event: Event, invocation: Invocation| {
            let shared = Arc::clone(&shared);
            async move {
                let (poller, publisher) = &*shared;
                poller.handle(publisher, &event, &invocation).await
            }
        })
    })
}
