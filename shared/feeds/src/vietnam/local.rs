//! Local time: Vietnam has kept UTC+7 since 1975, without daylight saving.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};

const HO_CHI_MINH: Offset = Offset::constant(7);

/// The local date at a time.
pub(crate) fn date(time: Timestamp) -> Date {
    HO_CHI_MINH.to_datetime(time).date()
}

/// The time that a text names in ISO 8601 (a space may stand for the `T`), which is local unless it says otherwise.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        let zone = TimeZone::fixed(HO_CHI_MINH);
        Some(local.to_zoned(zone).ok()?.timestamp())
    })
}
