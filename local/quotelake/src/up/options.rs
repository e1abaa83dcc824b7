use std::{collections::BTreeMap, path::PathBuf};

use market_server::{Fault, Provider, Times};
use plane::brokers::Brokers;

use super::Database;

/// What to start, and which parts to take from elsewhere. Not `Debug`: it may hold keys.
#[derive(Clone)]
pub struct Options {
    /// The template that describes the pipeline.
    pub template: PathBuf,
    /// Values for the template's parameters, over its defaults and the plane's own.
    pub parameters: BTreeMap<String, String>,
    /// The folder for objects and logs.
    pub data: PathBuf,
    /// The folder of the function binaries; without it they are built first.
    pub bin_dir: Option<PathBuf>,
    /// Brokers instead of the embedded one.
    pub brokers: Option<Brokers>,
    /// An S3 endpoint instead of the embedded store.
    pub s3_endpoint: Option<String>,
    /// The embedded store's port; 0 takes a free one.
    pub s3_port: u16,
    /// The database of quotes, where the run has one.
    pub database: Option<Database>,
    /// Where the quotes come from.
    pub feed: FeedSource,
    /// Which times the answers of the recorded market have.
    pub times: Times,
    /// Recorded time per real time in the recorded market.
    pub speed: f64,
    /// What goes wrong with the recorded market's providers from the start.
    pub faults: Vec<(Provider, Fault)>,
    /// Credentials of the store at `s3_endpoint`: access key and secret key.
    pub s3_credentials: Option<(String, String)>,
    /// The Finnhub key for the live feed.
    pub finnhub_api_key: Option<String>,
}

/// Where the quotes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedSource {
    /// Recorded data, served on this machine.
    Recorded,
    /// The providers themselves.
    Live,
}
