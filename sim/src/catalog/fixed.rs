//! The fixed views of what one instance does: processes, transactions, locks, parallel statements, clean-up, use of
//! resources.

use super::books::version;
use super::cell::{address, date, maybe_number, maybe_text, number, text};
use super::view::{Row, View};
use crate::cluster::instance::{Instance, Process};
use crate::cluster::lock::{BlockingStatus, LockRow};
use crate::cluster::session::Session;
use crate::cluster::transaction::Transaction;
use crate::cluster::{Micros, SECOND};
use crate::value::Value;

/// Block size of the temporary tablespace's segments.
const EXTENT_BLOCKS: u32 = 128;

/// The rows of a view on one instance; `None` if it is not one of these.
pub(super) fn rows(view: &View<'_>, base: &str, instance: &Instance) -> Option<Vec<Row>> {
    Some(match base {
        "V$PROCESS" => instance.processes().map(|one| process(view, instance, one)).collect(),
        "V$BGPROCESS" => backgrounds(instance),
        "V$TRANSACTION" => instance.transactions().map(|one| transaction(view, one)).collect(),
        "V$LOCK" => view.cluster.lock_rows(instance).iter().map(lock).collect(),
        // Those that are no transaction's own: others' transactions, user locks, editions.
        "V$ENQUEUE_LOCK" => view
            .cluster
            .lock_rows(instance)
            .iter()
            .filter(|one| one.lock_type != "TM" && (one.lock_type != "TX" || one.request > 0))
            .map(lock)
            .collect(),
        "V$LOCKED_OBJECT" => locked_objects(view, instance),
        "V$PX_SESSION" => view.sessions(instance).filter_map(px_session).collect(),
        "V$PX_PROCESS" => px_processes(view, instance),
        "V$SESSION_BLOCKERS" => blockers(view, instance),
        "V$DEAD_CLEANUP" => dead_cleanup(view, instance),
        "V$RESOURCE_LIMIT" => resource_limits(view, instance),
        "V$LICENSE" => vec![license(view, instance)],
        "V$SESSTAT" => view.sessions(instance).flat_map(|one| statistics(view, one)).collect(),
        "V$MYSTAT" => view
            .cluster
            .session(view.viewer.key)
            .filter(|own| own.key.inst_id == instance.id)
            .map_or_else(Vec::new, |own| statistics(view, own)),
        "V$TEMPSEG_USAGE" | "V$SORT_USAGE" => {
            view.sessions(instance).filter(|one| one.temp_blocks > 0).map(temporary).collect()
        }
        "V$SESSION_CONNECT_INFO" => connect_info(view, instance),
        "V$SESSION_LONGOPS" => long_operations(view, instance),
        _ => return None,
    })
}

fn process(view: &View<'_>, instance: &Instance, one: &Process) -> Row {
    let session = one.session.and_then(|key| view.cluster.session(key));
    let program = match &one.name {
        Some(name) => format!("oracle@{} ({name})", instance.host),
        None => format!("oracle@{}", instance.host),
    };
    let spid = one.spid.to_string();
    vec![
        ("ADDR", address(one.addr)),
        ("PID", number(one.pid)),
        ("SOSID", text(&spid)),
        ("SPID", text(&spid)),
        ("STID", text(&spid)),
        ("EXECUTION_TYPE", text("PROCESS")),
        ("PNAME", maybe_text(one.name.as_deref())),
        ("USERNAME", text("oracle")),
        ("SERIAL#", number(one.serial)),
        ("TERMINAL", text("UNKNOWN")),
        ("PROGRAM", text(&program)),
        (
            "TRACEFILE",
            Value::Text(format!("/u01/app/oracle/diag/{}_ora_{spid}.trc", instance.name)),
        ),
        ("BACKGROUND", if one.background { text("1") } else { Value::Null }),
        ("PGA_USED_MEM", number(one.pga_used)),
        ("PGA_ALLOC_MEM", number(one.pga_used + 400_000)),
        ("PGA_FREEABLE_MEM", number(0)),
        ("PGA_MAX_MEM", number(one.pga_used + 900_000)),
        ("NUMA_DEFAULT", number(0)),
        ("NUMA_CURR", number(0)),
        ("CPU_USED", number(session.map_or(0, |session| session.calls * 1_000))),
        ("CON_ID", number(session.map_or(0, |session| session.con_id))),
    ]
}

