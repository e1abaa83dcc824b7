//! The object in which a history says which layout it has.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{
    Compression, Granularity, Landed, Layout, put_once,
    store::{Get, PutIf, StoreError},
};

/// A layout as its history says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    bucket_ms: i64,
    segment_offsets: i64,
    compression: String,
}

/// Why a history can't be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has another layout: a record that comes again would go to another object.
    #[error(
        "the history at {root} has the layout {found}, not {wanted}: set BRONZE_GRANULARITY and its like back, or a new BRONZE_EPOCH"
    )]
    OtherLayout {
        /// The history's root.
        root: String,
        /// Its layout.
        found: String,
        /// The layout of the settings.
        wanted: String,
    },
}

impl DescribeError {
    /// Whether the same may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(StoreError::OutOfTime { .. } | StoreError::NotFound { .. }) => true,
            Self::Store(error) => error.is_transient(),
            Self::OtherLayout { .. } => false,
        }
    }
}

/// Writes down the layout of a new history, or compares it with that of one that has begun.
///
/// # Errors
/// [`DescribeError`].
pub async fn describe(
    store: &(impl PutIf + Get),
    layout: &Layout,
    until: Instant,
) -> Result<(), DescribeError> {
    let (key, body) = (layout.description_key(), description(layout));
    match put_once(store, &key, &body, until).await? {
        Landed::Written | Landed::AlreadyThere => Ok(()),
        Landed::TakenByOther => {
            let found = store.get(&key).await?.body;
            Err(DescribeError::OtherLayout {
                root: layout.root(),
                found: text(&found),
                wanted: text(&body),
            })
        }
    }
}

/// The layout of the history under `prefix` and `epoch`; `None` if it does not say.
///
/// # Errors
/// Any [`StoreError`]; [`StoreError::Refused`] if what it says can't be read.
pub async fn described(
    store: &impl Get,
    prefix: &str,
    epoch: Option<&str>,
) -> Result<Option<Layout>, StoreError> {
    let at = |granularity, compression| Layout::new(prefix, epoch, granularity, compression);
    let key = at(Granularity::RECORD, Compression::None).description_key();
    let body = match store.get(&key).await {
        Ok(object) => object.body,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let unreadable = || StoreError::Refused {
        store: key.to_string(),
        cause: format!("{} describes no layout", text(&body)).into(),
    };
    let said: Description = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    let granularity =
        Granularity::new(said.bucket_ms, said.segment_offsets).map_err(|_| unreadable())?;
    let compression = said.compression.parse().map_err(|_| unreadable())?;
    Ok(Some(at(granularity, compression)))
}

fn description(layout: &Layout) -> Bytes {
    let mut body = Vec::new();
    crate::line::write_json(
        &mut body,
        &Description {
            bucket_ms: layout.granularity().bucket_ms(),
            segment_offsets: layout.granularity().segment(),
            compression: layout.compression().name().to_owned(),
        },
    );
    body.into()
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}
