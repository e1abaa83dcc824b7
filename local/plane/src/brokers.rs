//! Brokers from elsewhere: those of `--brokers`, with the security that the environment tells.

use std::{collections::BTreeMap, path, sync::Arc};

use runtime::{Environment, clock};
use secrets::AwsAccount;
use stream::{Access, AccessError, Cluster};

/// The variable of the addresses, by which the functions have them.
const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";

/// The variables of the security, the same as the functions'; the last two are references of secrets.
const SECURITY: [&str; 3] = [
    "KAFKA_SECURITY",
    "KAFKA_CREDENTIALS_SECRET",
    "KAFKA_CA_SECRET",
];

/// The region of tokens, where the brokers' names don't tell it.
const REGION: &str = "AWS_REGION";

/// A reference to a file, which each process would look for in its own folder.
const FILE: &str = "file:";

/// Addresses and security as settings, nothing fetched. Not `Debug`: somebody may have given a secret for a reference.
#[derive(Clone)]
pub struct Brokers {
    settings: BTreeMap<&'static str, String>,
}

impl Brokers {
    /// The brokers at `servers`, comma-separated `host:port`, with the security in `environment`.
    pub fn new(servers: &str, environment: &Environment) -> Self {
        let mut settings = BTreeMap::from([(SERVERS, servers.to_owned())]);
        for name in SECURITY.into_iter().chain([REGION]) {
            if let Some(value) = environment.secret(name) {
                settings.insert(name, absolute(value));
            }
        }
        Self { settings }
    }

    /// The security as a function's environment has it.
    pub fn security(&self) -> impl Iterator<Item = (String, String)> {
        let settings = self.settings.iter();
        let security = settings.filter(|(name, _)| SECURITY.contains(name));
        security.map(|(&name, value)| (name.to_owned(), value.clone()))
    }

    /// The cluster that they are, with its credentials fetched.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn cluster(&self) -> Result<Cluster, AccessError> {
        let lookup = |name: &str| self.settings.get(name).cloned();
        let account = Arc::new(AwsAccount::in_region(Access::region(&lookup)));
        Access::on_aws(&lookup, &account, clock::now)?
            .cluster()
            .await
    }
}

/// The help of an option that names brokers: `what` they are for, and how their security is told.
pub fn with_security(what: &str) -> String {
    format!(
        "{what}\n\n`KAFKA_SECURITY` (plaintext, tls, mtls, scram, iam) in the environment says how they are spoken to, \
         `KAFKA_CREDENTIALS_SECRET` and `KAFKA_CA_SECRET` with what: each `secretsmanager:NAME-OR-ARN`, \
         `ssm:NAME-OR-ARN` or `file:PATH`, of the JSON that the functions take."
    )
}

fn absolute(reference: String) -> String {
    let file = reference
        .strip_prefix(FILE)
        .and_then(|file| path::absolute(file).ok());
    match file {
        Some(file) => format!("{FILE}{}", file.display()),
        None => reference,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use stream::Security;
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn the_environment_tells_the_security_of_the_brokers_that_an_option_names() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("user.json");
        fs::write(&file, r#"{"username":"ann","password":"c0ffee"}"#).unwrap();
        let reference = format!("file:{}", file.display());
        let environment = Environment::from_iter([
            ("KAFKA_BOOTSTRAP_SERVERS", "elsewhere:1"),
            ("KAFKA_SECURITY", "scram"),
            ("KAFKA_CREDENTIALS_SECRET", &reference),
        ]);
        let brokers = Brokers::new("a:9096", &environment);
        let cluster = brokers.cluster().await.unwrap();
        assert_eq!(cluster.brokers(), "a:9096");
        assert!(matches!(cluster.security(), Security::Scram { user, .. } if user == "ann"));
        let passed: BTreeMap<_, _> = brokers.security().collect();
        assert_eq!(passed["KAFKA_SECURITY"], "scram");
        assert_eq!(passed["KAFKA_CREDENTIALS_SECRET"], reference);
        assert_eq!(passed.len(), 2);
    }

    #[tokio::test]
    async fn without_security_the_brokers_are_spoken_to_in_plaintext() {
        let brokers = Brokers::new("a:9092", &Environment::default());
        let plaintext = Cluster::plaintext("a:9092").unwrap();
        assert_eq!(brokers.cluster().await, Ok(plaintext));
    }

    #[test]
    fn a_file_is_found_from_whichever_folder_a_function_runs_in() {
        let environment = Environment::from_iter([("KAFKA_CA_SECRET", "file:ca.pem")]);
        let passed: Vec<_> = Brokers::new("a:1", &environment).security().collect();
        let here = path::absolute("ca.pem").unwrap();
        let expected = format!("file:{}", here.display());
        assert_eq!(passed, [("KAFKA_CA_SECRET".to_owned(), expected)]);
    }
}
