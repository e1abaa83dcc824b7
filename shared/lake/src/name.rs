use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{Layout, ObjectKey, Version};

/// What the parts of a bronze key below the root begin with.
///
/// Each is `NAME=VALUE`, which engines take for a column of the table. No member of a line has such a name, so that no
/// engine shows the path's value for the member's. `_` before a symbol keeps engines from taking `0050` for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// Of the part with the topic.
    pub topic: &'static str,
    /// Of the part with the symbol.
    pub symbol: &'static str,
    /// Of the part with the day.
    pub date: &'static str,
}

/// What an object is by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// Lines.
    Bronze {
        /// The topic as the key spells it.
        topic: &'a str,
        /// The symbol as the key spells it.
        symbol: &'a str,
        /// The start of its time bucket.
        bucket: Timestamp,
        /// The partition of its records.
        partition: i32,
        /// The offset that its segment of offsets starts at.
        start: i64,
    },
    /// A record with the reason why it is no line.
    Quarantine {
        /// The topic as the key spells it.
        topic: &'a str,
    },
    /// What a history says of itself, or an object of another history.
    Beside,
    /// Nothing that a writer makes.
    Foreign,
}

impl Layout {
    /// The parts of a bronze key below the root.
    pub fn names(&self) -> &'static Names {
        match self.version() {
            Version::One => &Names {
                topic: "",
                symbol: "symbol=",
                date: "date=",
            },
            Version::Two => &Names {
                topic: "lake_topic=",
                symbol: "lake_symbol=_",
                date: "lake_date=",
            },
        }
    }

    /// Reads a key below the layout's root.
    pub fn name_of<'a>(&self, key: &'a ObjectKey) -> Name<'a> {
        let Some(path) = key.as_str().strip_prefix(&self.root()) else {
            return Name::Beside;
        };
        // A history without an epoch has the others below it; no topic's name has a `=`.
        if *key == self.description_key()
            || path.starts_with("epoch=")
            || self.version() != Version::One && key.as_str().starts_with(&self.marks_root())
        {
            return Name::Beside;
        }
        if let Some(path) = key.as_str().strip_prefix(&self.quarantine_root()) {
            return match path.split_once('/') {
                Some((topic, file)) if file.ends_with(".json") => Name::Quarantine { topic },
                _ => Name::Foreign,
            };
        }
        self.bronze_name(path).unwrap_or(Name::Foreign)
    }

    fn bronze_name<'a>(&self, path: &'a str) -> Option<Name<'a>> {
        let mut parts = path.split('/');
        let names = self.names();
        let topic = parts.next()?.strip_prefix(names.topic)?;
        let symbol = parts.next()?.strip_prefix(names.symbol)?;
        parts.next()?.strip_prefix(names.date)?;
        let file = parts.next()?;
        let file = file.strip_suffix(self.compression().extension())?;
        let (bucket, place) = file.split_once("-p")?;
        let (partition, start) = place.split_once("-o")?;
        let (partition, start): (i32, i64) = (partition.parse().ok()?, start.parse().ok()?);
        if place != format!("{partition:03}-o{start:019}") {
            return None;
        }
        let bucket = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", bucket).ok()?;
        Some(Name::Bronze {
            topic,
            symbol,
            bucket: TimeZone::UTC.to_timestamp(bucket).ok()?,
            partition,
            start,
        })
        .filter(|_| parts.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Compression, Granularity, Place, Received, Unfit, path_segment::spelled_text, put_aside,
    };

    proptest! {
        #[test]
        fn a_key_says_its_topic_symbol_bucket_and_segment(
            topic in "[a-z._-]{1,9}", symbol in "\\PC{1,9}", hours in 0..2_000_000_i64, epoch in any::<bool>(),
            partition in 0..=i32::MAX, offset in 0..=i64::MAX,
        ) {
            for version in [Version::One, Version::Two] {
                let epoch = epoch.then_some("1");
                let layout = Layout::new("b", epoch, Granularity::SEGMENT, Compression::Zstd).in_version(version);
                let bucket = Timestamp::from_second(hours * 3_600).unwrap();
                let time = Timestamp::from_second(hours * 3_600 + 5).unwrap();
                let place = Place { topic: &topic, symbol: &symbol, time, partition, offset };
                let key = layout.bronze_key(place);
                let Name::Bronze { topic: named, symbol: segment, bucket: time, partition: of, start } = layout.name_of(&key) else {
                    return Err(TestCaseError::fail(key.to_string()));
                };
                prop_assert_eq!((named, time, of), (&*topic, bucket, partition));
                prop_assert_eq!(start, offset - offset % layout.granularity().segment());
                prop_assert_eq!((named, segment), (&*layout.topic_segment(&topic), &*layout.symbol_segment(&symbol)));
                let is_cut = segment.len() > 18 && spelled_text(version, segment) != symbol;
                prop_assert!(is_cut || spelled_text(version, segment) == symbol);
                let received = Received { topic: &topic, partition: 3, offset: 9, ..Received::default() };
                let aside = put_aside(&layout, &received, &Unfit::Tombstone).key;
                prop_assert_eq!(layout.name_of(&aside), Name::Quarantine { topic: &topic });
                let description = layout.description_key();
                prop_assert_eq!(layout.name_of(&description), Name::Beside);
                let mark = layout.mark_key(&topic, 3, 0);
                let expected = if version == Version::One { Name::Foreign } else { Name::Beside };
                prop_assert_eq!(layout.name_of(&mark), expected);
            }
        }
    }

    #[test]
    fn what_no_writer_makes_is_foreign_and_another_history_beside() {
        let layout = Layout::new("b", None, Granularity::SEGMENT, Compression::None);
        let is_foreign = |key: &str| layout.name_of(&ObjectKey::new(key)) == Name::Foreign;
        let right = "b/lake_topic=t/lake_symbol=_A/lake_date=2026-05-22/20260522T200000.000Z-p003-o0000000000000000000.ndjson";
        assert!(!is_foreign(right));
        assert!(is_foreign(&format!("{right}.zst")));
        assert!(is_foreign(&right.replace("=_A", "=A")));
        assert!(is_foreign(&right.replace("lake_topic=", "")));
        assert!(is_foreign(&right.replace("20260522T", "2026T")));
        assert!(is_foreign(&right.replace("-p003", "-p3")));
        assert!(is_foreign(&right.replace("-p003", "-p+03")));
        assert!(is_foreign(&right.replace("-o0", "-o")));
        assert!(is_foreign(&right.replace("-o", "-")));
        assert!(is_foreign("b/lake_topic=t/notes.txt"));
        assert!(is_foreign("b/_quarantine/t/notes.txt"));
        assert!(!is_foreign("b/epoch=2/_layout.json"));
    }

    #[test]
    fn a_topic_that_is_named_like_a_part_of_the_layout_lands_beside_it() {
        let layout = Layout::new("b", Some("1"), Granularity::SEGMENT, Compression::None);
        for topic in [
            "_quarantine",
            "_partitions",
            "_layout.json",
            "epoch",
            "lake_topic",
        ] {
            let place = Place {
                topic,
                symbol: "A",
                time: Timestamp::UNIX_EPOCH,
                partition: 0,
                offset: 0,
            };
            let key = layout.bronze_key(place);
            assert!(matches!(layout.name_of(&key), Name::Bronze { topic: of, .. } if of == topic));
        }
    }
}
