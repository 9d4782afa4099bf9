//! Looks at a database through one connection: how it stands, then its sessions, in two round trips.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use chrono::NaiveDateTime;

use super::columns::{Join, Origin};
use super::connection::{Account, Connection, Identity, MODULE};
use super::datum::{Cell, Kind, Rows, session_key};
use super::error::CallError;
use super::source::is_closed;
use super::statement::{self, STANDING_KINDS, SessionsStatement, View};
use crate::engine::needs::Needs;
use crate::engine::session::{
    Column, Fetched, Instance, InstanceState, NumberColumn, Session, SessionKey, Sessions,
    Snapshot, TextColumn, TimeBasis,
};
use crate::engine::text::Symbol;
use crate::engine::time::{MICROS_PER_SECOND, Span, Timestamp};

/// Rows that are asked for with the first answer beyond those of the last time, so that a few more sessions do not cost
/// another round trip.
const PREFETCH_SPARE: usize = 500;

/// The first time nobody knows how many there are.
const PREFETCH_FIRST: u32 = 5_000;

/// A driver sets memory aside for so many rows.
const PREFETCH_MAX: usize = 100_000;

/// Rows of GV$INSTANCE: more than a cluster can have.
const INSTANCES_MAX: u32 = 256;

/// Without GV$, which asks every instance and leaves out one that does not answer.
const ACTIVE: &str = "SELECT inst_number, inst_name FROM v$active_instances ORDER BY inst_number";

/// ACTION while it looks.
const ACTION: &str = "observe";

/// Reads the sessions of all instances, or of its own.
pub(super) struct Reader {
    connection: Connection,
    account: Account,
    scope: Scope,
    /// What was found out about the present session.
    known: Option<Known>,
    /// How many rows there were the last time.
    last_rows: Option<usize>,
}

/// What a connection looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All instances, through GV$ views.
    Cluster,
    /// The one that it is connected to, through V$ views.
    Instance,
}

/// What holds as long as a session lasts.
struct Known {
    identity: Identity,
    /// V$DATABASE can be read.
    role: bool,
    /// Views that cannot be read, and why.
    closed: BTreeMap<Join, String>,
    /// Views that can.
    open: BTreeSet<Join>,
    /// The instances that are up, as far as was asked and seen, with their names; or why nobody can be asked.
    active: Option<Result<BTreeMap<u32, String>, String>>,
    /// The statement for these columns.
    prepared: Option<(BTreeSet<Column>, SessionsStatement)>,
}

/// How the database stood.
struct Standing {
    instances: Vec<(u32, String)>,
    now: Timestamp,
    offset: Span,
    read_only: Option<String>,
    warnings: Vec<String>,
}

impl Reader {
    /// Nothing is reached for yet. `account` is shared with whatever else has sessions there.
    pub(super) fn new(connection: Connection, account: Account, scope: Scope) -> Self {
        Self { connection, account, scope, known: None, last_rows: None }
    }

    /// Makes the session, if there is none.
    pub(super) fn reach(&mut self) -> Result<(), CallError> {
        self.connection.reach().map(|_| ())
    }

