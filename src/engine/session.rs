//! What one tick saw: a [`Snapshot`] of sessions and instances.
//!
//! Sessions are stored by column, because rules ask the same question of every row; a [`Session`] is a view of one
//! row. A column that the source does not have is absent, which is something else than a column full of NULLs: an
//! absent column makes every test on it unknown. Values are kept as they came, never guessed.
//!
//! Column names are Oracle's (Database Reference: V$SESSION and the views that are joined to it).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::text::{Symbol, Texts};
use super::time::{Span, Timestamp};

/// Identity of a session slot's present use. Together with the logon time it names one session life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    /// INST_ID: the RAC instance the row came from, from 1.
    pub inst_id: u32,
    /// SID: the slot.
    pub sid: u32,
    /// SERIAL#: how often the slot was used.
    pub serial: u32,
}

/// `sid,serial,@inst`, as in `ALTER SYSTEM KILL SESSION`.
impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},@{}", self.sid, self.serial, self.inst_id)
    }
}

/// One session life: all four parts are always compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionLife {
    /// Slot, use and instance.
    pub key: SessionKey,
    /// LOGON_TIME, if the source knows it.
    pub logon_time: Option<Timestamp>,
}

macro_rules! columns {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $oracle:literal $(| $alias:literal)*, $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $(#[doc = $doc] $variant,)* }

        impl $name {
            /// Every column, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Oracle's name of the column.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $oracle,)* }
            }

            /// Other names under which exports carry it.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias,)*],)* }
            }

            /// What it holds and where it comes from.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// Position in tables indexed by column.
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

columns! {
    /// Columns of text. Empty text is NULL.
    TextColumn {
        Username = "USERNAME", "database user; NULL for background processes";
        Osuser = "OSUSER", "operating system user, as the client says";
        Machine = "MACHINE", "client host, as the client says";
        Program = "PROGRAM", "client program, as the client says";
        Module = "MODULE", "DBMS_APPLICATION_INFO module";
        Action = "ACTION", "DBMS_APPLICATION_INFO action";
        ClientInfo = "CLIENT_INFO", "DBMS_APPLICATION_INFO client info";
        ClientIdentifier = "CLIENT_IDENTIFIER", "DBMS_SESSION identifier";
        ServiceName = "SERVICE_NAME", "service used at logon";
        Schemaname = "SCHEMANAME", "current schema";
        Terminal = "TERMINAL", "client terminal";
        Process = "PROCESS", "client process id";
        Server = "SERVER", "DEDICATED, SHARED, PSEUDO, POOLED or NONE";
        Status = "STATUS", "ACTIVE, INACTIVE, KILLED, CACHED or SNIPED";
        Type = "TYPE", "USER, BACKGROUND or RECURSIVE";
        Event = "EVENT", "wait event; stale unless STATE is WAITING";
        WaitClass = "WAIT_CLASS", "class of EVENT";
        State = "STATE", "WAITING, or how the last wait ended";
        ResourceConsumerGroup = "RESOURCE_CONSUMER_GROUP", "current consumer group";
        ContainerName = "CONTAINER_NAME" | "CONTAINER" | "CON_NAME" | "PDB_NAME" | "PDB",
            "container (V$CONTAINERS.NAME)";
        InstanceName = "INSTANCE_NAME", "instance (GV$INSTANCE)";
        SqlText = "SQL_TEXT" | "SQL_FULLTEXT", "text of the statement (GV$SQL)";
        Command = "COMMAND" | "COMMAND_NAME", "command of the statement, by name or number (V$SQLCOMMAND); 0 is NULL";
        SqlId = "SQL_ID", "statement now executing; meaningful while ACTIVE";
        PrevSqlId = "PREV_SQL_ID", "statement executed last";
        ForceMatchingSignature = "FORCE_MATCHING_SIGNATURE", "signature of the statement without literals (GV$SQL)";
        BlockingSessionStatus = "BLOCKING_SESSION_STATUS", "VALID, NO HOLDER, NOT IN WAIT, UNKNOWN or GLOBAL";
        Pname = "PNAME", "name of the server process (GV$PROCESS); NULL for ordinary ones";
        Taddr = "TADDR", "address of the open transaction; NULL if none";
        OracleMaintained = "ORACLE_MAINTAINED", "Y for accounts that Oracle created (DBA_USERS)";
        Background = "BACKGROUND", "1 for background processes (GV$PROCESS)";
        IsGv = "IS_GV", "TRUE for slaves that serve a GV$ query (GV$PX_PROCESS)";
        Branchid = "BRANCHID", "XA branch of the session (GV$GLOBAL_TRANSACTION)";
        JobName = "JOB_NAME", "job the session runs (DBA_SCHEDULER_RUNNING_JOBS)";
        SessionType = "SESSION_TYPE", "part in a Data Pump job (DBA_DATAPUMP_SESSIONS)";
        ExtractName = "EXTRACT_NAME", "GoldenGate or XStream process (V$GOLDENGATE_CAPTURE)";
        FailoverType = "FAILOVER_TYPE", "NONE, SESSION, SELECT, TRANSACTION or AUTO";
    }
}

columns! {
    /// Columns of numbers and of times; times are microseconds since 1970, UTC.
    NumberColumn {
        LogonTime = "LOGON_TIME" | "LOGON", "when the session logged on (a time)";
        LastCallEt = "LAST_CALL_ET", "seconds since the call began (ACTIVE) or ended (INACTIVE)";
        SqlExecStart = "SQL_EXEC_START", "when the statement's execution began (a time)";
        SqlExecId = "SQL_EXEC_ID", "number of that execution";
        SqlChildNumber = "SQL_CHILD_NUMBER", "child cursor of the statement";
        PlanHashValue = "SQL_PLAN_HASH_VALUE" | "PLAN_HASH_VALUE", "plan of the statement (GV$SQL)";
        WaitTimeMicro = "WAIT_TIME_MICRO", "microseconds in the present wait, while WAITING";
        SecondsInWait = "SECONDS_IN_WAIT", "seconds in the present wait, while WAITING";
        BlockingInstance = "BLOCKING_INSTANCE", "instance of the direct blocker";
        BlockingSession = "BLOCKING_SESSION", "SID of the direct blocker";
        UsedUrec = "USED_UREC", "undo records of the transaction (GV$TRANSACTION)";
        UsedUblk = "USED_UBLK", "undo blocks of the transaction (GV$TRANSACTION)";
        StartDate = "START_DATE" | "TRANSACTION_START", "when the transaction began (GV$TRANSACTION; a time)";
        ConId = "CON_ID", "container number";
        Audsid = "AUDSID", "auditing session number";
        Port = "PORT", "client port";
        Qcsid = "QCSID", "SID of the parallel coordinator (GV$PX_SESSION)";
        QcinstId = "QCINST_ID", "instance of the coordinator; NULL on the coordinator's own row (GV$PX_SESSION)";
        Ownerid = "OWNERID", "2147483644, or the coordinator of a parallel slave";
        UserNumber = "USER#", "number of the database user; SYS is 0";
        TempMb = "TEMP_MB", "temporary space, MiB, in thousandths (GV$TEMPSEG_USAGE)";
        PgaMb = "PGA_MB", "PGA allocated, MiB, in thousandths (GV$PROCESS)";
        CpuSeconds = "CPU_SECONDS", "CPU used by the session, seconds, in thousandths (GV$SESSTAT)";
        LogicalReads = "LOGICAL_READS", "session logical reads (GV$SESSTAT)";
        PhysicalReads = "PHYSICAL_READS", "physical reads (GV$SESSTAT)";
        SessionUsage = "SESSION_USAGE",
            "sessions in percent of the instance's limit, in thousandths (GV$RESOURCE_LIMIT)";
        ProcessUsage = "PROCESS_USAGE",
            "processes in percent of the instance's limit, in thousandths (GV$RESOURCE_LIMIT)";
    }
}

impl NumberColumn {
    /// Times are read from dates and printed as such.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::LogonTime | Self::SqlExecStart | Self::StartDate)
    }

    /// How many stored units make one of the source's: fractions are kept to a thousandth.
    pub const fn scale(self) -> i64 {
        match self {
            Self::TempMb
            | Self::PgaMb
            | Self::CpuSeconds
            | Self::SessionUsage
            | Self::ProcessUsage => 1_000,
            _ => 1,
        }
    }
}

