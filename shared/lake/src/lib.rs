//! The lake: what a Kafka record becomes in the object store, and the port to that store.
//!
//! [`admit()`] judges one record and gives the object it belongs in: its key, a pure function of the record,
//! and its line. [`put_once()`] writes an object so that repeating it, at any time and from anywhere, changes
//! nothing.
//!
//! ```
//! use lake::{Layout, Received, admit};
//!
//! let layout = Layout::record("bronze", Some("1"));
//! let object = admit(
//!     &layout,
//!     &Received {
//!         topic: "stock-quotes".into(),
//!         partition: 3,
//!         offset: 902,
//!         value: Some(br#"{"symbol":"AAPL","fetched_at":1779480005}"#.to_vec()),
//!         ..Received::default()
//!     },
//! );
//! assert_eq!(
//!     object.key.as_str(),
//!     "bronze/epoch=1/stock-quotes/symbol=AAPL/date=2026-05-22/20260522T200005.000Z-p003-o0000000000000000902.ndjson"
//! );
//! ```

mod admit;
mod content;
mod key;
mod line;
mod put_once;
mod quarantine;
pub mod store;

pub use admit::{Admitted, Header, Kind, Received, admit, offset_reused};
pub use content::{Content, Defect, read_content};
pub use key::{Granularity, Layout, ObjectKey, Place};
pub use line::{Coordinates, coordinates};
pub use put_once::{Landed, put_once};
pub use quarantine::{Reason, malformed, quarantined_coordinates};
