//! One session: who it is, what it does now and how it is ended. What V$SESSION shows is read from here; what depends
//! on other sessions (the blocker) is asked of the cluster.

use std::sync::Arc;

use super::Micros;
use super::kill::Doom;
use super::statement::Statement;
use super::wait::{Doing, Mix};

/// One life of a session. Within one start of an instance no two lives share it (facts, section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// INST_ID.
    pub inst_id: u32,
    /// SID.
    pub sid: u32,
    /// SERIAL#.
    pub serial: u32,
}

/// What the client says of itself; clients of one kind share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// OSUSER.
    pub osuser: Arc<str>,
    /// PROCESS.
    pub process: Arc<str>,
    /// MACHINE.
    pub machine: Arc<str>,
    /// PORT.
    pub port: u16,
    /// TERMINAL.
    pub terminal: Arc<str>,
    /// PROGRAM.
    pub program: Arc<str>,
    /// CLIENT_DRIVER of V$SESSION_CONNECT_INFO.
    pub driver: Arc<str>,
    /// SERVICE_NAME.
    pub service: Arc<str>,
}

/// What a session carries besides, and may change at any time. `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// MODULE.
    pub module: Option<Arc<str>>,
    /// ACTION.
    pub action: Option<Arc<str>>,
    /// CLIENT_INFO.
    pub client_info: Option<Arc<str>>,
    /// CLIENT_IDENTIFIER.
    pub client_identifier: Option<Arc<str>>,
    /// ECID.
    pub ecid: Option<Arc<str>>,
}

/// A database user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// USER#: 0 for SYS.
    pub id: u32,
    /// USERNAME.
    pub name: Arc<str>,
}

/// TYPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionType {
    /// USER
    User,
    /// BACKGROUND
    Background,
    /// RECURSIVE; the standard view does not show it (facts, section 1.6).
    Recursive,
}

impl SessionType {
    /// As the column shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Background => "BACKGROUND",
            Self::Recursive => "RECURSIVE",
        }
    }
}

/// SERVER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// DEDICATED
    Dedicated,
    /// SHARED while in a call, otherwise NONE.
    Shared,
    /// POOLED
    Pooled,
    /// PSEUDO: ended, only the client's acknowledgement is missing.
    Pseudo,
    /// NONE
    None,
}

impl Server {
    /// As the column shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dedicated => "DEDICATED",
            Self::Shared => "SHARED",
            Self::Pooled => "POOLED",
            Self::Pseudo => "PSEUDO",
            Self::None => "NONE",
        }
    }
}

/// STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// ACTIVE: in a call.
    Active,
    /// INACTIVE: not in a call.
    Inactive,
    /// CACHED: kept for XA.
    Cached,
    /// SNIPED: over a limit of its profile while inactive.
    Sniped,
    /// KILLED: marked.
    Killed,
}

impl Status {
    /// As the column shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Cached => "CACHED",
            Self::Sniped => "SNIPED",
            Self::Killed => "KILLED",
        }
    }
}

/// An execution of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// The statement.
    pub statement: Arc<Statement>,
    /// SQL_CHILD_NUMBER.
    pub child: u32,
    /// SQL_EXEC_START on the instance's clock; `None` while it only parses.
    pub start: Option<Micros>,
    /// SQL_EXEC_ID: the instance in the high byte.
    pub id: u32,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// A statement.
    Sql,
    /// A PL/SQL block; SQL_ID may change within.
    Plsql,
    /// A query over GV$: there are PZ slaves on every instance while it runs.
    Gv,
    /// A fetch: the open cursor's statement runs on.
    Fetch,
    /// Something without a statement: a ping, a commit, a log-off.
    Bare,
}

/// A call under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What for.
    pub kind: CallKind,
    /// When it began, on the model's clock.
    pub began: Micros,
    /// What it does now.
    pub doing: Doing,
    /// Decides the waits that are too short to be events of their own.
    pub seed: u64,
    /// When a client of the model will have its answer, as far as that is known; for V$SESSION_LONGOPS.
    pub expected: Option<Micros>,
}

/// The place of a session in a parallel statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Px {
    /// The coordinator; the coordinator's own row names itself.
    pub coordinator: SessionKey,
    /// DEGREE.
    pub degree: u32,
    /// SERVER_SET, from 1.
    pub set: u32,
    /// SERVER#, from 1.
    pub server: u32,
    /// PZ: a slave that serves a GV$ query.
    pub is_gv: bool,
}

/// TADDR and what it points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxKey {
    /// The instance.
    pub inst_id: u32,
    /// Its number there, never used again.
    pub number: u64,
}

