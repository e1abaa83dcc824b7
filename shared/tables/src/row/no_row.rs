use crate::NumberError;

/// Why a record has no row, though it should: it goes to quarantine. A long text of the record is cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRow {
    /// It can be no line of bronze either: there it is in quarantine for this.
    #[error(transparent)]
    Unfit(#[from] lake::Unfit),
    /// Neither the record nor its topic says the shape.
    #[error(
        "the record has no 'meta.schema' and the topic {topic:?} does not name its shape: write meta.schema, such as stock-quotes/1"
    )]
    NoSchema {
        /// The topic.
        topic: String,
    },
    /// A shape or a version that this program does not know.
    #[error(
        "the 'meta.schema' {schema:?} is not known here: write a quote's, which is stock-quotes/1, crypto-prices/1, stock-prices/1 or stock-board/1"
    )]
    UnknownSchema {
        /// The record's.
        schema: String,
    },
    /// No price.
    #[error("the record has no price: write '{member}' as a number")]
    NoPrice {
        /// The member that has it in this shape.
        member: &'static str,
    },
    /// A value of another type than the member's.
    #[error("'{member}' holds {found}: write {expected}, or leave it out")]
    WrongType {
        /// The member.
        member: &'static str,
        /// What it holds.
        found: &'static str,
        /// What it may hold.
        expected: &'static str,
    },
    /// A number beyond reason, or a text that is none.
    #[error("'{member}' holds no number for the table: {source}")]
    Number {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        source: NumberError,
    },
    /// A text with U+0000.
    #[error("'{member}' has the character U+0000, which Postgres refuses: leave it out")]
    Nul {
        /// The member.
        member: &'static str,
    },
    /// A time without a zone.
    #[error(
        "'{member}' holds {text:?}, a time without a zone: write it in UTC, such as 2026-05-22T20:00:00Z"
    )]
    NoZone {
        /// The member.
        member: &'static str,
        /// What it holds.
        text: String,
    },
    /// No time, or one outside the years 1 to 9999.
    #[error("'{member}' holds {text:?}, which is no time in the years 1 to 9999: write {expected}")]
    Time {
        /// The member.
        member: &'static str,
        /// What it holds.
        text: String,
        /// How a time is written there.
        expected: &'static str,
    },
    /// No day, or one outside the years 1 to 9999.
    #[error(
        "'{member}' holds {text:?}, which is no day in the years 1 to 9999: write it such as 2026-05-22"
    )]
    Day {
        /// The member.
        member: &'static str,
        /// What it holds.
        text: String,
    },
}
