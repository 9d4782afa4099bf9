//! The fixed views of what an instance and its database are: names, versions, parameters, services, containers,
//! statements, and the lists of numbers and their names.

use super::books::version;
use super::cell::{address, beginning, date, number, text, yes_no};
use super::fixed::{PGA, STATISTICS, UGA};
use super::view::{Row, View};
use crate::cluster::SECOND;
use crate::cluster::event::EventId;
use crate::cluster::instance::{Instance, InstanceState};
use crate::cluster::session::Session;
use crate::cluster::statement::Statement;
use crate::conversation::Release;
use crate::value::Value;

/// The rows of a view on one instance; `None` if it is not one of these.
pub(super) fn rows(view: &View<'_>, base: &str, instance: &Instance) -> Option<Vec<Row>> {
    Some(match base {
        "V$INSTANCE" => vec![this_instance(view, instance)],
        "V$DATABASE" => vec![database(view)],
        "V$VERSION" => versions(view),
        "V$PARAMETER" | "V$PARAMETER2" | "V$SYSTEM_PARAMETER" | "V$SYSTEM_PARAMETER2" => {
            parameters(view, instance)
        }
        "V$SERVICES" | "V$ACTIVE_SERVICES" => services(view, instance),
        "V$CONTAINERS" => containers(view, 1),
        "V$PDBS" => containers(view, 2),
        "V$SQL" | "V$SQLAREA" | "V$SQLSTATS" => {
            view.cluster.statements().map(|one| statement(view, one)).collect()
        }
        "V$SQLTEXT" | "V$SQLTEXT_WITH_NEWLINES" => {
            view.cluster.statements().flat_map(|one| pieces(one, base)).collect()
        }
        "V$STATNAME" | "V$SYSSTAT" => statistics(instance),
        "V$EVENT_NAME" => EventId::ALL.iter().map(|id| event(*id)).collect(),
        "V$SQLCOMMAND" => COMMANDS.iter().map(|(code, name)| command(*code, name)).collect(),
        "V$NLS_PARAMETERS" => nls(view),
        "V$TIMER" => vec![vec![
            ("HSECS", number(view.cluster.now() / 10_000 % 4_294_967_296)),
            ("CON_ID", number(0)),
        ]],
        // There are none in this model, and that is the truth of it: nothing replicates, nothing is in doubt.
        "V$GOLDENGATE_CAPTURE"
        | "V$XSTREAM_CAPTURE"
        | "V$STREAMS_APPLY_SERVER"
        | "V$DATAGUARD_PROCESS"
        | "V$GLOBAL_TRANSACTION"
        | "V$FAST_START_TRANSACTIONS" => Vec::new(),
        _ => return None,
    })
}

/// A version as text, with so many of its numbers.
pub(super) fn dotted(release: Release, numbers: usize) -> String {
    let all = version(release).0;
    let shown: Vec<String> = all.iter().take(numbers).map(u8::to_string).collect();
    shown.join(".")
}

/// VERSION as V$INSTANCE shows it: since 18c only the first number counts.
pub(super) fn base_version(release: Release) -> String {
    if release >= Release::R19 {
        format!("{}.0.0.0.0", version(release).0[0])
    } else {
        dotted(release, 5)
    }
}

