//! How a run is shown: a live view on a terminal, plain lines elsewhere, JSON lines for machines.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, stdout},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{DatabaseAccess, Running, S3Access, summary::Summary};
use crate::{
    counts::Counts,
    output::{clock, trouble, write, write_json},
};

/// One of the three ways to show a run.
pub enum View {
    /// A block of lines that is drawn again and again.
    Live(ProgressBar),
    /// A line every few seconds.
    Plain,
    /// A JSON object a line.
    Json,
}

/// What the view says about a run besides its counts.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// The bootstrap servers.
    pub brokers: String,
    /// The store's endpoint.
    pub s3_endpoint: String,
    /// How an S3 client reads it, if it is the embedded one.
    #[serde(flatten)]
    pub s3: Option<S3Access>,
    /// Where Finnhub's API is answered, if by the recorded market.
    pub finnhub_url: Option<String>,
    /// Where Binance's API is answered, if by the recorded market.
    pub binance_url: Option<String>,
    /// The database of quotes, if the run has one.
    #[serde(flatten)]
    pub database: Option<DatabaseAccess>,
    /// Where the objects are.
    pub objects: String,
    /// Where the functions' logs are.
    pub logs: String,
    /// The functions' URLs.
    pub urls: BTreeMap<String, String>,
}

impl Place {
    /// The places of a running pipeline.
    pub fn of(running: &Running) -> Self {
        let market = running.market();
        Self {
            brokers: running.cluster().to_string(),
            s3_endpoint: running.store().endpoint().to_owned(),
            s3: running.store().access(),
            finnhub_url: market.map(market_server::Running::finnhub_url),
            binance_url: market.map(market_server::Running::binance_url),
            database: running.database().cloned(),
            objects: running.location(),
            logs: running.logs().display().to_string(),
            urls: running.plane().urls().clone(),
        }
    }
}

impl View {
    /// The view for this output.
    pub fn new(json: bool) -> Self {
        if json {
            return Self::Json;
        }
        if !stdout().is_terminal() {
            return Self::Plain;
        }
        let live = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            live.set_style(style);
        }
        Self::Live(live)
    }

    /// How often to call [`View::progress`].
    pub fn interval(&self) -> Duration {
        match self {
            Self::Live(_) => Duration::from_millis(250),
            Self::Plain => Duration::from_secs(5),
            Self::Json => Duration::from_secs(1),
        }
    }

    /// Before the parts start; `builds` says whether the functions are built first.
    pub fn starting(&self, builds: bool) {
        let what = |builds| match builds {
            true => "building the functions and starting the parts",
            false => "starting the parts",
        };
        match self {
            Self::Live(live) => live.set_message(format!("{} …", what(builds))),
            Self::Plain => write(what(builds)),
            Self::Json => {}
        }
    }

    /// Once the plane runs.
    pub fn started(&self, place: &Place) {
        match self {
            Self::Live(_) => {}
            Self::Plain => {
                write(&format!(
                    "running: brokers {}, objects in {}, logs in {}; Ctrl-C stops",
                    place.brokers, place.objects, place.logs
                ));
                if let Some(access) = s3(place) {
                    write(&format!("S3 clients: {access}"));
                }
                if let Some(database) = &place.database {
                    write(&format!("PostgreSQL: {}", database.database));
                    if let Some(line) = elsewhere(database) {
                        write(&line);
                    }
                }
                for (function, url) in &place.urls {
                    write(&format!("{function} is served at {url}"));
                }
            }
            Self::Json => write_json("started", place),
        }
    }

    /// While it runs.
    pub fn progress(
        &self,
        elapsed: Duration,
        run_for: Option<Duration>,
        counts: &Counts,
        place: &Place,
    ) {
        match self {
            Self::Live(live) => live.set_message(block(elapsed, run_for, counts, place)),
            Self::Plain => write(&line(elapsed, counts)),
            Self::Json => write_json("progress", counts),
        }
    }

    /// When it begins to stop.
    pub fn stopping(&self) {
        match self {
            Self::Live(live) => {
                live.set_message("stopping: the pollers finish, the trigger drains …");
            }
            Self::Plain => write("stopping: the pollers finish, the trigger drains"),
            Self::Json => {}
        }
    }

    /// At the end.
    pub fn summary(&self, summary: &Summary) {
        match self {
            Self::Live(live) => {
                live.finish_and_clear();
                write(&summary.to_string());
            }
            Self::Plain => write(&summary.to_string()),
            Self::Json => write_json("summary", summary),
        }
    }
}

fn line(elapsed: Duration, counts: &Counts) -> String {
    format!(
        "{} polled {} published {} failed {} | batches {} retried {} | written {} already there {} quarantined {} | bars {} late {}{} | lag {} | p50 {} ms p99 {} ms{}",
        clock(elapsed),
        counts.polled,
        counts.published,
        counts.failed,
        counts.batches,
        counts.retried_batches,
        counts.lines_written,
        counts.already_there,
        counts.quarantined,
        counts.bars_written,
        counts.late,
        rows(counts, " | "),
        counts.lag.values().sum::<i64>(),
        counts.latency_p50_ms,
        counts.latency_p99_ms,
        trouble(counts, " | "),
    )
}

