//! Clients behind the wire: what they do to the model, step by step. Whoever calls this plays the server process of one
//! session: [`Cluster::begin_call`], then what the statement does, then [`Cluster::end_call`].

use std::sync::Arc;

use super::birth::Birth;
use super::error::error;
use super::history::What;
use super::instance::InstanceState;
use super::kill::Parting;
use super::lock::{LockId, Row};
pub use super::locking::Grant;
use super::mode_lock::{FOR_EVER, Mode};
use super::session::{
    Call, CallKind, Client, Execution, Marks, Role, Server, Session, SessionKey, SessionType,
};
use super::statement::Statement;
use super::wait::{Doing, Mix};
use super::{Cluster, Micros, SECOND};
use crate::conversation::{Death, Tags};
use crate::ora::OraError;

/// Names of locks that a database keeps: it never forgets one, and a client may think of any number.
const LOCK_NAMES_MAX: u32 = 100_000;

/// Who logs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOn {
    /// USERNAME.
    pub user: String,
    /// USER#, if the account has one; SYS is 0.
    pub user_id: Option<u32>,
    /// CON_ID.
    pub con_id: u32,
    /// What the client says.
    pub client: Client,
    /// MODULE and the like.
    pub tags: Tags,
}

/// What became of a call that waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// It still waits.
    Waiting,
    /// The lock is granted, the sleep is over: 0. A user lock was not to be had: 1.
    Done(u32),
    /// It was cancelled or its session was ended.
    Failed(OraError),
}

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// It was fetched to its end: SQL_ID becomes PREV_SQL_ID.
    Closed,
    /// It holds SQL_ID (facts, section 1.8).
    Open,
}

impl Cluster {
    /// Logs a client on. The error is ORA-00018, 00020, 02391, 01033, 01034 or 01089.
    pub fn log_on(&mut self, inst_id: u32, who: LogOn) -> Result<SessionKey, OraError> {
        let refused = self.check_log_on(inst_id, &who.user);
        let user = self.user(&who.user, who.user_id);
        let marks = marks_of(&Marks::default(), &who.tags);
        let birth = Birth {
            user: Some(user),
            session_type: SessionType::User,
            connected: Server::Dedicated,
            client: Arc::new(who.client),
            marks,
            con_id: who.con_id,
            role: Role::Live,
            process_name: None,
            starting: false,
            logon: self.now,
            audsid: None,
        };
        let result = refused.and_then(|()| self.spawn(inst_id, birth));
        if let Err(error) = &result {
            self.record(
                What::Refused,
                SessionKey { inst_id, sid: 0, serial: 0 },
                u64::from(error.code),
            );
        }
        result
    }

    /// What stands against a log-on besides limits of the instance.
    fn check_log_on(&mut self, inst_id: u32, user: &str) -> Result<(), OraError> {
        self.check_open(inst_id)?;
        if let Some(code) =
            self.instance_mut(inst_id).and_then(|instance| instance.trouble.log_on_errors.pop())
        {
            return Err(error(code));
        }
        if let Some(most) = self.profile(user).and_then(|profile| profile.sessions) {
            let sessions = self.instance(inst_id).expect("it is open").sessions();
            if sessions.filter(|session| session.username() == Some(user)).count() >= most as usize
            {
                return Err(error(2_391));
            }
        }
        Ok(())
    }

    fn is_over_connect_time(&self, key: SessionKey) -> bool {
        let (Some(session), Some(instance)) = (self.session(key), self.instance(key.inst_id))
        else {
            return false;
        };
        let minutes =
            session.username().and_then(|user| self.profile(user)).and_then(|p| p.connect_minutes);
        let age = instance.clock(self.now) - session.logon;
        minutes.is_some_and(|minutes| age > i64::from(minutes) * 60 * SECOND)
    }

