//! Reads every capture in `tests/captures` and compares with the `.expected` file beside it.
//!
//! Options stand in a `.options` file beside the capture, one `name=value` a line: `at`, `timezone`, `columns`,
//! `date-format`. `UPDATE_EXPECT=1` rewrites the expected files.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use orawarden::capture::{self, Capture, CaptureError, ReadOptions};
use orawarden::engine::session::{Column, Session, Snapshot, TimeBasis};
use orawarden::engine::time::Timestamp;

#[test]
fn captures_are_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is part of the repository")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| !path.extension().is_some_and(|end| end == "expected" || end == "options"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let wrong: Vec<String> = paths.iter().filter_map(|path| check(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The difference, if there is one.
fn check(path: &Path) -> Option<String> {
    let found = render(capture::read_file(path, &options(path)));
    let expected_path = beside(path, "expected");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(expected_path, found).expect("the folder can be written");
        return None;
    }
    let expected = fs::read_to_string(expected_path).unwrap_or_default();
    (found != expected).then(|| format!("{}: expected\n{expected}\nfound\n{found}", path.display()))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

fn options(path: &Path) -> ReadOptions {
    let mut options = ReadOptions { database: "test".to_owned(), ..ReadOptions::default() };
    let text = fs::read_to_string(beside(path, "options")).unwrap_or_default();
    for line in text.lines() {
        let (name, value) = line.split_once('=').expect("options are name=value");
        match name {
            "at" => {
                let at = chrono::DateTime::parse_from_rfc3339(value).expect("at is RFC 3339");
                options.at = Some(Timestamp::from(at.to_utc()));
            }
            "timezone" => options.timezone = value.parse().expect("timezone is an IANA name"),
            "columns" => options.columns = value.parse().expect("columns is a mapping"),
            "date-format" => options.date_format = Some(value.parse().expect("a date format")),
            _ => panic!("unknown option {name}"),
        }
    }
    options
}

fn render(result: Result<Capture, CaptureError>) -> String {
    let Capture { snapshots, problems, further_problems, warnings } = match result {
        Ok(capture) => capture,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut text = String::new();
    for snapshot in &snapshots {
        render_snapshot(&mut text, snapshot);
    }
    for problem in problems.iter().take(20) {
        line(&mut text, &format!("problem: {problem}"));
    }
    let more = problems.len().saturating_sub(20);
    if more > 0 || further_problems > 0 {
        line(&mut text, &format!("problems not shown: {more}, not kept: {further_problems}"));
    }
    for warning in warnings {
        line(&mut text, &format!("warning: {warning}"));
    }
    text
}

fn render_snapshot(text: &mut String, snapshot: &Snapshot) {
    let bound = match snapshot.time_basis {
        TimeBasis::Told => "",
        TimeBasis::LowerBound => " (lower bound)",
        TimeBasis::Unknown => " (unknown)",
    };
    line(text, &format!("snapshot of {} at {}{bound}", snapshot.database, snapshot.taken_at));
    let columns: Vec<Column> = Column::all().filter(|c| snapshot.sessions.has(*c)).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    line(text, format!("  columns: {}", names.join(" ")).trim_end());
    for session in snapshot.sessions.iter() {
        let cells: Vec<String> =
            columns.iter().filter_map(|column| render_cell(session, *column)).collect();
        line(text, format!("  {} {}", session.key(), cells.join(" ")).trim_end());
    }
}

fn render_cell(session: Session<'_>, column: Column) -> Option<String> {
    let name = column.name();
    match column {
        Column::Text(column) => session.text(column).map(|text| format!("{name}={text:?}")),
        Column::Number(column) if column.is_time() => {
            session.time(column).map(|time| format!("{name}={time}"))
        }
        Column::Number(column) => session.number(column).map(|number| format!("{name}={number}")),
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}
