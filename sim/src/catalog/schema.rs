//! Dictionary views about objects: tables, views, columns, synonyms and comments, each as ALL_, DBA_ and USER_ view.
//! Tables have neither keys nor indexes here, and there are no sequences, materialized views or database links.

use super::Column;
use super::account::Access;
use super::cell::{date, number, text};
use super::definition::tables;
use super::heap::HeapTable;
use super::view::{Row, View};
use crate::cluster::SECOND;
use crate::cluster::statement::PACKAGES;
use crate::value::{ColumnType, Value};

/// Whose objects a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// DBA_: everybody's.
    Every,
    /// ALL_: those that the viewer may use.
    Usable,
    /// USER_: the viewer's own.
    Own,
}

/// A table or a view.
struct Relation<'v> {
    owner: &'v str,
    name: String,
    columns: &'v [Column],
    heap: Option<&'v HeapTable>,
}

impl Relation<'_> {
    fn kind(&self) -> &'static str {
        let is_table = matches!(self.name.as_str(), "DUAL" | "DBMS_LOCK_ALLOCATED");
        if self.heap.is_some() || is_table { "TABLE" } else { "VIEW" }
    }
}

/// The rows of a view; `None` if it is not one of these.
pub(super) fn rows(view: &View<'_>, base: &str) -> Option<Vec<Row>> {
    if base == "DICTIONARY" {
        return Some(dictionary(view));
    }
    let (reach, name) = match base.split_once('_')? {
        ("DBA", name) => (Reach::Every, name),
        ("ALL", name) => (Reach::Usable, name),
        ("USER", name) => (Reach::Own, name),
        _ => return None,
    };
    Some(match name {
        "TABLES" => of_kind(view, reach, "TABLE").iter().map(table).collect(),
        "VIEWS" => of_kind(view, reach, "VIEW").iter().map(view_row).collect(),
        "TAB_COLUMNS" | "TAB_COLS" => relations(view, reach).iter().flat_map(columns_of).collect(),
        "TAB_COMMENTS" => relations(view, reach).iter().map(table_comment).collect(),
        "COL_COMMENTS" => relations(view, reach).iter().flat_map(column_comments).collect(),
        "OBJECTS" => objects(view, reach),
        "SYNONYMS" => synonyms(view, reach),
        // There are none in this model, and no statement that makes any.
        "SEQUENCES" | "MVIEWS" | "MVIEW_COMMENTS" | "INDEXES" | "IND_COLUMNS"
        | "IND_EXPRESSIONS" | "CONSTRAINTS" | "CONS_COLUMNS" | "DB_LINKS" | "TAB_IDENTITY_COLS"
        | "JOBS" => Vec::new(),
        _ => return None,
    })
}

/// The names of the views that the viewer can read.
fn dictionary(view: &View<'_>) -> Vec<Row> {
    let all = tables(view.release()).keys();
    all.filter(|name| view.resolve(&format!("SYS.{}", object_name(name)), "SELECT").is_ok())
        .map(|name| vec![("TABLE_NAME", text(name)), ("COMMENTS", Value::Null)])
        .collect()
}

/// What the object behind a name is called: V_$SESSION, a view of SYS, for V$SESSION.
fn object_name(name: &str) -> String {
    if name.starts_with("V$") || name.starts_with("GV$") {
        name.replacen('$', "_$", 1)
    } else {
        name.to_owned()
    }
}

fn reaches(view: &View<'_>, reach: Reach, owner: &str, name: &str) -> bool {
    match reach {
        Reach::Every => true,
        Reach::Own => view.viewer.user == owner,
        Reach::Usable => view.resolve(&format!("{owner}.{name}"), "SELECT").is_ok(),
    }
}

/// The tables and views that can be read, SYS's first.
fn relations<'v>(view: &View<'v>, reach: Reach) -> Vec<Relation<'v>> {
    let mut all = Vec::new();
    for (name, table) in tables(view.release()) {
        let name = object_name(name);
        if reaches(view, reach, "SYS", &name) {
            all.push(Relation { owner: "SYS", name, columns: &table.columns, heap: None });
        }
    }
    for table in view.books.heap.iter() {
        if reaches(view, reach, &table.owner, &table.name) {
            let (owner, name) = (table.owner.as_str(), table.name.clone());
            all.push(Relation { owner, name, columns: &table.columns, heap: Some(table) });
        }
    }
    all
}

