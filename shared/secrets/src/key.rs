use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use settings::{Lookup, Setting, SettingError};
use tokio::time::Instant;

use crate::{FetchSecret, Secret, SecretError, SecretReference};

/// The least time between two fetches while none has succeeded.
const RETRY: Duration = Duration::from_secs(1);

/// The least time between two fetches because of refusals.
const RENEWAL: Duration = Duration::from_mins(1);

/// What a client holds in place of a secret. Clones share what was fetched. Printed without the secret.
#[derive(Clone)]
pub struct Key(Source);

#[derive(Clone)]
enum Source {
    Fixed(Secret),
    Fetched(Arc<Fetched>),
}

struct Fetched {
    reference: SecretReference,
    store: Arc<dyn FetchSecret>,
    fetches: Mutex<Fetches>,
}

/// A fetch that all who wait for it drive together; it outlives any of them.
type Fetch = Shared<BoxFuture<'static, Result<Secret, SecretError>>>;

#[derive(Default)]
struct Fetches {
    /// What was held when the latest fetch began.
    before: Option<Secret>,
    latest: Option<(Instant, Fetch)>,
    /// When the latest fetch because of a refusal began.
    renewal: Option<Instant>,
}

impl Key {
    /// A secret that never changes.
    pub fn fixed(secret: Secret) -> Self {
        Self(Source::Fixed(secret))
    }

    /// The secret in `store` that a setting refers to; `None` where it has no value. Nothing is fetched.
    ///
    /// # Errors
    /// [`SettingError`] if the value is no reference.
    pub fn of_setting(
        setting: &Setting,
        lookup: &Lookup<'_>,
        store: &Arc<dyn FetchSecret>,
    ) -> Result<Option<Self>, SettingError> {
        let reference: Option<SecretReference> = setting.optional(lookup)?;
        Ok(reference.map(|reference| Self::fetched(reference, Arc::clone(store))))
    }

    /// A secret that is fetched from `store` when first asked for.
    pub fn fetched(reference: SecretReference, store: Arc<dyn FetchSecret>) -> Self {
        Self(Source::Fetched(Arc::new(Fetched {
            reference,
            store,
            fetches: Mutex::default(),
        })))
    }

    /// The secret. Fetched once per process: concurrent callers share one fetch, and one that failed is tried
    /// again by the next call, a second after it began at the earliest; until then its error stands.
    ///
    /// Cancel-safe: a fetch goes on with the next caller.
    ///
    /// # Errors
    /// [`SecretError`] if it can't be fetched.
    pub async fn get(&self) -> Result<Secret, SecretError> {
        let fetched = match &self.0 {
            Source::Fixed(secret) => return Ok(secret.clone()),
            Source::Fetched(fetched) => fetched,
        };
        let fetch = {
            let mut fetches = fetched.fetches();
            if let Some(secret) = fetches.held() {
                return Ok(secret);
            }
            match &fetches.latest {
                Some((began, fetch)) if is_underway(fetch) || began.elapsed() < RETRY => {
                    fetch.clone()
                }
                _ => fetches.begin(fetched),
            }
        };
        fetch.await
    }

    /// Another secret than `refused`, if there is one: what is held by now, or what a new fetch brings. `None` if
    /// the secret is fixed or has not changed.
    ///
    /// Fetches at most once a minute; within it, the latest outcome stands. Cancel-safe as [`Self::get`] is, which
    /// meanwhile gives what is held.
    ///
    /// # Errors
    /// [`SecretError`] if it can't be fetched; what was held stays.
    pub async fn renewed(&self, refused: &Secret) -> Result<Option<Secret>, SecretError> {
        let fetched = match &self.0 {
            Source::Fixed(_) => return Ok(None),
            Source::Fetched(fetched) => fetched,
        };
        let fetch = {
            let mut fetches = fetched.fetches();
            if let Some(held) = fetches.held().filter(|held| held != refused) {
                return Ok(Some(held));
            }
            let is_early = fetches.renewal.is_some_and(|at| at.elapsed() < RENEWAL);
            match &fetches.latest {
                Some((_, fetch)) if is_underway(fetch) || is_early => fetch.clone(),
                _ => {
                    fetches.renewal = Some(Instant::now());
                    fetches.begin(fetched)
                }
            }
        };
        let secret = fetch.await?;
        Ok((secret != *refused).then_some(secret))
    }
}

impl Fetched {
    fn fetches(&self) -> MutexGuard<'_, Fetches> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetches {
    fn held(&self) -> Option<Secret> {
        let latest = self.latest.as_ref().and_then(|(_, fetch)| fetch.peek());
        match latest {
            Some(Ok(secret)) => Some(secret.clone()),
            _ => self.before.clone(),
        }
    }

    fn begin(&mut self, fetched: &Fetched) -> Fetch {
        let (store, reference) = (Arc::clone(&fetched.store), fetched.reference.clone());
        let fetch = async move { store.fetch(&reference).await }
            .boxed()
            .shared();
        self.before = self.held();
        self.latest = Some((Instant::now(), fetch.clone()));
        fetch
    }
}

fn is_underway(fetch: &Fetch) -> bool {
    fetch.peek().is_none()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(_) => f.write_str("Key(fixed)"),
            Source::Fetched(fetched) => write!(f, "Key({})", fetched.reference),
        }
    }
}

#[cfg(test)]
mod tests;
