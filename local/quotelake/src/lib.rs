//! The command line of quotelake: the whole pipeline on one machine, and the tools for its lake.
//!
//! Each command is a module of its name here or in `lake_tools`; [`cli`] reads the command line, and [`up::Running`] is the
//! pipeline on one machine.
//!
//! ```no_run
//! # async fn run(options: quotelake::up::Options) -> Result<(), quotelake::up::UpError> {
//! use std::time::Duration;
//! use quotelake::up::Running;
//!
//! let mut pipeline = Running::start(&options).await?;
//! tokio::select! {
//!     error = pipeline.failure() => return Err(error),
//!     () = tokio::time::sleep(Duration::from_secs(60)) => {}
//! }
//! println!("{}", pipeline.stop().await?);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod cli;
pub mod counts;
mod output;
pub mod pipeline;
pub mod proofs;
pub mod serve;
pub mod trigger;
pub mod up;
