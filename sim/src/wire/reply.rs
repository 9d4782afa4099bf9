//! Answers: descriptions, rows, what a block gave back, errors.

use std::collections::BTreeMap;

use super::bind::Declared;
use super::codec::Writer;
use super::scalar::{self, Shape};
use crate::conversation::{Direction, ResultColumn};
use crate::ora::OraError;
use crate::value::Value;

/// What every message that ends a call says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct End {
    /// The version of the fields of messages.
    pub(super) fields: u8,
    /// The number that the client gave the call.
    pub(super) sequence: u8,
    pub(super) cursor: u16,
    /// The kind of statement that ran, by its number.
    pub(super) kind: u8,
    /// Object, file, block and row of the last row that changed.
    pub(super) row_id: [u64; 4],
    /// Rows so far, of a query or a change.
    pub(super) rows: u64,
    pub(super) in_transaction: bool,
}

/// The numbers of the kinds of statements.
pub(super) mod kind {
    pub(in crate::wire) const DML: u8 = 2;
    pub(in crate::wire) const QUERY: u8 = 3;
    pub(in crate::wire) const BLOCK: u8 = 47;
}

/// There are no more rows. Not an error.
const NO_DATA_FOUND: u32 = 1_403;

impl End {
    /// Bit 1 of the status of a call: a transaction is open.
    fn status(self) -> u8 {
        if self.in_transaction { 3 } else { 1 }
    }

    /// The answer to what cannot fail: commit, rollback, ping, log-off.
    pub(super) fn write_status(self, to: &mut Writer) {
        to.u8(9);
        to.ub(self.status() & 2);
        to.ub(0_u8);
    }

    /// All went well.
    pub(super) fn write_success(self, to: &mut Writer) {
        self.write(to, 0, 0, &[]);
    }

    /// An array of DML is through, but some of its iterations failed.
    pub(super) fn write_failures(self, to: &mut Writer, failures: &[(usize, OraError)]) {
        const ERRORS_IN_ARRAY: u32 = 24_381;
        self.write(to, ERRORS_IN_ARRAY, 0, failures);
        to.counted(b"ORA-24381: error(s) in array DML\n");
    }

    /// All went well, and the last row was among those sent.
    pub(super) fn write_no_more_rows(self, to: &mut Writer) {
        self.write(to, NO_DATA_FOUND, 0, &[]);
        to.counted(b"ORA-01403: no data found\n");
    }

    /// It failed.
    pub(super) fn write_error(self, to: &mut Writer, error: &OraError) {
        self.write(to, error.code, error.position.unwrap_or(0), &[]);
        to.counted(format!("{error}\n").as_bytes());
    }

    fn write(self, to: &mut Writer, code: u32, position: usize, failures: &[(usize, OraError)]) {
        const FIELDS_WITH_CHECKSUM: u8 = 14;
        to.u8(4);
        to.ub(self.status());
        to.ub(0_u8);
        to.ub(self.rows.min(u32::MAX.into()));
        to.ub(code.min(u16::MAX.into()));
        to.zeros(2);
        to.ub(self.cursor);
        to.ub(position.min(u16::MAX.into()) as u64);
        to.u8(self.kind);
        // Four settings and a warning; the ROWID; the system's error and the statement's number.
        to.zeros(5);
        let [object, file, block, row] = self.row_id;
        to.ub(object);
        to.ub(file);
        to.u8(0);
        to.ub(block);
        to.ub(row);
        to.zeros(2);
        // An OCI client sends a statement again whose call ends with another number than its own.
        to.u8(self.sequence);
        to.zeros(3);
        write_failed(to, failures);
        to.ub(code);
        to.ub(self.rows);
        if self.fields >= FIELDS_WITH_CHECKSUM {
            to.zeros(2);
        }
    }
}

