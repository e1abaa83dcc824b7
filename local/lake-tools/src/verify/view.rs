use std::{
    fmt::Display,
    io::{Write, stderr, stdout},
    time::Duration,
};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::Progress;

/// How it is shown: a bar on a terminal, lines elsewhere, both on stderr; the verdict on stdout.
pub enum View {
    /// A bar that is drawn again and again.
    Live(ProgressBar),
    /// A line for each step.
    Plain,
    /// The verdict alone.
    Json,
}

impl View {
    /// The view for this output.
    pub fn new(json: bool) -> Self {
        if json {
            return Self::Json;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if bar.is_hidden() {
            return Self::Plain;
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Live(bar)
    }

    /// While it goes on.
    pub fn progress(&self, progress: Progress) {
        match (self, progress) {
            (Self::Json, _) => {}
            (Self::Live(bar), Progress::Topics { read, of }) => {
                if read == 0 {
                    bar.set_length(of);
                    style(bar, "topics   {wide_bar} {human_pos}/{human_len} records");
                }
                bar.set_position(read);
            }
            (Self::Live(bar), Progress::Store { objects, records }) => {
                if objects == 0 {
                    style(bar, "store    {spinner} {msg}");
                }
                let (objects, records) = (HumanCount(objects), HumanCount(records));
                bar.set_message(format!("{records} records in {objects} objects"));
            }
            (Self::Live(bar), Progress::Rows { read }) => {
                if read == 0 {
                    style(bar, "tables   {spinner} {msg}");
                }
                bar.set_message(format!("{} rows", HumanCount(read)));
            }
            (Self::Live(bar), Progress::Again { pages }) => {
                bar.set_message(format!("bytes differ: looking again at {pages} pages"));
            }
            (Self::Plain, Progress::Topics { read: 0, of }) => {
                say(&format!("reading {of} records of the topics"));
            }
            (Self::Plain, Progress::Store { objects: 0, .. }) => say("reading the store"),
            (Self::Plain, Progress::Rows { read: 0 }) => say("reading the tables"),
            (Self::Plain, Progress::Again { pages }) => {
                say(&format!("bytes differ: looking again at {pages} pages"));
            }
            (Self::Plain, _) => {}
        }
    }

    /// At the end.
    pub fn verdict(&self, exact: bool, verdict: &(impl Serialize + Display)) {
        let text = match self {
            Self::Live(bar) => {
                bar.finish_and_clear();
                verdict.to_string()
            }
            Self::Plain => verdict.to_string(),
            Self::Json => serde_json::to_string(&Judged { exact, verdict }).unwrap_or_default(),
        };
        // A closed pipe ends the reader's interest.
        let _ = writeln!(stdout(), "{text}");
    }
}

/// A verdict for machines.
#[derive(Serialize)]
struct Judged<'a, V> {
    exact: bool,
    #[serde(flatten)]
    verdict: &'a V,
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

fn say(text: &str) {
    // As above.
    let _ = writeln!(stderr(), "{text}");
}
