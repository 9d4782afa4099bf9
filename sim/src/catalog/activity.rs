//! The fixed views of what sessions do and use: chains of waits, open cursors, monitored statements, I/O, time, memory.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::cell::{address, date, maybe_number, maybe_text, number, text};
use super::fixed::STATISTICS;
use super::view::{Row, View};
use crate::cluster::SECOND;
use crate::cluster::instance::{Instance, Process};
use crate::cluster::lock::BlockingStatus;
use crate::cluster::session::{Execution, Session, SessionKey, Status};
use crate::cluster::wait::Wait;
use crate::value::Value;

/// A statement that works longer than this is monitored.
const MONITORED: i64 = 5 * SECOND;
/// Characters of CHAIN_SIGNATURE.
const SIGNATURE_MAX: usize = 801;
/// Microseconds in the unit of "CPU used by this session".
const HUNDREDTH: u64 = 10_000;

/// The rows of a view on one instance; `None` if it is not one of these.
pub(super) fn rows(view: &View<'_>, base: &str, instance: &Instance) -> Option<Vec<Row>> {
    let sessions = || view.sessions(instance);
    Some(match base {
        "V$WAIT_CHAINS" => links(view).iter().map(|link| wait_chain(view, link)).collect(),
        "V$OPEN_CURSOR" => sessions().flat_map(|one| cursors(view, one)).collect(),
        "V$SQL_MONITOR" => sessions().filter_map(|one| monitored(view, instance, one)).collect(),
        "V$SESS_IO" => sessions().map(io).collect(),
        "V$SESS_TIME_MODEL" => sessions().flat_map(session_times).collect(),
        "V$SYS_TIME_MODEL" => times(instance.calls()),
        "V$PROCESS_MEMORY" => instance.processes().flat_map(|one| memory(view, one)).collect(),
        "V$RSRC_SESSION_INFO" => sessions().map(|one| managed(view, one)).collect(),
        "V$PGASTAT" => pga(view, instance),
        _ => return None,
    })
}

/// One blocked or blocking session of a chain.
struct Link<'v> {
    chain: u32,
    session: &'v Session,
    blocker: Option<(SessionKey, u32)>,
    waiters: usize,
    signature: Rc<str>,
}

/// A chain is followed so far.
const CHAIN_MAX: usize = 64;

/// CHAIN_SIGNATURE: what every session of a chain waits for, the last blocker first.
fn signature(
    view: &View<'_>,
    blocked: &BTreeMap<SessionKey, SessionKey>,
    leaf: SessionKey,
) -> Rc<str> {
    let path = std::iter::successors(Some(leaf), |key| blocked.get(key).copied());
    let mut events: Vec<String> = path
        .take(CHAIN_MAX)
        .filter_map(|key| {
            let wait = view.cluster.wait(view.cluster.session(key)?);
            let waits = wait.remaining.is_some();
            Some(if waits { format!("'{}'", wait.event().name) } else { "<not in a wait>".into() })
        })
        .collect();
    events.reverse();
    let text = events.join("<=");
    text.chars().take(SIGNATURE_MAX).collect::<String>().into()
}

/// The chains, from the sessions that block nobody up to those that wait for nobody. Where a chain meets one that was
/// shown before, it names that one and ends.
fn links<'v>(view: &View<'v>) -> Vec<Link<'v>> {
    let mut blocked: BTreeMap<SessionKey, SessionKey> = BTreeMap::new();
    for session in view.cluster.instances().flat_map(|instance| view.sessions(instance)) {
        let blocking = view.cluster.blocking(session);
        if let (BlockingStatus::Valid, Some(blocker)) = (blocking.status, blocking.blocker) {
            blocked.insert(session.key, blocker);
        }
    }
    let waiters = |key| blocked.values().filter(|blocker| **blocker == key).count();
    let leaves = blocked.keys().filter(|key| waiters(**key) == 0);
    let mut chains: BTreeMap<SessionKey, u32> = BTreeMap::new();
    let mut links = Vec::new();
    for (chain, leaf) in (1..).zip(leaves) {
        let mut next = Some(*leaf);
        let signature = signature(view, &blocked, *leaf);
        while let Some(key) = next.take() {
            let Some(session) = view.cluster.session(key) else { break };
            chains.insert(key, chain);
            let blocker = blocked.get(&key).copied();
            let blocker = blocker.map(|one| (one, chains.get(&one).copied().unwrap_or(chain)));
            next = blocker.filter(|(one, _)| !chains.contains_key(one)).map(|(one, _)| one);
            let signature = Rc::clone(&signature);
            links.push(Link { chain, session, blocker, waiters: waiters(key), signature });
        }
    }
    links
}