/// The codes, places and texts of iterations that failed: three lists, each with its length.
fn write_failed(to: &mut Writer, failures: &[(usize, OraError)]) {
    /// Before the texts stands a byte for their size, which no client looks at.
    const SIZE: u8 = 1;
    if failures.is_empty() {
        return to.zeros(3);
    }
    write_numbers(to, failures.iter().map(|(_, error)| error.code.min(u16::MAX.into()).into()));
    write_numbers(to, failures.iter().map(|(place, _)| *place as u64));
    to.ub(failures.len() as u64);
    to.u8(SIZE);
    for (_, error) in failures {
        let text = format!("{error}\n");
        to.ub(text.len() as u64);
        to.counted(text.as_bytes());
        to.zeros(2);
    }
}

/// A list of numbers: how many, and their bytes with the length of all; if that is too long for one byte, each in a
/// chunk of its own. An OCI client goes by the length, the others by the number.
fn write_numbers(to: &mut Writer, numbers: impl ExactSizeIterator<Item = u64>) {
    const LENGTH_MAX: usize = 252;
    const CHUNKS: u8 = 254;
    to.ub(numbers.len() as u64);
    let parts: Vec<Vec<u8>> = numbers
        .map(|number| {
            let mut part = Writer::new();
            part.ub(number);
            part.into_bytes()
        })
        .collect();
    let length: usize = parts.iter().map(Vec::len).sum();
    match u8::try_from(length) {
        Ok(byte) if length <= LENGTH_MAX => {
            to.u8(byte);
            to.raw(&parts.concat());
        }
        _ => {
            to.u8(CHUNKS);
            for part in &parts {
                to.ub(part.len() as u64);
                to.raw(part);
            }
            to.zeros(1);
        }
    }
}

/// What stands before the end of a first execution, and of no other. Rows are counted for each iteration only if the
/// client asked for it.
pub(super) fn write_return_parameters(to: &mut Writer, counts: Option<&[u64]>) {
    to.u8(8);
    to.zeros(4);
    if let Some(counts) = counts {
        to.ub(counts.len() as u64);
        for count in counts {
            to.ub(*count);
        }
    }
}

/// The columns of a query. They carry the date, which no client looks at.
pub(super) fn write_description(to: &mut Writer, fields: u8, columns: &[ResultColumn]) {
    to.u8(16);
    to.u8(0);
    write_columns(to, fields, columns);
}

fn write_columns(to: &mut Writer, fields: u8, columns: &[ResultColumn]) {
    let width: u64 =
        columns.iter().map(|column| u64::from(Shape::of(column.column_type).size)).sum();
    to.ub(width.min(u32::MAX.into()));
    to.ub(columns.len() as u64);
    if !columns.is_empty() {
        to.u8(1);
    }
    for (index, column) in columns.iter().enumerate() {
        write_column(to, fields, column, index + 1);
    }
    to.long_counted(&scalar::EPOCH);
    to.ub(1_u8);
    to.zeros(4);
}

fn write_column(to: &mut Writer, fields: u8, column: &ResultColumn, place: usize) {
    const CHARACTERS: u8 = 1;
    let shape = Shape::of(column.column_type);
    to.raw(&[shape.code, 0x80, shape.precision, shape.scale]);
    to.ub(shape.size);
    // No elements, no flags, no type of its own.
    to.zeros(4);
    to.ub(shape.charset.unwrap_or(0));
    to.u8(if shape.charset.is_some() { CHARACTERS } else { 0 });
    to.ub(if shape.charset.is_some() { shape.size } else { 0 });
    if fields >= 8 {
        to.zeros(1);
    }
    to.u8(column.nullable.into());
    // An identifier has at most 128 bytes; the length is informative.
    to.u8(u8::try_from(column.name.len()).unwrap_or(u8::MAX));
    to.long_counted(column.name.as_bytes());
    to.zeros(2);
    to.ub(place as u64);
    to.zeros(1);
    if fields >= 17 {
        to.zeros(2);
    }
    if fields >= 20 {
        to.zeros(1);
    }
    if fields >= 24 {
        to.zeros(3);
    }
}

