//! What a client asks, once it is logged in: a function with the piggybacks in front of it, read from the bytes that
//! have come so far.

use super::codec::{Reader, Unreadable, text};
use super::scalar;
use crate::conversation::{Direction, Tags};
use crate::ora::OraError;
use crate::value::Value;

/// The longest text of a statement.
pub(super) const SQL_BYTES_MAX: usize = 1_024 * 1_024;
/// The most bytes of one request, with all rows of an array.
pub(super) const REQUEST_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// The most binds of a statement: Oracle has 65,535.
const BINDS_MAX: usize = 65_535;
/// The most values of one request; each may take a single byte on the wire and many more here.
const VALUES_MAX: usize = 300_000;
/// The most cursors that are closed at once.
const CLOSED_MAX: usize = 65_535;
const PIGGYBACKS_MAX: usize = 64;

/// From this version of the fields on, functions carry a token.
const FIELDS_WITH_TOKEN: u8 = 18;

/// A request with everything in front of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) piggybacks: Vec<Piggyback>,
    /// The number that the client gave it.
    pub(super) sequence: u8,
    pub(super) function: Function,
}

/// What comes along with a request and has no answer of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piggyback {
    Close(Vec<u16>),
    Tag(Tags),
    /// The schema for names without one.
    Schema(String),
    /// Nothing that matters here.
    Other,
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
    /// None to use the declarations of the cursor.
    pub(super) binds: Option<Vec<Declared>>,
    pub(super) rows: Rows,
    /// The client means to move about in the rows, not only on.
    pub(super) scrollable: bool,
}

/// Rows of values for binds, or why the call fails for them.
pub(super) type Rows = Result<Vec<Vec<Value>>, OraError>;

impl Execute {
    pub(super) const EXECUTE: u32 = 0x20;
    pub(super) const FETCH: u32 = 0x40;
    pub(super) const COMMIT: u32 = 0x100;
    pub(super) const DESCRIBE: u32 = 0x2_0000;
    const DEFINE: u32 = 0x10;
    const PLSQL: u32 = 0x400;

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

/// How a client declared a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) code: u8,
    flags: u8,
    pub(super) size: u32,
    pub(super) national: bool,
    array: bool,
    pub(super) direction: Direction,
    /// It takes what RETURNING gives.
    pub(super) returning: bool,
}

impl Declared {
    /// True if a return code follows each value that is sent back.
    pub(super) const fn wants_return_code(&self) -> bool {
        self.flags & 0x02 != 0
    }

    /// True if it comes behind all others: it may be longer than any string.
    const fn is_long(&self) -> bool {
        self.size > 32_767
    }
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
const ROW: u8 = 7;

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
                piggybacks.push(read_piggyback(reader, fields)?);
            }
            FUNCTION => break,
            _ => return Err(Unreadable::Wrong("a message of an unknown kind")),
        }
    }
    let (code, sequence) = read_header(reader, fields)?;
    let function = match code {
        94 => Function::Execute(read_execute(reader, fields, known)?),
        4 => Function::Again(read_again(reader, false, known)?),
        78 => Function::Again(read_again(reader, true, known)?),
        5 => Function::Fetch { cursor: reader.ub2()?, rows: reader.ub4()? },
        14 => Function::Commit,
        15 => Function::Rollback,
        147 => Function::Ping,
        9 => Function::LogOff,
        59 => {
            reader.skip(1)?;
            reader.skip_ub(1)?;
            reader.skip(2)?;
            Function::Version
        }
        other => Function::Unknown(other),
    };
    Ok(Call { piggybacks, sequence, function })
}

/// The code and the number of a function or piggyback.
pub(super) fn read_header(reader: &mut Reader<'_>, fields: u8) -> Result<(u8, u8), Unreadable> {
    let code = reader.u8()?;
    let sequence = reader.u8()?;
    if fields >= FIELDS_WITH_TOKEN {
        reader.skip_ub(1)?;
    }
    Ok((code, sequence))
}

fn read_piggyback(reader: &mut Reader<'_>, fields: u8) -> Result<Piggyback, Unreadable> {
    match read_header(reader, fields)?.0 {
        105 => {
            reader.skip(1)?;
            let count = reader.count(CLOSED_MAX)?;
            (0..count).map(|_| reader.ub2()).collect::<Result<_, _>>().map(Piggyback::Close)
        }
        135 => read_tags(reader, fields).map(Piggyback::Tag),
        107 => reader.skip_ub(3).map(|()| Piggyback::Other),
        176 => reader.skip_ub(1).map(|()| Piggyback::Other),
        152 => {
            reader.skip(1)?;
            reader.long_text().map(Piggyback::Schema)
        }
        _ => Err(Unreadable::Wrong("an unknown piggyback")),
    }
}

