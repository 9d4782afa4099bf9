//! The columns of every table, per release, read once from `tables.txt` and `schema.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::catalog::Column;
use crate::conversation::Release;
use crate::value::ColumnType;

/// Every release played, in the order of their age.
pub(crate) const RELEASES: [Release; 5] =
    [Release::R11_2, Release::R12_1, Release::R12_2, Release::R19, Release::R23];

/// What one of our tables shows of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A V$ view: this instance.
    Local,
    /// A GV$ view: every instance, with INST_ID in front.
    Global,
    /// A dictionary view: the database, seen from this container.
    Dictionary,
    /// The CDB_ form of a DBA_ view, with CON_ID behind.
    Containers,
}

/// A table of one release.
#[derive(Debug)]
pub(crate) struct Table {
    /// The name that `tables.txt` has: V$SESSION also for GV$SESSION.
    pub(crate) base: String,
    /// Which form of the base.
    pub(crate) form: Form,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
}

/// The tables of one release by the name that statements use: V$SESSION, GV$SESSION, CDB_USERS.
pub(crate) type Tables = BTreeMap<String, Table>;

/// The tables of a release.
pub(crate) fn tables(release: Release) -> &'static Tables {
    static ALL: LazyLock<Vec<Tables>> = LazyLock::new(|| {
        let text = concat!(include_str!("tables.txt"), "\n", include_str!("schema.txt"));
        RELEASES.into_iter().map(|release| read(text, release)).collect()
    });
    let place = RELEASES.iter().position(|known| *known == release);
    &ALL[place.expect("RELEASES holds every release")]
}

/// Reads the definitions as one release has them.
fn read(text: &str, release: Release) -> Tables {
    let mut tables = Tables::new();
    let mut current: Option<(String, Vec<Column>)> = None;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(columns) = line.strip_prefix("  ") {
            if let Some((_, known)) = &mut current {
                known.extend(columns.split(' ').filter_map(|column| read_column(column, release)));
            }
            continue;
        }
        add(&mut tables, current.take(), release);
        if let Some((name, pattern)) = line.split_once(" = ") {
            current = like(&tables, name, pattern);
            continue;
        }
        let (name, since) = line.split_once(" @").unwrap_or((line, "11.2"));
        if release >= release_named(since) {
            current = Some((name.to_owned(), Vec::new()));
        }
    }
    add(&mut tables, current, release);
    tables
}

/// A table with the columns of another; `None` when the release does not have that one.
fn like(tables: &Tables, name: &str, pattern: &str) -> Option<(String, Vec<Column>)> {
    let (pattern, without) = pattern.split_once(" - ").unwrap_or((pattern, ""));
    let without: Vec<&str> = without.split(',').collect();
    let columns = &tables.get(pattern)?.columns;
    let kept = columns.iter().filter(|column| !without.contains(&column.name.as_str()));
    Some((name.to_owned(), kept.cloned().collect()))
}

/// Views over all instances that have no GV$ form.
const WITHOUT_GLOBAL: [&str; 1] = ["V$WAIT_CHAINS"];

/// Adds a table in each of its forms.
fn add(tables: &mut Tables, table: Option<(String, Vec<Column>)>, release: Release) {
    let Some((base, columns)) = table else { return };
    let extra = |name: &str| Column {
        name: name.to_owned(),
        column_type: ColumnType::Number,
        digits: None,
        nullable: true,
    };
    let mut form = Form::Dictionary;
    if base.starts_with("V$") {
        form = Form::Local;
    }
    if form == Form::Local && !WITHOUT_GLOBAL.contains(&base.as_str()) {
        // V$DIAG_INFO has INST_ID already.
        let own = columns.iter().filter(|column| column.name != "INST_ID").cloned();
        let global = std::iter::once(extra("INST_ID")).chain(own).collect();
        tables.insert(
            format!("G{base}"),
            Table { base: base.clone(), form: Form::Global, columns: global },
        );
    } else if let Some(rest) = base.strip_prefix("DBA_")
        && release >= Release::R12_1
    {
        let mut wide = columns.clone();
        if wide.iter().all(|column| column.name != "CON_ID") {
            wide.push(extra("CON_ID"));
        }
        tables.insert(
            format!("CDB_{rest}"),
            Table { base: base.clone(), form: Form::Containers, columns: wide },
        );
    }
    tables.insert(base.clone(), Table { base, form, columns });
}

/// `NAME:TYPE` or `NAME:TYPE@RELEASE`; `None` when the release does not have it yet.
fn read_column(text: &str, release: Release) -> Option<Column> {
    let (rest, since) = text.split_once('@').unwrap_or((text, "11.2"));
    if release < release_named(since) {
        return None;
    }
    let (name, code) = rest.split_once(':').expect("tables.txt has NAME:TYPE everywhere");
    let column_type = column_type(code, release);
    Some(Column { name: name.to_owned(), column_type, digits: None, nullable: true })
}

/// A type's short form.
fn column_type(code: &str, release: Release) -> ColumnType {
    let sized = |rest: &str| rest.parse::<u32>().expect("tables.txt has sizes in digits");
    match code {
        "n" => ColumnType::Number,
        "d" => ColumnType::Date,
        "t" => ColumnType::Timestamp,
        "tz" => ColumnType::TimestampTz,
        "ids" => ColumnType::IntervalDs,
        "l" => ColumnType::Long,
        "v128" if release < Release::R12_2 => ColumnType::Varchar2(30),
        _ => match code.split_at(1) {
            ("v", size) => ColumnType::Varchar2(sized(size)),
            ("c", size) => ColumnType::Char(sized(size)),
            ("r", size) => ColumnType::Raw(sized(size)),
            _ => unreachable!("tables.txt knows no type {code}"),
        },
    }
}

/// A release as `tables.txt` writes it.
fn release_named(name: &str) -> Release {
    match name {
        "11.2" => Release::R11_2,
        "12.1" => Release::R12_1,
        "12.2" => Release::R12_2,
        "19" => Release::R19,
        "23" => Release::R23,
        _ => unreachable!("tables.txt knows no release {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_the_columns_of_each_release() {
        for (release, count, last) in [
            (Release::R11_2, 97, "ECID"),
            (Release::R12_1, 101, "EXTERNAL_NAME"),
            (Release::R12_2, 103, "PLSQL_DEBUGGER_CONNECTED"),
            (Release::R19, 103, "PLSQL_DEBUGGER_CONNECTED"),
            (Release::R23, 106, "DRAIN_ORIGIN"),
        ] {
            let table = &tables(release)["V$SESSION"];
            assert_eq!(table.columns.len(), count, "{release:?}");
            assert_eq!(table.columns.last().map(|column| column.name.as_str()), Some(last));
        }
    }

    #[test]
    fn names_are_short_before_12_2_and_containers_begin_with_12_1() {
        let username = |release| tables(release)["V$SESSION"].columns[6].column_type;
        assert_eq!(username(Release::R12_1), ColumnType::Varchar2(30));
        assert_eq!(username(Release::R12_2), ColumnType::Varchar2(128));
        assert!(!tables(Release::R11_2).contains_key("CDB_USERS"));
        assert!(!tables(Release::R11_2).contains_key("V$PDBS"));
        assert!(tables(Release::R12_1).contains_key("CDB_USERS"));
    }

    #[test]
    fn global_views_begin_with_the_instance() {
        let table = &tables(Release::R19)["GV$SESSION"];
        assert_eq!((table.columns[0].name.as_str(), table.columns.len()), ("INST_ID", 104));
        assert_eq!((table.base.as_str(), table.form), ("V$SESSION", Form::Global));
    }
}
