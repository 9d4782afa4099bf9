//! What a field's value is for one session: the one place where the meaning of every field stands.
//!
//! The meanings that keep people out of trouble live here (facts, sections 1.4 to 1.9): idle is STATUS INACTIVE and
//! LAST_CALL_ET, never the wait class; an event counts only while STATE is WAITING; a SQL_ID only while ACTIVE.

use std::borrow::Cow;
use std::cell::OnceCell;

use rustc_hash::FxHashSet;

use super::condition::{Field, Leaf};
use super::session::{Column, NumberColumn, Session, SessionKey, Snapshot, TextColumn};
use super::sql_text;
use super::text::Symbol;
use super::time::{MICROS_PER_SECOND, Span, Timestamp};
use super::waits::{WaitGraph, present_wait};

/// What OWNERID says of a session that is nobody's parallel slave.
pub const OWNERID_NOT_A_SLAVE: i64 = 2_147_483_644;

/// A field's value for one session, or why it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A text of the snapshot.
    Text(Symbol),
    /// A number in stored units: microseconds, or as [`Field::scale`] says.
    Number(i64),
    /// A yes or no.
    Flag(bool),
    /// No value, and that is known.
    Null(NullReason),
    /// Whether there is a value is not known.
    Absent(AbsentReason),
}

/// Why a field has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullReason {
    /// The row says NULL.
    Null,
    /// The session is not in a call.
    NotActive,
    /// The session is neither INACTIVE nor SNIPED.
    NotIdle,
    /// The session is not waiting now.
    NotWaiting,
    /// Nobody waits for the session.
    BlocksNobody,
}

/// Why a field cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsentReason {
    /// The source lacks a column that it needs.
    NoColumn,
    /// The column that says whether it is defined (STATUS or STATE) is NULL.
    StateUnknown,
    /// The source cannot run queries, or has not.
    NoQuery,
    /// It is an age since a moment before the database's clock was set.
    ClockSet,
}

/// A snapshot with what is derived from it, computed when first asked for.
#[derive(Debug)]
pub struct Facts<'s> {
    snapshot: &'s Snapshot,
    waits: OnceCell<Option<WaitGraph>>,
    coordinators: OnceCell<FxHashSet<(u32, u32)>>,
}

impl<'s> Facts<'s> {
    /// Nothing is computed yet.
    pub fn new(snapshot: &'s Snapshot) -> Self {
        Self { snapshot, waits: OnceCell::new(), coordinators: OnceCell::new() }
    }

    /// The snapshot itself.
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// The value of `field` for the session in `row`.
    pub fn value(&self, field: Field, row: usize) -> Value {
        let session = self.snapshot.sessions.get(row);
        if let Some(column) = text_column(field) {
            return in_state(field, session, || text(session, column));
        }
        if let Some(column) = number_column(field) {
            return in_state(field, session, || number(session, column));
        }
        match field {
            Field::InstId => Value::Number(i64::from(session.key().inst_id)),
            Field::Sid => Value::Number(i64::from(session.key().sid)),
            Field::Serial => Value::Number(i64::from(session.key().serial)),
            Field::IdleFor => idle_for(session),
            Field::ActiveFor => {
                in_state(field, session, || seconds(session, NumberColumn::LastCallEt))
            }
            Field::SqlRunningFor => {
                in_state(field, session, || self.since(session, NumberColumn::SqlExecStart))
            }
            Field::WaitingFor => in_state(field, session, || waiting_for(session)),
            Field::SessionAge => self.since(session, NumberColumn::LogonTime),
            Field::TransactionFor => self.since(session, NumberColumn::StartDate),
            Field::BlockedSessions | Field::BlockingFor | Field::RootBlocker => {
                self.blocking(field, row)
            }
            Field::InTransaction => in_transaction(session),
            Field::OnCpu => on_cpu(session),
            Field::ParallelCoordinator => self.parallel_coordinator(session),
            _ => Value::Absent(AbsentReason::NoQuery),
        }
    }

