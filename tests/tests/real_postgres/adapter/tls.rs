//! A server is taken for the one that was asked for only with its certificate.

use std::fs;

use pipeline_tests::real_postgres::OTHER_HOST;
use tables::{Upsert, UpsertError};

use super::*;

/// What is told of a database that is not used; its remedy with it.
async fn refused(access: Access) -> String {
    let error = PostgresTables::new(access, true)
        .check(soon())
        .await
        .unwrap_err();
    assert!(
        matches!(error, UpsertError::Misconfigured { .. }),
        "{error}"
    );
    error.to_string()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_has_to_show_a_certificate_of_the_authority_for_its_name() {
    for version in versions() {
        let postgres = shared(&version).await;
        let url = postgres.create_database("verified").await;
        migrated(&url).await;
        let read = |path| fs::read_to_string(path).unwrap();
        let certificates = postgres.certificates();
        let (right, wrong) = (
            read(&certificates.authority),
            read(&certificates.other_authority),
        );
        let with = |url: &str, authority: &str| {
            Access::of_url(url, None, Some(authority.to_owned())).unwrap()
        };
        let by_name = url.replace("127.0.0.1", "localhost");
        for (url, authority) in [
            (&url, right.clone()),
            (&by_name, right.clone()),
            (&url, format!("{wrong}\n{right}")),
        ] {
            let tables = PostgresTables::new(with(url, &authority), true);
            tables.check(soon()).await.unwrap();
            assert_eq!(tables.upsert(&[], soon()).await.unwrap().history, 0);
            let client = postgres.client("verified").await;
            let secured = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND datname = 'verified'";
            let count: i64 = client.query_one(secured, &[]).await.unwrap().get(0);
            assert!(count > 0);
        }
        let said = refused(with(&url, &wrong)).await;
        assert!(
            said.contains("the authority of the server's certificate is not known"),
            "{said}"
        );
        let said =
            refused(Access::of_url(&format!("{url}?sslmode=verify-full"), None, None).unwrap())
                .await;
        assert!(
            said.contains("the authority of the server's certificate is not known"),
            "{said}"
        );
        let said = refused(with(&url.replace("127.0.0.1", OTHER_HOST), &right)).await;
        assert!(
            said.contains("the server's certificate is for another name"),
            "{said}"
        );
        let said = refused(with(
            &url,
            "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----",
        ))
        .await;
        assert!(said.contains("certificates in PEM"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_without_tls_gets_no_password() {
    for version in versions() {
        let options = Options {
            parameters: vec![("ssl", "off".to_owned())],
            ..Options::default()
        };
        let postgres = start(&version, options).await;
        let authority = fs::read_to_string(&postgres.certificates().authority).unwrap();
        let said = refused(Access::of_url(&postgres.url(), None, Some(authority)).unwrap()).await;
        assert!(said.contains("the server offers no TLS"), "{said}");
        assert!(
            !postgres.log().contains("authentication"),
            "{}",
            postgres.log()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_is_reached_by_its_socket() {
    for version in versions() {
        let postgres = shared(&version).await;
        postgres.create_database("socket").await;
        let url = format!(
            "postgres://{}:{}@/socket?host={}&port={}",
            postgres.user(),
            postgres.password(),
            postgres.socket_folder().display(),
            postgres.port()
        );
        migrated(&url).await;
        tables(&url).check(soon()).await.unwrap();
    }
}
