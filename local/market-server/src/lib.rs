//! The recorded market: a server on 127.0.0.1 that speaks the providers' HTTP and websockets from recorded real data.
//!
//! What it serves is a pure function of the clock and the speed, or with [`Times::Recorded`] of the time since its start and
//! the speed, all of it round and round:
//! - Finnhub's quotes: daily sessions of five US stocks, one every 6 seconds;
//! - Binance's tickers, klines and exchange information and Finnhub's trades: five minutes of BTCUSDT and ETHUSDT, one row a second;
//! - the boards and histories of VCI, KBS and DNSE: days of ten Vietnamese stocks, one for each trading date of the calendar.
//!
//! [`Times`] says which times its answers have; `docs/feeds.md` tells what each means for each provider.
//!
//! The providers' errors and rate limits are served too, so that a poller meets here what it will meet there, and
//! [`Fault`]s can be switched on, also by `PUT /faults/{provider}` with the fault as text. `local/market-server/data/README.md`
//! tells where the data comes from.
//!
//! ```
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use market_server::{Provider, Settings, Times, start};
//!
//! let market = start(Settings { port: 0, times: Times::Now, speed: 1.0, tokens: vec!["demo".into()] }).await?;
//! assert!(market.finnhub_url().ends_with("/api/v1"));
//! market.set_fault(Provider::Vci, Some("latency=100ms".parse()?));
//! market.stop().await;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod binance;
mod crypto;
mod dnse;
mod fault;
mod feed;
mod finnhub;
mod kbs;
mod limit;
mod parameters;
mod playback;
mod recording;
mod stocks;
#[cfg(test)]
mod tests;
mod vci;
mod vietnam;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    middleware::from_fn_with_state,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use runtime::clock;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use fault::{Fault, FaultError, Provider, fault_help, provider_and_fault};
use feed::Feeds;
use playback::Playback;
pub use playback::Times;
pub use recording::RowFault;
use vietnam::Exchange;

/// How long [`Running::stop`] waits for answers in flight.
const GRACE: Duration = Duration::from_secs(1);

/// What to serve, and to whom.
#[derive(Clone)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Which times the answers have.
    pub times: Times,
    /// Recorded time per real time, finite and above zero: 1 is a US session every 6 s, a crypto row every second and
    /// a Vietnamese day's prices every 225 s (with recorded times a day every minute).
    pub speed: f64,
    /// The Finnhub tokens that are accepted, at least one, none of them empty.
    pub tokens: Vec<String>,
}

impl Settings {
    /// The market for the pipeline itself, on the clock; its token is among [`Running::parameters`].
    pub fn at(port: u16, speed: f64) -> Self {
        Self {
            port,
            times: Times::Now,
            speed,
            tokens: vec![parameters::TOKEN.to_owned()],
        }
    }
}

/// Why the recorded market could not start.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// The speed is no finite number above zero.
    #[error("the recorded market speed is {speed}: give a finite number above zero")]
    Speed {
        /// The speed given.
        speed: f64,
    },
    /// No token is accepted, or the empty one.
    #[error(
        "the recorded market needs Finnhub tokens to accept: give at least one, and none that is empty"
    )]
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
    #[error("the recorded market cannot listen on 127.0.0.1 port {port}: {source}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// A recorded row cannot be read.
    #[error(
        "local/market-server/data/{file}, line {line}: {fault}; local/market-server/data/derive.py restores the file"
    )]
    MalformedRow {
        /// The file's name.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: RowFault,
    },
}

/// A running market. Dropping it stops the server as [`Running::stop`] does, without waiting.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    feeds: Feeds,
    stop: DropGuard,
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

    /// The URL in place of `wss://ws.finnhub.io`.
    pub fn finnhub_trades_url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// The base URL in place of `https://api.binance.com`.
    pub fn binance_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL in place of `https://trading.vietcap.com.vn`.
    pub fn vci_url(&self) -> String {
        format!("http://{}/vci", self.address)
    }

    /// The base URL in place of `https://kbbuddywts.kbsec.com.vn/iis-server/investment`.
    pub fn kbs_url(&self) -> String {
        format!("http://{}/kbs/iis-server/investment", self.address)
    }

    /// The base URL in place of `https://services.entrade.com.vn/chart-api/v2`.
    pub fn dnse_url(&self) -> String {
        format!("http://{}/dnse/chart-api/v2", self.address)
    }

    /// Switches a provider's fault on, or with `None` off, for the answers from now on.
    pub fn set_fault(&self, provider: Provider, fault: Option<Fault>) {
        self.feeds.of(provider).set_fault(fault);
    }

    /// Stops listening, and waits up to a second for the answers in flight.
    pub async fn stop(self) {
        drop(self.stop);
        // A client that holds its connection open for longer is not waited for.
        let _ = tokio::time::timeout(GRACE, self.serving).await;
    }
}