    /// What a leaf's test is about, for the session in `row`.
    pub fn asked(&self, leaf: &Leaf, row: usize) -> Value {
        let Some(query) = leaf.query() else { return self.value(leaf.field, row) };
        match self.snapshot.queries.get(query) {
            Some(returned) => {
                Value::Flag(returned.contains(&self.snapshot.sessions.get(row).key()))
            }
            None => Value::Absent(AbsentReason::NoQuery),
        }
    }

    /// False when the source cannot tell what the leaf asks about.
    pub fn can_tell(&self, leaf: &Leaf) -> bool {
        match leaf.query() {
            Some(query) => self.snapshot.queries.contains_key(query),
            None => self.can_answer(leaf.field),
        }
    }

    /// The whole column, for fields that are one in every state of a session.
    pub fn plain_text(&self, field: Field) -> Option<&'s [Symbol]> {
        let column = text_column(field)?;
        let plain = !field.needs_active() && !field.needs_waiting();
        self.snapshot.sessions.text_column(column).filter(|_| plain)
    }

    /// The text that `field` shows for a symbol that [`Facts::value`] gave.
    pub fn text(&self, field: Field, symbol: Symbol) -> Cow<'s, str> {
        let text = self.snapshot.sessions.texts().get(symbol).unwrap_or_default();
        match field {
            Field::SqlTextNormalized => Cow::Owned(sql_text::normalize(text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// A value as people read it: `2h`, `JDBC Thin Client`, `null`, `null (status is not ACTIVE)`.
    pub fn show(&self, field: Field, value: Value) -> String {
        match value {
            Value::Text(symbol) => self.text(field, symbol).into_owned(),
            Value::Number(number) => show_number(field, number),
            Value::Flag(flag) => flag.to_string(),
            Value::Null(reason) => reason.text().to_owned(),
            Value::Absent(reason) => reason.text().to_owned(),
        }
    }

    /// True when the source can answer the field at all.
    pub fn can_answer(&self, field: Field) -> bool {
        let has = |column| self.snapshot.sessions.has(column);
        let has_text = |column| has(Column::Text(column));
        let has_number = |column| has(Column::Number(column));
        let state_known = (!field.needs_active() || has_text(TextColumn::Status))
            && (!field.needs_waiting() || has_text(TextColumn::State));
        let column = text_column(field).map(Column::Text);
        let column = column.or(number_column(field).map(Column::Number));
        state_known
            && column.is_none_or(has)
            && match field {
                Field::IdleFor => {
                    has_text(TextColumn::Status) && has_number(NumberColumn::LastCallEt)
                }
                Field::ActiveFor => has_number(NumberColumn::LastCallEt),
                Field::SqlRunningFor => has_number(NumberColumn::SqlExecStart),
                Field::WaitingFor => {
                    has_number(NumberColumn::WaitTimeMicro)
                        || has_number(NumberColumn::SecondsInWait)
                }
                Field::SessionAge => has_number(NumberColumn::LogonTime),
                Field::TransactionFor => has_number(NumberColumn::StartDate),
                Field::BlockedSessions | Field::BlockingFor | Field::RootBlocker => {
                    self.waits().is_some()
                }
                Field::InTransaction => {
                    has_text(TextColumn::Taddr)
                        || has_number(NumberColumn::StartDate)
                        || has_number(NumberColumn::UsedUrec)
                }
                Field::OnCpu => has_text(TextColumn::Status) && has_text(TextColumn::State),
                Field::ParallelCoordinator => {
                    has_number(NumberColumn::Qcsid) || has_number(NumberColumn::Ownerid)
                }
                Field::InQuery => false,
                _ => true,
            }
    }

    fn since(&self, session: Session<'_>, column: NumberColumn) -> Value {
        match number(session, column) {
            Value::Number(then) => match self.snapshot.comparable(Timestamp(then)) {
                Some(then) => Value::Number(self.snapshot.taken_at.since(then).0),
                None => Value::Absent(AbsentReason::ClockSet),
            },
            missing => missing,
        }
    }

    fn waits(&self) -> Option<&WaitGraph> {
        self.waits.get_or_init(|| WaitGraph::of(&self.snapshot.sessions)).as_ref()
    }

    fn blocking(&self, field: Field, row: usize) -> Value {
        let Some(waits) = self.waits() else { return Value::Absent(AbsentReason::NoColumn) };
        let blocked = waits.blocked_sessions(row);
        match field {
            Field::BlockedSessions => Value::Number(i64::from(blocked)),
            Field::RootBlocker => Value::Flag(blocked > 0),
            _ if blocked == 0 => Value::Null(NullReason::BlocksNobody),
            _ => waits.blocking_for(row).map_or(Value::Null(NullReason::Null), Value::Number),
        }
    }

    fn parallel_coordinator(&self, session: Session<'_>) -> Value {
        let needed = [NumberColumn::Qcsid, NumberColumn::Ownerid].map(Column::Number);
        if !needed.into_iter().any(|column| session.has(column)) {
            return Value::Absent(AbsentReason::NoColumn);
        }
        let key = session.key();
        let own_row = session.number(NumberColumn::Qcsid) == Some(i64::from(key.sid))
            && !is_parallel_slave(session);
        let coordinators = self.coordinators.get_or_init(|| coordinators(self.snapshot));
        Value::Flag(own_row || coordinators.contains(&(key.inst_id, key.sid)))
    }
}

impl NullReason {
    const fn text(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::NotActive => "null (status is not ACTIVE)",
            Self::NotIdle => "null (status is neither INACTIVE nor SNIPED)",
            Self::NotWaiting => "null (state is not WAITING)",
            Self::BlocksNobody => "null (blocks nobody)",
        }
    }
}

impl AbsentReason {
    const fn text(self) -> &'static str {
        match self {
            Self::NoColumn => "not known (the source has no such column)",
            Self::StateUnknown => "not known (its status or state is null)",
            Self::NoQuery => "not known (the query was not answered)",
            Self::ClockSet => "not known (the database's clock was set since)",
        }
    }
}

