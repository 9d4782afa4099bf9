//! User locks (DBMS_LOCK), and tables that somebody locked with LOCK TABLE: sessions hold them in six modes, wait for
//! them in their order, and convert them. Whoever holds one already and wants another mode goes before those that hold
//! nothing yet.

use std::collections::VecDeque;

use super::error::error;
use super::lock::LockId;
use super::session::{Session, SessionKey};
use super::wait::Doing;
use super::{Cluster, Micros};
use crate::ora::OraError;

/// The mode of a lock, as LMODE and REQUEST have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// NL: null.
    Null = 1,
    /// SS: sub shared.
    SubShare = 2,
    /// SX: sub exclusive.
    SubExclusive = 3,
    /// S: shared.
    Share = 4,
    /// SSX: shared sub exclusive.
    ShareSubExclusive = 5,
    /// X: exclusive.
    Exclusive = 6,
}

impl Mode {
    /// The mode of a number, if it is one.
    pub const fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Null,
            2 => Self::SubShare,
            3 => Self::SubExclusive,
            4 => Self::Share,
            5 => Self::ShareSubExclusive,
            6 => Self::Exclusive,
            _ => return None,
        })
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// What somebody has who holds it in both modes.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::SubExclusive, Self::Share) | (Self::Share, Self::SubExclusive) => {
                Self::ShareSubExclusive
            }
            _ => self.max(other),
        }
    }

    /// Whether two sessions can hold a lock in these modes at a time.
    pub const fn goes_with(self, other: Self) -> bool {
        use Mode::{Null, Share, ShareSubExclusive, SubExclusive, SubShare};
        matches!(
            (self, other),
            (Null, _)
                | (_, Null)
                | (SubShare, SubShare | SubExclusive | Share | ShareSubExclusive)
                | (SubExclusive | Share | ShareSubExclusive, SubShare)
                | (SubExclusive, SubExclusive)
                | (Share, Share)
        )
    }
}

/// A session that holds a lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) session: SessionKey,
    pub(super) mode: Mode,
    pub(super) since: Micros,
    pub(super) release_on_commit: bool,
}

/// A session that waits for one, or for another mode of one that it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    pub(super) session: SessionKey,
    pub(super) mode: Mode,
    release_on_commit: bool,
}

/// A user lock or a table that somebody holds or waits for.
#[derive(Debug, Default)]
pub(super) struct ModeLock {
    pub(super) holders: Vec<Holder>,
    /// Those that convert come first.
    pub(super) waiters: VecDeque<Waiter>,
}

impl ModeLock {
    pub(super) fn holder(&self, session: SessionKey) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.session == session)
    }

    /// Whether nobody else holds it in a mode that stands against this one.
    fn admits(&self, session: SessionKey, mode: Mode) -> bool {
        self.against(session, mode).next().is_none()
    }

    fn against(&self, session: SessionKey, mode: Mode) -> impl Iterator<Item = SessionKey> {
        let others = self.holders.iter().filter(move |holder| holder.session != session);
        others.filter(move |holder| !holder.mode.goes_with(mode)).map(|holder| holder.session)
    }

    /// Whom a waiter waits for: those who hold it, or else those before it.
    pub(super) fn blockers(&self, session: SessionKey) -> Vec<SessionKey> {
        let Some(place) = self.waiters.iter().position(|waiter| waiter.session == session) else {
            return Vec::new();
        };
        let holders: Vec<_> = self.against(session, self.waiters[place].mode).collect();
        if holders.is_empty() {
            return self.waiters.iter().take(place).map(|waiter| waiter.session).collect();
        }
        holders
    }

    /// Whether somebody who holds nothing of it could have it in this mode at once.
    pub(super) fn is_free_for(&self, mode: Mode) -> bool {
        self.waiters.is_empty() && self.holders.iter().all(|holder| holder.mode.goes_with(mode))
    }

    pub(super) fn is_free(&self) -> bool {
        self.holders.is_empty() && self.waiters.is_empty()
    }

    /// Gives it; true to a session that did not hold it.
    fn give(&mut self, waiter: Waiter, since: Micros) -> bool {
        let Waiter { session, mode, release_on_commit } = waiter;
        if let Some(holder) = self.holders.iter_mut().find(|holder| holder.session == session) {
            holder.mode = mode;
            return false;
        }
        self.holders.push(Holder { session, mode, since, release_on_commit });
        true
    }
}

/// A wait without an end.
pub const FOR_EVER: Micros = Micros::MAX / 4;

