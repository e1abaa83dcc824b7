//! Bronze under faults: real processes of the writer, a real trigger, and quotes that keep coming. Whatever happens
//! meanwhile, the lake ends with the objects of a clean pass, byte for byte. Each on the plane's own store and on the
//! emulator's.

mod damage;
mod kills;
mod left_running;
mod network;
mod outage;
mod together;

use std::time::Duration;

use pipeline_tests::{feed::Quotes, writers::Setup};
use plane::host::OnTimeout;

/// Partitions of the topic, which is also how many batches are in hand at once.
const PARTITIONS: i32 = 4;

const POLLERS: u32 = PARTITIONS.cast_unsigned();

/// Some 150 quotes a second.
const QUOTES: Quotes = Quotes {
    symbols: 3,
    burst: 7,
    pause: Duration::from_millis(25),
};

/// A quarter of that, for what takes longer.
const FEWER_QUOTES: Quotes = Quotes {
    pause: Duration::from_millis(100),
    ..QUOTES
};

/// Small batches, so that there are many invocations.
fn setup(endpoint: &str) -> Setup<'_> {
    Setup {
        group: "writers",
        endpoint,
        batch_size: 10,
        window: Duration::from_millis(20),
        pollers: POLLERS,
        time_limit: Duration::from_secs(20),
        on_timeout: OnTimeout::Kill,
        names_failures: false,
        loses_answer: Box::new(|| false),
    }
}