fn read_tags(reader: &mut Reader<'_>, fields: u8) -> Result<Tags, Unreadable> {
    const CLIENT_IDENTIFIER: u32 = 0x01;
    const MODULE: u32 = 0x08;
    const ACTION: u32 = 0x10;
    const CLIENT_INFO: u32 = 0x100;
    reader.skip(2)?;
    let flags = reader.ub4()?;
    let length = |reader: &mut Reader<'_>| Ok((reader.u8()? != 0, reader.ub4()?));
    let [identifier, module, action] = [length(reader)?, length(reader)?, length(reader)?];
    length(reader)?;
    length(reader)?;
    let info = length(reader)?;
    length(reader)?;
    length(reader)?;
    let operation = if fields >= 7 { length(reader)? } else { (false, 0) };
    let mut take = |flag: u32, (set, length): (bool, u32)| -> Result<Option<String>, Unreadable> {
        // Of an empty text one client sends the count and others nothing; nothing else begins with a zero here.
        let sent = length > 0 || (set && reader.peek()? == 0);
        let bytes = if sent { reader.counted()? } else { Vec::new().into() };
        Ok((flags & flag != 0).then(|| text(&bytes)))
    };
    let tags = Tags {
        client_identifier: take(CLIENT_IDENTIFIER, identifier)?,
        module: take(MODULE, module)?,
        action: take(ACTION, action)?,
        client_info: take(CLIENT_INFO, info)?,
    };
    take(0, operation)?;
    Ok(tags)
}

/// The counts of an execute: what they say is there, is there, whatever its flags say.
struct Head {
    has_sql: bool,
    binds: usize,
    defines: usize,
}

fn read_head(reader: &mut Reader<'_>, fields: u8) -> Result<Head, Unreadable> {
    let has_sql = reader.u8()? != 0;
    let sql_length = reader.ub4()?;
    reader.skip(1)?;
    reader.skip_ub(1)?;
    reader.skip(2)?;
    reader.skip_ub(3)?;
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
    Ok(Head { has_sql: has_sql && sql_length > 0, binds, defines })
}

fn read_execute(
    reader: &mut Reader<'_>,
    fields: u8,
    known: &dyn Known,
) -> Result<Execute, Unreadable> {
    const SETTINGS: usize = 13;
    const QUERY: u64 = 1;
    const SCROLLABLE: u64 = 2;
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
        rows_wanted: u32::try_from(iterations).unwrap_or(u32::MAX),
        binds: None,
        rows: Ok(Vec::new()),
        scrollable: settings[9] & SCROLLABLE != 0,
    };
    if execute.has(Execute::DEFINE) {
        for _ in 0..head.defines {
            read_declared(reader, fields)?;
        }
    } else if head.binds > 0 {
        let text = sql.as_deref().or_else(|| known.sql(cursor)).unwrap_or_default();
        let plsql = execute.has(Execute::PLSQL);
        let binds = read_binds(reader, fields, head.binds, text)?;
        let rows = if settings[7] == QUERY { 1 } else { iterations.max(1) };
        execute.rows = read_rows(reader, &binds, rows, plsql, |bind| !bind.returning)?;
        execute.binds = Some(binds);
    }
    execute.sql = sql;
    Ok(execute)
}

fn read_binds(
    reader: &mut Reader<'_>,
    fields: u8,
    count: usize,
    sql: &str,
) -> Result<Vec<Declared>, Unreadable> {
    let first_returning = binds_before_returning(sql).unwrap_or(usize::MAX);
    let mut binds = Vec::new();
    for index in 0..count {
        let mut bind = read_declared(reader, fields)?;
        bind.returning = index >= first_returning;
        if bind.returning {
            bind.direction = Direction::Out;
        }
        binds.push(bind);
    }
    Ok(binds)
}

fn read_declared(reader: &mut Reader<'_>, fields: u8) -> Result<Declared, Unreadable> {
    const NATIONAL: u8 = 2;
    let code = reader.u8()?;
    let flags = reader.u8()?;
    reader.skip(2)?;
    let size = reader.ub4()?;
    let elements = reader.ub4()?;
    reader.skip_ub(1)?;
    reader.long_counted()?;
    reader.skip_ub(2)?;
    let national = reader.u8()? == NATIONAL;
    reader.skip_ub(if fields >= 8 { 2 } else { 1 })?;
    let (array, direction) = (elements > 0, Direction::In);
    Ok(Declared { code, flags, size, national, array, direction, returning: false })
}

