//! What of a secret's text is the secret.

use serde_json::{Map, Value};

use crate::{Secret, SecretError, SecretReference};

/// The secret that `reference` means of `text`, what its place holds.
///
/// # Errors
/// [`SecretError`] if there is nothing in it, or not the member that is asked for.
pub(crate) fn secret_of(reference: &SecretReference, text: String) -> Result<Secret, SecretError> {
    let text = match reference.member() {
        Some(member) => part(reference, member, &text)?,
        None => text,
    };
    if text.trim().is_empty() {
        let reference = reference.clone();
        return Err(SecretError::Empty { reference });
    }
    Ok(Secret::from(text))
}

/// The string `member` of the JSON object `text`.
fn part(reference: &SecretReference, member: &str, text: &str) -> Result<String, SecretError> {
    let not = |expects| SecretError::NotText {
        reference: reference.clone(),
        expects,
    };
    // The parser's error is dropped: it may quote the secret.
    let mut members: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| not("a JSON object"))?;
    match members.remove(member) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(not("a JSON string")),
        None => Err(SecretError::NoSuchMember {
            reference: reference.clone(),
        }),
    }
}
