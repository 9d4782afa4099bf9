//! Cuts delimited text into records: finds the header, the delimiter, and skips what a spool file holds besides rows.
//!
//! `csv-core` is the automaton; buffers are bounded here. Which cell means what is the table's business.

use std::io::{BufRead as _, BufReader, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::cells::Cells;
use super::header::{COLUMNS_MAX, ColumnMap, Layout, Target, clean, is_known, names_key};
use super::table::Table;
use super::{CaptureError, RECORD_MAX};

/// The header is looked for in so many bytes from the start: a login banner and the statement stand before it.
pub(super) const HEADER_WITHIN: usize = 256 << 10;

/// And in so many lines.
const HEADER_LINES_MAX: usize = 1_000;

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// Delimiters, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads everything behind the header, which is in `head`, the beginning of `source`.
pub(super) fn read(
    head: &[u8],
    source: impl Read,
    table: &mut Table<'_>,
) -> Result<(), CaptureError> {
    let Start { mut header, delimiter, end, next_line } = Start::find(head, table.column_map())?;
    table.use_layout(&header.layout);
    let mut records = Records::new(source, delimiter, end, next_line)?;
    let mut numbered = Numbered { target: header.layout.row_number, ..Numbered::default() };
    while let Some(record) = records.next()? {
        let Record { line, text, ends, fault, open } = record;
        if let Some(cell) = open {
            let name = header.names.get(cell).map(String::as_str);
            let fault = "the quote is not closed before the end of the file".to_owned();
            table.problem(line, Some((name, Some(cell + 1))), fault);
            continue;
        }
        if let Some(fault) = fault {
            table.problem(line, None, fault);
            continue;
        }
        let cells = Cells { text, ends, null_words: true };
        let width = ends.len();
        if !header.starts_row(&cells) {
            if is_noise(&cells, header.names.len()) {
                continue;
            }
            if let Some(names) = header.names_in(&cells, table.column_map()) {
                if !header.is_named(&names) {
                    header = Header::of(names, table.column_map())?;
                    table.use_other_layout(line, &header.layout);
                    numbered.target = header.layout.row_number;
                }
                continue;
            }
        }
        // Some tools end every row, but not the header, with a delimiter.
        let due = header.names.len();
        if width != due && !(width == due + 1 && cells.bytes(due).is_empty()) {
            table.problem(line, None, format!("{width} cells where the header has {due}"));
            continue;
        }
        table.row(line, &header.layout, &numbered.add(cells, due))?;
    }
    Ok(())
}

/// Puts the number of the row behind the cells of a record, where the mapping asks for it.
#[derive(Default)]
struct Numbered {
    target: Option<Target>,
    rows: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Numbered {
    fn add<'a>(&'a mut self, cells: Cells<'a>, due: usize) -> Cells<'a> {
        let Some(target) = self.target else { return cells };
        self.rows += 1;
        self.text.clear();
        self.text.extend_from_slice(cells.all());
        self.ends.clear();
        self.ends.extend_from_slice(&cells.ends[..due]);
        let (number, serial) = (self.rows, if target == Target::SidSerial { ",1" } else { "" });
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        self.text.extend_from_slice(format!("{number}{serial}").as_bytes());
        self.ends.push(self.text.len());
        Cells { text: &self.text, ends: &self.ends, ..cells }
    }
}

/// The header in force, and what its cells fill.
struct Header {
    names: Vec<String>,
    layout: Layout,
    /// The cell that begins with a digit in every row: SID, unless the row's number stands in for it.
    key: Option<usize>,
}

impl Header {
    fn of(names: Vec<String>, map: &ColumnMap) -> Result<Self, CaptureError> {
        let layout = Layout::of(names.iter().map(String::as_str), map)?;
        let key = layout.slot(Target::Sid).or_else(|| layout.slot(Target::SidSerial));
        let key = key.map(|slot| slot.cell).filter(|cell| *cell < names.len());
        Ok(Self { names, layout, key })
    }

    /// True for what can only be a row, so that few records have to be looked at closely.
    fn starts_row(&self, cells: &Cells<'_>) -> bool {
        // A count of rows has three cells at most: `1,234,567 rows selected.`
        let key = self.key.filter(|key| *key < cells.ends.len() && cells.ends.len() > 3);
        key.is_some_and(|key| cells.bytes(key).trim_ascii().first().is_some_and(u8::is_ascii_digit))
    }

    /// The names, where the record is a header: it names the key, as the first header does.
    fn names_in(&self, cells: &Cells<'_>, map: &ColumnMap) -> Option<Vec<String>> {
        let name = |cell| clean(&String::from_utf8_lossy(cells.bytes(cell))).to_owned();
        let names: Vec<String> = (0..cells.ends.len()).map(name).collect();
        // What a client writes into its module must not make a header of its row, whose other cells are no names.
        let is_name =
            |name: &&String| name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
        let filled = || names.iter().filter(|name| !name.is_empty());
        let known = filled().filter(|name| is_known(name, map)).count();
        if !filled().all(|name| is_name(&name)) || known * 2 < filled().count() {
            return None;
        }
        let is_header = match map.row_number() {
            // Without a key to name, a header names nothing but columns, or begins as the last one does.
            Some(Target::SidSerial) => {
                let is_first = self.names.first().is_some_and(|first| !first.is_empty());
                is_first && self.names.first().zip(names.first()).is_some_and(|(a, b)| same(a, b))
                    || names.iter().all(|name| is_known(name, map))
            }
            _ => names_key(names.iter().map(String::as_str), map),
        };
        is_header.then_some(names)
    }

    fn is_named(&self, names: &[String]) -> bool {
        self.names.len() == names.len() && self.names.iter().zip(names).all(|(a, b)| same(a, b))
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The first header, and where it stands.
struct Start {
    header: Header,
    delimiter: u8,
    /// Where the first record starts in the source.
    end: usize,
    /// The line after the header.
    next_line: u64,
}

impl Start {
    fn find(head: &[u8], map: &ColumnMap) -> Result<Self, CaptureError> {
        let mut end = 0;
        let mut lines = 0;
        for line in head.split_inclusive(|byte| *byte == b'\n').take(HEADER_LINES_MAX) {
            end += line.len();
            lines += 1;
            if is_statement(&String::from_utf8_lossy(line)) {
                continue;
            }
            for delimiter in DELIMITERS {
                let names = cut(line, delimiter);
                let is_blank = names.iter().all(String::is_empty);
                if !is_blank && names_key(names.iter().map(String::as_str), map) {
                    let header = Header::of(names, map)?;
                    return Ok(Self { header, delimiter, end, next_line: lines as u64 + 1 });
                }
            }
        }
        Err(CaptureError::NoHeader { lines })
    }
}

/// The names in one line, cut as rows are: a quoted name may hold the delimiter (`"NVL(USERNAME,'X')"`).
fn cut(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let (mut text, mut ends) = (vec![0; line.len() + 1], vec![0; line.len() + 2]);
    let (result, _, mut written, mut ended) = reader.read_record(line, &mut text, &mut ends);
    if matches!(result, ReadRecordResult::InputEmpty) {
        // The last line of a file may lack its end.
        let (text, ends) = (&mut text[written..], &mut ends[ended..]);
        let (_, _, more_written, more_ended) = reader.read_record(&[], text, ends);
        written += more_written;
        ended += more_ended;
    }
    let cells = Cells { text: &text[..written], ends: &ends[..ended], null_words: false };
    (0..ended).map(|cell| clean(&String::from_utf8_lossy(cells.bytes(cell))).to_owned()).collect()
}

/// A line of a spooled SELECT can look like a header: `  2  sid, serial#, username`.
fn is_statement(line: &str) -> bool {
    let line = line.trim_start().as_bytes();
    let starts =
        |word: &[u8]| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    starts(b"SQL>") || starts(b"SELECT ") || line.first().is_some_and(u8::is_ascii_digit)
}

/// What SQL*Plus and SQLcl print by themselves, as whole lines.
const MESSAGES: [&[u8]; 10] = [
    b"Call completed.",
    b"Commit complete.",
    b"Connected to:",
    b"Connected.",
    b"Disconnected.",
    b"PL/SQL procedure successfully completed.",
    b"Rollback complete.",
    b"Session altered.",
    b"Statement processed.",
    b"System altered.",
];

/// And lines of which only the beginning is always the same.
const MESSAGE_STARTS: [&[u8]; 9] = [
    b"Disconnected from Oracle ",
    b"Elapsed: ",
    b"Input truncated to ",
    b"Last Successful login time: ",
    b"Oracle Database ",
    b"SQL*Plus: Release ",
    b"SQL>",
    b"SQLcl: Release ",
    b"Version ",
];

/// Lines that hold commas: beginning and end.
const MESSAGE_FRAMES: [(&[u8], &[u8]); 2] =
    [(b"Copyright (c) ", b"All rights reserved."), (b"With the ", b" options")];

/// What a tool prints between rows. It is a line of one cell, or exactly known: the beginning of a row that is cut or
/// has too many cells is written by clients, and must not decide whether the row is reported.
fn is_noise(cells: &Cells<'_>, due: usize) -> bool {
    let all = cells.all().trim_ascii();
    let is_dashes = |cell: &[u8]| !cell.is_empty() && cell.iter().all(|byte| *byte == b'-');
    if cells.ends.len() == 1 {
        return all.split(u8::is_ascii_whitespace).all(|word| word.is_empty() || is_dashes(word))
            || is_count(all)
            || MESSAGES.contains(&all)
            || MESSAGE_STARTS.iter().any(|start| all.starts_with(start));
    }
    let is_framed = |(start, end): &(&[u8], &[u8])| all.starts_with(start) && all.ends_with(end);
    let is_rule =
        cells.ends.len() == due && (0..due).all(|cell| is_dashes(cells.bytes(cell).trim_ascii()));
    is_rule || is_count(all) || MESSAGE_FRAMES.iter().any(is_framed)
}

/// `12 rows selected.`, `no rows selected`.
fn is_count(text: &[u8]) -> bool {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let Some(text) = text.strip_suffix(b" selected") else { return false };
    let Some(count) = text.strip_suffix(b" rows").or_else(|| text.strip_suffix(b" row")) else {
        return false;
    };
    count == b"no" || count.iter().all(u8::is_ascii_digit)
}

/// One record, valid until the next is asked for.
struct Record<'a> {
    line: u64,
    text: &'a [u8],
    ends: &'a [usize],
    /// Why it has no cells.
    fault: Option<String>,
    /// The cell, from 0, whose quote is still open where the file ends.
    open: Option<usize>,
}

struct Records<R> {
    source: BufReader<R>,
    reader: Reader,
    line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// True once the automaton has seen the end of the last line.
    is_at_end: bool,
}

impl<R: Read> Records<R> {
    /// Reads what stands behind byte `end` of the source, which is the start of `line`.
    fn new(source: R, delimiter: u8, end: usize, line: u64) -> Result<Self, CaptureError> {
        let mut source = BufReader::with_capacity(BLOCK, source);
        std::io::copy(&mut source.by_ref().take(end as u64), &mut std::io::sink())?;
        Ok(Self {
            source,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            line,
            text: vec![0; BLOCK],
            ends: vec![0; COLUMNS_MAX + 1],
            is_at_end: false,
        })
    }

    /// The next record; what is longer than the bounds is passed over and named.
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        self.skip_blank_lines()?;
        let line = self.line;
        let (mut text_len, mut ends_len) = (0, 0);
        let mut fault = None;
        let mut open = None;
        loop {
            let block = self.source.fill_buf()?;
            // The automaton ends a record where the file ends, whatever state it is in, and does not tell which. A line
            // feed behind the file tells: it is text where a quote is open.
            let is_probe = block.is_empty() && !self.is_at_end;
            let input = if is_probe { b"\n" } else { block };
            let (text, ends) = (&mut self.text[text_len..], &mut self.ends[ends_len..]);
            let (result, read, written, ended) = self.reader.read_record(input, text, ends);
            self.line += newlines(&input[..read]);
            if is_probe {
                self.is_at_end = read == 1;
                open = (written == 1).then_some(ends_len);
            } else {
                self.source.consume(read);
            }
            text_len += written;
            ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if fault.is_none() && self.text.len() < RECORD_MAX => {
                    let len = (self.text.len() * 2).min(RECORD_MAX);
                    self.text.resize(len, 0);
                }
                ReadRecordResult::OutputFull => {
                    text_len = 0;
                    fault.get_or_insert_with(|| {
                        format!("the record is longer than {} MiB", RECORD_MAX >> 20)
                    });
                }
                ReadRecordResult::OutputEndsFull => {
                    ends_len = 0;
                    fault.get_or_insert_with(|| {
                        format!("the record has more than {COLUMNS_MAX} cells")
                    });
                }
                ReadRecordResult::Record => {
                    let (text, ends) = (&self.text[..text_len], &self.ends[..ends_len]);
                    return Ok(Some(Record { line, text, ends, fault, open }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn skip_blank_lines(&mut self) -> Result<(), CaptureError> {
        loop {
            let input = self.source.fill_buf()?;
            let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank == 0 {
                return Ok(());
            }
            self.line += newlines(&input[..blank]);
            self.source.consume(blank);
        }
    }
}

#[expect(
    clippy::naive_bytecount,
    reason = "not worth a dependency: the compiler makes vectors of it"
)]
fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
