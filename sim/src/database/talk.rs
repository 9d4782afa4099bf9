//! One client's calls. A call is parsed, waits until its instance answers, and is then carried out step by step until
//! it ends or has to wait; each step holds the database's lock, and no step is long: what takes longer is a job.

use std::task::Poll;

use super::away::{Alone, Away, Back};
use super::host::Outside;
use super::session::{Act, Began, SessionState};
use super::{SimDatabase, State, rights_of};
use crate::catalog::account::AccountStatus;
use crate::cluster::Micros;
use crate::cluster::live::{self, Cursor};
use crate::cluster::session::{CallKind, SessionKey};
use crate::conversation::{
    Conversation, Death, Extras, Outcome, Progress, ResultColumn, ResultSet, Statement, Tags,
};
use crate::ora::OraError;
use crate::sql::dml::Target;
use crate::sql::plsql::{Composites, Executed, Finished, Run};
use crate::sql::query::{self, Input, Inputs};
use crate::sql::statement::{self, Command, Parsed};
use crate::value::Value;

/// Iterations of a statement with many binds that a step carries out.
const ITERATIONS_AT_ONCE: usize = 1_000;

/// The call under way.
struct Call {
    statement: Statement,
    parsed: Parsed,
    /// Nothing happens before this moment: the instance is slow or hung.
    through: Micros,
    /// Which iteration of the binds.
    row: usize,
    /// Where it began, while it is under way.
    began: Option<Began>,
    /// The block, once it has begun, and while it is not away.
    run: Option<Run>,
    /// The block while it goes on without the database.
    away: Option<Away>,
    count: u64,
    returning: Vec<Vec<Value>>,
    extras: Extras,
}

/// A client's session.
pub(super) struct Talk {
    database: SimDatabase,
    session: SessionState,
    call: Option<Call>,
    /// The text of the last query, whose cursor may still be open.
    last_query: Option<String>,
    /// How somebody else ended the session, once the client was told.
    ended: Option<Death>,
    /// The client broke its call, and has not been told yet that it is over.
    cancelled: bool,
    /// The session was ended by its own client.
    left: bool,
    /// What the last call gave besides its outcome.
    extras: Extras,
}

impl Talk {
    pub(super) fn new(database: SimDatabase, session: SessionState) -> Self {
        Self {
            database,
            session,
            call: None,
            last_query: None,
            ended: None,
            cancelled: false,
            left: false,
            extras: Extras::default(),
        }
    }

    fn key(&self) -> SessionKey {
        self.session.key
    }

    /// Begins the call of a statement, or says why there is none.
    fn begin(&mut self, statement: &Statement) -> Result<(), OraError> {
        // A long text is read while others do what they want.
        let release = self.database.lock().cluster.release();
        let parsed = statement::parse(&statement.sql, release);
        let kind = parsed
            .as_ref()
            .map_or(CallKind::Sql, |parsed| kind_of(&parsed.command, &statement.sql));
        let through = self.enter(kind, Some(&statement.sql))?;
        match parsed {
            Err(error) => {
                self.database.lock().cluster.end_call(self.session.key, Cursor::Closed);
                Err(error)
            }
            Ok(parsed) => {
                let query = matches!(parsed.command, Command::Query(_));
                self.last_query = query.then(|| statement.sql.clone());
                self.call = Some(Call::new(statement.clone(), parsed, through));
                Ok(())
            }
        }
    }

    /// Enters a call, which goes on at the moment that is given. The error is why there is none; if the session is
    /// over or about to be, the client has been told by it.
    fn enter(&mut self, kind: CallKind, sql: Option<&str>) -> Result<Micros, OraError> {
        if self.ended.is_some() {
            return Err(OraError::new(1012, "not logged on"));
        }
        self.session.last_rowid = None;
        let key = self.key();
        let mut state = self.database.lock();
        let death = state.cluster.death(key);
        // What was granted or revoked meanwhile counts from this call on.
        if let Some(account) = state.books.accounts.get(&self.session.login) {
            self.session.viewer.rights = rights_of(&state, account);
        }
        let begun = state.cluster.begin_call(key, kind, sql);
        if let Err(error) = &begun
            && state.cluster.check_alive(key).is_err()
        {
            self.ended = Some(death.unwrap_or_else(|| Death::Error(error.clone())));
        }
        begun
    }

