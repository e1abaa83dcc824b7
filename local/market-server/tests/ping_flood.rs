//! A client that pings and never reads, in a process of its own: what it costs in memory is that of the process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use market_server::{Settings, Times, start};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_tungstenite::client_async;

/// What the client sends in pings; the answers would take as much.
const FLOOD: usize = 48 << 20;

/// The most that the process may grow by.
const BOUND: usize = 16 << 20;

/// The longest ping that there is, masked with zeros.
const PING: [u8; 131] = {
    let mut ping = [0; 131];
    (ping[0], ping[1]) = (0x89, 0x80 | 125);
    ping
};

/// The memory that the process has, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

async fn flood(client: &mut TcpStream, bytes: usize) {
    let pings = PING.repeat(1024);
    for _ in 0..bytes / pings.len() {
        client.write_all(&pings).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pings_and_never_reads_costs_little_memory() {
    let settings = Settings {
        port: 0,
        times: Times::Now,
        speed: 1.0,
        tokens: vec!["demo".to_owned()],
    };
    let market = start(settings).await.unwrap();
    let url = format!("{}?token=demo", market.finnhub_trades_url());
    let address = url.split('/').nth(2).unwrap();
    let client = TcpStream::connect(address).await.unwrap();
    let (socket, _) = client_async(&url, client).await.unwrap();
    let mut client = socket.into_inner();
    // Until the buffers of the system are full, too.
    flood(&mut client, BOUND / 2).await;
    let before = resident();
    flood(&mut client, FLOOD).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < BOUND, "the process grew by {grown} bytes");
    market.stop().await;
}
