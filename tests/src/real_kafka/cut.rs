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
    acknowledged: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

/// The key of the request Produce.
/// Source: Kafka protocol guide, "API Keys".
const PRODUCE: i16 = 0;

impl Cut {
    /// Carries what comes to `listener` to `broker` and back, but cuts the connection instead of every `nth`
    /// acknowledgement of records.
    pub fn every(nth: u64, listener: std::net::TcpListener, broker: SocketAddr) -> Self {
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let acknowledged = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&acknowledged);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let count = Arc::clone(&count);
                connections.spawn(async move {
                    // A side that breaks the connection ends it for the other.
                    let _ = relay(client, broker, nth, &count).await;
                });
            }
        });
        Self {
            acknowledged,
            _tasks: tasks,
        }
    }

    /// How often the broker has acknowledged records so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

async fn relay(
    client: TcpStream,
    broker: SocketAddr,
    nth: u64,
    count: &AtomicU64,
) -> io::Result<()> {
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = TcpStream::connect(broker).await?.into_split();
    let produced = Mutex::new(BTreeSet::new());
    tokio::select! {
        ended = requests(from_client, to_broker, &produced) => ended,
        ended = replies(from_broker, to_client, &produced, nth, count) => ended,
    }
}

/// A request begins with its key, its version and the number that its reply begins with.
async fn requests(
    mut client: OwnedReadHalf,
    mut broker: OwnedWriteHalf,
    produced: &Mutex<BTreeSet<[u8; 4]>>,
) -> io::Result<()> {
    loop {
        let frame = read(&mut client).await?;
        if frame[4..6] == PRODUCE.to_be_bytes() {
            let number = frame[8..12].try_into().unwrap();
            produced.lock().unwrap().insert(number);
        }
        broker.write_all(&frame).await?;
    }
}

async fn replies(
    mut broker: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    produced: &Mutex<BTreeSet<[u8; 4]>>,
    nth: u64,
    count: &AtomicU64,
) -> io::Result<()> {
    loop {
        let frame = read(&mut broker).await?;
        let number: [u8; 4] = frame[4..8].try_into().unwrap();
        let is_acknowledgement = produced.lock().unwrap().remove(&number);
        if is_acknowledgement && (count.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(nth) {
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
