/// How many records share an object: those of one time bucket and one offset segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granularity {
    bucket_ms: i64,
    segment: i64,
}

/// A bucket or a segment that makes no layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GranularityError {
    /// A bucket that does not divide a day.
    #[error("a time bucket of {0} ms does not divide a day: take a part of it, such as 3600000")]
    Bucket(i64),
    /// A segment without offsets.
    #[error("a segment of {0} offsets holds nothing: take 1 or more")]
    Segment(i64),
}

impl Granularity {
    /// One object a record.
    pub const RECORD: Self = Self {
        bucket_ms: 1,
        segment: 1,
    };

    /// An hour and 30,000 offsets, three of the largest batches of Lambda's Kafka trigger. Such batches of one partition write
    /// an object about twice: a third, two thirds, and all of it. Longer segments write more bytes, and shorter ones make more
    /// PUTs, because a batch that lies across two segments touches two objects of each symbol.
    pub const SEGMENT: Self = Self {
        bucket_ms: 3_600_000,
        segment: 30_000,
    };

    /// Buckets of `bucket_ms` milliseconds, which divide a day, and segments of `segment` offsets.
    ///
    /// # Errors
    /// [`GranularityError`].
    pub fn new(bucket_ms: i64, segment: i64) -> Result<Self, GranularityError> {
        if bucket_ms < 1 || DAY_MS % bucket_ms != 0 {
            return Err(GranularityError::Bucket(bucket_ms));
        }
        if segment < 1 {
            return Err(GranularityError::Segment(segment));
        }
        Ok(Self { bucket_ms, segment })
    }

    /// The length of a time bucket in milliseconds.
    pub fn bucket_ms(self) -> i64 {
        self.bucket_ms
    }

    /// The number of offsets in a segment, which is also the most lines of an object.
    pub fn segment(self) -> i64 {
        self.segment
    }
}

const DAY_MS: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_granularity_that_makes_no_layout_is_refused() {
        for (bucket_ms, segment) in [(0, 1), (-1, 1), (7, 1), (86_400_001, 1), (1, 0)] {
            assert!(
                Granularity::new(bucket_ms, segment).is_err(),
                "{bucket_ms} {segment}"
            );
        }
        assert_eq!(Granularity::new(1, 1), Ok(Granularity::RECORD));
    }
}