    /// A call that has no text, such as one that ends the transaction: V$SESSION shows no statement of it.
    fn without_text(&mut self, command: Command) -> Progress {
        self.cancelled = false;
        match self.enter(CallKind::Bare, None) {
            Ok(through) => {
                let parsed = Parsed { command, binds: Vec::new() };
                self.call = Some(Call::new(Statement::default(), parsed, through));
                self.step()
            }
            Err(error) => Progress::Done(Err(error)),
        }
    }

    /// Goes on with the call.
    fn step(&mut self) -> Progress {
        let Some(mut call) = self.call.take() else {
            return Progress::Done(Err(OraError::new(1012, "not logged on")));
        };
        let key = self.key();
        let database = self.database.clone();
        let mut state = database.lock();
        let progress = match before(&mut state, key, call.through) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => call.go_on(&mut state, &mut self.session),
        };
        // Whoever was ended on the way hears of that, unless the call failed already.
        let progress = match (progress, state.cluster.death(key)) {
            (Poll::Ready(Ok(_)) | Poll::Pending, Some(death)) => Poll::Ready(Err(told(death))),
            (progress, _) => progress,
        };
        match progress {
            Poll::Pending => {
                self.call = Some(call);
                Progress::Waiting
            }
            Poll::Ready(mut result) => {
                if call.statement.autocommit && result.is_ok() {
                    let committed = Act { state: &mut state, session: &mut self.session }.commit();
                    result = committed.and(result);
                }
                self.finish(&mut state);
                self.extras = call.extras;
                Progress::Done(result)
            }
        }
    }

    fn finish(&mut self, state: &mut State) {
        let key = self.key();
        self.session.waiting = None;
        self.session.job = None;
        self.session.began = None;
        self.session.nested.clear();
        if let Some(death) = state.cluster.death(key) {
            state.cluster.acknowledge(key);
            self.ended = Some(death);
            return;
        }
        state.cluster.end_call(key, Cursor::Closed);
    }
}

/// The error that a client gets or makes of its end.
fn told(death: Death) -> OraError {
    match death {
        Death::Error(error) => error,
        Death::Cut => OraError::new(3113, "end-of-file on communication channel"),
    }
}

/// Whether a call may go on: its instance answers, and nobody has ended it.
fn before(state: &mut State, key: SessionKey, through: Micros) -> Poll<Result<(), OraError>> {
    if let Some(death) = state.cluster.death(key) {
        return Poll::Ready(Err(told(death)));
    }
    if state.cluster.now() >= through {
        return Poll::Ready(Ok(()));
    }
    match state.cluster.poll(key) {
        live::Poll::Failed(error) => Poll::Ready(Err(error)),
        live::Poll::Waiting | live::Poll::Done(_) => Poll::Pending,
    }
}

/// A query over GV$ has slaves on every instance, and waits for the slowest.
fn kind_of(command: &Command, sql: &str) -> CallKind {
    let reads = matches!(command, Command::Query(_) | Command::Block(_));
    let upper = sql.to_ascii_uppercase();
    if reads && (upper.contains("GV$") || upper.contains("GV_$")) {
        return CallKind::Gv;
    }
    match command {
        Command::Block(_) => CallKind::Plsql,
        Command::Commit | Command::Rollback { .. } => CallKind::Bare,
        _ => CallKind::Sql,
    }
}

