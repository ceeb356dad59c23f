//! The API behind every arm: one thread, keep-alive, answers at once, and checks that what it was sent is whole.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::traffic::{Kind, Messages, check_sum};

/// Serves until the process is ended.
pub fn serve() {
    let runtime = super::load::runtime();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        super::arms::announce(listener.local_addr().expect("an address"));
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                // A connection that breaks ends its task; whoever sent on it counts the error.
                drop(tokio::task::spawn(answer(stream)));
            }
        }
    });
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut messages, mut out, mut buffer) = (Messages::new(), Vec::new(), Vec::new());
    while let Some(message) = Message::read(&mut stream, &mut buffer).await? {
        let head = &buffer[..message.head];
        let kind = if head.starts_with(b"POST") { Kind::Post } else { Kind::Get };
        let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        messages.answer(kind, target, &mut out);
        if !message.is_whole(&buffer) {
            out.clear();
            out.extend_from_slice(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n");
        }
        stream.write_all(&out).await?;
        message.remove(&mut buffer);
    }
    Ok(())
}

/// Where head and body of the first message in a buffer end.
pub struct Message {
    pub head: usize,
    body: usize,
    sum: Option<u64>,
}

impl Message {
    /// Reads until the buffer begins with a whole message; none when the other side closed before one began.
    pub async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Self>> {
        loop {
            if let Some(message) = Self::parse(buffer)
                && buffer.len() >= message.head + message.body
            {
                return Ok(Some(message));
            }
            buffer.reserve(4_096);
            if stream.read_buf(buffer).await? == 0 {
                return if buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    fn parse(buffer: &[u8]) -> Option<Self> {
        let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let text = std::str::from_utf8(&buffer[..head]).ok()?;
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (known, value) = line.split_once(": ")?;
                known.eq_ignore_ascii_case(name).then_some(value)
            })
        };
        let body = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let sum = value("x-sum").and_then(|sum| u64::from_str_radix(sum, 16).ok());
        Some(Self { head, body, sum })
    }

    /// Whether the body is the one that its sender described.
    pub fn is_whole(&self, buffer: &[u8]) -> bool {
        let body = &buffer[self.head..self.head + self.body];
        self.sum.is_none_or(|sum| sum == check_sum(body))
    }

    pub fn remove(&self, buffer: &mut Vec<u8>) {
        buffer.drain(..self.head + self.body);
    }
}
