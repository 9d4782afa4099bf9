//! Values as they go between the daemon and a connection process: numbers, texts and NULL. Statements convert what they
//! select, so nothing else is needed.

use serde::{Deserialize, Serialize};

use crate::engine::session::SessionKey;

/// A value of a bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Datum {
    /// NULL.
    Null,
    /// A whole number.
    Number(i64),
    /// A text; empty is NULL, as everywhere in Oracle.
    Text(String),
}

impl Datum {
    /// A text, or NULL.
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    /// A number, or NULL.
    pub fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Number(_) => None,
        }
    }
}

/// A bind of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bind {
    /// To the server.
    In(Datum),
    /// A number from the server.
    OutNumber,
    /// A text from the server, of at most so many bytes.
    OutText(u32),
}

/// What a selected column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A whole number.
    Number,
    /// A text.
    Text,
}

/// A cell of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Number(i64),
    /// The text of that number in [`Rows::texts`].
    Text(u32),
}

impl Cell {
    /// As INST_ID, SID and SERIAL# are.
    pub fn as_u32(self) -> Option<u32> {
        match self {
            Self::Number(number) => u32::try_from(number).ok(),
            Self::Null | Self::Text(_) => None,
        }
    }
}

/// Who a row is about that begins with INST_ID, SID and SERIAL#; `None` for one that names nobody.
pub fn session_key(row: &[Cell]) -> Option<SessionKey> {
    let [inst_id, sid, serial] = [row[0].as_u32()?, row[1].as_u32()?, row[2].as_u32()?];
    Some(SessionKey { inst_id, sid, serial })
}

/// The rows of a query. Session listings repeat their texts; each stands here once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Cells in a row.
    pub width: usize,
    /// One row after the other.
    pub cells: Vec<Cell>,
    /// The distinct texts.
    pub texts: Vec<String>,
    /// Bytes of all values before texts were made distinct.
    pub bytes: u64,
    /// Round trips that it took.
    pub round_trips: u64,
}

impl Rows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cells of each row.
    pub fn iter(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.width.max(1))
    }

    /// The text of a cell; `None` for NULL and numbers.
    pub fn text(&self, cell: Cell) -> Option<&str> {
        match cell {
            Cell::Text(number) => self.texts.get(number as usize).map(String::as_str),
            Cell::Null | Cell::Number(_) => None,
        }
    }
}

/// Gathers rows as a driver hands them over.
#[derive(Debug, Default)]
pub(super) struct Gather {
    rows: Rows,
    known: std::collections::HashMap<String, u32>,
}

impl Gather {
    pub(super) fn new(width: usize) -> Self {
        Self { rows: Rows { width, ..Rows::default() }, known: std::collections::HashMap::new() }
    }

    pub(super) fn number(&mut self, number: Option<i64>) {
        self.rows.bytes += 8;
        self.rows.cells.push(number.map_or(Cell::Null, Cell::Number));
    }

    pub(super) fn text(&mut self, text: Option<String>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            self.rows.cells.push(Cell::Null);
            return;
        };
        self.rows.bytes += text.len() as u64;
        let number = if let Some(number) = self.known.get(&text) {
            *number
        } else {
            let number = u32::try_from(self.rows.texts.len()).unwrap_or(u32::MAX);
            self.rows.texts.push(text.clone());
            self.known.insert(text, number);
            number
        };
        self.rows.cells.push(Cell::Text(number));
    }

    /// `round_trips` is what the driver needed for them.
    pub(super) fn finish(mut self, round_trips: u64) -> Rows {
        self.rows.round_trips = round_trips;
        self.rows
    }
}

/// How many round trips a driver needs that hands over `prefetch` rows with the execution and as many with each fetch:
/// the last one is the one that finds no more.
pub(super) fn round_trips(rows: usize, prefetch: u32) -> u64 {
    1 + (rows / (prefetch.max(1) as usize)) as u64
}

#[cfg(test)]
mod tests {
    use super::{Cell, Gather, round_trips};

    #[test]
    fn a_text_stands_once_and_an_empty_one_is_null() {
        let mut gather = Gather::new(2);
        for text in ["a", "b", "a", ""] {
            gather.text(Some(text.to_owned()));
        }
        let rows = gather.finish(1);
        assert_eq!(rows.cells, [Cell::Text(0), Cell::Text(1), Cell::Text(0), Cell::Null]);
        assert_eq!((rows.len(), rows.texts.len(), rows.bytes), (2, 2, 3));
        assert_eq!(rows.text(Cell::Text(1)), Some("b"));
    }

    #[test]
    fn rows_that_fit_the_first_answer_take_one_round_trip() {
        assert_eq!([0, 9, 10, 25].map(|rows| round_trips(rows, 10)), [1, 1, 2, 3]);
    }
}
