//! The client: so many connections on one thread, each with one request under way.
//!
//! Owns sending, checking and counting. A closed loop by default; with a rate, each connection waits for its turn, to the
//! millisecond. Latency runs from the moment a request was really sent.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::measure;
use super::traffic::{Kind, Messages};
use super::wire::{self, Message};

/// What to send to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) kind: Kind,
    pub(crate) connections: u32,
    pub(crate) duration: Duration,
    /// Requests a second in all; none is as many as there are answers.
    pub(crate) rate: Option<f64>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    pub(crate) exchanges: u64,
    /// Broken connections, answers but 200, bodies that are not whole.
    pub(crate) errors: u64,
    /// Microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
    pub(crate) elapsed: Duration,
    /// Time of this thread on a processor.
    pub(crate) cpu_ns: u64,
}

/// Sends for as long as planned, then lets every connection end its exchange.
pub(crate) fn run(plan: Plan) -> Load {
    let (started, cpu) = (Instant::now(), measure::own_thread_ns());
    let mut load = Load::default();
    wire::runtime().block_on(async {
        let connections: Vec<_> = (0..plan.connections)
            .map(|index| tokio::task::spawn(connection(plan, index, started)))
            .collect();
        for connection in connections {
            let part = connection.await.expect("a connection's task");
            load.exchanges += part.exchanges;
            load.errors += part.errors;
            load.latencies.extend(part.latencies);
        }
    });
    load.elapsed = started.elapsed();
    load.cpu_ns = measure::own_thread_ns() - cpu;
    load.latencies.sort_unstable();
    load
}

async fn connection(plan: Plan, index: u32, started: Instant) -> Load {
    let mut load = Load::default();
    let until = started + plan.duration;
    while Instant::now() < until {
        if exchanges(plan, index, started, &mut load).await.is_err() {
            load.errors += 1;
        }
    }
    load
}

/// Exchanges on one connection, until the time is over or something breaks.
async fn exchanges(plan: Plan, index: u32, started: Instant, load: &mut Load) -> io::Result<()> {
    let mut stream = TcpStream::connect(plan.address).await?;
    stream.set_nodelay(true)?;
    let (mut messages, mut out, mut buffer) = (Messages::new(), Vec::new(), Vec::new());
    let until = started + plan.duration;
    let connections = f64::from(plan.connections);
    let pause = plan.rate.map(|rate| Duration::from_secs_f64(connections / rate));
    let mut turn = started + pause.unwrap_or_default().mul_f64(f64::from(index) / connections);
    while Instant::now() < until {
        if let Some(pause) = pause {
            tokio::time::sleep_until(turn.into()).await;
            turn += pause;
        }
        messages.request(plan.kind, &mut out);
        let sent = Instant::now();
        stream.write_all(&out).await?;
        let Some(answer) = Message::read(&mut stream, &mut buffer).await? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        load.latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        load.exchanges += 1;
        load.errors +=
            u64::from(!buffer.starts_with(b"HTTP/1.1 200 ") || !answer.is_whole(&buffer));
        answer.remove(&mut buffer);
    }
    Ok(())
}
