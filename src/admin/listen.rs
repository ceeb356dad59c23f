//! Binding the admin listener: TCP, or a Unix socket that only its owner may open.
//!
//! Owns the sockets and the addresses they really have. Refuses to own what is spoken on them (`serve`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::error::Error;
use super::options::Address;
use crate::runtime::files;

/// A bound socket.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    /// Removes its file when dropped.
    Unix(UnixListener, SocketFile),
}

#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

/// A connection of either kind.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Listener {
    /// Must be called in the context of the runtime that will serve it.
    pub(super) fn bind(address: &Address) -> Result<Self, Error> {
        let bound = match address {
            Address::Tcp(address) => bind_tcp(*address),
            Address::Unix(path) => bind_unix(path),
        };
        bound.map_err(|source| Error::Listen {
            address: address.to_string(),
            remedy: match source.kind() {
                io::ErrorKind::AddrInUse => {
                    "another process listens there: stop it or change the address"
                }
                io::ErrorKind::PermissionDenied => "take a port above 1023 or a folder of your own",
                io::ErrorKind::AddrNotAvailable => "this host has no such address",
                _ => "change the address",
            },
            source,
        })
    }

    /// The address in force, with the real port.
    pub(super) fn address(&self) -> Address {
        match self {
            Self::Tcp(listener) => {
                let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
                Address::Tcp(listener.local_addr().unwrap_or(unknown))
            }
            Self::Unix(_, file) => Address::Unix(file.0.clone()),
        }
    }

    /// The next connection, with the address it came from if it has one.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Some(from.ip())))
            }
            Self::Unix(listener, _) => {
                listener.accept().await.map(|(stream, _)| (Stream::Unix(stream), None))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<Listener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Listener::Tcp)
}

/// Binds beside the final name, narrows the mode and then renames, so that nobody else can connect in between. The file of a
/// process that is gone is replaced; one that answers is not.
fn bind_unix(path: &Path) -> io::Result<Listener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    files::remove(&temporary).map_err(io::Error::other)?;
    let listener = UnixListener::bind(&temporary)?;
    rustix::fs::chmod(&temporary, rustix::fs::Mode::from_raw_mode(0o600))?;
    files::rename(&temporary, path).map_err(io::Error::other)?;
    Ok(Listener::Unix(listener, SocketFile(path.to_owned())))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A file that stays behind is replaced at the next start.
        drop(files::remove(&self.0));
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
