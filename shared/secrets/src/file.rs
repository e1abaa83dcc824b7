use std::{fs, io::ErrorKind};

use async_trait::async_trait;
use cause::Cause;

use crate::{FetchSecret, Secret, SecretError, SecretReference, text::secret_of};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Secrets in files of this machine; no other place.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSecrets;

#[async_trait]
impl FetchSecret for FileSecrets {
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let refused = |cause: &str| SecretError::Refused {
            reference: reference.clone(),
            cause: cause.into(),
        };
        let SecretReference::File { path, .. } = reference else {
            return Err(refused("only files are read here"));
        };
        let failed = |error: std::io::Error| {
            let (reference, kind) = (reference.clone(), error.kind());
            let cause = Cause::of(error);
            match kind {
                ErrorKind::NotFound => SecretError::NotFound { reference },
                ErrorKind::PermissionDenied => SecretError::Denied { reference, cause },
                _ => SecretError::Refused { reference, cause },
            }
        };
        // A pipe could block for ever.
        let found = fs::metadata(path).map_err(failed)?;
        if !found.is_file() || found.len() > LONGEST {
            return Err(refused("it is not a file of at most 1 MiB"));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText {
            reference: reference.clone(),
            expects: "a text",
        })?;
        secret_of(reference, text)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    async fn fetch(text: &str) -> Result<Secret, SecretError> {
        FileSecrets.fetch(&text.parse().unwrap()).await
    }

    #[tokio::test]
    async fn a_file_is_read_whole_or_by_member_and_anew_each_time() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("user.json");
        let whole = format!("file:{}", file.display());
        for password in ["old", "new"] {
            let text = format!(r#"{{"username":"ann","password":"{password}"}}"#);
            fs::write(&file, format!("{text}\n")).unwrap();
            assert_eq!(fetch(&whole).await.unwrap().expose(), text);
            let member = fetch(&format!("{whole}#password")).await.unwrap();
            assert_eq!(member.expose(), password);
        }
        let absent = fetch(&format!("{whole}#passwort")).await;
        assert!(matches!(absent, Err(SecretError::NoSuchMember { .. })));
    }

    #[tokio::test]
    async fn what_is_no_secret_file_says_so_with_its_path() {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let said = fetch(&format!("file:{}", at("absent"))).await.unwrap_err();
        let path = at("absent");
        assert_eq!(
            said.to_string(),
            format!("there is no secret file:{path}: create it on this machine")
        );
        let folder_itself = fetch(&format!("file:{}", folder.path().display())).await;
        assert!(matches!(folder_itself, Err(SecretError::Refused { .. })));
        fs::write(at("empty"), " \n").unwrap();
        let empty = fetch(&format!("file:{}", at("empty"))).await;
        assert!(matches!(empty, Err(SecretError::Empty { .. })));
        fs::write(at("binary"), [0xff, 0xfe]).unwrap();
        let binary = fetch(&format!("file:{}", at("binary"))).await;
        assert!(matches!(binary, Err(SecretError::NotText { .. })));
    }
}
