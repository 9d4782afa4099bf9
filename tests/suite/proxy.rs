//! A network between daemon and database that a test can stop at a text on its way, hold still, and cut.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::relay::{copy, listen, pump};

/// More than the largest packet of the protocol, so that a text is in one piece.
const CHUNK_BYTES: usize = 1 << 20;

/// Where a connection stops.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gate {
    /// Before a request with this text reaches the database.
    Request(&'static str),
    /// Before the answer to it reaches the daemon.
    Answer(&'static str),
    /// Once the daemon has sent so many bytes.
    Bytes(usize),
}

/// Listens on loopback until the test is over.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    gate: Option<Gate>,
    /// Connections that stand at the gate.
    held: usize,
    /// Bytes from the daemon since the gate was set.
    passed: usize,
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// In front of the database at this address.
    pub(crate) fn before(database: SocketAddr) -> Self {
        let shared = Arc::<Shared>::default();
        let ours = Arc::clone(&shared);
        let address = listen(database, move |client, server| join(&ours, &client, &server));
        Self { address, shared }
    }

    /// `//host:port/RACDB`.
    pub(crate) fn connect(&self) -> String {
        format!("//{}/RACDB", self.address)
    }

    /// Stops the next connection that comes there.
    pub(crate) fn stop_at(&self, gate: Gate) {
        let mut state = self.shared.lock();
        (state.gate, state.passed) = (Some(gate), 0);
    }

    /// Waits until a connection stands at the gate.
    pub(crate) fn held(&self) {
        crate::daemon::until("a connection at the gate", || self.shared.lock().held > 0);
    }

    /// Lets everything through again.
    pub(crate) fn open(&self) {
        let mut state = self.shared.lock();
        state.gate = None;
        self.shared.changed.notify_all();
    }

    /// Cuts all connections; what stands at the gate is lost. Later ones get through.
    pub(crate) fn cut(&self) {
        for stream in std::mem::take(&mut self.shared.lock().streams) {
            // It may be gone already.
            stream.shutdown(Shutdown::Both).ok();
        }
        self.open();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while this connection may not go on.
    fn wait(&self, is_stopped: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        if !is_stopped(&state) {
            return;
        }
        state.held += 1;
        while is_stopped(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.held -= 1;
    }
}

/// Copies both ways until one side ends.
fn join(shared: &Arc<Shared>, client: &TcpStream, server: &TcpStream) {
    shared.lock().streams.extend([copy(client), copy(server)]);
    let stops = Arc::<Mutex<bool>>::default();
    let (ours, seen) = (Arc::clone(shared), Arc::clone(&stops));
    let (from, to) = (copy(client), copy(server));
    thread::spawn(move || {
        pump(from, to, CHUNK_BYTES, |bytes| {
            let mut state = ours.lock();
            state.passed += bytes.len();
            let has = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
            let stops_here = match state.gate {
                Some(Gate::Request(text)) => has(text),
                Some(Gate::Answer(text)) => {
                    *seen.lock().unwrap_or_else(PoisonError::into_inner) |= has(text);
                    false
                }
                Some(Gate::Bytes(count)) => state.passed >= count,
                None => false,
            };
            drop(state);
            ours.wait(|state| stops_here && state.gate.is_some());
        });
    });
    let (ours, from, to) = (Arc::clone(shared), copy(server), copy(client));
    thread::spawn(move || {
        pump(from, to, CHUNK_BYTES, |_| {
            let stops_here = *stops.lock().unwrap_or_else(PoisonError::into_inner);
            ours.wait(|state| stops_here && state.gate.is_some());
        });
    });
}
