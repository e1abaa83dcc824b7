//! Tokens by which RDS and Aurora take IAM credentials for a password: a presigned request to `rds-db:connect`.
//!
//! Format: RDS user guide, "Connecting to your DB instance using IAM authentication"; botocore's `generate_db_auth_token`.
//! A token is taken for 15 minutes, to connect; a connection outlives it.

use std::time::Duration;

use cause::Cause;
use jiff::Timestamp;
use secrets::{Credentials, Presign, Secret};

const LIFETIME: Duration = Duration::from_secs(900);

/// The token of `user` for the database at `host` and `port`, signed with `credentials` at `now`.
pub(super) fn token(
    credentials: &Credentials,
    region: &str,
    (host, port): (&str, u16),
    user: &str,
    now: Timestamp,
) -> Result<Secret, Cause> {
    let host = format!("{host}:{port}");
    let presign = Presign {
        credentials,
        region,
        service: "rds-db",
        host: &host,
        query: &[("Action", "connect"), ("DBUser", user)],
        lifetime: LIFETIME,
        at: now.into(),
    };
    let url = presign.url()?;
    let token = url.strip_prefix("https://").unwrap_or(&url);
    Ok(Secret::from(token.to_owned()))
}

/// The region in the name of an endpoint of RDS or Aurora, or of a proxy.
pub(super) fn region(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let (_, region) = host.strip_suffix(".rds.amazonaws.com")?.rsplit_once('.')?;
    Some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What botocore 1.43.11's `generate_db_auth_token` makes of the same at the same instant, with AWS's documented
    /// example key: its parameters come in another order.
    #[test]
    fn a_token_is_parameter_by_parameter_what_another_signer_makes() {
        let vectors = [
            (
                "eu-west-1",
                None,
                ("quotes.c0ffee.eu-west-1.rds.amazonaws.com", 5432),
                "quotelake",
                "quotes.c0ffee.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=quotelake\
                 &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-west-1%2Frds-db\
                 %2Faws4_request&X-Amz-Date=20261121T060000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
                 &X-Amz-Signature=d82bb55c96942db5e9d5e2f66b5c7d190e24f82c4ddee2d2aca12dacd2d05dee",
            ),
            (
                "us-east-1",
                Some("SESSION/TOKEN+with=signs"),
                ("proxy.proxy-c0ffee.us-east-1.rds.amazonaws.com", 6432),
                "quote lake+writer@x",
                "proxy.proxy-c0ffee.us-east-1.rds.amazonaws.com:6432/?Action=connect\
                 &DBUser=quote%20lake%2Bwriter%40x&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE\
                 %2F20261121%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20261121T060000Z&X-Amz-Expires=900\
                 &X-Amz-SignedHeaders=host&X-Amz-Security-Token=SESSION%2FTOKEN%2Bwith%3Dsigns\
                 &X-Amz-Signature=6a0a8816076333694013ec87017d6e8adaf416d89143ee7fb465d296eca226fb",
            ),
        ];
        let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let parts = |token: &str| {
            let (base, query) = token.split_once('?').unwrap();
            let mut parameters: Vec<_> = query.split('&').map(str::to_owned).collect();
            parameters.sort_unstable();
            (base.to_owned(), parameters)
        };
        for (region, session, place, user, expected) in vectors {
            let session = session.map(str::to_owned);
            let credentials = Credentials::new("AKIDEXAMPLE", key, session, None, "test");
            let now = Timestamp::from_second(1_795_240_800).unwrap();
            let token = token(&credentials, region, place, user, now).unwrap();
            assert_eq!(parts(token.expose()), parts(expected));
        }
    }

    #[test]
    fn an_endpoint_names_its_region() {
        for (host, expected) in [
            (
                "quotes.c0ffee.eu-west-1.rds.amazonaws.com",
                Some("eu-west-1"),
            ),
            (
                "q.cluster-ro-c0ffee.us-east-1.rds.amazonaws.com",
                Some("us-east-1"),
            ),
            (
                "p.proxy-c0ffee.ap-southeast-1.rds.amazonaws.com",
                Some("ap-southeast-1"),
            ),
            (
                "q.c0ffee.cn-north-1.rds.amazonaws.com.cn",
                Some("cn-north-1"),
            ),
            ("database.example.com", None),
            ("rds.amazonaws.com", None),
        ] {
            assert_eq!(region(host), expected, "{host}");
        }
    }
}
