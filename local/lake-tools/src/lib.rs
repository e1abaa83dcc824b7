//! The tools that look after a lake: the proof that it is exact, what is in it, records brought back, and its cost.
//!
//! Each command of the tool is a module of its name: [`verify`](mod@verify), [`inspect`], [`replay`], [`roll`], [`gaps`],
//! [`backfill`], [`cost`](mod@cost) and [`sql`]. A lake is named by [`LakeLocation`](lake_location::LakeLocation): a bucket on S3, or the folder that
//! a local run has left.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use lake_tools::{inspect, lake_location::LakeLocation};
//!
//! let location = LakeLocation { data: Some("quotelake-data".into()), ..LakeLocation::default() };
//! let lake = location.open(&runtime::Environment::of_process()).await?;
//! println!("{}", lake.location());
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod backfill;
pub mod cost;
pub mod damaged;
pub mod database_location;
pub mod gaps;
pub mod inspect;
pub mod lake_location;
mod listed;
pub mod migrate;
mod reading;
pub mod replay;
pub mod roll;
pub mod sql;
mod table;
pub mod verify;
#[cfg(test)]
mod written;
