//! Quotes that are published while other things happen.

use std::time::Duration;

use futures::future::join_all;
use rand::{RngExt, rngs::StdRng};
use stream::publish::{KafkaPublisher, Publish};
use tokio::time::{Instant, sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::topic::Topic;

/// What is published.
#[derive(Clone, Copy)]
pub struct Quotes {
    /// How many symbols there are; each is in every partition.
    pub symbols: u32,
    /// The most quotes of a burst; the least is one.
    pub burst: u32,
    /// The pause between two bursts.
    pub pause: Duration,
}

/// A publisher that ends with this value.
pub struct Feed {
    publishing: AbortOnDropHandle<()>,
    stop: CancellationToken,
}

/// One of so many quotes is broken.
const BROKEN: u32 = 50;

impl Feed {
    /// Begins to publish. The quotes of a burst are a second younger than those of the burst before.
    pub fn start(topic: &Topic, quotes: Quotes, random: StdRng) -> Self {
        let made = move |second, random: &mut StdRng| quote(quotes, second, random);
        Self::of(topic, quotes, made, random)
    }

    /// Begins to publish the keys and values that `make` gives for the number of a burst, however many `quotes` says.
    pub fn of(
        topic: &Topic,
        quotes: Quotes,
        make: impl Fn(u32, &mut StdRng) -> (String, String) + Send + 'static,
        mut random: StdRng,
    ) -> Self {
        let publisher = KafkaPublisher::new(topic.cluster()).unwrap();
        let name = topic.name().to_owned();
        let stop = CancellationToken::new();
        let is_stopped = stop.clone();
        let publishing = tokio::spawn(async move {
            for second in 0.. {
                let burst: Vec<_> = (0..random.random_range(1..=quotes.burst))
                    .map(|_| make(second, &mut random))
                    .collect();
                let until = Instant::now() + Duration::from_secs(30);
                let sent = burst.iter().map(async |(key, value)| {
                    let published = publisher.publish(&name, key, value.as_bytes(), until);
                    published.await.unwrap();
                });
                join_all(sent).await;
                tokio::select! {
                    () = is_stopped.cancelled() => return,
                    () = sleep(quotes.pause) => {}
                }
            }
        });
        Self {
            publishing: AbortOnDropHandle::new(publishing),
            stop,
        }
    }

    /// Ends it, with every quote acknowledged.
    pub async fn stop(self) {
        self.stop.cancel();
        self.publishing.await.unwrap();
    }
}

/// A key, which decides the partition, and a value.
fn quote(quotes: Quotes, second: u32, random: &mut StdRng) -> (String, String) {
    let key = format!("k{}", random.random_range(0..1_000));
    let symbol = random.random_range(0..quotes.symbols);
    let end = if random.random_ratio(1, BROKEN) {
        ""
    } else {
        "}"
    };
    let price = random.random_range(1.0..1_000.0);
    let name = "x".repeat(random.random_range(0..200));
    let time = 1_779_480_000 + second;
    let value = format!(
        r#"{{"symbol":"S{symbol}","c":{price:.4},"name":"{name}","fetched_at":{time}{end}"#
    );
    (key, value)
}
