use futures::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::test_server::{Reply, nobody, stream::jump};

#[tokio::test]
async fn a_connection_that_breaks_within_a_message_is_made_again_with_every_symbol() {
    let provider = StreamProvider::accepting(|mut peer, before| async move {
        peer.receive(2).await;
        peer.send(&[&trade("AAPL", &before.to_string())]).await;
        if before == 0 {
            peer.break_mid_frame().await;
        } else {
            peer.linger().await;
        }
    })
    .await;
    let (session, trades) = session(&finnhub(&provider.url), &["AAPL", "MSFT"], LONG, 2).await;
    assert_eq!(sizes(&trades), ["0", "1"]);
    assert_eq!((session.connections, session.malformed), (2, 0));
    assert_eq!(session.failed, []);
    let reasons: Vec<_> = session.errors.iter().map(FetchError::reason).collect();
    assert_eq!(reasons, ["stream"]);
    let subscriptions = provider.messages();
    let subscriptions = subscriptions.iter().filter(|said| said.contains("\"sub"));
    assert_eq!(subscriptions.count(), 4);
}

#[tokio::test]
async fn a_close_by_the_provider_is_told_with_its_words_and_without_the_key() {
    let provider = StreamProvider::accepting(|mut peer, before| async move {
        peer.receive(1).await;
        if before == 0 {
            let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
                code: 1008.into(),
                reason: format!("{KEY} is elsewhere").into(),
            };
            peer.socket.close(Some(frame)).await.unwrap();
        } else {
            peer.send(&[RECORDED]).await;
        }
        peer.linger().await;
    })
    .await;
    let (session, trades) = session(&finnhub(&provider.url), &["AAPL"], LONG, 2).await;
    assert_eq!((session.connections, trades.len()), (2, 2));
    assert_eq!(
        session.errors[0].to_string(),
        "the provider's stream of trades failed (closed with 1008 *** is elsewhere): \
         check its symbols if that stays"
    );
}

#[tokio::test]
async fn a_silence_of_150_s_is_a_dead_connection_and_a_gap_and_a_ping_is_no_silence() {
    let provider = StreamProvider::accepting(|mut peer, before| async move {
        peer.receive(1).await;
        peer.send(&[&trade("AAPL", &before.to_string())]).await;
        if before == 0 {
            sleep(Duration::from_secs(140)).await;
            peer.socket.send(Message::Ping("".into())).await.unwrap();
        }
        peer.linger().await;
    })
    .await;
    let feed = finnhub(&provider.url);
    let (sink, mut received) = mpsc::channel::<Observation<Trade>>(9);
    let asked = symbols(&["AAPL"]);
    let trades = feed.trades.as_ref().unwrap();
    let session = trades.trades(&asked, Instant::now() + Duration::from_secs(900), sink);
    let receive = async {
        assert_eq!(received.recv().await.unwrap().said.size.as_str(), "0");
        jump(Duration::from_secs(140)).await;
        while !provider.messages().contains(&"pong".to_owned()) {
            sleep(Duration::from_millis(1)).await;
        }
        jump(Duration::from_secs(149)).await;
        assert!(received.try_recv().is_err());
        assert_eq!(provider.targets().len(), 1);
        jump(Duration::from_secs(2)).await;
        assert_eq!(received.recv().await.unwrap().said.size.as_str(), "1");
        drop(received);
    };
    let (session, ()) = tokio::join!(session, receive);
    assert_eq!(session.connections, 2);
    let gap = session.gap.as_secs();
    assert!((150..155).contains(&gap), "{gap}");
    assert_eq!(session.errors.len(), 1);
}

#[tokio::test]
async fn the_gap_runs_from_the_end_of_the_session_before() {
    let provider = StreamProvider::accepting(|peer, _| say(peer, 1, &[RECORDED])).await;
    let feed = finnhub(&provider.url);
    let (first, _) = session(&feed, &["AAPL"], LONG, 2).await;
    assert_eq!(first.gap.as_secs() / 10, 0);
    jump(Duration::from_secs(50)).await;
    let (second, _) = session(&feed, &["AAPL"], LONG, 2).await;
    assert_eq!(second.gap.as_secs() / 10, 5);
}

