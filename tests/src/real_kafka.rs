//! Apache Kafka itself: brokers as processes of a test.

pub mod certificates;
pub mod cut;

mod admin;
mod node;
mod properties;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use runtime::Environment;
use rustix::process::Signal;
use stream::Cluster;
use tempfile::TempDir;

use certificates::Certificates;
use node::{Java, Node};
pub use properties::{DENIED_TOPIC, Listener, PASSWORD, USER};
use properties::{Ports, properties};

/// The variable that names the folder of Kafka's jars; `.ci/run kafka` sets it.
pub const JARS: &str = "QUOTELAKE_KAFKA";

/// How long anything may take that Kafka does: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running cluster; it ends with this value, or with the process of the test.
pub struct Kafka {
    java: Java,
    nodes: Vec<Node>,
    ports: Vec<Ports>,
    certificates: Certificates,
    before_proxied: Mutex<Option<TcpListener>>,
    _removed: Option<TempDir>,
}

impl Kafka {
    /// A cluster of `brokers` brokers, each of which is a controller too. Blocks until it is ready.
    pub fn start(brokers: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let kafka = Self::start_in(folder.path(), brokers, false);
        Self {
            _removed: Some(folder),
            ..kafka
        }
    }

    /// The cluster of one broker that the tests of this process share which do it no harm.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        // Nobody drops it, so its process removes the folder.
        let start = || Self::start_in(&TempDir::new().unwrap().keep(), 1, true);
        SHARED.get_or_init(start)
    }

    fn start_in(folder: &Path, brokers: usize, removes_folder: bool) -> Self {
        let jars = Environment::of_process().secret(JARS);
        let jars =
            jars.unwrap_or_else(|| panic!("set {JARS} to a folder of tests/kafka/assemble.sh"));
        let java = Java::new(Path::new(&jars));
        let certificates = Certificates::make(folder);
        let before_proxied = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = before_proxied.local_addr().unwrap().port();
        let ports: Vec<_> = (0..brokers).map(|_| Ports::free(proxy)).collect();
        let mut nodes: Vec<_> = (0..brokers)
            .map(|index| {
                let properties = properties(index, &ports, folder, &certificates);
                Node::new(index, folder, &properties, removes_folder)
            })
            .collect();
        let formatting: Vec<_> = nodes.iter().map(|node| node.format(&java)).collect();
        formatting.into_iter().for_each(node::succeed);
        for node in &mut nodes {
            node.start(&java);
        }
        for node in &mut nodes {
            node.wait_until_ready();
        }
        let kafka = Self {
            java,
            nodes,
            ports,
            certificates,
            before_proxied: Mutex::new(Some(before_proxied)),
            _removed: None,
        };
        kafka.deny(DENIED_TOPIC);
        kafka
    }

    /// The cluster without encryption or password.
    pub fn cluster(&self) -> Cluster {
        Cluster::plaintext(&self.brokers(Listener::Plaintext)).unwrap()
    }

    /// The bootstrap servers of a listener.
    pub fn brokers(&self, listener: Listener) -> String {
        let ports = self.ports.iter();
        let addresses = ports.map(|ports| format!("127.0.0.1:{}", ports.of(listener)));
        addresses.collect::<Vec<_>>().join(",")
    }

    /// The certificates that its listeners and clients have.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What listens where the clients of [`Listener::Proxied`] of the first broker are sent, and where that broker is.
    /// There is one to take.
    pub fn proxied(&self) -> (TcpListener, SocketAddr) {
        let listener = self.before_proxied.lock().unwrap().take();
        let broker = (Ipv4Addr::LOCALHOST, self.ports[0].of(Listener::Proxied)).into();
        (listener.expect("one proxy"), broker)
    }

    /// Kills a broker, numbered from 0, as a machine that loses its power does.
    pub fn kill(&mut self, broker: usize) {
        self.nodes[broker].kill();
    }

    /// Stops a broker in the middle of what it does: its connections stay open, and nobody gets an answer.
    pub fn freeze(&self, broker: usize) {
        self.nodes[broker].signal(Signal::STOP);
    }

    /// Lets a frozen broker go on.
    pub fn thaw(&self, broker: usize) {
        self.nodes[broker].signal(Signal::CONT);
    }

    /// Starts a killed broker on what it has left, and waits until it is ready.
    pub fn restart(&mut self, broker: usize) {
        self.nodes[broker].start(&self.java);
        self.nodes[broker].wait_until_ready();
    }
}