fn wait_chain(view: &View<'_>, link: &Link<'_>) -> Row {
    let session = link.session;
    let blocker = link.blocker.map(|(key, _)| key);
    let spid = |session: &Session| {
        let instance = view.cluster.instance(session.key.inst_id)?;
        let process = instance.processes().find(|one| Some(one.pid) == session.pid)?;
        Some(process.spid.to_string())
    };
    let other = blocker.and_then(|key| view.cluster.session(key));
    let hash = link
        .signature
        .bytes()
        .fold(5_381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)));
    let names = view.cluster.containers();
    let container = |session: &Session| {
        names.iter().find(|one| one.con_id == session.con_id).map(|one| one.name.clone())
    };
    let mut row = vec![
        ("CHAIN_ID", number(link.chain)),
        ("CHAIN_IS_CYCLE", text("FALSE")),
        ("CHAIN_SIGNATURE", text(&link.signature)),
        ("CHAIN_SIGNATURE_HASH", number(hash)),
        ("INSTANCE", number(session.key.inst_id)),
        ("OSID", maybe_text(spid(session).as_deref())),
        ("PID", maybe_number(session.pid)),
        ("SID", number(session.key.sid)),
        ("SESS_SERIAL#", number(session.key.serial)),
        ("PDB_ID", number(session.con_id)),
        ("PDB_NAME", maybe_text(container(session).as_deref())),
        ("BLOCKER_IS_VALID", text(if blocker.is_some() { "TRUE" } else { "FALSE" })),
        ("BLOCKER_INSTANCE", maybe_number(blocker.map(|key| key.inst_id))),
        ("BLOCKER_OSID", maybe_text(other.and_then(spid).as_deref())),
        ("BLOCKER_PID", maybe_number(other.and_then(|one| one.pid))),
        ("BLOCKER_SID", maybe_number(blocker.map(|key| key.sid))),
        ("BLOCKER_SESS_SERIAL#", maybe_number(blocker.map(|key| key.serial))),
        ("BLOCKER_PDB_ID", maybe_number(other.map(|one| one.con_id))),
        ("BLOCKER_PDB_NAME", maybe_text(other.and_then(container).as_deref())),
        ("BLOCKER_CHAIN_ID", number(link.blocker.map_or(0, |(_, chain)| chain))),
        ("NUM_WAITERS", number(link.waiters as u64)),
        ("CON_ID", number(session.con_id)),
    ];
    row.extend(wait_of_link(&view.cluster.wait(session)));
    row
}

/// The columns of V$WAIT_CHAINS about the wait itself.
fn wait_of_link(wait: &Wait) -> Row {
    let waits = wait.remaining.is_some();
    let place = wait.row.map(crate::cluster::lock::Row::place);
    let seconds = |micros: i64| number(micros / SECOND);
    vec![
        ("IN_WAIT", text(if waits { "TRUE" } else { "FALSE" })),
        (
            "TIME_SINCE_LAST_WAIT_SECS",
            if waits { Value::Null } else { seconds(wait.since_last_wait_micro()) },
        ),
        ("WAIT_ID", number(wait.seq)),
        ("WAIT_EVENT", number(wait.event as u32)),
        ("WAIT_EVENT_TEXT", text(wait.event().name)),
        ("P1", number(wait.p[0])),
        ("P1_TEXT", text(wait.event().texts[0])),
        ("P2", number(wait.p[1])),
        ("P2_TEXT", text(wait.event().texts[1])),
        ("P3", number(wait.p[2])),
        ("P3_TEXT", text(wait.event().texts[2])),
        ("IN_WAIT_SECS", if waits { seconds(wait.wait_time_micro()) } else { Value::Null }),
        (
            "TIME_REMAINING_SECS",
            maybe_number(wait.remaining.map(|left| if left < 0 { -1 } else { left / SECOND })),
        ),
        ("ROW_WAIT_OBJ#", number(wait.row.map_or(-1, |row| i64::from(row.object)))),
        ("ROW_WAIT_FILE#", number(place.map_or(0, |place| place.0))),
        ("ROW_WAIT_BLOCK#", number(place.map_or(0, |place| place.1))),
        ("ROW_WAIT_ROW#", number(place.map_or(0, |place| place.2))),
    ]
}

