use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::{Environment, SettingError};

const LEVEL: &str = "LOG_LEVEL";

/// Sends the log to stderr: text on a terminal, JSON lines elsewhere. Stdout is left to the metrics.
pub(crate) fn init(environment: &Environment) -> Result<(), SettingError> {
    let filter: EnvFilter = environment
        .optional(
            LEVEL,
            "a level (error, warn, info, debug, trace) or a tracing filter",
        )?
        .unwrap_or_else(|| EnvFilter::new("info"));
    let subscriber = fmt().with_env_filter(filter).with_writer(stderr);
    let already_set = if stderr().is_terminal() {
        subscriber.try_init()
    } else {
        subscriber.json().flatten_event(true).try_init()
    };
    if already_set.is_err() {
        tracing::debug!("another log subscriber is in place and stays");
    }
    Ok(())
}
