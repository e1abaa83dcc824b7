//! As much of a bronze line as a bar needs, borrowed from it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A line of any of the seven shapes. What a shape does not have is absent.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow, default)]
    pub(super) symbol: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) ticker: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) c: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) price: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) size: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) volume: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) total_volume: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) t: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) event_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) fetched_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) meta: Option<LineMeta<'a>>,
    #[serde(rename = "_kafka")]
    pub(super) kafka: Kafka,
}

/// As much of `meta`.
#[derive(Deserialize)]
pub(super) struct LineMeta<'a> {
    #[serde(borrow, default)]
    pub(super) source: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) schema: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) symbol: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) asset_class: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) mic: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) currency: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) event_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) fetched_at: Option<&'a RawValue>,
}

/// The record's coordinates.
#[derive(Deserialize)]
pub(super) struct Kafka {
    pub(super) partition: i32,
    pub(super) offset: i64,
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
}

/// A bar of a provider.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProviderBar<'a> {
    #[serde(borrow)]
    pub(super) date: Text<'a>,
    #[serde(borrow)]
    pub(super) open: &'a RawValue,
    #[serde(borrow)]
    pub(super) high: &'a RawValue,
    #[serde(borrow)]
    pub(super) low: &'a RawValue,
    #[serde(borrow)]
    pub(super) close: &'a RawValue,
    #[serde(borrow)]
    pub(super) volume: &'a RawValue,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn of(text: &Option<Self>) -> Option<&str> {
        text.as_ref().map(|text| &*text.0)
    }
}
