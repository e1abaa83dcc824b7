use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use market::{Observation, Symbol, Trade};
use rand::random_range;
use reqwest::Url;
use rustls::ClientConfig;
use secrets::{Key, SecretError};
use tokio::{
    select,
    sync::{Mutex, mpsc::Sender},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    instrument::instrument,
    key::with_key,
    model::Frame,
    parse,
    settings::{TRADES_SYMBOLS, TRADES_URL},
    socket::Socket,
};
use crate::{FeedError, FeedSettings, FetchError, TradeSession, Trades, cooldown::Cooldown, tls};

/// The longest pause before the first reconnection; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause of all. A connection that lasted as long starts the doubling anew.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The most errors that a report names.
const MOST_ERRORS: usize = 100;

/// Finnhub's stream of trades.
#[derive(Debug)]
pub(super) struct TradeStream {
    url: Url,
    tls: Arc<ClientConfig>,
    limit: usize,
    key: Key,
    clock: fn() -> Timestamp,
    cooldown: Cooldown,
    /// Held by the one session that runs: until when trades were received, in it or in the one before.
    covered: Mutex<Option<Instant>>,
}

impl TradeStream {
    /// The stream with the settings that [`super::open`] names.
    pub(super) fn new(settings: &FeedSettings, key: Key) -> Result<Self, FeedError> {
        let url = settings.url(&TRADES_URL)?;
        Ok(Self {
            tls: Arc::new(tls::for_server(&url)?),
            url,
            limit: settings.read(&TRADES_SYMBOLS)?,
            key,
            clock: settings.clock,
            cooldown: Cooldown::default(),
            covered: Mutex::default(),
        })
    }

    /// A connection with every symbol subscribed.
    async fn connect(&self, symbols: &[Symbol]) -> Result<Socket, FetchError> {
        self.cooldown.check()?;
        let open = |key| Socket::open(&self.url, &self.tls, key, symbols, self.clock);
        let opened = with_key(&self.key, open).await;
        if let Err(error) = &opened
            && let Some(time) = error.retry_after()
        {
            self.cooldown.start(error, time);
        }
        opened
    }
}

#[async_trait]
impl Trades for TradeStream {
    /// One session at a time: another waits until it is over, and has no turn if that is not by `until`. The
    /// connection is left properly, which may take until 250 ms after `until`.
    ///
    /// Symbols beyond `FINNHUB_TRADES_SYMBOLS` are not subscribed. When Finnhub itself says that there are too
    /// many, it does not say which; subscriptions are asked for one by one, so as many of the last symbols count
    /// as refused as it says so.
    async fn trades(
        &self,
        symbols: &[Symbol],
        until: Instant,
        sink: Sender<Observation<Trade>>,
    ) -> TradeSession {
        let turn = timeout_at(until, self.covered.lock()).await.ok();
        let Some(mut covered) = turn.filter(|_| Instant::now() < until) else {
            return TradeSession {
                failed: all(symbols, &FetchError::NoTurn),
                ..TradeSession::default()
            };
        };
        let (symbols, beyond) = symbols.split_at(symbols.len().min(self.limit));
        let mut session = Session {
            stream: self,
            symbols,
            covered: covered.get_or_insert_with(Instant::now),
            socket: None,
            delivering: false,
            refused: 0,
            report: TradeSession::default(),
        };
        if !symbols.is_empty() {
            select! {
                biased;
                () = sink.closed() => {}
                () = sleep_until(until) => {}
                () = session.run(until, &sink) => {}
            }
        }
        let mut report = session.end().await;
        let limit = self.limit;
        let too_many = FetchError::TooManySymbols { limit };
        report.failed.extend(all(beyond, &too_many));
        report
    }
}

/// A session that runs.
struct Session<'a> {
    stream: &'a TradeStream,
    symbols: &'a [Symbol],
    /// Until when trades were received.
    covered: &'a mut Instant,
    /// The connection, if there is one.
    socket: Option<Socket>,
    /// Whether a message's trades are being sent, which takes as long as the receiver does.
    delivering: bool,
    /// How many symbols were too many to this connection.
    refused: usize,
    report: TradeSession,
}