#[tokio::test]
async fn a_session_without_a_connection_is_all_gap_and_every_gap_is_counted_once() {
    let feed = finnhub(&nobody().await.replace("http", "ws"));
    let began = Instant::now();
    let mut gap = Duration::ZERO;
    for _ in 0..2 {
        let (report, _) = session(&feed, &["AAPL", "MSFT"], SHORT, 1).await;
        let unreachable = [("AAPL", "transport"), ("MSFT", "transport")];
        assert_eq!(reasons(&report.failed), unreachable);
        assert_eq!(report.connections, 0);
        gap += report.gap;
        jump(Duration::from_secs(10)).await;
    }
    let took = began.elapsed();
    assert!(
        gap > Duration::from_secs(10) && gap < took,
        "{gap:?} {took:?}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_an_error_of_the_connection() {
    let provider = StreamProvider::accepting(|peer, _| peer.linger()).await;
    let feed = finnhub(&provider.url.replace("ws:", "wss:"));
    let (report, _) = session(&feed, &["AAPL"], SHORT * 4, 1).await;
    assert_eq!(reasons(&report.failed), [("AAPL", "transport")]);
    assert_eq!(provider.targets().len(), 0);
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_ever_less() {
    let provider =
        StreamProvider::start(|_, _| Some(Reply::new(503, "busy")), |_, _| async {}).await;
    let feed = finnhub(&provider.url);
    let clock = async {
        for _ in 0..300 {
            sleep(Duration::from_millis(3)).await;
            jump(Duration::from_secs(1)).await;
        }
    };
    let five_minutes = Duration::from_secs(300);
    let ((report, _), ()) = tokio::join!(session(&feed, &["AAPL"], five_minutes, 1), clock);
    // A pause of 7.5 s on average, once the longest is 15 s.
    let tries = provider.targets().len();
    assert!((20..=80).contains(&tries), "{tries}");
    assert_eq!((report.connections, report.failed.len()), (0, 1));
}

#[tokio::test]
async fn after_429_finnhub_is_left_alone_by_the_next_session_too() {
    for (retry_after, seconds) in [(None, 60), (Some("7"), 7)] {
        let provider = StreamProvider::start(
            move |_, before| {
                let reply = Reply::new(429, "API limit reached.");
                let reply = match retry_after {
                    Some(seconds) => reply.header("retry-after", seconds),
                    None => reply,
                };
                (before == 0).then_some(reply)
            },
            |peer, _| say(peer, 1, &[RECORDED]),
        )
        .await;
        let feed = finnhub(&provider.url);
        for _ in 0..2 {
            // It is over at once: there is no time to wait.
            let (report, _) = session(&feed, &["AAPL"], Duration::from_secs(4), 1).await;
            assert_eq!(reasons(&report.failed), [("AAPL", "rate-limited")]);
        }
        assert_eq!(provider.targets().len(), 1);
        jump(Duration::from_secs(seconds - 2)).await;
        let began = Instant::now();
        let (report, trades) = session(&feed, &["AAPL"], LONG, 1).await;
        assert_eq!((report.connections, trades.len()), (1, 1));
        assert!(began.elapsed() > SHORT, "{:?}", began.elapsed());
        assert_eq!(provider.targets().len(), 2);
    }
}

#[tokio::test]
async fn a_protocol_ping_is_answered() {
    let provider = StreamProvider::accepting(|mut peer, _| async move {
        peer.receive(1).await;
        let ping = Message::Ping("are you there".into());
        peer.socket.send(ping).await.unwrap();
        peer.receive(1).await;
        say(peer, 0, &[RECORDED]).await;
    })
    .await;
    let (_, trades) = session(&finnhub(&provider.url), &["AAPL"], LONG, 2).await;
    assert_eq!(trades.len(), 2);
    assert_eq!(provider.messages()[1], "pong");
}
