//! The function's own processes between a trigger and PostgreSQL, while quotes keep coming. Whatever happens to either, the
//! tables end as after one clean pass, and no record is answered for that is not in them.

mod kills;
mod migrations;
mod rig;
mod servers;

use std::time::Duration;

use pipeline_tests::feed::Quotes;

use rig::{Mode, Rig};

/// Partitions of the topic, which is also how many batches are in hand at once.
const PARTITIONS: i32 = 4;

/// Some 150 records a second.
const QUOTES: Quotes = Quotes {
    symbols: 0,
    burst: 7,
    pause: Duration::from_millis(25),
};
