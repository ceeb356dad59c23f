//! HTTP/1.1 by hand: exactly the bytes that the test says, exactly the bytes that came.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::DEADLINE;

/// One message as it came: start line, fields in order, body with transfer coding removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub start: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Status of a response; 0 for anything else.
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}: {}", self.start, self.text()))
    }
}

/// A keep-alive connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn wrap(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// The next request, none when the peer has closed.
    pub(crate) fn read_request(&mut self) -> io::Result<Option<Message>> {
        let Some(mut message) = self.read_head()? else { return Ok(None) };
        self.read_body(&mut message, false)?;
        Ok(Some(message))
    }

    /// The next final response to a request of `method`.
    pub(crate) fn read_response(&mut self, method: &str) -> io::Result<Message> {
        loop {
            let mut message = self.read_head()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let status = message.status();
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            if method != "HEAD" && status != 204 && status != 304 && status != 101 {
                self.read_body(&mut message, true)?;
            }
            return Ok(message);
        }
    }

    /// One exchange on this connection.
    pub(crate) fn exchange(&mut self, method: &str, request: &[u8]) -> io::Result<Message> {
        self.send(request)?;
        self.read_response(method)
    }

    fn read_line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if self.0.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(line.iter().map(|byte| char::from(*byte)).collect()))
    }

    fn read_head(&mut self) -> io::Result<Option<Message>> {
        let Some(start) = self.read_line()? else { return Ok(None) };
        let mut message = Message { start, ..Message::default() };
        loop {
            let line = self.read_line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                return Ok(Some(message));
            }
            let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            message.fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn read_body(&mut self, message: &mut Message, until_close: bool) -> io::Result<()> {
        let chunked = message
            .field("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        if chunked {
            return self.read_chunks(message);
        }
        match message.field("content-length").and_then(|length| length.parse().ok()) {
            Some(length) => {
                message.body = vec![0; length];
                self.0.read_exact(&mut message.body)
            }
            None if until_close => self.0.read_to_end(&mut message.body).map(drop),
            None => Ok(()),
        }
    }

    fn read_chunks(&mut self, message: &mut Message) -> io::Result<()> {
        loop {
            let line = self.read_line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16)
                .map_err(|_| io::ErrorKind::InvalidData)?;
            if size == 0 {
                while !self.read_line()?.unwrap_or_default().is_empty() {}
                return Ok(());
            }
            let start = message.body.len();
            message.body.resize(start + size, 0);
            self.0.read_exact(&mut message.body[start..])?;
            self.read_line()?;
        }
    }
}

/// One request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Message {
    try_request(address, method, target, fields, body)
        .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}

/// As [`request`], for a peer that may be going away.
pub(crate) fn try_request(
    address: SocketAddr,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Message> {
    Connection::open(address)?.exchange(method, &render(address, method, target, fields, body))
}

/// The bytes of a request.
pub(crate) fn render(
    address: SocketAddr,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}