/// True for a parallel slave, from the structural columns: GV$PX_SESSION if the source has it, else OWNERID.
pub fn is_parallel_slave(session: Session<'_>) -> bool {
    let SessionKey { sid, .. } = session.key();
    let qcsid = session.number(NumberColumn::Qcsid);
    if session.has(Column::Number(NumberColumn::Qcsid)) {
        let other_coordinator = qcsid.is_some_and(|qcsid| qcsid != i64::from(sid));
        return other_coordinator || session.number(NumberColumn::QcinstId).is_some();
    }
    session.number(NumberColumn::Ownerid).is_some_and(|owner| owner != OWNERID_NOT_A_SLAVE)
}

/// The slots that parallel slaves name as their coordinator.
fn coordinators(snapshot: &Snapshot) -> FxHashSet<(u32, u32)> {
    let slot = |inst: i64, sid: i64| Some((u32::try_from(inst).ok()?, u32::try_from(sid).ok()?));
    let named = |session: Session<'_>| {
        let own_instance = i64::from(session.key().inst_id);
        match session.number(NumberColumn::Qcsid) {
            Some(sid) => slot(session.number(NumberColumn::QcinstId).unwrap_or(own_instance), sid),
            // The low two bytes are the coordinator's SID, the high ones its instance.
            None => session
                .number(NumberColumn::Ownerid)
                .and_then(|owner| slot(owner >> 16, owner & 0xFFFF)),
        }
    };
    let slaves = snapshot.sessions.iter().filter(|session| is_parallel_slave(*session));
    slaves.filter_map(named).collect()
}

/// Fields that are a column of text, as it stands.
const fn text_column(field: Field) -> Option<TextColumn> {
    Some(match field {
        Field::Username => TextColumn::Username,
        Field::Osuser => TextColumn::Osuser,
        Field::Machine => TextColumn::Machine,
        Field::Program => TextColumn::Program,
        Field::Module => TextColumn::Module,
        Field::Action => TextColumn::Action,
        Field::ClientInfo => TextColumn::ClientInfo,
        Field::ClientIdentifier => TextColumn::ClientIdentifier,
        Field::ServiceName => TextColumn::ServiceName,
        Field::Schemaname => TextColumn::Schemaname,
        Field::Terminal => TextColumn::Terminal,
        Field::Process => TextColumn::Process,
        Field::Server => TextColumn::Server,
        Field::Status => TextColumn::Status,
        Field::Type => TextColumn::Type,
        Field::WaitEvent => TextColumn::Event,
        Field::WaitClass => TextColumn::WaitClass,
        Field::ResourceConsumerGroup => TextColumn::ResourceConsumerGroup,
        Field::Container => TextColumn::ContainerName,
        Field::InstanceName => TextColumn::InstanceName,
        Field::SqlText | Field::SqlTextNormalized => TextColumn::SqlText,
        Field::Command => TextColumn::Command,
        Field::SqlId => TextColumn::SqlId,
        Field::LastSqlId => TextColumn::PrevSqlId,
        Field::ForceMatchingSignature => TextColumn::ForceMatchingSignature,
        _ => return None,
    })
}

