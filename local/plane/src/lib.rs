//! A pipeline of a SAM template on one machine: the real function binaries behind Lambda's Runtime API, their Kafka
//! triggers, schedules and URLs, and an object store.
//!
//! The plane knows no function. [`Plane`] runs whatever a template describes, counts by function and consumer group
//! ([`Stats`](stats::Stats)), and says at its end how far the topics go, so that a [`Proof`](proof::Proof) of a function
//! can be held against it.
//!
//! ```no_run
//! # async fn run(cluster: stream::Cluster) -> Result<(), Box<dyn std::error::Error>> {
//! use std::{collections::BTreeMap, path::Path};
//! use plane::{Plane, Settings, pipeline};
//!
//! let pipeline = pipeline::read(Path::new("template.yaml"), cluster.brokers(), &BTreeMap::new())?;
//! let plane = Plane::start(Settings {
//!     pipeline,
//!     bin_dir: "target/debug".into(),
//!     cluster,
//!     destinations: BTreeMap::new(),
//!     service_environment: BTreeMap::new(),
//!     logs: "logs".into(),
//! })
//! .await?;
//! for (function, url) in plane.urls() {
//!     println!("{function}: {url}");
//! }
//! let ended = plane.stop().await?;
//! assert_eq!(ended.counts.lag(), 0);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod async_invoke;
pub mod binaries;
pub mod brokers;
pub mod data_folder;
pub mod function_url;
pub mod host;
pub mod object_store;
pub mod pipeline;
pub mod postgres;
pub mod proof;
mod running;
pub mod scheduler;
pub mod stats;
pub mod trigger;

pub use running::{Ended, Plane, PlaneError, Settings};