/// Any column of a session but its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// A column of text.
    Text(TextColumn),
    /// A column of numbers or times.
    Number(NumberColumn),
}

impl Column {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let texts = TextColumn::ALL.iter().copied().map(Self::Text);
        texts.chain(NumberColumn::ALL.iter().copied().map(Self::Number))
    }

    /// Oracle's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text(column) => column.name(),
            Self::Number(column) => column.name(),
        }
    }

    /// The column of that name or alias, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        Self::all().find(|column| is(column.name()) || column.aliases().iter().any(|a| is(a)))
    }

    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Text(column) => column.aliases(),
            Self::Number(column) => column.aliases(),
        }
    }
}

/// A number cell: eight bytes, one value set aside for NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(i64);

impl Number {
    /// No value.
    pub const NULL: Self = Self(i64::MIN);

    /// The value, if there is one.
    pub const fn get(self) -> Option<i64> {
        if self.0 == i64::MIN { None } else { Some(self.0) }
    }

    /// The cell as stored: NULL is `i64::MIN`. For loops over whole columns.
    pub const fn raw(self) -> i64 {
        self.0
    }
}

impl From<i64> for Number {
    /// `i64::MIN` itself becomes NULL; no Oracle column can hold it.
    fn from(value: i64) -> Self {
        Self(value)
    }
}

