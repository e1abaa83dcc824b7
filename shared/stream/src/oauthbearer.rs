//! The token of a client that nobody polls: librdkafka asks for one by an event, and rdkafka's admin client leaves its
//! events unread.

use std::{
    ffi::{CStr, CString},
    ptr,
};

use rdkafka::{
    bindings::{rd_kafka_oauthbearer_set_token, rd_kafka_resp_err_t},
    client::Client,
};

use crate::{Token, TokenError, context::Context};

/// The longest reason that librdkafka may give, in bytes with the NUL.
const REASON: usize = 512;

/// Gives `token` to `client`, which then opens its connections.
///
/// # Errors
/// [`TokenError::Refused`] if librdkafka does not take it.
pub(crate) fn set_token(client: &Client<Context>, token: &Token) -> Result<(), TokenError> {
    let text = |text: &str| {
        CString::new(text).map_err(|_| TokenError::Refused {
            cause: "there is a NUL in it".to_owned(),
        })
    };
    let (value, principal) = (text(token.token.expose())?, text(&token.principal)?);
    let mut reason = [0_u8; REASON];
    // SAFETY: the client outlives the call, and its pointer is that of a living `rd_kafka_t`, which any thread may
    // use. The two texts end in NUL, outlive the call and are copied by it; no extensions are given, none are counted;
    // the buffer is written to within the length that is given.
    let answer = unsafe {
        rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            value.as_ptr(),
            token.expires.as_millisecond(),
            principal.as_ptr(),
            ptr::null_mut(),
            0,
            reason.as_mut_ptr().cast(),
            reason.len(),
        )
    };
    if answer == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let reason = CStr::from_bytes_until_nul(&reason).unwrap_or_default();
    Err(TokenError::Refused {
        cause: reason.to_string_lossy().into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rdkafka::admin::AdminClient;
    use secrets::Secret;

    use super::*;
    use crate::{Cluster, ProvideToken, Security, Tokens};

    #[derive(Debug)]
    struct Never;

    impl ProvideToken for Never {
        fn token(&self) -> Result<Token, TokenError> {
            unreachable!("nobody polls the client")
        }

        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    fn given(security: Security, token: &str, expires: i64) -> Result<(), TokenError> {
        let cluster = Cluster::new("localhost:1", security).unwrap();
        let context = Context::new(&cluster);
        let admin: AdminClient<Context> = cluster.create(&cluster.client(), context).unwrap();
        let token = Token {
            token: Secret::from(token.to_owned()),
            principal: "ann".to_owned(),
            expires: Timestamp::from_second(expires).unwrap(),
        };
        set_token(admin.inner(), &token)
    }

    fn iam() -> Security {
        Security::Iam {
            ca: None,
            tokens: Tokens::new(Never),
        }
    }

    #[test]
    fn a_token_is_taken_and_one_that_can_not_be_used_is_refused_with_the_reason_and_never_shown() {
        assert_eq!(given(iam(), "c0ffee", 4_000_000_000), Ok(()));
        for (security, token, expires, named) in [
            (iam(), "c0ffee", 1, "expired"),
            (iam(), "c0f\0fee", 4_000_000_000, "NUL"),
            (
                Security::Tls { ca: None },
                "c0ffee",
                4_000_000_000,
                "OAUTHBEARER",
            ),
        ] {
            let said = given(security, token, expires).unwrap_err().to_string();
            assert!(said.contains(named) && !said.contains("c0f"), "{said}");
        }
    }
}
