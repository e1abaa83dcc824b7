//! A listing, object by object.

use futures::{Stream, TryStreamExt, stream};
use lake::store::{List, Listed, StoreError, list_pages};

/// Every object whose key starts with `prefix`, in order; no more than a page is held.
pub(crate) fn listed<'a>(
    store: &'a impl List,
    prefix: &'a str,
) -> impl Stream<Item = Result<Listed, StoreError>> + Send + 'a {
    list_pages(store, prefix)
        .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
        .try_flatten()
}
