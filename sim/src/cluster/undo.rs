//! Transactions of sessions: how they begin, grow and end.

use super::history::What;
use super::queue::Due;
use super::session::{SessionKey, TxKey};
use super::transaction::{Point, Transaction, Undo};
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
            left_behind: Vec::new(),
            savepoints: Vec::new(),
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
            self.end_transaction(key);
            if let Some(session) = session {
                self.release_on_commit(session);
            }
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
        self.end_transaction(key);
        if let Some(session) = session {
            self.release_on_commit(session);
            self.after_rollback(session);
        }
    }

    /// All of a transaction is undone.
    fn end_transaction(&mut self, key: TxKey) {
        let session = self.transaction(key).and_then(|transaction| transaction.session);
        if let Some(found) = session.and_then(|session| self.session_mut(session)) {
            found.transaction = None;
        }
        let who = session.unwrap_or(SessionKey { inst_id: key.inst_id, sid: 0, serial: 0 });
        self.record(What::RolledBack, who, key.number);
        self.dissolve(key);
    }

    /// Takes a transaction away and gives its rows to those who wait.
    pub(super) fn dissolve(&mut self, key: TxKey) {
        let Some(instance) = self.instance_mut(key.inst_id) else { return };
        let Some(transaction) = instance.transactions.remove(&key.number) else { return };
        instance.transactions_used.fall();
        for row in transaction.rows {
            self.pass_on(row);
        }
        for (session, row) in transaction.left_behind {
            self.want_again(session, row);
        }
    }

    /// How far the transaction of a session has come.
    pub fn point(&self, session: SessionKey) -> Point {
        let key = self.session(session).and_then(|found| found.transaction);
        key.and_then(|key| self.transaction(key)).map_or_else(Point::default, |found| Point {
            transaction: Some(found.key),
            rows: found.rows.len(),
            tables: found.tables.len(),
            records: found.used_urec(self.now),
            untouched: found.untouched,
        })
    }

    /// Frees what the transaction of a session locked since a point: all of it, if it is another one than then. The
    /// result is whether it is the same. It goes on in any case.
    pub fn roll_back_to(&mut self, session: SessionKey, point: Point) -> bool {
        let now = self.now;
        let Some(key) = self.session(session).and_then(|found| found.transaction) else {
            self.free_tables(session);
            return point.transaction.is_none();
        };
        let same = point.transaction == Some(key);
        let point = if same { point } else { Point { untouched: true, ..Point::default() } };
        let Some(transaction) = self.transaction_mut(key) else { return same };
        if transaction.is_rolling_back() {
            return same;
        }
        transaction.undo = Undo { records: point.records.max(1), at: now, ..transaction.undo };
        transaction.untouched = point.untouched;
        transaction.tables.truncate(point.tables);
        let freed = transaction.rows.split_off(point.rows.min(transaction.rows.len()));
        for row in freed {
            self.let_go(key, row);
        }
        self.free_tables(session);
        same
    }

    /// Undoes what a statement that failed has locked: nothing is left of a transaction that began with it, unless
    /// somebody waits for its end.
    pub fn undo_statement(&mut self, session: SessionKey, began: Point) -> bool {
        let same = self.roll_back_to(session, began);
        let key = self.session(session).and_then(|found| found.transaction);
        if let Some(key) = key.filter(|_| !same)
            && let Some(transaction) = self.transaction(key)
            && transaction.left_behind.is_empty()
            && !transaction.is_rolling_back()
        {
            self.end_transaction(key);
        }
        same
    }

    /// SAVEPOINT. Before the transaction begins there is nothing to remember.
    pub fn savepoint(&mut self, session: SessionKey, name: &str) {
        let point = self.point(session);
        if let Some(transaction) = point.transaction.and_then(|key| self.transaction_mut(key)) {
            transaction.savepoints.retain(|(known, _)| **known != *name);
            transaction.savepoints.push((name.into(), point));
        }
    }

    /// ROLLBACK TO, with a savepoint that was there before the transaction or in it.
    pub fn roll_back_to_savepoint(&mut self, session: SessionKey, name: &str) {
        let transaction = self.session(session).and_then(|found| found.transaction);
        let transaction = transaction.and_then(|key| self.transaction(key));
        let known = transaction.and_then(|one| one.savepoints.iter().find(|one| *one.0 == *name));
        let point = known.map(|(_, point)| *point).unwrap_or_default();
        self.roll_back_to(session, point);
    }
}
