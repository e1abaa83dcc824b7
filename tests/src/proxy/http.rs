//! As much of HTTP/1.1 as it takes to tell where a message ends (RFC 9112, section 6).

use std::io;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// S3's answer to one who asks too often.
pub(super) const SLOW_DOWN: &str = concat!(
    "HTTP/1.1 503 Slow Down\r\n",
    "content-type: application/xml\r\n",
    "content-length: 80\r\n",
    "\r\n",
    "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>",
);

/// A request or a reply, whole.
pub(super) struct Message {
    /// Its head and its body as they came.
    pub(super) bytes: Vec<u8>,
    head: Vec<String>,
}

impl Message {
    /// A request's method.
    pub(super) fn method(&self) -> &str {
        self.word(0)
    }

    /// A request's path and query.
    pub(super) fn target(&self) -> &str {
        self.word(1)
    }

    /// A reply's status code.
    pub(super) fn status(&self) -> &str {
        self.word(1)
    }

    fn word(&self, index: usize) -> &str {
        let words = self.head[0].split(' ');
        words.clone().nth(index).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head[1..].iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }
}

/// Reads a request; `None` if the client has ended the connection after the one before.
pub(super) async fn read_request(client: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
    let Some(mut request) = read_head(client).await? else {
        return Ok(None);
    };
    if request.header("expect").is_some() {
        // The client waits for this before it sends the body.
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    if request.is_chunked() {
        read_chunks(client, &mut request.bytes).await?;
    } else if let Some(length) = request.header("content-length") {
        let length = parse(length, 10)?;
        read_exactly(client, length, &mut request.bytes).await?;
    }
    Ok(Some(request))
}

/// Reads the reply to a request with `method`.
pub(super) async fn read_reply(
    store: &mut BufReader<TcpStream>,
    method: &str,
) -> io::Result<Message> {
    loop {
        let mut reply = read_head(store)
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = reply.status();
        if status.starts_with('1') {
            continue;
        }
        if method == "HEAD" || status == "204" || status == "304" {
            return Ok(reply);
        }
        if reply.is_chunked() {
            read_chunks(store, &mut reply.bytes).await?;
        } else if let Some(length) = reply.header("content-length") {
            let length = parse(length, 10)?;
            read_exactly(store, length, &mut reply.bytes).await?;
        } else {
            store.read_to_end(&mut reply.bytes).await?;
        }
        return Ok(reply);
    }
}

async fn read_head(from: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
    let mut message = Message {
        bytes: Vec::new(),
        head: Vec::new(),
    };
    loop {
        match read_line(from, &mut message.bytes).await? {
            None if message.head.is_empty() => return Ok(None),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(line) if line.is_empty() => return Ok(Some(message)),
            Some(line) => message.head.push(line),
        }
    }
}

async fn read_chunks(from: &mut BufReader<TcpStream>, into: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(from, into)
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = line.split(';').next().unwrap_or_default();
        let size = parse(size.trim(), 16)?;
        if size == 0 {
            break;
        }
        // With the line break after it.
        read_exactly(from, size + 2, into).await?;
    }
    // Trailers, and the empty line that ends them.
    while read_line(from, into)
        .await?
        .is_some_and(|line| !line.is_empty())
    {}
    Ok(())
}

/// The next line without its end, which is kept in `into`; `None` at the end of the connection.
async fn read_line(
    from: &mut BufReader<TcpStream>,
    into: &mut Vec<u8>,
) -> io::Result<Option<String>> {
    let start = into.len();
    from.read_until(b'\n', into).await?;
    let line = String::from_utf8_lossy(&into[start..]);
    Ok((!line.is_empty()).then(|| line.trim_end().to_owned()))
}

async fn read_exactly(
    from: &mut BufReader<TcpStream>,
    length: u64,
    into: &mut Vec<u8>,
) -> io::Result<()> {
    let read = from.take(length).read_to_end(into).await?;
    if (read as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn parse(number: &str, radix: u32) -> io::Result<u64> {
    u64::from_str_radix(number, radix).map_err(io::Error::other)
}
