//! The promises of the product, each tried end to end on the embedded parts.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod adding_a_function;
mod any_template;
mod bronze_faults;
mod cost;
mod documents;
mod faults;
mod feed_faults;
mod gaps;
mod kafka;
mod lake_commands;
mod pipeline;
mod real_kafka;
mod real_postgres;
mod secrets;
mod stores;
mod tables;
mod template;
mod tool;
mod trigger;
mod verify;