impl From<Option<i64>> for Number {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::NULL, Self)
    }
}

/// The sessions of a snapshot, by column.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    keys: Vec<SessionKey>,
    texts: Texts,
    text_columns: Vec<Option<Vec<Symbol>>>,
    number_columns: Vec<Option<Vec<Number>>>,
    /// By column: the rows whose own source did not offer it, where rows came from several. Mostly there are none.
    gaps: BTreeMap<Column, Vec<bool>>,
}

impl Sessions {
    /// An empty set whose source offers `columns`; rows pushed later are NULL there until set.
    pub fn with_columns(columns: impl IntoIterator<Item = Column>) -> Self {
        let mut sessions = Self {
            text_columns: vec![None; TextColumn::ALL.len()],
            number_columns: vec![None; NumberColumn::ALL.len()],
            ..Self::default()
        };
        for column in columns {
            match column {
                Column::Text(column) => sessions.text_columns[column.index()] = Some(Vec::new()),
                Column::Number(column) => {
                    sessions.number_columns[column.index()] = Some(Vec::new());
                }
            }
        }
        sessions
    }

    /// Appends a row of NULLs and returns its number.
    pub fn push(&mut self, key: SessionKey) -> usize {
        self.keys.push(key);
        for cells in self.text_columns.iter_mut().flatten() {
            cells.push(Symbol::NULL);
        }
        for cells in self.number_columns.iter_mut().flatten() {
            cells.push(Number::NULL);
        }
        self.keys.len() - 1
    }

    /// Notes that the row's own source did not offer a column that others of the set have: its cell is not NULL but
    /// unknown.
    pub fn set_gap(&mut self, row: usize, column: Column) {
        let gaps = self.gaps.entry(column).or_default();
        gaps.resize(gaps.len().max(row + 1), false);
        gaps[row] = true;
    }

    /// True when the column's cell of this row is unknown, though the set has the column.
    pub fn is_gap(&self, row: usize, column: Column) -> bool {
        !self.gaps.is_empty()
            && self.gaps.get(&column).is_some_and(|gaps| gaps.get(row).copied().unwrap_or(false))
    }

