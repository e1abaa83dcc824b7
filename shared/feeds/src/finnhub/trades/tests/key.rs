use super::*;
use crate::test_server::{Reply, stored};

const REFUSED: &str = r#"{"error":"Invalid API key c0ffee-k3y."}"#;

#[tokio::test]
async fn a_wrong_key_ends_the_session_after_one_try_and_is_never_shown() {
    for (status, reason) in [(401, "unauthorized"), (403, "forbidden")] {
        let refuse = move |_: &str, _| Some(Reply::new(status, REFUSED));
        let provider = StreamProvider::start(refuse, |_, _| async {}).await;
        let feed = finnhub(&provider.url);
        let (report, _) = session(&feed, &["AAPL", "MSFT"], LONG, 1).await;
        assert_eq!(
            reasons(&report.failed),
            [("AAPL", reason), ("MSFT", reason)]
        );
        assert_eq!(provider.targets().len(), 1);
        let shown = format!("{feed:?} {report:?} {}", report.errors[0]);
        assert!(!shown.contains(KEY), "{shown}");
    }
}

#[tokio::test]
async fn a_key_that_was_rotated_is_fetched_once_and_used_from_then_on() {
    let refuse = |target: &str, _| (!target.ends_with("new")).then(|| Reply::new(401, REFUSED));
    let provider = StreamProvider::start(refuse, |peer, _| say(peer, 1, &[RECORDED])).await;
    let (settings, fetches) = stored(
        &[("FINNHUB_TRADES_URL", &provider.url)],
        "FINNHUB_API_KEY",
        &["old", "new"],
        clock,
    );
    let feed = crate::open("finnhub", &settings).unwrap();
    for _ in 0..2 {
        let (report, trades) = session(&feed, &["AAPL"], LONG, 2).await;
        assert_eq!((report.connections, trades.len()), (1, 2));
        assert_eq!((report.failed, report.errors), (vec![], vec![]));
    }
    assert_eq!(
        provider.targets(),
        ["/?token=old", "/?token=new", "/?token=new"]
    );
    assert_eq!(fetches(), 2);
}

#[tokio::test]
async fn a_secret_that_is_not_there_ends_the_session_without_a_connection() {
    let provider = StreamProvider::accepting(|peer, _| peer.linger()).await;
    let url = [("FINNHUB_TRADES_URL", provider.url.as_str())];
    let (settings, _) = stored(&url, "FINNHUB_API_KEY", &[], clock);
    let feed = crate::open("finnhub", &settings).unwrap();
    let (report, _) = session(&feed, &["AAPL"], LONG, 1).await;
    assert_eq!(reasons(&report.failed), [("AAPL", "no-key")]);
    assert_eq!(provider.targets().len(), 0);
}

#[tokio::test]
async fn a_key_of_odd_characters_arrives_whole_and_is_hidden() {
    const ODD: &str = "k&y=1 #%ü";
    let refuse = |target: &str, _| Some(Reply::new(403, target));
    let provider = StreamProvider::start(refuse, |_, _| async {}).await;
    let values = [
        ("FINNHUB_TRADES_URL", provider.url.as_str()),
        ("FINNHUB_API_KEY", ODD),
    ];
    let feed = crate::open("finnhub", &settings(&values, clock)).unwrap();
    let (report, _) = session(&feed, &["AAPL"], LONG, 1).await;
    let sent = Url::parse(&format!("http://x{}", provider.targets()[0])).unwrap();
    let token = sent.query_pairs().next().unwrap();
    assert_eq!(token, ("token".into(), ODD.into()));
    let shown = format!("{report:?}");
    assert!(!shown.contains(sent.query().unwrap()), "{shown}");
}
