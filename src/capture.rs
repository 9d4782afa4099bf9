//! Captures: snapshots of sessions in files, as Oracle's tools export them and as orawarden writes them.
//!
//! CSV of SQL*Plus, SQLcl, SQL Developer and Toad, and JSON Lines of orawarden's own; the format is seen in the
//! text, never asked for. A row that cannot be read is reported and left out, the others are read: what to do about
//! reported rows is the caller's decision. Nothing is decided about sessions here, and the only times known are those
//! in the capture.
//!
//! The way of a byte: `unpack` unpacks and decodes, `csv` or `json` cuts records, `header` says which cell fills what,
//! `table` reads the cells (`cell`, `date`) into snapshots. [`write_csv`] and [`write_jsonl`] are the way back.

mod cell;
mod cells;
mod csv;
mod date;
mod header;
mod json;
pub mod source;
mod unpack;
mod table;
mod write;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use date::{CustomFormat, DateFormat, DateFormatError};
pub use header::{ColumnMap, ColumnMapError};
pub use unpack::SOURCE_MAX;
pub use write::{write_csv, write_jsonl};

use crate::engine::session::Snapshot;
use crate::engine::time::Timestamp;
use table::Table;

/// Problems kept in detail; a file with more of them is wrong as a whole, and people read the first few.
pub const PROBLEMS_MAX: usize = 1_000;

/// Longest record: SQL_FULLTEXT is a CLOB, and statements of some MiB are real.
pub const RECORD_MAX: usize = 16 << 20;

/// How a capture is to be read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The database that the snapshots are of.
    pub database: String,
    /// When the snapshot was taken; then everything in the file is one snapshot.
    pub at: Option<Timestamp>,
    /// Zone of times that do not name one; UTC by default.
    pub timezone: chrono_tz::Tz,
    /// What foreign headers stand for.
    pub columns: ColumnMap,
    /// How dates are written that could be read in two ways.
    pub date_format: Option<DateFormat>,
}

/// What a file held.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    /// In the order of their times; rows keep the order of the file.
    pub snapshots: Vec<Snapshot>,
    /// The rows that were left out: the first [`PROBLEMS_MAX`] of them.
    pub problems: Vec<RowProblem>,
    /// How many more rows were left out.
    pub further_problems: u64,
    /// What does not keep the rows from being used, a sentence each.
    pub warnings: Vec<String>,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Line of the file that the record starts on, from 1.
    pub line: u64,
    /// The header's name of the column, where one cell is to blame.
    pub column: Option<String>,
    /// The column's number, from 1; JSON has none.
    pub column_number: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// `line 7, column 3 (LOGON_TIME): ...`
impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, column_number, message } = self;
        write!(f, "line {line}")?;
        match (column, column_number) {
            (Some(name), Some(number)) => write!(f, ", column {number} ({name})")?,
            (Some(name), None) => write!(f, ", {name}")?,
            (None, Some(number)) => write!(f, ", column {number}")?,
            (None, None) => {}
        }
        write!(f, ": {message}")
    }
}

/// Why nothing can be had from a capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("the capture cannot be opened")]
    Open(#[source] io::Error),
    /// Reading or unpacking failed on the way.
    #[error("the capture cannot be read")]
    Read(#[from] io::Error),
    /// Not one character.
    #[error("the capture is empty")]
    Empty,
    /// No line names SID and SERIAL#.
    #[error(
        "no header with SID and SERIAL# in the first {lines} lines; `--columns` maps other names"
    )]
    NoHeader {
        /// How far was looked.
        lines: usize,
    },
    /// A column stands twice in the header.
    #[error("the column {name} stands twice in the header: columns {first} and {second}")]
    DuplicateColumn {
        /// The header's name.
        name: String,
        /// Number of the first, from 1.
        first: usize,
        /// Number of the second.
        second: usize,
    },
    /// A header and no rows.
    #[error("the capture has a header and no sessions")]
    NoSessions,
    /// Nothing in the file says which number is the day, or the year.
    #[error(
        "{column} of line {line}: `{text}` may be {readings}, and nothing in the capture settles it; \
             `--date-format` with one of them does"
    )]
    AmbiguousDates {
        /// The header's name of the column.
        column: String,
        /// Where the first such value stands.
        line: u64,
        /// The value.
        text: String,
        /// `dmy or ymd`.
        readings: String,
    },
    /// The values rule out every order of day, month and year.
    #[error(
        "{column} of line {line}: `{text}` can only be read as {needs}, which the values up to line {other_line} \
             rule out; `--date-format` settles it"
    )]
    ContradictoryDates {
        /// The header's name of the column.
        column: String,
        /// Where the later value stands.
        line: u64,
        /// The later value.
        text: String,
        /// `dmy`, `mdy or ymd`.
        needs: String,
        /// Where an order was ruled out last.
        other_line: u64,
    },
    /// Two spellings of TAKEN_AT turned out to be one time.
    #[error("the snapshot time {at} is written in two ways; `--date-format` settles it")]
    MixedSnapshotTimes {
        /// The time.
        at: Timestamp,
    },
    /// A bound that keeps memory in check.
    #[error("the capture has more than {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        max: usize,
    },
}

/// Reads a file, or standard input for `-`. What is in it is seen by its content, not by its name.
pub fn read_file(path: &Path, options: &ReadOptions) -> Result<Capture, CaptureError> {
    if path == Path::new("-") {
        return read(io::stdin().lock(), options);
    }
    read(File::open(path).map_err(CaptureError::Open)?, options)
}

/// Reads a capture from anywhere.
pub fn read(source: impl Read, options: &ReadOptions) -> Result<Capture, CaptureError> {
    let source = unpack::open(source)?;
    let (head, source) = unpack::peek(source, csv::HEADER_WITHIN)?;
    let mut table = Table::new(options);
    match head.trim_ascii_start().first() {
        None if head.len() < csv::HEADER_WITHIN => return Err(CaptureError::Empty),
        Some(b'{') => json::read(source, &mut table)?,
        _ => csv::read(&head, source, &mut table)?,
    }
    table.finish()
}