fn this_instance(view: &View<'_>, instance: &Instance) -> Row {
    let release = view.release();
    let status = match instance.state {
        InstanceState::Open | InstanceState::Stopping => "OPEN",
        InstanceState::Starting | InstanceState::Down => "STARTED",
    };
    let primary = !view.cluster.spec().read_only;
    vec![
        ("INSTANCE_NUMBER", number(instance.id)),
        ("INSTANCE_NAME", text(&instance.name)),
        ("HOST_NAME", text(&instance.host)),
        ("VERSION", Value::Text(base_version(release))),
        ("VERSION_LEGACY", Value::Text(base_version(release))),
        ("VERSION_FULL", Value::Text(dotted(release, 5))),
        ("STARTUP_TIME", date(instance.startup)),
        ("STATUS", text(status)),
        ("PARALLEL", yes_no(view.cluster.instances().count() > 1)),
        ("THREAD#", number(instance.id)),
        ("ARCHIVER", text("STARTED")),
        ("LOGINS", text(if instance.restricted { "RESTRICTED" } else { "ALLOWED" })),
        ("SHUTDOWN_PENDING", yes_no(instance.state == InstanceState::Stopping)),
        ("DATABASE_STATUS", text("ACTIVE")),
        ("INSTANCE_ROLE", text(if primary { "PRIMARY_INSTANCE" } else { "SECONDARY_INSTANCE" })),
        ("ACTIVE_STATE", text("NORMAL")),
        ("BLOCKED", text("NO")),
        ("CON_ID", number(0)),
        ("INSTANCE_MODE", text("REGULAR")),
        ("EDITION", text("EE")),
        (
            "DATABASE_TYPE",
            text(if view.cluster.instances().count() > 1 { "RAC" } else { "SINGLE" }),
        ),
    ]
}

fn database(view: &View<'_>) -> Row {
    let spec = view.cluster.spec();
    let unique = if spec.unique_name.is_empty() { &spec.name } else { &spec.unique_name };
    let created = (spec.start_seconds - 400 * 86_400) * SECOND;
    let (mode, role) = if spec.read_only {
        ("READ ONLY WITH APPLY", "PHYSICAL STANDBY")
    } else {
        ("READ WRITE", "PRIMARY")
    };
    let scn = view.cluster.now() / 1_000_000 * 37;
    vec![
        ("DBID", number(spec.dbid)),
        ("NAME", text(&spec.name)),
        ("CREATED", date(created)),
        ("RESETLOGS_CHANGE#", number(1_920_977)),
        ("RESETLOGS_TIME", date(created)),
        ("LOG_MODE", text("ARCHIVELOG")),
        ("CHECKPOINT_CHANGE#", number(scn - 1_000)),
        ("CONTROLFILE_TYPE", text("CURRENT")),
        ("CONTROLFILE_CREATED", date(created)),
        ("OPEN_RESETLOGS", text("NOT ALLOWED")),
        ("VERSION_TIME", date(created)),
        ("OPEN_MODE", text(mode)),
        ("PROTECTION_MODE", text("MAXIMUM PERFORMANCE")),
        ("PROTECTION_LEVEL", text("MAXIMUM PERFORMANCE")),
        ("REMOTE_ARCHIVE", text("ENABLED")),
        ("DATABASE_ROLE", text(role)),
        ("SWITCHOVER_STATUS", text("NOT ALLOWED")),
        ("DATAGUARD_BROKER", text("DISABLED")),
        ("GUARD_STATUS", text("NONE")),
        ("FORCE_LOGGING", text("YES")),
        ("PLATFORM_ID", number(13)),
        ("PLATFORM_NAME", text("Linux x86 64-bit")),
        ("CURRENT_SCN", number(scn)),
        ("FLASHBACK_ON", text("NO")),
        ("DB_UNIQUE_NAME", text(unique)),
        ("FS_FAILOVER_STATUS", text("DISABLED")),
        ("CONTROLFILE_CONVERTED", text("NO")),
        ("CDB", yes_no(!spec.containers.is_empty())),
        ("CON_ID", number(0)),
        ("CON_DBID", number(spec.dbid)),
        ("FORCE_FULL_DB_CACHING", text("NO")),
    ]
}

fn versions(view: &View<'_>) -> Vec<Row> {
    let release = view.release();
    let banner = version(release).1;
    let full = format!("{banner}\nVersion {}", dotted(release, 5));
    let mut rows = vec![vec![
        ("BANNER", Value::Text(banner.clone())),
        ("BANNER_FULL", Value::Text(full)),
        ("BANNER_LEGACY", Value::Text(banner)),
        ("CON_ID", number(0)),
    ]];
    if release < Release::R19 {
        let numbers = dotted(release, 5);
        for line in ["PL/SQL Release", "CORE", "TNS for Linux: Version", "NLSRTL Version"] {
            rows.push(vec![
                ("BANNER", Value::Text(format!("{line} {numbers} - Production"))),
                ("CON_ID", number(0)),
            ]);
        }
    }
    rows
}

