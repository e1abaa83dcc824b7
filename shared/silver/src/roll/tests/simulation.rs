//! Rollers whose every request to the store waits until a scheduler says what becomes of it, while records land.

use std::{
    collections::BTreeMap,
    fmt::Write,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};
use tokio::{sync::oneshot, task::unconstrained, time::Instant};

use super::{Market, Record, lake_of_records};
use crate::{How, Layout, Range, RollError, Rolled, Watermarks, roll};

/// What the scheduler may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next cut of the records lands.
    Land,
    /// The next roller starts.
    Roll,
    /// The pending request at this position meets this fate.
    Request(usize, Fate),
    /// Half a second passes.
    Wait,
    /// The roller is killed, whatever it is doing.
    Kill(usize),
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    /// Carried out, but the answer does not come back.
    ReplyLost,
    /// Not carried out, and no answer.
    RequestLost,
    Throttled,
    /// 409.
    Conflict,
}

const FAULTS: [Fate; 4] = [
    Fate::ReplyLost,
    Fate::RequestLost,
    Fate::Throttled,
    Fate::Conflict,
];

impl Step {
    pub(super) fn is_fault(self) -> bool {
        match self {
            Self::Land | Self::Roll | Self::Wait | Self::Request(_, Fate::Done) => false,
            Self::Request(..) | Self::Kill(_) => true,
        }
    }
}

struct Request {
    roller: usize,
    what: String,
    fate: oneshot::Sender<Fate>,
}

/// The store as one roller reaches it.
#[derive(Clone)]
struct Remote {
    store: Arc<MemoryStore>,
    pending: Arc<Mutex<Vec<Request>>>,
    roller: usize,
}

type Rolling = Pin<Box<dyn Future<Output = Result<Rolled, RollError>>>>;

/// The state between two steps.
pub(super) struct Simulation {
    pub(super) store: Arc<MemoryStore>,
    layout: Layout,
    market: Market,
    pending: Arc<Mutex<Vec<Request>>>,
    cuts: Vec<Vec<Record>>,
    landed: usize,
    rollers: Vec<(Range, How)>,
    started: usize,
    running: BTreeMap<usize, Rolling>,
    /// What rollers that have ended have seen.
    watermarks: Watermarks,
    /// What has happened, a line a step.
    pub(super) trace: String,
}

impl Simulation {
    pub(super) fn new(
        layout: Layout,
        market: Market,
        cuts: Vec<Vec<Record>>,
        rollers: Vec<(Range, How)>,
    ) -> Self {
        fastrand::seed(0);
        Self {
            store: Arc::default(),
            layout,
            market,
            pending: Arc::default(),
            cuts,
            landed: 0,
            rollers,
            started: 0,
            running: BTreeMap::new(),
            watermarks: Watermarks::default(),
            trace: String::new(),
        }
    }

