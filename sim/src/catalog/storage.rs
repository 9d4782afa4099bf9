//! Dictionary views about the database as a whole: tablespaces, files, segments, properties, services, components,
//! roles. The files are those that ROWIDs and waits for rows name.

use super::cell::{date, number, text, yes_no};
use super::global::{base_version, dotted};
use super::rowid::RowId;
use super::view::{Row, View};
use crate::cluster::SECOND;
use crate::cluster::lock;
use crate::value::Value;

/// DB_BLOCK_SIZE.
const BLOCK: i64 = 8_192;
/// Blocks of a data file.
const FILE_BLOCKS: i64 = 1_310_720;
/// Blocks of a segment's extent.
const EXTENT_BLOCKS: u32 = 8;

/// The rows of a view; `None` if it is not one of these.
pub(super) fn rows(view: &View<'_>, base: &str) -> Option<Vec<Row>> {
    Some(match base {
        "DBA_TABLESPACES" => tablespaces(view),
        "DBA_DATA_FILES" => data_files(view),
        "DBA_TEMP_FILES" => vec![file(view, 1, "TEMP", "ONLINE")],
        "DBA_SEGMENTS" => segments(view),
        "DATABASE_PROPERTIES" => properties(view),
        "DBA_SERVICES" | "ALL_SERVICES" => services(view),
        "DBA_REGISTRY" => registry(view),
        "DBA_ROLES" => roles(view),
        _ => return None,
    })
}

/// One undo tablespace per instance.
fn undo(view: &View<'_>) -> Vec<String> {
    view.cluster.instances().map(|one| format!("UNDOTBS{}", one.id)).collect()
}

fn tablespaces(view: &View<'_>) -> Vec<Row> {
    let fixed = ["SYSTEM", "SYSAUX", "TEMP", "USERS"].map(str::to_owned);
    let all = fixed.into_iter().chain(undo(view));
    all.map(|name| {
        let contents = match name.as_str() {
            "TEMP" => "TEMPORARY",
            name if name.starts_with("UNDO") => "UNDO",
            _ => "PERMANENT",
        };
        let automatic = matches!(name.as_str(), "SYSAUX" | "USERS");
        vec![
            ("TABLESPACE_NAME", Value::Text(name.clone())),
            ("BLOCK_SIZE", number(BLOCK)),
            ("INITIAL_EXTENT", number(65_536)),
            ("MIN_EXTENTS", number(1)),
            ("MAX_EXTENTS", number(2_147_483_645)),
            ("MAX_SIZE", number(2_147_483_645)),
            ("MIN_EXTLEN", number(65_536)),
            ("STATUS", text("ONLINE")),
            ("CONTENTS", text(contents)),
            ("LOGGING", text(if contents == "TEMPORARY" { "NOLOGGING" } else { "LOGGING" })),
            ("FORCE_LOGGING", text("NO")),
            ("EXTENT_MANAGEMENT", text("LOCAL")),
            ("ALLOCATION_TYPE", text(if contents == "TEMPORARY" { "UNIFORM" } else { "SYSTEM" })),
            ("PLUGGED_IN", text("NO")),
            ("SEGMENT_SPACE_MANAGEMENT", text(if automatic { "AUTO" } else { "MANUAL" })),
            ("DEF_TAB_COMPRESSION", text("DISABLED")),
            ("RETENTION", text(if contents == "UNDO" { "NOGUARANTEE" } else { "NOT APPLY" })),
            ("BIGFILE", text("NO")),
            ("PREDICATE_EVALUATION", text("HOST")),
            ("ENCRYPTED", text("NO")),
            ("SHARED", text("SHARED")),
        ]
    })
    .collect()
}

fn file(view: &View<'_>, id: u32, tablespace: &str, status: &str) -> Row {
    let kind = if tablespace == "TEMP" { "tempfile" } else { "datafile" };
    let place = format!("+DATA/{}/{kind}/{}.{id}", view.cluster.spec().name, tablespace);
    vec![
        ("FILE_NAME", Value::Text(place.to_ascii_lowercase().replacen("+data", "+DATA", 1))),
        ("FILE_ID", number(id)),
        ("TABLESPACE_NAME", text(tablespace)),
        ("BYTES", number(FILE_BLOCKS * BLOCK)),
        ("BLOCKS", number(FILE_BLOCKS)),
        ("STATUS", text(status)),
        ("RELATIVE_FNO", number(id)),
        ("AUTOEXTENSIBLE", text("NO")),
        ("MAXBYTES", number(0)),
        ("MAXBLOCKS", number(0)),
        ("INCREMENT_BY", number(0)),
        ("USER_BYTES", number((FILE_BLOCKS - 128) * BLOCK)),
        ("USER_BLOCKS", number(FILE_BLOCKS - 128)),
        ("ONLINE_STATUS", text(if tablespace == "SYSTEM" { "SYSTEM" } else { "ONLINE" })),
        ("LOST_WRITE_PROTECT", text("OFF")),
        ("SHARED", text("SHARED")),
    ]
}

fn data_files(view: &View<'_>) -> Vec<Row> {
    let mut files = vec![(1, "SYSTEM".to_owned()), (2, "SYSAUX".to_owned())];
    files.extend(lock::FILES.map(|id| (id, "USERS".to_owned())));
    files.extend((lock::FILES.end..).zip(undo(view)));
    files.into_iter().map(|(id, tablespace)| file(view, id, &tablespace, "AVAILABLE")).collect()
}

