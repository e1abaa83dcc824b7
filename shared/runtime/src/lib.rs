//! What every function needs around its handler: settings, the clock, deadlines, telemetry and start-up.
//!
//! A function's `main` is one call. The closure runs once per execution environment and returns the
//! handler; what it can't build is one sentence on stderr and a non-zero exit:
//!
//! ```no_run
//! use runtime::{Environment, Event, Invocation, SettingError};
//!
//! fn main() -> std::process::ExitCode {
//!     runtime::start(async |environment: Environment| {
//!         let greeting: String = environment.required("GREETING", "a word of welcome")?;
//!         Ok::<_, SettingError>(move |_event: Event, _invocation: Invocation| {
//!             let greeting = greeting.clone();
//!             async move { Ok::<_, std::io::Error>(greeting) }
//!         })
//!     })
//! }
//! ```

#![forbid(unsafe_code)]

pub mod clock;
pub mod metrics;

mod invocation;
mod settings;
mod start;
mod telemetry;

pub use invocation::{Event, Invocation};
pub use settings::{Environment, SettingError};
pub use start::{DIE_WITH_PARENT, start};
