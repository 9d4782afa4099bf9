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
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let relay = Self { address, flow: Arc::default() };
        let flow = Arc::clone(&relay.flow);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let both = client.try_clone().and_then(|it| Ok((it, server.try_clone()?)));
                let (to_client, to_server) = both.expect("handles are left");
                let (up, down) = (Arc::clone(&flow), Arc::clone(&flow));
                thread::spawn(move || pump(client, to_server, |_| up.client_speaks()));
                thread::spawn(move || pump(server, to_client, |bytes| down.server_speaks(bytes)));
            }
        });
        relay
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

/// Until one side has closed, which the other is told.
fn pump(mut from: TcpStream, mut to: TcpStream, before: impl Fn(usize)) {
    let mut chunk = [0; CHUNK_BYTES];
    while let Ok(bytes @ 1..) = from.read(&mut chunk) {
        before(bytes);
        if to.write_all(&chunk[..bytes]).is_err() {
            break;
        }
    }
    // It may be closed already.
    to.shutdown(std::net::Shutdown::Both).ok();
    from.shutdown(std::net::Shutdown::Both).ok();
}