    /// Begins a call: STATUS is ACTIVE from now. The result is when the call will be through, without what it waits for
    /// itself: now, or later on a slow or hung instance. The error is what its client gets; with ORA-00028 and its like
    /// the session is over.
    pub fn begin_call(
        &mut self,
        key: SessionKey,
        kind: CallKind,
        sql: Option<&str>,
    ) -> Result<Micros, OraError> {
        if let Some(death) = self.death(key) {
            self.acknowledge(key);
            return Err(told(death));
        }
        if let Err(error) = self.check_alive(key) {
            // If it is marked, its rollback goes on without its client.
            self.drop_connection(key);
            return Err(error);
        }
        if self.is_over_connect_time(key) {
            self.remove(key, None);
            return Err(error(2_399));
        }
        let statement = sql.map(|sql| self.interned(key, sql));
        self.enter_call(key, kind, statement, Doing::Work(Mix::Cpu));
        let session = self.session_mut(key).expect("it was just there");
        if std::mem::take(&mut session.cancel_next) && kind != CallKind::Bare {
            self.end_call(key, Cursor::Closed);
            self.record(What::Cancelled, key, 1);
            return Err(error(1_013));
        }
        if kind != CallKind::Bare
            && let Some(code) = self.home(key).trouble.errors.pop()
        {
            self.end_call(key, Cursor::Closed);
            return Err(error(code));
        }
        if kind == CallKind::Gv
            && let Err(error) = self.start_readers(key)
        {
            self.end_call(key, Cursor::Closed);
            return Err(error);
        }
        // What the client broke off was perhaps a rollback.
        let transaction = self.session(key).and_then(|session| session.transaction);
        let rolled_back = transaction.and_then(|transaction| self.rolled_back_at(transaction));
        Ok(self.through_at(key.inst_id, kind).max(rolled_back.unwrap_or(self.now)))
    }

    /// Whether a session is there and nobody has marked it. The error is ORA-01012, or how it is about to end.
    pub fn check_alive(&self, key: SessionKey) -> Result<(), OraError> {
        match self.session(key).map(|session| session.doom) {
            None => Err(error(1_012)),
            Some(Some(doom)) => Err(doom.parting.error()),
            Some(None) => Ok(()),
        }
    }

    /// Ends the call: STATUS is INACTIVE from now.
    pub fn end_call(&mut self, key: SessionKey, cursor: Cursor) {
        self.leave_queues(key);
        self.end_slaves(key);
        self.leave_call(key, cursor);
        // What its call could not notice, it notices now.
        self.notice(key);
    }

    /// The statement of a text that a session runs.
    fn interned(&mut self, key: SessionKey, sql: &str) -> Arc<Statement> {
        let schema = self.session(key).map(|session| Arc::clone(&session.schema.name));
        self.pool.intern(sql, &schema.unwrap_or_else(|| "SYS".into()))
    }

    /// A block runs a statement: SQL_ID changes, LAST_CALL_ET goes on (facts, section 1.7).
    pub fn run_statement(&mut self, key: SessionKey, sql: &str) {
        let statement = self.interned(key, sql);
        let now = self.now;
        let (id, start) = self.next_execution(key.inst_id, now);
        if let Some(session) = self.session_mut(key).filter(|session| session.call.is_some()) {
            session.command = statement.command;
            let execution = Execution { statement, child: 0, start, id };
            session.previous = session.current.replace(execution).or(session.previous.take());
        }
    }

    /// SQL_EXEC_ID and SQL_EXEC_START of an execution that begins.
    fn next_execution(&mut self, inst_id: u32, now: Micros) -> (u32, Option<Micros>) {
        let Some(instance) = self.instance_mut(inst_id) else { return (0, None) };
        instance.next_execution = (instance.next_execution + 1) & 0x00ff_ffff;
        ((instance.id << 24) | instance.next_execution, Some(instance.clock(now) / SECOND * SECOND))
    }

    /// ALTER SYSTEM ENABLE and DISABLE RESTRICTED SESSION.
    pub fn restrict(&mut self, inst_id: u32, restricted: bool) {
        if let Some(instance) = self.instance_mut(inst_id) {
            instance.restricted = restricted;
        }
    }

    /// MODULE, ACTION and the like; empty text is NULL.
    pub fn tag(&mut self, key: SessionKey, tags: &Tags) {
        if let Some(session) = self.session_mut(key) {
            session.marks = marks_of(&session.marks, tags);
        }
    }

    /// ALTER SESSION ENABLE, DISABLE or FORCE PARALLEL DML (0), DDL (1) or QUERY (2); false for another kind.
    pub fn set_parallel(&mut self, key: SessionKey, kind: usize, status: &'static str) -> bool {
        let session = self.session_mut(key);
        let shown = session.and_then(|session| session.parallel.get_mut(kind));
        shown.is_some_and(|shown| {
            *shown = status;
            true
        })
    }

    /// ALTER SESSION SET CURRENT_SCHEMA.
    pub fn set_schema(&mut self, key: SessionKey, schema: &str) {
        let schema = self.user(schema, None);
        if let Some(session) = self.session_mut(key) {
            session.schema = schema;
        }
    }

    /// LOGOFF: a transaction is committed.
    pub fn log_off(&mut self, key: SessionKey) {
        self.commit(key);
        self.drop_connection(key);
    }