/// Locks that a session may hold: more are a mistake, and every look at V$LOCK is at all of them.
const LOCKS_MAX: u32 = 1_000;

impl Cluster {
    /// DBMS_LOCK.REQUEST: 0 granted, 4 held already, 1 not to be had at once, 2 a deadlock; `None`: it waits. The error
    /// is ORA-00052.
    pub(super) fn want_lock(
        &mut self,
        session: SessionKey,
        id: LockId,
        mode: Mode,
        timeout: Micros,
        release_on_commit: bool,
    ) -> Result<Option<u32>, OraError> {
        if self.locks.modes.get(&id).is_some_and(|lock| lock.holder(session).is_some()) {
            return Ok(Some(4));
        }
        if self.session(session).is_none_or(|found| found.locks >= LOCKS_MAX) {
            return Err(error(52));
        }
        let now = self.now;
        let lock = self.locks.modes.entry(id).or_default();
        let waiter = Waiter { session, mode, release_on_commit };
        if lock.waiters.is_empty() && lock.admits(session, mode) {
            lock.give(waiter, now);
            self.count_lock(session);
            return Ok(Some(0));
        }
        let place = lock.waiters.len();
        Ok(self.queue_for(id, waiter, place, timeout))
    }

    fn count_lock(&mut self, session: SessionKey) {
        if let Some(session) = self.session_mut(session) {
            session.locks += 1;
        }
    }

    /// DBMS_LOCK.CONVERT: as REQUEST, and 4 if it is not held.
    pub(super) fn turn_lock(
        &mut self,
        session: SessionKey,
        id: LockId,
        mode: Mode,
        timeout: Micros,
    ) -> Option<u32> {
        let Some(lock) = self.locks.modes.get_mut(&id) else { return Some(4) };
        let Some(holder) = lock.holder(session).copied() else { return Some(4) };
        let waiter = Waiter { session, mode, release_on_commit: holder.release_on_commit };
        if lock.admits(session, mode) {
            lock.give(waiter, holder.since);
            self.serve_lock(id);
            return Some(0);
        }
        let converts = |one: &&Waiter| lock.holder(one.session).is_some();
        let place = lock.waiters.iter().take_while(converts).count();
        self.queue_for(id, waiter, place, timeout)
    }

    fn queue_for(
        &mut self,
        id: LockId,
        waiter: Waiter,
        place: usize,
        timeout: Micros,
    ) -> Option<u32> {
        if timeout <= 0 {
            return Some(1);
        }
        let (session, since) = (waiter.session, self.now);
        self.locks.modes.get_mut(&id)?.waiters.insert(place, waiter);
        let blockers = self.locks.modes.get(&id).map(|lock| lock.blockers(session));
        if blockers.unwrap_or_default().into_iter().any(|one| self.leads_to(Some(one), session)) {
            self.locks.leave_modes(id, session);
            return Some(2);
        }
        let deadline = (timeout < FOR_EVER).then(|| since + timeout);
        self.do_now(session, Doing::Enqueue { id, mode: waiter.mode, since, deadline });
        None
    }

    /// DBMS_LOCK.RELEASE: 0, or 4 if it is not held.
    pub(super) fn free_lock(&mut self, session: SessionKey, id: LockId) -> u32 {
        let Some(lock) = self.locks.modes.get_mut(&id) else { return 4 };
        let before = lock.holders.len();
        lock.holders.retain(|holder| holder.session != session);
        if lock.holders.len() == before {
            return 4;
        }
        if let Some(session) = self.session_mut(session) {
            session.locks -= 1;
        }
        self.serve_lock(id);
        0
    }

    /// Gives a lock to those who wait for it and have not given up, as far as their modes go together.
    pub(super) fn serve_lock(&mut self, id: LockId) {
        let now = self.now;
        loop {
            let Some(lock) = self.locks.modes.get(&id) else { return };
            if lock.is_free() {
                self.locks.modes.remove(&id);
                return;
            }
            let Some(next) = lock.waiters.front().copied() else { return };
            let admitted = lock.admits(next.session, next.mode);
            let waits = self.still_waits(next.session, id);
            if waits && !admitted {
                return;
            }
            let Some(lock) = self.locks.modes.get_mut(&id) else { return };
            lock.waiters.pop_front();
            if waits {
                if lock.give(next, now) {
                    self.count_lock(next.session);
                }
                self.granted(next.session);
            }
        }
    }

