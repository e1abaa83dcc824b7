use std::{fmt, path::PathBuf, str::FromStr};

const SECRETS_MANAGER: &str = "secretsmanager:";
const PARAMETER_STORE: &str = "ssm:";
const FILE: &str = "file:";

/// The longest name or ARN that either service takes.
const LONGEST: usize = 2048;

/// Where a secret is kept: `secretsmanager:NAME-OR-ARN`, `secretsmanager:NAME-OR-ARN#MEMBER`, `ssm:NAME-OR-ARN`,
/// `file:PATH` or `file:PATH#MEMBER`.
///
/// Names are those of the API references: `SecretId` of Secrets Manager's `GetSecretValue`, `Name` of Systems
/// Manager's `GetParameter`, which may end in `:VERSION` or `:LABEL`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretReference {
    /// A secret of Secrets Manager.
    SecretsManager {
        /// Its name or ARN.
        name: String,
        /// The member of the JSON object that the secret is; `None` is the whole text.
        member: Option<String>,
    },
    /// A parameter of Parameter Store, decrypted.
    Parameter {
        /// Its name or ARN.
        name: String,
    },
    /// A file of this machine: for the command-line tool and for tests.
    File {
        /// Its path, relative to the working directory unless it is absolute; the last `#` begins the member.
        path: PathBuf,
        /// The member of the JSON object that the file is; `None` is the whole text.
        member: Option<String>,
    },
}

/// A text that refers to no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReference {
    /// It names no kind of place, so it may be the secret itself and is not shown.
    #[error(
        "the reference to a secret begins with neither 'secretsmanager:' nor 'ssm:' nor 'file:' (it is not shown, as it \
         may be the secret itself): write {FORM}"
    )]
    NoService,
    /// It names a kind of place, and no secret that can be there.
    #[error("'{0}' refers to no secret: write {FORM}")]
    Malformed(String),
}

const FORM: &str = "'secretsmanager:NAME-OR-ARN', 'ssm:NAME-OR-ARN' or 'file:PATH', the first and the last with \
                    '#MEMBER' for a member of a JSON object";

impl FromStr for SecretReference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let reference = if let Some(name) = text.strip_prefix(SECRETS_MANAGER) {
            let (name, member) = match name.split_once('#') {
                Some((name, member)) => (name, Some(member)),
                None => (name, None),
            };
            let is_right = is_name(name) && member != Some("");
            is_right.then(|| Self::SecretsManager {
                name: name.to_owned(),
                member: member.map(str::to_owned),
            })
        } else if let Some(name) = text.strip_prefix(PARAMETER_STORE) {
            is_name(name).then(|| Self::Parameter {
                name: name.to_owned(),
            })
        } else if let Some(path) = text.strip_prefix(FILE) {
            let (path, member) = match path.rsplit_once('#') {
                Some((path, member)) => (path, Some(member)),
                None => (path, None),
            };
            let is_right = !path.is_empty() && !path.contains('\0') && member != Some("");
            is_right.then(|| Self::File {
                path: path.into(),
                member: member.map(str::to_owned),
            })
        } else {
            return Err(NotAReference::NoService);
        };
        reference.ok_or_else(|| NotAReference::Malformed(text.to_owned()))
    }
}

impl SecretReference {
    /// The member of the JSON object that the secret is, if one is asked for.
    pub(crate) fn member(&self) -> Option<&str> {
        match self {
            Self::SecretsManager { member, .. } | Self::File { member, .. } => member.as_deref(),
            Self::Parameter { .. } => None,
        }
    }

    /// Where it is to be created.
    pub(crate) fn place(&self) -> &'static str {
        match self {
            Self::File { .. } => "on this machine",
            _ => "in the function's account and region",
        }
    }

    /// What may allow reading it.
    pub(crate) fn guard(&self) -> &'static str {
        match self {
            Self::File { .. } => "the file's mode",
            _ => "the function's role",
        }
    }
}

/// Whether it has only characters of names and ARNs.
fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte))
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretsManager { name, member: None } => write!(f, "{SECRETS_MANAGER}{name}"),
            Self::SecretsManager {
                name,
                member: Some(member),
            } => write!(f, "{SECRETS_MANAGER}{name}#{member}"),
            Self::Parameter { name } => write!(f, "{PARAMETER_STORE}{name}"),
            Self::File { path, member: None } => write!(f, "{FILE}{}", path.display()),
            Self::File {
                path,
                member: Some(member),
            } => write!(f, "{FILE}{}#{member}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_the_same() {
        for text in [
            "secretsmanager:quotelake/finnhub",
            "secretsmanager:quotelake/finnhub#api key",
            "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:finnhub-AbCdEf#key",
            "ssm:/quotelake/finnhub:3",
            "ssm:arn:aws:ssm:eu-west-1:123456789012:parameter/quotelake/finnhub",
            "file:/run/secrets/kafka user.json",
            "file:kafka.json#password",
        ] {
            let reference: SecretReference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn a_name_and_a_member_are_told_apart() {
        let reference = "secretsmanager:finnhub#key".parse();
        assert_eq!(
            reference,
            Ok(SecretReference::SecretsManager {
                name: "finnhub".to_owned(),
                member: Some("key".to_owned()),
            })
        );
    }

    #[test]
    fn a_wrong_reference_is_one_sentence_with_the_input_and_the_form() {
        for text in [
            "ssm:",
            "ssm:finnhub#key",
            "secretsmanager:",
            "secretsmanager:#key",
            "secretsmanager:finnhub#",
            "secretsmanager:finn hub",
            "file:",
            "file:#password",
            "file:kafka.json#",
        ] {
            let error = text.parse::<SecretReference>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "'{text}' refers to no secret: write 'secretsmanager:NAME-OR-ARN', 'ssm:NAME-OR-ARN' or \
                     'file:PATH', the first and the last with '#MEMBER' for a member of a JSON object"
                )
            );
        }
    }

    #[test]
    fn a_key_in_the_place_of_a_reference_is_not_shown() {
        let error = "c0ffee5ecre7".parse::<SecretReference>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c0ffee"));
        assert!(error.to_string().contains("ssm:NAME-OR-ARN"));
    }
}