/// Fields that are a column of numbers, as it stands.
const fn number_column(field: Field) -> Option<NumberColumn> {
    Some(match field {
        Field::ConId => NumberColumn::ConId,
        Field::SqlChild => NumberColumn::SqlChildNumber,
        Field::PlanHash => NumberColumn::PlanHashValue,
        Field::Audsid => NumberColumn::Audsid,
        Field::Port => NumberColumn::Port,
        Field::UndoRecords => NumberColumn::UsedUrec,
        Field::UndoBlocks => NumberColumn::UsedUblk,
        Field::TempMb => NumberColumn::TempMb,
        Field::PgaMb => NumberColumn::PgaMb,
        Field::CpuSeconds => NumberColumn::CpuSeconds,
        Field::LogicalReads => NumberColumn::LogicalReads,
        Field::PhysicalReads => NumberColumn::PhysicalReads,
        Field::LogonTime => NumberColumn::LogonTime,
        _ => return None,
    })
}

/// The columns that a field's value rests on: a source that lacks them cannot answer it.
pub fn columns(field: Field) -> Vec<Column> {
    let numbers = |numbers: &[NumberColumn]| numbers.iter().copied().map(Column::Number).collect();
    let mut columns: Vec<Column> = match field {
        Field::IdleFor | Field::ActiveFor => numbers(&[NumberColumn::LastCallEt]),
        Field::SqlRunningFor => numbers(&[NumberColumn::SqlExecStart]),
        Field::WaitingFor => numbers(&[NumberColumn::WaitTimeMicro, NumberColumn::SecondsInWait]),
        Field::SessionAge => numbers(&[NumberColumn::LogonTime]),
        Field::TransactionFor => numbers(&[NumberColumn::StartDate]),
        Field::BlockedSessions | Field::BlockingFor | Field::RootBlocker => {
            let blocker = [NumberColumn::BlockingInstance, NumberColumn::BlockingSession];
            let mut columns = columns(Field::WaitingFor);
            columns.extend(blocker.map(Column::Number));
            columns.push(Column::Text(TextColumn::BlockingSessionStatus));
            columns.push(Column::Text(TextColumn::State));
            columns
        }
        Field::InTransaction => vec![Column::Text(TextColumn::Taddr)],
        Field::OnCpu => vec![Column::Text(TextColumn::Status), Column::Text(TextColumn::State)],
        Field::ParallelCoordinator => numbers(&[NumberColumn::Qcsid, NumberColumn::Ownerid]),
        other => {
            let text = text_column(other).map(Column::Text);
            text.or(number_column(other).map(Column::Number)).into_iter().collect()
        }
    };
    if field.needs_active() || field == Field::IdleFor {
        columns.push(Column::Text(TextColumn::Status));
    }
    if field.needs_waiting() {
        columns.push(Column::Text(TextColumn::State));
    }
    columns
}

/// True when `value` is a text field: [`Facts::value`] gives symbols or nothing.
pub const fn is_text(field: Field) -> bool {
    text_column(field).is_some()
}