fn backgrounds(instance: &Instance) -> Vec<Row> {
    let backgrounds = instance.processes().filter(|one| one.background);
    backgrounds
        .map(|one| {
            vec![
                ("PADDR", address(one.addr)),
                ("PSERIAL#", number(one.serial)),
                ("NAME", maybe_text(one.name.as_deref())),
                ("DESCRIPTION", text("background process")),
                ("ERROR", number(0)),
                ("CON_ID", number(0)),
            ]
        })
        .collect()
}

fn transaction(view: &View<'_>, one: &Transaction) -> Row {
    let now = view.cluster.now();
    let xid = [
        &one.xid.0.to_le_bytes()[..2],
        &one.xid.1.to_le_bytes()[..2],
        &one.xid.2.to_le_bytes()[..],
    ]
    .concat();
    let start = chrono::DateTime::from_timestamp(one.start / SECOND, 0).unwrap_or_default();
    // Bit 128 of FLAG is folklore for "rolling back" (facts, section 11).
    let flag = if one.is_rolling_back() { 3_715 } else { 3_587 };
    let base = one.start / 1_000 % 4_294_967_296;
    vec![
        ("ADDR", address(one.addr())),
        ("XIDUSN", number(one.xid.0)),
        ("XIDSLOT", number(one.xid.1)),
        ("XIDSQN", number(one.xid.2)),
        ("STATUS", text("ACTIVE")),
        ("START_TIME", Value::Text(start.format("%m/%d/%y %H:%M:%S").to_string())),
        ("START_SCNB", number(base)),
        ("START_SCNW", number(0)),
        ("SES_ADDR", address(one.ses_addr)),
        ("FLAG", number(flag)),
        ("SPACE", text("NO")),
        ("RECURSIVE", text("NO")),
        ("NOUNDO", text("NO")),
        ("PTX", text("NO")),
        ("USED_UBLK", number(one.used_ublk(now))),
        ("USED_UREC", number(one.used_urec(now))),
        ("LOG_IO", number(one.used_urec(now) * 4)),
        ("PHY_IO", number(0)),
        ("CR_GET", number(one.used_urec(now) * 2)),
        ("CR_CHANGE", number(0)),
        ("START_DATE", date(one.start)),
        ("DSCN_BASE", number(0)),
        ("DSCN_WRAP", number(0)),
        ("START_SCN", number(base)),
        ("DEPENDENT_SCN", number(0)),
        ("XID", Value::Raw(xid)),
        ("CON_ID", number(one.con_id)),
    ]
}

fn lock(one: &LockRow) -> Row {
    let addr = one.saddr + 0x1000_0000;
    vec![
        ("ADDR", address(addr)),
        ("KADDR", address(if one.request > 0 { one.saddr + 0x2000_0000 } else { addr + 0x78 })),
        ("SID", number(one.sid)),
        ("TYPE", text(one.lock_type)),
        ("ID1", number(one.id1)),
        ("ID2", number(one.id2)),
        ("LMODE", number(one.mode)),
        ("REQUEST", number(one.request)),
        ("CTIME", number(one.ctime)),
        ("BLOCK", number(one.block)),
        ("CON_ID", number(one.con_id)),
    ]
}

fn locked_objects(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let mut rows = Vec::new();
    for session in instance.sessions() {
        let own = session.transaction.and_then(|key| view.cluster.transaction(key));
        let changed = own.map_or(&[][..], |one| one.tables.as_slice()).iter().copied();
        // Who waits for a row has the table, but no transaction before it changes something.
        let xid = own.map_or((0, 0, 0), |one| one.xid);
        rows.extend(
            changed
                .chain(view.cluster.waits_in_table(session))
                .map(|object| locked_object(view, session, xid, object)),
        );
    }
    rows
}

fn locked_object(view: &View<'_>, session: &Session, xid: (u32, u32, u32), object: u32) -> Row {
    vec![
        ("XIDUSN", number(xid.0)),
        ("XIDSLOT", number(xid.1)),
        ("XIDSQN", number(xid.2)),
        ("OBJECT_ID", number(object)),
        ("SESSION_ID", number(session.key.sid)),
        ("ORACLE_USERNAME", maybe_text(session.username())),
        ("OS_USER_NAME", text(&session.client.osuser)),
        ("PROCESS", text(&session.client.process)),
        ("LOCKED_MODE", number(view.cluster.locked_mode(session, object))),
        ("CON_ID", number(session.con_id)),
    ]
}

