//! A proxy before a broker that cuts connections when the broker has answered and the client does not know.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// A running proxy; it ends with this value.
pub struct Cut {
    answers: Arc<Answers>,
    _tasks: JoinSet<()>,
}

/// The answers to one kind of request, numbered from 1.
struct Answers {
    key: i16,
    count: AtomicU64,
    is_cut: Box<dyn Fn(u64) -> bool + Send + Sync>,
}

/// The keys of the requests `Produce` and `ListOffsets`.
/// Source: Kafka protocol guide, "API Keys".
const PRODUCE: i16 = 0;
const LIST_OFFSETS: i16 = 2;

impl Cut {
    /// Carries what comes to `listener` to `broker` and back, but cuts the connection instead of every `nth`
    /// acknowledgement of records.
    pub fn every(nth: u64, listener: std::net::TcpListener, broker: SocketAddr) -> Self {
        let is_cut = move |number: u64| number.is_multiple_of(nth);
        Self::answers(PRODUCE, is_cut, listener, broker)
    }

    /// The same, but instead of the answers to questions about watermarks of which `is_cut` says so by their number.
    pub fn watermarks(
        is_cut: impl Fn(u64) -> bool + Send + Sync + 'static,
        listener: std::net::TcpListener,
        broker: SocketAddr,
    ) -> Self {
        Self::answers(LIST_OFFSETS, is_cut, listener, broker)
    }

    fn answers(
        key: i16,
        is_cut: impl Fn(u64) -> bool + Send + Sync + 'static,
        listener: std::net::TcpListener,
        broker: SocketAddr,
    ) -> Self {
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let answers = Arc::new(Answers {
            key,
            count: AtomicU64::new(0),
            is_cut: Box::new(is_cut),
        });
        let of_all = Arc::clone(&answers);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let answers = Arc::clone(&of_all);
                connections.spawn(async move {
                    // A side that breaks the connection ends it for the other.
                    let _ = relay(client, broker, &answers).await;
                });
            }
        });
        Self {
            answers,
            _tasks: tasks,
        }
    }

    /// How many such answers the broker has given so far.
    pub fn answered(&self) -> u64 {
        self.answers.count.load(Ordering::SeqCst)
    }
}

async fn relay(client: TcpStream, broker: SocketAddr, answers: &Answers) -> io::Result<()> {
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = TcpStream::connect(broker).await?.into_split();
    let asked = Mutex::new(BTreeSet::new());
    tokio::select! {
        ended = requests(from_client, to_broker, &asked, answers.key) => ended,
        ended = replies(from_broker, to_client, &asked, answers) => ended,
    }
}

/// A request begins with its key, its version and the number that its reply begins with.
async fn requests(
    mut client: OwnedReadHalf,
    mut broker: OwnedWriteHalf,
    asked: &Mutex<BTreeSet<[u8; 4]>>,
    key: i16,
) -> io::Result<()> {
    loop {
        let frame = read(&mut client).await?;
        if frame[4..6] == key.to_be_bytes() {
            let number = frame[8..12].try_into().unwrap();
            asked.lock().unwrap().insert(number);
        }
        broker.write_all(&frame).await?;
    }
}

async fn replies(
    mut broker: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    asked: &Mutex<BTreeSet<[u8; 4]>>,
    answers: &Answers,
) -> io::Result<()> {
    loop {
        let frame = read(&mut broker).await?;
        let number: [u8; 4] = frame[4..8].try_into().unwrap();
        let is_answer = asked.lock().unwrap().remove(&number);
        if is_answer && (answers.is_cut)(answers.count.fetch_add(1, Ordering::SeqCst) + 1) {
            return Ok(());
        }
        client.write_all(&frame).await?;
    }
}

/// A frame with its length before it.
async fn read(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.resize(4 + usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut frame[4..]).await?;
    Ok(frame)
}
