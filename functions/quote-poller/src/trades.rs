use std::time::Duration;

use feeds::Trades;
use futures::{StreamExt, stream::FuturesUnordered};
use market::{Observation, Trade, trade_message};
use runtime::{
    Invocation, clock,
    metrics::{Metric, emit},
};
use stream::publish::{Publish, PublishError};
use tokio::{
    sync::mpsc,
    time::{Instant, interval},
};

use crate::{
    Job, Report,
    cycles::Deadlines,
    failures::Failures,
    memory::Memory,
    report::{StreamReport, Tally},
};

/// How many trades may wait to be published; the connection is read no further then.
const WAITING: usize = 1024;

/// How many trades may wait for their acknowledgement.
const IN_FLIGHT: usize = 4096;

/// How often the counts are emitted.
const COUNT: Duration = Duration::from_secs(1);

/// Publishes the trades of the job's symbols as they come, until its budget ends.
pub(crate) async fn run(
    trades: &dyn Trades,
    publisher: &impl Publish,
    job: &Job,
    memory: &Memory,
    invocation: &Invocation,
) -> Report {
    let deadlines = Deadlines::of(invocation);
    let until = deadlines.fetch_by.min(Instant::now() + job.budget);
    let (sink, coming) = mpsc::channel(WAITING);
    let mut failures = Failures::new(&job.topic, memory);
    let mut tally = Tally::default();
    let (session, ()) = tokio::join!(
        trades.trades(&job.symbols.listed, until, sink),
        publish(
            publisher,
            job,
            coming,
            deadlines.answer_by,
            invocation,
            &mut tally,
            &mut failures,
        ),
    );
    for (symbol, error) in &session.failed {
        failures.add(&mut tally, symbol.as_str(), error.reason(), error);
    }
    // What is of no known symbol is of them all.
    for error in &session.errors {
        failures.add(&mut tally, "*", error.reason(), error);
    }
    for _ in 0..session.malformed {
        tally.fail("*", "malformed");
    }
    for (symbol, reason) in &job.symbols.refused {
        tally.fail(symbol, reason);
    }
    failures.log();
    publisher.abandon();
    let stream = StreamReport {
        connections: session.connections,
        gap_ms: u64::try_from(session.gap.as_millis()).unwrap_or(u64::MAX),
    };
    emit(
        clock::now(),
        ("topic", &job.topic),
        &[
            (Metric::StreamConnections, stream.connections),
            (Metric::StreamGapMilliseconds, stream.gap_ms),
        ],
    );
    tally.into_report(Some(stream))
}

async fn publish(
    publisher: &impl Publish,
    job: &Job,
    mut coming: mpsc::Receiver<Observation<Trade>>,
    answer_by: Instant,
    invocation: &Invocation,
    tally: &mut Tally,
    failures: &mut Failures<'_>,
) {
    let mut sent = FuturesUnordered::new();
    let mut tick = interval(COUNT);
    let mut counted = (0, 0, 0);
    let mut open = true;
    while open || !sent.is_empty() {
        tokio::select! {
            trade = coming.recv(), if open && sent.len() < IN_FLIGHT => match trade {
                Some(mut trade) => {
                    tally.polled += 1;
                    let venue = job.symbols.venues.get(&trade.instrument.symbol);
                    trade.instrument.mic = trade.instrument.mic.or(venue.copied());
                    sent.push(send(publisher, &job.topic, trade, answer_by));
                }
                None => open = false,
            },
            Some((symbol, delivery)) = sent.next() => match delivery {
                Ok(()) => tally.published += 1,
                Err(error) => failures.add(tally, &symbol, error.reason(), &error),
            },
            _ = tick.tick() => counted = count(&job.topic, tally, counted),
            // What is on its way is still published.
            () = invocation.stop.cancelled(), if !coming.is_closed() => coming.close(),
        }
    }
    count(&job.topic, tally, counted);
}

async fn send(
    publisher: &impl Publish,
    topic: &str,
    trade: Observation<Trade>,
    until: Instant,
) -> (String, Result<(), PublishError>) {
    let message = trade_message(&trade);
    let published = publisher.publish(topic, &message.key, &message.body, until);
    let published = published.await.map(drop);
    (message.key, published)
}

/// Emits what has come since the last time, and gives the counts of now.
fn count(topic: &str, tally: &Tally, before: (u64, u64, u64)) -> (u64, u64, u64) {
    let now = (tally.polled, tally.published, tally.failed());
    if now != before {
        emit(
            clock::now(),
            ("topic", topic),
            &[
                (Metric::QuotesPolled, now.0 - before.0),
                (Metric::QuotesPublished, now.1 - before.1),
                (Metric::QuotesFailed, now.2 - before.2),
            ],
        );
    }
    now
}