    /// What may happen next, what goes well first; nothing when all is over.
    pub(super) fn steps(&self) -> Vec<Step> {
        let pending = self.pending.lock().unwrap();
        let requests = || 0..pending.len();
        let mut steps: Vec<Step> = requests()
            .map(|position| Step::Request(position, Fate::Done))
            .collect();
        if self.landed < self.cuts.len() {
            steps.push(Step::Land);
        }
        if self.started < self.rollers.len() {
            steps.push(Step::Roll);
        }
        let asks = |roller: &usize| pending.iter().any(|request| request.roller == *roller);
        if !self.running.keys().all(asks) {
            steps.push(Step::Wait);
        }
        for fault in FAULTS {
            steps.extend(requests().map(|position| Step::Request(position, fault)));
        }
        steps.extend(self.running.keys().map(|&roller| Step::Kill(roller)));
        steps
    }

    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::Land => {
                let cut = &self.cuts[self.landed];
                let offsets = cut
                    .iter()
                    .map(|one| format!("{}/{}", one.partition, one.offset));
                let line = format!("{} land", offsets.collect::<Vec<_>>().join(" "));
                let of = (self.market, "A");
                lake_of_records::land(&*self.store, self.layout.bronze(), of, cut).await;
                self.landed += 1;
                self.note(&line);
            }
            Step::Roll => self.start(),
            Step::Wait => {
                self.note("half a second passes");
                tokio::time::advance(Duration::from_millis(500)).await;
            }
            Step::Kill(roller) => {
                self.note(&format!("roller {roller} is killed"));
                self.running.remove(&roller);
                let is_alive = |request: &Request| request.roller != roller;
                self.pending.lock().unwrap().retain(is_alive);
            }
            Step::Request(position, fate) => {
                let request = self.pending.lock().unwrap().remove(position);
                let Request { roller, what, .. } = &request;
                self.note(&format!("roller {roller}: {what}: {fate:?}"));
                let _ = request.fate.send(fate);
            }
        }
        self.go_on();
    }

    fn start(&mut self) {
        let roller = self.started;
        self.started += 1;
        let (range, how) = self.rollers[roller];
        self.note(&format!("roller {roller} starts: {range:?} {how:?}"));
        let remote = Remote {
            store: Arc::clone(&self.store),
            pending: Arc::clone(&self.pending),
            roller,
        };
        let (layout, known) = (self.layout.clone(), self.watermarks.clone());
        let rolling = async move {
            let until = Instant::now() + Duration::from_secs(20);
            let of = lake_of_records::of("A");
            roll(&remote, &layout, &of, range, &how, (&known, until)).await
        };
        // Without the executor's allowance of polls, which would hold a roller back for nothing.
        self.running
            .insert(roller, Box::pin(unconstrained(rolling)));
    }

    /// Lets every roller go on as far as it can.
    fn go_on(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let (trace, watermarks) = (&mut self.trace, &mut self.watermarks);
        self.running.retain(|roller, rolling| {
            let Poll::Ready(rolled) = rolling.as_mut().poll(&mut context) else {
                return true;
            };
            let _ = match rolled {
                Ok(rolled) => {
                    watermarks.merge(&rolled.watermarks);
                    writeln!(trace, "roller {roller} has written {} files", rolled.files)
                }
                Err(error) => writeln!(trace, "roller {roller}: {error}"),
            };
            false
        });
    }

    fn note(&mut self, line: &str) {
        let _ = writeln!(self.trace, "{line}");
    }
}

impl Remote {
    async fn ask<T>(
        &self,
        what: &str,
        key: &str,
        carry_out: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (fate, met) = oneshot::channel();
        self.pending.lock().unwrap().push(Request {
            roller: self.roller,
            what: format!("{what} {key}"),
            fate,
        });
        let unavailable = || StoreError::Unavailable {
            store: "s".to_owned(),
            cause: "cut".into(),
        };
        match met.await.unwrap() {
            Fate::Done => carry_out.await,
            Fate::ReplyLost => carry_out.await.and_then(|_| Err(unavailable())),
            Fate::RequestLost => Err(unavailable()),
            Fate::Throttled => Err(StoreError::Throttled {
                store: "s".to_owned(),
            }),
            Fate::Conflict => Err(StoreError::Conflict {
                key: ObjectKey::new(key),
            }),
        }
    }
}

impl PutIf for Remote {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        let put = self.store.put_if_absent(key, body);
        self.ask("create", key.as_str(), put).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        let put = self.store.put_if_match(key, body, etag);
        self.ask("swap", key.as_str(), put).await
    }
}

impl Get for Remote {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        let get = self.store.get_within(key, most);
        self.ask("get", key.as_str(), get).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        let get = self.store.get_if_changed(key, etag, most);
        self.ask("confirm", key.as_str(), get).await
    }
}

impl List for Remote {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        let list = self.store.list(prefix, after);
        self.ask("list", prefix, list).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let list = self.store.folders(prefix, after);
        self.ask("list", prefix, list).await
    }
}
