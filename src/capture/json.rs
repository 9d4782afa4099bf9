//! Cuts JSON Lines into records: one object a line, a key a column.
//!
//! A line is a header and a row in one; lines with the same keys share a layout. Values become the same cells that CSV
//! has, and are read by the table. Whatever is odd about a line costs that line alone.

use std::fmt::{self, Write as _};
use std::io::{BufRead, BufReader, Read};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::cell::shown;
use super::cells::Cells;
use super::header::{ColumnMap, Layout};
use super::table::Table;
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
            Line::Read => match serde_json::from_slice::<Object>(&text) {
                Err(error) => {
                    table.problem(number, None, format!("not a JSON object: {}", what(&error)));
                }
                Ok(object) => read_object(number, &object, &mut layouts, &mut cells, table)?,
            },
        }
    }
}

fn read_object(
    line: u64,
    object: &Object,
    layouts: &mut Layouts,
    flat: &mut Flat,
    table: &mut Table<'_>,
) -> Result<(), CaptureError> {
    let (layout, is_new) = match layouts.of(object, table.column_map()) {
        (Ok(layout), is_new) => (layout, is_new),
        (Err(fault), _) => {
            table.problem(line, None, fault.clone());
            return Ok(());
        }
    };
    if is_new {
        table.use_layout(layout);
    }
    if let Err(key) = flat.fill(object, layout) {
        let fault = "is neither text nor a number".to_owned();
        table.problem(line, Some((Some(key), None)), fault);
        return Ok(());
    }
    let cells = Cells { text: flat.text.as_bytes(), ends: &flat.ends, null_words: false };
    table.row(line, layout, &cells)
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

/// Keys and values in the order of the line; a key that stands twice is still there twice.
struct Object(Vec<(String, Value)>);

impl Object {
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        from.deserialize_map(Entries)
    }
}

/// The values of one object as cells.
#[derive(Default)]
struct Flat {
    text: String,
    ends: Vec<usize>,
}

impl Flat {
    /// Fails with the key whose value is no cell. What nobody reads may be anything.
    fn fill<'a>(&mut self, object: &'a Object, layout: &Layout) -> Result<(), &'a str> {
        self.text.clear();
        self.ends.clear();
        for (cell, (key, value)) in object.0.iter().enumerate() {
            match value {
                Value::Null => {}
                Value::String(text) => self.text.push_str(text),
                Value::Bool(value) => self.text.push_str(if *value { "TRUE" } else { "FALSE" }),
                Value::Number(number) => {
                    write!(self.text, "{number}").expect("a string takes everything");
                }
                Value::Array(_) | Value::Object(_) => {
                    if layout.slots.iter().any(|slot| slot.cell == cell) {
                        return Err(key);
                    }
                }
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }
}

/// The layouts of the sets of keys that were seen, or what is wrong with a set.
#[derive(Default)]
struct Layouts {
    known: FxHashMap<Vec<u8>, Result<Layout, String>>,
    /// The keys of the line above, each behind its length: a key may hold any character.
    keys: Vec<u8>,
    next_keys: Vec<u8>,
}

impl Layouts {
    /// The layout of an object, and whether it is another than that of the line above.
    fn of(&mut self, object: &Object, map: &ColumnMap) -> (&Result<Layout, String>, bool) {
        self.next_keys.clear();
        for key in object.keys() {
            self.next_keys.extend_from_slice(&key.len().to_le_bytes());
            self.next_keys.extend_from_slice(key.as_bytes());
        }
        let is_new = self.keys != self.next_keys;
        std::mem::swap(&mut self.keys, &mut self.next_keys);
        if !self.known.contains_key(&self.keys) {
            if self.known.len() == LAYOUTS_MAX {
                self.known.clear();
            }
            self.known.insert(self.keys.clone(), layout(object, map));
        }
        (&self.known[&self.keys], is_new)
    }
}

fn layout(object: &Object, map: &ColumnMap) -> Result<Layout, String> {
    let mut seen = FxHashSet::default();
    if let Some(twice) = object.keys().find(|key| !seen.insert(key.to_ascii_lowercase())) {
        return Err(format!("the key {} stands twice in the object", shown(twice)));
    }
    let layout = Layout::of(object.keys(), map).map_err(|error| error.to_string())?;
    let has_key = layout.has_key();
    has_key.then_some(layout).ok_or_else(|| "the object has no sid and serial".to_owned())
}
