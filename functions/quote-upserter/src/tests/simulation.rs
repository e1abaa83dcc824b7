//! Environments whose every request to the database or the store waits until a scheduler says what becomes of it. Time is
//! the scheduler's too, so a history is a function of its choices and runs the function's own code.

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
use futures::FutureExt;
use lake::{
    ObjectKey,
    store::{ETag, Get, MemoryStore, Object, PutIf, StoreError},
};
use serde_json::value::RawValue;
use tables::{MemoryTables, Row, Upsert, UpsertError, Upserted};
use tokio::{sync::oneshot, task::unconstrained, time::Instant};

use super::{refused, unavailable};
use crate::{Answer, Fault, How, Upserter};

/// What the scheduler may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next delivery reaches its environment.
    Deliver,
    /// The pending request at this position meets this fate.
    Request(usize, Fate),
    /// Half a second passes.
    Wait,
    /// The environment ends at once; what it has asked for may be carried out later nevertheless.
    Crash(usize),
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    /// Carried out, but the answer does not come back.
    ReplyLost,
    /// Not carried out, and no answer.
    RequestLost,
}

impl Step {
    pub(super) fn is_fault(self) -> bool {
        match self {
            Self::Deliver | Self::Wait | Self::Request(_, Fate::Done) => false,
            Self::Request(..) | Self::Crash(_) => true,
        }
    }
}

/// A batch on its way to an environment; if that is busy, to a new one.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) environment: usize,
    pub(super) event: Box<RawValue>,
    /// What the trace calls it.
    pub(super) name: String,
}

/// An invocation that has answered.
pub(super) struct Answered {
    pub(super) delivery: usize,
    pub(super) answer: Result<Answer, Fault>,
}

/// The database and the store.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) tables: MemoryTables,
    pub(super) store: MemoryStore,
}

struct Request {
    environment: usize,
    what: String,
    /// Carries it out or not, and answers whoever still waits.
    meet: Box<dyn FnOnce(Fate) + Send>,
}

/// What an environment reaches by requests alone.
#[derive(Clone)]
struct Remote {
    kept: Arc<Kept>,
    pending: Arc<Mutex<Vec<Request>>>,
    environment: usize,
    refuses: fn(&Row) -> bool,
}

type Invocation = Pin<Box<dyn Future<Output = Result<Answer, Fault>>>>;

/// The state between two steps.
pub(super) struct Simulation {
    pub(super) kept: Arc<Kept>,
    pending: Arc<Mutex<Vec<Request>>>,
    how: How,
    refuses: fn(&Row) -> bool,
    upserters: Vec<Arc<Upserter<Remote, Remote>>>,
    /// The environments that an invocation is in, with its delivery.
    running: BTreeMap<usize, (usize, Invocation)>,
    deliveries: Vec<Delivery>,
    delivered: usize,
    /// What has happened, a line a step.
    pub(super) trace: String,
}

impl Simulation {
    /// Empty tables that refuse some rows, and these deliveries.
    pub(super) fn new(how: How, refuses: fn(&Row) -> bool, deliveries: Vec<Delivery>) -> Self {
        // The same history has the same pauses.
        fastrand::seed(0);
        Self {
            kept: Arc::default(),
            pending: Arc::default(),
            how,
            refuses,
            upserters: Vec::new(),
            running: BTreeMap::new(),
            deliveries,
            delivered: 0,
            trace: String::new(),
        }
    }

    /// The same tables and store with nothing going on but these deliveries.
    pub(super) fn with_deliveries(&self, deliveries: Vec<Delivery>) -> Self {
        Self {
            kept: Arc::clone(&self.kept),
            ..Self::new(self.how.clone(), self.refuses, deliveries)
        }
    }

    /// What may happen next, what goes well first; nothing when all is over.
    pub(super) fn steps(&self) -> Vec<Step> {
        let pending = self.pending.lock().unwrap();
        let requests = || 0..pending.len();
        let mut steps: Vec<Step> = requests()
            .map(|position| Step::Request(position, Fate::Done))
            .collect();
        if self.delivered < self.deliveries.len() {
            steps.push(Step::Deliver);
        }
        let asks = |environment: &usize| {
            let mut pending = pending.iter();
            pending.any(|request| request.environment == *environment)
        };
        if !self.running.keys().all(asks) {
            steps.push(Step::Wait);
        }
        for fault in [Fate::ReplyLost, Fate::RequestLost] {
            steps.extend(requests().map(|position| Step::Request(position, fault)));
        }
        let environments = self.running.keys();
        steps.extend(environments.map(|&environment| Step::Crash(environment)));
        steps
    }

    /// Takes a step, and gives the invocations that have answered after it.
    pub(super) async fn take(&mut self, step: Step) -> Vec<Answered> {
        match step {
            Step::Deliver => self.deliver(),
            Step::Wait => {
                self.note("half a second passes");
                tokio::time::advance(Duration::from_millis(500)).await;
            }
            Step::Crash(environment) => {
                self.note(&format!("environment {environment} crashes"));
                self.running.remove(&environment);
            }
            Step::Request(position, fate) => {
                let request = self.pending.lock().unwrap().remove(position);
                let Request {
                    environment, what, ..
                } = &request;
                self.note(&format!("environment {environment}: {what}: {fate:?}"));
                (request.meet)(fate);
            }
        }
        self.run()
    }

