//! Sessions of policy tests: a map of Oracle's columns, in lower case.

use super::diagnostic::{Code, Sink};
use super::durations::{decimal, span_of};
use super::shape::{entries, unknown_key};
use super::tests_file::{TestKey, TestSession};
use super::values::{count_as, flag, text, time};
use super::yaml::{Node, ScalarKind, excerpt};
use crate::engine::command::command_name;
use crate::engine::session::{Column, NumberColumn, TextColumn};
use crate::engine::time::{MICROS_PER_SECOND, Span, Timestamp};

/// The keys of a session besides the columns; the schema prints them too.
pub(super) const KEY_COLUMNS: [(&str, &str); 3] =
    [("sid", "SID"), ("inst_id", "instance; 1 if left out"), ("serial", "SERIAL#; 1 if left out")];

/// What a session says of itself where the test is silent: an ordinary pooled session, with a value in every column of
/// text that a real one practically always has. Times and waits follow the clock and the session's status.
pub const DEFAULT_TEXTS: [(TextColumn, &str); 17] = [
    (TextColumn::Username, "APP"),
    (TextColumn::Osuser, "app"),
    (TextColumn::Machine, "apphost"),
    (TextColumn::Program, "JDBC Thin Client"),
    (TextColumn::Module, "JDBC Thin Client"),
    (TextColumn::ServiceName, "app"),
    (TextColumn::Schemaname, "APP"),
    (TextColumn::Terminal, "unknown"),
    (TextColumn::Process, "1234"),
    (TextColumn::Server, "DEDICATED"),
    (TextColumn::Status, "INACTIVE"),
    (TextColumn::Type, "USER"),
    (TextColumn::ResourceConsumerGroup, "OTHER_GROUPS"),
    (TextColumn::OracleMaintained, "N"),
    (TextColumn::BlockingSessionStatus, "NO HOLDER"),
    (TextColumn::Event, "SQL*Net message from client"),
    (TextColumn::FailoverType, "NONE"),
];

/// One written column of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text; `None` is NULL.
    Text(TextColumn, Option<String>),
    /// A number in stored units, or a time in microseconds; `None` is NULL.
    Number(NumberColumn, Option<i64>),
}

/// How a column is written in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    Text,
    /// A number, stored times its scale.
    Number(i64),
    /// A length of time; a stored unit is so many microseconds.
    Span(i64),
    /// RFC 3339, or a span before `at`: `-2h`.
    Time,
}

/// How a column is written.
pub(super) const fn kind_of(column: Column) -> CellKind {
    match column {
        Column::Text(_) => CellKind::Text,
        Column::Number(NumberColumn::LastCallEt | NumberColumn::SecondsInWait) => {
            CellKind::Span(MICROS_PER_SECOND)
        }
        Column::Number(NumberColumn::WaitTimeMicro) => CellKind::Span(1),
        Column::Number(number) if number.is_time() => CellKind::Time,
        Column::Number(number) => CellKind::Number(number.scale()),
    }
}

/// Reads a session. `at` is what times such as `-2h` are relative to.
pub(super) fn session(node: &Node, at: Option<Timestamp>, sink: &mut Sink) -> Option<TestSession> {
    let found = entries(node, "session", sink)?;
    let mut key = TestKey { sid: 0, inst_id: 1, serial: None };
    let mut cells = Vec::new();
    for (name, key_node, value) in &found {
        match *name {
            "sid" => key.sid = count_as(value, sink).unwrap_or_default(),
            "inst_id" => key.inst_id = count_as(value, sink).unwrap_or_default(),
            "serial" | "serial#" => key.serial = count_as(value, sink),
            other => match Column::named(other) {
                Some(column) => cells.extend(cell(column, value, at, sink)),
                None => unknown_column(other, key_node, sink),
            },
        }
    }
    if !found.iter().any(|(name, ..)| *name == "sid") {
        sink.error(Code::MissingKey, &node.span, "`sid` is missing from this session");
        return None;
    }
    Some(TestSession { key, cells, span: node.span.clone() })
}

fn unknown_column(name: &str, key: &Node, sink: &mut Sink) {
    let columns: Vec<String> = Column::all().map(|column| column.name().to_lowercase()).collect();
    let keys = KEY_COLUMNS.iter().map(|(name, _)| *name);
    unknown_key(name, key, "session", columns.iter().map(String::as_str).chain(keys), sink);
}

fn cell(column: Column, node: &Node, at: Option<Timestamp>, sink: &mut Sink) -> Option<Cell> {
    let null = node.scalar().is_some_and(|scalar| scalar.kind() == ScalarKind::Null);
    match column {
        Column::Text(column) if null => Some(Cell::Text(column, None)),
        Column::Number(column) if null => Some(Cell::Number(column, None)),
        Column::Text(column) => {
            let written = text_cell(node, sink)?;
            let name = written.parse().ok().and_then(command_name).map(ToOwned::to_owned);
            let name = name.filter(|_| column == TextColumn::Command);
            Some(Cell::Text(column, Some(name.unwrap_or(written))))
        }
        Column::Number(number) => {
            let value = match kind_of(column) {
                CellKind::Span(unit) => span_cell(number, node, sink)?.0 / unit,
                CellKind::Time => time_cell(node, at, sink)?.0,
                CellKind::Number(scale) => number_cell(node, scale, sink)?,
                CellKind::Text => return None,
            };
            Some(Cell::Number(number, Some(value)))
        }
    }
}

/// Oracle has no booleans in these views: TRUE is text.
fn text_cell(node: &Node, sink: &mut Sink) -> Option<String> {
    if let Some(ScalarKind::Flag(_)) = node.scalar().map(super::yaml::Scalar::kind) {
        return flag(node, sink).map(|flag| flag.to_string().to_uppercase());
    }
    text(node, "text", sink).map(ToOwned::to_owned)
}

fn span_cell(column: NumberColumn, node: &Node, sink: &mut Sink) -> Option<Span> {
    let written = text(node, "a length of time", sink)?;
    match span_of(written) {
        Ok(span) => Some(span),
        Err(_) if decimal(written, 1_000).is_ok() => {
            let message = format!("`{written}` has no unit");
            let unit = if column == NumberColumn::WaitTimeMicro { "ms" } else { "s" };
            sink.error(Code::MissingUnit, &node.span, message)
                .help(format!("{written}{unit}, or with m, h, d"));
            None
        }
        Err(_) => {
            let message = format!("`{}` is not a length of time", excerpt(written));
            sink.error(Code::BadDuration, &node.span, message)
                .help("a number and a unit: 1790s, 30m, 2h");
            None
        }
    }
}

fn time_cell(node: &Node, at: Option<Timestamp>, sink: &mut Sink) -> Option<Timestamp> {
    let written = text(node, "a moment", sink)?;
    if let Some(Ok(ago)) = written.strip_prefix('-').map(span_of) {
        // Without `at` there is an error already; the epoch keeps the reading going.
        return Some(at.unwrap_or_default().plus(Span(-ago.0)));
    }
    if written.contains('T') {
        return time(node, sink);
    }
    let message = format!("`{}` is not a moment", excerpt(written));
    sink.error(Code::BadTime, &node.span, message)
        .help("2026-03-02T10:00:00Z, or -2h for two hours before this tick");
    None
}

fn number_cell(node: &Node, scale: i64, sink: &mut Sink) -> Option<i64> {
    let written = text(node, "a number", sink)?;
    let value = decimal(written.trim_end_matches('%'), scale).ok();
    if value.is_none() {
        let message = format!("`{}` is not a number that this column holds", excerpt(written));
        sink.error(Code::BadNumber, &node.span, message);
    }
    value
}