    /// True when every row has the column.
    pub fn has_everywhere(&self, column: Column) -> bool {
        self.has(column) && !self.gaps.contains_key(&column)
    }

    /// These rows alone, in this order.
    pub fn only(&self, rows: &[usize]) -> Self {
        let mut only = Self::with_columns(Column::all().filter(|column| self.has(*column)));
        for &from in rows {
            only.copy(self, from);
        }
        only
    }

    /// The rows of all parts. A column that some of them lack is unknown there.
    pub fn together(parts: &[Self]) -> Self {
        let offered = |column: &Column| parts.iter().any(|part| part.has(*column));
        let mut all = Self::with_columns(Column::all().filter(offered));
        for part in parts {
            let lacking: Vec<Column> =
                Column::all().filter(|column| all.has(*column) && !part.has(*column)).collect();
            for from in 0..part.len() {
                let to = all.copy(part, from);
                for column in &lacking {
                    all.set_gap(to, *column);
                }
            }
        }
        all
    }

    fn copy(&mut self, of: &Self, from: usize) -> usize {
        let to = self.push(of.keys[from]);
        for column in TextColumn::ALL.iter().copied() {
            if let Some(text) = of.get(from).text(column) {
                self.set_text(to, column, text);
            }
        }
        for column in NumberColumn::ALL.iter().copied() {
            self.set_number(to, column, of.get(from).number(column).into());
        }
        for column in of.gaps.keys().filter(|column| of.is_gap(from, **column)) {
            self.set_gap(to, *column);
        }
        to
    }

    /// Interns `text` for use with [`Sessions::set_symbol`].
    pub fn intern(&mut self, text: &str) -> Symbol {
        self.texts.intern(text)
    }

    /// Sets a text cell. Nothing happens if the source does not offer the column.
    pub fn set_text(&mut self, row: usize, column: TextColumn, text: &str) {
        let symbol = self.texts.intern(text);
        self.set_symbol(row, column, symbol);
    }

    /// Sets a text cell to an interned text.
    pub fn set_symbol(&mut self, row: usize, column: TextColumn, symbol: Symbol) {
        if let Some(cells) = &mut self.text_columns[column.index()] {
            cells[row] = symbol;
        }
    }

    /// Sets a number cell, in stored units (see [`NumberColumn::scale`]).
    pub fn set_number(&mut self, row: usize, column: NumberColumn, number: Number) {
        if let Some(cells) = &mut self.number_columns[column.index()] {
            cells[row] = number;
        }
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The distinct texts.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// All keys, in row order.
    pub fn keys(&self) -> &[SessionKey] {
        &self.keys
    }

    /// A whole column of text; `None` when the source does not have it.
    pub fn text_column(&self, column: TextColumn) -> Option<&[Symbol]> {
        self.text_columns.get(column.index())?.as_deref()
    }

    /// A whole column of numbers; `None` when the source does not have it.
    pub fn number_column(&self, column: NumberColumn) -> Option<&[Number]> {
        self.number_columns.get(column.index())?.as_deref()
    }

    /// True when the source offers the column.
    pub fn has(&self, column: Column) -> bool {
        match column {
            Column::Text(column) => self.text_column(column).is_some(),
            Column::Number(column) => self.number_column(column).is_some(),
        }
    }

    /// The view of one row.
    pub fn get(&self, row: usize) -> Session<'_> {
        assert!(row < self.keys.len(), "row {row} of {} sessions", self.keys.len());
        Session { sessions: self, row }
    }

    /// All rows, in the order of the source.
    pub fn iter(&self) -> impl Iterator<Item = Session<'_>> {
        (0..self.len()).map(|row| Session { sessions: self, row })
    }
}

/// One row of GV$SESSION.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    sessions: &'a Sessions,
    row: usize,
}

impl<'a> Session<'a> {
    /// The row's number in its snapshot.
    pub fn row(self) -> usize {
        self.row
    }

