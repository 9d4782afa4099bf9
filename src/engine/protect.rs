//! Built-in protections: who is never ended, from the structural columns where the source has them.
//!
//! Client-reported text can only add protection, never remove it. Where a structural column is missing (captures),
//! what the source has takes its place, and [`missing_evidence`] says so once. Facts, section 3.

use super::facts::is_parallel_slave;
use super::policy::{Liftable, Rule};
use super::session::{Column, NumberColumn, Session, Sessions, Snapshot, TextColumn};
use super::time::Timestamp;

/// A built-in protection, in the order in which they are named when several hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Protection {
    /// TYPE other than USER, or no USERNAME.
    Background,
    /// A named server process.
    ServerProcess,
    /// SYS, SYSTEM, SYSRAC, DBSNMP, RDSADMIN and every account that Oracle created.
    OracleMaintained,
    /// Works for a coordinator, which is judged instead.
    ParallelSlave,
    /// This daemon's own sessions.
    OwnSession,
    /// Serves somebody's GV$ query.
    GvReader,
    /// Runs a scheduler job.
    JobSlave,
    /// Works in a Data Pump job.
    DataPump,
    /// An RMAN channel.
    Rman,
    /// Data Guard transport or apply.
    DataGuard,
    /// GoldenGate, Streams, XStream.
    Replication,
    /// Has an XA branch.
    XaBranch,
    /// STATUS is KILLED: it is already ending.
    Killed,
    /// STATUS is CACHED: it belongs to a transaction manager.
    Cached,
    /// Its undo falls: a kill could not make that faster.
    RollingBack,
    /// Younger than `min_session_age`, or of unknown age.
    TooYoung,
    /// Asks to be kept in CLIENT_INFO or MODULE.
    SelfProtected,
}

impl Protection {
    /// All, in order.
    pub const ALL: [Self; 17] = [
        Self::Background,
        Self::ServerProcess,
        Self::OracleMaintained,
        Self::ParallelSlave,
        Self::OwnSession,
        Self::GvReader,
        Self::JobSlave,
        Self::DataPump,
        Self::Rman,
        Self::DataGuard,
        Self::Replication,
        Self::XaBranch,
        Self::Killed,
        Self::Cached,
        Self::RollingBack,
        Self::TooYoung,
        Self::SelfProtected,
    ];

    /// Its name in plans and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::ServerProcess => "server-process",
            Self::OracleMaintained => "oracle-maintained",
            Self::ParallelSlave => "parallel-slave",
            Self::OwnSession => "own-session",
            Self::GvReader => "gv-reader",
            Self::JobSlave => "job-slave",
            Self::DataPump => "data-pump",
            Self::Rman => "rman",
            Self::DataGuard => "data-guard",
            Self::Replication => "replication",
            Self::XaBranch => "xa-branch",
            Self::Killed => "killed",
            Self::Cached => "cached",
            Self::RollingBack => "rolling-back",
            Self::TooYoung => "too-young",
            Self::SelfProtected => "self-protected",
        }
    }

    /// What it means, in a sentence for people.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Background => "a background process: TYPE is not USER, or it has no USERNAME",
            Self::ServerProcess => {
                "a named server process (V$PROCESS.PNAME, or PROGRAM where that is missing)"
            }
            Self::OracleMaintained => "an account that Oracle or the platform maintains",
            Self::ParallelSlave => "a parallel slave: its coordinator is judged instead",
            Self::OwnSession => "a session of orawarden itself",
            Self::GvReader => "a slave that serves a GV$ query",
            Self::JobSlave => "runs a scheduler job",
            Self::DataPump => "works in a Data Pump job",
            Self::Rman => "an RMAN channel",
            Self::DataGuard => "Data Guard transport or apply",
            Self::Replication => "replication: GoldenGate, Streams or XStream",
            Self::XaBranch => "has an XA transaction branch",
            Self::Killed => "already marked KILLED",
            Self::Cached => "CACHED: kept for a transaction manager",
            Self::RollingBack => "rolling back: its undo records are falling",
            Self::TooYoung => "younger than min_session_age, or of unknown age",
            Self::SelfProtected => "asks to be kept: orawarden:keep in CLIENT_INFO or MODULE",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// The protections of one session, but for those that depend on the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Protected {
    classes: u32,
    /// What kind of server process it is, when that kind can be lifted.
    process: Option<Liftable>,
}

impl Protected {
    fn add(&mut self, protection: Protection, holds: bool) {
        self.classes |= if holds { protection.bit() } else { 0 };
    }