impl Session<'_> {
    /// Connects again and again. Ends when a reconnection is pointless, or can't be before `until`.
    async fn run(&mut self, until: Instant, sink: &Sender<Observation<Trade>>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let error = self.receive(sink).await;
            let reason = error.reason();
            if self
                .report
                .errors
                .iter()
                .all(|known| known.reason() != reason)
            {
                tracing::warn!(reason, "no stream of trades: {error}");
            }
            if began.elapsed() >= LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let rest = error.retry_after().unwrap_or_default();
            let is_over = is_final(&error);
            self.report.errors.push(error);
            let rest = random_range(Duration::ZERO..=pause).max(rest);
            if is_over || rest >= until.saturating_duration_since(Instant::now()) {
                return;
            }
            sleep(rest).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Connects, and receives until that fails.
    async fn receive(&mut self, sink: &Sender<Observation<Trade>>) -> FetchError {
        match self.stream.connect(self.symbols).await {
            Ok(socket) => self.socket = Some(socket),
            Err(error) => return error,
        }
        self.count_gap();
        self.report.connections += 1;
        self.refused = 0;
        while let Some(socket) = &mut self.socket {
            let next = socket.next().await;
            // Nobody knows since when a silent connection was dead.
            if !matches!(next, Err(FetchError::Timeout { .. })) {
                *self.covered = Instant::now();
            }
            match next {
                Ok(Some(message)) => self.deliver(&message, sink).await,
                Ok(None) => {}
                Err(error) => {
                    if let Some(socket) = self.socket.take() {
                        socket.close(self.symbols).await;
                    }
                    return error;
                }
            }
        }
        FetchError::PastDeadline
    }

    /// Sends the trades of a message as fast as they are received.
    async fn deliver(&mut self, message: &[u8], sink: &Sender<Observation<Trade>>) {
        let fetched_at = (self.stream.clock)();
        match parse::frame(message) {
            Ok(Frame::Trades { trades, malformed }) => {
                self.report.malformed += malformed;
                self.delivering = true;
                for (symbol, said) in trades {
                    let observation = Observation {
                        source: "finnhub",
                        instrument: instrument(&symbol),
                        said,
                        fetched_at,
                    };
                    if sink.send(observation).await.is_err() {
                        return;
                    }
                }
                self.delivering = false;
            }
            Ok(Frame::TooManySymbols) => self.refused += 1,
            Ok(Frame::Error) => self.note(message),
            Ok(Frame::Other) => {}
            Err(_) => self.report.malformed += 1,
        }
    }

    /// Notes what the provider complains of, unless it repeats itself or goes on and on.
    fn note(&mut self, message: &[u8]) {
        let says = self.socket.as_ref().map(|socket| socket.explain(message));
        let error = FetchError::Stream {
            detail: says.unwrap_or_default(),
        };
        if !self.report.errors.contains(&error) && self.report.errors.len() < MOST_ERRORS {
            tracing::warn!("{error}");
            self.report.errors.push(error);
        }
    }

    /// The time since trades were last received has none.
    fn count_gap(&mut self) {
        let now = Instant::now();
        self.report.gap += now - *self.covered;
        *self.covered = now;
    }

    /// Leaves the connection.
    async fn end(mut self) -> TradeSession {
        if self.socket.is_some() && !self.delivering {
            *self.covered = Instant::now();
        }
        self.count_gap();
        let Some(socket) = self.socket else {
            let error = self.report.errors.last();
            let error = error.cloned().unwrap_or(FetchError::PastDeadline);
            self.report.failed = all(self.symbols, &error);
            return self.report;
        };
        let limit = self.symbols.len().saturating_sub(self.refused);
        let too_many = FetchError::TooManySymbols { limit };
        self.report.failed = all(&self.symbols[limit..], &too_many);
        socket.close(self.symbols).await;
        self.report
    }
}

/// Whether a new connection would fail for the same reason.
fn is_final(error: &FetchError) -> bool {
    match error {
        FetchError::Key(error) => !matches!(error, SecretError::Unavailable { .. }),
        error => matches!(
            error,
            FetchError::Unauthorized { .. } | FetchError::Forbidden { .. }
        ),
    }
}

fn all(symbols: &[Symbol], error: &FetchError) -> Vec<(Symbol, FetchError)> {
    let failed = symbols.iter().map(|symbol| (symbol.clone(), error.clone()));
    failed.collect()
}

#[cfg(test)]
mod tests;
