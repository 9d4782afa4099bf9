//! What a client asks, once it is logged in: a function with the piggybacks in front of it, read from the bytes that
//! have come so far.

use super::auth::Message;
use super::bind::{Declared, Given, Rows, read_binds, read_declared, read_rows};
use super::codec::{Reader, Unreadable, text};
use super::piggyback::{self, Piggyback};
use crate::conversation::Direction;
use crate::ora::OraError;

/// The longest text of a statement.
pub(super) const SQL_BYTES_MAX: usize = 1_024 * 1_024;
/// The most bytes of one request, with all rows of an array.
pub(super) const REQUEST_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// The most binds of a statement: Oracle has 65,535.
const BINDS_MAX: usize = 65_535;
const PIGGYBACKS_MAX: usize = 64;

/// From this version of the fields on, functions carry a token.
const FIELDS_WITH_TOKEN: u8 = 18;

/// A request with everything in front of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) piggybacks: Vec<Piggyback>,
    /// The number that the client gave it.
    pub(super) sequence: u8,
    /// What its answer is to be known by within a pipeline; 0 outside of one.
    pub(super) token: u64,
    pub(super) function: Function,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Function {
    Execute(Execute),
    Again(Again),
    Fetch {
        cursor: u16,
        rows: u32,
    },
    Commit,
    Rollback,
    Ping,
    Version,
    LogOff,
    /// Another password, both encrypted.
    ChangePassword(Message),
    /// The pipeline that a piggyback began is complete.
    EndPipeline,
    /// It is not known, and so its end is not either.
    Unknown(u8),
}

/// Run a statement, or fetch from its cursor, in full.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Execute {
    pub(super) options: u32,
    /// 0 for a new one.
    pub(super) cursor: u16,
    /// None to use the text of the cursor.
    pub(super) sql: Option<String>,
    /// Rows asked for, if the statement is a query.
    pub(super) rows_wanted: u32,
    /// They are fetched ahead of time, which is not done where a column is LONG.
    pub(super) ahead: bool,
    /// None to use the declarations of the cursor.
    pub(super) binds: Option<Vec<Declared>>,
    pub(super) rows: Rows,
    /// The client means to move about in the rows, not only on.
    pub(super) scrollable: bool,
    /// It wants to know how many rows each iteration changed.
    pub(super) row_counts: bool,
}

impl Execute {
    pub(super) const EXECUTE: u32 = 0x20;
    pub(super) const FETCH: u32 = 0x40;
    pub(super) const COMMIT: u32 = 0x100;
    /// Where binds go is for the answer to tell.
    pub(super) const PLSQL: u32 = 0x400;
    pub(super) const DESCRIBE: u32 = 0x2_0000;
    pub(super) const BATCH_ERRORS: u32 = 0x8_0000;
    const DEFINE: u32 = 0x10;

    /// True if an option is set.
    pub(super) const fn has(&self, option: u32) -> bool {
        self.options & option != 0
    }
}

/// Run the statement of a cursor once more, with nothing but new values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Again {
    pub(super) cursor: u16,
    /// How many rows to fetch in the same go, for a query.
    pub(super) fetch: Option<u32>,
    pub(super) commit: bool,
    pub(super) rows: Rows,
}

/// The statements that a client may refer to by number.
pub(super) trait Known {
    /// The binds of a cursor.
    fn binds(&self, cursor: u16) -> Option<&[Declared]>;
    /// The text of a cursor.
    fn sql(&self, cursor: u16) -> Option<&str>;
}

/// The code of a message that asks for something, and of one that only goes along.
pub(super) const FUNCTION: u8 = 3;
const PIGGYBACK: u8 = 17;

/// Reads one request.
pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: u8,
    known: &dyn Known,
) -> Result<Call, Unreadable> {
    let mut piggybacks = Vec::new();
    loop {
        match reader.u8()? {
            PIGGYBACK if piggybacks.len() < PIGGYBACKS_MAX => {
                piggybacks.push(piggyback::read(reader, fields)?);
            }
            FUNCTION => break,
            _ => return Err(Unreadable::Wrong("a message of an unknown kind")),
        }
    }
    let Header { code, sequence, token } = read_header(reader, fields)?;
    let function = match code {
        94 => Function::Execute(read_execute(reader, fields, known)?),
        4 => Function::Again(read_again(reader, false, known)?),
        78 => Function::Again(read_again(reader, true, known)?),
        5 => Function::Fetch { cursor: reader.ub2()?, rows: reader.ub4()? },
        14 => Function::Commit,
        15 => Function::Rollback,
        115 => Function::ChangePassword(Message::read(reader)?),
        147 => Function::Ping,
        9 => Function::LogOff,
        59 => {
            reader.skip(1)?;
            reader.skip_ub(1)?;
            reader.skip(2)?;
            Function::Version
        }
        200 => reader.skip_ub(1).map(|()| Function::EndPipeline)?,
        other => {
            reader.lose();
            Function::Unknown(other)
        }
    };
    Ok(Call { piggybacks, sequence, token, function })
}