/// One segment per table of the scenario; those of Oracle's own are left out.
fn segments(view: &View<'_>) -> Vec<Row> {
    let all = view.books.heap.iter();
    all.map(|table| {
        let RowId { file, block, .. } = table.rowid(0);
        let last = table.rowid(table.next_number()).block;
        let extents = (last - block + 1 + 2).div_ceil(EXTENT_BLOCKS);
        let blocks = extents * EXTENT_BLOCKS;
        vec![
            ("OWNER", text(&table.owner)),
            ("SEGMENT_NAME", text(&table.name)),
            ("SEGMENT_TYPE", text("TABLE")),
            ("SEGMENT_SUBTYPE", text("ASSM")),
            ("TABLESPACE_NAME", text("USERS")),
            ("HEADER_FILE", number(file)),
            ("HEADER_BLOCK", number(block - 2)),
            ("BYTES", number(i64::from(blocks) * BLOCK)),
            ("BLOCKS", number(blocks)),
            ("EXTENTS", number(extents)),
            ("INITIAL_EXTENT", number(65_536)),
            ("MIN_EXTENTS", number(1)),
            ("MAX_EXTENTS", number(2_147_483_645)),
            ("MAX_SIZE", number(2_147_483_645)),
            ("RELATIVE_FNO", number(file)),
            ("BUFFER_POOL", text("DEFAULT")),
            ("FLASH_CACHE", text("DEFAULT")),
            ("CELL_FLASH_CACHE", text("DEFAULT")),
            ("INMEMORY", text("DISABLED")),
        ]
    })
    .collect()
}

fn properties(view: &View<'_>) -> Vec<Row> {
    let mut all: Vec<(String, String)> = [
        ("DICT.BASE", "2"),
        ("DEFAULT_TEMP_TABLESPACE", "TEMP"),
        ("DEFAULT_PERMANENT_TABLESPACE", "USERS"),
        ("DEFAULT_EDITION", "ORA$BASE"),
        ("DEFAULT_TBS_TYPE", "SMALLFILE"),
        ("DBTIMEZONE", "+00:00"),
        ("NLS_CHARACTERSET", "AL32UTF8"),
        ("NLS_NCHAR_CHARACTERSET", "AL16UTF16"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    all.push(("GLOBAL_DB_NAME".to_owned(), view.books.global_name.clone()));
    all.push(("NLS_RDBMS_VERSION".to_owned(), base_version(view.release())));
    all.extend(super::default_nls());
    all.into_iter()
        .map(|(name, value)| {
            vec![("PROPERTY_NAME", Value::Text(name)), ("PROPERTY_VALUE", Value::Text(value))]
        })
        .collect()
}

fn services(view: &View<'_>) -> Vec<Row> {
    let created = (view.cluster.spec().start_seconds - 400 * 86_400) * SECOND;
    let containers = view.cluster.containers();
    let internal = [("SYS$BACKGROUND", view.viewer.con_id), ("SYS$USERS", view.viewer.con_id)];
    let own = view.books.services.iter().map(|one| (one.name.as_str(), one.con_id));
    let all = (1_u32..).zip(internal.into_iter().chain(own));
    all.filter(|(_, (_, con_id))| view.viewer.sees(*con_id))
        .map(|(id, (name, con_id))| {
            let container = containers.iter().find(|one| one.con_id == con_id);
            vec![
                ("SERVICE_ID", number(id)),
                ("NAME", text(name)),
                ("NAME_HASH", number(id * 104_729)),
                ("NETWORK_NAME", text(if name.starts_with("SYS$") { "" } else { name })),
                ("CREATION_DATE", date(created)),
                ("CREATION_DATE_HASH", number(id * 1_299_709)),
                ("GOAL", text("NONE")),
                ("DTP", text("N")),
                ("ENABLED", text("NO")),
                ("AQ_HA_NOTIFICATIONS", text("NO")),
                ("CLB_GOAL", text("LONG")),
                ("COMMIT_OUTCOME", text("NO")),
                ("GLOBAL_SERVICE", text("NO")),
                ("PDB", text(container.map_or("", |one| &one.name))),
                ("CON_ID", number(con_id)),
            ]
        })
        .collect()
}

fn registry(view: &View<'_>) -> Vec<Row> {
    let release = view.release();
    [
        ("CATALOG", "Oracle Database Catalog Views"),
        ("CATPROC", "Oracle Database Packages and Types"),
    ]
    .map(|(id, name)| {
        vec![
            ("COMP_ID", text(id)),
            ("COMP_NAME", text(name)),
            ("VERSION", Value::Text(base_version(release))),
            ("VERSION_FULL", Value::Text(dotted(release, 5))),
            ("STATUS", text("VALID")),
            ("NAMESPACE", text("SERVER")),
            ("CONTROL", text("SYS")),
            ("SCHEMA", text("SYS")),
        ]
    })
    .into()
}

/// Oracle's own roles, as far as they mean something here, and the scenario's.
fn roles(view: &View<'_>) -> Vec<Row> {
    const ORACLE: [&str; 5] =
        ["CONNECT", "DBA", "EXECUTE_CATALOG_ROLE", "RESOURCE", "SELECT_CATALOG_ROLE"];
    let own = view.books.accounts.role_names();
    let own = own.iter().map(String::as_str).filter(|name| !ORACLE.contains(name));
    ORACLE
        .into_iter()
        .chain(own)
        .map(|name| {
            let maintained = ORACLE.contains(&name);
            vec![
                ("ROLE", text(name)),
                ("PASSWORD_REQUIRED", text("NO")),
                ("AUTHENTICATION_TYPE", text("NONE")),
                ("COMMON", yes_no(maintained)),
                ("ORACLE_MAINTAINED", text(if maintained { "Y" } else { "N" })),
                ("INHERITED", text("NO")),
                ("IMPLICIT", text("NO")),
            ]
        })
        .collect()
}
