//! What a function answers to a Kafka trigger.
//!
//! Format: AWS Lambda developer guide, "Kafka retry configurations".

mod places;

pub use places::{Place, ranges};

use serde::Serialize;
use settings::{Absent, Form, Setting};

use crate::KafkaEvent;

/// How the trigger wants to hear of records that are not durable; a [`FailureResponse`].
pub const FAILURE_RESPONSE: Setting = Setting::new(
    "FAILURE_RESPONSE",
    Absent::Is("batch"),
    Form::Text {
        range: "`batch`, `items`",
        expects: "'batch', or 'items' if the trigger has ReportBatchItemFailures",
    },
    "how the trigger is told what is not durable; `items` only with `ReportBatchItemFailures` on it, else records are \
     lost",
);

/// How a trigger wants to hear of records that are not durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureResponse {
    /// By an error for the whole batch: on-demand mode, and any mapping without `ReportBatchItemFailures`.
    #[default]
    Batch,
    /// By a list of them: a mapping with `ReportBatchItemFailures`. Without that setting the list is ignored and the
    /// records are lost.
    Items,
}

/// What a function answers, with a report of its own kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer<R> {
    /// Every record is durable.
    Done {
        /// What became of them.
        #[serde(flatten)]
        report: R,
        /// None, in so many words for a mapping that listens already.
        #[serde(rename = "batchItemFailures")]
        batch_item_failures: [ItemFailure; 0],
    },
    /// The list for `ReportBatchItemFailures`.
    Items {
        /// Every record that is not durable.
        #[serde(rename = "batchItemFailures")]
        batch_item_failures: Vec<ItemFailure>,
    },
}

/// A record that is not durable: the identifier is an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Which.
    pub item_identifier: ItemIdentifier,
}

/// A record in the trigger's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemIdentifier {
    /// The key of the event's map, `<topic>-<partition>`.
    pub partition: String,
    /// The offset.
    pub offset: i64,
}

impl FailureResponse {
    /// The answer once every record is durable.
    pub fn done<R>(self, report: R) -> Answer<R> {
        match self {
            Self::Batch => Answer::Done {
                report,
                batch_item_failures: [],
            },
            Self::Items => Answer::Items {
                batch_item_failures: Vec::new(),
            },
        }
    }

    /// The answer that brings the records at `missing` again; `None` where only an error of the function does.
    pub fn not_durable<R>(
        self,
        event: &KafkaEvent<'_>,
        missing: &[Place<'_>],
    ) -> Option<Answer<R>> {
        match self {
            Self::Batch => None,
            // A record without an offset has no identifier, so the whole batch comes again.
            Self::Items => Some(Answer::Items {
                batch_item_failures: missing
                    .iter()
                    .map(|place| item(event, place))
                    .collect::<Option<_>>()?,
            }),
        }
    }
}

fn item(event: &KafkaEvent<'_>, place: &Place<'_>) -> Option<ItemFailure> {
    Some(ItemFailure {
        item_identifier: ItemIdentifier {
            partition: event.sources[place.source].clone().into_owned(),
            offset: place.offset?,
        },
    })
}

impl std::str::FromStr for FailureResponse {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "batch" => Ok(Self::Batch),
            "items" => Ok(Self::Items),
            _ => Err("neither 'batch' nor 'items'"),
        }
    }
}
