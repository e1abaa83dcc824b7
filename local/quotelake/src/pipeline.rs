//! What `up` and `trigger` check and open for a template's triggers before they start them.

use std::collections::BTreeMap;

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{PutIf, S3Store, StoreError},
};
use plane::trigger::{Destination, DestinationError};
use sam_template::Pipeline;

/// A function names failed items where its trigger takes any answer for success.
#[derive(Debug, thiserror::Error)]
#[error(
    "{function} names failed items (FAILURE_RESPONSE=items), which the trigger {trigger} would ignore and so lose: \
     give that FunctionResponseTypes: [ReportBatchItemFailures]"
)]
pub struct ItemsIgnored {
    /// The function.
    pub function: String,
    /// The trigger.
    pub trigger: String,
}

/// Refuses a function that names failed items where its trigger takes any answer for success.
pub(crate) fn check_responses(pipeline: &Pipeline) -> Result<(), ItemsIgnored> {
    for function in &pipeline.functions {
        let response = function.environment.get("FAILURE_RESPONSE");
        let deaf = function
            .kafka
            .iter()
            .find(|event| !event.failures.partial_responses);
        if let (Some("items"), Some(event)) = (response.map(String::as_str), deaf) {
            return Err(ItemsIgnored {
                function: function.name.clone(),
                trigger: event.name.clone(),
            });
        }
    }
    Ok(())
}

/// The on-failure buckets of the pipeline's triggers by name, each opened by `bucket`.
pub(crate) async fn destinations<E>(
    pipeline: &Pipeline,
    bucket: impl AsyncFn(&str) -> Result<S3Store, E>,
) -> Result<BTreeMap<String, Destination>, E> {
    let mut destinations = BTreeMap::new();
    for name in plane::pipeline::failure_buckets(pipeline) {
        let destination = destination(&name, bucket(&name).await?);
        destinations.insert(name, destination);
    }
    Ok(destinations)
}

/// A bucket as an on-failure destination.
pub fn destination(name: &str, store: S3Store) -> Destination {
    Destination::bucket(name, move |key, body: Bytes| {
        let store = store.clone();
        async move {
            match store.put_if_absent(&ObjectKey::new(key), body).await {
                Ok(_) | Err(StoreError::AlreadyExists { .. }) => Ok(()),
                Err(error) => Err(DestinationError::Objects(error.into())),
            }
        }
    })
}
