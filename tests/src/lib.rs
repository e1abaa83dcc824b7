//! What the end-to-end tests share: the suite that every object store adapter has to pass, stores to try it on, the
//! proxy that loses their requests and replies, the plane, and a pipeline of a topic, a trigger and the bronze
//! writer's processes with a judge of what they leave in the lake.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test may panic"
)]

pub mod brokers;
pub mod clean_pass;
pub mod contents;
pub mod dice;
pub mod documents;
pub mod feed;
pub mod lake;
pub mod mapping;
pub mod ministack;
pub mod plane;
pub mod ports;
pub mod proxy;
pub mod real_kafka;
pub mod real_postgres;
pub mod served;
pub mod store;
pub mod table_conformance;
pub mod template;
pub mod topic;
pub mod writers;
