//! A workload: clients of one kind, and how they live.

use serde::Deserialize;

/// Clients of one kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Workload {
    /// Its name in this file.
    pub name: String,
    /// What kind of clients.
    pub kind: Kind,
    /// How many, over all instances.
    pub sessions: u32,
    /// USERNAME.
    pub user: String,
    /// USER#; 0 for SYS, otherwise made from the name if absent.
    pub user_id: Option<u32>,
    /// OSUSER.
    pub osuser: String,
    /// MACHINE; several are shared out evenly. `{}` is the client's number.
    pub machines: Vec<String>,
    /// PROGRAM; `{host}` is MACHINE.
    pub program: String,
    /// MODULE; several are shared out.
    pub modules: Vec<String>,
    /// ACTION.
    pub actions: Vec<String>,
    /// SERVICE_NAME.
    pub service: String,
    /// The name of its container; the first pluggable one if empty.
    pub container: String,
    /// The only instances that it may use; any if empty.
    pub instances: Vec<u32>,
    /// The statements that it runs, in falling frequency. Made from the name if empty.
    pub statements: Vec<String>,
    /// How many statements are made if there are none.
    pub statement_count: u32,
    /// Mean time between two calls.
    pub think_seconds: f64,
    /// Mean length of the common calls.
    pub call_seconds: f64,
    /// This share of the calls is long ...
    pub long_share: f64,
    /// ... of this mean length.
    pub long_seconds: f64,
    /// This share of the clients is nearly idle: a pool's reserve, woken only by pings.
    pub reserve_share: f64,
    /// Time between two pings of the reserve.
    pub ping_seconds: f64,
    /// This share of the calls changes rows.
    pub write_share: f64,
    /// Undo records per second of a changing call.
    pub undo_per_second: u32,
    /// The table that it changes, and how many of its rows are fought over; 0: none.
    pub table: String,
    /// How many rows everybody wants.
    pub hot_rows: u32,
    /// This share of the changing calls leaves its transaction open until the next call.
    pub hold_share: f64,
    /// Parallel degree, for a coordinator.
    pub degree: u32,
    /// This share of the connections is made anew after a call.
    pub reconnect_share: f64,
    /// SERVER. Behind POOLED and SHARED the people change: MODULE and CLIENT_IDENTIFIER may with every call.
    pub server: ServerKind,
    /// PNAME without its number, for clients that are processes of the instance: `J` for jobs, `DW` for Data Pump.
    pub process_name: String,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: Kind::Pool,
            sessions: 1,
            user: "APP".into(),
            user_id: None,
            osuser: "oracle".into(),
            machines: vec!["app{}".into()],
            program: "JDBC Thin Client".into(),
            modules: Vec::new(),
            actions: Vec::new(),
            service: "SYS$USERS".into(),
            container: String::new(),
            instances: Vec::new(),
            statements: Vec::new(),
            statement_count: 12,
            think_seconds: 30.0,
            call_seconds: 0.4,
            long_share: 0.0,
            long_seconds: 10.0,
            reserve_share: 0.0,
            ping_seconds: 900.0,
            write_share: 0.0,
            undo_per_second: 20,
            table: String::new(),
            hot_rows: 0,
            hold_share: 0.0,
            degree: 4,
            reconnect_share: 0.0,
            server: ServerKind::Dedicated,
            process_name: String::new(),
        }
    }
}

/// How clients are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// A process for each.
    Dedicated,
    /// Shared server.
    Shared,
    /// A pooled server (DRCP).
    Pooled,
}

/// Kinds of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Members of a connection pool: short calls, between them INACTIVE.
    Pool,
    /// Members of a pool under a transaction manager: between calls CACHED.
    Xa,
    /// Calls of hours, one after the other.
    Batch,
    /// The same query again and again, on the second.
    Dashboard,
    /// A person with a tool: long pauses, open cursors.
    Person,
    /// Jobs of the scheduler: `(J000)`, logged on only while they run.
    Job,
    /// A coordinator with slaves while its call runs.
    Parallel,
    /// SYS agents: idle for days.
    Agent,
    /// A monitor that is ACTIVE in PL/SQL lock timer.
    Monitor,
    /// RMAN channels and the like: ACTIVE, and waiting for the client.
    Rman,
    /// Connections that the application lost: they never call again.
    Leak,
    /// A transaction, and then nothing for long.
    IdleInTransaction,
    /// It locks the hot rows of its table, and then sleeps on them.
    Blocker,
    /// Calls over a database link: not to be interrupted while they wait for the other side.
    Link,
}
