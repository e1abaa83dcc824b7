//! The command line.

use clap::{Args, Parser, Subcommand};
use lake_tools::{
    backfill, cost, gaps, inspect, migrate, replay,
    roll::{self, Silver},
    sql,
    verify::{self, BronzeProof, DatabaseArgs, DatabaseProof},
};

use crate::{proofs, serve, trigger, up::Up};

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
    /// schedules, Kafka triggers and URLs from template.yaml, and recorded market data. At the end it judges
    /// what each function has left, the lake against the topics.
    ///
    /// Exits with 0 if polled = published = bronze + quarantine, no trigger has left a record and there was something to
    /// count, 1 if not, and 2 if it could not start or a part failed.
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
    /// `--to database` fills the tables of quotes from bronze instead, without Kafka. Rows that are there stay as they are; after
    /// a Ctrl-C or a failure it prints the option `--after KEY` that goes on.
    ///
    /// Exits with 0 if everything asked for is there, 1 if something stays, and 2 if it could not be done.
    Replay(replay::Options),
    /// Make the tables of quotes in a database, or bring them to this program's version.
    ///
    /// The function `quote-upserter` never changes a schema: run this before it, and again after an upgrade. It also makes the
    /// partitions of days to come, and can drop old ones. Two at once are safe, and so is a running function.
    ///
    /// Exits with 0 if the tables are as this program needs them, and 2 if it could not be done.
    Migrate(migrate::Options),
    /// Make bars of what is in bronze: 1 minute, 1 hour and 1 day for each symbol, in Parquet.
    ///
    /// The function `bar-roller` does the same by schedule for the last hours. This is for a backfill, another lateness, and
    /// files that somebody edited. Hours of which nothing changed are not touched, so to run it again, or after a Ctrl-C,
    /// goes on.
    ///
    /// Exits with 0 if every symbol was rolled, 1 if a bronze object or a silver file is damaged or symbols are left, and 2
    /// if it could not be done.
    Roll(roll::Options),
    /// Name the minutes of trading sessions without data, by topic and symbol, each with the reason.
    ///
    /// Reads bronze, the quarantine and the pollers' logs: a market that is closed is no gap, and a minute in which there was
    /// nothing new is silent. docs/gaps.md has every reason with its remedy.
    ///
    /// Exits with 0 if every minute is explained, 1 if not or a bronze object is damaged, and 2 if it could not be told.
    Gaps(gaps::Options),
    /// Fill gaps with the minute bars of providers that have a history, published to the topics of the gaps.
    ///
    /// The trigger lands them, and rolling makes bars of the basis `provider` where there are no trades and quotes. To run it
    /// again, or after a Ctrl-C, asks for what is still missing.
    ///
    /// Exits with 0 if every missing minute has a bar, 1 if some have none, and 2 if it could not be done.
    Backfill(backfill::Options),
    /// Tell what a workload would cost on AWS, by its list prices, and how many PUTs it makes.
    ///
    /// Without options it is what the template polls by its defaults, without the stream of trades. The derivation is in
    /// docs/cost.md.
    Cost(cost::Options),
    /// Prove that the lake holds every record exactly once, or name what is missing, doubled, altered or damaged.
    ///
    /// `verify silver` proves that every bar is what a fold of all records at once makes. `verify --database URL` proves that
    /// the tables of quotes have the row of every record, and nothing else; the function and the writer should have caught up.
    ///
    /// Reads the data folder of `quotelake up`, or with --bucket a lake on S3. With --brokers it compares every line
    /// with the record that Kafka still has, of the topics that the lake has and those that the template's bronze writers
    /// land.
    ///
    /// Exits with 0 if the lake is exact, 1 if not, and 2 if it could not be verified.
    Verify(Verify),
    /// Print what an engine has to be told to read a lake with the right types: views, tables or a snippet.
    ///
    /// To paste into the engine. Nothing is read but which topics a folder has; docs/engines.md says what each engine does
    /// with it.
    Sql(sql::Options),
    /// Run the template's Kafka triggers for functions in another Lambda: an emulator, or `cargo lambda watch`.
    ///
    /// Consumes the topics, cuts batches and invokes as Lambda's own trigger does, which emulators don't have.
    ///
    /// Exits with 0 if every record is done, 1 if some are left, were given up or had expired, and 2 if it could not start or failed.
    Trigger(trigger::Options),
    /// Serve one part of `up` to other programs, and print its address as parameters of the template.
    #[command(subcommand)]
    Serve(serve::Part),
}

/// The options of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// What to prove [default: bronze, and with --database database].
    #[arg(value_name = "PROOF", value_parser = proofs::NAMES)]
    pub proof: Option<String>,
    /// The lake, and what is expected of it.
    #[command(flatten)]
    pub options: verify::Options,
    /// Of the proof `silver`: where the bars lie.
    #[command(flatten)]
    pub silver: Silver,
    /// Of the proof `database`: the tables.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

impl Verify {
    /// The name of the proof that is asked for.
    pub fn proof(&self) -> &str {
        match &self.proof {
            Some(proof) => proof,
            None if self.database.location.is_given() => DatabaseProof::NAME,
            None => BronzeProof::NAME,
        }
    }
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
    fn a_database_that_is_named_is_what_is_proved() {
        let proof = |more: &[&str]| {
            let cli = Cli::try_parse_from([&["quotelake", "verify"], more].concat()).unwrap();
            match cli.command {
                Command::Verify(verify) => verify.proof().to_owned(),
                _ => unreachable!(),
            }
        };
        assert_eq!(proof(&[]), "bronze");
        assert_eq!(
            proof(&["--database", "postgres://a@localhost/b"]),
            "database"
        );
        assert_eq!(proof(&["silver"]), "silver");
        assert_eq!(proof(&["database", "--since", "2026-11-28"]), "database");
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
}
