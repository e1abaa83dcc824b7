//! The Lambda entry point of the quote poller.

use std::{process::ExitCode, sync::Arc, time::Duration};

use quote_poller::{Poller, Settings};
use runtime::{Environment, Event, Invocation};
use stream::publish::KafkaPublisher;

/// How long the first connection to the brokers may take, within Lambda's ten seconds of init.
const CONNECT: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    runtime::start(async |environment: Environment| {
        let Settings { access, feeds } = Settings::read(&environment)?;
        let roots = tokio::task::spawn_blocking(feeds::load_roots);
        let publisher = KafkaPublisher::open(access).await?;
        publisher.connect(CONNECT).await?;
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
