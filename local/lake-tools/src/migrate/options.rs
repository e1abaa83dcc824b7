use clap::Args;
use jiff::civil::Date;

use crate::database_location::DatabaseLocation;

/// The options of `migrate`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseLocation,
    /// Print the SQL, for whoever runs it by other means, and connect to nothing.
    #[arg(long, conflicts_with = "json")]
    pub print: bool,
    /// Make a partition for each of so many days (UTC) to come, 3,653 at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(..=3_653))]
    pub days_ahead: u16,
    /// Drop days that ended more than so many days ago, their rows with them [default: keep all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub keep_days: Option<u16>,
    /// Also make days from this one on, before a replay of a lake that is older.
    #[arg(long, value_name = "DATE")]
    pub days_since: Option<Date>,
    /// Print what was done as JSON.
    #[arg(long)]
    pub json: bool,
}
