//! Built-in protections: who is never ended, from the structural columns where the source has them.
//!
//! Client-reported text can only add protection, never remove it. Where a structural column is missing (captures),
//! what the source has takes its place, and [`missing_evidence`] says so once. Facts, section 3.

use super::facts::is_parallel_slave;
use super::policy::{Liftable, Rule};
use super::session::{Column, NumberColumn, Session, Sessions, Snapshot, TextColumn};
use super::text::Symbol;
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
    /// Its server process is one of shared server or DRCP.
    process_serves_users: bool,
    /// SERVER is SHARED or POOLED.
    is_shared: bool,
}

impl Protected {
    fn add(&mut self, protection: Protection, holds: bool) {
        self.classes |= if holds { protection.bit() } else { 0 };
    }

    fn merge(&mut self, other: Self) {
        self.classes |= other.classes;
        self.process = self.process.or(other.process);
        self.process_serves_users |= other.process_serves_users;
        self.is_shared |= other.is_shared;
    }

    /// What the name of the server process says.
    fn add_process(&mut self, name: &str) {
        self.add(Protection::ServerProcess, true);
        match Process::of(name) {
            Process::Liftable(kind) => {
                self.process = Some(kind);
                self.add(kind.protection(), true);
            }
            Process::ParallelSlave => self.add(Protection::ParallelSlave, true),
            Process::GvReader => {
                self.add(Protection::ParallelSlave, true);
                self.add(Protection::GvReader, true);
            }
            Process::DataGuard => self.add(Protection::DataGuard, true),
            Process::SharedOrPooled => self.process_serves_users = true,
            Process::Other => {}
        }
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
    let mut columns: Vec<Decided<'_>> =
        TextColumn::ALL.iter().filter_map(|column| Decided::of(*column, sessions)).collect();
    let mut own = snapshot.own_sessions.clone();
    own.sort_unstable();
    let protect = |session: Session<'_>| {
        let mut protected = Protected::default();
        for column in &mut columns {
            protected.merge(column.get(session.row()));
        }
        if protected.process_serves_users && protected.is_shared {
            protected.classes &= !Protection::ServerProcess.bit();
        }
        let is_sys = session.number(NumberColumn::UserNumber) == Some(0);
        protected.add(Protection::OracleMaintained, is_sys);
        protected.add(Protection::ParallelSlave, is_parallel_slave(session));
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
        .filter(|(column, _)| !sessions.has_everywhere(*column))
        .map(|(column, instead)| format!("{} ({instead} instead)", column.name()))
        .collect();
    (!missing.is_empty())
        .then(|| format!("protections are weaker here: the source has no {}", missing.join(", ")))
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

/// What the texts of one column say, decided once per distinct text.
struct Decided<'s> {
    column: TextColumn,
    sessions: &'s Sessions,
    cells: &'s [Symbol],
    /// By symbol.
    table: Vec<Option<Protected>>,
    /// PROGRAM stands in for a missing PNAME.
    names_processes: bool,
}

impl<'s> Decided<'s> {
    /// `None` for columns that the source lacks, and for those that protect nobody.
    fn of(column: TextColumn, sessions: &'s Sessions) -> Option<Self> {
        let cells = sessions.text_column(column).filter(|_| protects(column))?;
        let table = vec![None; sessions.texts().table_len()];
        let names_processes = match column {
            TextColumn::Pname => true,
            TextColumn::Program => !sessions.has_everywhere(Column::Text(TextColumn::Pname)),
            _ => false,
        };
        Some(Self { column, sessions, cells, table, names_processes })
    }