    /// Who it is.
    pub fn key(self) -> SessionKey {
        self.sessions.keys[self.row]
    }

    /// Who it is, with the logon time.
    pub fn life(self) -> SessionLife {
        SessionLife { key: self.key(), logon_time: self.time(NumberColumn::LogonTime) }
    }

    /// True when the row's source offers the column.
    pub fn has(self, column: Column) -> bool {
        self.sessions.has(column) && !self.sessions.is_gap(self.row, column)
    }

    /// The symbol of a text cell; NULL also where the column is absent.
    pub fn symbol(self, column: TextColumn) -> Symbol {
        self.sessions.text_column(column).map_or(Symbol::NULL, |cells| cells[self.row])
    }

    /// A text cell; `None` is NULL or absent.
    pub fn text(self, column: TextColumn) -> Option<&'a str> {
        self.sessions.texts.get(self.symbol(column))
    }

    /// A number cell in stored units; `None` is NULL or absent.
    pub fn number(self, column: NumberColumn) -> Option<i64> {
        self.sessions.number_column(column)?[self.row].get()
    }

    /// A cell that holds a time.
    pub fn time(self, column: NumberColumn) -> Option<Timestamp> {
        debug_assert!(column.is_time(), "{} is not a time", column.name());
        self.number(column).map(Timestamp)
    }

    /// True when the text cell equals `value`, ignoring ASCII case and blanks round it (for Oracle's own key words).
    pub fn is(self, column: TextColumn, value: &str) -> bool {
        self.text(column).is_some_and(|text| text.trim().eq_ignore_ascii_case(value))
    }
}

/// Whether an instance's sessions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstanceState {
    /// Its rows are in the snapshot.
    Answered,
    /// It was expected and did not answer: its sessions are unknown, not gone.
    Missing,
}

/// One instance of the cluster as the source saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// INSTANCE_NUMBER.
    pub inst_id: u32,
    /// Whether it answered.
    pub state: InstanceState,
}

/// What a snapshot's time rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeBasis {
    /// The source told it.
    #[default]
    Told,
    /// It is only the latest time found in the rows: ages are lower bounds.
    LowerBound,
    /// Nothing told it, and no row holds a time. `taken_at` stands for nothing.
    Unknown,
}

/// How long windows and exemptions with an end do not go by a clock that was set.
pub const CLOCK_DISTRUST: Span = Span::seconds(3_600);

/// What one tick saw of one database.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The database's name in the configuration, or the capture's.
    pub database: String,
    /// The database's own time; the only clock that the engine knows.
    pub taken_at: Timestamp,
    /// What `taken_at` rests on.
    pub time_basis: TimeBasis,
    /// The database's clock was set, as far as a watcher knows: what it said of earlier moments cannot be compared with
    /// `taken_at`, so ages since then are not known.
    pub clock_set: Option<Timestamp>,
    /// How long after the look began the database was asked its time, and how long after its beginning it had told it.
    /// `None`: at any moment of the look.
    pub told_within: Option<(Span, Span)>,
    /// The instances that were expected, by number.
    pub instances: Vec<Instance>,
    /// INSTANCE_NAME by number, where the source tells: a session can only be led to an instance by its name.
    pub instance_names: BTreeMap<u32, String>,
    /// The rows.
    pub sessions: Sessions,
    /// Live user sessions that exist and match nothing, without rows here. Policy tests use it so that
    /// `percent` limits mean what they mean on a full database; 0 everywhere else.
    pub unlisted_live_sessions: u32,
    /// Sessions of this daemon on that database, by identity.
    pub own_sessions: Vec<SessionKey>,
    /// How far the database's own clock, in which its DATE columns are written, is ahead of UTC.
    pub clock_offset: Span,
    /// Why nobody may be ended there now: a standby, a database that is not open for writing. `None`: it is a primary
    /// that is open, or the source does not end sessions anyway.
    pub read_only: Option<String>,
    /// What the reader should know about what was seen.
    pub warnings: Vec<String>,
    /// What it took to see it.
    pub fetched: Fetched,
    /// The sessions that each named query returned; one that was not answered is not there.
    pub queries: BTreeMap<String, BTreeSet<SessionKey>>,
}

