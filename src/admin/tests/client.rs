//! A client that sends exactly the bytes it is told to.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use super::super::Address;

/// Where to connect to.
pub(super) struct Wire(pub(super) Address);

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

trait Duplex: std::io::Read + std::io::Write {}
impl<T: std::io::Read + std::io::Write> Duplex for T {}

impl Wire {
    pub(super) fn tcp(&self) -> TcpStream {
        let Address::Tcp(address) = &self.0 else { panic!("not TCP") };
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("set");
        stream
    }

    /// One call on its own connection, with the address as Host.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let host = match &self.0 {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        let mut all = vec![("host", host.as_str())];
        all.extend(headers);
        self.call_as(method, path, &all, body)
    }

    /// As [`Wire::call`], with these headers alone.
    pub(super) fn call_as(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.extend([*name, ": ", *value, "\r\n"]);
        }
        if !body.is_empty() {
            head.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        let mut stream: Box<dyn Duplex> = match &self.0 {
            Address::Tcp(_) => Box::new(self.tcp()),
            Address::Unix(path) => Box::new(UnixStream::connect(path).expect("connected")),
        };
        stream.write_all(head.as_bytes()).expect("sent");
        // A server that refuses early may close before it has read everything.
        drop(stream.write_all(body));
        read(&mut *stream)
    }
}

/// Reads until the connection ends.
pub(super) fn read(stream: &mut (impl std::io::Read + ?Sized)) -> Reply {
    let mut bytes = Vec::new();
    // A reset after the answer does not undo it.
    drop(stream.read_to_end(&mut bytes));
    Reply::parse(&String::from_utf8_lossy(&bytes))
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The code of a refusal, after checking that it has the one form of all refusals.
    pub(super) fn code(&self) -> String {
        let problem = self.json();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert_eq!(text("type"), format!("/v1/problems/{}", text("code")));
        assert!(!text("title").is_empty() && !text("detail").is_empty(), "{self:?}");
        assert_eq!(text("trace_id").len(), 32, "{self:?}");
        text("code")
    }
}
