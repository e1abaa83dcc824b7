//! What only PostgreSQL itself does.
//!
//! Each test runs on every major version that there is, one after the other.

mod adapter;
mod faults;
mod histories;
mod latency;
mod server;
mod tool;
mod up;
