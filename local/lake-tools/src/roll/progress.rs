use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

/// How a run that goes on is shown, on stderr.
pub(crate) enum Progress {
    /// A bar.
    Live(ProgressBar),
    /// A line every few seconds.
    Plain(Plain),
    /// Nothing, for programs.
    Silent,
}

pub(crate) struct Plain {
    topic: String,
    done: usize,
    last: Instant,
}

/// The pause between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

impl Progress {
    pub(crate) fn new(json: bool, topics: usize) -> Self {
        if json || topics == 0 {
            return Self::Silent;
        }
        if !stderr().is_terminal() {
            return Self::Plain(Plain {
                topic: String::new(),
                done: 0,
                last: Instant::now(),
            });
        }
        let live = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len} symbols") {
            live.set_style(style);
        }
        Self::Live(live)
    }

    pub(crate) fn topic(&mut self, topic: &str) {
        match self {
            Self::Live(live) => {
                live.set_message(topic.to_owned());
                live.set_position(0);
            }
            Self::Plain(plain) => {
                topic.clone_into(&mut plain.topic);
                plain.done = 0;
            }
            Self::Silent => {}
        }
    }

    /// One symbol of these many is done.
    pub(crate) fn symbol(&mut self, of: usize) {
        match self {
            Self::Live(live) => {
                live.set_length(of as u64);
                live.inc(1);
            }
            Self::Plain(plain) => {
                plain.done += 1;
                if plain.last.elapsed() >= PAUSE {
                    plain.last = Instant::now();
                    // Nobody is left to tell if stderr is closed.
                    let _ = writeln!(stderr(), "{}: {} of {of} symbols", plain.topic, plain.done);
                }
            }
            Self::Silent => {}
        }
    }

    pub(crate) fn finish(&self) {
        if let Self::Live(live) = self {
            live.finish_and_clear();
        }
    }
}