    fn deliver(&mut self) {
        let delivery = self.delivered;
        self.delivered += 1;
        let Delivery {
            environment,
            event,
            name,
        } = self.deliveries[delivery].clone();
        while self.upserters.len() <= environment {
            self.upserters.push(self.upserter(self.upserters.len()));
        }
        let environment = if self.running.contains_key(&environment) {
            self.upserters.push(self.upserter(self.upserters.len()));
            self.upserters.len() - 1
        } else {
            environment
        };
        self.note(&format!("{name} to environment {environment}"));
        let upserter = Arc::clone(&self.upserters[environment]);
        let invocation = async move {
            let until = Instant::now() + Duration::from_secs(20);
            let event = kafka_event::KafkaEvent::decode(event.get())?;
            let tally = upserter.upsert(&event, until).await;
            tally.answer(upserter.how.failure_response)
        };
        // Without the executor's allowance of polls, which would hold an invocation back for nothing.
        self.running
            .insert(environment, (delivery, Box::pin(unconstrained(invocation))));
    }

    /// Lets every invocation go on as far as it can.
    fn run(&mut self) -> Vec<Answered> {
        let mut context = Context::from_waker(Waker::noop());
        let mut answered = Vec::new();
        self.running.retain(|environment, (delivery, invocation)| {
            match invocation.as_mut().poll(&mut context) {
                Poll::Pending => true,
                Poll::Ready(answer) => {
                    let said = match &answer {
                        Ok(answer) => format!("{answer:?}"),
                        Err(fault) => fault.to_string(),
                    };
                    let _ = writeln!(self.trace, "environment {environment} answers {said}");
                    let delivery = *delivery;
                    answered.push(Answered { delivery, answer });
                    false
                }
            }
        });
        answered
    }

    fn upserter(&self, environment: usize) -> Arc<Upserter<Remote, Remote>> {
        let remote = Remote {
            kept: Arc::clone(&self.kept),
            pending: Arc::clone(&self.pending),
            environment,
            refuses: self.refuses,
        };
        Arc::new(Upserter::new(remote.clone(), remote, self.how.clone()))
    }

    fn note(&mut self, line: &str) {
        let _ = writeln!(self.trace, "{line}");
    }
}

/// Lets a simulation run to its end without a fault.
pub(super) async fn all_goes_well(mut simulation: Simulation) -> Simulation {
    while let Some(&step) = simulation.steps().first() {
        simulation.take(step).await;
    }
    simulation
}

impl Remote {
    /// Asks for `carry_out`, whose outcome does not wait for whoever asks.
    async fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        what: String,
        unavailable: fn() -> E,
        carry_out: impl FnOnce(&Kept) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        let kept = Arc::clone(&self.kept);
        let meet = move |fate| {
            let outcome = match fate {
                Fate::Done => carry_out(&kept),
                Fate::ReplyLost => carry_out(&kept).and_then(|_| Err(unavailable())),
                Fate::RequestLost => Err(unavailable()),
            };
            let _ = reply.send(outcome);
        };
        self.pending.lock().unwrap().push(Request {
            environment: self.environment,
            what,
            meet: Box::new(meet),
        });
        answer.await.unwrap()
    }
}

/// What is in memory answers at once.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap()
}

impl Upsert for Remote {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        let (rows, refuses) = (rows.to_vec(), self.refuses);
        let what = format!("upsert {:?}", rows.iter().map(at).collect::<Vec<_>>());
        self.ask(what, unavailable, move |kept| {
            match rows.iter().any(refuses) {
                true => Err(refused()),
                false => at_once(kept.tables.upsert(&rows, until)),
            }
        })
        .await
    }
}

/// Where a row's record is.
pub(super) fn at(row: &Row) -> (String, i64) {
    (format!("{}-{}", row.topic, row.partition), row.offset)
}

fn cut() -> StoreError {
    StoreError::Unavailable {
        store: "s".to_owned(),
        cause: "cut".into(),
    }
}

impl PutIf for Remote {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        let key = key.clone();
        self.ask(format!("create {key}"), cut, move |kept| {
            at_once(kept.store.put_if_absent(&key, body))
        })
        .await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        let (key, etag) = (key.clone(), etag.clone());
        self.ask(format!("swap {key}"), cut, move |kept| {
            at_once(kept.store.put_if_match(&key, body, &etag))
        })
        .await
    }
}

impl Get for Remote {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        let key = key.clone();
        self.ask(format!("get {key}"), cut, move |kept| {
            at_once(kept.store.get_within(&key, most))
        })
        .await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        let (key, etag) = (key.clone(), etag.clone());
        self.ask(format!("confirm {key}"), cut, move |kept| {
            at_once(kept.store.get_if_changed(&key, &etag, most))
        })
        .await
    }
}
