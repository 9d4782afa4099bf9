//! Who gets which lock, and who blocks whom, over all instances.

use std::collections::{BTreeSet, VecDeque};

use super::Cluster;
use super::error::error;
use super::event::EventId;
use super::history::What;
use super::lock::{Blocking, BlockingStatus, Row, RowLock};
use super::session::{Role, Session, SessionKey, TxKey};
use super::transaction::Transaction;
use super::wait::{Doing, Mix};
use crate::ora::OraError;

/// A chain longer than this is taken for a circle.
const CHAIN_MAX: usize = 64;

/// What became of a wish for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// It is granted.
    Granted,
    /// It waits.
    Queued,
}

impl Cluster {
    /// OBJECT_ID of a table, made if it is new.
    pub fn table(&mut self, name: &str) -> u32 {
        if let Some(object) = self.objects.get(name) {
            return *object;
        }
        let object = 73_000 + u32::try_from(self.objects.len()).expect("few tables") * 3;
        self.objects.insert(name.into(), object);
        object
    }

    /// The tables, by name, with their OBJECT_ID.
    pub fn tables(&self) -> impl Iterator<Item = (&str, u32)> {
        self.objects.iter().map(|(name, object)| (&**name, *object))
    }

    /// Gives a session's transaction a row, or lets the session wait for it. The error is ORA-00060.
    pub(super) fn want_row(&mut self, key: SessionKey, row: Row) -> Result<Grant, OraError> {
        // Who only waits has changed nothing yet, and so has no transaction.
        let own = self.session(key).and_then(|session| session.transaction);
        match self.locks.rows.get(&row).map(|lock| lock.holder) {
            None => {
                let transaction = self.ensure_transaction(key);
                self.give_row(row, transaction, VecDeque::new());
            }
            Some(holder) if Some(holder) == own => {}
            Some(holder) => {
                self.queue_for_row(key, row, holder)?;
                let since = self.now;
                self.do_now(key, Doing::Row { row, since, left_by: None });
                self.record(What::LockWanted, key, u64::from(row.number));
                return Ok(Grant::Queued);
            }
        }
        Ok(Grant::Granted)
    }

    fn queue_for_row(&mut self, key: SessionKey, row: Row, holder: TxKey) -> Result<(), OraError> {
        let first = self.transaction(holder).and_then(|transaction| transaction.session);
        if self.leads_to(first, key) {
            return Err(error(60));
        }
        if let Some(lock) = self.locks.rows.get_mut(&row) {
            lock.waiters.push_back(key);
        }
        Ok(())
    }

    /// A transaction lets go of a row before its end: who waits for it waits for its end.
    pub(super) fn let_go(&mut self, transaction: TxKey, row: Row) {
        let Some(lock) = self.locks.rows.remove(&row) else { return };
        for waiter in lock.waiters {
            self.turn_wait(waiter, Some(transaction));
            if let Some(transaction) = self.transaction_mut(transaction) {
                transaction.left_behind.push((waiter, row));
            }
        }
    }

    /// The session waits for its row as before, but for another transaction.
    fn turn_wait(&mut self, key: SessionKey, to: Option<TxKey>) {
        let call = self.session_mut(key).and_then(|session| session.call.as_mut());
        if let Some(Doing::Row { left_by, .. }) = call.map(|call| &mut call.doing) {
            *left_by = to;
        }
    }

    /// The transaction is over for whose end a session waited after it had let go of the row: it gets the row, or waits
    /// for whoever took it meanwhile.
    pub(super) fn want_again(&mut self, key: SessionKey, row: Row) {
        let session = self.session(key).filter(|session| session.doom.is_none());
        match session.and_then(|session| session.call.as_ref()).map(|call| call.doing) {
            Some(Doing::Row { row: wanted, left_by: Some(_), .. }) if wanted == row => {}
            _ => return,
        }
        let Some(holder) = self.locks.rows.get(&row).map(|lock| lock.holder) else {
            let transaction = self.ensure_transaction(key);
            self.give_row(row, transaction, VecDeque::new());
            self.granted(key);
            return;
        };
        self.turn_wait(key, None);
        if self.queue_for_row(key, row, holder).is_err() {
            self.fail_call(key, 60);
        }
    }

    fn give_row(&mut self, row: Row, transaction: TxKey, waiters: VecDeque<SessionKey>) {
        self.locks.rows.insert(row, RowLock { holder: transaction, waiters });
        if let Some(transaction) = self.transaction_mut(transaction) {
            transaction.rows.push(row);
            if !transaction.tables.contains(&row.object) {
                transaction.tables.push(row.object);
            }
        }
    }

