//! The API behind every arm: one thread, keep-alive, answers at once, and checks that what it was sent is whole.

use std::io;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::traffic::{Kind, Messages};
use super::wire::{self, Message};

/// Serves until the process is ended.
pub(crate) fn serve() {
    let runtime = wire::runtime();
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
