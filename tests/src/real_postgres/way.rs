//! A way to a server that loses statements and answers as told: what a network does, at the test's word.
//!
//! Format: PostgreSQL's documentation, "Message Formats".

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is carried out, and the client hears of it.
    Done,
    /// It is carried out, and the connection breaks before the client knows.
    AnswerLost,
    /// The connection breaks before the server has any of it.
    Lost,
    /// The connection breaks when the server has all of it but the word that ends its transaction.
    Cut,
    /// It stays on the way until [`Way::let_go`], and is then carried out, whether the client still waits or not.
    Held,
}

/// A running way; it ends with this value, and every connection with it.
pub struct Way {
    port: u16,
    control: Arc<Control>,
    _tasks: JoinSet<()>,
}

struct Control {
    server: u16,
    fate: Box<dyn Fn() -> Fate + Send + Sync>,
    releases: watch::Sender<u64>,
    /// Statements that were held and are not carried out yet.
    held: watch::Sender<u64>,
    broken: AtomicU64,
}

type Connection = BufReader<TcpStream>;

impl Way {
    /// The way to the server at this port of loopback. `fate` is asked for each statement, but for those of a log-in. There is
    /// no TLS on it.
    pub async fn to(server: u16, fate: impl Fn() -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let control = Arc::new(Control {
            server,
            fate: Box::new(fate),
            releases: watch::Sender::new(0),
            held: watch::Sender::new(0),
            broken: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&control)));
        Self {
            port,
            control,
            _tasks: tasks,
        }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets every statement go that is held now.
    pub fn let_go(&self) {
        self.control.releases.send_modify(|count| *count += 1);
    }

    /// Lets all go that is held, and waits until it is carried out.
    pub async fn run_dry(&self) {
        let mut held = self.control.held.subscribe();
        self.let_go();
        // The sender lives as long as this.
        held.wait_for(|held| *held == 0).await.unwrap();
    }

    /// How many statements have met another fate than [`Fate::Done`].
    pub fn broken(&self) -> u64 {
        self.control.broken.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, control: Arc<Control>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                let control = Arc::clone(&control);
                connections.spawn(async move {
                    // A side that breaks the connection ends it for the other.
                    let _ = relay(BufReader::new(client), &control).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn relay(mut client: Connection, control: &Control) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", control.server)).await?;
    server.set_nodelay(true)?;
    client.get_ref().set_nodelay(true)?;
    let mut server = BufReader::new(server);
    let mut bytes = Vec::new();
    read_rest(&mut client, &mut bytes).await?;
    server.write_all(&bytes).await?;
    if bytes[4..8] == CANCEL_REQUEST.to_be_bytes() {
        // Its answer is the end of the connection.
        return server.read_to_end(&mut bytes).await.map(drop);
    }
    log_in(&mut client, &mut server).await?;
    loop {
        tokio::select! {
            // What is there is not taken.
            said = server.fill_buf() => {
                if said?.is_empty() {
                    return Ok(());
                }
                let mut message = Vec::new();
                read(&mut server, &mut message).await?;
                client.write_all(&message).await?;
            }
            asked = client.fill_buf() => {
                if asked?.is_empty() {
                    return Ok(());
                }
                statement(&mut client, &mut server, control).await?;
            }
        }
    }
}

const CANCEL_REQUEST: u32 = 80_877_102;

/// Until the server is ready. What it asks for is answered by one message.
async fn log_in(client: &mut Connection, server: &mut Connection) -> io::Result<()> {
    loop {
        let mut message = Vec::new();
        let kind = read(server, &mut message).await?;
        client.write_all(&message).await?;
        match kind {
            b'Z' => return Ok(()),
            // AuthenticationOk, and the end of SASL.
            b'R' if [0, 12].contains(&message[8]) => {}
            b'R' => {
                message.clear();
                read(client, &mut message).await?;
                server.write_all(&message).await?;
            }
            _ => {}
        }
    }
}

async fn statement(
    client: &mut Connection,
    server: &mut Connection,
    control: &Control,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    let last = loop {
        let start = bytes.len();
        match read(client, &mut bytes).await? {
            // Sync, Query.
            b'S' | b'Q' => break start,
            // Terminate.
            b'X' => return server.write_all(&bytes).await,
            _ => {}
        }
    };
    let fate = (control.fate)();
    if fate != Fate::Done {
        control.broken.fetch_add(1, Ordering::SeqCst);
    }
    match fate {
        Fate::Done => {
            server.write_all(&bytes).await?;
            answer(server, Some(client)).await
        }
        Fate::AnswerLost => {
            server.write_all(&bytes).await?;
            answer(server, None).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Fate::Lost => Err(io::ErrorKind::ConnectionAborted.into()),
        Fate::Cut => {
            server.write_all(&bytes[..last]).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Fate::Held => {
            let mut released = control.releases.subscribe();
            let _held = Held::of(control);
            // The sender lives as long as the way.
            let _ = released.changed().await;
            server.write_all(&bytes).await?;
            answer(server, Some(client)).await
        }
    }
}

struct Held<'a>(&'a Control);

impl<'a> Held<'a> {
    fn of(control: &'a Control) -> Self {
        control.held.send_modify(|held| *held += 1);
        Self(control)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.held.send_modify(|held| *held -= 1);
    }
}

/// All that the server says to a statement; `client` may have gone.
async fn answer(server: &mut Connection, client: Option<&mut Connection>) -> io::Result<()> {
    let mut bytes = Vec::new();
    while read(server, &mut bytes).await? != b'Z' {}
    match client {
        Some(client) => client.write_all(&bytes).await,
        None => Ok(()),
    }
}

/// Adds a message, and gives its kind.
async fn read(from: &mut Connection, bytes: &mut Vec<u8>) -> io::Result<u8> {
    let kind = from.read_u8().await?;
    bytes.push(kind);
    read_rest(from, bytes).await?;
    Ok(kind)
}

/// Adds a message that begins with its length.
async fn read_rest(from: &mut Connection, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = from.read_u32().await?;
    bytes.extend(length.to_be_bytes());
    let start = bytes.len();
    bytes.resize(start + length as usize - 4, 0);
    from.read_exact(&mut bytes[start..]).await.map(drop)
}