/// The cursor under way, and the last one, which the session keeps in its cache.
fn cursors(view: &View<'_>, session: &Session) -> Vec<Row> {
    let row = |one: &Execution, kind: &str| {
        let statement = &one.statement;
        vec![
            ("SADDR", address(session.saddr)),
            ("SID", number(session.key.sid)),
            ("USER_NAME", maybe_text(session.username())),
            ("ADDRESS", address(statement.address)),
            ("HASH_VALUE", number(statement.hash_value)),
            ("SQL_ID", text(statement.sql_id.as_str())),
            ("SQL_TEXT", Value::Text(statement.text.chars().take(60).collect())),
            ("LAST_SQL_ACTIVE_TIME", one.start.map_or(Value::Null, date)),
            ("SQL_EXEC_ID", maybe_number(one.start.map(|_| one.id))),
            ("CURSOR_TYPE", text(kind)),
            ("CHILD_ADDRESS", address(statement.address + 0x40)),
            ("CON_ID", number(session.con_id)),
        ]
    };
    let current = session.current.as_ref();
    let previous = session.previous.as_ref().filter(|one| {
        current.is_none_or(|current| current.statement.sql_id != one.statement.sql_id)
    });
    // What left the shared pool is in no cache.
    let known = |one: &&Execution| view.cluster.statement(one.statement.sql_id).is_some();
    let cached = previous.filter(known).map(|one| row(one, "SESSION CURSOR CACHED"));
    current.map(|one| row(one, "OPEN")).into_iter().chain(cached).collect()
}

fn monitored(view: &View<'_>, instance: &Instance, session: &Session) -> Option<Row> {
    let (call, current) = (session.call.as_ref()?, session.current.as_ref()?);
    let elapsed = view.cluster.now() - call.began;
    if session.user.is_none() || session.status() != Status::Active || elapsed < MONITORED {
        return None;
    }
    let statement = &current.statement;
    let process = instance.processes().find(|one| Some(one.pid) == session.pid);
    let whole = statement.text.chars().count() <= 2_000;
    let key = u64::from(session.key.inst_id) << 48
        | u64::from(session.key.sid) << 32
        | u64::from(current.id & 0x00ff_ffff);
    Some(vec![
        ("KEY", number(key)),
        ("STATUS", text("EXECUTING")),
        ("USER#", maybe_number(session.user.as_ref().map(|user| user.id))),
        ("USERNAME", maybe_text(session.username())),
        ("MODULE", maybe_text(session.marks.module.as_deref())),
        ("ACTION", maybe_text(session.marks.action.as_deref())),
        ("SERVICE_NAME", text(&session.client.service)),
        ("CLIENT_IDENTIFIER", maybe_text(session.marks.client_identifier.as_deref())),
        ("CLIENT_INFO", maybe_text(session.marks.client_info.as_deref())),
        ("PROGRAM", text(&session.client.program)),
        ("PLSQL_ENTRY_OBJECT_ID", maybe_number(session.plsql_entry.map(|entry| entry.0))),
        ("PLSQL_ENTRY_SUBPROGRAM_ID", maybe_number(session.plsql_entry.map(|entry| entry.1))),
        ("FIRST_REFRESH_TIME", date(instance.clock(call.began + MONITORED))),
        ("LAST_REFRESH_TIME", date(instance.clock(view.cluster.now()))),
        ("SID", number(session.key.sid)),
        ("SESSION_SERIAL#", number(session.key.serial)),
        ("PROCESS_NAME", text(process.and_then(|one| one.name.as_deref()).unwrap_or("ora"))),
        ("SQL_ID", text(statement.sql_id.as_str())),
        ("SQL_TEXT", Value::Text(statement.text.chars().take(2_000).collect())),
        ("IS_FULL_SQLTEXT", text(if whole { "Y" } else { "N" })),
        ("SQL_EXEC_START", current.start.map_or(Value::Null, date)),
        ("SQL_EXEC_ID", maybe_number(current.start.map(|_| current.id))),
        ("SQL_CHILD_ADDRESS", address(statement.address + 0x40)),
        ("PX_MAXDOP", maybe_number(session.px.map(|px| px.degree))),
        ("PX_QCINST_ID", maybe_number(session.px.map(|px| px.coordinator.inst_id))),
        ("PX_QCSID", maybe_number(session.px.map(|px| px.coordinator.sid))),
        ("ELAPSED_TIME", number(elapsed)),
        ("CON_ID", number(session.con_id)),
    ])
}