fn parameters(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    (1_u32..)
        .zip(view.books.parameters.iter())
        .map(|(place, (name, parameter))| {
            let value = match name {
                "instance_name" => instance.name.to_string(),
                "instance_number" | "thread" => instance.id.to_string(),
                "undo_tablespace" if !parameter.changed => format!("UNDOTBS{}", instance.id),
                _ => parameter.on(instance.id).to_owned(),
            };
            vec![
                ("NUM", number(place)),
                ("NAME", text(name)),
                ("TYPE", number(parameter.kind)),
                ("VALUE", text(&value)),
                ("DISPLAY_VALUE", text(&value)),
                ("DEFAULT_VALUE", text(&value)),
                ("ISDEFAULT", text(if parameter.changed { "FALSE" } else { "TRUE" })),
                ("ISSES_MODIFIABLE", text(if parameter.session { "TRUE" } else { "FALSE" })),
                ("ISSYS_MODIFIABLE", text(if parameter.system { "IMMEDIATE" } else { "FALSE" })),
                ("ISPDB_MODIFIABLE", text("FALSE")),
                ("ISINSTANCE_MODIFIABLE", text(if parameter.system { "TRUE" } else { "FALSE" })),
                ("ISMODIFIED", text(if parameter.changed { "SYSTEM_MOD" } else { "FALSE" })),
                ("ISADJUSTED", text("FALSE")),
                ("ISDEPRECATED", text("FALSE")),
                ("ISBASIC", text("FALSE")),
                ("DESCRIPTION", text(name)),
                ("HASH", number(place * 7_919)),
                ("ORDINAL", number(1)),
                ("CON_ID", number(0)),
            ]
        })
        .collect()
}

fn services(view: &View<'_>, instance: &Instance) -> Vec<Row> {
    let internal = [("SYS$BACKGROUND", 1), ("SYS$USERS", 2)];
    let root = u32::from(!view.cluster.spec().containers.is_empty());
    let mut all: Vec<(&str, u32, u32)> =
        internal.into_iter().map(|(name, id)| (name, id, root)).collect();
    for (id, service) in (3_u32..).zip(&view.books.services) {
        if service.instances.is_empty() || service.instances.contains(&instance.id) {
            all.push((&service.name, id, service.con_id));
        }
    }
    let containers = view.cluster.containers();
    let created = (view.cluster.spec().start_seconds - 400 * 86_400) * SECOND;
    all.into_iter()
        .map(|(name, id, con_id)| {
            let container =
                containers.iter().find(|one| one.con_id == con_id).map_or("", |one| &one.name);
            vec![
                ("SERVICE_ID", number(id)),
                ("NAME", text(name)),
                ("NAME_HASH", number(id * 104_729)),
                ("NETWORK_NAME", if name.starts_with("SYS$") { Value::Null } else { text(name) }),
                ("CREATION_DATE", date(created)),
                ("CREATION_DATE_HASH", number(id * 1_299_709)),
                ("GOAL", text("NONE")),
                ("DTP", text("N")),
                ("BLOCKED", text("NO")),
                ("AQ_HA_NOTIFICATION", text("NO")),
                ("CLB_GOAL", text("LONG")),
                ("COMMIT_OUTCOME", text("FALSE")),
                ("GLOBAL", text("NO")),
                ("PDB", text(container)),
                ("CON_NAME", text(container)),
                ("CON_ID", number(con_id)),
            ]
        })
        .collect()
}

