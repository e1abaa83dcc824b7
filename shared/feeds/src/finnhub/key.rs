use secrets::{Key, Secret};

use crate::FetchError;

/// What `ask` gives with the key. A key that is refused is asked for again where it comes from, as it may have
/// been rotated: another one is tried, once.
pub(super) async fn with_key<T, F>(key: &Key, ask: impl Fn(Secret) -> F) -> Result<T, FetchError>
where
    F: Future<Output = Result<T, FetchError>>,
{
    let secret = key.get().await?;
    match ask(secret.clone()).await {
        Err(refused @ (FetchError::Unauthorized { .. } | FetchError::Forbidden { .. })) => {
            match key.renewed(&secret).await? {
                Some(renewed) => ask(renewed).await,
                None => Err(refused),
            }
        }
        outcome => outcome,
    }
}
