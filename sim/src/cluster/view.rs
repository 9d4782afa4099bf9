//! What the fixed views show besides sessions, processes and transactions.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Cluster;
use super::instance::{DeadCleanup, Instance, InstanceState, ResourceLimit};
use super::kill::Stage;
use super::lock::{LockId, LockRow};
use super::mode_lock::{Mode, Waiter};
use super::session::{Session, SessionKey};
use super::spec::Workload;
use super::statement::{SqlId, Statement};
use super::transaction::Transaction;
use super::wait::{Doing, Wait};
use super::{Micros, SECOND};

/// A row of V$SESSION_LONGOPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongOp {
    /// The session.
    pub session: SessionKey,
    /// OPNAME.
    pub name: &'static str,
    /// SOFAR in blocks.
    pub sofar: u64,
    /// TOTALWORK in blocks.
    pub total: u64,
    /// ELAPSED_SECONDS.
    pub elapsed: u64,
    /// TIME_REMAINING in seconds.
    pub remaining: u64,
    /// SQL_ID.
    pub sql_id: Option<SqlId>,
}

/// A container of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// CON_ID: 0 for a database that is no CDB.
    pub con_id: u32,
    /// NAME.
    pub name: String,
}

fn seconds(length: Micros) -> u64 {
    u64::try_from(length / SECOND).unwrap_or(0)
}

impl Cluster {
    /// LAST_CALL_ET now.
    pub fn last_call_et(&self, session: &Session) -> u64 {
        let step = u64::from(self.spec.switches.last_call_et_step.max(1));
        session.last_call_et(self.now) / step * step
    }

    /// The wait columns of a session now. P2 and P3 of a wait for a row are the transaction that holds it, as ID1 and
    /// ID2 in V$LOCK.
    pub fn wait(&self, session: &Session) -> Wait {
        let mut wait = session.wait(self.now);
        let doing = session.call.as_ref().map(|call| call.doing);
        if let Some(Doing::Row { row, left_by, .. }) = doing
            && let Some(holder) = self.waited_for(row, left_by)
        {
            let (id1, id2) = holder.lock_ids();
            wait.p = [wait.p[0], id1, id2];
        }
        wait
    }

    /// The statements of the shared pool, by SQL_ID.
    pub fn statements(&self) -> impl Iterator<Item = &Arc<Statement>> {
        self.pool.iter()
    }

    /// A statement of the shared pool.
    pub fn statement(&self, sql_id: SqlId) -> Option<&Arc<Statement>> {
        self.pool.get(sql_id)
    }

    /// The containers, by CON_ID.
    pub fn containers(&self) -> Vec<Container> {
        if self.spec.containers.is_empty() {
            return vec![Container { con_id: 0, name: self.spec.name.clone() }];
        }
        let fixed = ["CDB$ROOT".to_owned(), "PDB$SEED".to_owned()];
        let all = fixed.into_iter().chain(self.spec.containers.iter().cloned());
        (1..).zip(all).map(|(con_id, name)| Container { con_id, name }).collect()
    }

    /// The services of an instance that is open, in any case as they were written: its clients', the database's and the
    /// containers'.
    pub fn services(&self, instance: &Instance) -> BTreeSet<String> {
        if instance.state != InstanceState::Open {
            return BTreeSet::new();
        }
        let serves = |workload: &&Workload| {
            let anywhere =
                workload.instances.is_empty() || workload.instances.contains(&instance.id);
            anywhere && !workload.service.starts_with("SYS$")
        };
        let clients =
            self.spec.workloads.iter().filter(serves).map(|workload| workload.service.clone());
        let containers = self.spec.containers.iter().cloned();
        clients.chain(containers).chain([self.spec.name.clone()]).collect()
    }

    /// V$LOCK of an instance, by SID.
    pub fn lock_rows(&self, instance: &Instance) -> Vec<LockRow> {
        let mut rows = Vec::new();
        for session in instance.sessions() {
            let row = |lock_type, id1, id2, mode, request, ctime| LockRow {
                sid: session.key.sid,
                saddr: session.saddr,
                lock_type,
                id1,
                id2,
                mode,
                request,
                ctime,
                block: 0,
                con_id: if lock_type == "TX" { 0 } else { session.con_id },
            };
            if session.user.is_some() && session.px.is_none() {
                rows.push(row(
                    "AE",
                    133,
                    0,
                    4,
                    0,
                    seconds(instance.clock(self.now) - session.logon),
                ));
            }
            self.transaction_locks(instance, session, &mut rows, row);
            self.wanted_locks(session, &mut rows, row);
        }
        self.mode_lock_rows(instance, &mut rows);
        rows.sort_by_key(|row| (row.sid, row.lock_type, row.id1));
        rows
    }