/// What an observation cost. Zero where nothing was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Rows of all statements.
    pub rows: u64,
    /// Bytes of their values, as handed over by the driver.
    pub bytes: u64,
    /// Round trips to the database.
    pub round_trips: u64,
}

impl Snapshot {
    /// When it was taken, if that is known.
    pub fn known_time(&self) -> Option<Timestamp> {
        (self.time_basis != TimeBasis::Unknown).then_some(self.taken_at)
    }

    /// When it was taken, if that can be relied on: not for an hour after the clock was set. By then somebody has seen
    /// the warning.
    pub fn certain_time(&self) -> Option<Timestamp> {
        let settled = |set| self.taken_at.since(set) >= CLOCK_DISTRUST;
        self.known_time().filter(|_| self.clock_set.is_none_or(settled))
    }

    /// The time, if how long ago it was can be told.
    pub fn comparable(&self, time: Timestamp) -> Option<Timestamp> {
        self.clock_set.is_none_or(|set| time >= set).then_some(time)
    }

    /// A snapshot whose instances are those that have rows.
    pub fn of_sessions(
        database: impl Into<String>,
        taken_at: Timestamp,
        sessions: Sessions,
    ) -> Self {
        let mut inst_ids: Vec<u32> = sessions.keys().iter().map(|key| key.inst_id).collect();
        inst_ids.sort_unstable();
        inst_ids.dedup();
        let answered = |inst_id| Instance { inst_id, state: InstanceState::Answered };
        Self {
            database: database.into(),
            taken_at,
            time_basis: TimeBasis::Told,
            clock_set: None,
            told_within: None,
            instances: inst_ids.into_iter().map(answered).collect(),
            instance_names: BTreeMap::new(),
            sessions,
            unlisted_live_sessions: 0,
            own_sessions: Vec::new(),
            clock_offset: Span::ZERO,
            read_only: None,
            warnings: Vec::new(),
            fetched: Fetched::default(),
            queries: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_absent_is_not_a_column_of_nulls() {
        let mut sessions = Sessions::with_columns([Column::Text(TextColumn::Username)]);
        let row = sessions.push(SessionKey { inst_id: 1, sid: 7, serial: 9 });
        sessions.set_text(row, TextColumn::Machine, "ignored");
        let session = sessions.get(row);
        assert!(session.has(Column::Text(TextColumn::Username)));
        assert!(!session.has(Column::Text(TextColumn::Machine)));
        assert_eq!(session.text(TextColumn::Username), None);
        assert_eq!(session.text(TextColumn::Machine), None);
        assert_eq!(session.key().to_string(), "7,9,@1");
    }

    #[test]
    fn a_clock_that_was_set_is_not_relied_on_for_an_hour_and_says_nothing_of_earlier_moments() {
        let at = |seconds| Timestamp(0).plus(Span::seconds(seconds));
        let mut seen = Snapshot::of_sessions("prod", at(10_000), Sessions::default());
        assert_eq!((seen.certain_time(), seen.comparable(at(1))), (Some(at(10_000)), Some(at(1))));
        seen.clock_set = Some(at(6_401));
        assert_eq!((seen.certain_time(), seen.known_time()), (None, Some(at(10_000))));
        assert_eq!(
            (seen.comparable(at(6_400)), seen.comparable(at(6_401))),
            (None, Some(at(6_401)))
        );
        seen.clock_set = Some(at(6_400));
        assert_eq!(seen.certain_time(), Some(at(10_000)));
    }

    #[test]
    fn column_names_and_aliases_are_unique() {
        let mut names: Vec<&str> = Column::all().map(Column::name).collect();
        names.extend(Column::all().flat_map(Column::aliases));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
