//! Taking a statement back.
//!
//! The client hangs up as soon as it has sent the request, and pgbouncer then forgets it. So a stream here waits for the
//! server to hang up before it does, as libpq's does.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{FutureExt, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_postgres::{
    CancelToken, Error, NoTls, Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::access::{Host, Parts};

/// Asks the server to take back what the connection of `token` is at, and waits until it has the request.
///
/// # Errors
/// The client's or the system's words.
pub(super) async fn cancel(
    parts: &Parts,
    token: &CancelToken,
    tls: Option<MakeRustlsConnect>,
) -> Result<(), String> {
    let of_system = |error: io::Error| error.to_string();
    let asked = match (tls, &parts.host) {
        (Some(tls), _) => token.cancel_query(Patient(tls)).await,
        (None, Host::Name(name)) => {
            let stream = TcpStream::connect((name.as_str(), parts.port)).await;
            let stream = Patient(stream.map_err(of_system)?);
            token.cancel_query_raw(stream, NoTls).await
        }
        (None, Host::Folder(folder)) => {
            let socket = folder.join(format!(".s.PGSQL.{}", parts.port));
            let stream = UnixStream::connect(socket).await;
            let stream = Patient(stream.map_err(of_system)?);
            token.cancel_query_raw(stream, NoTls).await
        }
    };
    asked.map_err(|error: Error| cause::innermost(&error))
}

/// A stream that ends when its other end does, and what makes such streams.
struct Patient<T>(T);

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, bytes)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 64];
        loop {
            let mut read = ReadBuf::new(&mut bytes);
            // A server that hangs up without a word has the request all the same.
            let outcome = ready!(Pin::new(&mut self.0).poll_read(context, &mut read));
            if outcome.is_err() || read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: TlsStream + Unpin> TlsStream for Patient<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

impl MakeTlsConnect<Socket> for Patient<MakeRustlsConnect> {
    type Stream = Patient<<MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;
    type TlsConnect = Patient<<MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect>;
    type Error = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Self::Error> {
        MakeTlsConnect::<Socket>::make_tls_connect(&mut self.0, host).map(Patient)
    }
}

impl<T> TlsConnect<Socket> for Patient<T>
where
    T: TlsConnect<Socket>,
    T::Future: Send + 'static,
    T::Stream: 'static,
    T::Error: 'static,
{
    type Stream = Patient<T::Stream>;
    type Error = T::Error;
    type Future = BoxFuture<'static, Result<Self::Stream, Self::Error>>;

    fn connect(self, stream: Socket) -> Self::Future {
        let connected = self.0.connect(stream);
        async { connected.await.map(Patient) }.boxed()
    }
}