/// OWNERID of a session that is no slave.
pub const NO_OWNER: u32 = 2_147_483_644;

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// INST_ID, SID and SERIAL#.
    pub key: SessionKey,
    /// SADDR.
    pub saddr: u64,
    /// PADDR. After a kill nothing need be there (facts, section 2.5).
    pub paddr: u64,
    /// CREATOR_ADDR.
    pub creator_addr: u64,
    /// CREATOR_SERIAL#.
    pub creator_serial: u32,
    /// PID of its process, while it has one.
    pub pid: Option<u32>,
    /// AUDSID.
    pub audsid: u64,
    /// USER# and USERNAME; a background has none.
    pub user: Option<Arc<User>>,
    /// SCHEMA# and SCHEMANAME.
    pub schema: Arc<User>,
    /// TYPE.
    pub session_type: SessionType,
    /// How it is connected; see [`Session::server`].
    pub connected: Server,
    /// OSUSER, MACHINE, PROGRAM and the like.
    pub client: Arc<Client>,
    /// MODULE, ACTION, CLIENT_INFO, CLIENT_IDENTIFIER.
    pub marks: Marks,
    /// LOGON_TIME on the instance's clock.
    pub logon: Micros,
    /// CON_ID.
    pub con_id: u32,
    /// OWNERID.
    pub owner_id: u32,
    /// COMMAND.
    pub command: u16,
    /// SQL_ID and its like.
    pub current: Option<Execution>,
    /// PREV_SQL_ID and its like.
    pub previous: Option<Execution>,
    /// The call, while there is one.
    pub call: Option<Call>,
    /// When the call began, or the last one ended, on the model's clock: LAST_CALL_ET counts from here.
    pub boundary: Micros,
    /// TADDR.
    pub transaction: Option<TxKey>,
    /// The session was marked, and how it will end.
    pub doom: Option<Doom>,
    /// STATUS SNIPED.
    pub sniped: bool,
    /// STATUS CACHED.
    pub cached: bool,
    /// Its place in a parallel statement.
    pub px: Option<Px>,
    /// What its calls took of a CPU so far, and since when the call under way is on one.
    pub(super) cpu: Micros,
    pub(super) on_cpu_since: Option<Micros>,
    /// FIXED_TABLE_SEQUENCE: rises with each call.
    pub calls: u64,
    /// SEQ#: rises with each wait.
    pub seq: u32,
    /// PLSQL_ENTRY_OBJECT_ID and PLSQL_ENTRY_SUBPROGRAM_ID.
    pub plsql_entry: Option<(u32, u32)>,
    /// PDML_STATUS, PDDL_STATUS, PQ_STATUS.
    pub parallel: [&'static str; 3],
    /// FAILOVER_TYPE, FAILOVER_METHOD, FAILED_OVER.
    pub failover: [&'static str; 3],
    /// RESOURCE_CONSUMER_GROUP.
    pub consumer_group: Option<&'static str>,
    /// How many user locks and locked tables it holds.
    pub(super) locks: u32,
    /// Blocks in V$TEMPSEG_USAGE.
    pub temp_blocks: u32,
    /// DISCONNECT POST_TRANSACTION was asked for; the error is what the client will get, `None` for a mere cut.
    pub(super) leave: Option<super::kill::Parting>,
    /// CANCEL SQL found the session idle: the next statement is cancelled.
    pub(super) cancel_next: bool,
    /// The call under way failed with this error, and its client has to be told.
    pub(super) cancelled: Option<u32>,
    /// Who plays the client.
    pub(super) role: Role,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A real client, behind the wire.
    Live,
    /// A client of the model, by its place among the seats.
    Seat(u32),
    /// Nobody: a background or a slave.
    Nobody,
}

impl Session {
    /// STATUS.
    pub fn status(&self) -> Status {
        match () {
            () if self.doom.is_some() => Status::Killed,
            () if self.sniped => Status::Sniped,
            () if self.call.is_some() => Status::Active,
            () if self.cached => Status::Cached,
            () => Status::Inactive,
        }
    }

    /// SERVER.
    pub fn server(&self) -> Server {
        match self.connected {
            _ if self.doom.as_ref().is_some_and(Doom::is_acknowledgement_missing) => Server::Pseudo,
            Server::Shared if self.call.is_none() => Server::None,
            connected => connected,
        }
    }

    /// USERNAME.
    pub fn username(&self) -> Option<&str> {
        self.user.as_deref().map(|user| &*user.name)
    }

    /// LAST_CALL_ET at a moment of the model's clock.
    pub fn last_call_et(&self, now: Micros) -> u64 {
        u64::try_from((now - self.boundary) / super::SECOND).unwrap_or(0)
    }

    /// CPU time of long calls at a moment of the model's clock.
    pub fn cpu(&self, now: Micros) -> Micros {
        self.cpu + self.on_cpu_since.map_or(0, |since| now - since)
    }

    /// The call goes on in another way, or ends: its time on a CPU is counted up to now.
    pub(super) fn turn_to(&mut self, doing: Option<Doing>, now: Micros) {
        self.cpu = self.cpu(now);
        self.on_cpu_since = matches!(doing, Some(Doing::Work(Mix::Cpu))).then_some(now);
    }

    /// LOCKWAIT: the address of the lock that it waits for.
    pub fn lockwait(&self) -> Option<u64> {
        match self.call.as_ref()?.doing {
            Doing::Row { .. } | Doing::Enqueue { .. } => Some(self.saddr + 0x2000_0000),
            _ => None,
        }
    }

    /// True when a client of flesh and blood may be behind it: no background, no slave.
    pub fn is_foreground(&self) -> bool {
        !matches!(self.role, Role::Nobody)
    }
}
