use super::*;

fn failure(status: u16, retry_after: Option<&str>, body: &str) -> Option<FetchError> {
    let mut headers = HeaderMap::new();
    if let Some(value) = retry_after {
        headers.insert(RETRY_AFTER, value.parse().unwrap());
    }
    let now = "2026-11-21T05:26:49Z".parse().unwrap();
    let body = body.as_bytes().to_vec();
    Response {
        status,
        headers,
        body,
        fetched_at: now,
    }
    .failure()
}

#[test]
fn each_status_has_its_reason() {
    let cases = [
        (204, None),
        (302, Some("redirected")),
        (400, Some("rejected")),
        (401, Some("unauthorized")),
        (403, Some("forbidden")),
        (404, Some("rejected")),
        (418, Some("banned")),
        (429, Some("rate-limited")),
        (451, Some("forbidden")),
        (500, Some("unavailable")),
        (503, Some("unavailable")),
        (999, Some("unavailable")),
    ];
    for (status, reason) in cases {
        let failure = failure(status, None, "");
        assert_eq!(failure.as_ref().map(FetchError::reason), reason, "{status}");
    }
}

#[test]
fn retry_after_is_read_as_seconds_or_a_date_and_has_a_default() {
    let seconds = |status, value| {
        failure(status, value, "")
            .unwrap()
            .retry_after()
            .map(|time| time.as_secs())
    };
    assert_eq!(seconds(429, Some("7")), Some(7));
    assert_eq!(seconds(418, Some("259200")), Some(259_200));
    assert_eq!(
        seconds(429, Some("Sat, 21 Nov 2026 05:27:09 GMT")),
        Some(20)
    );
    assert_eq!(seconds(429, Some("Sat, 21 Nov 2026 05:00:00 GMT")), Some(1));
    assert_eq!(seconds(418, Some("0")), Some(1));
    assert_eq!(seconds(429, Some("soon")), Some(60));
    assert_eq!(seconds(429, None), Some(60));
    assert_eq!(seconds(418, None), Some(120));
    assert_eq!(seconds(503, None), None);
    assert_eq!(seconds(503, Some("2")), Some(2));
}

#[test]
fn an_error_says_in_one_sentence_what_the_provider_said() {
    assert_eq!(
        failure(403, None, "<html>").unwrap().to_string(),
        "the provider denies access (an HTML page): check the plan of the key and the region of this host"
    );
    assert_eq!(
        failure(401, None, r#"{"error":"Invalid API key."}"#)
            .unwrap()
            .to_string(),
        "the provider refuses the key (Invalid API key.): check the token"
    );
}
