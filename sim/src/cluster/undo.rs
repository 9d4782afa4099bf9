//! Transactions of sessions: how they begin, grow and end.

use super::history::What;
use super::queue::Due;
use super::session::{SessionKey, TxKey};
use super::transaction::{Transaction, Undo};
use super::{Cluster, Micros, SECOND};

/// A rollback that takes less than this is done at once.
const ROLLBACK_AT_ONCE: Micros = SECOND / 2;

impl Cluster {
    /// A transaction, as long as it lasts.
    pub fn transaction(&self, key: TxKey) -> Option<&Transaction> {
        self.instance(key.inst_id)?.transactions.get(&key.number)
    }

    pub(super) fn transaction_mut(&mut self, key: TxKey) -> Option<&mut Transaction> {
        self.instance_mut(key.inst_id)?.transactions.get_mut(&key.number)
    }

    /// The transaction of a session, begun if there is none.
    pub(super) fn ensure_transaction(&mut self, session: SessionKey) -> TxKey {
        let found = self.session(session).expect("the caller has the session");
        if let Some(transaction) = found.transaction {
            return transaction;
        }
        let (ses_addr, con_id) = (found.saddr, found.con_id);
        let now = self.now;
        let instance = self.home(session);
        let number = instance.next_transaction;
        instance.next_transaction += 1;
        instance.transactions_used.rise();
        let key = TxKey { inst_id: instance.id, number };
        let small = u32::try_from(number % 1_000_000_000).expect("small");
        let xid = (instance.id * 10 + small % 10, small % 34, 1_000 + small / 10);
        let start = instance.clock(now);
        let undo = Undo { records: 1, at: now, per_second: 0 };
        let transaction = Transaction {
            key,
            xid,
            session: Some(session),
            ses_addr,
            start,
            con_id,
            tables: Vec::new(),
            rows: Vec::new(),
            undo,
            untouched: true,
        };
        instance.transactions.insert(number, transaction);
        self.session_mut(session).expect("the caller has the session").transaction = Some(key);
        self.record(What::Began, session, number);
        key
    }

    /// COMMIT: the locks are free at once.
    pub(super) fn finish_commit(&mut self, session: SessionKey) {
        if let Some(transaction) =
            self.session_mut(session).and_then(|found| found.transaction.take())
        {
            self.record(What::Committed, session, transaction.number);
            self.dissolve(transaction);
        }
        self.release_on_commit(session);
        self.leave_if_asked(session);
    }

    /// Begins to roll back. The result is when it is done: now, if it is small.
    pub(super) fn start_rollback(&mut self, key: TxKey) -> Micros {
        let now = self.now;
        let rate = i64::from(self.spec.limits.rollback_records_per_second).max(1);
        if let Some(until) = self.rolled_back_at(key) {
            return until;
        }
        let Some(transaction) = self.transaction_mut(key) else { return now };
        let records = i64::try_from(transaction.used_urec(now)).unwrap_or(i64::MAX / SECOND);
        let session = transaction.session;
        let length = records.saturating_mul(SECOND) / rate;
        if length < ROLLBACK_AT_ONCE {
            if let Some(session) = session.and_then(|session| self.session_mut(session)) {
                session.transaction = None;
            }
            self.dissolve(key);
            return now;
        }
        transaction.set_rate(now, -rate);
        self.queue.plan(now + length + 1, Due::RolledBack(key));
        let who = session.unwrap_or(SessionKey { inst_id: key.inst_id, sid: 0, serial: 0 });
        self.record(What::RollingBack, who, key.number);
        now + length + 1
    }

    /// When the rollback of a transaction is done, if it has begun.
    pub(super) fn rolled_back_at(&self, key: TxKey) -> Option<Micros> {
        let transaction = self.transaction(key).filter(|one| one.is_rolling_back())?;
        let records = i64::try_from(transaction.used_urec(self.now)).unwrap_or(i64::MAX / SECOND);
        let rate = transaction.undo.per_second.saturating_neg();
        Some(self.now + records.saturating_mul(SECOND) / rate + 1)
    }

    /// A session's row goes while its transaction is rolled back.
    pub(super) fn orphan(&mut self, key: TxKey) {
        if let Some(transaction) = self.transaction_mut(key) {
            transaction.session = None;
        }
    }

    /// A rollback is done.
    pub(super) fn rolled_back(&mut self, key: TxKey) {
        let Some(transaction) = self.transaction(key) else { return };
        let session = transaction.session;
        if let Some(found) = session.and_then(|session| self.session_mut(session)) {
            found.transaction = None;
        }
        self.dissolve(key);
        let who = session.unwrap_or(SessionKey { inst_id: key.inst_id, sid: 0, serial: 0 });
        self.record(What::RolledBack, who, key.number);
        if let Some(session) = session {
            self.after_rollback(session);
        }
    }

    /// Takes a transaction away and gives its rows to those who wait.
    pub(super) fn dissolve(&mut self, key: TxKey) {
        let Some(instance) = self.instance_mut(key.inst_id) else { return };
        let Some(transaction) = instance.transactions.remove(&key.number) else { return };
        instance.transactions_used.fall();
        for row in transaction.rows {
            self.pass_on(row);
        }
    }
}
