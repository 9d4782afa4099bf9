//! Work that takes longer than a session may hold its database's lock: it goes on in a thread of its own, while the
//! session's call waits for it as it would for a lock. All such threads of the process take turns, so that what they
//! leave of the machine is for the clients that want little.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use crate::ora::OraError;
use crate::sql::meter::Pace;

/// How long a turn lasts while others wait for theirs.
const TURN: Duration = Duration::from_millis(10);
/// Steps between two looks at the clock: a millisecond or so.
const STEPS: u64 = 4_096;
/// The stack of a thread; deep expressions need what the runtime's threads have, and it costs nothing until used.
const STACK_BYTES: usize = 8 * 1_024 * 1_024;

/// Who may run, first come, first served.
struct Turns {
    tickets: Mutex<Tickets>,
    freed: Condvar,
}

/// How many turns were asked for, and how many are over.
struct Tickets {
    issued: u64,
    over: u64,
}

static TURNS: Turns =
    Turns { tickets: Mutex::new(Tickets { issued: 0, over: 0 }), freed: Condvar::new() };

impl Turns {
    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many run at a time: one processor is left for everybody else.
    fn seats() -> u64 {
        let all = thread::available_parallelism().map_or(1, usize::from);
        all.saturating_sub(1).max(1) as u64
    }

    fn take(&'static self) -> Turn {
        let seats = Self::seats();
        let mut tickets = self.tickets();
        let own = tickets.issued;
        tickets.issued += 1;
        while own >= tickets.over + seats {
            tickets = self.freed.wait(tickets).unwrap_or_else(PoisonError::into_inner);
        }
        Turn { began: Instant::now() }
    }

    fn is_waited_for(&self) -> bool {
        let tickets = self.tickets();
        tickets.issued > tickets.over + Self::seats()
    }
}

/// A turn; dropped, it is over.
struct Turn {
    began: Instant,
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.tickets().over += 1;
        TURNS.freed.notify_all();
    }
}

/// What a thread at work looks at now and then.
pub(super) struct Shift {
    stop: Arc<AtomicBool>,
    turn: RefCell<Option<Turn>>,
}

impl Shift {
    fn new(stop: Arc<AtomicBool>) -> Self {
        Self { stop, turn: RefCell::new(None) }
    }
}

impl Pace for Shift {
    fn more(&self) -> Result<u64, OraError> {
        let mut turn = self.turn.borrow_mut();
        let long = turn.as_ref().is_none_or(|turn| turn.began.elapsed() >= TURN);
        if long && (turn.is_none() || TURNS.is_waited_for()) {
            *turn = None;
            *turn = Some(TURNS.take());
        }
        if self.stop.load(Ordering::Relaxed) {
            // Nobody will read it: whoever ended the call has told the client why.
            return Err(OraError::new(1013, "user requested cancel of current operation"));
        }
        Ok(STEPS)
    }
}

/// Work under way. Dropped, it ends as soon as its thread notices.
pub(super) struct Job<T> {
    stop: Arc<AtomicBool>,
    result: Receiver<T>,
}

impl<T: Send + 'static> Job<T> {
    /// Begins work in a thread of its own.
    pub(super) fn start(work: impl FnOnce(Shift) -> T + Send + 'static) -> Result<Self, OraError> {
        let stop = Arc::new(AtomicBool::new(false));
        let shift = Shift::new(Arc::clone(&stop));
        let (sender, result) = mpsc::channel();
        let thread = thread::Builder::new().name("statement".to_owned()).stack_size(STACK_BYTES);
        // The channel is what it is joined by; a result that nobody waits for any more is dropped.
        let spawned = thread.spawn(move || drop(sender.send(work(shift))));
        let text = "out of process memory when trying to allocate a thread for a statement";
        spawned.map_err(|_| OraError::new(4030, text))?;
        Ok(Self { stop, result })
    }

    /// Whether it is over, and what came of it. The error is for a thread that panicked.
    pub(super) fn look(&self) -> Poll<Result<T, OraError>> {
        match self.result.try_recv() {
            Ok(result) => Poll::Ready(Ok(result)),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Disconnected) => {
                let text = "internal error code, arguments: [statement]";
                Poll::Ready(Err(OraError::new(600, text)))
            }
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