fn px_session(session: &Session) -> Option<Row> {
    let px = session.px?;
    let mut row = vec![
        ("SADDR", address(session.saddr)),
        ("SID", number(session.key.sid)),
        ("SERIAL#", number(session.key.serial)),
        ("QCSID", number(px.coordinator.sid)),
        ("CON_ID", number(session.con_id)),
    ];
    // The coordinator's own row has no QCINST_ID (facts, section 1.11).
    if px.coordinator != session.key {
        row.extend([
            ("QCSERIAL#", number(px.coordinator.serial)),
            ("QCINST_ID", number(px.coordinator.inst_id)),
            ("SERVER_GROUP", number(1)),
            ("SERVER_SET", number(px.set)),
            ("SERVER#", number(px.server)),
            ("DEGREE", number(px.degree)),
            ("REQ_DEGREE", number(px.degree)),
        ]);
    }
    Some(row)
}

fn px_processes(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let is_slave = |name: &str| {
        name.starts_with('P')
            && name[1..].trim_start_matches('Z').bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let mut rows = Vec::new();
    for one in instance.processes() {
        let session = one.session.and_then(|key| view.cluster.session(key));
        let Some(px) =
            session.and_then(|session| session.px).filter(|px| Some(px.coordinator) != one.session)
        else {
            continue;
        };
        let Some(name) = one.name.as_deref().filter(|name| is_slave(name)) else { continue };
        rows.push(vec![
            ("SERVER_NAME", text(name)),
            ("STATUS", text("IN USE")),
            ("PID", number(one.pid)),
            ("SPID", Value::Text(one.spid.to_string())),
            ("SID", maybe_number(one.session.map(|key| key.sid))),
            ("SERIAL#", maybe_number(one.session.map(|key| key.serial))),
            ("IS_GV", text(if px.is_gv { "TRUE" } else { "FALSE" })),
            ("CON_ID", number(session.map_or(0, |session| session.con_id))),
        ]);
    }
    rows
}

fn blockers(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let mut rows = Vec::new();
    for session in view.sessions(instance).filter(|session| session.call.is_some()) {
        let blocking = view.cluster.blocking(session);
        let Some(blocker) = blocking.blocker.filter(|_| blocking.status == BlockingStatus::Valid)
        else {
            continue;
        };
        let wait = view.cluster.wait(session);
        rows.push(vec![
            ("SID", number(session.key.sid)),
            ("SESS_SERIAL#", number(session.key.serial)),
            ("WAIT_ID", number(wait.seq)),
            ("WAIT_EVENT", number(wait.event as u32)),
            ("WAIT_EVENT_TEXT", text(wait.event().name)),
            ("BLOCKER_INSTANCE_ID", number(blocker.inst_id)),
            ("BLOCKER_SID", number(blocker.sid)),
            ("BLOCKER_SESS_SERIAL#", number(blocker.serial)),
            ("CON_ID", number(session.con_id)),
        ]);
    }
    rows
}

fn dead_cleanup(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let all = view.cluster.dead_cleanup(instance);
    all.iter()
        .map(|one| {
            vec![
                ("TYPE", text(one.cleanup_type)),
                ("PADDR", address(one.paddr)),
                ("SADDR", address(one.saddr)),
                ("ROOT_ADDR", address(one.saddr)),
                ("CLEANUP_OWNER", text("PMON")),
                ("STATE", text(one.state)),
                ("DEAD_TIME", number(one.dead_time)),
                ("CLEANUP_ATTEMPTS", number(one.attempts)),
                ("LAST_ATTEMPT", number(one.dead_time.min(5))),
                ("CLEANUP_TIME", number(0)),
                ("NUM_BLOCKED", number(one.blocked)),
                ("CON_ID", number(one.con_id)),
            ]
        })
        .collect()
}

fn resource_limits(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let limit = |limit: Option<u64>| {
        Value::Text(limit.map_or(" UNLIMITED".to_owned(), |limit| format!("{limit:>10}")))
    };
    let all = view.cluster.resource_limits(instance);
    all.iter()
        .map(|one| {
            vec![
                ("RESOURCE_NAME", text(one.name)),
                ("CURRENT_UTILIZATION", number(one.current)),
                ("MAX_UTILIZATION", number(one.max)),
                ("INITIAL_ALLOCATION", limit(one.limit)),
                ("LIMIT_VALUE", limit(one.limit)),
                ("CON_ID", number(0)),
            ]
        })
        .collect()
}

fn license(view: &View<'_>, instance: &Instance) -> Row {
    let users = instance.sessions().filter(|session| session.user.is_some()).count() as u64;
    let limits = view.cluster.resource_limits(instance);
    let peak = limits.iter().find(|one| one.name == "sessions").map_or(users, |one| one.max);
    vec![
        ("SESSIONS_MAX", number(0)),
        ("SESSIONS_WARNING", number(0)),
        ("SESSIONS_CURRENT", number(users)),
        ("SESSIONS_HIGHWATER", number(peak)),
        ("USERS_MAX", number(0)),
        ("CPU_COUNT_CURRENT", number(16)),
        ("CPU_CORE_COUNT_CURRENT", number(8)),
        ("CPU_SOCKET_COUNT_CURRENT", number(2)),
        ("CPU_COUNT_HIGHWATER", number(16)),
        ("CPU_CORE_COUNT_HIGHWATER", number(8)),
        ("CPU_SOCKET_COUNT_HIGHWATER", number(2)),
        ("CON_ID", number(0)),
    ]
}

/// The statistics that are kept: name, class, and how many of it one call makes.
pub(super) const STATISTICS: [(&str, u32, u64); 15] = [
    ("logons cumulative", 1, 0),
    ("logons current", 1, 0),
    ("opened cursors current", 1, 0),
    ("user commits", 1, 1),
    ("user rollbacks", 1, 0),
    ("user calls", 1, 3),
    ("session logical reads", 1, 640),
    ("CPU used by this session", 1, 2),
    ("session uga memory", 1, 0),
    ("session pga memory", 1, 0),
    ("physical reads", 8, 18),
    ("physical writes", 8, 1),
    ("redo size", 2, 2_100),
    ("parse count (total)", 64, 2),
    ("execute count", 64, 4),
];

/// Memory of a session, in bytes.
pub(super) const UGA: u64 = 610_000;
/// Memory of its process.
pub(super) const PGA: u64 = 2_400_000;

fn statistics(view: &View<'_>, session: &Session) -> Vec<Row> {
    /// The statistic counts hundredths of a second.
    const HUNDREDTH: Micros = 10_000;
    let cpu = u64::try_from(session.cpu(view.cluster.now()) / HUNDREDTH).unwrap_or(0);
    (0_u32..)
        .zip(STATISTICS)
        .map(|(place, (name, _, per_call))| {
            let value = match name {
                "logons cumulative" | "logons current" => 1,
                "opened cursors current" => u64::from(session.current.is_some()),
                "session uga memory" => UGA,
                "session pga memory" => PGA,
                "CPU used by this session" => session.calls * per_call + cpu,
                _ => session.calls * per_call,
            };
            vec![
                ("SID", number(session.key.sid)),
                ("STATISTIC#", number(place)),
                ("VALUE", number(value)),
                ("CON_ID", number(session.con_id)),
            ]
        })
        .collect()
}

fn temporary(session: &Session) -> Row {
    let statement =
        session.current.as_ref().or(session.previous.as_ref()).map(|one| &one.statement);
    let sql_id = maybe_text(statement.map(|one| one.sql_id.as_str()));
    vec![
        ("USERNAME", maybe_text(session.username())),
        ("USER", maybe_text(session.username())),
        ("SESSION_ADDR", address(session.saddr)),
        ("SESSION_NUM", number(session.key.serial)),
        ("SQLADDR", address(statement.map_or(0, |one| one.address))),
        ("SQLHASH", number(statement.map_or(0, |one| one.hash_value))),
        ("SQL_ID", sql_id.clone()),
        ("TABLESPACE", text("TEMP")),
        ("CONTENTS", text("TEMPORARY")),
        ("SEGTYPE", text("SORT")),
        ("SEGFILE#", number(201)),
        ("SEGBLK#", number(session.key.sid * EXTENT_BLOCKS)),
        ("EXTENTS", number(session.temp_blocks.div_ceil(EXTENT_BLOCKS))),
        ("BLOCKS", number(session.temp_blocks)),
        ("SEGRFNO#", number(1)),
        ("TS#", number(3)),
        ("CON_ID", number(session.con_id)),
        ("SQL_ID_TEMPSEG", sql_id),
    ]
}

/// One row per banner of each session (facts, section 1.1).
fn connect_info(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    const SERVICES: [&str; 2] = ["TCP/IP NT Protocol Adapter", "Encryption service"];
    let product = version(view.release()).1;
    let release = product.split("Release ").nth(1).and_then(|rest| rest.split(' ').next());
    let release = release.unwrap_or_default();
    // Everybody may read the view, but others' sessions show only to whom V$SESSION is open.
    let all = view.viewer.rights.reads_dictionary("V_$SESSION") == super::account::Access::Granted;
    let mut rows = Vec::new();
    for session in view
        .sessions(instance)
        .filter(|one| one.is_foreground() && (all || one.key == view.viewer.key))
    {
        for service in SERVICES {
            let banner = format!("{service} for Linux: Version {release} - Production");
            rows.push(vec![
                ("SID", number(session.key.sid)),
                ("SERIAL#", number(session.key.serial)),
                ("AUTHENTICATION_TYPE", text("DATABASE")),
                ("OSUSER", text(&session.client.osuser)),
                ("NETWORK_SERVICE_BANNER", text(&banner)),
                ("CLIENT_CHARSET", text("Unknown")),
                ("CLIENT_CONNECTION", text("Heterogeneous")),
                ("CLIENT_OCI_LIBRARY", text("Unknown")),
                ("CLIENT_VERSION", text("Unknown")),
                ("CLIENT_DRIVER", text(&session.client.driver)),
                ("CLIENT_LOBATTR", text("Client Temp Lob Rfc On")),
                ("CLIENT_REGID", number(0)),
                ("CON_ID", number(session.con_id)),
            ]);
        }
    }
    rows
}

fn long_operations(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let now = view.cluster.now();
    let mut rows = Vec::new();
    for one in view.cluster.long_ops(instance) {
        let Some(session) = view.cluster.session(one.session) else { continue };
        let started = instance.clock(now) - i64::try_from(one.elapsed).unwrap_or(0) * SECOND;
        let current = session.current.as_ref();
        rows.push(vec![
            ("SID", number(session.key.sid)),
            ("SERIAL#", number(session.key.serial)),
            ("OPNAME", text(one.name)),
            ("TARGET", Value::Text(format!("{}.T", session.schema.name))),
            ("SOFAR", number(one.sofar)),
            ("TOTALWORK", number(one.total)),
            ("UNITS", text("Blocks")),
            ("START_TIME", date(started)),
            ("LAST_UPDATE_TIME", date(instance.clock(now))),
            ("TIME_REMAINING", number(one.remaining)),
            ("ELAPSED_SECONDS", number(one.elapsed)),
            ("CONTEXT", number(0)),
            ("USERNAME", maybe_text(session.username())),
            ("SQL_ADDRESS", address(current.map_or(0, |one| one.statement.address))),
            ("SQL_HASH_VALUE", number(current.map_or(0, |one| one.statement.hash_value))),
            (
                "SQL_ID",
                maybe_text(one.sql_id.as_ref().map(crate::cluster::statement::SqlId::as_str)),
            ),
            ("SQL_EXEC_START", current.and_then(|one| one.start).map_or(Value::Null, date)),
            ("SQL_EXEC_ID", maybe_number(current.map(|one| one.id))),
            ("QCSID", maybe_number(session.px.map(|px| px.coordinator.sid))),
            ("CON_ID", number(session.con_id)),
        ]);
    }
    rows
}

/// A lock mode in words, as DBA_LOCK has it.
pub(super) fn lock_mode(mode: u32) -> &'static str {
    match mode {
        1 => "Null",
        2 => "Row-S (SS)",
        3 => "Row-X (SX)",
        4 => "Share",
        5 => "S/Row-X (SSX)",
        6 => "Exclusive",
        _ => "None",
    }
}
