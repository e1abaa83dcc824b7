use std::{future::Future, time::Duration};

use feeds::{BodyError, FetchError, Trades};
use futures::{Stream, StreamExt, stream::poll_fn};
use market::{Observation, Trade, trade_message};
use runtime::{Invocation, clock, metrics::emit};
use stream::publish::Publish;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Job, Report,
    cycles::Deadlines,
    failures::Failures,
    memory::Memory,
    metrics,
    outgoing::{Outcome, publish},
    report::{StreamReport, Tally},
    symbols::ALL,
};

/// How many trades may wait to be published; the connection is read no further then.
const WAITING: usize = 1024;

/// Publishes the trades of the job's symbols as they come, for so much `time`.
pub(crate) async fn run(
    trades: &dyn Trades,
    publisher: &impl Publish,
    job: &Job,
    memory: &Memory,
    invocation: &Invocation,
    time: Duration,
) -> Report {
    let deadlines = Deadlines::of(invocation);
    let until = deadlines.fetch_by.min(Instant::now() + time);
    let (sink, coming) = mpsc::channel(WAITING);
    let mut failures = Failures::new(&job.topic, memory);
    let mut tally = Tally::default();
    failures.refuse(&mut tally, &job.symbols);
    let outcomes = until_stopped(coming, invocation.stop.clone()).map(|mut trade| {
        job.symbols.complete(&mut trade.instrument);
        Outcome {
            symbol: trade.instrument.symbol.as_str().to_owned(),
            result: Ok(trade_message(&trade)),
        }
    });
    let (session, ()) = tokio::join!(
        trades.trades(&job.symbols.listed, until, sink),
        publish(
            publisher,
            &job.topic,
            outcomes,
            deadlines.answer_by,
            &mut tally,
            &mut failures,
        ),
    );
    for (symbol, error) in &session.failed {
        failures.add(&mut tally, symbol.as_str(), error.reason(), error);
    }
    // What is of no known symbol is of them all.
    for error in &session.errors {
        failures.add(&mut tally, ALL, error.reason(), error);
    }
    let malformed = BodyError::Shape("an item of the stream is no trade".to_owned()).into();
    for _ in 0..session.malformed {
        failures.add(&mut tally, ALL, FetchError::reason(&malformed), &malformed);
    }
    failures.log();
    tally.emit(&job.topic);
    publisher.abandon();
    let stream = StreamReport {
        connections: session.connections,
        gap_ms: u64::try_from(session.gap.as_millis()).unwrap_or(u64::MAX),
    };
    emit(
        clock::now(),
        ("topic", &job.topic),
        &[
            (metrics::STREAM_CONNECTIONS, stream.connections),
            (metrics::STREAM_GAP_MILLISECONDS, stream.gap_ms),
        ],
    );
    tally.into_report(Some(stream))
}

/// What comes; once stopped, only what was under way.
fn until_stopped(
    mut coming: mpsc::Receiver<Observation<Trade>>,
    stop: CancellationToken,
) -> impl Stream<Item = Observation<Trade>> {
    let mut stopped = Box::pin(stop.cancelled_owned());
    poll_fn(move |context| {
        if !coming.is_closed() && stopped.as_mut().poll(context).is_ready() {
            coming.close();
        }
        coming.poll_recv(context)
    })
}
