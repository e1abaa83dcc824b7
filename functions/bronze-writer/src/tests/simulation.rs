//! Writers whose every request to the store waits until a scheduler says what becomes of it. Time is the
//! scheduler's too, so a history is a function of its choices and runs the writer's own code.

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
    Layout, ObjectKey,
    store::{ETag, Get, MemoryStore, Object, PutIf, StoreError},
};
use serde_json::value::RawValue;
use tokio::{sync::oneshot, task::unconstrained, time::Instant};

use crate::{Answer, FailureResponse, Fault, Writer};

/// What the scheduler may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next delivery reaches its environment.
    Deliver,
    /// The pending request at this position meets this fate.
    Request(usize, Fate),
    /// Half a second passes.
    Wait,
    /// The environment ends at once, whatever it is doing.
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
    Throttled,
    /// 409.
    Conflict,
}

/// Every fate that is a fault.
pub(super) const FAULTS: [Fate; 4] = [
    Fate::ReplyLost,
    Fate::RequestLost,
    Fate::Throttled,
    Fate::Conflict,
];

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

struct Request {
    environment: usize,
    what: String,
    fate: oneshot::Sender<Fate>,
}

/// The store as one environment reaches it.
#[derive(Clone)]
struct Remote {
    store: Arc<MemoryStore>,
    pending: Arc<Mutex<Vec<Request>>>,
    environment: usize,
}

type Invocation = Pin<Box<dyn Future<Output = Result<Answer, Fault>>>>;

/// The state between two steps.
pub(super) struct Simulation {
    store: Arc<MemoryStore>,
    pending: Arc<Mutex<Vec<Request>>>,
    layout: Layout,
    failure_response: FailureResponse,
    writers: Vec<Arc<Writer<Remote>>>,
    /// The environments that an invocation is in, with its delivery.
    running: BTreeMap<usize, (usize, Invocation)>,
    deliveries: Vec<Delivery>,
    delivered: usize,
    /// What has happened, a line a step.
    pub(super) trace: String,
}

impl Simulation {
    pub(super) fn new(
        layout: Layout,
        failure_response: FailureResponse,
        deliveries: Vec<Delivery>,
    ) -> Self {
        // The same history has the same pauses.
        fastrand::seed(0);
        Self {
            store: Arc::default(),
            pending: Arc::default(),
            layout,
            failure_response,
            writers: Vec::new(),
            running: BTreeMap::new(),
            deliveries,
            delivered: 0,
            trace: String::new(),
        }
    }

    /// The same store with nothing going on but these deliveries, to environments that remember nothing.
    pub(super) fn with_deliveries(&self, deliveries: Vec<Delivery>) -> Self {
        Self {
            store: Arc::clone(&self.store),
            ..Self::new(self.layout.clone(), self.failure_response, deliveries)
        }
    }

    pub(super) fn objects(&self) -> BTreeMap<ObjectKey, Bytes> {
        self.store.objects()
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
        for fault in FAULTS {
            steps.extend(requests().map(|position| Step::Request(position, fault)));
        }
        steps.extend(
            self.running
                .keys()
                .map(|&environment| Step::Crash(environment)),
        );
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
                self.writers[environment] = self.writer(environment);
                let is_alive = |request: &Request| request.environment != environment;
                self.pending.lock().unwrap().retain(is_alive);
            }
            Step::Request(position, fate) => {
                let request = self.pending.lock().unwrap().remove(position);
                let Request {
                    environment, what, ..
                } = &request;
                self.note(&format!("environment {environment}: {what}: {fate:?}"));
                let _ = request.fate.send(fate);
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
        while self.writers.len() <= environment {
            self.writers.push(self.writer(self.writers.len()));
        }
        let environment = if self.running.contains_key(&environment) {
            self.writers.push(self.writer(self.writers.len()));
            self.writers.len() - 1
        } else {
            environment
        };
        self.note(&format!("{name} to environment {environment}"));
        let writer = Arc::clone(&self.writers[environment]);
        let invocation = async move {
            let until = Instant::now() + Duration::from_secs(20);
            let event = kafka_event::KafkaEvent::decode(event.get())?;
            let headers = lake::headers(&event);
            let received = lake::received(&event, &headers);
            let tally = writer.land(&event, &received, until).await;
            tally.answer(writer.failure_response)
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

    fn writer(&self, environment: usize) -> Arc<Writer<Remote>> {
        let remote = Remote {
            store: Arc::clone(&self.store),
            pending: Arc::clone(&self.pending),
            environment,
        };
        Arc::new(Writer::new(
            remote,
            self.layout.clone(),
            self.failure_response,
        ))
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
    async fn fate(&self, what: impl FnOnce() -> String) -> Fate {
        let (fate, met) = oneshot::channel();
        self.pending.lock().unwrap().push(Request {
            environment: self.environment,
            what: what(),
            fate,
        });
        met.await.unwrap()
    }

    async fn ask<T>(
        &self,
        what: &str,
        key: &ObjectKey,
        carry_out: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let unavailable = || StoreError::Unavailable {
            store: "s".to_owned(),
            cause: "cut".into(),
        };
        match self.fate(|| format!("{what} {key}")).await {
            Fate::Done => carry_out.await,
            Fate::ReplyLost => carry_out.await.and_then(|_| Err(unavailable())),
            Fate::RequestLost => Err(unavailable()),
            Fate::Throttled => Err(StoreError::Throttled {
                store: "s".to_owned(),
            }),
            Fate::Conflict => Err(StoreError::Conflict { key: key.clone() }),
        }
    }
}

impl PutIf for Remote {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.ask("create", key, self.store.put_if_absent(key, body))
            .await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.ask("swap", key, self.store.put_if_match(key, body, etag))
            .await
    }
}

impl Get for Remote {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.ask("get", key, self.store.get_within(key, most)).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.ask("confirm", key, self.store.get_if_changed(key, etag, most))
            .await
    }
}
