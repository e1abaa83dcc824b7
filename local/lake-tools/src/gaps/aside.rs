//! The times of the records of a topic that are in quarantine.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use lake::{
    Layout, ObjectKey, Quarantined, Version, read_content, read_quarantined,
    store::{Get, List, StoreError, list_pages},
};
use serde_json::Value;

use super::slots::{Grid, Slots};
use crate::reading::{Reading, read};

/// Requests in flight.
const AT_ONCE: usize = 16;

/// The slots in which records were put aside.
#[derive(Debug, Default)]
pub(crate) struct Asides {
    of: BTreeMap<String, Slots>,
    /// Of records without a symbol that can be read.
    pub(crate) unknown: Slots,
}

impl Asides {
    /// Reads the quarantine of a topic, as keys spell it.
    pub(crate) async fn read(
        store: &(impl Get + List),
        layout: &Layout,
        topic: &str,
        grid: &Grid,
    ) -> Result<Self, StoreError> {
        let mut asides = Self {
            unknown: Slots::none(grid.count),
            ..Self::default()
        };
        let prefix = format!("{}{topic}/", layout.quarantine_root());
        let mut pages = std::pin::pin!(list_pages(store, &prefix));
        while let Some(page) = pages.try_next().await? {
            let reads = page
                .into_iter()
                .map(|listed| async move { place(store, &listed.key).await });
            let mut places = stream::iter(reads).buffer_unordered(AT_ONCE);
            while let Some(place) = places.try_next().await? {
                if let Some((symbol, time)) = place {
                    asides.mark(grid, symbol, time);
                }
            }
        }
        Ok(asides)
    }

    /// Whether a record of the symbol was put aside in a slot.
    pub(crate) fn has(&self, symbol: &str, slot: usize) -> bool {
        self.of.get(symbol).is_some_and(|slots| slots.has(slot))
    }

    fn mark(&mut self, grid: &Grid, symbol: Option<String>, time: i64) {
        let slots = match symbol {
            Some(symbol) => self
                .of
                .entry(symbol)
                .or_insert_with(|| Slots::none(grid.count)),
            None => &mut self.unknown,
        };
        slots.mark_time(grid, time);
    }
}

type Place = (Option<String>, i64);

async fn place(store: &impl Get, key: &ObjectKey) -> Result<Option<Place>, StoreError> {
    let Reading::Whole(object) = read(store, key).await? else {
        return Ok(None);
    };
    Ok(read_quarantined(&object.body)
        .ok()
        .and_then(|quarantined| place_of(&quarantined)))
}

/// The symbol and the time of a record: as its value says them, else its key, which the pollers make the symbol, and Kafka's
/// timestamp.
fn place_of(quarantined: &Quarantined) -> Option<Place> {
    let headers = quarantined.headers();
    let received = quarantined.received(&headers)?;
    let value = received.value.unwrap_or_default();
    let content = read_content(Version::CURRENT, value).ok();
    let of_value = content.as_ref().map(|content| content.symbol.to_string());
    let of_json = || {
        let value: Value = serde_json::from_slice(value).ok()?;
        Some(value.get("symbol")?.as_str()?.to_owned())
    };
    let of_key = || {
        let key = str::from_utf8(received.key?).ok()?;
        (!key.is_empty()).then(|| key.to_owned())
    };
    let time = content.and_then(|content| content.time);
    let time = time.map(Timestamp::as_microsecond);
    let time = time.or_else(|| received.timestamp?.checked_mul(1_000))?;
    Some((of_value.or_else(of_json).or_else(of_key), time))
}

#[cfg(test)]
mod tests {
    use lake::{Compression, Granularity, Received, Unfit, put_aside};

    use super::*;

    #[test]
    fn a_record_that_is_no_json_has_the_symbol_of_its_key_and_kafkas_time() {
        let layout = Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
        let place = |key: Option<&[u8]>, value: &[u8]| {
            let received = Received {
                topic: "t",
                timestamp: Some(1_779_480_000_000),
                key,
                value: Some(value),
                ..Received::default()
            };
            let aside = put_aside(&layout, &received, &Unfit::NoTime);
            place_of(&read_quarantined(&aside.body).unwrap())
        };
        let at = |symbol: Option<&str>, time| Some((symbol.map(str::to_owned), time));
        let kafkas = 1_779_480_000_000_000;
        assert_eq!(place(Some(b"AAPL"), b"{"), at(Some("AAPL"), kafkas));
        assert_eq!(place(None, b"{"), at(None, kafkas));
        let twice = br#"{"symbol":"IBM","a":1,"A":2}"#;
        assert_eq!(place(Some(b"k"), twice), at(Some("IBM"), kafkas));
        let whole = br#"{"symbol":"IBM","fetched_at":1779480005}"#;
        assert_eq!(place(None, whole), at(Some("IBM"), 1_779_480_005_000_000));
    }
}