impl Call {
    fn new(statement: Statement, parsed: Parsed, through: Micros) -> Self {
        Self {
            statement,
            parsed,
            through,
            row: 0,
            began: None,
            run: None,
            away: None,
            count: 0,
            returning: Vec::new(),
            extras: Extras::default(),
        }
    }

    /// The binds of the iteration under way.
    fn inputs(&self) -> Inputs {
        let values = self.statement.rows.get(self.row);
        let value = |place: usize| {
            values.and_then(|values| values.get(place)).cloned().unwrap_or(Value::Null)
        };
        let binds = self.statement.binds.iter().enumerate();
        Inputs {
            binds: binds
                .map(|(place, bind)| Input { column_type: bind.column_type, value: value(place) })
                .collect(),
            ..Inputs::default()
        }
    }

    fn go_on(
        &mut self,
        state: &mut State,
        session: &mut SessionState,
    ) -> Poll<Result<Outcome, OraError>> {
        if self.parsed.binds.len() > self.statement.binds.len() {
            return Poll::Ready(Err(OraError::new(1008, "not all variables bound")));
        }
        let iterations = self.statement.rows.len().max(1);
        let at_work = session.waiting.is_none() && session.job.is_none();
        if self.row > 0
            && at_work
            && let live::Poll::Failed(error) = state.cluster.poll(session.key)
        {
            return Poll::Ready(Err(error));
        }
        for _ in 0..ITERATIONS_AT_ONCE {
            let began = self.began.unwrap_or_else(|| Act { state, session }.begin());
            let progress = self.iterate(state, session);
            self.began = progress.is_pending().then_some(began);
            let outcome = match progress {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(outcome)) => outcome,
                Poll::Ready(Err(error)) => {
                    Act { state, session }.undo(began);
                    if !self.goes_on_after(&error) {
                        return Poll::Ready(Err(error));
                    }
                    session.waiting = None;
                    self.extras.failures.push((self.row, error));
                    self.outcome(Executed::default())
                }
            };
            if let (Outcome::Plsql { values, .. }, true) = (&outcome, iterations > 1) {
                self.extras.iterations.push(values.clone());
            }
            self.row += 1;
            if self.row >= iterations {
                return Poll::Ready(Ok(outcome));
            }
        }
        // Others have their turn before the next ones.
        Poll::Pending
    }

    /// Whether an error is only its iteration's: one of its values, in an array of DML that goes on behind errors.
    fn goes_on_after(&self, error: &OraError) -> bool {
        let dml = matches!(self.parsed.command, Command::Dml(_));
        dml && self.statement.batch_errors && is_of_values(error.code)
    }

    fn iterate(
        &mut self,
        state: &mut State,
        session: &mut SessionState,
    ) -> Poll<Result<Outcome, OraError>> {
        let inputs = self.inputs();
        let mut act = Act { state, session };
        if let Command::Block(block) = &self.parsed.command {
            if self.away.is_none() && self.run.is_none() {
                let Statement { cursors, arrays, .. } = &self.statement;
                let composites = Composites { cursors: cursors.clone(), arrays: arrays.clone() };
                self.run = Some(Run::with_composites(block.clone(), inputs, composites));
            }
            let finished = match self.block(act) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(finished) => finished,
            };
            return Poll::Ready(finished.map(|one| {
                let sets = one.opened.into_iter().map(|(place, rows)| {
                    (place, ResultSet { columns: rows.columns, cells: rows.cells })
                });
                self.extras.cursors.extend(sets);
                self.extras.arrays = one.arrays;
                Outcome::Plsql { directions: one.directions, values: one.values }
            }));
        }
        if !self.statement.cursors.is_empty() {
            let text = "inconsistent datatypes: expected - got CURSER";
            return Poll::Ready(Err(OraError::new(932, text)));
        }
        if !self.statement.arrays.is_empty() {
            let text = "arrays can only be bound to PL/SQL statements";
            return Poll::Ready(Err(OraError::new(1484, text)));
        }
        match act.carry_out(&self.parsed.command, &inputs) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(executed)) => Poll::Ready(Ok(self.outcome(executed))),
        }
    }

    /// Goes on with the block. One that runs for long without anything of the database does so in a job.
    fn block(&mut self, act: Act<'_>) -> Poll<Result<Finished, OraError>> {
        if let Some(away) = &mut self.away {
            if act.session.waiting.is_none()
                && let live::Poll::Failed(error) = act.state.cluster.poll(act.session.key)
            {
                away.interrupt.with(error);
            }
            match away.job.look() {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(back) => {
                    self.away = None;
                    match back {
                        Err(error) => return Poll::Ready(Err(error)),
                        Ok(Back::Finished(finished)) => return Poll::Ready(finished),
                        Ok(Back::Wants(run)) => self.run = Some(run),
                    }
                }
            }
        }
        let Some(mut run) = self.run.take() else { return Poll::Pending };
        let at_work = act.session.waiting.is_none() && act.session.job.is_none();
        // What waits asks about its wait itself.
        if at_work && let live::Poll::Failed(error) = act.state.cluster.poll(act.session.key) {
            run.interrupt().with(error);
        }
        let (sight, release) = (act.sight(), act.state.cluster.release());
        let (database, key) = (act.session.database.clone(), act.session.key);
        let progress = run.poll(&mut Outside::new(act));
        if progress.is_pending() && run.is_paused() {
            match Away::new(run, Alone { sight, release, database, key }) {
                Ok(away) => self.away = Some(away),
                Err(error) => return Poll::Ready(Err(error)),
            }
        } else if progress.is_pending() {
            self.run = Some(run);
        }
        progress
    }

    fn outcome(&mut self, executed: Executed) -> Outcome {
        match (&self.parsed.command, executed.rows) {
            (_, Some(rows)) => Outcome::Query { columns: rows.columns, cells: rows.cells },
            (Command::Dml(_), None) => {
                self.count += executed.count;
                self.extras.counts.push(executed.count);
                let mut returned = vec![Vec::new(); self.statement.binds.len()];
                if !executed.returning.is_empty() {
                    self.returning.resize(returned.len(), Vec::new());
                }
                for one in executed.returning {
                    if let Target::Bind(place) = one.target
                        && let Some(values) = self.returning.get_mut(place)
                    {
                        values.extend_from_slice(&one.values);
                        returned[place] = one.values;
                    }
                }
                if self.statement.rows.len() > 1 {
                    self.extras.returning.push(returned);
                }
                Outcome::Dml { count: self.count, returning: self.returning.clone() }
            }
            _ => Outcome::Done,
        }
    }
}