/// What functions and piggybacks begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) code: u8,
    pub(super) sequence: u8,
    pub(super) token: u64,
}

/// Reads the header of a function or piggyback.
pub(super) fn read_header(reader: &mut Reader<'_>, fields: u8) -> Result<Header, Unreadable> {
    let code = reader.u8()?;
    let sequence = reader.u8()?;
    let token = if fields >= FIELDS_WITH_TOKEN { reader.ub8()? } else { 0 };
    Ok(Header { code, sequence, token })
}

/// The counts of an execute: what they say is there, is there, whatever its flags say.
struct Head {
    has_sql: bool,
    /// Rows to answer with at once.
    prefetch: u32,
    binds: usize,
    defines: usize,
}

fn read_head(reader: &mut Reader<'_>, fields: u8) -> Result<Head, Unreadable> {
    let has_sql = reader.u8()? != 0;
    let sql_length = reader.ub4()?;
    reader.skip(1)?;
    reader.skip_ub(1)?;
    reader.skip(2)?;
    reader.skip_ub(1)?;
    let prefetch = reader.ub4()?;
    reader.skip_ub(1)?;
    reader.skip(1)?;
    let binds = reader.count(BINDS_MAX)?;
    reader.skip(6)?;
    let defines = reader.count(BINDS_MAX)?;
    reader.skip_ub(1)?;
    reader.skip(3)?;
    reader.skip_ub(1)?;
    reader.skip(1)?;
    reader.skip_ub(2)?;
    if fields >= 7 {
        reader.skip(1)?;
        reader.skip_ub(1)?;
        reader.skip(1)?;
    }
    if fields >= 8 {
        reader.skip(1)?;
        reader.skip_ub(1)?;
        reader.skip(1)?;
        reader.skip_ub(1)?;
        reader.skip(1)?;
    }
    if fields >= 9 {
        reader.skip(1)?;
        reader.skip_ub(1)?;
    }
    if usize::try_from(sql_length).is_ok_and(|length| length > SQL_BYTES_MAX) {
        return Err(Unreadable::Wrong("a statement that is too long"));
    }
    Ok(Head { has_sql: has_sql && sql_length > 0, prefetch, binds, defines })
}

fn read_execute(
    reader: &mut Reader<'_>,
    fields: u8,
    known: &dyn Known,
) -> Result<Execute, Unreadable> {
    const SETTINGS: usize = 13;
    const QUERY: u64 = 1;
    const SCROLLABLE: u64 = 2;
    const ROW_COUNTS: u64 = 0x4000;
    let options = reader.ub4()?;
    let cursor = reader.ub2()?;
    let head = read_head(reader, fields)?;
    let sql = if head.has_sql { Some(text(&reader.counted()?)) } else { None };
    let mut settings = [0; SETTINGS];
    for setting in &mut settings {
        *setting = reader.ub8()?;
    }
    let iterations = settings[1];
    let mut execute = Execute {
        options,
        cursor,
        sql: None,
        rows_wanted: match iterations {
            0 => head.prefetch,
            rows => u32::try_from(rows).unwrap_or(u32::MAX),
        },
        ahead: iterations == 0,
        binds: None,
        rows: Ok(Given::default()),
        scrollable: settings[9] & SCROLLABLE != 0,
        row_counts: settings[9] & ROW_COUNTS != 0,
    };
    if execute.has(Execute::DEFINE) {
        for _ in 0..head.defines {
            read_declared(reader, fields)?;
        }
    } else {
        let text = sql.as_deref().or_else(|| known.sql(cursor)).unwrap_or_default();
        let plsql = execute.has(Execute::PLSQL);
        let mut binds = read_binds(reader, fields, head.binds, text)?;
        // A client library that has run a block knows which of its binds only come back, and sends no values for
        // those, also where it declares them anew. The thin drivers send all of a block's.
        if sql.is_none() && !plsql {
            for (bind, before) in binds.iter_mut().zip(known.binds(cursor).unwrap_or_default()) {
                bind.direction = before.direction;
            }
        }
        let once = settings[7] == QUERY || !execute.has(Execute::EXECUTE);
        let rows = if once { 1 } else { iterations.max(1) };
        // A client library that does not know yet which binds RETURNING fills sends a mark in the place of a value.
        let sent = |bind: &Declared| plsql || bind.direction != Direction::Out;
        execute.rows = read_rows(reader, &binds, rows, plsql, sent)?;
        if execute.has(Execute::EXECUTE) && binds.iter().any(Declared::is_unbound) {
            execute.rows = Err(OraError::new(1_008, "not all variables bound"));
        }
        execute.binds = (head.binds > 0).then_some(binds);
    }
    execute.sql = sql;
    Ok(execute)
}

