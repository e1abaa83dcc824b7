use std::{fmt, str::FromStr};

use clap::Args;

use crate::lake_location::LakeLocation;

/// The options of `inspect`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake.
    #[command(flatten)]
    pub location: LakeLocation,
    /// Only this topic.
    #[arg(long, value_name = "TOPIC", conflicts_with = "record")]
    pub topic: Option<String>,
    /// Only this symbol; quarantined records have none, so they are left out.
    #[arg(long, value_name = "SYMBOL", conflicts_with = "record")]
    pub symbol: Option<String>,
    /// Read the listing and no object: objects, bytes, and the first and last time bucket.
    #[arg(long, conflicts_with = "record")]
    pub keys_only: bool,
    /// Show one record, wherever it is: its object and its line, or its quarantine object with the reason.
    #[arg(long, value_name = "TOPIC-PARTITION@OFFSET")]
    pub record: Option<Coordinates>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where a record is in Kafka.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coordinates {
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl FromStr for Coordinates {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (source, offset) = text.rsplit_once('@')?;
            let (topic, partition) = source.rsplit_once('-')?;
            Some(Self {
                topic: Some(topic).filter(|topic| !topic.is_empty())?.to_owned(),
                partition: partition.parse().ok().filter(|number| *number >= 0)?,
                offset: offset.parse().ok().filter(|number| *number >= 0)?,
            })
        };
        read().ok_or("write TOPIC-PARTITION@OFFSET, such as stock-quotes-3@902")
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}@{}", self.topic, self.partition, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_read_as_they_are_written() {
        let check = |text: &str, topic: &str| {
            let at: Coordinates = text.parse().unwrap();
            assert_eq!(
                (at.topic.as_str(), at.partition, at.offset),
                (topic, 3, 902)
            );
            assert_eq!(at.to_string(), text);
        };
        check("stock-quotes-3@902", "stock-quotes");
        check("a@b-3@902", "a@b");
        for wrong in ["", "t", "t-3", "t@1", "-3@1", "t-x@1", "t-3@-1"] {
            assert!(wrong.parse::<Coordinates>().is_err(), "{wrong}");
        }
    }
}
