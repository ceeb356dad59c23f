//! An API under test: raw bytes as the test scripts them, and a record of what arrived.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::http::{Connection, Message};

/// Answers every request with the bytes that the script returns; empty bytes close the connection.
pub(crate) struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Message>>>,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Upstream {
    pub(crate) fn start(script: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let script = Arc::new(script);
        let acceptor = {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            std::thread::spawn(move || {
                let until_stopped =
                    listener.incoming().take_while(|_| !stop.load(Ordering::Acquire));
                for stream in until_stopped.flatten() {
                    let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                    std::thread::spawn(move || serve(stream, &*script, &seen));
                }
            })
        };
        Self { address, seen, stop, acceptor: Some(acceptor) }
    }

    /// Everything that arrived so far.
    pub(crate) fn seen(&self) -> Vec<Message> {
        self.seen.lock().expect("no script panicked").clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the acceptor; that nobody answers is fine.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

fn serve(
    stream: TcpStream,
    script: &(impl Fn(&Message) -> Vec<u8> + ?Sized),
    seen: &Mutex<Vec<Message>>,
) {
    let mut connection = Connection::wrap(stream);
    while let Ok(Some(request)) = connection.read_request() {
        let answer = script(&request);
        seen.lock().expect("no script panicked").push(request);
        if answer.is_empty() || connection.send(&answer).is_err() {
            return;
        }
    }
}

/// A response with a length.
pub(crate) fn answer(status: u16, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Whatever\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

/// A JSON response.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Vec<u8> {
    answer(status, &[("Content-Type", "application/json")], body.to_string().as_bytes())
}
