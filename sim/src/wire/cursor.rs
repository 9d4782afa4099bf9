//! The cursors of a connection: the statements that a client refers to by number, with their binds and the rows that it
//! has not fetched yet.

use std::collections::BTreeMap;

use super::bind::Declared;
use super::request::Known;
use crate::conversation::{Direction, ResultColumn};
use crate::ora::OraError;
use crate::value::Value;

/// The values of all rows that wait to be fetched on one connection: 20,000 rows of 200 columns.
const CELLS_MAX: usize = 4_000_000;

/// One statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cursor {
    pub(super) sql: String,
    pub(super) binds: Vec<Declared>,
    pub(super) columns: Vec<ResultColumn>,
    cells: Vec<Value>,
    /// The first cell that was not fetched.
    next: usize,
    /// How many rows were fetched.
    pub(super) fetched: u64,
}

impl Cursor {
    /// Takes over what RETURNING or a block did with the binds, for when it runs again.
    pub(super) fn direct(&mut self, directions: &[Direction]) {
        for (bind, direction) in self.binds.iter_mut().zip(directions) {
            bind.direction = *direction;
        }
    }

    /// Takes over the result of a query.
    pub(super) fn open(&mut self, columns: Vec<ResultColumn>, cells: Vec<Value>) {
        self.columns = columns;
        self.cells = cells;
        self.next = 0;
        self.fetched = 0;
    }

    /// Forgets the rows, but not the statement.
    pub(super) fn close(&mut self) {
        self.cells = Vec::new();
        self.next = 0;
    }

    /// The next rows.
    pub(super) fn fetch(&mut self, rows: u32) -> Fetch<'_> {
        let width = self.columns.len().max(1);
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let left = (self.cells.len() - self.next) / width;
        let taken = rows.min(left);
        let start = self.next;
        self.next += taken * width;
        self.fetched += taken as u64;
        let last = taken < rows || taken == left;
        Fetch { columns: &self.columns, cells: &self.cells[start..self.next], last }
    }

    /// Takes back the last rows of a fetch, for the next one.
    pub(super) fn give_back(&mut self, rows: usize) {
        self.next -= rows * self.columns.len();
        self.fetched -= rows as u64;
    }

    /// True while rows are left.
    pub(super) const fn is_open(&self) -> bool {
        self.next < self.cells.len()
    }
}

/// Some rows of a cursor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fetch<'a> {
    pub(super) columns: &'a [ResultColumn],
    /// One row after the other.
    pub(super) cells: &'a [Value],
    /// No rows are left after these.
    pub(super) last: bool,
}

/// The cursors by their numbers, from 1.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    by_number: BTreeMap<u16, Cursor>,
}

impl Cursors {
    /// A new one, unless there are `most`: a statement that its client keeps counts until it is closed. The error is
    /// ORA-01000.
    pub(super) fn create(&mut self, most: u16) -> Result<u16, OraError> {
        let room = self.by_number.len() < usize::from(most);
        let free =
            (1..=u16::MAX).filter(|_| room).find(|number| !self.by_number.contains_key(number));
        let number = free.ok_or_else(|| OraError::new(1_000, "maximum open cursors exceeded"))?;
        self.by_number.insert(number, Cursor::default());
        Ok(number)
    }

    /// One that is there. The error is ORA-01001.
    pub(super) fn get(&mut self, number: u16) -> Result<&mut Cursor, OraError> {
        self.by_number.get_mut(&number).ok_or_else(|| OraError::new(1_001, "invalid cursor"))
    }

    /// Closes those that are there.
    pub(super) fn close(&mut self, numbers: &[u16]) {
        for number in numbers {
            self.by_number.remove(number);
        }
    }

    /// Forgets the rows of those that are there.
    pub(super) fn cancel(&mut self, numbers: &[u16]) {
        for number in numbers {
            if let Some(cursor) = self.by_number.get_mut(number) {
                cursor.close();
            }
        }
    }

    /// True while any of them has rows left.
    pub(super) fn any_open(&self) -> bool {
        self.by_number.values().any(Cursor::is_open)
    }

    /// Whether so many more cells fit. The error is ORA-04030.
    pub(super) fn room_for(&self, cells: usize) -> Result<(), OraError> {
        let held: usize = self.by_number.values().map(|cursor| cursor.cells.len()).sum();
        if held + cells <= CELLS_MAX {
            return Ok(());
        }
        Err(OraError::new(
            4_030,
            format!("out of process memory: {cells} values of one connection"),
        ))
    }
}

impl Known for Cursors {
    fn binds(&self, cursor: u16) -> Option<&[Declared]> {
        self.by_number.get(&cursor).map(|cursor| cursor.binds.as_slice())
    }

    fn sql(&self, cursor: u16) -> Option<&str> {
        self.by_number.get(&cursor).map(|cursor| cursor.sql.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ColumnType;

    #[test]
    fn rows_are_handed_out_once_and_the_last_says_so() {
        let mut cursor = Cursor::default();
        let column = |name: &str| ResultColumn {
            name: name.into(),
            column_type: ColumnType::Number,
            nullable: true,
        };
        let cells = (0..6).map(Value::integer).collect();
        cursor.open(vec![column("A"), column("B")], cells);
        assert_eq!(cursor.fetch(2).cells.len(), 4);
        assert!(cursor.is_open());
        let Fetch { cells, last, .. } = cursor.fetch(2);
        assert_eq!((cells, last), (&[Value::integer(4), Value::integer(5)][..], true));
        assert!(cursor.fetch(2).cells.is_empty() && cursor.fetch(2).last);
        assert_eq!(cursor.fetched, 3);
    }

    #[test]
    fn numbers_begin_at_one_and_are_used_again() {
        let mut cursors = Cursors::default();
        let create = |cursors: &mut Cursors| cursors.create(9).expect("room");
        assert_eq!((create(&mut cursors), create(&mut cursors)), (1, 2));
        cursors.close(&[1, 77]);
        assert_eq!(create(&mut cursors), 1);
        while cursors.create(9).is_ok() {}
        assert_eq!(cursors.by_number.len(), 9);
        assert!(cursors.create(10).is_ok());
        assert_eq!(cursors.create(10).map_err(|error| error.code), Err(1_000));
        assert_eq!(cursors.get(2_000).map_err(|error| error.code).err(), Some(1_001));
    }
}
