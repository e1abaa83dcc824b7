//! A proxy before a store that loses requests and replies as told: what a network does, at the test's word.

mod http;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing: it is forwarded, and so is the reply.
    Pass,
    /// The store has it and has answered; the connection breaks before the client knows.
    DropReply,
    /// The connection breaks before the store has any of it.
    DropRequest,
    /// The connection breaks in the middle of it, and the store has the first half.
    CutRequest,
    /// The client is told to slow down (503 `SlowDown`), and the store has none of it.
    Refuse,
    /// It stays on the way until [`Proxy::let_go`], and then arrives, whether the client still waits or not.
    Hold,
}

/// A request, as a policy sees it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which it is since the policy was set, from 1.
    pub number: u64,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
}

/// Which request meets which fault.
pub enum Policy {
    /// Each of them.
    Always(Fault),
    /// The first so many; the rest pass.
    First(u64, Fault),
    /// The nth, the 2nth, ...; the rest pass.
    EveryNth(u64, Fault),
    /// As the function says.
    By(Box<dyn Fn(&Request) -> Fault + Send + Sync>),
    /// The store is gone: every connection is cut at once, those that are open included.
    Down,
}

/// What the proxy has seen and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests by method.
    pub requests: BTreeMap<String, u64>,
    /// Requests by what happened to them.
    pub faults: BTreeMap<Fault, u64>,
    /// What the store said to requests that were held, by status.
    pub late_replies: BTreeMap<String, u64>,
}

/// A running proxy; it ends with this value, and every connection with it.
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port of loopback for what is to go to `endpoint`, a URL such as `http://127.0.0.1:9000`.
    pub async fn start(endpoint: &str) -> Self {
        let store = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let control = Arc::new(Control::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, store, Arc::clone(&control)));
        Self {
            address,
            control,
            _tasks: tasks,
        }
    }

    /// Where the client finds it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From here on, `policy` holds.
    pub fn set(&self, policy: Policy) {
        let is_down = matches!(policy, Policy::Down);
        let mut state = self.control.state();
        (state.policy, state.judged) = (policy, 0);
        self.control.is_down.send_replace(is_down);
    }

    /// Waits until another request is held than those that `seen` counts, and gives their number.
    pub async fn held(&self, seen: u64) -> u64 {
        let mut held = self.control.held.subscribe();
        // The sender lives as long as this.
        *held.wait_for(|held| *held > seen).await.unwrap()
    }

    /// Lets every request go that is held now.
    pub fn let_go(&self) {
        self.control.releases.send_modify(|count| *count += 1);
    }

    /// The counts since the start.
    pub fn counts(&self) -> Counts {
        self.control.state().counts.clone()
    }

    /// How many requests have met `fault`.
    pub fn count(&self, fault: Fault) -> u64 {
        self.counts().faults.get(&fault).copied().unwrap_or(0)
    }
}

struct Control {
    state: Mutex<State>,
    is_down: watch::Sender<bool>,
    /// How many requests were held so far, and how often those that were have been let go.
    held: watch::Sender<u64>,
    releases: watch::Sender<u64>,
}

struct State {
    policy: Policy,
    judged: u64,
    counts: Counts,
}

impl Control {
    fn new() -> Self {
        Self {
            state: Mutex::new(State {
                policy: Policy::Always(Fault::Pass),
                judged: 0,
                counts: Counts::default(),
            }),
            is_down: watch::Sender::new(false),
            held: watch::Sender::new(0),
            releases: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, method: &str, target: &str) -> Fault {
        let mut state = self.state();
        state.judged += 1;
        let number = state.judged;
        let fault = match &state.policy {
            Policy::Always(fault) => *fault,
            Policy::First(count, fault) if number <= *count => *fault,
            Policy::EveryNth(n, fault) if number.is_multiple_of(*n) => *fault,
            Policy::First(..) | Policy::EveryNth(..) => Fault::Pass,
            Policy::By(judge) => judge(&Request {
                number,
                method: method.to_owned(),
                target: target.to_owned(),
            }),
            Policy::Down => Fault::DropRequest,
        };
        let counts = &mut state.counts;
        *counts.requests.entry(method.to_owned()).or_default() += 1;
        *counts.faults.entry(fault).or_default() += 1;
        fault
    }

    async fn hold(&self) {
        let mut released = self.releases.subscribe();
        self.held.send_modify(|count| *count += 1);
        // As below.
        let _ = released.changed().await;
    }

    fn replied_late(&self, status: &str) {
        let mut state = self.state();
        let replies = &mut state.counts.late_replies;
        *replies.entry(status.to_owned()).or_default() += 1;
    }

    async fn down(&self) {
        // The sender lives as long as this.
        let _ = self.is_down.subscribe().wait_for(|is_down| *is_down).await;
    }
}

async fn accept(listener: TcpListener, store: SocketAddr, control: Arc<Control>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                let control = Arc::clone(&control);
                connections.spawn(async move {
                    tokio::select! {
                        biased;
                        () = control.down() => {}
                        // A side that breaks the connection ends it for the other.
                        _ = relay(client, store, &control) => {}
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection's requests and replies, one after the other.
async fn relay(client: TcpStream, address: SocketAddr, control: &Control) -> io::Result<()> {
    let mut store = BufReader::new(TcpStream::connect(address).await?);
    let mut client = BufReader::new(client);
    while let Some(request) = http::read_request(&mut client).await? {
        let method = request.method();
        let fault = control.judge(method, request.target());
        let bytes = &request.bytes;
        match fault {
            Fault::Pass => {
                store.write_all(bytes).await?;
                let reply = http::read_reply(&mut store, method).await?;
                client.write_all(&reply.bytes).await?;
            }
            Fault::DropReply => {
                store.write_all(bytes).await?;
                http::read_reply(&mut store, method).await?;
                return Ok(());
            }
            Fault::DropRequest => return Ok(()),
            Fault::CutRequest => return store.write_all(&bytes[..bytes.len() / 2]).await,
            Fault::Hold => {
                control.hold().await;
                // A store may have closed the other meanwhile.
                store = BufReader::new(TcpStream::connect(address).await?);
                store.write_all(bytes).await?;
                let reply = http::read_reply(&mut store, method).await?;
                control.replied_late(reply.status());
                client.write_all(&reply.bytes).await?;
            }
            Fault::Refuse => client.write_all(http::SLOW_DOWN.as_bytes()).await?,
        }
    }
    Ok(())
}
