//! Ports for programs that can't be given port 0.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// Below the ports that Linux gives to whoever asks for any (32768 and up), so that nobody gets one in the time between the
/// choice and the start of the program.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// The next to try: each process begins elsewhere, and takes none twice before it has taken all.
static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
    let chance = RandomState::new().build_hasher().finish() % u64::from(COUNT);
    AtomicU16::new(u16::try_from(chance).unwrap())
});

/// A port of loopback that nobody listens on.
///
/// # Panics
/// If there is none.
pub fn free() -> u16 {
    let tried = || FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
    let mut ports = std::iter::repeat_with(tried).take(COUNT.into());
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(is_free).expect("a port that is free")
}