fn of_kind<'v>(view: &View<'v>, reach: Reach, kind: &str) -> Vec<Relation<'v>> {
    let mut all = relations(view, reach);
    all.retain(|one| one.kind() == kind);
    all
}

fn table(one: &Relation<'_>) -> Row {
    let tablespace = if one.owner == "SYS" { "SYSTEM" } else { "USERS" };
    let mut row = vec![
        ("OWNER", text(one.owner)),
        ("TABLE_NAME", text(&one.name)),
        ("TABLESPACE_NAME", text(tablespace)),
        ("PCT_FREE", number(10)),
        ("INI_TRANS", number(1)),
        ("MAX_TRANS", number(255)),
        ("DEGREE", text("         1")),
        ("INSTANCES", text("         1")),
    ];
    for (name, value) in [
        ("STATUS", "VALID"),
        ("LOGGING", "YES"),
        ("BACKED_UP", "N"),
        ("CACHE", "    N"),
        ("TABLE_LOCK", "ENABLED"),
        ("PARTITIONED", "NO"),
        ("TEMPORARY", "N"),
        ("SECONDARY", "N"),
        ("NESTED", "NO"),
        ("BUFFER_POOL", "DEFAULT"),
        ("FLASH_CACHE", "DEFAULT"),
        ("CELL_FLASH_CACHE", "DEFAULT"),
        ("ROW_MOVEMENT", "DISABLED"),
        ("GLOBAL_STATS", "NO"),
        ("USER_STATS", "NO"),
        ("SKIP_CORRUPT", "DISABLED"),
        ("MONITORING", "YES"),
        ("DEPENDENCIES", "DISABLED"),
        ("COMPRESSION", "DISABLED"),
        ("DROPPED", "NO"),
        ("READ_ONLY", "NO"),
        ("SEGMENT_CREATED", "YES"),
        ("RESULT_CACHE", "DEFAULT"),
        ("CLUSTERING", "NO"),
        ("HAS_IDENTITY", "NO"),
        ("CONTAINER_DATA", "NO"),
        ("INMEMORY", "DISABLED"),
        ("DEFAULT_COLLATION", "USING_NLS_COMP"),
        ("DUPLICATED", "N"),
        ("SHARDED", "N"),
        ("EXTERNAL", "NO"),
        ("HYBRID", "NO"),
        ("CONTAINERS_DEFAULT", "NO"),
        ("CONTAINER_MAP", "NO"),
        ("EXTENDED_DATA_LINK", "NO"),
        ("EXTENDED_DATA_LINK_MAP", "NO"),
        ("CONTAINER_MAP_OBJECT", "NO"),
        ("MEMOPTIMIZE_READ", "DISABLED"),
        ("MEMOPTIMIZE_WRITE", "DISABLED"),
        ("HAS_SENSITIVE_COLUMN", "NO"),
    ] {
        row.push((name, text(value)));
    }
    row
}

/// The text of Oracle's own views is not known.
fn view_row(one: &Relation<'_>) -> Row {
    vec![
        ("OWNER", text(one.owner)),
        ("VIEW_NAME", text(&one.name)),
        ("EDITIONING_VIEW", text("N")),
        ("READ_ONLY", text("N")),
        ("CONTAINER_DATA", text("N")),
        ("BEQUEATH", text("DEFINER")),
        ("DEFAULT_COLLATION", text("USING_NLS_COMP")),
        ("CONTAINERS_DEFAULT", text("NO")),
        ("CONTAINER_MAP", text("NO")),
        ("EXTENDED_DATA_LINK", text("NO")),
        ("EXTENDED_DATA_LINK_MAP", text("NO")),
        ("HAS_SENSITIVE_COLUMN", text("NO")),
    ]
}

/// What the dictionary says of a type.
struct DataType {
    name: &'static str,
    length: u32,
    chars: u32,
    precision: Option<u32>,
    scale: Option<u32>,
}