fn containers(view: &View<'_>, from: u32) -> Vec<Row> {
    let all = view.cluster.containers();
    let is_cdb = !view.cluster.spec().containers.is_empty();
    let shown = all.into_iter().filter(|one| if is_cdb { one.con_id >= from } else { from == 1 });
    shown
        .map(|one| {
            let mode = if one.con_id == 2 || view.cluster.spec().read_only {
                "READ ONLY"
            } else {
                "READ WRITE"
            };
            vec![
                ("CON_ID", number(one.con_id)),
                ("DBID", number(view.cluster.spec().dbid + one.con_id)),
                (
                    "CON_UID",
                    number(if one.con_id <= 1 { 1 } else { view.cluster.spec().dbid + one.con_id }),
                ),
                ("GUID", Value::Raw(vec![u8::try_from(one.con_id).unwrap_or(0); 16])),
                ("NAME", text(&one.name)),
                ("OPEN_MODE", text(mode)),
                ("RESTRICTED", text("NO")),
                ("TOTAL_SIZE", number(4_294_967_296_i64)),
                ("BLOCK_SIZE", number(8_192)),
                ("RECOVERY_STATUS", text("ENABLED")),
                ("APPLICATION_ROOT", text("NO")),
                ("APPLICATION_PDB", text("NO")),
                ("APPLICATION_SEED", text("NO")),
                ("PROXY_PDB", text("NO")),
            ]
        })
        .collect()
}

/// Bytes of SQL_TEXT, which is only the beginning of the text.
const SQL_TEXT_MAX: usize = 1_000;
/// Bytes of SQL_FULLTEXT: a VARCHAR2, since there are no LOBs here.
const SQL_FULLTEXT_MAX: usize = 4_000;
/// Characters in one piece of V$SQLTEXT.
const PIECE: usize = 64;

fn statement(view: &View<'_>, one: &Statement) -> Row {
    // Oracle counts; here the numbers only have to be plausible and the same for everybody.
    let executions = u64::from(one.hash_value % 50_000) + 1;
    vec![
        ("SQL_TEXT", beginning(&one.text, SQL_TEXT_MAX)),
        ("SQL_FULLTEXT", beginning(&one.text, SQL_FULLTEXT_MAX)),
        ("SQL_ID", text(one.sql_id.as_str())),
        ("SHARABLE_MEM", number(24_000)),
        ("VERSION_COUNT", number(1)),
        ("LOADED_VERSIONS", number(1)),
        ("EXECUTIONS", number(executions)),
        ("USERS_EXECUTING", number(0)),
        ("LOADS", number(1)),
        ("PARSE_CALLS", number(executions / 3 + 1)),
        ("DISK_READS", number(executions * 7)),
        ("BUFFER_GETS", number(executions * 210)),
        ("ROWS_PROCESSED", number(executions * 3)),
        ("COMMAND_TYPE", number(one.command)),
        ("OPTIMIZER_MODE", text("ALL_ROWS")),
        ("PARSING_SCHEMA_NAME", text(&one.schema)),
        ("ADDRESS", address(one.address)),
        ("HASH_VALUE", number(one.hash_value)),
        ("OLD_HASH_VALUE", number(one.hash_value)),
        ("PLAN_HASH_VALUE", number(one.hash_value ^ 0x5bd1_e995)),
        ("CHILD_NUMBER", number(0)),
        ("CPU_TIME", number(executions * 900)),
        ("ELAPSED_TIME", number(executions * 2_400)),
        ("CHILD_ADDRESS", address(one.address + 0x40)),
        ("OBJECT_STATUS", text("VALID")),
        ("LAST_ACTIVE_TIME", date(view.cluster.now())),
        ("IS_OBSOLETE", text("N")),
        ("CON_ID", number(0)),
    ]
}

