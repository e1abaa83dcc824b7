//! What every function needs around its handler: settings, the clock, deadlines, telemetry and start-up.
//!
//! A function's `main` is one call. The closure runs once per execution environment and returns the
//! handler; what it can't build is one sentence on stderr and a non-zero exit:
//!
//! ```no_run
//! use runtime::{Environment, Event, Invocation, SettingError};
//! use settings::{Absent, Form, Setting};
//!
//! const GREETING: Setting = Setting::new(
//!     "GREETING",
//!     Absent::Required,
//!     Form::Text { range: "text", expects: "a word of welcome" },
//!     "what every answer begins with",
//! );
//!
//! fn main() -> std::process::ExitCode {
//!     runtime::start(async |environment: Environment| {
//!         let greeting: String = environment.read(&GREETING)?;
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

pub use ::settings::SettingError;
pub use invocation::{Event, Invocation};
pub use settings::{Environment, SETTINGS};
pub use start::{DIE_WITH_PARENT, start};
