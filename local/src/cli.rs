//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use runtime::Environment;

use crate::{
    brokers::{Brokers, with_security},
    cost, inspect, redeliver, remote_lambda,
    replay::{Fault, FaultError, Provider},
    serve,
    up::{FeedSource, Options},
    verify,
};

/// A serverless market-data pipeline: a scheduled poller publishes quotes to Kafka, and a Kafka-triggered
/// function writes each record to S3 once.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Start with `quotelake up`: it runs the whole pipeline here, on recorded quotes."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the tool can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole pipeline on this machine, with no Docker and no account.
    ///
    /// Starts a Kafka-protocol broker, an S3 server over a folder, a Lambda host with the real functions, their
    /// schedules and Kafka triggers from template.yaml, and a replay of recorded market data. At the end it
    /// counts the topics against the store.
    ///
    /// Exits with 0 if polled = published = bronze + quarantine and there was something to count, 1 if not, and 2 if
    /// it could not start or a part failed.
    Up(Up),
    /// Tell what is in a lake: objects, records, bytes and times by topic and symbol, and what is in quarantine.
    ///
    /// Exits with 0, with 1 if an object is damaged or the record asked for is nowhere, and 2 if the lake can't be
    /// read.
    Inspect(inspect::Options),
    /// Bring records back to a lake: from quarantine, and from a trigger's on-failure destinations.
    ///
    /// They go through the writer's own code, so to run it again, or after a Ctrl-C, changes nothing that is right. A
    /// quarantine object is deleted once bronze holds exactly its record's line.
    ///
    /// Exits with 0 if everything asked for is in bronze, 1 if something stays, and 2 if it could not be done.
    Replay(redeliver::Options),
    /// Tell what a workload would cost on AWS, by its list prices, and how many PUTs it makes.
    ///
    /// Without options it is what the template polls by its defaults, without the stream of trades. The derivation is in
    /// docs/cost.md.
    Cost(cost::Options),
    /// Prove that the lake holds every record exactly once, or name what is missing, doubled, altered or damaged.
    ///
    /// Reads the data folder of `quotelake up`, or with --bucket a lake on S3. With --brokers it compares every line
    /// with the record that Kafka still has, of the topics that the lake has and those that the template's triggers land.
    ///
    /// Exits with 0 if the lake is exact, 1 if not, and 2 if it could not be verified.
    Verify(verify::Options),
    /// Run the template's Kafka triggers for functions in another Lambda: an emulator, or `cargo lambda watch`.
    ///
    /// Consumes the topics, cuts batches and invokes as Lambda's own trigger does, which emulators don't have.
    ///
    /// Exits with 0 if every record is done, 1 if some are left, were given up or had expired, and 2 if it could not start or failed.
    Trigger(remote_lambda::Options),
    /// Serve one part of `up` to other programs, and print its address as parameters of the template.
    #[command(subcommand)]
    Serve(serve::Part),
}

/// The options of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Stop by itself after this time, e.g. 60s or 10m.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub run_for: Option<Duration>,
    /// Print a JSON object a line.
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
    /// Where the quotes come from: the replay of recorded data, or the providers (needs `FINNHUB_API_KEY`).
    #[arg(long, value_name = "SOURCE", default_value = "replay")]
    pub feed: Feed,
    /// Recorded time per real time in the replay.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// Make a provider of the replay go wrong from the start; may be repeated.
    ///
    /// PROVIDER is finnhub, finnhub-trades, binance, vci, kbs or dnse. FAULT is latency=TIME, 429, 429=TIME, 418=TIME,
    /// 500, html, truncated, empty, frozen, reset or, for finnhub-trades, drop=TIME.
    #[arg(long = "fault", value_name = "PROVIDER=FAULT", value_parser = provider_and_fault)]
    pub faults: Vec<(Provider, Fault)>,
    /// Use these brokers instead of the embedded one.
    #[arg(long, long_help = with_security("Use these brokers instead of the embedded one."), value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Use this emulator's S3 endpoint instead of the embedded store (static credentials from `AWS_ACCESS_KEY_ID`
    /// and `AWS_SECRET_ACCESS_KEY`, else test/test).
    #[arg(long, value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// The port of the embedded store; 0 takes a free one.
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        conflicts_with = "s3_endpoint"
    )]
    pub s3_port: u16,
    /// The folder of the built functions; without it they are built first.
    #[arg(long, value_name = "FOLDER")]
    pub bin_dir: Option<PathBuf>,
}

/// Where the quotes come from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Feed {
    /// Recorded data, replayed by a server on this machine.
    Replay,
    /// The providers themselves; the Vietnamese ones only with `--parameter VietnamSymbols=…`.
    Live,
}

impl Up {
    /// The plane's options; keys and credentials come from the environment.
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
            feed: match self.feed {
                Feed::Replay => FeedSource::Replay,
                Feed::Live => FeedSource::Live,
            },
            speed: self.speed,
            faults: self.faults,
            s3_credentials: access_key.zip(secret_key),
            finnhub_api_key: environment.secret("FINNHUB_API_KEY"),
        }
    }
}

pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("'{text}' is not NAME=VALUE"))
}

pub(crate) fn provider_and_fault(text: &str) -> Result<(Provider, Fault), FaultError> {
    let (provider, fault) = text.split_once('=').unwrap_or((text, ""));
    let provider = provider.parse()?;
    Ok((provider, Fault::read(provider, fault)?))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_parameter_is_a_name_and_a_value() {
        assert_eq!(
            name_and_value("A=b=c"),
            Ok(("A".to_owned(), "b=c".to_owned()))
        );
        for wrong in ["A", "=b"] {
            assert_eq!(
                name_and_value(wrong),
                Err(format!("'{wrong}' is not NAME=VALUE"))
            );
        }
    }

    #[test]
    fn the_template_of_verify_goes_with_brokers() {
        let read = |more: &[&str]| Cli::try_parse_from([&["quotelake", "verify"], more].concat());
        assert!(read(&[]).is_ok());
        assert!(read(&["--brokers", "a:1", "--template", "t.yaml"]).is_ok());
        for alone in [["--template", "t.yaml"], ["--parameter", "A=b"]] {
            let said = read(&alone).unwrap_err().to_string();
            assert!(said.contains("--brokers"), "{said}");
        }
    }

    #[test]
    fn a_fault_is_a_provider_and_what_goes_wrong_with_it() {
        let read = |text| provider_and_fault(text).map_err(|error| error.to_string());
        let retry_after = Some(Duration::from_secs(30));
        let limited = Fault::RateLimited { retry_after };
        assert_eq!(read("finnhub=429=30s"), Ok((Provider::Finnhub, limited)));
        assert_eq!(read("vci=empty"), Ok((Provider::Vci, Fault::EmptyBoard)));
        for (wrong, sentence) in [
            (
                "ssi=429",
                "the replay has no provider \"ssi\": give finnhub, ",
            ),
            (
                "vci=boom",
                "the replay has no fault \"boom\": give latency=TIME, ",
            ),
            ("vci", "the replay has no fault \"\": give latency=TIME, "),
            (
                "vci=drop=2s",
                "vci has no websocket to drop: give drop=2s to finnhub-trades",
            ),
        ] {
            let said = read(wrong).unwrap_err();
            assert!(said.starts_with(sentence), "{said}");
        }
    }
}