    fn get(&mut self, row: usize) -> Protected {
        let symbol = self.cells[row];
        if let Some(decided) = self.table[symbol.index()] {
            return decided;
        }
        // Blanks round a name, or in place of one, must not hide whose session it is.
        let text = self.sessions.texts().get(symbol).map(str::trim).filter(|it| !it.is_empty());
        let mut decided = decide(self.column, text);
        if let Some(name) = text.filter(|_| self.names_processes) {
            let process = match self.column {
                TextColumn::Program => process_in_program(name),
                _ => Some(name),
            };
            if let Some(name) = process {
                decided.add_process(name);
            }
        }
        self.table[symbol.index()] = Some(decided);
        decided
    }
}

const fn protects(column: TextColumn) -> bool {
    matches!(
        column,
        TextColumn::Username
            | TextColumn::Program
            | TextColumn::Module
            | TextColumn::ClientInfo
            | TextColumn::Server
            | TextColumn::Status
            | TextColumn::Type
            | TextColumn::Pname
            | TextColumn::OracleMaintained
            | TextColumn::Background
            | TextColumn::IsGv
            | TextColumn::Branchid
            | TextColumn::JobName
            | TextColumn::SessionType
            | TextColumn::ExtractName
    )
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

/// What one text, or NULL, of one column says: structure first, then what clients say of themselves.
fn decide(column: TextColumn, text: Option<&str>) -> Protected {
    let mut decided = Protected::default();
    let upper = text.map(str::to_ascii_uppercase);
    let Some(text) = upper.as_deref() else {
        // A column that is there and says nothing: neither a user nor a user's session.
        let background = matches!(column, TextColumn::Username | TextColumn::Type);
        decided.add(Protection::Background, background);
        return decided;
    };
    let is_yes = ["TRUE", "YES", "Y", "1"].contains(&text);
    match column {
        TextColumn::Type => decided.add(Protection::Background, text != "USER"),
        TextColumn::Background => decided.add(Protection::Background, is_yes),
        TextColumn::OracleMaintained => decided.add(Protection::OracleMaintained, is_yes),
        TextColumn::IsGv => decided.add(Protection::GvReader, is_yes),
        TextColumn::JobName => decided.add(Protection::JobSlave, true),
        TextColumn::SessionType => decided.add(Protection::DataPump, true),
        TextColumn::ExtractName => decided.add(Protection::Replication, true),
        TextColumn::Branchid => decided.add(Protection::XaBranch, true),
        TextColumn::Server => decided.is_shared = ["SHARED", "POOLED"].contains(&text),
        TextColumn::Status => {
            decided.add(Protection::Killed, text == "KILLED");
            decided.add(Protection::Cached, text == "CACHED");
        }
        column => hint(column, text, &mut decided),
    }
    decided
}

/// What account names and client-reported texts hint at; they only ever add protection.
fn hint(column: TextColumn, text: &str, hinted: &mut Protected) {
    let starts = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    let is_rman = || ["RMAN", "RMAN.EXE"].contains(&text) || starts(&["RMAN@"]);
    match column {
        TextColumn::Username => {
            hinted.add(Protection::OracleMaintained, MAINTAINED_ACCOUNTS.contains(&text));
            // The transport of a standby logs on as PUBLIC.
            hinted.add(Protection::DataGuard, text == "PUBLIC");
            hinted.add(Protection::Replication, ["GGADMIN", "OGG"].contains(&text));
        }
        TextColumn::Program => {
            hinted.add(Protection::Rman, is_rman());
            hinted.add(Protection::Replication, starts(&["REPLICAT@", "EXTRACT@"]));
        }
        TextColumn::Module => {
            hinted.add(Protection::OwnSession, text == "ORAWARDEN");
            hinted.add(Protection::JobSlave, text == "DBMS_SCHEDULER");
            hinted.add(Protection::DataPump, starts(&["DATA PUMP "]));
            hinted.add(Protection::Rman, is_rman());
            let replication = starts(&["OGG-", "GOLDENGATE", "XSTREAM"]) || text == "STREAMS";
            hinted.add(Protection::Replication, replication);
            hinted.add(Protection::SelfProtected, text.contains("ORAWARDEN:KEEP"));
        }
        TextColumn::ClientInfo => {
            hinted.add(Protection::Rman, starts(&["RMAN CHANNEL="]));
            hinted.add(Protection::SelfProtected, text.contains("ORAWARDEN:KEEP"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::SessionKey;

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

    #[test]
    fn blanks_hide_nobody() {
        let columns = [TextColumn::Username, TextColumn::Type, TextColumn::Status];
        let mut sessions = Sessions::with_columns(columns.map(Column::Text));
        let rows = [("SYS  ", "USER "), ("   ", "USER"), (" APP", "USER  ")];
        for (sid, (username, kind)) in (1..).zip(rows) {
            let row = sessions.push(SessionKey { inst_id: 1, sid, serial: 1 });
            sessions.set_text(row, TextColumn::Username, username);
            sessions.set_text(row, TextColumn::Type, kind);
            sessions.set_text(row, TextColumn::Status, "INACTIVE ");
        }
        let snapshot = Snapshot::of_sessions("test", Timestamp(0), sessions);
        let classes: Vec<u32> =
            protections(&snapshot, &|_| false).into_iter().map(|it| it.classes).collect();
        let expected = [Protection::OracleMaintained.bit(), Protection::Background.bit(), 0];
        assert_eq!(classes, expected);
    }
}
