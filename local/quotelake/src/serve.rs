//! One part of the plane for other programs: the recorded market, or the embedded broker.
//!
//! Each says by the parameters of the pipeline's template where it is, so that what it prints can be given to
//! `sam deploy` or to another command of this tool.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use market_server::{Fault, Provider, Settings, provider_and_fault};
use plane::pipeline::{PARTITIONS, at_brokers};
use sam_template::name_and_value;
use stream::embedded::EmbeddedBroker;

use crate::up::UpError;

/// Which part.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Recorded data, behind the providers' own HTTP and websocket.
    Market(Market),
    /// The Kafka-protocol broker, with the topics that the template names.
    Broker(Broker),
}

/// The options of `serve market`.
#[derive(Debug, Args)]
pub struct Market {
    /// The port; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Which times its answers have.
    #[arg(long, value_name = "TIMES", default_value = "now")]
    pub times: Times,
    /// Recorded time per real time.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// Make a provider go wrong from the start; may be repeated.
    #[arg(long = "fault", long_help = market_server::fault_help(), value_name = "PROVIDER=FAULT", value_parser = provider_and_fault)]
    pub faults: Vec<(Provider, Fault)>,
}

/// Which times the answers of the recorded market have.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Times {
    /// Everything recorded is shifted onto the clock, so that quotes and bars are as old as live ones.
    Now,
    /// As recorded, months or years old, from the beginning of the recordings on.
    Recorded,
}

impl From<Times> for market_server::Times {
    fn from(times: Times) -> Self {
        match times {
            Times::Now => Self::Now,
            Times::Recorded => Self::Recorded,
        }
    }
}

/// The options of `serve broker`.
#[derive(Debug, Args)]
pub struct Broker {
    /// The template that names the topics.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,
    /// A value for a parameter of the template; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
}

/// A part that serves until it is dropped.
pub struct Serving {
    /// What the template's parameters have to be for the pipeline to find it.
    pub parameters: BTreeMap<String, String>,
    _part: Box<dyn Send>,
}

impl Part {
    /// Starts it.
    ///
    /// # Errors
    /// [`UpError`].
    pub async fn serve(&self) -> Result<Serving, UpError> {
        match self {
            Self::Market(options) => {
                let settings = Settings {
                    times: options.times.into(),
                    ..Settings::at(options.port, options.speed)
                };
                let market = market_server::start_with(settings, &options.faults).await?;
                Ok(Serving {
                    parameters: market.parameters(),
                    _part: Box::new(market),
                })
            }
            Self::Broker(options) => {
                let broker = EmbeddedBroker::start()?;
                let own = at_brokers(broker.brokers());
                let mut parameters: BTreeMap<_, _> = options.parameters.iter().cloned().collect();
                parameters.extend(own.clone());
                let pipeline = sam_template::read(&options.template, &parameters)?;
                for topic in plane::pipeline::topics(&pipeline) {
                    broker.create_topic(&topic, PARTITIONS)?;
                }
                Ok(Serving {
                    parameters: own,
                    _part: Box::new(broker),
                })
            }
        }
    }
}

impl std::fmt::Display for Serving {
    /// The parameters, `NAME=VALUE` a line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.parameters {
            writeln!(f, "{name}={value}")?;
        }
        Ok(())
    }
}
