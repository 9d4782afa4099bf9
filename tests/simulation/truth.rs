//! What a session really is, read from the model itself: by this the checks judge, not by what the daemon was shown.

use std::sync::Arc;

use rac_sim::cluster::Cluster;
use rac_sim::cluster::session::{NO_OWNER, Session, SessionKey, SessionType};

/// One session at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) logon: i64,
    pub(crate) username: Arc<str>,
    pub(crate) status: &'static str,
    pub(crate) et: i64,
    /// In seconds, by the clock that the daemon was shown.
    pub(crate) age: i64,
    /// By how much the clock had been set when it logged on.
    pub(crate) jump: i64,
    pub(crate) statement: Option<(String, u32)>,
    /// Calls so far: one more, and it is another request.
    pub(crate) calls: u64,
    pub(crate) machine: Arc<str>,
    pub(crate) module: Option<Arc<str>>,
    /// Whether the daemon was shown MODULE.
    pub(crate) module_shown: bool,
    pub(crate) undo: Option<i64>,
    pub(crate) in_transaction: bool,
    pub(crate) untouchable: Option<&'static str>,
}

/// Accounts of Oracle's own in this world.
const SYSTEM: [&str; 4] = ["SYS", "SYSTEM", "DBSNMP", "SYSRAC"];

impl Truth {
    pub(crate) fn of(cluster: &Cluster, session: &Session, age: i64) -> Self {
        let undo = session.transaction.and_then(|key| cluster.transaction(key));
        let undo = undo.map(|it| i64::try_from(it.used_urec(cluster.now())).unwrap_or(i64::MAX));
        Self {
            logon: session.logon,
            username: session
                .user
                .as_ref()
                .map_or_else(|| Arc::from(""), |it| Arc::clone(&it.name)),
            status: session.status().as_str(),
            et: i64::try_from(cluster.last_call_et(session)).unwrap_or(i64::MAX),
            age,
            jump: 0,
            statement: statement(session),
            calls: session.calls,
            machine: Arc::clone(&session.client.machine),
            module: session.marks.module.clone(),
            module_shown: true,
            undo,
            in_transaction: session.transaction.is_some(),
            untouchable: untouchable(session),
        }
    }
}

pub(crate) fn whole_second(micros: i64) -> i64 {
    micros.div_euclid(1_000_000) * 1_000_000
}

pub(crate) fn statement(session: &Session) -> Option<(String, u32)> {
    let current = session.current.as_ref()?;
    Some((current.statement.sql_id.as_str().to_owned(), current.id))
}

/// Why nobody may ever end it, whatever a rule says.
pub(crate) fn untouchable(session: &Session) -> Option<&'static str> {
    let name = session.username();
    let slave = session.owner_id != NO_OWNER || is_slave(session.key, session);
    match () {
        () if session.session_type != SessionType::User => Some("a background process"),
        () if name.is_none() => Some("without a user name"),
        () if name.is_some_and(|name| SYSTEM.contains(&name)) => Some("an account of Oracle's"),
        () if slave => Some("a parallel slave"),
        () => None,
    }
}

fn is_slave(key: SessionKey, session: &Session) -> bool {
    session.px.is_some_and(|px| px.coordinator != key)
}
