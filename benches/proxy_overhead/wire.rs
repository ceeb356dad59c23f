//! What client and API share: one thread each, and whole messages off a connection.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::traffic::check_sum;

/// Everything on the calling thread.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Where head and body of the first message in a buffer end.
pub(crate) struct Message {
    pub(crate) head: usize,
    body: usize,
    sum: Option<u64>,
}

impl Message {
    /// Reads until the buffer begins with a whole message; none when the other side closed before one began.
    pub(crate) async fn read(
        stream: &mut TcpStream,
        buffer: &mut Vec<u8>,
    ) -> io::Result<Option<Self>> {
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
    pub(crate) fn is_whole(&self, buffer: &[u8]) -> bool {
        let body = &buffer[self.head..self.head + self.body];
        self.sum.is_none_or(|sum| sum == check_sum(body))
    }

    pub(crate) fn remove(&self, buffer: &mut Vec<u8>) {
        buffer.drain(..self.head + self.body);
    }
}
