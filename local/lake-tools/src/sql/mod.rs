//! What an engine has to be told of a lake: views, tables or a snippet with the type of every column.
//!
//! Engines that guess types read whole prices before a fraction as whole numbers, and drop what is null at first. The columns
//! are those of [`market::columns`]; where they lie is [`Lake`]. docs/engines.md says what each engine does with them.

mod athena;
mod bars;
mod clickhouse;
mod duckdb;
mod json;
mod options;
mod place;
mod polars;
mod silver;
mod spark;
#[cfg(test)]
mod tests;

pub use options::{Engine, Options};
pub use place::{Lake, Place};

use market::columns::{
    Column,
    ColumnType::{Integer, Struct, Structs, Text},
    TOPICS, column,
};

use crate::lake_location::LakeLocationError;

/// A topic's name and its columns.
pub(crate) type Topic = (&'static str, &'static [Column]);

/// What the lake adds to each line.
pub(crate) const KAFKA: Column = column(
    "_kafka",
    Struct(&[
        column("topic", Text),
        column("partition", Integer),
        column("offset", Integer),
        column("timestamp", Integer),
        column("key", Text),
        column("key_base64", Text),
        column(
            "headers",
            Structs(&[
                column("name", Text),
                column("value", Text),
                column("base64", Text),
            ]),
        ),
    ]),
);

/// Why nothing can be printed.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The lake.
    #[error(transparent)]
    Location(#[from] LakeLocationError),
    /// A topic without columns.
    #[error("the columns of the topic {0:?} are not known: write one of {names}", names = names())]
    UnknownTopic(String),
    /// A character that an engine would take for a pattern, or for the end of a text.
    #[error(
        "{0:?} can't be written in a pattern of paths: take a folder, bucket, prefix or URL without any of * ? [ ] {{ }} ' \" \\ $ ` and line ends"
    )]
    OddPath(String),
    /// An engine that reads S3 alone.
    #[error(
        "Athena reads S3 alone: name the lake's bucket with --bucket, without --data and --s3-endpoint"
    )]
    OnlyOnS3,
    /// An engine without the template.
    #[error(
        "bars are made by DuckDB, Spark or Athena: name one of them with --engine, or leave --bars out"
    )]
    NoBars,
    /// No silver yet.
    #[error(
        "there are no bars at {0}: make them with `quotelake roll`, or name another --silver-prefix"
    )]
    NoSilver(String),
}

/// The text that `quotelake sql` prints.
///
/// # Errors
/// [`SqlError`].
pub fn run(options: &Options) -> Result<String, SqlError> {
    let topics = topics(options.topic.as_deref())?;
    let Some(engine) = options.engine else {
        return Ok(json::text(&topics));
    };
    let lake = options.lake()?;
    let topics = match &options.topic {
        Some(_) => topics,
        None => lake.with_objects(topics),
    };
    if options.bars {
        return bars::text(options, engine, &lake, &topics);
    }
    let bars = silver::Silver::beside(&lake, &options.silver.silver_prefix, &options.prefix)?;
    if options.only_silver {
        return match bars.intervals.is_empty() {
            true => Err(SqlError::NoSilver(bars.lake.base("s3"))),
            false => silver::text(&bars, engine),
        };
    }
    let text = match engine {
        Engine::Duckdb => duckdb::text(&lake, &topics),
        Engine::Spark => spark::text(&lake, &topics),
        Engine::Polars => polars::text(&lake, &topics),
        Engine::Clickhouse => clickhouse::text(&lake, &topics),
        Engine::Athena => athena::text(&lake, &topics)?,
    };
    // On S3 nothing is looked at, and engines refuse a view of nothing.
    match lake.is_on_s3() || options.topic.is_some() || bars.intervals.is_empty() {
        true => Ok(text),
        false => Ok(format!("{text}\n{}", silver::text(&bars, engine)?)),
    }
}

fn topics(topic: Option<&str>) -> Result<Vec<Topic>, SqlError> {
    let Some(topic) = topic else {
        return Ok(TOPICS.to_vec());
    };
    let found = TOPICS.into_iter().find(|(name, _)| *name == topic);
    let found = found.ok_or_else(|| SqlError::UnknownTopic(topic.to_owned()))?;
    Ok(vec![found])
}

fn names() -> String {
    TOPICS.map(|(name, _)| name).join(", ")
}

/// The name of a topic's view or table.
fn view(topic: &str) -> String {
    topic.replace('-', "_")
}

/// The columns of a line: the topic's own, then the lake's.
fn of_line(columns: &[Column]) -> Vec<Column> {
    [columns, &[KAFKA]].concat()
}

/// Items of a list, each on a line of its own.
fn lines(items: impl IntoIterator<Item = String>, indentation: &str) -> String {
    let items: Vec<String> = items.into_iter().collect();
    items.join(&format!(",\n{indentation}"))
}

/// The template with each `{name}` replaced.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}