    fn transaction_locks(
        &self,
        instance: &Instance,
        session: &Session,
        rows: &mut Vec<LockRow>,
        row: impl Fn(&'static str, u64, u64, u32, u32, u64) -> LockRow,
    ) {
        let Some(transaction) = session.transaction.and_then(|key| self.transaction(key)) else {
            return;
        };
        let age = seconds(instance.clock(self.now) - transaction.start);
        let (id1, id2) = transaction.lock_ids();
        let wanted = self.blocked(transaction) > 0;
        let several = self.instances.len() > 1;
        let block = match (wanted, several) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 0,
        };
        rows.push(LockRow { block, ..row("TX", id1, id2, 6, 0, age) });
        // What is locked in a mode of its own comes with the user locks.
        let others = transaction.tables.iter().filter(|it| self.held_mode(session, **it).is_none());
        for table in others {
            let block = if several { 2 } else { 0 };
            rows.push(LockRow { block, ..row("TM", u64::from(*table), 0, 3, 0, age) });
        }
    }

    fn wanted_locks(
        &self,
        session: &Session,
        rows: &mut Vec<LockRow>,
        row: impl Fn(&'static str, u64, u64, u32, u32, u64) -> LockRow,
    ) {
        match session.call.as_ref().map(|call| call.doing) {
            Some(Doing::Row { row: wanted, since, left_by }) => {
                if let Some(holder) = self.waited_for(wanted, left_by) {
                    let (id1, id2) = holder.lock_ids();
                    rows.push(row("TX", id1, id2, 0, 6, seconds(self.now - since)));
                }
                // The table was locked before the row was wanted.
                if !self.has_locked(session, wanted.object)
                    && self.held_mode(session, wanted.object).is_none()
                {
                    let block = if self.instances.len() > 1 { 2 } else { 0 };
                    let table =
                        row("TM", u64::from(wanted.object), 0, 3, 0, seconds(self.now - since));
                    rows.push(LockRow { block, ..table });
                }
            }
            // Who converts a lock has one row for what it holds and what it wants.
            Some(Doing::Enqueue { id, mode, since, .. })
                if self
                    .locks
                    .modes
                    .get(&id)
                    .is_none_or(|lock| lock.holder(session.key).is_none()) =>
            {
                let ctime = seconds(self.now - since);
                rows.push(row(id.lock_type(), id.id1(), 0, 0, mode.number(), ctime));
            }
            _ => {}
        }
    }

    /// LOCKED_MODE of V$LOCKED_OBJECT: how a session has a table that it changes, waits in or has locked.
    pub fn locked_mode(&self, session: &Session, object: u32) -> u32 {
        self.held_mode(session, object).unwrap_or(Mode::SubExclusive).number()
    }

    /// The mode of a table that somebody locked with LOCK TABLE.
    fn held_mode(&self, session: &Session, object: u32) -> Option<Mode> {
        Some(self.locks.modes.get(&LockId::Table(object))?.holder(session.key)?.mode)
    }

    /// Whether the session's transaction has changed a table.
    fn has_locked(&self, session: &Session, object: u32) -> bool {
        let transaction = session.transaction.and_then(|key| self.transaction(key));
        transaction.is_some_and(|transaction| transaction.tables.contains(&object))
    }

    /// The table whose TM lock a session has that waits for one of its rows and has not changed it yet.
    pub fn waits_in_table(&self, session: &Session) -> Option<u32> {
        match session.call.as_ref()?.doing {
            Doing::Row { row, .. } if !self.has_locked(session, row.object) => Some(row.object),
            _ => None,
        }
    }

    fn mode_lock_rows(&self, instance: &Instance, rows: &mut Vec<LockRow>) {
        for (id, lock) in &self.locks.modes {
            let here = lock.holders.iter().filter(|one| one.session.inst_id == instance.id);
            for holder in here {
                let Some(session) = self.session(holder.session) else { continue };
                let wants = lock.waiters.iter().find(|waiter| waiter.session == holder.session);
                let blocks =
                    |waiter: &&Waiter| lock.blockers(waiter.session).contains(&holder.session);
                rows.push(LockRow {
                    sid: session.key.sid,
                    saddr: session.saddr,
                    lock_type: id.lock_type(),
                    id1: id.id1(),
                    id2: 0,
                    mode: holder.mode.number(),
                    request: wants.map_or(0, |waiter| waiter.mode.number()),
                    ctime: seconds(self.now - holder.since),
                    block: if lock.waiters.iter().any(|waiter| blocks(&waiter)) { 1 } else { 2 },
                    con_id: session.con_id,
                });
            }
        }
    }

    /// V$SESSION_LONGOPS of an instance: calls that work for more than six seconds, and rollbacks.
    pub fn long_ops(&self, instance: &Instance) -> Vec<LongOp> {
        let long = |session: &Session| {
            let call = session.call.as_ref()?;
            let expected = call.expected?;
            let elapsed = self.now - call.began;
            let whole = (expected - call.began).max(1);
            if elapsed < 6 * SECOND || !matches!(call.doing, Doing::Work(_)) {
                return None;
            }
            Some(LongOp {
                session: session.key,
                name: "Table Scan",
                sofar: seconds(elapsed) * 1_000,
                total: seconds(whole) * 1_000,
                elapsed: seconds(elapsed),
                remaining: seconds((whole - elapsed).max(0)),
                sql_id: session.current.as_ref().map(|current| current.statement.sql_id),
            })
        };
        let rollback = |transaction: &Transaction| {
            if !transaction.is_rolling_back() {
                return None;
            }
            let (now, undo) = (transaction.used_ublk(self.now), transaction.undo);
            Some(LongOp {
                session: transaction.session?,
                name: "Transaction Rollback",
                sofar: transaction.used_ublk(undo.at).saturating_sub(now),
                total: transaction.used_ublk(undo.at),
                elapsed: seconds(self.now - undo.at),
                remaining: transaction.used_urec(self.now) / undo.per_second.unsigned_abs().max(1),
                sql_id: None,
            })
        };
        let calls = instance.sessions().filter_map(long);
        calls.chain(instance.transactions().filter_map(rollback)).collect()
    }

    /// V$DEAD_CLEANUP of an instance.
    pub fn dead_cleanup(&self, instance: &Instance) -> Vec<DeadCleanup> {
        let mut rows = Vec::new();
        for key in self.dying.iter().filter(|key| key.inst_id == instance.id) {
            let Some(session) = self.session(*key) else { continue };
            let Some(doom) = session.doom else { continue };
            rows.push(DeadCleanup {
                cleanup_type: "KILLED SESSION",
                paddr: session.paddr,
                saddr: session.saddr,
                state: match doom.stage {
                    Stage::Marked => "UNSAFE TO ATTEMPT",
                    Stage::RollingBack => "PARTIAL CLEANUP",
                    Stage::AwaitingAcknowledgement => "RESOURCES FREED - PENDING ACK",
                },
                dead_time: seconds(self.now - doom.marked),
                attempts: seconds(self.now - doom.marked) / 10,
                blocked: session
                    .transaction
                    .and_then(|key| self.transaction(key))
                    .map_or(0, |one| self.blocked(one)),
                con_id: session.con_id,
            });
        }
        for transaction in
            instance.transactions().filter(|transaction| transaction.session.is_none())
        {
            rows.push(DeadCleanup {
                cleanup_type: "DEAD PROCESS",
                paddr: 0,
                saddr: transaction.ses_addr,
                state: "PARTIAL CLEANUP",
                dead_time: seconds(self.now - transaction.undo.at),
                attempts: 1,
                blocked: self.blocked(transaction),
                con_id: transaction.con_id,
            });
        }
        rows
    }

    /// How many sessions wait for the rows of a transaction.
    fn blocked(&self, transaction: &Transaction) -> u64 {
        let locks = transaction.rows.iter().filter_map(|row| self.locks.rows.get(row));
        let waiting = locks.map(|lock| lock.waiters.len()).sum::<usize>();
        (waiting + transaction.left_behind.len()) as u64
    }

    /// V$RESOURCE_LIMIT of an instance.
    pub fn resource_limits(&self, instance: &Instance) -> Vec<ResourceLimit> {
        let limits = &self.spec.limits;
        let row = |name, gauge: super::instance::Gauge, limit: Option<u32>| ResourceLimit {
            name,
            current: u64::from(gauge.now),
            max: u64::from(gauge.peak),
            limit: limit.map(u64::from),
        };
        vec![
            row("processes", instance.processes_used, Some(limits.processes)),
            row("sessions", instance.sessions_used, Some(limits.sessions())),
            row("transactions", instance.transactions_used, None),
            row("parallel_max_servers", instance.slaves_used, Some(limits.parallel_servers)),
        ]
    }
}
