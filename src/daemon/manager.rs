//! What a service manager is told: that the daemon is ready, what it does, and that it gets on. The daemon decides what
//! and when; how it is sent is somebody else's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A database that does not answer keeps the others from being called ready for so long, and no longer: below the 90 s
/// that systemd gives a start.
pub const READY_WITHIN: Duration = Duration::from_mins(1);

/// A tick in which nothing ended for so long has hung in spite of its deadlines: nobody sets one so high for a call.
pub const OVERDUE_AFTER: Duration = Duration::from_hours(1);

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Policies are loaded, and every database was looked at or tried.
    Ready,
    /// Files are being read again. [`Notice::Ready`] follows.
    Reloading,
    /// It is about to leave.
    Stopping,
    /// What it is doing, for people.
    Status(String),
    /// The loop turns, and ticks get on.
    Alive,
}

/// Sends notices; it must not block.
pub type Tell = dyn Fn(&[Notice]) + Send;

/// Whoever is told.
pub struct Listener {
    /// How.
    pub tell: Box<Tell>,
    /// How often it wants a sign of life, if it does.
    pub alive_every: Option<Duration>,
}

/// Told of every step of a tick that ended.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Mutex<Instant>>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Pulse {
    /// Something ended.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether that is long ago.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.saturating_duration_since(last) > OVERDUE_AFTER
    }
}

/// Remembers what the manager knows.
pub(super) struct Manager {
    listener: Option<Listener>,
    /// Databases whose first look has not come back.
    awaited: BTreeSet<String>,
    ready_by: Option<Instant>,
    status: String,
    /// When it was last asked whether there is a sign of life.
    asked: Instant,
}

impl Manager {
    pub(super) fn new(listener: Option<Listener>) -> Self {
        Self {
            listener,
            awaited: BTreeSet::new(),
            ready_by: None,
            status: String::new(),
            asked: Instant::now(),
        }
    }

    /// Whether anybody listens: then every database is looked at once before the daemon is called ready.
    pub(super) fn listens(&self) -> bool {
        self.listener.is_some()
    }

    /// Nobody waits where nobody listens: a deadline that nobody meets would keep the loop spinning.
    pub(super) fn await_looks(&mut self, databases: BTreeSet<String>, now: Instant) {
        self.awaited = databases;
        self.ready_by = self.listens().then_some(now + READY_WITHIN);
    }

    /// Files were read again, whatever came of it. While first looks are awaited, [`Self::turn`] says when it is ready.
    pub(super) fn reloaded(&self) {
        if self.ready_by.is_none() {
            self.tell(&[Notice::Ready]);
        }
    }

    /// A look came back, whatever it saw.
    pub(super) fn looked(&mut self, database: &str) {
        self.awaited.remove(database);
    }

    pub(super) fn tell(&self, notices: &[Notice]) {
        if let Some(listener) = &self.listener {
            (listener.tell)(notices);
        }
    }

    /// Tells what is news.
    pub(super) fn turn(&mut self, now: Instant, status: &str, gets_on: bool) {
        let mut notices = Vec::new();
        if self.ready_by.is_some_and(|by| self.awaited.is_empty() || by <= now) {
            self.ready_by = None;
            notices.push(Notice::Ready);
        }
        if self.status != status {
            status.clone_into(&mut self.status);
            notices.push(Notice::Status(status.to_owned()));
        }
        if self.alive_by().is_some_and(|by| by <= now) {
            self.asked = now;
            if gets_on {
                notices.push(Notice::Alive);
            }
        }
        if !notices.is_empty() {
            self.tell(&notices);
        }
    }

    /// When it has to be asked at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.ready_by.into_iter().chain(self.alive_by()).min()
    }

    /// A sign of life is due before the listener misses it.
    fn alive_by(&self) -> Option<Instant> {
        let every = self.listener.as_ref()?.alive_every?;
        Some(self.asked + every / 2)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    use super::{Listener, Manager, Notice, OVERDUE_AFTER, Pulse, READY_WITHIN};

    #[test]
    fn ready_is_told_once_when_all_were_looked_at_or_had_their_time() {
        for hangs in [false, true] {
            let (told, notices) = channel();
            let tell = move |notices: &[Notice]| told.send(notices.to_vec()).expect("it listens");
            let every = Duration::from_secs(10);
            let listener = Listener { tell: Box::new(tell), alive_every: Some(every) };
            let mut manager = Manager::new(Some(listener));
            let start = Instant::now() + every;
            manager.await_looks(["crm".to_owned(), "hr".to_owned()].into(), start);
            manager.looked("crm");
            manager.turn(start, "starting", true);
            let before = [Notice::Status("starting".to_owned()), Notice::Alive];
            assert_eq!(notices.try_recv().as_deref(), Ok(&before[..]));
            let later = if hangs {
                start + READY_WITHIN
            } else {
                manager.looked("hr");
                start
            };
            manager.turn(later, "starting", false);
            assert_eq!(notices.try_recv().as_deref(), Ok(&[Notice::Ready][..]));
            manager.turn(later, "starting", false);
            assert!(notices.try_recv().is_err(), "nothing is news");
            manager.turn(later + every, "starting", false);
            assert!(notices.try_recv().is_err(), "nothing gets on");
            assert!(manager.deadline() > Some(later + every), "nor is it asked without a pause");
            manager.turn(later + every + every, "starting", true);
            assert_eq!(notices.try_recv().as_deref(), Ok(&[Notice::Alive][..]));
        }
    }

    #[test]
    fn where_nobody_listens_there_is_nothing_to_wait_for() {
        let mut manager = Manager::new(None);
        manager.await_looks(["crm".to_owned()].into(), Instant::now());
        assert_eq!(manager.deadline(), None);
    }

    #[test]
    fn a_reload_does_not_say_ready_before_the_first_looks_are_back() {
        let (told, notices) = channel();
        let tell = move |notices: &[Notice]| told.send(notices.to_vec()).expect("it listens");
        let listener = Listener { tell: Box::new(tell), alive_every: None };
        let mut manager = Manager::new(Some(listener));
        let now = Instant::now();
        manager.await_looks(["crm".to_owned()].into(), now);
        manager.reloaded();
        assert!(notices.try_recv().is_err(), "crm was not looked at");
        manager.looked("crm");
        manager.turn(now, "", true);
        assert_eq!(notices.try_recv().as_deref(), Ok(&[Notice::Ready][..]));
        manager.reloaded();
        assert_eq!(notices.try_recv().as_deref(), Ok(&[Notice::Ready][..]));
    }

    #[test]
    fn a_tick_that_hangs_is_overdue_until_something_ends() {
        let pulse = Pulse::default();
        let long_after = Instant::now() + OVERDUE_AFTER + Duration::from_secs(1);
        assert!(!pulse.is_overdue(Instant::now()));
        assert!(pulse.is_overdue(long_after));
    }
}
