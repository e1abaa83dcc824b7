//! A broker's settings, and the ways to it.

use std::{fmt::Write, path::Path};

use super::certificates::Certificates;
use crate::ports;

/// The user that SCRAM knows; a client's certificate has it as its common name.
pub const USER: &str = "quotelake";

/// The user's password.
pub const PASSWORD: &str = "correct-horse";

/// A topic that everybody may use but the user.
pub const DENIED_TOPIC: &str = "not-for-quotelake";

/// A way to a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listener {
    /// Without encryption; brokers talk to each other here.
    Plaintext,
    /// The same, but clients are sent to a proxy of the test.
    Proxied,
    /// Encrypted.
    Tls,
    /// Encrypted, with a certificate of the client.
    Mtls,
    /// Encrypted, with a user and password.
    Scram,
    /// Encrypted, with a token, and that anew every few seconds.
    Token,
    /// Among controllers.
    Controller,
}

impl Listener {
    const ALL: [Self; 7] = [
        Self::Plaintext,
        Self::Proxied,
        Self::Tls,
        Self::Mtls,
        Self::Scram,
        Self::Token,
        Self::Controller,
    ];

    /// Its name and its protocol.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Plaintext => ("PLAINTEXT", "PLAINTEXT"),
            Self::Proxied => ("PROXIED", "PLAINTEXT"),
            Self::Tls => ("TLS", "SSL"),
            Self::Mtls => ("MTLS", "SSL"),
            Self::Scram => ("SCRAM", "SASL_SSL"),
            Self::Token => ("TOKEN", "SASL_SSL"),
            Self::Controller => ("CONTROLLER", "PLAINTEXT"),
        }
    }
}

/// The ports of a broker. Others have to know them before it runs and after its restart, so they are not for the system
/// to choose: they were free a moment ago.
pub(super) struct Ports {
    own: Vec<(Listener, u16)>,
    proxy: u16,
}

impl Ports {
    pub(super) fn free(proxy: u16) -> Self {
        Self {
            own: Listener::ALL
                .map(|listener| (listener, ports::free()))
                .into(),
            proxy,
        }
    }

    pub(super) fn of(&self, listener: Listener) -> u16 {
        let found = self.own.iter().find(|(of, _)| *of == listener);
        found.expect("each has one").1
    }

    fn advertised(&self, listener: Listener) -> u16 {
        if listener == Listener::Proxied {
            self.proxy
        } else {
            self.of(listener)
        }
    }
}

/// The settings of the broker `index` of those with these ports.
pub(super) fn properties(
    index: usize,
    ports: &[Ports],
    folder: &Path,
    certificates: &Certificates,
) -> String {
    let own = &ports[index];
    let at = |port: &dyn Fn(Listener) -> u16, listeners: &[Listener]| {
        let address = |of: &Listener| format!("{}://127.0.0.1:{}", of.words().0, port(*of));
        listeners.iter().map(address).collect::<Vec<_>>().join(",")
    };
    let for_clients = Listener::ALL.split_last().expect("several").1;
    let protocols = Listener::ALL.map(Listener::words);
    let protocols = protocols.map(|(name, protocol)| format!("{name}:{protocol}"));
    let voters = ports.iter().enumerate();
    let voters =
        voters.map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.of(Listener::Controller)));
    let (copies, in_sync) = if ports.len() < 3 { (1, 1) } else { (3, 2) };
    let mut text = String::from(FIXED);
    let mut set = |name: &str, value: &dyn std::fmt::Display| {
        writeln!(text, "{name}={value}").unwrap();
    };
    set("node.id", &index);
    set(
        "controller.quorum.voters",
        &voters.collect::<Vec<_>>().join(","),
    );
    set("listeners", &at(&|of| own.of(of), &Listener::ALL));
    set(
        "advertised.listeners",
        &at(&|of| own.advertised(of), for_clients),
    );
    set("listener.security.protocol.map", &protocols.join(","));
    set(
        "log.dirs",
        &folder.join(index.to_string()).join("data").display(),
    );
    set("ssl.keystore.location", &certificates.broker.display());
    set("ssl.truststore.location", &certificates.authority.display());
    for topic in [
        "offsets.topic",
        "share.coordinator.state.topic",
        "transaction.state.log",
    ] {
        set(&format!("{topic}.replication.factor"), &copies);
    }
    set("default.replication.factor", &copies);
    set("min.insync.replicas", &in_sync);
    text
}

/// What every broker has: as MSK where it matters (no topic comes by itself), and quick where nothing else does.
const FIXED: &str = "\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
ssl.keystore.type=PEM
ssl.truststore.type=PEM
listener.name.mtls.ssl.client.auth=required
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.token.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.token.oauthbearer.connections.max.reauth.ms=4000
listener.name.token.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule \
required unsecuredLoginStringClaim_sub=\"broker\";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
offsets.topic.num.partitions=4
log.retention.check.interval.ms=500
log.initial.task.delay.ms=500
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=1
num.io.threads=4
background.threads=2
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=6000
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
";
