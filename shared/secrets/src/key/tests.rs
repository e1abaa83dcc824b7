use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use futures::future::{join_all, poll_immediate};
use tokio::time::{advance, sleep};

use super::*;

/// A store that takes 100 ms, counts what it is asked, and gives the scripted outcomes; the last stands.
#[derive(Debug, Default)]
struct Store {
    fetches: AtomicU32,
    outcomes: Mutex<VecDeque<Result<Secret, SecretError>>>,
}

impl Store {
    fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl FetchSecret for Store {
    async fn fetch(&self, _: &SecretReference) -> Result<Secret, SecretError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(100)).await;
        let mut outcomes = self.outcomes.lock().unwrap();
        match outcomes.len() {
            1 => outcomes[0].clone(),
            _ => outcomes.pop_front().unwrap(),
        }
    }
}

fn key(outcomes: impl IntoIterator<Item = Result<Secret, SecretError>>) -> (Key, Arc<Store>) {
    let store = Arc::new(Store {
        fetches: AtomicU32::default(),
        outcomes: Mutex::new(outcomes.into_iter().collect()),
    });
    let reference = "ssm:finnhub".parse().unwrap();
    (Key::fetched(reference, Arc::clone(&store) as _), store)
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn unavailable() -> SecretError {
    SecretError::Unavailable {
        reference: "ssm:finnhub".parse().unwrap(),
        cause: "no answer within 5 s".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_fetched_once_and_not_before_it_is_asked_for() {
    let (key, store) = key([Ok(secret("old"))]);
    assert_eq!(store.fetches(), 0);
    for _ in 0..3 {
        assert_eq!(key.get().await, Ok(secret("old")));
        advance(Duration::from_hours(1)).await;
    }
    assert_eq!(store.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_and_clones_share_one_fetch() {
    let (key, store) = key([Ok(secret("old")), Ok(secret("unasked"))]);
    let clones = vec![key; 16];
    let got = join_all(clones.iter().map(Key::get)).await;
    assert_eq!(got, vec![Ok(secret("old")); 16]);
    assert_eq!(store.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_outlives_the_caller_that_began_it() {
    let (key, store) = key([Ok(secret("old")), Ok(secret("unasked"))]);
    let refused = secret("older");
    assert_eq!(poll_immediate(key.get()).await, None);
    assert_eq!(poll_immediate(key.renewed(&refused)).await, None);
    advance(RETRY).await;
    assert_eq!(key.get().await, Ok(secret("old")));
    assert_eq!(key.renewed(&refused).await, Ok(Some(secret("old"))));
    assert_eq!(store.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_is_tried_again_by_a_call_but_not_within_a_second() {
    let (key, store) = key([Err(unavailable()), Ok(secret("old"))]);
    let got = join_all((0..16).map(|_| key.get())).await;
    assert_eq!(got, vec![Err(unavailable()); 16]);
    assert_eq!(key.get().await, Err(unavailable()));
    assert_eq!(store.fetches(), 1);
    advance(RETRY).await;
    assert_eq!(store.fetches(), 1, "only a call fetches");
    assert_eq!(key.get().await, Ok(secret("old")));
    assert_eq!(store.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_under_load_costs_one_fetch_and_refuses_nobody_twice() {
    let (key, store) = key([Ok(secret("old")), Ok(secret("new")), Ok(secret("unasked"))]);
    let old = key.get().await.unwrap();
    let renewed = join_all((0..16).map(|_| key.renewed(&old))).await;
    assert_eq!(renewed, vec![Ok(Some(secret("new"))); 16]);
    assert_eq!(key.get().await, Ok(secret("new")));
    // A request that was on its way with the old one.
    assert_eq!(key.renewed(&old).await, Ok(Some(secret("new"))));
    assert_eq!(store.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_held_secret_is_given_at_once_while_a_renewal_is_under_way() {
    let (key, _) = key([Ok(secret("old")), Ok(secret("new"))]);
    let old = key.get().await.unwrap();
    assert_eq!(poll_immediate(key.renewed(&old)).await, None);
    assert_eq!(poll_immediate(key.get()).await, Some(Ok(old)));
}

#[tokio::test(start_paused = true)]
async fn a_secret_refused_twice_within_a_minute_is_fetched_once_more() {
    let (key, store) = key([Ok(secret("old")), Ok(secret("old")), Ok(secret("new"))]);
    let old = key.get().await.unwrap();
    assert_eq!(key.renewed(&old).await, Ok(None));
    assert_eq!(key.renewed(&old).await, Ok(None));
    assert_eq!(store.fetches(), 2);
    advance(RENEWAL).await;
    assert_eq!(key.renewed(&old).await, Ok(Some(secret("new"))));
    assert_eq!(store.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_keeps_what_is_held_and_is_tried_again_after_a_minute() {
    let (key, store) = key([Ok(secret("old")), Err(unavailable()), Ok(secret("new"))]);
    let old = key.get().await.unwrap();
    assert_eq!(key.renewed(&old).await, Err(unavailable()));
    assert_eq!(key.renewed(&old).await, Err(unavailable()));
    assert_eq!(key.get().await, Ok(secret("old")));
    assert_eq!(store.fetches(), 2);
    advance(RENEWAL).await;
    assert_eq!(key.renewed(&old).await, Ok(Some(secret("new"))));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_secret_is_never_renewed() {
    let key = Key::fixed(secret("old"));
    assert_eq!(key.get().await, Ok(secret("old")));
    assert_eq!(key.renewed(&secret("old")).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_printed() {
    let (fetched, _) = key([Ok(secret("c0ffee"))]);
    let printed = fetched.get().await.unwrap();
    let fixed = Key::fixed(secret("c0ffee"));
    let all = format!("{fetched:?} {fetched:#?} {fixed:?} {printed:?} {printed}");
    assert!(!all.contains("c0ffee"), "{all}");
    assert!(all.contains("ssm:finnhub"));
    assert_eq!(printed.redact("token=c0ffee&x"), "token=***&x");
}
