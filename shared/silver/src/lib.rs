//! Silver: bars in Parquet, recomputed from bronze so that they are right whatever came late, twice or out of order.

#![forbid(unsafe_code)]

mod file;
mod judge;
mod layout;
mod roll;
mod topic;
mod watermark;

pub use file::{File, FileDamage, SCHEMA, Unit, columns, decode, encode};
pub use judge::{Difference, Judged, Wrong, judge};
pub use layout::{Layout, Period};
pub use roll::{How, Of, Range, RollError, Rolled, roll};
pub use topic::{Job, Shard, TopicRolled, roll_topic, symbols, topics};
pub use watermark::Watermarks;