/// V$SQLTEXT has blanks for line breaks and tabs, V$SQLTEXT_WITH_NEWLINES has the text as it is.
fn pieces(one: &Statement, base: &str) -> Vec<Row> {
    let blank = |letter: char| match letter {
        '\n' | '\r' | '\t' if base == "V$SQLTEXT" => ' ',
        _ => letter,
    };
    let letters: Vec<char> = one.text.chars().map(blank).collect();
    (0_u32..)
        .zip(letters.chunks(PIECE))
        .map(|(place, piece)| {
            vec![
                ("ADDRESS", address(one.address)),
                ("HASH_VALUE", number(one.hash_value)),
                ("SQL_ID", text(one.sql_id.as_str())),
                ("COMMAND_TYPE", number(one.command)),
                ("PIECE", number(place)),
                ("SQL_TEXT", Value::Text(piece.iter().collect())),
                ("CON_ID", number(0)),
            ]
        })
        .collect()
}

fn statistics(instance: &Instance) -> Vec<Row> {
    let calls = instance.calls();
    let count = |counts: fn(&Session) -> bool| {
        instance.sessions().filter(|session| counts(session)).count() as u64
    };
    (0_u32..)
        .zip(STATISTICS)
        .map(|(place, (name, class, per_call))| {
            let value = match name {
                "logons cumulative" => instance.logons(),
                "logons current" => count(|_| true),
                "opened cursors current" => count(|session| session.current.is_some()),
                "session uga memory" => count(|_| true) * UGA,
                "session pga memory" => count(|_| true) * PGA,
                _ => calls * per_call,
            };
            vec![
                ("STATISTIC#", number(place)),
                ("NAME", text(name)),
                ("CLASS", number(class)),
                ("VALUE", number(value)),
                ("STAT_ID", number(place * 15_485_863 + 7)),
                ("DISPLAY_NAME", text(name)),
                ("CON_ID", number(0)),
            ]
        })
        .collect()
}

fn event(id: EventId) -> Row {
    let event = id.event();
    let (class, class_id, class_name) = event.class.columns();
    vec![
        ("EVENT#", number(id as u32)),
        ("EVENT_ID", number(id as u32 * 32_452_843 + 11)),
        ("NAME", text(event.name)),
        ("PARAMETER1", text(event.texts[0])),
        ("PARAMETER2", text(event.texts[1])),
        ("PARAMETER3", text(event.texts[2])),
        ("WAIT_CLASS_ID", number(class_id)),
        ("WAIT_CLASS#", number(class)),
        ("WAIT_CLASS", text(class_name)),
        ("DISPLAY_NAME", text(event.name)),
        ("CON_ID", number(0)),
    ]
}

/// The command codes that sessions of the model can show.
const COMMANDS: [(u32, &str); 22] = [
    (0, "UNKNOWN"),
    (1, "CREATE TABLE"),
    (2, "INSERT"),
    (3, "SELECT"),
    (6, "UPDATE"),
    (7, "DELETE"),
    (9, "CREATE INDEX"),
    (12, "DROP TABLE"),
    (15, "ALTER TABLE"),
    (26, "LOCK TABLE"),
    (35, "ALTER DATABASE"),
    (42, "ALTER SESSION"),
    (44, "COMMIT"),
    (45, "ROLLBACK"),
    (46, "SAVEPOINT"),
    (47, "PL/SQL EXECUTE"),
    (48, "SET TRANSACTION"),
    (49, "ALTER SYSTEM"),
    (50, "EXPLAIN"),
    (85, "TRUNCATE TABLE"),
    (170, "CALL METHOD"),
    (189, "UPSERT"),
];

fn command(code: u32, name: &str) -> Row {
    vec![("COMMAND_TYPE", number(code)), ("COMMAND_NAME", text(name)), ("CON_ID", number(0))]
}

fn nls(view: &View<'_>) -> Vec<Row> {
    // The database's character sets stand among the session's own parameters, and drivers read them there.
    const SETS: [(&str, &str); 2] =
        [("NLS_CHARACTERSET", "AL32UTF8"), ("NLS_NCHAR_CHARACTERSET", "AL16UTF16")];
    let own = view.viewer.nls.iter().map(|(name, value)| (text(name), text(value)));
    own.chain(SETS.map(|(name, value)| (text(name), text(value))))
        .map(|(name, value)| vec![("PARAMETER", name), ("VALUE", value), ("CON_ID", number(0))])
        .collect()
}
