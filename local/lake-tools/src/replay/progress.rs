use std::{
    io::{IsTerminal, Write, stderr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::Counts;
use crate::table::grouped;

/// How a run that goes on is shown, on stderr.
pub enum Progress {
    /// A line that is drawn again and again.
    Live(ProgressBar),
    /// A line every few seconds, since the last one.
    Plain(Mutex<Instant>),
    /// Nothing, for programs.
    Silent,
}

/// The pause between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

impl Progress {
    /// The way for this output.
    pub fn new(json: bool) -> Self {
        if json {
            return Self::Silent;
        }
        if !stderr().is_terminal() {
            return Self::Plain(Mutex::new(Instant::now()));
        }
        let live = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            live.set_style(style);
        }
        Self::Live(live)
    }

    /// After a batch of `source`.
    pub(super) fn batch(&self, source: &str, counts: &Counts) {
        self.say(|| {
            format!(
                "{source}: {} records, {} brought to bronze, {} there already",
                grouped(counts.records),
                grouped(counts.brought),
                grouped(counts.in_bronze_already)
            )
        });
    }

    /// How far it is.
    pub(super) fn say(&self, line: impl FnOnce() -> String) {
        match self {
            Self::Live(live) => {
                live.set_message(line());
                live.tick();
            }
            Self::Plain(last) => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.elapsed() >= PAUSE {
                    *last = Instant::now();
                    // Nobody is left to tell if stderr is closed.
                    let _ = writeln!(stderr(), "{}", line());
                }
            }
            Self::Silent => {}
        }
    }

    /// At the end.
    pub(super) fn finish(&self) {
        if let Self::Live(live) = self {
            live.finish_and_clear();
        }
    }
}