/// What V$SESSTAT shows of a statistic that grows with the calls.
fn per_call(name: &str) -> u64 {
    STATISTICS.iter().find(|one| one.0 == name).map_or(0, |one| one.2)
}

fn io(session: &Session) -> Row {
    let (all, writes) = (per_call("session logical reads"), per_call("physical writes"));
    vec![
        ("SID", number(session.key.sid)),
        ("BLOCK_GETS", number(session.calls * writes)),
        ("CONSISTENT_GETS", number(session.calls * (all - writes))),
        ("PHYSICAL_READS", number(session.calls * per_call("physical reads"))),
        ("BLOCK_CHANGES", number(session.calls * writes)),
        ("CONSISTENT_CHANGES", number(0)),
        ("OPTIMIZED_PHYSICAL_READS", number(0)),
        ("CON_ID", number(session.con_id)),
    ]
}

/// The two times that follow from what V$SESSTAT shows.
fn times(calls: u64) -> Vec<Row> {
    let cpu = calls * per_call("CPU used by this session") * HUNDREDTH;
    [("DB time", 3_649_082_374_u32, cpu * 2), ("DB CPU", 2_748_282_437, cpu)]
        .map(|(name, id, value)| {
            vec![("STAT_ID", number(id)), ("STAT_NAME", text(name)), ("VALUE", number(value))]
        })
        .into()
}

fn session_times(session: &Session) -> Vec<Row> {
    let mut rows = times(session.calls);
    for row in &mut rows {
        row.extend([("SID", number(session.key.sid)), ("CON_ID", number(session.con_id))]);
    }
    rows
}

/// What V$PROCESS adds to PGA_USED_MEM for PGA_ALLOC_MEM and PGA_MAX_MEM.
const ALLOCATED_MORE: u64 = 400_000;
const MAX_MORE: u64 = 900_000;

/// PGA_USED_MEM and PGA_ALLOC_MEM of V$PROCESS by category.
fn memory(view: &View<'_>, one: &Process) -> Vec<Row> {
    let con_id = one.session.and_then(|key| view.cluster.session(key)).map_or(0, |it| it.con_id);
    let (sql, plsql) = (one.pga_used / 20, one.pga_used / 40);
    let other = one.pga_used - sql - plsql;
    [
        ("SQL", sql, sql, sql),
        ("PL/SQL", plsql, plsql, plsql),
        ("Other", other, other + ALLOCATED_MORE, other + MAX_MORE),
    ]
    .map(|(category, used, allocated, max)| {
        vec![
            ("PID", number(one.pid)),
            ("SERIAL#", number(one.serial)),
            ("CATEGORY", text(category)),
            ("ALLOCATED", number(allocated)),
            ("USED", number(used)),
            ("MAX_ALLOCATED", number(max)),
            ("CON_ID", number(con_id)),
        ]
    })
    .into()
}

/// No plan of the Resource Manager is on, so it manages nobody. It knows how long a session is idle all the same.
fn managed(view: &View<'_>, session: &Session) -> Row {
    let active = session.status() == Status::Active;
    let idle = if active { 0 } else { view.cluster.last_call_et(session) };
    vec![
        ("SID", number(session.key.sid)),
        ("CURRENT_CONSUMER_GROUP", maybe_text(session.consumer_group)),
        ("STATE", text("NOT MANAGED")),
        ("ACTIVE", text(if active { "TRUE" } else { "FALSE" })),
        ("CURRENT_IDLE_TIME", number(idle)),
        ("CON_ID", number(session.con_id)),
    ]
}

fn pga(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let used: u64 = instance.processes().map(|one| one.pga_used).sum();
    let count = instance.processes().count() as u64;
    let target = view.books.parameters.get("pga_aggregate_target");
    let target = target.and_then(|one| one.on(instance.id).parse::<u64>().ok()).unwrap_or(0);
    [
        ("aggregate PGA target parameter", target, "bytes"),
        ("total PGA inuse", used, "bytes"),
        ("total PGA allocated", used + count * ALLOCATED_MORE, "bytes"),
        ("process count", count, ""),
    ]
    .map(|(name, value, unit)| {
        vec![("NAME", text(name)), ("VALUE", number(value)), ("UNIT", text(unit))]
    })
    .into()
}