    /// ALTER SESSION SET CONTAINER: what others see of the session, with the service of the container.
    pub fn set_container(&mut self, key: SessionKey, con_id: u32, service: &str) {
        if let Some(session) = self.session_mut(key) {
            session.con_id = con_id;
            Arc::make_mut(&mut session.client).service = service.into();
        }
    }

    /// The client is gone without a word, and the server noticed: its transaction is rolled back. A session that is
    /// marked already stays until that is done.
    pub fn drop_connection(&mut self, key: SessionKey) {
        self.obituaries.remove(&key);
        match self.session_mut(key) {
            Some(Session { doom: Some(doom), role, .. }) if !doom.is_acknowledgement_missing() => {
                doom.waits_for_client = false;
                *role = Role::Nobody;
            }
            Some(_) => self.remove(key, None),
            None => {}
        }
    }

    /// True while the session has a transaction.
    pub fn in_transaction(&self, key: SessionKey) -> bool {
        self.session(key).is_some_and(|session| session.transaction.is_some())
    }

    /// The session changes rows of a table: its transaction, begun if there is none, grows by so many undo records.
    pub fn change(&mut self, key: SessionKey, table: &str, records: u64) {
        if self.session(key).is_none_or(|session| session.doom.is_some()) {
            return;
        }
        let object = self.table(table);
        let transaction = self.ensure_transaction(key);
        let now = self.now;
        if let Some(transaction) = self.transaction_mut(transaction) {
            transaction.untouched = false;
            transaction.add(now, records);
            if !transaction.tables.contains(&object) {
                transaction.tables.push(object);
            }
        }
    }

    /// The session changes or locks so many rows of a table, each with an undo record. A transaction begins with the
    /// first of them.
    pub fn change_rows(&mut self, key: SessionKey, table: &str, rows: u64) {
        if rows == 0 {
            return;
        }
        let begun = self.session(key).and_then(|session| session.transaction);
        let first = begun.and_then(|key| self.transaction(key)).is_none_or(|one| one.untouched);
        self.change(key, table, rows - u64::from(first));
    }

    /// The session changes one row, which its transaction then holds. The error is ORA-00060, or how the session is
    /// about to end.
    pub fn lock_row(&mut self, key: SessionKey, row: Row) -> Result<Grant, OraError> {
        match self.want_table(key, row.object)? {
            Grant::Granted => self.want_row(key, row),
            Grant::Queued => Ok(Grant::Queued),
        }
    }

    /// The session is about to change a table, which waits for whoever locked it with LOCK TABLE. The error is
    /// ORA-00060, ORA-00052 or how the session is about to end.
    pub fn want_table(&mut self, key: SessionKey, object: u32) -> Result<Grant, OraError> {
        self.check_alive(key)?;
        if !self.locks.modes.contains_key(&LockId::Table(object)) {
            return Ok(Grant::Granted);
        }
        match self.lock_table(key, object, Mode::SubExclusive, FOR_EVER)? {
            None => Ok(Grant::Queued),
            Some(2) => Err(error(60)),
            Some(_) => Ok(Grant::Granted),
        }
    }

    /// Whether a session could have a row at once: nobody holds it, or its own transaction does.
    pub fn row_is_free(&self, key: SessionKey, row: Row) -> bool {
        let holder = self.locks.rows.get(&row).map(|lock| lock.holder);
        let session = holder.and_then(|holder| self.transaction(holder)?.session);
        holder.is_none() || session == Some(key)
    }

    /// Whether a session could change a table at once: nobody has locked it in a mode that stands against that.
    pub fn table_is_free(&self, key: SessionKey, object: u32) -> bool {
        let lock = self.locks.modes.get(&LockId::Table(object));
        lock.is_none_or(|lock| lock.holder(key).is_some() || lock.is_free_for(Mode::SubExclusive))
    }

    /// DBMS_LOCK.SLEEP.
    pub fn sleep(&mut self, key: SessionKey, length: Micros) -> Grant {
        let now = self.now;
        self.do_now(key, Doing::Sleep { since: now, until: now + length.max(0) });
        if length > 0 { Grant::Queued } else { Grant::Granted }
    }

    /// DBMS_LOCK.ALLOCATE_UNIQUE: the id behind a name. There is none for one name more than a database keeps.
    pub fn lock_id(&mut self, name: &str) -> Option<u32> {
        if let Some(id) = self.lock_names.get(name) {
            return Some(*id);
        }
        let number = u32::try_from(self.lock_names.len()).ok().filter(|it| *it < LOCK_NAMES_MAX)?;
        let id = 1_073_741_824 + number;
        self.lock_names.insert(name.into(), id);
        Some(id)
    }

