//! A listing, object by object.

use futures::{Stream, TryStreamExt, stream};
use lake::{
    ObjectKey,
    store::{List, Listed, StoreError},
};

/// Every object whose key starts with `prefix`, in order; no more than a page is held.
pub(crate) fn listed<'a>(
    store: &'a impl List,
    prefix: &'a str,
) -> impl Stream<Item = Result<Listed, StoreError>> + Send + 'a {
    listed_after(store, prefix, None)
}

/// Of these, the ones behind a key.
pub(crate) fn listed_after<'a>(
    store: &'a impl List,
    prefix: &'a str,
    after: Option<ObjectKey>,
) -> impl Stream<Item = Result<Listed, StoreError>> + Send + 'a {
    stream::try_unfold(after, move |after: Option<ObjectKey>| async move {
        let page = store.list(prefix, after.as_ref()).await?;
        let last = page.last().map(|listed| listed.key.clone());
        Ok(last.map(|last| (page, Some(last))))
    })
    .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
    .try_flatten()
}
