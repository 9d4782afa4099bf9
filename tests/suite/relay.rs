//! What stands between a client and a database: hands bytes on, and stops doing so when it is told to, so that a
//! database accepts connections and never answers, or falls silent in the middle of an answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// Bytes at a time: few, so that an answer can be cut anywhere.
const CHUNK_BYTES: usize = 4_096;

/// It runs until the test's process ends.
#[derive(Clone)]
pub(crate) struct Relay {
    address: SocketAddr,
    flow: Arc<Flow>,
}

#[derive(Default)]
struct Flow {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many bytes of the server's are handed on yet; `None`: all.
    left: Option<usize>,
    /// How often a client spoke after the server had.
    turns: u64,
    server_spoke_last: bool,
}

impl Relay {
    /// In front of a server.
    pub(crate) fn to(server: SocketAddr) -> Self {
        let flow = Arc::<Flow>::default();
        let both = Arc::clone(&flow);
        let address = listen(server, move |client, server| {
            let (up, down) = (Arc::clone(&both), Arc::clone(&both));
            let (from, to) = (copy(&client), copy(&server));
            thread::spawn(move || pump(from, to, CHUNK_BYTES, |_| up.client_speaks()));
            let speaks = move |bytes: &[u8]| down.server_speaks(bytes.len());
            thread::spawn(move || pump(server, client, CHUNK_BYTES, speaks));
        });
        Self { address, flow }
    }

    /// Where clients find it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands on so many bytes of the server's more, and then nothing, to no connection.
    pub(crate) fn hold_after(&self, bytes: usize) {
        self.set(Some(bytes));
    }

    /// Hands everything on again, also what waited.
    pub(crate) fn release(&self) {
        self.set(None);
    }

    /// Round trips so far, of all connections.
    pub(crate) fn turns(&self) -> u64 {
        self.flow.state.lock().unwrap_or_else(PoisonError::into_inner).turns
    }

    fn set(&self, left: Option<usize>) {
        self.flow.state.lock().unwrap_or_else(PoisonError::into_inner).left = left;
        self.flow.changed.notify_all();
    }
}

impl Flow {
    fn client_speaks(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turns += u64::from(state.server_spoke_last);
        state.server_spoke_last = false;
    }

    /// Waits until so many bytes may be handed on.
    fn server_speaks(&self, bytes: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = |state: &mut State| state.left.is_some_and(|left| left < bytes);
        let waited = self.changed.wait_while(state, enough);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.left = state.left.map(|left| left - bytes);
        state.server_spoke_last = true;
    }
}

/// Joins every client that comes to a connection of its own to the server; answers where clients find it. It goes on
/// until the test's process ends.
pub(crate) fn listen(
    server: SocketAddr,
    join: impl Fn(TcpStream, TcpStream) + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it has one");
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // A server that is down is a connection that ends.
            let Ok(server) = TcpStream::connect(server) else { continue };
            join(client, server);
        }
    });
    address
}

/// The same connection, for another thread.
pub(crate) fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("handles are left")
}

/// Hands on what comes, at most so many bytes at a time, until one side has closed, which the other is told.
pub(crate) fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    chunk_bytes: usize,
    before: impl Fn(&[u8]),
) {
    let mut chunk = vec![0; chunk_bytes];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        before(&chunk[..count]);
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    // It may be closed already.
    to.shutdown(std::net::Shutdown::Both).ok();
    from.shutdown(std::net::Shutdown::Both).ok();
}