    /// Whether a session waits for a lock, neither marked nor past its time.
    fn still_waits(&self, key: SessionKey, id: LockId) -> bool {
        let session = self.session(key).filter(|session| session.doom.is_none());
        match session.and_then(|session| session.call.as_ref()).map(|call| call.doing) {
            Some(Doing::Enqueue { id: wanted, deadline, .. }) => {
                wanted == id && deadline.is_none_or(|deadline| deadline >= self.now)
            }
            _ => false,
        }
    }

    /// All that a session holds is free.
    pub(super) fn release_locks(&mut self, key: SessionKey) {
        if !self.holds_locks(key) {
            return;
        }
        for id in self.locks.held_by(key) {
            self.free_lock(key, id);
        }
    }

    /// LOCK TABLE: as REQUEST, and 0 for a mode that is held already. Until it is free again, whoever changes the table
    /// has to ask for it in the same way.
    pub fn lock_table(
        &mut self,
        session: SessionKey,
        object: u32,
        mode: Mode,
        timeout: Micros,
    ) -> Result<Option<u32>, OraError> {
        self.check_alive(session)?;
        let id = LockId::Table(object);
        if !self.locks.modes.contains_key(&id) {
            self.guard_table(object);
        }
        let holder = self.locks.modes.get(&id).and_then(|lock| lock.holder(session));
        let Some(held) = holder.map(|holder| holder.mode) else {
            let answer = self.want_lock(session, id, mode, timeout, true);
            // One that nobody holds in the end need not be guarded.
            self.serve_lock(id);
            return answer;
        };
        if held.and(mode) == held {
            return Ok(Some(0));
        }
        Ok(self.turn_lock(session, id, held.and(mode), timeout))
    }

    /// From now on it counts who has changed a table, or is about to.
    fn guard_table(&mut self, object: u32) {
        let of = |session: &Session| {
            let transaction = session.transaction.and_then(|key| self.transaction(key));
            let changed = transaction.is_some_and(|one| one.tables.contains(&object));
            changed || self.waits_in_table(session) == Some(object)
        };
        let users: Vec<_> = self.sessions().filter(|one| of(one)).map(|one| one.key).collect();
        let now = self.now;
        let lock = self.locks.modes.entry(LockId::Table(object)).or_default();
        for session in &users {
            let mode = Mode::SubExclusive;
            lock.give(Waiter { session: *session, mode, release_on_commit: true }, now);
        }
        for session in users {
            self.count_lock(session);
        }
    }

    /// Frees the tables that a session has locked but its transaction, rolled back to some point, does not have.
    pub(super) fn free_tables(&mut self, session: SessionKey) {
        if !self.holds_locks(session) {
            return;
        }
        let transaction = self.session(session).and_then(|found| found.transaction);
        let kept = transaction.and_then(|key| self.transaction(key)).map(|one| one.tables.clone());
        let kept = kept.unwrap_or_default();
        for id in self.locks.held_by(session) {
            if matches!(id, LockId::Table(object) if !kept.contains(&object)) {
                self.free_lock(session, id);
            }
        }
    }

    /// Looking for them is looking at those of everybody.
    fn holds_locks(&self, key: SessionKey) -> bool {
        self.session(key).is_some_and(|session| session.locks > 0)
    }

    /// COMMIT and ROLLBACK free what was asked for so.
    pub(super) fn release_on_commit(&mut self, key: SessionKey) {
        if !self.holds_locks(key) {
            return;
        }
        for id in self.locks.held_by(key) {
            let holder = self.locks.modes.get(&id).and_then(|lock| lock.holder(key));
            if holder.is_some_and(|holder| holder.release_on_commit) {
                self.free_lock(key, id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mode;

    /// The table of DBMS_LOCK's documentation: what is held by whom, and whether another one can be had.
    #[test]
    fn the_modes_go_together_as_documented() {
        let table = ["yyyyyy", "yyyyyn", "yyynnn", "yynynn", "yynnnn", "ynnnnn"];
        for (held, row) in (1..).zip(table) {
            for (wanted, mark) in (1..).zip(row.chars()) {
                let (held, wanted) = (Mode::of(held), Mode::of(wanted));
                let (held, wanted) = (held.expect("1 to 6"), wanted.expect("1 to 6"));
                assert_eq!(held.goes_with(wanted), mark == 'y', "{held:?} {wanted:?}");
            }
        }
        assert_eq!((Mode::of(0), Mode::of(7)), (None, None));
    }
}