fn data_type(column_type: ColumnType) -> DataType {
    let plain = |name, length| DataType { name, length, chars: 0, precision: None, scale: None };
    let scaled = |name, length, scale| DataType { scale: Some(scale), ..plain(name, length) };
    match column_type {
        ColumnType::Number => plain("NUMBER", 22),
        ColumnType::Varchar2(size) => DataType { chars: size, ..plain("VARCHAR2", size) },
        ColumnType::Char(size) => DataType { chars: size, ..plain("CHAR", size) },
        ColumnType::Long => plain("LONG", 0),
        ColumnType::Date => plain("DATE", 7),
        ColumnType::Timestamp => scaled("TIMESTAMP(6)", 11, 6),
        ColumnType::TimestampTz => scaled("TIMESTAMP(6) WITH TIME ZONE", 13, 6),
        ColumnType::IntervalDs => {
            DataType { precision: Some(2), ..scaled("INTERVAL DAY(2) TO SECOND(6)", 11, 6) }
        }
        ColumnType::IntervalYm => {
            DataType { precision: Some(2), ..scaled("INTERVAL YEAR(2) TO MONTH", 5, 0) }
        }
        ColumnType::Raw(size) => plain("RAW", size),
        ColumnType::RowId => plain("ROWID", 10),
        ColumnType::BinaryDouble => plain("BINARY_DOUBLE", 8),
    }
}

fn columns_of(one: &Relation<'_>) -> Vec<Row> {
    let maybe = |number: Option<u32>| number.map_or(Value::Null, Value::integer);
    (1_u32..)
        .zip(one.columns)
        .map(|(place, column)| {
            let data = data_type(column.column_type);
            let (digits, is_text) = (column.digits, data.chars > 0);
            vec![
                ("OWNER", text(one.owner)),
                ("TABLE_NAME", text(&one.name)),
                ("COLUMN_NAME", text(&column.name)),
                ("DATA_TYPE", text(data.name)),
                ("DATA_LENGTH", number(data.length)),
                ("DATA_PRECISION", maybe(digits.map(|one| one.precision).or(data.precision))),
                ("DATA_SCALE", digits.map_or(maybe(data.scale), |one| number(one.scale))),
                ("NULLABLE", text(if column.nullable { "Y" } else { "N" })),
                ("COLUMN_ID", number(place)),
                ("CHARACTER_SET_NAME", text(if is_text { "CHAR_CS" } else { "" })),
                ("CHAR_COL_DECL_LENGTH", maybe(is_text.then_some(data.chars))),
                ("CHAR_LENGTH", number(data.chars)),
                ("CHAR_USED", text(if is_text { "B" } else { "" })),
                ("GLOBAL_STATS", text("NO")),
                ("USER_STATS", text("NO")),
                ("V80_FMT_IMAGE", text("NO")),
                ("DATA_UPGRADED", text("YES")),
                ("HIDDEN_COLUMN", text("NO")),
                ("VIRTUAL_COLUMN", text("NO")),
                ("SEGMENT_COLUMN_ID", number(place)),
                ("INTERNAL_COLUMN_ID", number(place)),
                ("HISTOGRAM", text("NONE")),
                ("QUALIFIED_COL_NAME", text(&column.name)),
                ("USER_GENERATED", text("YES")),
                ("DEFAULT_ON_NULL", text("NO")),
                ("IDENTITY_COLUMN", text("NO")),
                ("SENSITIVE_COLUMN", text("NO")),
                ("COLLATION", text(if is_text { "USING_NLS_COMP" } else { "" })),
            ]
        })
        .collect()
}

fn table_comment(one: &Relation<'_>) -> Row {
    vec![
        ("OWNER", text(one.owner)),
        ("TABLE_NAME", text(&one.name)),
        ("TABLE_TYPE", text(one.kind())),
    ]
}

fn column_comments(one: &Relation<'_>) -> Vec<Row> {
    let all = one.columns.iter();
    all.map(|column| {
        vec![
            ("OWNER", text(one.owner)),
            ("TABLE_NAME", text(&one.name)),
            ("COLUMN_NAME", text(&column.name)),
        ]
    })
    .collect()
}

