use std::{sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use jiff::Timestamp;
use market::Symbol;
use reqwest::Url;
use rustls::ClientConfig;
use secrets::Secret;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Bytes, Error, Message, protocol::WebSocketConfig},
};

use crate::{
    FetchError,
    body::explain,
    http::{MAX_BODY, Response},
};

/// The time that a connection and its subscriptions have.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// The silence that means a dead connection: a live one has a ping about once a minute.
const SILENCE: Duration = Duration::from_secs(150);

/// The most that waits to be sent, in bytes. A peer that pings and never reads would fill the memory with answers; beyond
/// it only the last ping is answered.
const MAX_UNSENT: usize = 1 << 20;

/// The time that the end of a connection has.
const CLOSE_TIME: Duration = Duration::from_millis(250);

/// A websocket with subscriptions.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What must not be seen of a message: the provider may repeat it.
    key: Secret,
}

impl Socket {
    /// Connects to `base` and subscribes every symbol, in this order.
    ///
    /// # Errors
    /// [`FetchError`], also for an answer that is no upgrade.
    pub(super) async fn open(
        base: &Url,
        tls: &Arc<ClientConfig>,
        key: Secret,
        symbols: &[Symbol],
        clock: fn() -> Timestamp,
    ) -> Result<Self, FetchError> {
        let mut url = base.clone();
        url.query_pairs_mut().append_pair("token", key.expose());
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_BODY))
            .max_frame_size(Some(MAX_BODY))
            .max_write_buffer_size(MAX_UNSENT);
        let tls = Connector::Rustls(Arc::clone(tls));
        let open = async {
            let (mut stream, _) =
                connect_async_tls_with_config(url.as_str(), Some(config), true, Some(tls)).await?;
            for symbol in symbols {
                stream.feed(message("subscribe", symbol)).await?;
            }
            stream.flush().await?;
            Ok(stream)
        };
        match timeout(CONNECT_TIME, open).await {
            Ok(Ok(stream)) => Ok(Self { stream, key }),
            Ok(Err(error)) => Err(failure(error, &url, &key, clock)),
            Err(_) => Err(FetchError::Timeout {
                after: CONNECT_TIME,
            }),
        }
    }

    /// The next message; `None` is a sign of life without one. Cancel-safe.
    ///
    /// # Errors
    /// [`FetchError::Timeout`] after a silence of 150 s, else [`FetchError::Stream`] if the connection is over.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let next = timeout(SILENCE, self.stream.next()).await;
        let next = next.map_err(|_| FetchError::Timeout { after: SILENCE })?;
        let detail = match next {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                return Ok(Some(message.into_data()));
            }
            Some(Ok(Message::Close(Some(frame)))) => {
                format!("closed with {} {}", u16::from(frame.code), frame.reason)
            }
            Some(Ok(Message::Close(None))) | None => "closed".to_owned(),
            Some(Ok(_)) => return Ok(None),
            Some(Err(error)) => error.to_string(),
        };
        Err(FetchError::Stream {
            detail: self.key.redact(detail.trim()),
        })
    }

    /// What a message says that is no data, without the key.
    pub(super) fn explain(&self, message: &[u8]) -> String {
        explain(
            self.key
                .redact(&String::from_utf8_lossy(message))
                .as_bytes(),
        )
    }

    /// Takes leave, so that the key's next connection is accepted: Finnhub has one a key, and a second ends both.
    /// Within 250 ms.
    pub(super) async fn close(mut self, symbols: &[Symbol]) {
        let leave = async {
            for symbol in symbols {
                self.stream.feed(message("unsubscribe", symbol)).await?;
            }
            self.stream.close(None).await?;
            while self.stream.next().await.is_some_and(|next| next.is_ok()) {}
            Ok::<_, Error>(())
        };
        // A connection that can't be closed is over already.
        let _ = timeout(CLOSE_TIME, leave).await;
    }
}

fn message(kind: &str, symbol: &Symbol) -> Message {
    Message::text(serde_json::json!({ "type": kind, "symbol": symbol }).to_string())
}

/// What an error means before there is a connection. Neither the key nor the URL, which holds it, is shown.
fn failure(error: Error, url: &Url, key: &Secret, clock: fn() -> Timestamp) -> FetchError {
    let hide = |text: &str| key.redact(&text.replace(url.query().unwrap_or_default(), "***"));
    let Error::Http(response) = error else {
        return FetchError::Transport {
            detail: hide(&error.to_string()),
        };
    };
    let (parts, body) = response.into_parts();
    let response = Response {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: hide(&String::from_utf8_lossy(&body.unwrap_or_default())).into_bytes(),
        fetched_at: clock(),
    };
    response.failure().unwrap_or_else(|| FetchError::Rejected {
        status: response.status,
        detail: "it is no websocket".to_owned(),
    })
}
