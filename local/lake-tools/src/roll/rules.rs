use lake::store::{Get, List, StoreError, list_all};
use market::bars::{Interval, Rules};
use silver::Layout;

use super::{Silver, answers::ask};

/// Which records count in the bars of a topic, as keys spell it: what the options say, else what its files say, else the default.
///
/// # Errors
/// A [`StoreError`], after a minute if it is transient.
pub(crate) async fn rules(
    silver: &Silver,
    store: &(impl Get + List),
    layout: &Layout,
    topic: &str,
) -> Result<Rules, StoreError> {
    if silver.lateness.is_some() && silver.ahead.is_some() {
        return Ok(silver.rules());
    }
    let found = ask(StoreError::is_transient, async || {
        found(store, layout, topic).await
    });
    Ok(silver.rules_beside(found.await?.unwrap_or_default()))
}

/// The rules of the newest file of the first symbol that has one that can be read.
async fn found(
    store: &(impl Get + List),
    layout: &Layout,
    topic: &str,
) -> Result<Option<Rules>, StoreError> {
    for interval in Interval::ALL {
        let name = layout.bronze().names().topic;
        let root = format!("{}lake_interval={interval}/{name}{topic}/", layout.root());
        for folder in store.folders(&root, None).await? {
            let files = list_all(store, &folder).await?;
            let Some(newest) = files.last() else {
                continue;
            };
            match store.get(newest).await {
                Ok(object) => {
                    if let Ok(file) = silver::decode(&object.body) {
                        return Ok(Some(file.rules));
                    }
                }
                Err(StoreError::NotFound { .. } | StoreError::TooLarge { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}
