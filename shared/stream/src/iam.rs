//! Tokens by which MSK takes IAM credentials: a presigned request to `kafka-cluster:Connect`.
//!
//! Format: that of AWS's own signers (github.com/aws/aws-msk-iam-sasl-signer-*): `GET
//! https://kafka.{region}.amazonaws.com/?Action=kafka-cluster%3AConnect`, presigned for the service `kafka-cluster`, a
//! `User-Agent` after the signature, all of it in URL-safe Base64 without padding. They sign for `amazonaws.com` in
//! every partition, China's included.

use std::{
    fmt, thread,
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use base64_simd::URL_SAFE_NO_PAD;
use cause::Cause;
use jiff::{SignedDuration, Timestamp};
use secrets::{Presign, Secret};
use tokio::time::timeout;

use crate::{ProvideToken, Token, TokenError};

/// How long a broker takes a token from its signing.
const LIFETIME: Duration = Duration::from_secs(900);

/// The shortest life of a token that is worth a handshake.
const SHORTEST: SignedDuration = SignedDuration::from_secs(60);

/// How long the search for credentials may take.
const SEARCH: Duration = Duration::from_secs(4);

/// Tokens signed with an account's credentials, which are looked up for each token.
pub(crate) struct IamTokens {
    region: String,
    credentials: SharedCredentialsProvider,
    clock: fn() -> Timestamp,
}

impl IamTokens {
    pub(crate) fn new(
        region: String,
        credentials: SharedCredentialsProvider,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self {
            region,
            credentials,
            clock,
        }
    }

    fn credentials(&self) -> Result<Credentials, TokenError> {
        let none = |cause: Cause| TokenError::NoCredentials { cause };
        // The thread that polls may be a worker of a runtime, which must not wait for that runtime: so a runtime of its
        // own, on a thread of its own.
        let search = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| none(Cause::of(error)))?;
            let found = async { timeout(SEARCH, self.credentials.provide_credentials()).await };
            match runtime.block_on(found) {
                Ok(Ok(credentials)) => Ok(credentials),
                Ok(Err(CredentialsError::CredentialsNotLoaded(_))) => {
                    Err(none("none were found".into()))
                }
                Ok(Err(error)) => Err(none(Cause::of(error))),
                Err(_) => Err(none(
                    format!("no answer within {} s", SEARCH.as_secs()).into(),
                )),
            }
        };
        let searched = thread::scope(|scope| scope.spawn(search).join());
        searched.unwrap_or_else(|_| Err(none("the search panicked".into())))
    }
}

impl ProvideToken for IamTokens {
    fn token(&self) -> Result<Token, TokenError> {
        token(&self.credentials()?, &self.region, self.now())
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for IamTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamTokens")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The token of `credentials` at `now`. It expires with the credentials, after 15 minutes at the latest.
///
/// # Errors
/// [`TokenError`] if the credentials have expired, expire within a minute, or can't sign.
fn token(credentials: &Credentials, region: &str, now: Timestamp) -> Result<Token, TokenError> {
    let expires = expiry(credentials, now)?;
    let host = format!("kafka.{region}.amazonaws.com");
    let presign = Presign {
        credentials,
        region,
        service: "kafka-cluster",
        host: &host,
        query: &[("Action", "kafka-cluster:Connect")],
        lifetime: LIFETIME,
        at: SystemTime::from(now),
    };
    let mut url = presign
        .url()
        .map_err(|cause| TokenError::Unsigned { cause })?;
    url.push_str("&User-Agent=quotelake%2F");
    url.push_str(env!("CARGO_PKG_VERSION"));
    Ok(Token {
        token: Secret::from(URL_SAFE_NO_PAD.encode_to_string(url)),
        principal: credentials.access_key_id().to_owned(),
        expires,
    })
}

/// When a token that is signed at `now` ceases to be taken.
fn expiry(credentials: &Credentials, now: Timestamp) -> Result<Timestamp, TokenError> {
    let longest = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let Some(at) = credentials
        .expiry()
        .and_then(|at| Timestamp::try_from(at).ok())
    else {
        return Ok(longest);
    };
    let left = at.duration_since(now);
    if !left.is_positive() {
        return Err(TokenError::Expired { at });
    }
    if left < SHORTEST {
        return Err(TokenError::TooShort {
            seconds: left.as_secs(),
        });
    }
    Ok(at.min(longest))
}

#[cfg(test)]
mod tests;