/// Starts the recorded market.
///
/// # Errors
/// [`MarketError`]: a setting out of range, a port that cannot be listened on, or a malformed recording.
pub async fn start(settings: Settings) -> Result<Running, MarketError> {
    start_with_clock(settings, clock::now).await
}

/// Starts the recorded market as [`start`] does, with faults that are on from the beginning.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    settings: Settings,
    faults: &[(Provider, Fault)],
) -> Result<Running, MarketError> {
    let market = start(settings).await?;
    for (provider, fault) in faults {
        market.set_fault(*provider, Some(*fault));
    }
    Ok(market)
}

/// Starts the recorded market on a clock of the caller's, for the place in the recordings and for the rate limits alike.
///
/// # Errors
/// As [`start`].
pub async fn start_with_clock(
    settings: Settings,
    clock: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> Result<Running, MarketError> {
    let Settings {
        port,
        times,
        speed,
        tokens,
    } = settings;
    if tokens.is_empty() || tokens.iter().any(String::is_empty) {
        return Err(MarketError::Tokens);
    }
    let feeds = Feeds::new(&Playback::new(times, speed, clock)?);
    let stopping = CancellationToken::new();
    let app = app(&feeds, tokens, &stopping)?;
    let listener = listen(port).await?;
    let address = listener
        .local_addr()
        .map_err(|source| MarketError::Listen { port, source })?;
    let server = axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stopping.clone().cancelled_owned());
    Ok(Running {
        address,
        feeds,
        stop: stopping.drop_guard(),
        serving: tokio::spawn(server.into_future()),
    })
}

/// Every provider's routes, each behind the layer of its faults.
fn app(
    feeds: &Feeds,
    tokens: Vec<String>,
    stopping: &CancellationToken,
) -> Result<Router, MarketError> {
    let feed = |provider| Arc::clone(feeds.of(provider));
    let faulty = |provider, router: Router| {
        router.route_layer(from_fn_with_state(feed(provider), fault::inject))
    };
    let (finnhub, trades, binance) = (
        finnhub::router(tokens.clone(), feed(Provider::Finnhub))?,
        finnhub::trades::router(tokens, feed(Provider::FinnhubTrades), stopping.clone())?,
        binance::router(feed(Provider::Binance))?,
    );
    let exchange = Arc::new(Exchange::recorded()?);
    let (vci, kbs, dnse) = (
        vci::router(Arc::clone(&exchange), feed(Provider::Vci)),
        kbs::router(Arc::clone(&exchange), feed(Provider::Kbs)),
        dnse::router(exchange, feed(Provider::Dnse)),
    );
    Ok(website()
        .merge(faulty(Provider::Finnhub, finnhub))
        .merge(faulty(Provider::FinnhubTrades, trades))
        .merge(faulty(Provider::Binance, binance))
        .nest("/vci", faulty(Provider::Vci, vci))
        .nest("/kbs", faulty(Provider::Kbs, kbs))
        .nest("/dnse", faulty(Provider::Dnse, dnse))
        .merge(fault::router(feeds.clone())))
}

async fn listen(port: u16) -> Result<TcpListener, MarketError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => MarketError::PortInUse { port },
            _ => MarketError::Listen { port, source },
        })
}

/// Every other path, as at finnhub.io: a redirect to a web page, so that a client with a wrong path reads HTML.
fn website() -> Router {
    let page = "<!DOCTYPE html>\n<title>quotelake recorded market</title>\n<p>Recorded market data: \
                <a href=\"/api/v3/ticker/24hr\">/api/v3/ticker/24hr</a> and /api/v1/quote?symbol=AAPL.</p>\n";
    Router::new()
        .route("/", get(async move || Html(page)))
        .fallback(found)
}

async fn found() -> Response {
    let page = Html("<a href=\"/\">Found</a>.\n\n");
    (StatusCode::FOUND, [(header::LOCATION, "/")], page).into_response()
}