fn block(elapsed: Duration, run_for: Option<Duration>, counts: &Counts, place: &Place) -> String {
    let end = run_for.map_or_else(String::new, |end| format!(" of {}", clock(end)));
    let mut lines = vec![
        format!(
            "quotelake up · {}{end} · brokers {} · Ctrl-C stops",
            clock(elapsed),
            place.brokers
        ),
        format!(
            "  quotes   polled {}  published {}  failed {}  skipped cycles {}",
            counts.polled, counts.published, counts.failed, counts.skipped_cycles
        ),
        format!(
            "  trigger  batches {}  retried {}",
            counts.batches, counts.retried_batches
        ),
        format!(
            "  lake     records written {}  already there {}  quarantined {}  PUTs {}  GETs {}",
            counts.lines_written,
            counts.already_there,
            counts.quarantined,
            counts.puts,
            counts.gets
        ),
        format!(
            "  bars     written {}  late {}",
            counts.bars_written, counts.late
        ),
    ];
    if let Some(database) = &place.database {
        let rows = rows(counts, "  ");
        lines.push(format!("  postgres {}{rows}", database.database));
        lines.extend(elsewhere(database).map(|line| format!("           {line}")));
    }
    lines.extend([
        format!("  lag      {}", lag(counts)),
        format!(
            "  latency  p50 {} ms  p99 {} ms  (fetch to durable object)",
            counts.latency_p50_ms, counts.latency_p99_ms
        ),
        format!("  objects  {}", place.objects),
        format!("  logs     {}", place.logs),
    ]);
    lines.extend(s3(place).map(|access| format!("  s3       {access}")));
    let urls = place.urls.iter();
    lines.extend(urls.map(|(function, url)| format!("  url      {url}  {function}")));
    let triggered: Vec<_> = counts
        .functions
        .iter()
        .filter(|(_, of)| of.batches > 0 || of.lag() > 0)
        .collect();
    if triggered.len() > 1 {
        lines.extend(triggered.into_iter().map(|(function, of)| {
            format!(
                "  function {function}: batches {}  retried {}  lag {}",
                of.batches,
                of.retried_batches,
                of.lag()
            )
        }));
    }
    if let Some(trouble) = &counts.last_trouble {
        lines.push(format!(
            "  trouble  {} so far, the last: {trouble}",
            counts.troubles
        ));
    }
    lines.join("\n")
}

/// What the tables have got, after `before`; nothing if nothing.
fn rows(counts: &Counts, before: &str) -> String {
    let (rows, latest) = (counts.rows_written, counts.latest_changed);
    match rows + latest {
        0 => String::new(),
        _ => format!("{before}rows {rows}  latest {latest}"),
    }
}

/// Where the run's own database is, if not where one looks for it.
fn elsewhere(database: &DatabaseAccess) -> Option<String> {
    let folder = database.database_folder.as_ref()?.display();
    Some(format!(
        "its data is in {folder}, because its user can't get into the data folder"
    ))
}

/// How an S3 client reads the embedded store.
fn s3(place: &Place) -> Option<String> {
    let access = place.s3.as_ref()?;
    Some(format!(
        "{}  region {}  bucket {}  key {}  secret {}",
        place.s3_endpoint,
        access.s3_region,
        access.s3_buckets.join(", "),
        access.s3_access_key,
        access.s3_secret_key
    ))
}

/// The lag of each partition that has one.
fn lag(counts: &Counts) -> String {
    if counts.lag.is_empty() {
        return "0".to_owned();
    }
    let partitions: Vec<_> = counts
        .lag
        .iter()
        .map(|(name, lag)| format!("{name}: {lag}"))
        .collect();
    partitions.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_has_every_count() {
        let counts = Counts {
            polled: 1,
            published: 2,
            failed: 3,
            batches: 4,
            retried_batches: 5,
            lines_written: 6,
            already_there: 7,
            quarantined: 8,
            bars_written: 13,
            late: 14,
            lag: [("t-0".to_owned(), 4), ("t-1".to_owned(), 5)].into(),
            latency_p50_ms: 10,
            latency_p99_ms: 11,
            troubles: 12,
            last_trouble: Some("no".to_owned()),
            ..Counts::default()
        };
        assert_eq!(
            line(Duration::from_secs(83), &counts),
            "01:23 polled 1 published 2 failed 3 | batches 4 retried 5 | written 6 already there 7 quarantined 8 | bars 13 late 14 | lag 9 | p50 10 ms p99 11 ms | troubles: 12, the last: no"
        );
        assert_eq!(lag(&counts), "t-0: 4  t-1: 5");
    }
}