fn read_again(
    reader: &mut Reader<'_>,
    query: bool,
    known: &dyn Known,
) -> Result<Again, Unreadable> {
    /// The option to commit, which has another number here.
    const COMMIT: u32 = 1;
    let cursor = reader.ub2()?;
    let iterations = reader.ub4()?;
    reader.skip_ub(1)?;
    let commit = reader.ub4()? & COMMIT != 0;
    let binds = known.binds(cursor).unwrap_or_default();
    let count = if query { 1 } else { u64::from(iterations.max(1)) };
    let rows = read_rows(reader, binds, count, true, |bind| bind.direction != Direction::Out)?;
    Ok(Again { cursor, fetch: query.then_some(iterations), commit, rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use crate::wire::cursor::Cursors;

    fn read_all(bytes: &[u8], fields: u8) -> Result<Call, Unreadable> {
        read(&mut Reader::new(bytes), fields, &Cursors::default())
    }

    #[test]
    fn short_requests_are_read_in_every_version() {
        for (bytes, fields, function) in [
            (&[3, 147, 7][..], 13, Function::Ping),
            (&[3, 147, 7, 0], 24, Function::Ping),
            (&[3, 14, 7], 7, Function::Commit),
            (&[3, 5, 7, 1, 1, 1, 100], 13, Function::Fetch { cursor: 1, rows: 100 }),
            (&[3, 96, 7, 1, 2, 3], 13, Function::Unknown(96)),
        ] {
            let call = read_all(bytes, fields).expect("readable");
            assert_eq!((call.sequence, call.function), (7, function));
        }
    }

    #[test]
    fn what_goes_along_is_read_with_the_request() {
        let bytes = [17, 105, 1, 1, 1, 2, 1, 3, 1, 4, 3, 9, 2];
        let call = read_all(&bytes, 13).expect("readable");
        assert_eq!(call.piggybacks, [Piggyback::Close(vec![3, 4])]);
        assert_eq!(call.function, Function::LogOff);
        let mut cancelled = bytes;
        cancelled[1] = 120;
        let call = read_all(&cancelled, 13).expect("readable");
        assert_eq!(call.piggybacks, [Piggyback::Cancel(vec![3, 4])]);
        for length in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..length], 13), Err(Unreadable::Short), "{length}");
        }
    }

    #[test]
    fn an_execute_with_binds_is_read() {
        let mut bytes = vec![3, 94, 1, 2, 0x80, 0x29, 0, 1, 1, 1, 1, 1, 13, 0, 0, 0, 0, 0, 1, 1, 1];
        bytes.extend([0; 25]);
        bytes.extend([1, b'x']);
        bytes.extend([1, 1, 1, 2]);
        bytes.extend([0; 11]);
        bytes.extend([2, 1, 0, 0, 1, 22, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([7, 2, 0xc1, 2, 7, 0]);
        let call = read_all(&bytes, 13);
        let Ok(Call { function: Function::Execute(execute), .. }) = call else {
            panic!("{call:?}")
        };
        assert_eq!(execute.sql.as_deref(), Some("x"));
        let rows = vec![vec![Value::integer(1)], vec![Value::Null]];
        assert_eq!(execute.rows, Ok(Given { rows, arrays: Vec::new() }));
        assert_eq!(execute.binds.expect("binds")[0].size, 22);
        for length in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..length], 13), Err(Unreadable::Short), "{length}");
        }
    }
}