/// `value`, if the session is in the state in which the field is defined.
fn in_state(field: Field, session: Session<'_>, value: impl FnOnce() -> Value) -> Value {
    let (column, needed, otherwise) = if field.needs_active() {
        (TextColumn::Status, "ACTIVE", NullReason::NotActive)
    } else if field.needs_waiting() {
        (TextColumn::State, "WAITING", NullReason::NotWaiting)
    } else {
        return value();
    };
    match (value(), session.text(column)) {
        (Value::Absent(reason), _) => Value::Absent(reason),
        (_, None) if !session.has(Column::Text(column)) => Value::Absent(AbsentReason::NoColumn),
        (_, None) => Value::Absent(AbsentReason::StateUnknown),
        (value, Some(state)) if state.eq_ignore_ascii_case(needed) => value,
        _ => Value::Null(otherwise),
    }
}

fn text(session: Session<'_>, column: TextColumn) -> Value {
    let symbol = session.symbol(column);
    if symbol.is_null() { missing(session, Column::Text(column)) } else { Value::Text(symbol) }
}

fn number(session: Session<'_>, column: NumberColumn) -> Value {
    session.number(column).map_or_else(|| missing(session, Column::Number(column)), Value::Number)
}

fn seconds(session: Session<'_>, column: NumberColumn) -> Value {
    match number(session, column) {
        Value::Number(seconds) => Value::Number(seconds.saturating_mul(MICROS_PER_SECOND)),
        missing => missing,
    }
}

fn missing(session: Session<'_>, column: Column) -> Value {
    if session.has(column) {
        Value::Null(NullReason::Null)
    } else {
        Value::Absent(AbsentReason::NoColumn)
    }
}

/// INACTIVE and SNIPED both count from when the last call ended (facts, section 1.7).
fn idle_for(session: Session<'_>) -> Value {
    let value = seconds(session, NumberColumn::LastCallEt);
    match (value, session.text(TextColumn::Status)) {
        (Value::Absent(reason), _) => Value::Absent(reason),
        (_, None) if !session.has(Column::Text(TextColumn::Status)) => {
            Value::Absent(AbsentReason::NoColumn)
        }
        (_, None) => Value::Absent(AbsentReason::StateUnknown),
        (value, Some(status))
            if ["INACTIVE", "SNIPED"].iter().any(|idle| status.eq_ignore_ascii_case(idle)) =>
        {
            value
        }
        _ => Value::Null(NullReason::NotIdle),
    }
}

fn waiting_for(session: Session<'_>) -> Value {
    let columns = [NumberColumn::WaitTimeMicro, NumberColumn::SecondsInWait].map(Column::Number);
    match present_wait(session) {
        Some(wait) => Value::Number(wait),
        None if columns.into_iter().any(|column| session.has(column)) => {
            Value::Null(NullReason::Null)
        }
        None => Value::Absent(AbsentReason::NoColumn),
    }
}

/// TADDR tells for sure. Without it, a joined transaction column proves that there is one, but its absence proves
/// nothing.
fn in_transaction(session: Session<'_>) -> Value {
    if session.has(Column::Text(TextColumn::Taddr)) {
        return Value::Flag(session.text(TextColumn::Taddr).is_some());
    }
    let joined = [NumberColumn::StartDate, NumberColumn::UsedUrec];
    if joined.into_iter().any(|column| session.number(column).is_some()) {
        return Value::Flag(true);
    }
    Value::Absent(AbsentReason::NoColumn)
}

fn on_cpu(session: Session<'_>) -> Value {
    let status = session.text(TextColumn::Status);
    match (status, session.text(TextColumn::State)) {
        (Some(status), _) if !status.eq_ignore_ascii_case("ACTIVE") => Value::Flag(false),
        (Some(_), Some(state)) => Value::Flag(!state.eq_ignore_ascii_case("WAITING")),
        _ => {
            let columns = [TextColumn::Status, TextColumn::State].map(Column::Text);
            let known = columns.into_iter().all(|column| session.has(column));
            Value::Absent(if known { AbsentReason::StateUnknown } else { AbsentReason::NoColumn })
        }
    }
}

fn show_number(field: Field, number: i64) -> String {
    use super::condition::FieldKind;
    match field.kind() {
        FieldKind::Duration => Span(number).to_string(),
        _ if field == Field::LogonTime => Timestamp(number).to_string(),
        _ if field.scale() > 1 && number % field.scale() != 0 => {
            format!("{}", number as f64 / field.scale() as f64)
        }
        _ => (number / field.scale()).to_string(),
    }
}
