//! The value of a resolved expression for one row.

pub(crate) mod arithmetic;
pub(crate) mod compare;
pub(crate) mod convert;
mod tree;

use std::borrow::Cow;

use super::ast::Binary;
use super::code::{Code, Column, Key, Rows, Subquery};
use super::environment::Environment;
use super::execute::row_bytes;
use super::execute::tree::Tree;
use super::meter::Meter;
use crate::catalog::Catalog;
use crate::ora::OraError;
use crate::value::{Number, Value};

/// What evaluating needs besides the row.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'e> {
    pub(crate) catalog: &'e dyn Catalog,
    pub(crate) environment: &'e dyn Environment,
    pub(crate) meter: &'e Meter,
    pub(crate) texts: Texts,
}

/// How long a text can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    /// In SQL, with MAX_STRING_SIZE=STANDARD.
    Sql,
    /// In a block.
    Plsql,
}

impl Texts {
    /// In bytes.
    pub(crate) const fn most(self) -> usize {
        match self {
            Self::Sql => 4_000,
            Self::Plsql => 32_767,
        }
    }

    /// Whether a text of so many bytes can be made. The error is ORA-01489 or ORA-06502.
    pub(crate) fn check(self, bytes: usize) -> Result<(), OraError> {
        match self {
            _ if bytes <= self.most() => Ok(()),
            Self::Sql => Err(OraError::new(1489, "result of string concatenation is too long")),
            Self::Plsql => {
                let text = "PL/SQL: numeric or value error: character string buffer too small";
                Err(OraError::new(6502, text))
            }
        }
    }

    /// A text that was made of others.
    pub(crate) fn made(self, text: String) -> Result<Value, OraError> {
        self.check(text.len()).map(|()| Value::text(text))
    }
}

/// A row, and the rows around it.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'f> {
    /// The rows of each source of the block.
    pub(crate) data: &'f [Rows],
    pub(crate) row: Row<'f>,
    pub(crate) parent: Option<&'f Frame<'f>>,
    pub(crate) rownum: i64,
    /// Where the row stands in a hierarchy.
    pub(crate) tree: Option<(&'f Tree, usize)>,
    /// The row that PRIOR means while the hierarchy is built.
    pub(crate) prior: Option<&'f [u32]>,
    pub(crate) aggregates: &'f [Value],
    pub(crate) windows: &'f [Value],
}

#[derive(Clone, Copy)]
pub(crate) enum Row<'f> {
    /// Per source the place of its row; [`NO_ROW`] stands for a row of NULLs.
    Joined(&'f [u32]),
    /// The row of the only source, or of the one that is being read.
    Direct(&'f [Value]),
}

/// The other side of an outer join.
pub(crate) const NO_ROW: u32 = u32::MAX;

static NULL: Value = Value::Null;

impl<'f> Frame<'f> {
    pub(crate) fn new(data: &'f [Rows], row: Row<'f>, parent: Option<&'f Frame<'f>>) -> Self {
        Self {
            data,
            row,
            parent,
            rownum: 0,
            tree: None,
            prior: None,
            aggregates: &[],
            windows: &[],
        }
    }

    /// A frame without a row.
    pub(crate) fn empty() -> Self {
        Self::new(&[], Row::Joined(&[]), None)
    }

    fn column(&self, column: &Column) -> &'f Value {
        let mut frame = self;
        for _ in 0..column.depth {
            match frame.parent {
                Some(parent) => frame = parent,
                None => return &NULL,
            }
        }
        match frame.row {
            Row::Direct(values) => values.get(column.slot).unwrap_or(&NULL),
            Row::Joined(row) => frame.cell(row, column),
        }
    }

    fn cell(&self, row: &[u32], column: &Column) -> &'f Value {
        let place = row.get(column.source).copied().unwrap_or(NO_ROW);
        if place == NO_ROW {
            return &NULL;
        }
        self.data[column.source]
            .get(place as usize)
            .and_then(|values| values.get(column.slot))
            .unwrap_or(&NULL)
    }
}

/// A condition's value as a NUMBER.
pub(crate) fn truth(result: Option<bool>) -> Value {
    result.map_or(Value::Null, |truth| Value::integer(u8::from(truth)))
}

