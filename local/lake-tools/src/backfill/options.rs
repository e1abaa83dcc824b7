use clap::Args;
use plane::brokers::with_security;

use crate::gaps::Selection;

/// The options of `backfill`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The gaps that are filled.
    #[command(flatten)]
    pub selection: Selection,
    /// The brokers that have the topics of the gaps.
    #[arg(long, long_help = with_security("The brokers that have the topics of the gaps."), value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Tell what would be asked for, and neither ask nor publish.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