    /// The first protection that holds against `rule`, in order.
    pub fn first_against(
        self,
        rule: &Rule,
        logon: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Protection> {
        let mut classes = self.classes;
        for lifted in &rule.allow_protected {
            classes &= !lifted.protection().bit();
            if self.process == Some(*lifted) {
                classes &= !Protection::ServerProcess.bit();
            }
        }
        if is_too_young(rule, logon, now) {
            classes |= Protection::TooYoung.bit();
        }
        Protection::ALL.get(classes.trailing_zeros() as usize).copied()
    }

    /// True for sessions of type USER: neither background nor a named server process.
    pub fn is_user_session(self) -> bool {
        self.classes & (Protection::Background.bit() | Protection::ServerProcess.bit()) == 0
    }
}

impl Liftable {
    /// The protection that it lifts.
    pub const fn protection(self) -> Protection {
        match self {
            Self::JobSlave => Protection::JobSlave,
            Self::DataPump => Protection::DataPump,
            Self::Rman => Protection::Rman,
            Self::Replication => Protection::Replication,
            Self::XaBranch => Protection::XaBranch,
            Self::SelfProtected => Protection::SelfProtected,
        }
    }
}

/// Strictly younger than the rule's `min_session_age`, or of unknown age.
fn is_too_young(rule: &Rule, logon: Option<Timestamp>, now: Timestamp) -> bool {
    let minimum = rule.min_session_age;
    minimum.0 > 0 && logon.is_none_or(|logon| now.since(logon) < minimum)
}

/// The protections of every session, by row. `is_rolling_back` is what history knows.
pub fn protections(
    snapshot: &Snapshot,
    is_rolling_back: &dyn Fn(Session<'_>) -> bool,
) -> Vec<Protected> {
    let sessions = &snapshot.sessions;
    let mut hints = Hints::new(sessions);
    let mut own = snapshot.own_sessions.clone();
    own.sort_unstable();
    let protect = |session: Session<'_>| {
        let mut protected = structural(session);
        protected.classes |= hints.of(session);
        add_process(session, &mut protected);
        protected.add(Protection::OwnSession, own.binary_search(&session.key()).is_ok());
        protected.add(Protection::RollingBack, is_rolling_back(session));
        protected
    };
    sessions.iter().map(protect).collect()
}

/// One sentence about the structural columns that the source lacks; `None` when it has them all.
pub fn missing_evidence(sessions: &Sessions) -> Option<String> {
    let text = |column| Column::Text(column);
    let needed = [
        (text(TextColumn::Type), "USERNAME and PROGRAM"),
        (text(TextColumn::Username), "PROGRAM"),
        (text(TextColumn::Pname), "PROGRAM"),
        (text(TextColumn::OracleMaintained), "account names"),
        (Column::Number(NumberColumn::Qcsid), "OWNERID and PROGRAM"),
    ];
    let missing: Vec<String> = needed
        .into_iter()
        .filter(|(column, _)| !sessions.has(*column))
        .map(|(column, instead)| format!("{} ({instead} instead)", column.name()))
        .collect();
    (!missing.is_empty())
        .then(|| format!("protections are weaker here: the source has no {}", missing.join(", ")))
}

/// What the structural columns say.
fn structural(session: Session<'_>) -> Protected {
    let has = |column| session.text(column).is_some();
    let other_type =
        session.has(Column::Text(TextColumn::Type)) && !session.is(TextColumn::Type, "USER");
    let no_user = session.has(Column::Text(TextColumn::Username)) && !has(TextColumn::Username);
    let background_process = session.is(TextColumn::Background, "1");
    let oracle_maintained = session.is(TextColumn::OracleMaintained, "Y")
        || session.number(NumberColumn::UserNumber) == Some(0);
    let mut protected = Protected::default();
    protected.add(Protection::Background, other_type || no_user || background_process);
    protected.add(Protection::OracleMaintained, oracle_maintained);
    protected.add(Protection::ParallelSlave, is_parallel_slave(session));
    protected.add(Protection::GvReader, is_true(session, TextColumn::IsGv));
    protected.add(Protection::JobSlave, has(TextColumn::JobName));
    protected.add(Protection::DataPump, has(TextColumn::SessionType));
    protected.add(Protection::Replication, has(TextColumn::ExtractName));
    protected.add(Protection::XaBranch, has(TextColumn::Branchid));
    protected.add(Protection::Killed, session.is(TextColumn::Status, "KILLED"));
    protected.add(Protection::Cached, session.is(TextColumn::Status, "CACHED"));
    protected
}

fn is_true(session: Session<'_>, column: TextColumn) -> bool {
    ["TRUE", "YES", "Y", "1"].into_iter().any(|yes| session.is(column, yes))
}

/// What the name of the server process says: PNAME, or PROGRAM where the source has no PNAME.
fn add_process(session: Session<'_>, protected: &mut Protected) {
    let name = if session.has(Column::Text(TextColumn::Pname)) {
        session.text(TextColumn::Pname)
    } else {
        session.text(TextColumn::Program).and_then(process_in_program)
    };
    let Some(name) = name else { return };
    let process = Process::of(name);
    let shared =
        session.is(TextColumn::Server, "SHARED") || session.is(TextColumn::Server, "POOLED");
    protected.add(Protection::ServerProcess, !(shared && process == Process::SharedOrPooled));
    match process {
        Process::Liftable(kind) => {
            protected.process = Some(kind);
            protected.add(kind.protection(), true);
        }
        Process::ParallelSlave => protected.add(Protection::ParallelSlave, true),
        Process::GvReader => {
            protected.add(Protection::ParallelSlave, true);
            protected.add(Protection::GvReader, true);
        }
        Process::DataGuard => protected.add(Protection::DataGuard, true),
        Process::SharedOrPooled | Process::Other => {}
    }
}

/// `NAME` of `oracle@host (NAME)` and `ORACLE.EXE (NAME)`; `(TNS V1-V3)` is an ordinary client.
pub fn process_in_program(program: &str) -> Option<&str> {
    const LONGEST_NAME: usize = 5;
    let is_oracle = program.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("oracle"));
    let name = program.strip_suffix(')')?.rsplit_once('(')?.1;
    let shaped = (3..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_oracle && shaped).then_some(name)
}