/// One row.
pub(super) fn write_row(to: &mut Writer, columns: &[ResultColumn], row: &[Value]) {
    to.u8(7);
    for (column, cell) in columns.iter().zip(row) {
        scalar::write_cell(to, column.column_type, cell);
    }
}

/// What stands before rows.
pub(super) fn write_row_header(to: &mut Writer, columns: usize, asked: u32) {
    to.raw(&[6, 0x22]);
    to.ub(columns as u64);
    to.ub(0_u8);
    to.ub(asked);
    to.zeros(3);
}

/// Cursors that a block opened: by place of the bind, their numbers and columns.
pub(super) type Results = BTreeMap<usize, (u16, Vec<ResultColumn>)>;

/// What a block did with its binds.
pub(super) struct Block {
    pub(super) fields: u8,
    pub(super) directions: Vec<Direction>,
    /// Of each iteration, the values by place.
    pub(super) iterations: Vec<Vec<Value>>,
    pub(super) results: Results,
    /// Arrays that were written, by place.
    pub(super) arrays: BTreeMap<usize, Vec<Value>>,
}

impl Block {
    /// Which binds went where, and the values of those that came back, iteration by iteration. The error is ORA-01426.
    pub(super) fn write(&self, to: &mut Writer, binds: &[Declared]) -> Result<(), OraError> {
        if binds.is_empty() {
            return Ok(());
        }
        write_directions(to, (0..binds.len()).map(|index| self.direction(index)));
        if (0..binds.len()).all(|index| self.direction(index) == Direction::In) {
            return Ok(());
        }
        for values in &self.iterations {
            to.u8(7);
            for (index, bind) in binds.iter().enumerate() {
                match self.direction(index) {
                    Direction::In => {}
                    _ if bind.is_cursor() => self.write_cursor(to, bind, index),
                    _ if bind.is_array() => {
                        write_all(to, bind, self.arrays.get(&index).map_or(&[], Vec::as_slice))?;
                    }
                    _ => write_bind(to, bind, values.get(index).unwrap_or(&Value::Null))?,
                }
            }
        }
        Ok(())
    }

    fn direction(&self, index: usize) -> Direction {
        self.directions.get(index).copied().unwrap_or(Direction::In)
    }

    /// A cursor is its description and its number; one that was not opened has no columns.
    fn write_cursor(&self, to: &mut Writer, bind: &Declared, index: usize) {
        const LENGTH: u8 = 1;
        let (number, columns) =
            self.results.get(&index).map_or((0, &[][..]), |(number, columns)| (*number, columns));
        to.u8(LENGTH);
        write_columns(to, self.fields, columns);
        to.ub(number);
        to.zeros(if bind.wants_return_code() { 2 } else { 1 });
    }
}

fn write_directions(to: &mut Writer, directions: impl ExactSizeIterator<Item = Direction>) {
    const FLAGS: u8 = 5;
    to.raw(&[11, FLAGS]);
    to.ub((directions.len() & 255) as u64);
    to.ub((directions.len() >> 8) as u64);
    to.ub(1_u8);
    to.zeros(3);
    for direction in directions {
        to.u8(match direction {
            Direction::In => 0x20,
            Direction::Out => 0x10,
            Direction::InOut => 0x30,
        });
    }
}

/// Which binds RETURNING fills, for a client library that does not know. The others do.
pub(super) fn write_takers(to: &mut Writer, binds: &[Declared]) {
    if binds.iter().any(|bind| bind.returning) {
        write_directions(to, binds.iter().map(|bind| bind.direction));
    }
}

/// What RETURNING gave to each bind that takes it, iteration by iteration. The error is ORA-01426.
pub(super) fn write_returning(
    to: &mut Writer,
    binds: &[Declared],
    iterations: &[Vec<Vec<Value>>],
) -> Result<(), OraError> {
    let takers: Vec<_> = binds.iter().enumerate().filter(|(_, bind)| bind.returning).collect();
    if takers.is_empty() {
        return Ok(());
    }
    for returned in iterations {
        // By place of the bind, or only of those that take something.
        let by_place = returned.len() == binds.len();
        to.u8(7);
        for (nth, (place, bind)) in takers.iter().enumerate() {
            let values =
                returned.get(if by_place { *place } else { nth }).map_or(&[][..], Vec::as_slice);
            write_all(to, bind, values)?;
        }
    }
    Ok(())
}