/// Errors that the values of one row cause: constraints, sizes, conversions. Every other one would meet the next row
/// as well.
const fn is_of_values(code: u32) -> bool {
    matches!(
        code,
        1 | 1_400 | 1_401 | 1_407 | 1_426 | 1_438 | 1_476 | 1_722 | 2_290..=2_292 | 6_502 | 12_899
    ) || matches!(code, 1_481..=1_482 | 1_830..=1_899 | 22_835)
}

impl Conversation for Talk {
    fn session(&self) -> (u32, u32) {
        (self.session.key.sid, self.session.key.serial)
    }

    fn warning(&self) -> Option<OraError> {
        /// PASSWORD_GRACE_TIME of the profile DEFAULT.
        const GRACE_DAYS: u32 = 7;
        let state = self.database.lock();
        let account = state.books.accounts.get(&self.session.login)?;
        let text = format!("the password will expire within {GRACE_DAYS} days");
        (account.status == AccountStatus::Grace).then(|| OraError::new(28002, text))
    }

    fn execute(&mut self, statement: &Statement) -> Progress {
        self.cancelled = false;
        match self.begin(statement) {
            Ok(()) => self.step(),
            Err(error) => Progress::Done(Err(error)),
        }
    }

    fn extras(&mut self) -> Extras {
        std::mem::take(&mut self.extras)
    }