    /// DBMS_LOCK_ALLOCATED: names and the ids behind them.
    pub fn lock_names(&self) -> impl Iterator<Item = (&str, u32)> {
        self.lock_names.iter().map(|(name, id)| (&**name, *id))
    }

    /// DBMS_LOCK.REQUEST: 0, 1, 2 or 4, or `None` while it waits. The error is ORA-00052.
    pub fn request_lock(
        &mut self,
        key: SessionKey,
        id: u32,
        mode: Mode,
        timeout: Micros,
        release_on_commit: bool,
    ) -> Result<Option<u32>, OraError> {
        let id = self.scoped_lock(key, id);
        self.want_lock(key, id, mode, timeout, release_on_commit)
    }

    /// DBMS_LOCK.RELEASE: 0, or 4 if it is not held.
    pub fn release_lock(&mut self, key: SessionKey, id: u32) -> u32 {
        let id = self.scoped_lock(key, id);
        self.free_lock(key, id)
    }

    /// DBMS_LOCK.CONVERT: 0, 1, 2, or 4 if it is not held; `None` while it waits.
    pub fn convert_lock(
        &mut self,
        key: SessionKey,
        id: u32,
        mode: Mode,
        timeout: Micros,
    ) -> Option<u32> {
        let id = self.scoped_lock(key, id);
        self.turn_lock(key, id, mode, timeout)
    }

    /// What became of the wait of the call under way.
    pub fn poll(&mut self, key: SessionKey) -> Poll {
        if let Some(death) = self.death(key) {
            return Poll::Failed(told(death));
        }
        let now = self.now;
        let Some(session) = self.session_mut(key) else { return Poll::Failed(error(1_012)) };
        if let Some(code) = session.cancelled.take() {
            return Poll::Failed(error(code));
        }
        let still = session.doom.is_some() || self.hung_until(key.inst_id).is_some();
        match self.session(key).and_then(|session| session.call.as_ref()).map(|call| call.doing) {
            // A marked session gets nothing any more but its end.
            _ if still => Poll::Waiting,
            Some(Doing::Sleep { until, .. }) if now < until => Poll::Waiting,
            Some(Doing::Enqueue { deadline: Some(deadline), .. }) if now >= deadline => {
                self.leave_queues(key);
                Poll::Done(1)
            }
            Some(Doing::Row { .. } | Doing::Wait { .. } | Doing::Enqueue { .. }) => Poll::Waiting,
            Some(Doing::Sleep { .. }) => {
                self.do_now(key, Doing::Work(Mix::Cpu));
                Poll::Done(0)
            }
            Some(Doing::Work(_)) | None => Poll::Done(0),
        }
    }

    /// The client breaks its call: what it waited for is given up.
    pub fn break_call(&mut self, key: SessionKey) {
        self.leave_queues(key);
        self.do_now(key, Doing::Work(Mix::Cpu));
    }

    /// COMMIT.
    pub fn commit(&mut self, key: SessionKey) {
        // What is marked is rolled back, whatever its client says.
        if self.session(key).is_some_and(|session| session.doom.is_none()) {
            self.finish_commit(key);
        }
    }

    /// ROLLBACK. The result is when it is done.
    pub fn rollback(&mut self, key: SessionKey) -> Micros {
        let transaction = self.session(key).and_then(|session| session.transaction);
        let until = transaction.map_or(self.now, |transaction| self.start_rollback(transaction));
        if until <= self.now {
            self.release_on_commit(key);
            self.leave_if_asked(key);
        }
        until
    }

    /// How somebody else ended the session, if so and if its client can know by now.
    pub fn death(&self, key: SessionKey) -> Option<Death> {
        if let Some(death) = self.obituaries.get(&key) {
            return Some(death.clone());
        }
        let session = self.session(key)?;
        if session.sniped {
            return Some(Parting::Error(2_396).death());
        }
        let doom = session.doom.as_ref().filter(|doom| doom.is_acknowledgement_missing())?;
        Some(doom.parting.death())
    }

    /// The client was told of its end: what was left of the session goes.
    pub fn acknowledge(&mut self, key: SessionKey) {
        self.drop_connection(key);
    }

