//! The partial response of a function: which records of its batch are not done.
//!
//! Source: AWS Lambda developer guide, "Configuring error handling controls for Kafka event sources". Unlike with Kinesis
//! and SQS the identifier is an object.

use std::collections::BTreeSet;

use serde::Deserialize;
use stream::Position;

use super::record::Record;

/// Why a response counts as the failure of its whole batch.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResponseError {
    #[error(
        "the function's response can't be read as a list of batchItemFailures ({0}): the whole batch goes again"
    )]
    Unreadable(#[from] serde_json::Error),
    #[error(
        "the function's response names {partition}@{offset}, which is not in its batch: the whole batch goes again"
    )]
    Unknown { partition: String, offset: i64 },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    batch_item_failures: Option<Vec<Item>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    item_identifier: Identifier,
}

#[derive(Deserialize)]
struct Identifier {
    /// `topic-partition`, as in the event.
    partition: String,
    offset: i64,
}

/// The records that `body` names as failed; none if there is no body, or nothing in it.
///
/// # Errors
/// [`ResponseError`] if it names others, or can't be read.
pub(super) fn failed(
    body: &[u8],
    topic: &str,
    records: &[Record],
) -> Result<BTreeSet<Position>, ResponseError> {
    if body.trim_ascii().is_empty() {
        return Ok(BTreeSet::new());
    }
    let response: Option<Response> = serde_json::from_slice(body)?;
    let items = response.and_then(|response| response.batch_item_failures);
    let named = |Item { item_identifier }: Item| {
        let Identifier { partition, offset } = item_identifier;
        let is_it = |record: &&Record| {
            record.at.offset == offset && format!("{topic}-{}", record.at.partition) == partition
        };
        match records.iter().find(is_it) {
            Some(record) => Ok(record.at),
            None => Err(ResponseError::Unknown { partition, offset }),
        }
    };
    items.unwrap_or_default().into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        [(0, 15), (0, 16), (3, 902)]
            .map(|(partition, offset)| Record {
                at: Position { partition, offset },
                timestamp: None,
                key: None,
                fetched: None,
                json: Vec::new(),
            })
            .into()
    }

    #[test]
    fn a_response_without_items_is_success() {
        for body in [
            "",
            " \n",
            "null",
            "{}",
            r#"{"batchItemFailures":[]}"#,
            r#"{"batchItemFailures":null}"#,
            r#"{"records":4}"#,
        ] {
            let failed = failed(body.as_bytes(), "a-b", &records()).unwrap();
            assert!(failed.is_empty(), "{body}");
        }
    }

    #[test]
    fn the_items_are_records_of_the_batch() {
        let body = r#"{"batchItemFailures":[
            {"itemIdentifier":{"partition":"a-b-3","offset":902}},
            {"itemIdentifier":{"partition":"a-b-0","offset":16}},
            {"itemIdentifier":{"partition":"a-b-3","offset":902}}]}"#;
        let failed = failed(body.as_bytes(), "a-b", &records()).unwrap();
        let at = |partition, offset| Position { partition, offset };
        assert_eq!(failed, [at(0, 16), at(3, 902)].into());
    }

    #[test]
    fn a_response_that_names_no_record_of_the_batch_is_the_failure_of_all_of_it() {
        for body in [
            r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"a-b-0","offset":17}}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"b-0","offset":15}}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"a-b-0","offset":"15"}}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a-b-0-15"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{}]}"#,
            r#"{"batchItemFailures":{}}"#,
            r#""done""#,
            "[1]",
            "{",
        ] {
            assert!(
                failed(body.as_bytes(), "a-b", &records()).is_err(),
                "{body}"
            );
        }
    }
}
