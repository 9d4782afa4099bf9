//! What happened, as a digest that two runs can compare, and as a list for those who want to look.

use super::Micros;
use super::rng;
use super::session::SessionKey;

/// What happened to a session or an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A session was made.
    LogOn,
    /// A session's row went.
    LogOff,
    /// A call began.
    CallBegan,
    /// A call ended.
    CallEnded,
    /// A session began to wait for a lock.
    LockWanted,
    /// It got the lock.
    LockGot,
    /// A transaction began.
    Began,
    /// A transaction was committed.
    Committed,
    /// A rollback began.
    RollingBack,
    /// A rollback was done.
    RolledBack,
    /// A session was marked to be killed.
    Marked,
    /// A call was cancelled.
    Cancelled,
    /// A session went over the idle time of its profile.
    Sniped,
    /// A log-on was refused.
    Refused,
    /// An instance opened.
    Opened,
    /// An instance closed or died.
    Closed,
    /// A fault began.
    Fault,
}

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When, on the model's clock.
    pub at: Micros,
    /// What.
    pub what: What,
    /// To whom; SID 0 means the instance.
    pub session: SessionKey,
    /// More: the error's number, the statement's hash value.
    pub detail: u64,
}

/// The history of a cluster.
#[derive(Debug, Clone, Default)]
pub struct History {
    digest: u64,
    count: u64,
    log: Option<Vec<Entry>>,
}

impl History {
    /// A number that follows from all that happened so far, in order.
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// How many things happened.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What happened since [`History::keep`], and forgets it.
    pub fn take(&mut self) -> Vec<Entry> {
        self.log.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps a list from now on.
    pub fn keep(&mut self) {
        self.log.get_or_insert_default();
    }

    pub(super) fn record(&mut self, entry: Entry) {
        let Entry { at, what, session, detail } = entry;
        let who = (u64::from(session.sid) << 32)
            ^ (u64::from(session.serial) << 8)
            ^ u64::from(session.inst_id);
        let when = at.unsigned_abs().wrapping_mul(32).wrapping_add(what as u64);
        self.digest =
            rng::mix(self.digest ^ when).wrapping_add(rng::mix(who ^ detail.rotate_left(17)));
        self.count += 1;
        if let Some(log) = &mut self.log {
            log.push(entry);
        }
    }
}
