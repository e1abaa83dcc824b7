//! From outcomes to acknowledged records, each counted.

use std::time::Duration;

use feeds::FetchError;
use futures::{Stream, StreamExt, stream::FuturesUnordered};
use market::Message;
use stream::publish::{Publish, PublishError};
use tokio::time::{Instant, interval};

use crate::{failures::Failures, report::Tally};

/// How many records may wait for their acknowledgement.
const IN_FLIGHT: usize = 4096;

/// How often the counts are emitted while outcomes come.
const COUNT: Duration = Duration::from_secs(1);

/// What came of one symbol.
pub(crate) struct Outcome {
    pub(crate) symbol: String,
    pub(crate) result: Result<Message, FetchError>,
}

/// Publishes what comes as it comes, until `outcomes` end and every record is acknowledged or given up. The last counts
/// are for the caller to emit.
pub(crate) async fn publish(
    publisher: &impl Publish,
    topic: &str,
    outcomes: impl Stream<Item = Outcome>,
    answer_by: Instant,
    tally: &mut Tally,
    failures: &mut Failures<'_>,
) {
    let mut outcomes = std::pin::pin!(outcomes);
    let mut sent = FuturesUnordered::new();
    let mut tick = interval(COUNT);
    let mut open = true;
    while open || !sent.is_empty() {
        tokio::select! {
            outcome = outcomes.next(), if open && sent.len() < IN_FLIGHT => match outcome {
                Some(Outcome { symbol, result: Ok(message) }) => {
                    tally.polled += 1;
                    sent.push(send(publisher, topic, symbol, message, answer_by));
                }
                Some(Outcome { symbol, result: Err(error) }) => {
                    failures.add(tally, &symbol, error.reason(), &error);
                }
                None => open = false,
            },
            Some((symbol, delivery)) = sent.next() => match delivery {
                Ok(took) => {
                    tally.published += 1;
                    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                    tally.acknowledged_after_ms.push(took);
                }
                Err(error) => failures.add_unpublished(tally, &symbol, &error),
            },
            _ = tick.tick() => tally.emit(topic),
        }
    }
}

async fn send(
    publisher: &impl Publish,
    topic: &str,
    symbol: String,
    Message { key, body }: Message,
    until: Instant,
) -> (String, Result<Duration, PublishError>) {
    let start = Instant::now();
    let published = publisher.publish(topic, &key, &body, until).await;
    (symbol, published.map(|_| start.elapsed()))
}
