//! Market replay: a server on 127.0.0.1 that speaks Finnhub's and Binance's HTTP from recorded real data.
//!
//! What it serves is a pure function of the time since its start and the speed: daily sessions of five US stocks,
//! one every 6 seconds, and five minutes of BTCUSDT and ETHUSDT, one row a second, both round and round. The
//! providers' errors and rate limits are served too, so that a poller meets here what it will meet there.
//! `local/data/README.md` tells where the data comes from.
//!
//! ```
//! # async fn run() -> Result<(), quotelake::replay::ReplayError> {
//! use quotelake::replay::{Replay, start};
//!
//! let replay = start(Replay { port: 0, speed: 1.0, tokens: vec!["demo".into()] }).await?;
//! assert!(replay.finnhub_url().ends_with("/api/v1"));
//! replay.stop().await;
//! # Ok(())
//! # }
//! ```

mod binance;
mod crypto;
mod finnhub;
mod limit;
mod playback;
mod recording;
mod stocks;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::Instant};

use playback::Playback;
pub use recording::RowFault;

/// How long [`Running::stop`] waits for answers in flight.
const GRACE: Duration = Duration::from_secs(1);

/// What to replay, and to whom.
#[derive(Clone)]
pub struct Replay {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Recorded time per real time, finite and above zero: 1 is a stock session every 6 s and a crypto row every
    /// second.
    pub speed: f64,
    /// The Finnhub tokens that are accepted, at least one, none of them empty.
    pub tokens: Vec<String>,
}

/// Why the replay could not start.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The speed is no finite number above zero.
    #[error("the replay speed is {speed}: give a finite number above zero")]
    Speed {
        /// The speed given.
        speed: f64,
    },
    /// No token is accepted, or the empty one.
    #[error("the replay needs Finnhub tokens to accept: give at least one, and none that is empty")]
    Tokens,
    /// Another program holds the port.
    #[error(
        "port {port} on 127.0.0.1 is in use: stop the program that holds it or choose another port"
    )]
    PortInUse {
        /// The port asked for.
        port: u16,
    },
    /// The port cannot be listened on for another reason.
    #[error("the replay cannot listen on 127.0.0.1 port {port}: {source}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// A recorded row cannot be read.
    #[error("local/data/{file}, line {line}: {fault}; local/data/derive.py restores the file")]
    MalformedRow {
        /// The file's name.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: RowFault,
    },
}

/// A running replay. Dropping it stops the server as [`Running::stop`] does, without waiting.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Its end of life is the signal: the server stops when the other half sees this one gone.
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL in place of `https://finnhub.io/api/v1`.
    pub fn finnhub_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// The base URL in place of `https://api.binance.com`.
    pub fn binance_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening, and waits up to a second for the answers in flight.
    pub async fn stop(self) {
        drop(self.stop);
        // A client that holds its connection open for longer is not waited for.
        let _ = tokio::time::timeout(GRACE, self.serving).await;
    }
}

/// Starts the replay at the beginning of the recordings.
///
/// # Errors
/// [`ReplayError`]: a setting out of range, a port that cannot be listened on, or a malformed recording.
pub async fn start(settings: Replay) -> Result<Running, ReplayError> {
    let started = Instant::now();
    start_with_clock(settings, move || started.elapsed()).await
}

/// Starts the replay on a clock of the caller's: `elapsed` gives the real time since the start, for the position
/// in the recordings and for the rate limits alike.
///
/// # Errors
/// As [`start`].
pub async fn start_with_clock(
    settings: Replay,
    elapsed: impl Fn() -> Duration + Send + Sync + 'static,
) -> Result<Running, ReplayError> {
    let Replay {
        port,
        speed,
        tokens,
    } = settings;
    let playback = Arc::new(Playback::new(speed, elapsed)?);
    let app = finnhub::router(tokens, Arc::clone(&playback))?
        .merge(binance::router(playback)?)
        .merge(website());
    let listener = listen(port).await?;
    let address = listener
        .local_addr()
        .map_err(|source| ReplayError::Listen { port, source })?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async move {
        let _ = stopped.await;
    });
    Ok(Running {
        address,
        stop,
        serving: tokio::spawn(server.into_future()),
    })
}

async fn listen(port: u16) -> Result<TcpListener, ReplayError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ReplayError::PortInUse { port },
            _ => ReplayError::Listen { port, source },
        })
}

/// Every other path, as at finnhub.io: a redirect to a web page, so that a client with a wrong path reads HTML.
fn website() -> Router {
    let page = "<!DOCTYPE html>\n<title>quotelake market replay</title>\n<p>Recorded market data: \
                <a href=\"/api/v3/ticker/24hr\">/api/v3/ticker/24hr</a> and /api/v1/quote?symbol=AAPL.</p>\n";
    Router::new()
        .route("/", get(async move || Html(page)))
        .fallback(found)
}

async fn found() -> Response {
    let page = Html("<a href=\"/\">Found</a>.\n\n");
    (StatusCode::FOUND, [(header::LOCATION, "/")], page).into_response()
}