/// Kinds of named server processes (facts, section 3; realdata, 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    Liftable(Liftable),
    ParallelSlave,
    GvReader,
    DataGuard,
    /// Serves user sessions of shared server or DRCP.
    SharedOrPooled,
    Other,
}

impl Process {
    fn of(name: &str) -> Self {
        let name = name.to_ascii_uppercase();
        // `J` and `J000`: the letters, then a number in which digits come first.
        let numbered = |letters: &str| {
            name.strip_prefix(letters)
                .is_some_and(|number| number.starts_with(|first: char| first.is_ascii_digit()))
        };
        let any = |kinds: &[&str]| kinds.iter().any(|letters| numbered(letters));
        match () {
            () if numbered("J") => Self::Liftable(Liftable::JobSlave),
            () if any(&["DM", "DW"]) => Self::Liftable(Liftable::DataPump),
            () if any(&["AP", "AS", "CP", "MS"]) => Self::Liftable(Liftable::Replication),
            () if numbered("PZ") => Self::GvReader,
            () if numbered("P") => Self::ParallelSlave,
            () if any(&["LNS", "NSA", "NSS", "NSV", "TT", "MRP", "PR", "RFS"]) => Self::DataGuard,
            () if any(&["S", "D", "L", "N"]) => Self::SharedOrPooled,
            () => Self::Other,
        }
    }
}

/// What texts say, decided once per distinct text.
struct Hints<'s> {
    sessions: &'s Sessions,
    /// By column of [`HINT_COLUMNS`] and symbol: classes, or [`NOT_DECIDED`].
    tables: [Vec<u32>; HINT_COLUMNS.len()],
}

const HINT_COLUMNS: [TextColumn; 4] =
    [TextColumn::Username, TextColumn::Program, TextColumn::Module, TextColumn::ClientInfo];

const NOT_DECIDED: u32 = u32::MAX;

impl<'s> Hints<'s> {
    fn new(sessions: &'s Sessions) -> Self {
        let table = || {
            let mut table = vec![NOT_DECIDED; sessions.texts().table_len()];
            table[0] = 0;
            table
        };
        Self { sessions, tables: [table(), table(), table(), table()] }
    }

    fn of(&mut self, session: Session<'_>) -> u32 {
        let mut classes = 0;
        for (column, table) in HINT_COLUMNS.into_iter().zip(&mut self.tables) {
            let symbol = session.symbol(column);
            let decided = &mut table[symbol.index()];
            if *decided == NOT_DECIDED {
                let text = self.sessions.texts().get(symbol).unwrap_or_default();
                *decided = hint(column, &text.to_ascii_uppercase());
            }
            classes |= *decided;
        }
        classes
    }
}

