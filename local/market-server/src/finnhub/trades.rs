//! Finnhub's websocket of trades at `/ws`, as captured messages and its documents show it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::HeaderMap,
    response::Response,
    routing::get,
};
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{accepted, refused};
use crate::{
    MarketError,
    crypto::{Second, seconds},
    fault::Fault,
    feed::{Feed, Moment},
    recording::Recording,
};

/// How often the recording is looked at for new trades.
const LOOK: Duration = Duration::from_millis(50);
/// A connection that has been silent for so long is sent a ping.
const IDLE: Duration = Duration::from_secs(60);
/// The most that waits to be sent on a connection, in bytes: a client that pings and never reads gets no more.
const MAX_UNSENT: usize = 1 << 20;
/// What the free plan allows on a connection.
const MOST_SYMBOLS: usize = 50;

const PING: &str = r#"{"type":"ping"}"#;
const TOO_MANY_SYMBOLS: &str = r#"{"msg":"Subscribing to too many symbols","type":"error"}"#;

struct Trades {
    tokens: Vec<String>,
    feed: Arc<Feed>,
    seconds: Recording<Second>,
    /// The last connection of each token; cancelled when it has ended.
    connections: Mutex<HashMap<String, CancellationToken>>,
    stopping: CancellationToken,
}

/// The websocket's route; `stopping` ends the connections.
pub(crate) fn router(
    tokens: Vec<String>,
    feed: Arc<Feed>,
    stopping: CancellationToken,
) -> Result<Router, MarketError> {
    let trades = Trades {
        tokens,
        feed,
        seconds: seconds()?,
        connections: Mutex::default(),
        stopping,
    };
    Ok(Router::new()
        .route("/ws", get(open))
        .with_state(Arc::new(trades)))
}

async fn open(
    State(trades): State<Arc<Trades>>,
    headers: HeaderMap,
    Query(parameters): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(token) = accepted(&trades.tokens, &headers, &parameters).cloned() else {
        return refused();
    };
    upgrade
        .max_write_buffer_size(MAX_UNSENT)
        .on_upgrade(async move |mut socket| {
            if let Some(ended) = trades.admit(token) {
                // Before the socket does, so that a client that sees its end may come again at once.
                let _ends = ended.clone().drop_guard();
                tokio::select! {
                    () = ended.cancelled() => {}
                    () = trades.stopping.cancelled() => {}
                    _ = trades.converse(&mut socket) => {}
                }
            }
            // The socket ends here without a closing handshake, as at Finnhub.
        })
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request {
    Subscribe { symbol: String },
    Unsubscribe { symbol: String },
}

/// The symbols of a connection, each with the first beat of the recording that is still to be sent, once one was.
type Subscribed = BTreeMap<String, Option<u128>>;

impl Trades {
    /// What ends a new connection; nothing while the token has one, which is ended too.
    fn admit(&self, token: String) -> Option<CancellationToken> {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let open = connections
            .get(&token)
            .filter(|connection| !connection.is_cancelled());
        if let Some(other) = open {
            other.cancel();
            return None;
        }
        let connection = CancellationToken::new();
        connections.insert(token, connection.clone());
        Some(connection)
    }

    /// Sends what is due until the connection ends.
    async fn converse(&self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let opened = self.feed.moment().elapsed;
        let mut spoken = opened;
        let mut subscribed = Subscribed::new();
        loop {
            let message = tokio::select! {
                received = socket.recv() => match received.transpose()? {
                    None => return Ok(()),
                    Some(Message::Text(text)) => subscribe(&mut subscribed, &text),
                    Some(_) => None,
                },
                _ = look.tick() => {
                    let moment = self.feed.moment();
                    let age = moment.elapsed.saturating_sub(opened);
                    if matches!(self.feed.fault(), Some(Fault::DropWebsocket { after }) if after <= age) {
                        return Ok(());
                    }
                    let idle = moment.elapsed.saturating_sub(spoken) >= IDLE;
                    let trades = self.due(&mut subscribed, moment);
                    let message = trades.or_else(|| idle.then(|| PING.to_owned()));
                    if message.is_some() {
                        spoken = moment.elapsed;
                    }
                    message
                }
            };
            if let Some(mut message) = message {
                if self.feed.fault() == Some(Fault::Truncated) {
                    message.truncate(message.len() / 2);
                }
                socket.send(Message::text(message)).await?;
            }
        }
    }

    /// The message of the trades since the last one, and of the last trade of what was subscribed since.
    fn due(&self, subscribed: &mut Subscribed, moment: Moment) -> Option<String> {
        let now = self.seconds.beats(moment.position);
        let a_round_ago = (now + 1).saturating_sub(self.seconds.times() as u128);
        let mut trades = Vec::new();
        for (symbol, next) in subscribed {
            let Some(pair) = symbol.strip_prefix("BINANCE:") else {
                continue;
            };
            let from = match *next {
                Some(next) => next.max(a_round_ago),
                None => self.last_new(pair, now),
            };
            for beat in (from..=now).filter(|beat| self.is_new(pair, *beat)) {
                let second = self.seconds.at(pair, beat);
                // The last trade before the row's time.
                let time = self.seconds.time(beat, moment.position) - 1;
                trades.extend(second.map(|second| trade(symbol, time, second)));
            }
            // A clock that is set back brings no trade twice.
            *next = (*next).max(Some(now + 1));
        }
        let silent = trades.is_empty() || self.feed.fault() == Some(Fault::EmptyBoard);
        (!silent).then(|| format!(r#"{{"data":[{}],"type":"trade"}}"#, trades.join(",")))
    }

    /// The last beat up to now that brought a trade.
    fn last_new(&self, pair: &str, now: u128) -> u128 {
        let this_round = (self.seconds.round(now)..=now).rev();
        this_round
            .into_iter()
            .find(|beat| self.is_new(pair, *beat))
            .unwrap_or(now)
    }

    /// Whether the last trade of a beat came after the beat before; that of the first beat always counts as new.
    fn is_new(&self, pair: &str, beat: u128) -> bool {
        let last_id = |beat| Some(self.seconds.at(pair, beat)?.last_id);
        let begins = beat.is_multiple_of(self.seconds.times() as u128);
        begins || last_id(beat) != last_id(beat - 1)
    }
}

/// Obeys a client's message, and gives the answer if there is one. What is not understood is ignored.
fn subscribe(subscribed: &mut Subscribed, text: &str) -> Option<String> {
    match serde_json::from_str(text) {
        Ok(Request::Subscribe { symbol }) => {
            let known = subscribed.contains_key(&symbol);
            if !known && subscribed.len() == MOST_SYMBOLS {
                return Some(TOO_MANY_SYMBOLS.to_owned());
            }
            subscribed.entry(symbol).or_insert(None);
        }
        Ok(Request::Unsubscribe { symbol }) => drop(subscribed.remove(&symbol)),
        Err(_) => {}
    }
    None
}

/// A trade at a time in milliseconds since the epoch, with numbers as [`super::body`] writes them; a crypto trade has no conditions.
fn trade(symbol: &str, time: i64, second: &Second) -> String {
    let (price, quantity) = (second.last.normalize(), second.last_quantity.normalize());
    format!(r#"{{"c":null,"p":{price},"s":"{symbol}","t":{time},"v":{quantity}}}"#)
}