    /// Who we are, if there is a session.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.connection.identity()
    }

    /// The instances that V$ACTIVE_INSTANCES shows, by number, with their names.
    pub(super) fn active_instances(&mut self) -> Result<Vec<(u32, String)>, CallError> {
        let within = self.connection.settings().snapshot_within;
        let kinds = vec![Kind::Number, Kind::Text];
        let rows = self.connection.query(ACTIVE, Vec::new(), kinds, INSTANCES_MAX, within)?;
        let instance = |row: &[Cell]| {
            // HOST:INSTANCE.
            let name = rows.text(row[1]).unwrap_or_default();
            let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
            Some((row[0].as_u32()?, name.to_owned()))
        };
        Ok(rows.iter().filter_map(instance).collect())
    }

    /// Takes part in a look that began then, and reads these columns.
    pub(super) fn look(&mut self, needs: &Needs, begun: Instant) -> Result<Snapshot, CallError> {
        let seen = self.try_to_look(needs, begun);
        if seen.as_ref().is_err_and(CallError::is_lost) {
            self.known = None;
        }
        seen
    }

    fn try_to_look(&mut self, needs: &Needs, begun: Instant) -> Result<Snapshot, CallError> {
        let identity = self.connection.reach()?.clone();
        let view = match self.scope {
            Scope::Cluster => View::Global,
            Scope::Instance => View::Local(identity.key.inst_id),
        };
        if self.known.as_ref().is_none_or(|known| known.identity != identity) {
            self.known = Some(Known {
                identity,
                role: true,
                closed: BTreeMap::new(),
                open: BTreeSet::new(),
                active: None,
                prepared: None,
            });
        }
        self.connection.act_as(ACTION)?;
        let asked = begun.elapsed();
        let mut standing = self.standing(view)?;
        let told_within = (asked.into(), begun.elapsed().into());
        if self.scope == Scope::Cluster {
            self.expect_active(&mut standing)?;
        }
        let statement = self.prepare(&needs.columns, view)?;
        let prefetch = self.last_rows.map_or(PREFETCH_FIRST, |rows| {
            u32::try_from((rows + rows / 8 + PREFETCH_SPARE).min(PREFETCH_MAX)).unwrap_or(u32::MAX)
        });
        let within = self.connection.settings().snapshot_within;
        let rows = self.connection.query(
            &statement.sql,
            Vec::new(),
            statement.kinds.clone(),
            prefetch,
            within,
        )?;
        self.last_rows = Some(rows.len());
        let seen = self.snapshot(standing, &statement, &rows);
        Ok(Snapshot { told_within: Some(told_within), ..seen })
    }

    fn standing(&mut self, view: View) -> Result<Standing, CallError> {
        let within = self.connection.settings().snapshot_within;
        let Some(known) = &mut self.known else { return Err(nobody_there()) };
        let mut ask = |role: bool| {
            let sql = statement::standing(role, view);
            self.connection.query(&sql, Vec::new(), STANDING_KINDS.to_vec(), INSTANCES_MAX, within)
        };
        let rows = match ask(known.role) {
            Err(error) if known.role && is_closed(&error) => {
                known.role = false;
                ask(false)?
            }
            other => other?,
        };
        read_standing(&rows, known.role)
    }

    /// Adds the instances that are up though GV$ leaves them out, which is no error there. Asked once a session, and
    /// again while somebody is left out: who has gone down is not expected any more.
    fn expect_active(&mut self, standing: &mut Standing) -> Result<(), CallError> {
        let shown: BTreeMap<u32, String> =
            standing.instances.iter().map(|(inst_id, name)| (*inst_id, name.clone())).collect();
        let active = match self.known.as_mut().and_then(|known| known.active.take()) {
            Some(Err(why)) => Err(why),
            Some(Ok(active)) if active.keys().all(|inst_id| shown.contains_key(inst_id)) => {
                Ok(active)
            }
            _ => match self.active_instances() {
                Ok(active) => Ok(active.into_iter().collect()),
                Err(error) if is_closed(&error) => Err(error.to_string()),
                Err(error) => return Err(error),
            },
        };
        let active = active.map(|mut active: BTreeMap<u32, String>| {
            let left_out = active.iter().filter(|(inst_id, _)| !shown.contains_key(inst_id));
            let left_out = left_out.map(|(inst_id, name)| (*inst_id, name.clone()));
            standing.instances.extend(left_out);
            active.extend(shown);
            active
        });
        if let Err(why) = &active {
            standing.warnings.push(format!("V_$ACTIVE_INSTANCES cannot be read: {why}"));
        }
        if let Some(known) = &mut self.known {
            known.active = Some(active);
        }
        Ok(())
    }

    /// The statement for these columns, with the views that can be read.
    fn prepare(
        &mut self,
        wanted: &BTreeSet<Column>,
        view: View,
    ) -> Result<SessionsStatement, CallError> {
        let within = self.connection.settings().snapshot_within;
        let Some(known) = &mut self.known else { return Err(nobody_there()) };
        if let Some((columns, statement)) = &known.prepared
            && columns == wanted
        {
            return Ok(statement.clone());
        }
        let in_root = known.identity.is_root();
        let mut columns = statement::offered(wanted.iter().copied(), known.identity.release);
        let joins: BTreeSet<Join> = columns.iter().filter_map(|(_, origin)| origin.join).collect();
        for join in joins {
            if known.open.contains(&join) || known.closed.contains_key(&join) {
                continue;
            }
            let sql = statement::probe(join, &columns, view, in_root);
            let kinds = statement::sessions(&of(join, &columns), view, in_root).kinds;
            match self.connection.query(&sql, Vec::new(), kinds, 1, within) {
                Ok(_) => {
                    known.open.insert(join);
                }
                Err(error) if is_closed(&error) => {
                    known.closed.insert(join, error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        columns.retain(|(_, origin)| origin.join.is_none_or(|join| known.open.contains(&join)));
        let statement = statement::sessions(&columns, view, in_root);
        known.prepared = Some((wanted.clone(), statement.clone()));
        Ok(statement)
    }

    fn snapshot(
        &mut self,
        standing: Standing,
        statement: &SessionsStatement,
        rows: &Rows,
    ) -> Snapshot {
        let sessions = sessions(statement, rows, standing.offset);
        let mut warnings = standing.warnings;
        if let Some(known) = &self.known {
            for (join, why) in &known.closed {
                warnings.push(format!("{} cannot be read: {why}", join.views().join(", ")));
            }
            warnings.extend(sees_only_the_root(&known.identity, &sessions));
        }
        let seen: BTreeSet<u32> = sessions.keys().iter().map(|key| key.inst_id).collect();
        // Every instance that is open has background processes, so one without rows has not answered.
        let instance = |(inst_id, _): &(u32, String)| Instance {
            inst_id: *inst_id,
            state: if seen.contains(inst_id) {
                InstanceState::Answered
            } else {
                InstanceState::Missing
            },
        };
        let mut instances: Vec<Instance> = standing.instances.iter().map(instance).collect();
        for inst_id in &seen {
            if !instances.iter().any(|it| it.inst_id == *inst_id) {
                instances.push(Instance { inst_id: *inst_id, state: InstanceState::Answered });
            }
        }
        instances.sort_by_key(|instance| instance.inst_id);
        let own_sessions = self.own_sessions(&sessions);
        let instance_names = standing.instances.into_iter().collect();
        Snapshot {
            database: self.connection.settings().name.clone(),
            taken_at: standing.now,
            time_basis: TimeBasis::Told,
            clock_set: None,
            told_within: None,
            instances,
            instance_names,
            sessions,
            unlisted_live_sessions: 0,
            own_sessions,
            clock_offset: standing.offset,
            read_only: standing.read_only,
            warnings,
            fetched: Fetched {
                rows: rows.len() as u64,
                bytes: rows.bytes,
                round_trips: self.connection.take_round_trips(),
            },
            queries: BTreeMap::new(),
        }
    }

    /// Those that this process has, and those of other daemons: the same account, named as we name ours.
    fn own_sessions(&self, sessions: &Sessions) -> Vec<SessionKey> {
        let mut own = self.account.sessions();
        let Some(known) = &self.known else { return own };
        let ours = sessions.iter().filter(|session| {
            session.is(TextColumn::Username, &known.identity.username)
                && session.is(TextColumn::Module, MODULE)
        });
        own.extend(ours.map(Session::key));
        own.sort_unstable();
        own.dedup();
        own
    }
}

fn nobody_there() -> CallError {
    CallError::NotConnected("there is no session".to_owned())
}

fn of(join: Join, columns: &[(Column, Origin)]) -> Vec<(Column, Origin)> {
    columns.iter().filter(|(_, origin)| origin.join == Some(join)).copied().collect()
}

fn read_standing(rows: &Rows, role: bool) -> Result<Standing, CallError> {
    let unreadable =
        || CallError::Died("the database does not say what time it is there".to_owned());
    let mut warnings = Vec::new();
    let mut instances = Vec::new();
    let mut first = None;
    for row in rows.iter() {
        let text = |place: usize| rows.text(row[place]).unwrap_or_default().to_owned();
        if let Cell::Number(number) = row[0]
            && let Ok(inst_id) = u32::try_from(number)
        {
            instances.push((inst_id, text(1)));
        }
        first.get_or_insert_with(|| [text(3), text(4), text(5), text(6)]);
    }
    let [local, utc, open_mode, database_role] = first.ok_or_else(unreadable)?;
    let local =
        NaiveDateTime::parse_from_str(&local, "%Y-%m-%d %H:%M:%S").map_err(|_| unreadable())?;
    let utc =
        NaiveDateTime::parse_from_str(&utc, "%Y-%m-%d %H:%M:%S%.f").map_err(|_| unreadable())?;
    let apart = local.and_utc().timestamp_micros() - utc.and_utc().timestamp_micros();
    // Zones differ by whole minutes; what is left is the fraction of a second that SYSDATE cuts off.
    let minute = 60 * MICROS_PER_SECOND;
    let offset = Span((apart + minute / 2).div_euclid(minute) * minute);
    let read_only = if !role {
        warnings.push(
            "V_$DATABASE cannot be read: whether this is a primary that is open is not known"
                .to_owned(),
        );
        Some(
            "V_$DATABASE cannot be read, so whether this is an open primary is not known"
                .to_owned(),
        )
    } else if database_role != "PRIMARY" {
        Some(format!("the database is a {database_role}"))
    } else if open_mode != "READ WRITE" {
        Some(format!("the database is open {open_mode}"))
    } else {
        None
    };
    let now = Timestamp(utc.and_utc().timestamp_micros());
    Ok(Standing { instances, now, offset, read_only, warnings })
}

fn sessions(statement: &SessionsStatement, rows: &Rows, offset: Span) -> Sessions {
    let mut sessions = Sessions::with_columns(statement.columns.iter().copied());
    let symbols: Vec<Symbol> = rows.texts.iter().map(|text| sessions.intern(text)).collect();
    for row in rows.iter() {
        let Some(key) = session_key(row) else { continue };
        let at = sessions.push(key);
        for (column, cell) in statement.columns.iter().zip(&row[3..]) {
            match (column, cell) {
                (Column::Text(column), Cell::Text(text)) => {
                    if let Some(symbol) = symbols.get(*text as usize) {
                        sessions.set_symbol(at, *column, *symbol);
                    }
                }
                (Column::Number(column), Cell::Number(number)) => {
                    sessions.set_number(at, *column, stored(*column, *number, offset).into());
                }
                _ => {}
            }
        }
        note_unknown_account(&mut sessions, at);
    }
    sessions
}

/// An account that DBA_USERS does not show is not thereby somebody's own: whether Oracle maintains it is unknown.
fn note_unknown_account(sessions: &mut Sessions, row: usize) {
    let column = Column::Text(TextColumn::OracleMaintained);
    let session = sessions.get(row);
    let unknown = session.text(TextColumn::Username).is_some()
        && session.text(TextColumn::OracleMaintained).is_none();
    if unknown && sessions.has(column) {
        sessions.set_gap(row, column);
    }
}

/// Times come as seconds in the server's zone.
fn stored(column: NumberColumn, number: i64, offset: Span) -> i64 {
    if column.is_time() {
        number.saturating_mul(MICROS_PER_SECOND).saturating_sub(offset.0)
    } else {
        number
    }
}

/// A common user without CONTAINER_DATA sees the root's rows only, and the listing looks healthy (facts, section 4).
fn sees_only_the_root(identity: &Identity, sessions: &Sessions) -> Option<String> {
    const ROOT: i64 = 1;
    let elsewhere = |number: Option<i64>| number.is_some_and(|number| number > ROOT);
    let nobody = !sessions.iter().any(|session| elsewhere(session.number(NumberColumn::ConId)));
    let knows = sessions.has(Column::Number(NumberColumn::ConId));
    (identity.is_root() && knows && nobody).then(|| {
        format!(
            "no session of a pluggable database is visible from CDB$ROOT: ALTER USER {} SET CONTAINER_DATA=ALL \
             CONTAINER=CURRENT, or connect to the pluggable database",
            identity.username
        )
    })
}