/// Accounts of Oracle and of platforms, for databases and captures that do not say ORACLE_MAINTAINED, and for those
/// that Oracle does not call its own (RDSADMIN).
pub const MAINTAINED_ACCOUNTS: &[&str] = &[
    "ANONYMOUS",
    "APPQOSSYS",
    "ASMSNMP",
    "AUDSYS",
    "CTXSYS",
    "DBSFWUSER",
    "DBSNMP",
    "DGPDB_INT",
    "DIP",
    "DVF",
    "DVSYS",
    "EXFSYS",
    "GGSYS",
    "GSMADMIN_INTERNAL",
    "GSMCATUSER",
    "GSMROOTUSER",
    "GSMUSER",
    "LBACSYS",
    "MDDATA",
    "MDSYS",
    "MGMT_VIEW",
    "OJVMSYS",
    "OLAPSYS",
    "ORACLE_OCM",
    "ORDDATA",
    "ORDPLUGINS",
    "ORDSYS",
    "OUTLN",
    "RDSADMIN",
    "REMOTE_SCHEDULER_AGENT",
    "SI_INFORMTN_SCHEMA",
    "SYS",
    "SYS$UMF",
    "SYSBACKUP",
    "SYSDG",
    "SYSKM",
    "SYSMAN",
    "SYSRAC",
    "SYSTEM",
    "WMSYS",
    "XDB",
    "XS$NULL",
];

/// The classes that one upper-case text hints at.
fn hint(column: TextColumn, text: &str) -> u32 {
    let mut hinted = Protected::default();
    let starts = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    match column {
        TextColumn::Username => {
            hinted.add(Protection::OracleMaintained, MAINTAINED_ACCOUNTS.contains(&text));
            // The transport of a standby logs on as PUBLIC.
            hinted.add(Protection::DataGuard, text == "PUBLIC");
            hinted.add(Protection::Replication, ["GGADMIN", "OGG"].contains(&text));
        }
        TextColumn::Program => {
            hinted
                .add(Protection::Rman, ["RMAN", "RMAN.EXE"].contains(&text) || starts(&["RMAN@"]));
            hinted.add(Protection::Replication, starts(&["REPLICAT@", "EXTRACT@"]));
        }
        TextColumn::Module => {
            hinted.add(Protection::OwnSession, text == "ORAWARDEN");
            hinted.add(Protection::JobSlave, text == "DBMS_SCHEDULER");
            hinted.add(Protection::DataPump, starts(&["DATA PUMP "]));
            hinted
                .add(Protection::Rman, ["RMAN", "RMAN.EXE"].contains(&text) || starts(&["RMAN@"]));
            hinted.add(
                Protection::Replication,
                starts(&["OGG-", "GOLDENGATE", "XSTREAM"]) || text == "STREAMS",
            );
            hinted.add(Protection::SelfProtected, text.contains("ORAWARDEN:KEEP"));
        }
        TextColumn::ClientInfo => {
            hinted.add(Protection::Rman, starts(&["RMAN CHANNEL="]));
            hinted.add(Protection::SelfProtected, text.contains("ORAWARDEN:KEEP"));
        }
        _ => {}
    }
    hinted.classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_name_their_process_or_do_not() {
        for (program, name) in [
            ("oracle@db1 (PMON)", Some("PMON")),
            ("ORACLE.EXE (VKTM)", Some("VKTM")),
            ("oracle@db1 (J000)", Some("J000")),
            ("oracle@db1 (TNS V1-V3)", None),
            ("sqlplus@db1 (TNS V1-V3)", None),
            ("JDBC Thin Client", None),
            ("report (PMON)", None),
            ("oracle@db1", None),
        ] {
            assert_eq!(process_in_program(program), name, "{program}");
        }
    }

    #[test]
    fn process_names_tell_their_kind() {
        for (name, kind) in [
            ("J000", Process::Liftable(Liftable::JobSlave)),
            ("DW0A", Process::Liftable(Liftable::DataPump)),
            ("AS02", Process::Liftable(Liftable::Replication)),
            ("P00F", Process::ParallelSlave),
            ("PZ99", Process::GvReader),
            ("PMON", Process::Other),
            ("PR00", Process::DataGuard),
            ("TT00", Process::DataGuard),
            ("S001", Process::SharedOrPooled),
            ("SMON", Process::Other),
            ("LGWR", Process::Other),
            ("N000", Process::SharedOrPooled),
        ] {
            assert_eq!(Process::of(name), kind, "{name}");
        }
    }
}
