//! An authority, a broker and clients, made with openssl.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The name in the client's certificate, as Kafka writes it.
pub const CLIENT_NAME: &str = "CN=quotelake";

/// PEM files of one cluster.
pub struct Certificates {
    /// The authority that everybody here trusts.
    pub authority: PathBuf,
    /// Another one.
    pub other_authority: PathBuf,
    pub(super) broker: PathBuf,
    /// What a client shows of itself.
    pub client: Identity,
    /// The same, by the other authority.
    pub stranger: Identity,
}

/// A certificate and its key.
pub struct Identity {
    /// The certificate in PEM.
    pub certificate: String,
    /// The key in PEM, PKCS #8, not encrypted.
    pub private_key: String,
}

const AUTHORITY: &[&str] = &["basicConstraints=critical,CA:TRUE"];
/// Without the first, openssl makes an authority of it, which rustls takes for no server.
const BROKER: &[&str] = &[
    "basicConstraints=critical,CA:FALSE",
    "subjectAltName=IP:127.0.0.1,DNS:localhost",
];
const CLIENT: &[&str] = &["extendedKeyUsage=clientAuth"];

impl Certificates {
    pub(crate) fn make(folder: &Path) -> Self {
        let make = |name: &str, subject: &str, extensions: &[&str], by: Option<&str>| {
            let path = |of: &str, kind: &str| folder.join(format!("{of}.{kind}"));
            let mut command = Command::new("openssl");
            command.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ]);
            command.args(["-nodes", "-days", "2", "-subj", subject]);
            for extension in extensions {
                command.args(["-addext", extension]);
            }
            command.arg("-keyout").arg(path(name, "key"));
            command.arg("-out").arg(path(name, "crt"));
            if let Some(by) = by {
                command.arg("-CA").arg(path(by, "crt"));
                command.arg("-CAkey").arg(path(by, "key"));
            }
            let output = command.output().expect("openssl is installed");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let read = |kind| fs::read_to_string(path(name, kind)).unwrap();
            Identity {
                certificate: read("crt"),
                private_key: read("key"),
            }
        };
        make("authority", "/CN=authority", AUTHORITY, None);
        make("other", "/CN=other authority", AUTHORITY, None);
        let of_broker = make("broker", "/CN=broker", BROKER, Some("authority"));
        let client = format!("/{CLIENT_NAME}");
        let broker = folder.join("broker.pem");
        fs::write(&broker, of_broker.private_key + &of_broker.certificate).unwrap();
        Self {
            authority: folder.join("authority.crt"),
            other_authority: folder.join("other.crt"),
            broker,
            client: make("client", &client, CLIENT, Some("authority")),
            stranger: make("stranger", &client, CLIENT, Some("other")),
        }
    }
}