fn synonyms(view: &View<'_>, reach: Reach) -> Vec<Row> {
    let mut rows = Vec::new();
    for name in tables(view.release()).keys() {
        let object = object_name(name);
        let usable =
            reach == Reach::Every || reach == Reach::Usable && reaches(view, reach, "SYS", &object);
        if usable && name != "DBMS_LOCK_ALLOCATED" {
            rows.push(vec![
                ("OWNER", text("PUBLIC")),
                ("SYNONYM_NAME", text(name)),
                ("TABLE_OWNER", text("SYS")),
                ("TABLE_NAME", Value::Text(object)),
                ("ORIGIN_CON_ID", text("1")),
            ]);
        }
    }
    rows
}

fn object(owner: &str, name: &str, id: u32, kind: &str, created: i64) -> Row {
    let stamp = chrono::DateTime::from_timestamp(created / SECOND, 0).unwrap_or_default();
    vec![
        ("OWNER", text(owner)),
        ("OBJECT_NAME", text(name)),
        ("OBJECT_ID", number(id)),
        ("DATA_OBJECT_ID", if kind == "TABLE" { number(id) } else { Value::Null }),
        ("OBJECT_TYPE", text(kind)),
        ("CREATED", date(created)),
        ("LAST_DDL_TIME", date(created)),
        ("TIMESTAMP", Value::Text(stamp.format("%Y-%m-%d:%H:%M:%S").to_string())),
        ("STATUS", text("VALID")),
        ("TEMPORARY", text("N")),
        ("GENERATED", text("N")),
        ("SECONDARY", text("N")),
        ("NAMESPACE", number(1)),
        ("SHARING", text(if owner == "SYS" { "METADATA LINK" } else { "NONE" })),
        ("ORACLE_MAINTAINED", text(if owner == "SYS" { "Y" } else { "N" })),
        ("APPLICATION", text("N")),
        ("DEFAULT_COLLATION", text("USING_NLS_COMP")),
        ("DUPLICATED", text("N")),
        ("SHARDED", text("N")),
    ]
}

/// OBJECT_ID of DUAL, as in many a database.
const DUAL: u32 = 142;

fn objects(view: &View<'_>, reach: Reach) -> Vec<Row> {
    let created = (view.cluster.spec().start_seconds - 400 * 86_400) * SECOND;
    let mut rows = Vec::new();
    // Every view has its number, whoever looks.
    for (place, name) in (4_000_u32..).zip(tables(view.release()).keys()) {
        let object_name = object_name(name);
        if !reaches(view, reach, "SYS", &object_name) {
            continue;
        }
        let (id, kind) = match name.as_str() {
            "DUAL" => (DUAL, "TABLE"),
            "DBMS_LOCK_ALLOCATED" => (place, "TABLE"),
            _ => (place, "VIEW"),
        };
        rows.push(object("SYS", &object_name, id, kind, created));
        if reach != Reach::Own && name != "DBMS_LOCK_ALLOCATED" {
            rows.push(object("PUBLIC", name, place + 2_000, "SYNONYM", created));
        }
    }
    let executes = |owner: &str, name: &str| match reach {
        Reach::Every => true,
        Reach::Usable => view.viewer.rights.executes(owner, name),
        Reach::Own => view.viewer.user == owner,
    };
    for (name, id) in PACKAGES {
        if executes("SYS", name) {
            rows.push(object("SYS", name, id, "PACKAGE", created));
        }
    }
    // Tables of the model's clients, and those of the scenario, which are among them.
    for (name, id) in view.cluster.tables() {
        let (owner, name) = name.split_once('.').unwrap_or(("APP", name));
        let shown = match reach {
            Reach::Every => true,
            Reach::Usable => view.viewer.rights.table(owner, name, "SELECT") != Access::Invisible,
            Reach::Own => view.viewer.user == owner,
        };
        if shown {
            rows.push(object(owner, name, id, "TABLE", created));
        }
    }
    for (place, name) in (9_000_u32..).zip(view.books.procedures.keys()) {
        let (owner, name) = name.split_once('.').unwrap_or(("SYS", name));
        if executes(owner, name) {
            rows.push(object(owner, name, place, "PROCEDURE", created));
        }
    }
    rows
}
