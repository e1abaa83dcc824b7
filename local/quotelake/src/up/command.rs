use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use market_server::{Fault, Provider, provider_and_fault};
use plane::brokers::{Brokers, with_security};
use runtime::Environment;
use sam_template::name_and_value;

use super::{Database, DatabaseSource, FeedSource, Options};
use crate::serve::Times;

/// The options of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Stop by itself after this time, e.g. 60s or 10m.
    #[arg(long = "for", value_name = "TIME", value_parser = crate::output::duration)]
    pub run_for: Option<Duration>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub json: bool,
    /// The folder for objects and logs; it is made if it does not exist.
    #[arg(long, value_name = "FOLDER", default_value = "quotelake-data")]
    pub data: PathBuf,
    /// The template that describes the pipeline.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,
    /// A value for a parameter of the template; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// Where the quotes come from: recorded data, or the providers (needs `FINNHUB_API_KEY`).
    #[arg(long, value_name = "SOURCE", default_value = "recorded")]
    pub feed: Feed,
    /// Which times the answers of the recorded market have.
    #[arg(long, value_name = "TIMES", default_value = "now")]
    pub times: Times,
    /// Recorded time per real time.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// Make a provider of the recorded market go wrong from the start; may be repeated.
    #[arg(long = "fault", long_help = market_server::fault_help(), value_name = "PROVIDER=FAULT", value_parser = provider_and_fault)]
    pub faults: Vec<(Provider, Fault)>,
    /// Use these brokers instead of the embedded one.
    #[arg(long, long_help = with_security("Use these brokers instead of the embedded one."), value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Use this S3 endpoint instead of the embedded store, such as that of `MinIO`, ministack or moto (static credentials from
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, else test/test).
    ///
    /// The store has to keep the conditions of a write; docs/deploy.md lists those that were tried.
    #[arg(long, value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// The port of the embedded store, for S3 clients of your own (keys quotelake and quotelake-local); 0 takes a free
    /// one.
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        conflicts_with = "s3_endpoint"
    )]
    pub s3_port: u16,
    /// Keep the quotes in PostgreSQL too: in a server that this starts and stops, with what it has in the data folder; with a
    /// value, in the database at a URL, or by the programs in a folder.
    ///
    /// Its own server wants PostgreSQL's programs (`apt-get install postgresql`, `brew install postgresql`), which it finds by
    /// `PATH` and where they usually are; it listens on a loopback port with a password, and is not root's. A URL is that of
    /// libpq, such as `postgres://USER@HOST:5432/NAME`; a password that is not in it is taken from `DATABASE_PASSWORD`. The
    /// tables are made or brought up to date (`quotelake migrate`), and their proof is part of the end.
    #[arg(long, value_name = "URL|FOLDER", num_args = 0..=1, default_missing_value = "")]
    pub postgres: Option<String>,
    /// The authorities of the database's certificate, a file in PEM [default: the system's roots].
    #[arg(long, value_name = "FILE", requires = "postgres")]
    pub database_ca: Option<PathBuf>,
    /// The folder of the built functions; without it they are built first.
    #[arg(long, value_name = "FOLDER")]
    pub bin_dir: Option<PathBuf>,
}

/// Where the quotes come from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Feed {
    /// Recorded data, served on this machine.
    #[value(alias = "replay")]
    Recorded,
    /// The providers themselves; the Vietnamese ones only with `--parameter VietnamSymbols=…`.
    Live,
}

impl Up {
    /// What to start; keys and credentials come from the environment.
    pub fn options(self, environment: &Environment) -> Options {
        let access_key = environment.secret("AWS_ACCESS_KEY_ID");
        let secret_key = environment.secret("AWS_SECRET_ACCESS_KEY");
        Options {
            template: self.template,
            parameters: self.parameters.into_iter().collect(),
            data: self.data,
            bin_dir: self.bin_dir,
            brokers: self
                .brokers
                .map(|servers| Brokers::new(&servers, environment)),
            s3_endpoint: self.s3_endpoint,
            s3_port: self.s3_port,
            database: self.postgres.map(|value| Database {
                source: DatabaseSource::of(&value),
                authority: self.database_ca,
                password: environment.secret("DATABASE_PASSWORD"),
                path: environment.secret("PATH"),
            }),
            feed: match self.feed {
                Feed::Recorded => FeedSource::Recorded,
                Feed::Live => FeedSource::Live,
            },
            times: self.times.into(),
            speed: self.speed,
            faults: self.faults,
            s3_credentials: access_key.zip(secret_key),
            finnhub_api_key: environment.secret("FINNHUB_API_KEY"),
        }
    }
}