    fn describe(&mut self, sql: &str) -> Result<Vec<ResultColumn>, OraError> {
        if self.ended.is_some() {
            return Err(OraError::new(1012, "not logged on"));
        }
        let database = self.database.clone();
        let mut state = database.lock();
        let parsed = statement::parse(sql, state.cluster.release())?;
        let act = Act { state: &mut state, session: &mut self.session };
        match &parsed.command {
            Command::Query(query) | Command::SelectForUpdate { query, .. } => {
                query::describe(query, &act.view(), &act.sight(), &Inputs::default())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn resume(&mut self) -> Progress {
        if std::mem::take(&mut self.cancelled) {
            return Progress::Done(Err(OraError::new(
                1013,
                "user requested cancel of current operation",
            )));
        }
        self.step()
    }

    fn cancel(&mut self) {
        let Some(call) = self.call.take() else { return };
        let database = self.database.clone();
        let mut state = database.lock();
        state.cluster.break_call(self.session.key);
        if let Some(began) = call.began {
            Act { state: &mut state, session: &mut self.session }.undo(began);
        }
        self.cancelled = true;
        self.finish(&mut state);
    }

    fn call(&mut self, open_cursor: bool) {
        if self.ended.is_some() {
            return;
        }
        let key = self.key();
        let mut state = self.database.lock();
        if state.cluster.death(key).is_some() {
            return;
        }
        let open = self.last_query.as_deref().filter(|_| open_cursor);
        let (kind, cursor) = match open {
            Some(_) => (CallKind::Fetch, Cursor::Open),
            None => (CallKind::Bare, Cursor::Closed),
        };
        if state.cluster.begin_call(key, kind, open).is_ok() {
            state.cluster.end_call(key, cursor);
        }
    }

    fn knock(&mut self) -> Progress {
        let hangs = {
            let cluster = &self.database.lock().cluster;
            cluster.through_at(self.session.key.inst_id, CallKind::Bare) > cluster.now()
        };
        // It does nothing, when it comes to that.
        if hangs {
            self.without_text(Command::SessionSet(Vec::new()))
        } else {
            Progress::Done(Ok(Outcome::Done))
        }
    }

    fn open_cursors(&self) -> u16 {
        let state = self.database.lock();
        let parameter = state.books.parameters.get("OPEN_CURSORS");
        let most = parameter.and_then(|one| one.on(self.session.key.inst_id).parse::<u32>().ok());
        most.map_or(300, |most| u16::try_from(most).unwrap_or(u16::MAX))
    }

    fn tag(&mut self, tags: &Tags) {
        let key = self.key();
        self.database.lock().cluster.tag(key, tags);
    }

    fn commit(&mut self) -> Progress {
        self.without_text(Command::Commit)
    }

    fn rollback(&mut self) -> Progress {
        self.without_text(Command::Rollback { savepoint: None })
    }

    fn last_rowid(&self) -> Option<String> {
        self.session.last_rowid.clone()
    }

    fn in_transaction(&self) -> bool {
        self.database.lock().cluster.in_transaction(self.session.key)
    }

    fn death(&self) -> Option<Death> {
        self.ended.clone().or_else(|| self.database.lock().cluster.death(self.session.key))
    }

    fn log_off(mut self: Box<Self>) {
        self.left = true;
        let key = self.key();
        let mut state = self.database.lock();
        if state.cluster.death(key).is_some() {
            state.cluster.acknowledge(key);
        } else {
            // One that is marked is rolled back all the same, and there is nobody to tell.
            drop(state.commit(key));
            state.cluster.log_off(key);
        }
        state.sweep();
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let key = self.key();
        let mut state = self.database.lock();
        if state.cluster.death(key).is_some() {
            state.cluster.acknowledge(key);
        } else if self.ended.is_none() {
            state.cluster.drop_connection(key);
        }
        state.sweep();
    }
}
