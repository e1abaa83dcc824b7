//! The lake: what a Kafka record becomes in the object store, and the port to that store.
//!
//! [`gather()`] sorts a batch into the objects that its records belong in, each object's key a pure function of
//! each record in it; [`merge()`] grows such an object so that bringing the same records again, at any time, in
//! any order and from anywhere, changes nothing. What can be no line goes to quarantine by [`land_aside()`].
//!
//! ```
//! use lake::{Compression, Granularity, Layout, Received, gather};
//!
//! let layout = Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
//! let batch = [Received {
//!     topic: "stock-quotes",
//!     partition: 3,
//!     offset: 50_902,
//!     value: Some(br#"{"symbol":"AAPL","fetched_at":1779480005}"#),
//!     ..Received::default()
//! }];
//! let gathered = gather(&layout, &batch);
//! let keys: Vec<_> = gathered.shares().iter().map(|share| share.key()).collect();
//! assert_eq!(
//!     keys[0].as_str(),
//!     "bronze/epoch=1/lake_topic=stock-quotes/lake_symbol=_AAPL/lake_date=2026-05-22/20260522T200000.000Z-p003-o0000000000000030000.ndjson"
//! );
//! ```

#![forbid(unsafe_code)]

mod admit;
mod compression;
mod content;
mod described;
mod gather;
mod granularity;
mod key;
mod line;
mod lines;
mod merge;
mod name;
mod of_event;
mod open;
mod partition_mark;
mod path_segment;
mod put_once;
mod quarantine;
mod scan;
pub mod settings;
pub mod store;
mod stored;
mod version;

pub use admit::{
    Admitted, Header, Identity, Kind, Received, Unfit, admit, identify, no_row, object_damaged,
    object_too_large, offset_reused, put_aside,
};
pub use compression::Compression;
pub use content::{Content, Defect, read_content};
pub use described::{DescribeError, describe, described};
pub use gather::{Gathered, Share, Shares, gather};
pub use granularity::{Granularity, GranularityError};
pub use key::{Layout, ObjectKey, Place, SEGMENT_MAX, Segment};
pub use lines::{Lines, LinesBuilder, Union};
pub use merge::{MergeError, Merged, Requests, merge};
pub use name::{Name, Names};
pub use of_event::{headers, received};
pub use open::{OpenObjects, REMEMBERED_BYTES};
pub use partition_mark::{PartitionMarks, StartedAgain};
pub use path_segment::spelled_text;
pub use put_once::{Landed, land_aside, put_once};
pub use quarantine::{Quarantined, Reason, malformed, read_quarantined};
pub use scan::{NESTING_MAX, NUMBER_MAX};
pub use stored::{Damage, LineDefect, StoredLine, read_line, read_stored};
pub use version::Version;