/// Rows of values, for the binds that are sent; the others are NULL.
fn read_rows(
    reader: &mut Reader<'_>,
    binds: &[Declared],
    count: u64,
    plsql: bool,
    sent: impl Fn(&Declared) -> bool,
) -> Result<Rows, Unreadable> {
    let mut order: Vec<usize> = (0..binds.len()).filter(|index| sent(&binds[*index])).collect();
    if !plsql {
        order.sort_by_key(|index| binds[*index].is_long());
    }
    let mut rows = Vec::new();
    if order.is_empty() {
        return Ok(Ok(rows));
    }
    let mut refused = None;
    for done in 1..=count {
        if reader.u8()? != ROW {
            return Err(Unreadable::Wrong("something else where a row of binds was due"));
        }
        if usize::try_from(done).is_ok_and(|done| done * binds.len() > VALUES_MAX) {
            return Err(Unreadable::Wrong("too many values of binds"));
        }
        let mut row = vec![Value::Null; binds.len()];
        for index in &order {
            let bind = &binds[*index];
            match read_value(reader, bind)? {
                Read::Value(value) => row[*index] = value,
                Read::Refused(error) => refused = Some(error),
                // Nothing behind it can be found; the session throws away what has come.
                Read::Lost(error) => return Ok(Err(error)),
            }
        }
        rows.push(row);
    }
    Ok(refused.map_or(Ok(rows), Err))
}

/// What was read for a bind.
enum Read {
    Value(Value),
    /// It has been read, but cannot be used.
    Refused(OraError),
    /// Not even its end is known.
    Lost(OraError),
}

fn read_value(reader: &mut Reader<'_>, bind: &Declared) -> Result<Read, Unreadable> {
    if scalar::bind_type(bind.code, bind.size).is_none() {
        return Ok(Read::Lost(scalar::unsupported(bind.code)));
    }
    if bind.array {
        for _ in 0..reader.count(VALUES_MAX)? {
            reader.counted()?;
        }
        return Ok(Read::Refused(OraError::new(3_115, "unsupported network datatype: an array")));
    }
    let value = scalar::read_bind(bind.code, bind.national, &reader.counted()?)?;
    Ok(value.map_or_else(|| Read::Refused(scalar::overflow()), Read::Value))
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

/// How many binds stand before RETURNING ... INTO, if the statement has it. A client does not send values for those
/// behind it, so the wire must know as much of SQL.
fn binds_before_returning(sql: &str) -> Option<usize> {
    let mut words = Words { rest: sql };
    let first = words.next()?;
    if !["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|verb| first.eq_ignore_ascii_case(verb))
    {
        return None;
    }
    let (mut binds, mut returning) = (0, false);
    for word in words {
        if word.starts_with(':') {
            binds += 1;
        } else if word.eq_ignore_ascii_case("RETURNING") || word.eq_ignore_ascii_case("RETURN") {
            returning = true;
        } else if returning && word.eq_ignore_ascii_case("INTO") {
            return Some(binds);
        }
    }
    None
}

/// The words and binds of a statement, without literals, quoted names and comments.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let first = self.rest.chars().next()?;
            let skip_past = |end: &str, from: usize| {
                self.rest[from..].find(end).map_or(self.rest.len(), |at| from + at + end.len())
            };
            let name = |c: char| c.is_alphanumeric() || "_$#".contains(c);
            let length = match first {
                '\'' | '"' => skip_past(if first == '"' { "\"" } else { "'" }, 1),
                '-' if self.rest.starts_with("--") => skip_past("\n", 2),
                '/' if self.rest.starts_with("/*") => skip_past("*/", 2),
                ':' => 1 + self.rest[1..].find(|c| !name(c)).unwrap_or(self.rest.len() - 1),
                _ if name(first) => self.rest.find(|c| !name(c)).unwrap_or(self.rest.len()),
                other => other.len_utf8(),
            };
            let (word, rest) = self.rest.split_at(length);
            self.rest = rest;
            if name(first) || (first == ':' && length > 1) {
                return Some(word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        for length in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..length], 13), Err(Unreadable::Short), "{length}");
        }
    }

    #[test]
    fn an_emptied_tag_is_read_with_and_without_its_count() {
        let emptied = Tags { module: Some(String::new()), ..Tags::default() };
        for count in [&[0][..], &[]] {
            let mut bytes = vec![17, 135, 1, 0, 0, 1, 8, 0, 0, 1, 0];
            bytes.extend([0; 14]);
            bytes.extend(count);
            bytes.extend([3, 147, 2]);
            let call = read_all(&bytes, 13).expect("readable");
            assert_eq!(call.piggybacks, [Piggyback::Tag(emptied.clone())]);
            assert_eq!(call.function, Function::Ping);
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
        assert_eq!(execute.rows, Ok(vec![vec![Value::integer(1)], vec![Value::Null]]));
        assert_eq!(execute.binds.expect("binds")[0].size, 22);
        for length in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..length], 13), Err(Unreadable::Short), "{length}");
        }
    }

    #[test]
    fn only_binds_behind_returning_are_not_sent() {
        for (sql, before) in [
            ("update t set a = :1 where b = ':x' returning c into :2", Some(1)),
            ("insert into t values (:a, :b) /* :c */ RETURN d INTO :d", Some(2)),
            ("delete from t -- returning\n where a = :1", None),
            ("insert into \"returning\" select * from a", None),
            ("begin delete from t returning a into :1; end;", None),
            ("select * from t where returning = :1", None),
        ] {
            assert_eq!(binds_before_returning(sql), before, "{sql}");
        }
    }
}
