//! Signals of the operating system as messages to the loop. It waits on a thread of its own and decides nothing.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals};
use tokio::sync::mpsc;

/// Signals waiting to be heard. More than a person sends before the loop turns; the sender waits when it is full.
const SIGNALS_WAITING_MAX: usize = 8;

/// What the operator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGHUP.
    Reload,
    /// SIGTERM or SIGINT.
    Stop,
}

impl Signal {
    fn of(number: i32) -> Self {
        if number == SIGHUP { Self::Reload } else { Self::Stop }
    }
}

/// Listens until it is closed.
pub(super) struct Listener {
    handle: Handle,
    thread: JoinHandle<()>,
}

/// Starts to listen. From here on none of these signals ends the process by itself.
pub(super) fn listen() -> io::Result<(mpsc::Receiver<Signal>, Listener)> {
    // A file that may not grow is an error of the write, as a full disk is, and not the end of the daemon.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let handle = signals.handle();
    let (sender, receiver) = mpsc::channel(SIGNALS_WAITING_MAX);
    let forward = move || {
        for number in signals.forever() {
            if sender.blocking_send(Signal::of(number)).is_err() {
                break;
            }
        }
    };
    let thread = thread::Builder::new().name("signals".to_owned()).spawn(forward)?;
    Ok((receiver, Listener { handle, thread }))
}

impl Listener {
    /// Stops listening. The receiver must be gone, or the thread might wait for it.
    pub(super) fn close(self) {
        self.handle.close();
        self.thread.join().expect("forwarding signals does not panic");
    }
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::low_level::raise;

    use super::{Signal, listen};

    #[test]
    fn signals_mean_what_operators_expect() {
        let meant = [SIGHUP, SIGTERM, SIGINT].map(Signal::of);
        assert_eq!(meant, [Signal::Reload, Signal::Stop, Signal::Stop]);
    }

    /// SIGHUP only: another test of this process may run a daemon, which a SIGTERM would reach too.
    #[test]
    fn a_signal_arrives() {
        let (mut heard, listener) = listen().expect("signals can be listened to");
        raise(SIGHUP).expect("the signal can be raised");
        assert_eq!(heard.blocking_recv(), Some(Signal::Reload));
        drop(heard);
        listener.close();
    }
}
