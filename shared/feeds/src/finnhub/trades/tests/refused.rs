use super::*;

#[tokio::test]
async fn bad_items_and_messages_are_counted_and_cost_no_trade() {
    const MIXED: &str = r#"{"type":"trade","data":[{"p":1,"s":"A","t":1628238530221,"v":1},{"p":"x"},7,{"p":1,"s":"A","t":1628238530221,"v":2}]}"#;
    let provider =
        StreamProvider::accepting(|peer, _| say(peer, 1, &["<html>", "{}", MIXED])).await;
    let (session, trades) = session(&finnhub(&provider.url), &["A"], LONG, 2).await;
    assert_eq!(sizes(&trades), ["1", "2"]);
    assert_eq!((session.malformed, session.connections), (4, 1));
}

#[tokio::test]
async fn symbols_beyond_the_limit_are_named_and_not_subscribed() {
    let provider = StreamProvider::accepting(|peer, _| say(peer, 2, &[RECORDED])).await;
    let feed = finnhub_with(&provider.url, "2");
    let (report, _) = session(&feed, &["A", "B", "C", "D"], LONG, 1).await;
    let too_many = [("C", "too-many-symbols"), ("D", "too-many-symbols")];
    assert_eq!(reasons(&report.failed), too_many);
    assert_eq!(report.failed[0].1, FetchError::TooManySymbols { limit: 2 });
    assert!(
        !provider
            .messages()
            .iter()
            .any(|said| said.contains("\"C\""))
    );
}

#[tokio::test]
async fn as_many_of_the_last_symbols_are_too_many_as_finnhub_says_and_the_others_go_on() {
    const TOO_MANY: &str = r#"{"msg":"Subscribing to too many symbols","type":"error"}"#;
    let provider = StreamProvider::accepting(|peer, _| async move {
        let trade = trade("A", "1");
        say(peer, 3, &[TOO_MANY, TOO_MANY, &trade]).await;
    })
    .await;
    let (session, trades) = session(&finnhub(&provider.url), &["A", "B", "C"], LONG, 1).await;
    assert_eq!(sizes(&trades), ["1"]);
    let too_many = FetchError::TooManySymbols { limit: 1 };
    let failed = symbols(&["B", "C"]).into_iter();
    let failed: Vec<_> = failed.map(|symbol| (symbol, too_many.clone())).collect();
    assert_eq!((session.failed, session.connections), (failed, 1));
}

#[tokio::test]
async fn another_complaint_is_passed_on_and_costs_no_connection() {
    const COMPLAINT: &str = r#"{"type":"error","msg":"Invalid symbol c0ffee-k3y"}"#;
    let provider =
        StreamProvider::accepting(|peer, _| say(peer, 1, &[COMPLAINT, COMPLAINT, RECORDED])).await;
    let (session, trades) = session(&finnhub(&provider.url), &["AAPL"], LONG, 2).await;
    assert_eq!((session.connections, trades.len()), (1, 2));
    let complaint = FetchError::Stream {
        detail: "Invalid symbol ***".to_owned(),
    };
    assert_eq!((session.errors, session.failed), (vec![complaint], vec![]));
}

#[tokio::test]
async fn complaints_without_end_are_named_once_each_and_a_hundred_at_most() {
    let provider = StreamProvider::accepting(|peer, _| async move {
        let numbered = (0..300).map(|n| format!(r#"{{"type":"error","msg":"{}"}}"#, n % 150));
        let messages: Vec<String> = numbered.chain([RECORDED.to_owned()]).collect();
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        say(peer, 1, &messages).await;
    })
    .await;
    let (session, trades) = session(&finnhub(&provider.url), &["AAPL"], LONG, 2).await;
    assert_eq!((session.errors.len(), trades.len()), (100, 2));
}