    /// Enters a call; the previous statement makes room.
    pub(super) fn enter_call(
        &mut self,
        key: SessionKey,
        kind: CallKind,
        statement: Option<Arc<Statement>>,
        doing: Doing,
    ) {
        let now = self.now;
        let seed = self.rng_for(key);
        let (id, start) = self.next_execution(key.inst_id, now);
        let Some(session) = self.session_mut(key) else { return };
        session.call = Some(Call { kind, began: now, doing, seed, expected: None });
        session.turn_to(Some(doing), now);
        session.boundary = now;
        session.calls += 1;
        session.seq = session.seq.wrapping_add(1);
        // An anonymous block is no object; what it calls is.
        session.plsql_entry =
            statement.as_ref().and_then(|one| one.package()).map(|object| (object, 1));
        let mut detail = 0;
        if let Some(statement) = statement {
            detail = u64::from(statement.hash_value);
            session.command = statement.command;
            let known = session.current.take().or(session.previous.take());
            // A fetch is no execution of its own.
            let same = |one: &Execution| one.statement.sql_id == statement.sql_id;
            let current = known.clone().filter(|one| kind == CallKind::Fetch && same(one));
            session.previous = known;
            session.current = current.or(Some(Execution { statement, child: 0, start, id }));
        } else if kind != CallKind::Fetch
            && let Some(open) = session.current.take()
        {
            session.previous = Some(open);
        }
        self.record(What::CallBegan, key, detail);
    }

    /// Leaves a call.
    pub(super) fn leave_call(&mut self, key: SessionKey, cursor: Cursor) {
        let now = self.now;
        let Some(session) = self.session_mut(key) else { return };
        if session.call.take().is_none() {
            return;
        }
        session.turn_to(None, now);
        session.boundary = now;
        session.seq = session.seq.wrapping_add(1);
        session.plsql_entry = None;
        session.command = 0;
        session.cancelled = None;
        match cursor {
            Cursor::Closed => {
                session.temp_blocks = 0;
                if let Some(done) = session.current.take() {
                    session.previous = Some(done);
                }
            }
            Cursor::Open => session.previous.clone_from(&session.current),
        }
        self.record(What::CallEnded, key, 0);
    }

    /// The seed of a call, from what is the same in every run.
    fn rng_for(&self, key: SessionKey) -> u64 {
        let who = (u64::from(key.sid) << 32) | u64::from(key.serial) << 4 | u64::from(key.inst_id);
        super::rng::mix(who ^ self.now.unsigned_abs())
    }

    /// When a call that does nothing is through.
    pub fn through_at(&self, inst_id: u32, kind: CallKind) -> Micros {
        let slow = |id: u32| match self.instance(id).and_then(|instance| instance.trouble.slow) {
            Some((until, by)) if until > self.now => self.now + by,
            _ => self.now,
        };
        let through = |id: u32| self.hung_until(id).unwrap_or(self.now).max(slow(id));
        if kind == CallKind::Gv {
            // The slowest instance delays the whole query (facts, section 4).
            return self.shown_in_gv().map(through).max().unwrap_or(self.now).max(through(inst_id));
        }
        through(inst_id)
    }

    /// Until when an instance hangs, if it does.
    pub fn hung_until(&self, inst_id: u32) -> Option<Micros> {
        self.instance(inst_id)?.trouble.hung.filter(|until| *until > self.now)
    }

    /// The instances that answer in GV$ views. One that is down is simply absent, and a hidden one is too.
    pub fn shown_in_gv(&self) -> impl Iterator<Item = u32> {
        let open = |instance: &&super::instance::Instance| {
            matches!(instance.state, InstanceState::Open | InstanceState::Stopping)
                && instance.trouble.hidden.is_none_or(|until| until <= self.now)
        };
        self.instances().filter(open).map(|instance| instance.id)
    }

    /// A user lock as a session means it: in its container, or in the whole database, as the switch says.
    fn scoped_lock(&self, key: SessionKey, id: u32) -> LockId {
        let scoped = self.spec.switches.user_locks_per_container;
        let con_id = self.session(key).filter(|_| scoped).map_or(0, |session| session.con_id);
        LockId::User { con_id, id }
    }
}

/// The error that a client gets or makes of its end.
fn told(death: Death) -> OraError {
    match death {
        Death::Error(error) => error,
        Death::Cut => error(3_113),
    }
}

/// Marks with what tags change.
fn marks_of(old: &Marks, tags: &Tags) -> Marks {
    let merged = |old: &Option<Arc<str>>, new: &Option<String>, bytes: usize| match new.as_deref() {
        None => old.clone(),
        Some("") => None,
        Some(text) => {
            let end = (0..=bytes.min(text.len()))
                .rev()
                .find(|end| text.is_char_boundary(*end))
                .unwrap_or(0);
            Some(text[..end].into())
        }
    };
    Marks {
        module: merged(&old.module, &tags.module, 64),
        action: merged(&old.action, &tags.action, 64),
        client_info: merged(&old.client_info, &tags.client_info, 64),
        client_identifier: merged(&old.client_identifier, &tags.client_identifier, 64),
        ecid: merged(&old.ecid, &tags.ecid, 64),
    }
}
