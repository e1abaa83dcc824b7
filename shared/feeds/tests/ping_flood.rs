//! A peer that pings and never reads, in a process of its own: what it costs in memory is that of the process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, time::Duration};

use feeds::FeedSettings;
use jiff::Timestamp;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Instant,
};

/// What the peer sends in pings; the answers would take as much.
const FLOOD: usize = 48 << 20;

/// The most that the process may grow by.
const BOUND: usize = 16 << 20;

/// The longest ping that there is.
const PING: [u8; 127] = {
    let mut ping = [b'x'; 127];
    (ping[0], ping[1]) = (0x89, 125);
    ping
};

const TRADE: &str =
    r#"{"data":[{"c":[],"p":146.76,"s":"AAPL","t":1628238530221,"v":43}],"type":"trade"}"#;

/// The memory that the process has, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

async fn flood(peer: &mut TcpStream, bytes: usize) {
    let pings = PING.repeat(1024);
    for _ in 0..bytes / pings.len() {
        peer.write_all(&pings).await.unwrap();
    }
    let length = u8::try_from(TRADE.len()).unwrap();
    peer.write_all(&[0x81, length]).await.unwrap();
    peer.write_all(TRADE.as_bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_pings_and_never_reads_costs_little_memory_and_no_trade() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let lookup = move |name: &str| match name {
        "FINNHUB_TRADES_URL" => Some(url.clone()),
        "FINNHUB_API_KEY" => Some("key".to_owned()),
        _ => None,
    };
    let settings = FeedSettings::new(lookup, None, || Timestamp::UNIX_EPOCH);
    let trades = feeds::open("finnhub", &settings).unwrap().trades.unwrap();
    let (sink, mut coming) = mpsc::channel(1);
    let session = tokio::spawn(async move {
        let until = Instant::now() + Duration::from_secs(120);
        trades.trades(&["AAPL".parse().unwrap()], until, sink).await
    });
    let (peer, _) = listener.accept().await.unwrap();
    let socket = tokio_tungstenite::accept_async(peer).await.unwrap();
    let mut peer = socket.into_inner();
    // Until the buffers of the system are full, too.
    flood(&mut peer, BOUND / 2).await;
    assert!(coming.recv().await.is_some());
    let before = resident();
    flood(&mut peer, FLOOD).await;
    assert!(coming.recv().await.is_some(), "what comes is still read");
    let grown = resident().saturating_sub(before);
    assert!(grown < BOUND, "the process grew by {grown} bytes");
    drop(coming);
    assert_eq!(session.await.unwrap().connections, 1);
}
