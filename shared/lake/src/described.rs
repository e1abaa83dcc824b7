//! The object in which a history says which layout it has.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::{
    Compression, Granularity, Layout, ObjectKey, Version,
    store::{ETag, Get, PutIf, StoreError, in_time, pauses},
};

/// A layout as its history says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    /// Layout 1 did not say its number.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    layout: u32,
    bucket_ms: i64,
    segment_offsets: i64,
    compression: String,
}

fn one() -> u32 {
    Version::One.number()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(number: &u32) -> bool {
    *number == one()
}

/// Why a history can't be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has another layout: a record that comes again would go to another object.
    #[error(
        "the history at {root} has the layout {found}, not {wanted}: set a new BRONZE_EPOCH, or BRONZE_GRANULARITY and its like back where the number of the layout is the same"
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

/// Writes down the layout of a new history, or compares it with that of one that has begun; and has the store prove that
/// it keeps the conditions of a write.
///
/// # Errors
/// [`DescribeError`].
pub async fn describe(
    store: &(impl PutIf + Get),
    layout: &Layout,
    until: Instant,
) -> Result<(), DescribeError> {
    let mut pauses = pauses();
    loop {
        let outcome = describe_once(store, layout, until).await;
        let may_succeed = matches!(&outcome, Err(error) if error.is_transient());
        let pause = pauses.next().filter(|_| may_succeed);
        match pause.filter(|&pause| Instant::now() + pause < until) {
            Some(pause) => sleep(pause).await,
            None => return outcome,
        }
    }
}

async fn describe_once(
    store: &(impl PutIf + Get),
    layout: &Layout,
    until: Instant,
) -> Result<(), DescribeError> {
    let (key, body) = (layout.description_key(), description(layout));
    // Read first: a store that ignores conditions would overwrite it.
    let present = match in_time(&key, until, store.get(&key)).await {
        Ok(present) => present.body,
        Err(StoreError::NotFound { .. }) => {
            match in_time(&key, until, store.put_if_absent(&key, body.clone())).await {
                Ok(_) => body.clone(),
                // Another start was faster, and wrote what the next look finds.
                Err(StoreError::AlreadyExists { .. }) => {
                    in_time(&key, until, store.get(&key)).await?.body
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    if present != body {
        return Err(DescribeError::OtherLayout {
            root: layout.root(),
            found: text(&present),
            wanted: text(&body),
        });
    }
    prove_conditions(store, &key, &body, until).await?;
    Ok(())
}

/// Asks for two writes that have to be refused; each would write what is there already.
async fn prove_conditions(
    store: &impl PutIf,
    key: &ObjectKey,
    body: &Bytes,
    until: Instant,
) -> Result<(), StoreError> {
    let ignored = |condition| StoreError::IgnoresConditions {
        key: key.clone(),
        condition,
    };
    match in_time(key, until, store.put_if_absent(key, body.clone())).await {
        Ok(_) => return Err(ignored("If-None-Match")),
        Err(StoreError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error),
    }
    let never = ETag("\"00000000000000000000000000000000\"".to_owned());
    match in_time(key, until, store.put_if_match(key, body.clone(), &never)).await {
        Ok(_) => Err(ignored("If-Match")),
        Err(StoreError::Changed { .. }) => Ok(()),
        Err(error) => Err(error),
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
    let version = Version::of_number(said.layout).ok_or_else(unreadable)?;
    Ok(Some(at(granularity, compression).in_version(version)))
}

fn description(layout: &Layout) -> Bytes {
    let mut body = Vec::new();
    crate::line::write_json(
        &mut body,
        &Description {
            layout: layout.version().number(),
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
