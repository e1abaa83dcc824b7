//! A symbol's bronze objects.

use jiff::{Timestamp, civil::Date, tz::Offset};
use lake::{
    Layout, Name, ObjectKey,
    store::{List, PAGE, StoreError},
};

/// The first object of a symbol, as keys spell topic and symbol, and when its bucket begins.
pub(crate) async fn first(
    store: &impl List,
    layout: &Layout,
    of: (&str, &str),
) -> Result<Option<(ObjectKey, i64)>, StoreError> {
    let root = root(layout, of);
    let mut after = None;
    loop {
        let page = store.list(&root, after.as_ref()).await?;
        let Some(last) = page.last().map(|listed| listed.key.clone()) else {
            return Ok(None);
        };
        let found = page
            .into_iter()
            .find_map(|listed| Some((bucket(layout, &listed.key)?, listed.key)));
        if let Some((bucket, key)) = found {
            return Ok(Some((key, bucket)));
        }
        after = Some(last);
    }
}

/// The objects whose buckets begin in a stretch of time, or reach into it.
pub(crate) async fn objects(
    store: &impl List,
    layout: &Layout,
    of: (&str, &str),
    (from, to): (i64, i64),
) -> Result<Vec<ObjectKey>, StoreError> {
    let length = layout.granularity().bucket_ms() * 1_000;
    let root = root(layout, of);
    let date = Timestamp::from_microsecond(from.saturating_sub(length))
        .map(|time| Offset::UTC.to_datetime(time).date());
    let date = date.unwrap_or(Date::MIN);
    let mut after = ObjectKey::new(format!("{root}{}{date}", layout.names().date));
    let mut objects = Vec::new();
    loop {
        let page = store.list(&root, Some(&after)).await?;
        let is_last = page.len() < PAGE;
        for listed in page {
            if let Some(bucket) = bucket(layout, &listed.key) {
                if bucket >= to {
                    return Ok(objects);
                }
                if bucket + length > from {
                    objects.push(listed.key.clone());
                }
            }
            after = listed.key;
        }
        if is_last {
            return Ok(objects);
        }
    }
}

/// What the keys of a symbol's objects start with.
fn root(layout: &Layout, (topic, symbol): (&str, &str)) -> String {
    let names = layout.names();
    format!(
        "{}{}{topic}/{}{symbol}/",
        layout.root(),
        names.topic,
        names.symbol
    )
}

/// When an object's bucket begins, in microseconds since 1970; `None` for what is no bronze object.
pub(crate) fn bucket(layout: &Layout, key: &ObjectKey) -> Option<i64> {
    match layout.name_of(key) {
        Name::Bronze { bucket, .. } => Some(bucket.as_microsecond()),
        _ => None,
    }
}