/// The values of a bind that takes any number of them.
fn write_all(to: &mut Writer, bind: &Declared, values: &[Value]) -> Result<(), OraError> {
    to.ub(values.len() as u64);
    values.iter().try_for_each(|value| write_bind(to, bind, value))
}

fn write_bind(to: &mut Writer, bind: &Declared, value: &Value) -> Result<(), OraError> {
    const NULL_INDICATOR: [u8; 2] = [0x81, 1];
    if !scalar::fits_bind(bind.code, value) {
        return Err(scalar::overflow());
    }
    scalar::write_bind(to, bind.code, bind.national, value);
    if value.is_null() {
        to.raw(&NULL_INDICATOR);
    } else {
        to.zeros(1);
    }
    if bind.wants_return_code() {
        to.zeros(1);
    }
    Ok(())
}

/// The banner and the number of the release.
pub(super) fn write_version(to: &mut Writer, banner: &str, number: u32) {
    to.u8(8);
    to.ub(banner.len() as u64);
    to.counted(banner.as_bytes());
    to.ub(number);
}

/// A warning: the call succeeds all the same.
pub(super) fn write_warning(to: &mut Writer, warning: &OraError) {
    let text = format!("{warning}\n");
    to.u8(15);
    to.ub(warning.code.min(u16::MAX.into()));
    to.ub(text.len() as u64);
    to.ub(0_u8);
    to.counted(text.as_bytes());
}

/// What an answer within a pipeline is known by.
pub(super) fn write_token(to: &mut Writer, token: u64) {
    to.u8(33);
    to.ub(token);
}

/// Marks the end of an answer, for the clients that want it marked.
pub(super) fn write_end_of_response(to: &mut Writer) {
    to.u8(29);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ColumnType;

    fn written(write: impl Fn(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.into_bytes()
    }

    /// As real clients were seen to accept them.
    #[test]
    fn answers_are_those_that_clients_accept() {
        let end = End { fields: 13, cursor: 14, ..End::default() };
        assert_eq!(written(|to| end.write_status(to)), [9, 0, 0]);
        assert_eq!(written(|to| write_return_parameters(to, None)), [8, 0, 0, 0, 0]);
        let counted = written(|to| write_return_parameters(to, Some(&[2, 0])));
        assert_eq!(counted, [8, 0, 0, 0, 0, 1, 2, 1, 2, 0]);
        let error = OraError::new(942, "table or view does not exist").at(14);
        let mut expected = vec![4, 1, 1, 0, 0, 2, 3, 0xae, 0, 0, 1, 14, 1, 14];
        expected.extend([0; 20]);
        expected.extend([2, 3, 0xae, 0, 40]);
        expected.extend(b"ORA-00942: table or view does not exist\n");
        assert_eq!(written(|to| end.write_error(to, &error)), expected);
    }

    #[test]
    fn a_column_has_more_fields_in_later_versions() {
        let column =
            ResultColumn { name: "A".into(), column_type: ColumnType::Number, nullable: true };
        let lengths = [6, 7, 9, 13, 17, 20, 24].map(|fields| {
            written(|to| write_description(to, fields, std::slice::from_ref(&column))).len()
        });
        assert_eq!(lengths.map(|length| length - lengths[0]), [0, 0, 1, 1, 3, 4, 7]);
    }

    #[test]
    fn an_open_transaction_shows_in_every_end() {
        let end = End { in_transaction: true, ..End::default() };
        assert_eq!(written(|to| end.write_status(to)), [9, 1, 2, 0]);
        assert_eq!(written(|to| end.write_success(to))[..3], [4, 1, 3]);
    }
}
