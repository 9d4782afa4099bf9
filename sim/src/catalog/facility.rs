//! The fixed views of what an instance has: options, threads, types of locks, undo segments, places of files.

use super::cell::{date, number, text};
use super::definition::tables;
use super::view::{Row, View};
use crate::cluster::instance::{Instance, InstanceState};
use crate::value::Value;

/// The rows of a view on one instance; `None` if it is not one of these.
pub(super) fn rows(view: &View<'_>, base: &str, instance: &Instance) -> Option<Vec<Row>> {
    Some(match base {
        "V$ACTIVE_INSTANCES" => active_instances(view),
        "V$THREAD" => threads(view),
        "V$OPTION" => options(view),
        "V$FIXED_TABLE" => fixed_tables(view),
        "V$LOCK_TYPE" => lock_types(),
        "V$ROLLNAME" => undo_segments(instance),
        "V$DIAG_INFO" => places(view, instance),
        "V$OSSTAT" => machine(),
        _ => return None,
    })
}

fn is_up(instance: &Instance) -> bool {
    matches!(instance.state, InstanceState::Open | InstanceState::Stopping)
}

fn active_instances(view: &View<'_>) -> Vec<Row> {
    let up = view.cluster.instances().filter(|one| is_up(one));
    up.map(|one| {
        vec![
            ("INST_NUMBER", number(one.id)),
            ("INST_NAME", Value::Text(format!("{}:{}", one.host, one.name))),
        ]
    })
    .collect()
}

fn threads(view: &View<'_>) -> Vec<Row> {
    let all = view.cluster.instances();
    all.map(|one| {
        vec![
            ("THREAD#", number(one.id)),
            ("STATUS", text(if is_up(one) { "OPEN" } else { "CLOSED" })),
            ("ENABLED", text("PUBLIC")),
            ("INSTANCE", text(&one.name)),
            ("OPEN_TIME", if is_up(one) { date(one.startup) } else { Value::Null }),
            ("CON_ID", number(0)),
        ]
    })
    .collect()
}

fn options(view: &View<'_>) -> Vec<Row> {
    let several = view.cluster.instances().count() > 1;
    [
        ("Partitioning", true),
        ("Objects", true),
        ("Real Application Clusters", several),
        ("Advanced replication", true),
        ("Bit-mapped indexes", true),
        ("Connection multiplexing", true),
        ("Connection pooling", true),
        ("Database queuing", true),
        ("Parallel execution", true),
        ("Java", false),
        ("Oracle Database Vault", false),
        ("Oracle Label Security", false),
        ("Unified Auditing", false),
    ]
    .map(|(name, there)| {
        vec![("PARAMETER", text(name)), ("VALUE", text(if there { "TRUE" } else { "FALSE" }))]
    })
    .into()
}

fn fixed_tables(view: &View<'_>) -> Vec<Row> {
    let names = tables(view.release()).keys();
    let fixed = names.filter(|name| name.starts_with("V$") || name.starts_with("GV$"));
    // Fixed objects are numbered down from 2^32.
    (0_u32..)
        .zip(fixed)
        .map(|(place, name)| {
            vec![
                ("NAME", text(name)),
                ("OBJECT_ID", number(u32::MAX - 345 - place)),
                ("TYPE", text("VIEW")),
                ("TABLE_NUM", number(65_537)),
            ]
        })
        .collect()
}

/// Those that V$LOCK can show here.
fn lock_types() -> Vec<Row> {
    [
        ("AE", "Edition Lock", "edition obj#", "0", "NO", "Prevent Dropping an edition in use"),
        ("TM", "DML", "object #", "table/partition", "YES", "Synchronizes accesses to an object"),
        (
            "TX",
            "Transaction",
            "usn<<16 | slot",
            "sequence",
            "YES",
            "Lock held by a transaction to allow other transactions to wait for it",
        ),
        ("UL", "User-defined", "id", "0", "YES", "Lock used by user applications"),
    ]
    .map(|(kind, name, id1, id2, user, description)| {
        vec![
            ("TYPE", text(kind)),
            ("NAME", text(name)),
            ("ID1_TAG", text(id1)),
            ("ID2_TAG", text(id2)),
            ("IS_USER", text(user)),
            ("IS_RECYCLE", text("NO")),
            ("DESCRIPTION", text(description)),
        ]
    })
    .into()
}

/// SYSTEM, and those that the instance's transactions use: XIDUSN in V$TRANSACTION.
fn undo_segments(instance: &Instance) -> Vec<Row> {
    let own = instance.id * 10..instance.id * 10 + 10;
    let own = own.map(|usn| (usn, format!("_SYSSMU{usn}_{}$", 1_000_003 * u64::from(usn))));
    std::iter::once((0, "SYSTEM".to_owned()))
        .chain(own)
        .map(|(usn, name)| vec![("USN", number(usn)), ("NAME", Value::Text(name))])
        .collect()
}

fn places(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let database = view.cluster.spec().name.to_ascii_lowercase();
    let base = "/u01/app/oracle";
    let home = format!("{base}/diag/rdbms/{database}/{}", instance.name);
    [
        ("Diag Enabled", "TRUE".to_owned()),
        ("ADR Base", base.to_owned()),
        ("ADR Home", home.clone()),
        ("Diag Trace", format!("{home}/trace")),
        ("Diag Alert", format!("{home}/alert")),
        ("Diag Incident", format!("{home}/incident")),
        ("Diag Cdump", format!("{home}/cdump")),
        ("Health Monitor", format!("{home}/hm")),
        ("Active Problem Count", "0".to_owned()),
        ("Active Incident Count", "0".to_owned()),
    ]
    .map(|(name, value)| {
        vec![("INST_ID", number(instance.id)), ("NAME", text(name)), ("VALUE", Value::Text(value))]
    })
    .into()
}

/// What V$LICENSE says of the host, too.
fn machine() -> Vec<Row> {
    [("NUM_CPUS", 0, 16), ("NUM_CPU_CORES", 16, 8), ("NUM_CPU_SOCKETS", 17, 2)]
        .map(|(name, id, value)| {
            vec![
                ("STAT_NAME", text(name)),
                ("VALUE", number(value)),
                ("OSSTAT_ID", number(id)),
                ("CUMULATIVE", text("NO")),
            ]
        })
        .into()
}
