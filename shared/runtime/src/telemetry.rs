use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

use crate::{Environment, SettingError, settings::LOG_LEVEL};

/// Sends the log to stderr: text on a terminal, JSON lines elsewhere. Stdout is left to the metrics.
pub(crate) fn init(environment: &Environment) -> Result<(), SettingError> {
    let filter: Targets = environment.read(&LOG_LEVEL)?;
    let lines = fmt::layer().with_writer(stderr);
    let lines = if stderr().is_terminal() {
        lines.boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    let already_set = registry().with(lines.with_filter(filter)).try_init();
    if already_set.is_err() {
        tracing::debug!("another log subscriber is in place and stays");
    }
    Ok(())
}
