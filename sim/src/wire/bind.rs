//! Binds: how a client declares them, and the rows of their values. What cannot be used is read all the same, so that
//! only its call fails.

use super::codec::{Reader, Unreadable};
use super::scalar::{self, code};
use crate::conversation::{Array, Direction};
use crate::ora::OraError;
use crate::value::Value;

/// The most values of one request: 100,000 rows of ten columns. Each may take a single byte on the wire, and takes some
/// 32 here.
const VALUES_MAX: usize = 1_000_000;
const ROW: u8 = 7;

/// What a request gives to binds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Given {
    /// Rows of values, NULL for what is an array.
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) arrays: Vec<Array>,
}

/// The same, or why the call fails.
pub(super) type Rows = Result<Given, OraError>;

/// How a client declared a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) code: u8,
    flags: u8,
    pub(super) size: u32,
    pub(super) national: bool,
    /// The most elements, if it is an array.
    room: u32,
    pub(super) direction: Direction,
    /// It takes what RETURNING gives.
    pub(super) returning: bool,
}

impl Declared {
    /// True if a return code follows each value that is sent back: where the client asks for one, and where a client
    /// library asks its program for room only when the value has come.
    pub(super) const fn wants_return_code(&self) -> bool {
        self.flags & 0x06 != 0
    }

    /// True if a client library was given no variable for it. Nothing is sent for it either.
    pub(super) const fn is_unbound(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// True if a block is to open it.
    pub(super) const fn is_cursor(&self) -> bool {
        self.code == code::CURSOR
    }

    /// True if it is an array of PL/SQL.
    pub(super) const fn is_array(&self) -> bool {
        self.room > 0
    }

    /// True if it comes behind all others: it may be longer than any string.
    const fn is_long(&self) -> bool {
        self.size > 32_767
    }
}

pub(super) fn read_binds(
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

pub(super) fn read_declared(reader: &mut Reader<'_>, fields: u8) -> Result<Declared, Unreadable> {
    const NATIONAL: u8 = 2;
    let code = reader.u8()?;
    let flags = reader.u8()?;
    reader.skip(2)?;
    let size = reader.ub4()?;
    let room = reader.ub4()?;
    reader.skip_ub(1)?;
    reader.long_counted()?;
    reader.skip_ub(2)?;
    let national = reader.u8()? == NATIONAL;
    reader.skip_ub(if fields >= 8 { 2 } else { 1 })?;
    let direction = Direction::In;
    Ok(Declared { code, flags, size, national, room, direction, returning: false })
}

/// Rows of values, for the binds that are sent; the others are NULL.
pub(super) fn read_rows(
    reader: &mut Reader<'_>,
    binds: &[Declared],
    count: u64,
    plsql: bool,
    sent: impl Fn(&Declared) -> bool,
) -> Result<Rows, Unreadable> {
    let is_there = |bind: &Declared| sent(bind) && !bind.is_unbound();
    let mut order: Vec<usize> = (0..binds.len()).filter(|index| is_there(&binds[*index])).collect();
    if !plsql {
        order.sort_by_key(|index| binds[*index].is_long());
    }
    let mut given = Given { rows: Vec::new(), arrays: arrays(binds) };
    // A client library that has run a block knows which binds only come back. If all do, it sends nothing.
    let none = reader.is_at_end();
    if order.is_empty() || none {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count.saturating_mul(binds.len().max(1)) > VALUES_MAX {
            return Err(Unreadable::Wrong("too many values of binds"));
        }
        given.rows = vec![vec![Value::Null; binds.len()]; count];
        return Ok(Ok(given));
    }
    let mut elements = 0;
    let mut refused = (count > 1 && !given.arrays.is_empty())
        .then(|| OraError::new(3_115, "unsupported network datatype: several rows with arrays"));
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
                Read::Array(array) => {
                    elements += array.len();
                    if elements > VALUES_MAX {
                        return Err(Unreadable::Wrong("too many values of binds"));
                    }
                    if let Some(one) = given.arrays.iter_mut().find(|one| one.place == *index) {
                        one.elements = array;
                    }
                }
                Read::Refused(error) => refused = Some(error),
                // Nothing behind it can be found.
                Read::Lost(error) => {
                    reader.lose();
                    return Ok(Err(error));
                }
            }
        }
        given.rows.push(row);
    }
    Ok(refused.map_or(Ok(given), Err))
}

/// The binds that are arrays, empty.
fn arrays(binds: &[Declared]) -> Vec<Array> {
    let arrays = binds.iter().enumerate().filter(|(_, bind)| bind.is_array());
    let room = |bind: &Declared| usize::try_from(bind.room).unwrap_or(usize::MAX);
    arrays.map(|(place, bind)| Array { place, elements: Vec::new(), room: room(bind) }).collect()
}

/// What was read for a bind.
enum Read {
    Value(Value),
    /// The elements of an array.
    Array(Vec<Value>),
    /// It has been read, but cannot be used.
    Refused(OraError),
    /// Not even its end is known.
    Lost(OraError),
}

fn read_value(reader: &mut Reader<'_>, bind: &Declared) -> Result<Read, Unreadable> {
    if bind.is_cursor() && !bind.is_array() {
        let known = *reader.counted()? == [1];
        let number = if known { reader.ub4()? } else { 0 };
        return Ok(Read::Value(Value::integer(number)));
    }
    if bind.is_cursor() || scalar::bind_type(bind.code, bind.size).is_none() {
        let known = pass_over(reader, bind)?;
        let error = scalar::unsupported(bind.code);
        return Ok(if known { Read::Refused(error) } else { Read::Lost(error) });
    }
    if bind.is_array() {
        let mut elements = Some(Vec::new());
        for _ in 0..reader.count(VALUES_MAX)? {
            let element = scalar::read_bind(bind.code, bind.national, &reader.counted()?)?;
            elements = elements.zip(element).map(|(mut all, one)| {
                all.push(one);
                all
            });
        }
        return Ok(elements.map_or_else(|| Read::Refused(scalar::overflow()), Read::Array));
    }
    let value = scalar::read_bind(bind.code, bind.national, &reader.counted()?)?;
    Ok(value.map_or_else(|| Read::Refused(scalar::overflow()), Read::Value))
}

/// Passes over a value that cannot be used; false if its form is not known either.
fn pass_over(reader: &mut Reader<'_>, bind: &Declared) -> Result<bool, Unreadable> {
    let count = if bind.is_array() { reader.count(VALUES_MAX)? } else { 1 };
    for _ in 0..count {
        match bind.code {
            code::CURSOR => {
                if *reader.counted()? == [1] {
                    reader.skip_ub(1)?;
                }
            }
            code::CLOB | code::BLOB | code::BFILE => drop(reader.long_counted()?),
            code::JSON | code::VECTOR => {
                // A locator that says how long the value is, and the value.
                if !reader.long_counted()?.is_empty() {
                    reader.counted()?;
                }
            }
            code::OBJECT => {
                reader.long_counted()?;
                reader.long_counted()?;
                reader.skip_ub(2)?;
                let packed = reader.ub4()?;
                reader.skip_ub(1)?;
                if packed > 0 {
                    reader.counted()?;
                }
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
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
