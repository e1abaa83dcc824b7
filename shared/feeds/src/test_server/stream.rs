//! A provider's websocket for tests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use reqwest::StatusCode;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::{advance, pause, resume},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use super::Reply;

/// A running server. Ends with the test's runtime.
pub(crate) struct StreamProvider {
    /// Its address, of the scheme `ws`.
    pub(crate) url: String,
    targets: Log,
    messages: Log,
}

/// A connection as the server has it.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<TcpStream>,
    messages: Log,
}

type Log = Arc<Mutex<Vec<String>>>;

impl StreamProvider {
    /// Refuses an upgrade as `refusal` says, by its path and query and by the number of upgrades before it; runs
    /// `script` on each connection, with the number of upgrades before it.
    #[expect(clippy::result_large_err, reason = "the library's callback refuses so")]
    pub(crate) async fn start<F>(
        refusal: impl Fn(&str, usize) -> Option<Reply> + Send + Sync + 'static,
        script: impl Fn(Peer, usize) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let (targets, messages) = (Log::default(), Log::default());
        let provider = Self {
            url,
            targets: Arc::clone(&targets),
            messages: Arc::clone(&messages),
        };
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let mut before = 0;
                let answer = |request: &Request, response: Response| {
                    let target = request.uri().to_string();
                    let mut targets = targets.lock().unwrap();
                    before = targets.len();
                    targets.push(target.clone());
                    refusal(&target, before).map_or(Ok(response), |reply| Err(refused(reply)))
                };
                let Ok(socket) = accept_hdr_async(tcp, answer).await else {
                    continue;
                };
                let messages = Arc::clone(&messages);
                tokio::spawn(script(Peer { socket, messages }, before));
            }
        });
        provider
    }

    /// Accepts every upgrade.
    pub(crate) async fn accepting<F>(
        script: impl Fn(Peer, usize) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start(|_, _| None, script).await
    }

    /// The path and query of every upgrade so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }

    /// Every text that was received so far; `close` and `pong` stand for such frames.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap().clone()
    }
}

impl Peer {
    /// Receives `count` texts.
    pub(crate) async fn receive(&mut self, count: usize) {
        for _ in 0..count {
            self.next().await;
        }
    }

    /// Sends texts, in one go.
    pub(crate) async fn send(&mut self, texts: &[&str]) {
        for text in texts {
            self.socket.feed(Message::text(*text)).await.unwrap();
        }
        self.socket.flush().await.unwrap();
    }

    /// Receives until the client has gone.
    pub(crate) async fn linger(mut self) {
        while self.next().await {}
    }

    /// Sends half of a frame and breaks the connection.
    pub(crate) async fn break_mid_frame(mut self) {
        let frame = b"\x81\x7d{\"type\":\"trade\",\"data\":[{\"s\":\"AAPL\"";
        self.socket.get_mut().write_all(frame).await.unwrap();
    }

    async fn next(&mut self) -> bool {
        let text = match self.socket.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            Some(Ok(Message::Close(_))) => "close".to_owned(),
            Some(Ok(Message::Pong(_))) => "pong".to_owned(),
            Some(Ok(_)) => return true,
            Some(Err(_)) | None => return false,
        };
        self.messages.lock().unwrap().push(text);
        true
    }
}

/// Lets `time` pass at once. (A clock that is paused for longer advances while sockets are waited for.)
pub(crate) async fn jump(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

fn refused(reply: Reply) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
