use jiff::Timestamp;
use lake::store::StoreError;

use crate::lake_location::LakeLocationError;

/// Why bars could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// There is no such lake.
    #[error(transparent)]
    Location(#[from] LakeLocationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A symbol.
    #[error(transparent)]
    Symbol(#[from] silver::RollError),
    /// A lake of layout 1.
    #[error(
        "the history at {0} has layout 1, of which no bars are made: bring it into a new epoch by writing its topics again"
    )]
    LayoutOne(String),
    /// Bars among bronze, or the other way round.
    #[error(
        "--silver-prefix '{0}' is where bronze is, or none: give a prefix beside it, such as silver"
    )]
    SilverPrefix(String),
    /// No roll has been there.
    #[error("there are no bars under {0}: run `quotelake roll`, or check --silver-prefix")]
    NoBars(String),
    /// An option of another proof.
    #[error("verify silver compares bars with bronze alone: leave {0} out")]
    NotOfSilver(&'static str),
    /// A range that is none.
    #[error("--from {from} is not before --to {to}: give an earlier --from")]
    NoRange {
        /// Its start.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// A range that has not begun.
    #[error("--from {0} lies in the future: give a time that has passed")]
    Future(Timestamp),
    /// A topic without objects.
    #[error("bronze at {root} has no topic '{topic}': it has {}", known.join(", "))]
    NoTopic {
        /// The topic.
        topic: String,
        /// Where the lake is.
        root: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A symbol without objects.
    #[error(
        "bronze at {root} has no symbol '{symbol}' in the topics that are rolled: check --symbol and --topic"
    )]
    NoSymbol {
        /// The symbol.
        symbol: String,
        /// Where the lake is.
        root: String,
    },
}