impl Evaluator<'_> {
    /// The value, borrowed where it stands in a row.
    pub(crate) fn cow<'v>(
        &self,
        code: &'v Code,
        frame: &Frame<'v>,
    ) -> Result<Cow<'v, Value>, OraError> {
        match code {
            Code::Const(value) => Ok(Cow::Borrowed(value)),
            Code::Column(column) => Ok(Cow::Borrowed(frame.column(column))),
            Code::Aggregate(place) => {
                Ok(Cow::Borrowed(frame.aggregates.get(*place).unwrap_or(&NULL)))
            }
            Code::Window(place) => Ok(Cow::Borrowed(frame.windows.get(*place).unwrap_or(&NULL))),
            _ => self.value(code, frame).map(Cow::Owned),
        }
    }

    /// The value.
    pub(crate) fn value(&self, code: &Code, frame: &Frame<'_>) -> Result<Value, OraError> {
        match code {
            Code::Const(value) => Ok(value.clone()),
            Code::Column(column) => Ok(frame.column(column).clone()),
            Code::Aggregate(place) => {
                Ok(frame.aggregates.get(*place).cloned().unwrap_or(Value::Null))
            }
            Code::Window(place) => Ok(frame.windows.get(*place).cloned().unwrap_or(Value::Null)),
            Code::RowNum => Ok(Value::integer(frame.rownum)),
            Code::Level
            | Code::IsLeaf
            | Code::IsCycle
            | Code::Prior(_)
            | Code::Root(_)
            | Code::Path(..) => self.hierarchical(code, frame),
            Code::Negate(inner) => arithmetic::negate(&self.value(inner, frame)?),
            Code::Arithmetic(..) | Code::Concat(..) => self.chain(code, frame),
            Code::Scalar(query) => self.scalar(query, frame),
            Code::Case { arms, otherwise } => {
                for (when, then) in arms {
                    if self.test(when, frame)? == Some(true) {
                        return self.value(then, frame);
                    }
                }
                self.value(otherwise, frame)
            }
            Code::Decode(_) | Code::Coalesce(_) | Code::Nvl2(_) => self.choice(code, frame),
            Code::Call(function, arguments) => {
                let values: Result<Vec<Value>, OraError> =
                    arguments.iter().map(|argument| self.value(argument, frame)).collect();
                (function.run)(self, &values?)
            }
            Code::Cast(inner, column_type, scale) => {
                convert::cast(self.value(inner, frame)?, *column_type, *scale, self.environment)
            }
            Code::Extract(field, inner) => arithmetic::extract(field, &self.value(inner, frame)?),
            Code::Rescue(first, second) => match self.value(first, frame) {
                Err(error) if convert::failed(&error) => self.value(second, frame),
                result => result,
            },
            Code::AtTimeZone(inner, zone) => {
                let zone = self.text(zone, frame)?.unwrap_or_default();
                convert::at_time_zone(&self.value(inner, frame)?, &zone, self.environment)
            }
            _ => self.test(code, frame).map(truth),
        }
    }

    /// Arithmetic and `||`, from the first operand on, so that a long chain takes no deep stack.
    fn chain(&self, code: &Code, frame: &Frame<'_>) -> Result<Value, OraError> {
        let mut links = Vec::new();
        let mut first = code;
        while let Code::Arithmetic(_, left, _) | Code::Concat(left, _) = first {
            links.push(first);
            first = left;
        }
        let mut sum = self.value(first, frame)?;
        for link in links.into_iter().rev() {
            sum = match link {
                Code::Arithmetic(operator, _, right) => {
                    arithmetic::apply(*operator, &sum, &*self.cow(right, frame)?)?
                }
                Code::Concat(_, right) => {
                    let left = match sum {
                        Value::Text(text) => text,
                        other => convert::text(&other, self.environment)?.unwrap_or_default(),
                    };
                    self.texts.made(left + &self.text(right, frame)?.unwrap_or_default())?
                }
                _ => sum,
            };
        }
        Ok(sum)
    }

    /// The value as text; `None` for NULL.
    pub(crate) fn text(&self, code: &Code, frame: &Frame<'_>) -> Result<Option<String>, OraError> {
        convert::text(&*self.cow(code, frame)?, self.environment)
    }

    /// DECODE, COALESCE and NVL2 look only at what they need.
    fn choice(&self, code: &Code, frame: &Frame<'_>) -> Result<Value, OraError> {
        match code {
            Code::Decode(list) => {
                let wanted = self.value(&list[0], frame)?;
                let mut rest = &list[1..];
                while let [search, result, behind @ ..] = rest {
                    let found = self.cow(search, frame)?;
                    let equal = match (wanted.is_null(), found.is_null()) {
                        (true, true) => true,
                        (false, false) => {
                            compare::order(&wanted, &found, self.environment)?.is_eq()
                        }
                        _ => false,
                    };
                    if equal {
                        return self.value(result, frame);
                    }
                    rest = behind;
                }
                rest.first().map_or(Ok(Value::Null), |otherwise| self.value(otherwise, frame))
            }
            Code::Coalesce(list) => {
                for part in list {
                    let value = self.value(part, frame)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            Code::Nvl2(list) => {
                let [tested, filled, empty] = &**list;
                let chosen = if self.cow(tested, frame)?.is_null() { empty } else { filled };
                self.value(chosen, frame)
            }
            _ => Ok(Value::Null),
        }
    }

    /// A condition; `None` for unknown.
    pub(crate) fn test(&self, code: &Code, frame: &Frame<'_>) -> Result<Option<bool>, OraError> {
        match code {
            Code::Compare { operator, left, right, padded } => {
                let (left, right) = (self.cow(left, frame)?, self.cow(right, frame)?);
                compare::compare(*operator, &left, &right, *padded, self.environment)
            }
            Code::And(list) => self.all(list, frame),
            Code::Or(list) => {
                let mut result = Some(false);
                for code in list {
                    match self.test(code, frame)? {
                        Some(true) => return Ok(Some(true)),
                        None => result = None,
                        Some(false) => {}
                    }
                }
                Ok(result)
            }
            Code::Not(inner) => Ok(self.test(inner, frame)?.map(|truth| !truth)),
            Code::IsNull(inner) => Ok(Some(self.cow(inner, frame)?.is_null())),
            Code::Like { value, pattern, escape } => {
                let escape = match escape {
                    Some(escape) => Some(self.text(escape, frame)?),
                    None => None,
                };
                let (Some(value), Some(pattern)) =
                    (self.text(value, frame)?, self.text(pattern, frame)?)
                else {
                    return Ok(None);
                };
                compare::like(
                    &value,
                    &pattern,
                    escape.map(std::option::Option::unwrap_or_default).as_deref(),
                )
                .map(Some)
            }
            Code::Exists(query) => Ok(Some(!self.rows(query, frame, Some(1))?.is_empty())),
            Code::Quantified { operator, all, values, query } => {
                let values: Result<Vec<Value>, OraError> =
                    values.iter().map(|value| self.value(value, frame)).collect();
                self.quantified(*operator, *all, &values?, query, frame)
            }
            _ => match self.value(code, frame)? {
                Value::Null => Ok(None),
                value => Ok(Some(convert::number(&value)? != Some(Number::integer(0)))),
            },
        }
    }

    /// AND.
    pub(crate) fn all(&self, list: &[Code], frame: &Frame<'_>) -> Result<Option<bool>, OraError> {
        let mut result = Some(true);
        for code in list {
            match self.test(code, frame)? {
                Some(false) => return Ok(Some(false)),
                None => result = None,
                Some(true) => {}
            }
        }
        Ok(result)
    }

    /// True if every condition holds.
    pub(crate) fn holds(&self, list: &[Code], frame: &Frame<'_>) -> Result<bool, OraError> {
        self.meter.step(1)?;
        for code in list {
            if self.test(code, frame)? != Some(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The rows of a subquery; those of an uncorrelated one are read once.
    fn rows(
        &self,
        query: &Subquery,
        frame: &Frame<'_>,
        most: Option<usize>,
    ) -> Result<Rows, OraError> {
        if let Some(rows) = query.cache.get() {
            return Ok(Rows::clone(rows));
        }
        if query.correlated {
            return self.run(&query.plan, Some(frame), most).map(Rows::new);
        }
        let rows = self.run(&query.plan, Some(frame), None)?;
        self.meter.keep(rows.iter().map(|row| row_bytes(row)).sum())?;
        Ok(Rows::clone(query.cache.get_or_init(|| Rows::new(rows))))
    }

    fn scalar(&self, query: &Subquery, frame: &Frame<'_>) -> Result<Value, OraError> {
        let rows = self.rows(query, frame, Some(2))?;
        if rows.len() > 1 {
            return Err(OraError::new(1427, "single-row subquery returns more than one row"));
        }
        Ok(rows.first().and_then(|row| row.first()).cloned().unwrap_or(Value::Null))
    }

    fn quantified(
        &self,
        operator: Binary,
        all: bool,
        values: &[Value],
        query: &Subquery,
        frame: &Frame<'_>,
    ) -> Result<Option<bool>, OraError> {
        let rows = self.rows(query, frame, None)?;
        if let ([value], Binary::Equal, false, false) = (values, operator, all, query.correlated) {
            return self.member(value, query, &rows);
        }
        let mut result = Some(all);
        self.meter.step(rows.len())?;
        for row in rows.iter() {
            let mut equal = Some(true);
            for (value, other) in values.iter().zip(row) {
                match compare::compare(operator, value, other, false, self.environment)? {
                    Some(false) => {
                        equal = Some(false);
                        break;
                    }
                    None => equal = None,
                    Some(true) => {}
                }
            }
            match equal {
                Some(truth) if truth != all => return Ok(Some(!all)),
                None => result = None,
                Some(_) => {}
            }
        }
        Ok(result)
    }

    /// IN over an uncorrelated query, by a hash of its values where their types agree.
    fn member(
        &self,
        value: &Value,
        query: &Subquery,
        rows: &Rows,
    ) -> Result<Option<bool>, OraError> {
        let (keys, null) = query.keys.get_or_init(|| {
            let keys: std::collections::HashSet<Key> =
                rows.iter().filter_map(|row| row.first()).map(Key::of).collect();
            let null = keys.contains(&Key::Null);
            (keys, null)
        });
        if value.is_null() {
            return Ok(if rows.is_empty() { Some(false) } else { None });
        }
        if keys.contains(&Key::of(value)) {
            return Ok(Some(true));
        }
        let key = std::mem::discriminant(value);
        let other = rows.iter().filter_map(|row| row.first()).find(|other| !other.is_null());
        if other.is_some_and(|other| std::mem::discriminant(other) != key) {
            self.meter.step(rows.len())?;
            for other in rows.iter().filter_map(|row| row.first()).filter(|other| !other.is_null())
            {
                if compare::order(value, other, self.environment)?.is_eq() {
                    return Ok(Some(true));
                }
            }
        }
        Ok(if *null { None } else { Some(false) })
    }
}
