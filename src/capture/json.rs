//! Cuts JSON Lines into records: one object a line, a key a column.
//!
//! A line is a header and a row in one; lines with the same keys share a layout. Values become the same cells that CSV
//! has, and are read by the table.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::header::Layout;
use super::table::{Cells, Table};
use super::{CaptureError, RECORD_MAX};

/// Sets of keys that are remembered; sources have one or two.
const LAYOUTS_MAX: usize = 256;

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// Reads every line.
pub(super) fn read(source: impl Read, table: &mut Table<'_>) -> Result<(), CaptureError> {
    let mut source = BufReader::with_capacity(BLOCK, source);
    let mut layouts = Layouts::default();
    let mut text = Vec::new();
    let mut number = 0;
    let mut cells = Flat::default();
    loop {
        let line = next_line(&mut source, &mut text)?;
        number += 1;
        match line {
            Line::End => return Ok(()),
            Line::TooLong => {
                table.problem(
                    number,
                    None,
                    format!("the line is longer than {} MiB", RECORD_MAX >> 20),
                );
            }
            Line::Read if text.trim_ascii().is_empty() => {}
            Line::Read => match serde_json::from_slice::<Map<String, Value>>(&text) {
                Err(error) => {
                    table.problem(number, None, format!("not a JSON object: {}", what(&error)));
                }
                Ok(object) => match cells.fill(&object) {
                    Err(key) => {
                        table.problem(
                            number,
                            Some((Some(key), None)),
                            "is neither text nor a number".to_owned(),
                        );
                    }
                    Ok(()) => layouts.row(number, &object, &cells, table)?,
                },
            },
        }
    }
}

/// What is wrong, without the parser's own line, which is always 1.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at character {}", error.column()),
        None => text,
    }
}

enum Line {
    Read,
    TooLong,
    End,
}

/// Reads up to the next line feed; of a line beyond the bound nothing is kept.
fn next_line(source: &mut impl BufRead, text: &mut Vec<u8>) -> Result<Line, CaptureError> {
    text.clear();
    let mut is_too_long = false;
    let mut any = false;
    loop {
        let block = source.fill_buf()?;
        if block.is_empty() {
            break;
        }
        any = true;
        let end = block.iter().position(|byte| *byte == b'\n');
        let piece = end.map_or(block, |end| &block[..end]);
        is_too_long |= text.len() + piece.len() > RECORD_MAX;
        if !is_too_long {
            text.extend_from_slice(piece);
        }
        let read = end.map_or(block.len(), |end| end + 1);
        source.consume(read);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, is_too_long) {
        (false, _) => Line::End,
        (true, true) => Line::TooLong,
        (true, false) => Line::Read,
    })
}

/// The values of one object as cells.
#[derive(Default)]
struct Flat {
    text: String,
    ends: Vec<usize>,
}

impl Flat {
    /// Fails with the key whose value is no cell.
    fn fill<'a>(&mut self, object: &'a Map<String, Value>) -> Result<(), &'a str> {
        self.text.clear();
        self.ends.clear();
        for (key, value) in object {
            match value {
                Value::Null => {}
                Value::String(text) => self.text.push_str(text),
                Value::Bool(value) => self.text.push_str(if *value { "TRUE" } else { "FALSE" }),
                Value::Number(number) => {
                    write!(self.text, "{number}").expect("a string takes everything");
                }
                Value::Array(_) | Value::Object(_) => return Err(key),
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }
}

#[derive(Default)]
struct Layouts {
    known: FxHashMap<String, Layout>,
    /// The keys of the line above, each followed by a line feed.
    keys: String,
    next_keys: String,
}

impl Layouts {
    fn row(
        &mut self,
        line: u64,
        object: &Map<String, Value>,
        flat: &Flat,
        table: &mut Table<'_>,
    ) -> Result<(), CaptureError> {
        self.next_keys.clear();
        for key in object.keys() {
            self.next_keys.push_str(key);
            self.next_keys.push('\n');
        }
        let is_new = self.keys != self.next_keys;
        std::mem::swap(&mut self.keys, &mut self.next_keys);
        if !self.known.contains_key(&self.keys) {
            if self.known.len() == LAYOUTS_MAX {
                self.known.clear();
            }
            let layout = Layout::of(object.keys().map(String::as_str), table.column_map())?;
            self.known.insert(self.keys.clone(), layout);
        }
        let layout = &self.known[&self.keys];
        if !layout.has_key() {
            table.problem(line, None, "the object has no sid and serial".to_owned());
            return Ok(());
        }
        if is_new {
            table.use_layout(layout);
        }
        let cells = Cells { text: flat.text.as_bytes(), ends: &flat.ends, null_words: false };
        table.row(line, layout, &cells)
    }
}
