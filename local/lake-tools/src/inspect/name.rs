use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use lake::{Layout, ObjectKey, Place};
use percent_encoding::percent_decode_str;

/// What an object is by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    Bronze {
        topic: &'a str,
        /// The symbol as the key spells it.
        symbol: &'a str,
        /// The start of its time bucket.
        bucket: Timestamp,
    },
    Quarantine {
        topic: &'a str,
    },
    /// The history's description, or an object of another history.
    Beside,
    /// Nothing that a writer makes.
    Foreign,
}

/// Reads a key below the layout's root.
pub(crate) fn read_name<'a>(layout: &Layout, key: &'a ObjectKey) -> Name<'a> {
    let (root, aside) = (layout.root(), layout.quarantine_root());
    let Some(path) = key.as_str().strip_prefix(&root) else {
        return Name::Beside;
    };
    // A history without an epoch has the others below it; no topic's name has a `=`.
    if *key == layout.description_key() || path.starts_with("epoch=") {
        return Name::Beside;
    }
    if let Some(path) = key.as_str().strip_prefix(&aside) {
        return match path.split_once('/') {
            Some((topic, file)) if file.ends_with(".json") => Name::Quarantine { topic },
            _ => Name::Foreign,
        };
    }
    bronze(layout, path).unwrap_or(Name::Foreign)
}

fn bronze<'a>(layout: &Layout, path: &'a str) -> Option<Name<'a>> {
    let mut parts = path.split('/');
    let (topic, symbol, date, file) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    date.strip_prefix("date=")?;
    let file = file.strip_suffix(layout.compression().extension())?;
    let bucket = file.split_once("-p")?.0;
    let bucket = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", bucket).ok()?;
    Some(Name::Bronze {
        topic,
        symbol: symbol.strip_prefix("symbol=")?,
        bucket: TimeZone::UTC.to_timestamp(bucket).ok()?,
    })
    .filter(|_| parts.next().is_none())
}

/// A path segment as the text that it stands for; one that was cut stays so.
pub(crate) fn text(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// How keys spell a symbol.
pub(super) fn symbol_segment(layout: &Layout, symbol: &str) -> String {
    let key = layout.bronze_key(Place {
        topic: "t",
        symbol,
        time: Timestamp::UNIX_EPOCH,
        partition: 0,
        offset: 0,
    });
    match read_name(layout, &key) {
        Name::Bronze { symbol, .. } => symbol.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use lake::{Compression, Granularity, Received, Unfit, put_aside};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_says_its_topic_symbol_and_bucket(
            topic in "[a-z._-]{1,9}", symbol in "\\PC{1,9}", hours in 0..2_000_000_i64, epoch in any::<bool>(),
        ) {
            let epoch = epoch.then_some("1");
            let layout = Layout::new("b", epoch, Granularity::SEGMENT, Compression::Zstd);
            let bucket = Timestamp::from_second(hours * 3_600).unwrap();
            let time = Timestamp::from_second(hours * 3_600 + 5).unwrap();
            let place = Place { topic: &topic, symbol: &symbol, time, partition: 3, offset: 70_000 };
            let key = layout.bronze_key(place);
            let Name::Bronze { topic: named, symbol: segment, bucket: start } = read_name(&layout, &key) else {
                return Err(TestCaseError::fail(key.to_string()));
            };
            prop_assert_eq!((named, start), (&*topic, bucket));
            prop_assert_eq!(segment, &symbol_segment(&layout, &symbol));
            prop_assert!(segment.contains('~') || text(segment) == symbol);
            let received = Received { topic: &topic, partition: 3, offset: 9, ..Received::default() };
            let aside = put_aside(&layout, &received, &Unfit::Tombstone).key;
            prop_assert_eq!(read_name(&layout, &aside), Name::Quarantine { topic: &topic });
            let description = layout.description_key();
            prop_assert_eq!(read_name(&layout, &description), Name::Beside);
        }
    }

    #[test]
    fn what_no_writer_makes_is_foreign_and_another_history_beside() {
        let layout = Layout::new("b", None, Granularity::SEGMENT, Compression::None);
        let name = |key: &str| read_name(&layout, &ObjectKey::new(key)) == Name::Foreign;
        let right =
            "b/t/symbol=A/date=2026-05-22/20260522T200000.000Z-p003-o0000000000000000000.ndjson";
        assert!(!name(right));
        assert!(name(&format!("{right}.zst")));
        assert!(name(&right.replace("symbol=", "")));
        assert!(name(&right.replace("20260522T", "2026T")));
        assert!(name("b/t/notes.txt"));
        assert!(name("b/_quarantine/t/notes.txt"));
        assert!(!name("b/epoch=2/_layout.json"));
    }
}
