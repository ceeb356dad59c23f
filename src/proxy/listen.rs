//! Binds the listeners before pingora runs, so that a taken address is an error with a name and not a panic of a task.
//!
//! Owns the sockets until pingora takes them over by their descriptors, and the real port behind port 0. pingora itself would
//! retry a busy address for 30 s, replace whatever lies at a Unix path, and let everybody write to it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::IntoRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pingora::protocols::l4::socket::SocketAddr as SocketAddress;
use pingora::server::ListenFds;
use rustix::fs::{FileType, Mode};
use tokio::net::TcpSocket;

use super::error::Error;
use super::options::Listener;
use crate::runtime::files;

const BACKLOG: u32 = 4_096;

/// A listener with the address it really has.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) name: Arc<str>,
    pub(super) place: Place,
    pub(super) h2c: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// A bound socket that nobody accepts on yet.
pub(super) struct Socket {
    pub(super) bound: Arc<Bound>,
    kind: Kind,
}

enum Kind {
    Tcp(std::net::TcpListener),
    Unix(UnixListener),
}

impl Socket {
    /// Binds one listener. Must run on a tokio runtime.
    ///
    /// # Errors
    /// Names the address and what the system said.
    pub(super) fn bind(options: &Listener) -> Result<Self, Error> {
        let failed = |source| Error::Bind { address: options.address.clone(), source };
        let (place, kind) = if let Some(path) = options.address.strip_prefix("unix:") {
            (Place::Unix(path.into()), bind_unix(Path::new(path), options)?)
        } else {
            let listener = bind_tcp(&options.address).map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            (Place::Tcp(address), Kind::Tcp(listener))
        };
        let bound = Bound { name: options.label().into(), place, h2c: options.h2c };
        Ok(Self { bound: Arc::new(bound), kind })
    }

    /// Puts the descriptor into pingora's table, under the address it will ask for.
    pub(super) fn hand_over(self, table: &ListenFds) {
        let descriptor = match self.kind {
            Kind::Tcp(listener) => listener.into_raw_fd(),
            Kind::Unix(listener) => listener.into_raw_fd(),
        };
        table.lock().add(self.bound.place.key(), descriptor);
    }
}

impl Place {
    /// How pingora names the address.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Tcp(address) => address.to_string(),
            Self::Unix(path) => path.to_string_lossy().into_owned(),
        }
    }
}

impl Bound {
    /// Whether a connection with this local address came in here. `exact` leaves listeners for all addresses out.
    pub(super) fn accepts(&self, local: Option<&SocketAddress>, exact: bool) -> bool {
        match (&self.place, local) {
            (Place::Tcp(bound), Some(SocketAddress::Inet(local))) => {
                let same = bound.ip().to_canonical() == local.ip().to_canonical();
                bound.port() == local.port() && (same || (!exact && bound.ip().is_unspecified()))
            }
            (Place::Unix(path), Some(SocketAddress::Unix(local))) => {
                local.as_pathname() == Some(path)
            }
            _ => false,
        }
    }
}

fn bind_tcp(address: &str) -> io::Result<std::net::TcpListener> {
    let address: SocketAddr = address
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not an `IP:port` address"))?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn bind_unix(path: &Path, options: &Listener) -> Result<Kind, Error> {
    let failed = |source| Error::Bind { address: options.address.clone(), source };
    clear(path)?;
    let listener = UnixListener::bind(path).map_err(failed)?;
    let mode = u32::from_str_radix(&options.mode, 8).unwrap_or(0o600);
    rustix::fs::chmod(path, Mode::from_raw_mode(mode)).map_err(|error| failed(error.into()))?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(Kind::Unix(listener))
}

/// Removes a socket that nobody listens on any more; anything else that lies there stays and is an error.
fn clear(path: &Path) -> Result<(), Error> {
    let Ok(status) = rustix::fs::lstat(path) else { return Ok(()) };
    let is_socket = FileType::from_raw_mode(status.st_mode) == FileType::Socket;
    let is_dead = is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    let taken = || Error::SocketTaken { path: path.to_string_lossy().into_owned() };
    if is_dead { files::remove(path).map_err(|_| taken()) } else { Err(taken()) }
}
