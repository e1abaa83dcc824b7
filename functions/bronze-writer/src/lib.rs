//! The Kafka-triggered function: every record of a batch becomes one object in the lake, once.
//!
//! A record is in bronze or in quarantine before its offset counts as done. The answer is an error only if
//! the store did not take some of them in time; the trigger then brings the whole batch again, and what is
//! already there is found to be there.

mod receive;
mod report;
mod settings;

use futures::StreamExt;
use lake::{
    Admitted, Kind, Landed, Layout, Reason, Received, admit, offset_reused, put_once,
    store::{Get, PutIf, StoreError},
};
use runtime::{Invocation, clock};
use serde_json::value::RawValue;
use stream::event::KafkaEvent;
use tokio::time::Instant;

pub use report::{Fault, Report};
pub use settings::Settings;

use receive::Incoming;
use report::{Outcome, Tally};

/// PUTs in flight. S3 is bound by latency: at 20 ms a PUT these make some 3,000 a second.
const CONCURRENT_PUTS: usize = 64;

/// What is left of the time limit for the answer itself.
const ANSWER_MARGIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Lands every record of the trigger's event in `store`.
///
/// # Errors
/// [`Fault`] if the payload is no such event, or if some record is not durable; it names them.
pub async fn handle(
    store: &(impl PutIf + Get),
    layout: &Layout,
    event: &RawValue,
    invocation: &Invocation,
) -> Result<Report, Fault> {
    let decoded = KafkaEvent::decode(event.get())?;
    let until = Instant::now() + invocation.remaining(ANSWER_MARGIN);
    let outcomes = futures::stream::iter(receive::records(&decoded))
        .map(|incoming| async move {
            let place = incoming.place();
            (place, land(store, layout, incoming, until).await)
        })
        .buffer_unordered(CONCURRENT_PUTS);
    let tally = outcomes
        .fold(Tally::default(), async |mut tally, (place, outcome)| {
            tally.add(place, outcome);
            tally
        })
        .await;
    tally.emit(clock::now());
    tally.into_result()
}

async fn land(
    store: &(impl PutIf + Get),
    layout: &Layout,
    incoming: Incoming,
    until: Instant,
) -> Result<Outcome, StoreError> {
    let received = match incoming {
        Incoming::Record(received) => received,
        Incoming::Malformed(malformed) => {
            let admitted = malformed.quarantine(layout);
            put_once(store, &admitted.key, &admitted.body, until).await?;
            return Ok(Outcome::Quarantined(Reason::MalformedRecord));
        }
    };
    let Admitted { key, body, kind } = admit(layout, &received);
    let landed = put_once(store, &key, &body, until).await?;
    match (kind, landed) {
        (Kind::Bronze, Landed::Written) => Ok(Outcome::Written),
        (Kind::Bronze, Landed::AlreadyThere) => Ok(Outcome::Merged),
        (Kind::Bronze, Landed::TakenByOther) => set_aside(store, layout, &received, until).await,
        (Kind::Quarantine(reason), _) => Ok(Outcome::Quarantined(reason)),
    }
}

/// Keeps a record whose offset is taken by other bytes beside them.
async fn set_aside(
    store: &(impl PutIf + Get),
    layout: &Layout,
    received: &Received,
    until: Instant,
) -> Result<Outcome, StoreError> {
    let aside = offset_reused(layout, received);
    put_once(store, &aside.key, &aside.body, until).await?;
    Ok(Outcome::Quarantined(Reason::OffsetReused))
}

#[cfg(test)]
mod tests;
