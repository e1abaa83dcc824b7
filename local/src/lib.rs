//! quotelake on one machine: broker, object store, Lambda host, scheduler, Kafka trigger and market replay.
//!
//! [`up::Plane`] wires the parts by the template; the binary `quotelake` is its command line ([`cli`]).

#![forbid(unsafe_code)]

pub mod async_invoke;
pub mod binaries;
pub mod brokers;
pub mod cli;
pub mod cost;
pub mod damaged;
pub mod data_folder;
pub mod host;
pub mod inspect;
pub mod lake_location;
mod listed;
pub mod object_store;
mod reading;
pub mod redeliver;
pub mod remote_lambda;
pub mod replay;
pub mod schedule;
pub mod scheduler;
pub mod serve;
pub mod stats;
mod table;
pub mod template;
pub mod trigger;
pub mod up;
pub mod verify;
#[cfg(test)]
mod written;
