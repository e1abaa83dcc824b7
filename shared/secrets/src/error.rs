use cause::Cause;

use crate::SecretReference;

/// Why a secret can't be had. Names the reference, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no such secret or parameter.
    #[error("there is no secret {reference}: create it {}", .reference.place())]
    NotFound {
        /// What was asked for.
        reference: SecretReference,
    },
    /// The function may not read it, or may not decrypt it.
    #[error("the secret {reference} may not be read ({cause}): allow it in {}", .reference.guard())]
    Denied {
        /// What was asked for.
        reference: SecretReference,
        /// The store's word.
        #[source]
        cause: Cause,
    },
    /// The secret is a JSON object without that member.
    #[error("the secret {reference} has no such member: name one that it has")]
    NoSuchMember {
        /// What was asked for.
        reference: SecretReference,
    },
    /// The secret is binary, or not the JSON object or the string in it that the reference asks for.
    #[error("the secret {reference} is not {expects}: store it as that")]
    NotText {
        /// What was asked for.
        reference: SecretReference,
        /// What it should be, as a noun phrase.
        expects: &'static str,
    },
    /// The secret has no characters but whitespace.
    #[error("the secret {reference} is empty: store the key in it")]
    Empty {
        /// What was asked for.
        reference: SecretReference,
    },
    /// The store can't give it in the state that it is in, as when it is about to be deleted.
    #[error("the store of secrets refuses {reference} ({cause}): set that right in the account")]
    Refused {
        /// What was asked for.
        reference: SecretReference,
        /// The store's word.
        #[source]
        cause: Cause,
    },
    /// The store did not answer in time, throttles, or is out of order: later it may answer.
    #[error("the store of secrets did not answer for {reference} ({cause}): try again")]
    Unavailable {
        /// What was asked for.
        reference: SecretReference,
        /// What went wrong.
        #[source]
        cause: Cause,
    },
}
