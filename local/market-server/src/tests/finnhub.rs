use super::Lab;

pub(super) const AAPL_AT_0: &str = r#"{"c":561.28,"d":30.9,"dp":5.826,"h":561.54,"l":534.05,"o":534.5,"pc":530.38,"t":1337630400}"#;
const AAPL_AT_6_S: &str = r#"{"c":556.97,"d":-4.31,"dp":-0.7679,"h":573.88,"l":552.58,"o":569.55,"pc":561.28,"t":1337716800}"#;

#[tokio::test]
async fn a_stock_session_is_served_every_6_seconds_and_the_first_comes_after_the_last() {
    let lab = Lab::at_speed(1.0).await;
    lab.quote("AAPL").await.is(200, AAPL_AT_0);
    lab.set(5_999);
    lab.quote("AAPL").await.is(200, AAPL_AT_0);
    lab.set(6_000);
    lab.quote("AAPL").await.is(200, AAPL_AT_6_S);
    lab.set(194 * 6_000);
    lab.quote("FB").await.is(
        200,
        r#"{"c":27.78,"d":0.53,"dp":1.945,"h":28.1164,"l":26.81,"o":27.05,"pc":27.25,"t":1362171600}"#,
    );
    lab.set(195 * 6_000);
    lab.quote("AAPL").await.is(200, AAPL_AT_0);
}

#[tokio::test]
async fn an_unknown_symbol_is_answered_with_zeros() {
    let lab = Lab::at_speed(1.0).await;
    let zeros = r#"{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}"#;
    lab.quote("ZZZNOTASYMBOL").await.is(200, zeros);
    lab.quote("aapl").await.is(200, zeros);
    lab.quote("").await.is(200, zeros);
}

#[tokio::test]
async fn a_token_is_accepted_from_header_or_query_and_a_wrong_one_is_refused() {
    let lab = Lab::at_speed(1.0).await;
    let refused = r#"{"error":"Invalid API key."}"#;
    lab.get("/api/v1/quote?symbol=AAPL&token=two")
        .await
        .is(200, AAPL_AT_0);
    lab.get("/api/v1/quote?symbol=AAPL").await.is(401, refused);
    lab.get("/api/v1/quote?symbol=AAPL&token=")
        .await
        .is(401, refused);
    lab.get("/api/v1/quote?symbol=AAPL&token=three")
        .await
        .is(401, refused);
}

#[tokio::test]
async fn the_61st_call_of_a_minute_and_the_31st_of_a_second_are_refused_for_that_token_alone() {
    let lab = Lab::at_speed(1.0).await;
    let refused = r#"{"error":"API limit reached. Please try again later. Remaining Limit: 0"}"#;
    for second in [0, 1_000] {
        lab.set(second);
        for _ in 0..30 {
            assert_eq!(lab.quote("AAPL").await.status, 200);
        }
        lab.quote("AAPL").await.is(429, refused);
    }
    lab.set(59_999);
    lab.quote("AAPL").await.is(429, refused);
    let other = lab.get("/api/v1/quote?symbol=AAPL&token=two").await;
    assert_eq!(other.status, 200);
    lab.set(60_000);
    assert_eq!(lab.quote("AAPL").await.status, 200);
}

#[tokio::test]
async fn a_wrong_path_redirects_to_a_web_page_as_at_finnhub() {
    let lab = Lab::at_speed(1.0).await;
    for path in ["/api/v1/quotes?symbol=AAPL", "/api/v3/kline", "/vci/x"] {
        let answer = lab.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (302, "/"));
        assert!(answer.header("content-type").starts_with("text/html"));
    }
    let home = lab.get("/").await;
    assert_eq!(home.status, 200);
    assert!(home.body.starts_with("<!DOCTYPE html>"));
}