    /// Frees a row for the next who waits.
    pub(super) fn pass_on(&mut self, row: Row) {
        let Some(lock) = self.locks.rows.remove(&row) else { return };
        let mut waiters = lock.waiters;
        while let Some(next) = waiters.pop_front() {
            if self.session(next).is_none_or(|session| session.doom.is_some()) {
                continue;
            }
            let transaction = self.ensure_transaction(next);
            self.give_row(row, transaction, waiters);
            self.granted(next);
            return;
        }
    }

    /// A lock was granted to a session that waited.
    pub(super) fn granted(&mut self, key: SessionKey) {
        let doing =
            self.session(key).and_then(|session| session.call.as_ref()).map(|call| call.doing);
        self.do_now(key, Doing::Work(Mix::Oltp));
        self.record(What::LockGot, key, 0);
        match (self.session(key).map(|session| session.role), doing) {
            (Some(Role::Seat(seat)), Some(Doing::Row { .. })) => self.seat_granted(seat),
            (Some(Role::Seat(seat)), _) => self.seat_has_table(seat),
            _ => {}
        }
    }

    /// Changes what a call does.
    pub(super) fn do_now(&mut self, key: SessionKey, doing: Doing) {
        let now = self.now;
        if let Some(session) = self.session_mut(key)
            && let Some(call) = &mut session.call
        {
            call.doing = doing;
            session.turn_to(Some(doing), now);
            session.seq = session.seq.wrapping_add(1);
        }
    }

    /// Takes a session out of the queues in which it stands.
    pub(super) fn leave_queues(&mut self, key: SessionKey) {
        let doing =
            self.session(key).and_then(|session| session.call.as_ref()).map(|call| call.doing);
        match doing {
            Some(Doing::Row { row, left_by: None, .. }) => self.locks.leave_row(row, key),
            Some(Doing::Row { left_by: Some(transaction), .. }) => {
                if let Some(transaction) = self.transaction_mut(transaction) {
                    transaction.left_behind.retain(|(waiter, _)| *waiter != key);
                }
            }
            Some(Doing::Enqueue { id, .. }) => {
                self.locks.leave_modes(id, key);
                // Those behind it may go with who holds it.
                self.serve_lock(id);
            }
            _ => return,
        }
        self.do_now(key, Doing::Work(Mix::Cpu));
    }

    /// Whether a chain from a session leads to another one. Of a user lock all are followed that hold it.
    pub(super) fn leads_to(&self, from: Option<SessionKey>, key: SessionKey) -> bool {
        let mut open: Vec<SessionKey> = from.into_iter().collect();
        let mut met = BTreeSet::new();
        while let Some(found) = open.pop() {
            if found == key {
                return true;
            }
            if met.insert(found)
                && let Some(session) = self.session(found)
            {
                open.extend(self.blockers(session));
            }
        }
        false
    }

    fn blockers(&self, session: &Session) -> Vec<SessionKey> {
        match session.call.as_ref().map(|call| call.doing) {
            Some(Doing::Enqueue { id, .. }) => {
                self.locks.modes.get(&id).map_or_else(Vec::new, |lock| lock.blockers(session.key))
            }
            _ => self.blocker(session).into_iter().collect(),
        }
    }

    /// The session that blocks a session directly.
    pub(super) fn blocker(&self, session: &Session) -> Option<SessionKey> {
        match session.call.as_ref()?.doing {
            Doing::Row { row, left_by, .. } => self.waited_for(row, left_by)?.session,
            Doing::Enqueue { id, .. } => {
                self.locks.modes.get(&id)?.blockers(session.key).first().copied()
            }
            Doing::Wait { event: EventId::LogFileSwitch, .. } => {
                self.instance(session.key.inst_id)?.log_writer
            }
            _ => None,
        }
    }

    /// The transaction for which a session waits that wants a row.
    pub(super) fn waited_for(&self, row: Row, left_by: Option<TxKey>) -> Option<&Transaction> {
        let holder = || self.locks.rows.get(&row).map(|lock| lock.holder);
        self.transaction(left_by.or_else(holder)?)
    }

    /// The blocking columns of V$SESSION.
    pub fn blocking(&self, session: &Session) -> Blocking {
        let doing = session.call.as_ref().map(|call| call.doing);
        let direct = self.blocker(session);
        let status = match (doing, direct) {
            (_, Some(_)) => BlockingStatus::Valid,
            // The holder's session is gone, and its transaction is recovered in the background.
            (Some(Doing::Row { .. }), None) => BlockingStatus::Unknown,
            (Some(Doing::Work(_)), None) if session.wait(self.now).remaining.is_none() => {
                BlockingStatus::NotInWait
            }
            _ => BlockingStatus::NoHolder,
        };
        let mut end = direct;
        for _ in 0..CHAIN_MAX {
            match end.and_then(|key| self.session(key)).and_then(|next| self.blocker(next)) {
                Some(next) => end = Some(next),
                None => break,
            }
        }
        Blocking { status, blocker: direct, final_status: status, final_blocker: end }
    }
}
