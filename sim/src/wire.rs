//! Oracle Net: a listener, so that unmodified Oracle clients can log in to a [`Database`].
//!
//! It speaks what was learnt from four real clients, and only that: no LOB locators, no native encryption, no
//! attention out of band. A connection is one task; whatever a client sends, the worst is that its connection closes.
//!
//! In the order in which a byte meets them: `packet` cuts the stream, `connect` answers the first packet,
//! `negotiate` and `auth` log the client in, `request` reads what it asks, `cursor` keeps its statements, `reply` and
//! `describe` write the answer in the terms of `codec` and `scalar`; `connection` holds these together.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::conversation::Database;

mod packet;
mod connect;
mod negotiate;
mod auth;
mod codec;
mod scalar;
mod feed;
mod bind;
mod piggyback;
mod request;
mod cursor;
mod reply;
mod connection;
mod session;
mod tls;

use auth::Verifiers;

pub use tls::{Tls, TlsError};

/// How a listener behaves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The certificate for TCPS. With one, every client must speak TLS; without, none can.
    pub tls: Option<Tls>,
    /// The bounds.
    pub limits: Limits,
}

/// What a client may take of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, logged in or not. One more is refused with ORA-12516.
    pub connections: usize,
    /// From the first byte to the end of the log-on.
    pub log_on: Duration,
    /// From the first byte of a request to its last.
    pub request: Duration,
}

impl Limits {
    /// More than any test opens, and few enough for one process.
    pub const CONNECTIONS: usize = 5_000;
    /// Oracle's INBOUND_CONNECT_TIMEOUT.
    pub const LOG_ON: Duration = Duration::from_mins(1);
    /// A request comes in one go; only a broken client pauses within one.
    pub const REQUEST: Duration = Duration::from_mins(1);
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: Self::CONNECTIONS, log_on: Self::LOG_ON, request: Self::REQUEST }
    }
}

/// Serves clients on `listener` until the handle is stopped or dropped. A client reaches the first of `databases` that
/// knows the service or SID which it asks for. Runs in the Tokio runtime that it is called in.
pub fn listen(
    listener: TcpListener,
    databases: Vec<Arc<dyn Database>>,
    options: Options,
) -> io::Result<Handle> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let open = Arc::new(AtomicUsize::new(0));
    let verifiers = Verifiers::default();
    let shared = Arc::new(Shared { databases, options, verifiers, open: Arc::clone(&open) });
    let task = tokio::spawn(accept(listener, shared, stopped));
    Ok(Handle { address, stop, open, task })
}

/// Reads bytes as whatever a client may send: a packet, a CONNECT, a message of a log-on, a request. For fuzzing: it
/// must neither panic nor keep more than it was given.
pub fn read_anything(bytes: &[u8]) {
    for wide in [false, true] {
        drop(packet::split(&mut bytes.to_vec(), wide, packet::FIRST_PACKET_MAX));
    }
    drop(connect::read(bytes));
    connect::destination(&String::from_utf8_lossy(bytes));
    // 11.2, 12.1, 19c and 23ai.
    for fields in [6, 7, 13, 24] {
        connection::read_any(bytes, fields);
        drop(request::read(&mut codec::Reader::new(bytes), fields, &cursor::Cursors::default()));
    }
}

/// A listener at work.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Handle {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there are now, logged in or not.
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Closes the port and every connection, and returns when all of them have ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A task that panicked has ended as well.
        drop(self.task.await);
    }
}

/// What all connections of a listener have in common.
struct Shared {
    databases: Vec<Arc<dyn Database>>,
    options: Options,
    verifiers: Verifiers,
    open: Arc<AtomicUsize>,
}

/// How long to wait after a failed `accept`, which fails while there are no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until told to stop, then ends every connection. A dropped handle stops it as well.
async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    connections.spawn(connect(socket, peer, Arc::clone(&shared)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// One client from its first byte to its last.
async fn connect(socket: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let count = Count::new(&shared.open);
    let room = count.now <= shared.options.limits.connections;
    // Answers are written in one go; waiting for more would only delay them.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    match &shared.options.tls {
        None => connection::serve(Box::new(socket), peer, &shared, room).await,
        Some(tls) => {
            let limit = shared.options.limits.log_on;
            if let Ok(Ok(socket)) = tokio::time::timeout(limit, tls.accept(socket)).await {
                connection::serve(Box::new(socket), peer, &shared, room).await;
            }
        }
    }
}

/// Counts a connection for as long as it lives.
struct Count {
    open: Arc<AtomicUsize>,
    now: usize,
}

impl Count {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        let now = open.fetch_add(1, Ordering::Relaxed) + 1;
        Self { open: Arc::clone(open), now }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
