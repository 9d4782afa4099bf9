//! The types of results.

use super::{Kind, Typed};
use crate::ora::OraError;
use crate::sql::ast::Binary;
use crate::sql::code::Code;
use crate::value::{ColumnType, Value};

/// Types that compare and combine with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Number,
    Text,
    Time,
    IntervalDs,
    IntervalYm,
    Raw,
}

pub(crate) fn class(column_type: ColumnType) -> Class {
    match column_type {
        ColumnType::Number | ColumnType::BinaryDouble => Class::Number,
        ColumnType::Varchar2(_) | ColumnType::Char(_) | ColumnType::Long | ColumnType::RowId => {
            Class::Text
        }
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz => Class::Time,
        ColumnType::IntervalDs => Class::IntervalDs,
        ColumnType::IntervalYm => Class::IntervalYm,
        ColumnType::Raw(_) => Class::Raw,
    }
}

/// A type as error texts name it.
pub(crate) fn type_name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Number => "NUMBER",
        ColumnType::Varchar2(_) | ColumnType::Char(_) => "CHAR",
        ColumnType::Long => "LONG",
        ColumnType::Date => "DATE",
        ColumnType::Timestamp => "TIMESTAMP",
        ColumnType::TimestampTz => "TIMESTAMP WITH TIME ZONE",
        ColumnType::IntervalDs => "INTERVAL DAY TO SECOND",
        ColumnType::IntervalYm => "INTERVAL YEAR TO MONTH",
        ColumnType::Raw(_) => "BINARY",
        ColumnType::RowId => "ROWID",
        ColumnType::BinaryDouble => "BINARY_DOUBLE",
    }
}

pub(crate) fn inconsistent(expected: ColumnType, got: ColumnType, at: usize) -> OraError {
    let text =
        format!("inconsistent datatypes: expected {} got {}", type_name(expected), type_name(got));
    OraError::new(932, text).at(at)
}

/// Bytes of a type's values as text.
pub(crate) fn width(column_type: ColumnType) -> u32 {
    match column_type {
        ColumnType::Varchar2(bytes) | ColumnType::Char(bytes) => bytes,
        ColumnType::Raw(bytes) => bytes * 2,
        ColumnType::Number | ColumnType::BinaryDouble => 40,
        ColumnType::RowId => 18,
        ColumnType::Long => 4000,
        _ => 75,
    }
}

pub(crate) const NULL_TYPE: ColumnType = ColumnType::Varchar2(0);

/// What several values have in common; NULL literals do not count. `None`: nothing.
pub(crate) fn unified(types: &[ColumnType]) -> Option<ColumnType> {
    let mut result = NULL_TYPE;
    for column_type in types {
        if result == NULL_TYPE {
            result = *column_type;
        } else if *column_type != NULL_TYPE && result != *column_type {
            result = common(result, *column_type)?;
        }
    }
    Some(result)
}

fn common(a: ColumnType, b: ColumnType) -> Option<ColumnType> {
    if class(a) != class(b) {
        return None;
    }
    Some(match class(a) {
        Class::Text => ColumnType::Varchar2(width(a).max(width(b))),
        Class::Raw => ColumnType::Raw(width(a).max(width(b)) / 2),
        Class::Time if a == ColumnType::TimestampTz || b == ColumnType::TimestampTz => {
            ColumnType::TimestampTz
        }
        Class::Time => ColumnType::Timestamp,
        Class::Number => ColumnType::BinaryDouble,
        _ => a,
    })
}

/// The type of `left operator right`; the combinations that cannot be are ORA-00932 or ORA-00975.
pub(crate) fn arithmetic(
    operator: Binary,
    left: ColumnType,
    right: ColumnType,
    at: usize,
) -> Result<ColumnType, OraError> {
    let (a, b) = (class(left), class(right));
    // A NULL literal takes the place of whatever fits.
    if left == NULL_TYPE || right == NULL_TYPE {
        let other = if left == NULL_TYPE { right } else { left };
        return Ok(if class(other) == Class::Time { ColumnType::Date } else { ColumnType::Number });
    }
    let timestamp = |column_type| column_type != ColumnType::Date;
    match (operator, a, b) {
        (Binary::Add, Class::Time, Class::Time) => {
            Err(OraError::new(975, "date + date not allowed").at(at))
        }
        (Binary::Subtract, Class::Time, Class::Time) if timestamp(left) || timestamp(right) => {
            Ok(ColumnType::IntervalDs)
        }
        (Binary::Subtract, Class::Time, Class::Time) => Ok(ColumnType::Number),
        (Binary::Add | Binary::Subtract, Class::Time, Class::Number | Class::Text)
        | (Binary::Add, Class::Number | Class::Text, Class::Time) => Ok(ColumnType::Date),
        (Binary::Add | Binary::Subtract, Class::Time, Class::IntervalDs | Class::IntervalYm) => {
            Ok(left)
        }
        (Binary::Add, Class::IntervalDs | Class::IntervalYm, Class::Time) => Ok(right),
        (Binary::Add | Binary::Subtract, Class::IntervalDs, Class::IntervalDs)
        | (Binary::Add | Binary::Subtract, Class::IntervalYm, Class::IntervalYm)
        | (
            Binary::Multiply | Binary::Divide,
            Class::IntervalDs | Class::IntervalYm,
            Class::Number | Class::Text,
        ) => Ok(left),
        (Binary::Multiply, Class::Number | Class::Text, Class::IntervalDs | Class::IntervalYm) => {
            Ok(right)
        }
        (_, Class::Number | Class::Text, Class::Number | Class::Text) => {
            let double = left == ColumnType::BinaryDouble || right == ColumnType::BinaryDouble;
            Ok(if double { ColumnType::BinaryDouble } else { ColumnType::Number })
        }
        (_, Class::Number | Class::Text, _) => Err(inconsistent(ColumnType::Number, right, at)),
        (_, Class::Time, _) if b == Class::Number => {
            Err(inconsistent(ColumnType::Number, left, at))
        }
        _ => Err(inconsistent(left, right, at)),
    }
}

/// Whether two types can be compared at all.
pub(crate) fn comparable(left: ColumnType, right: ColumnType, at: usize) -> Result<(), OraError> {
    let (a, b) = (class(left), class(right));
    let mixed = matches!((a, b), (Class::Text, _) | (_, Class::Text));
    if a == b || mixed || left == NULL_TYPE || right == NULL_TYPE {
        return Ok(());
    }
    Err(inconsistent(left, right, at))
}

impl Typed {
    pub(crate) fn constant(value: Value, column_type: ColumnType) -> Self {
        let nullable = value.is_null();
        Self { code: Code::Const(value), kind: Kind::Sql(column_type), nullable }
    }

    pub(crate) fn sql(code: Code, column_type: ColumnType, nullable: bool) -> Self {
        Self { code, kind: Kind::Sql(column_type), nullable }
    }

    pub(crate) fn condition(code: Code) -> Self {
        Self { code, kind: Kind::Condition, nullable: true }
    }

    /// The type of a value; a condition counts as a NUMBER.
    pub(crate) fn column_type(&self) -> ColumnType {
        match self.kind {
            Kind::Sql(column_type) => column_type,
            Kind::Condition => ColumnType::Number,
        }
    }

    /// The same value, converted if its type is of another class.
    pub(crate) fn converted(self, to: ColumnType) -> Code {
        let from = self.column_type();
        let char_to_text =
            matches!(from, ColumnType::Char(_)) && matches!(to, ColumnType::Varchar2(_));
        if from == to || from == NULL_TYPE || char_to_text || to == NULL_TYPE {
            return self.code;
        }
        if class(from) == class(to) && class(to) != Class::Time && to != ColumnType::BinaryDouble {
            return self.code;
        }
        Code::Cast(Box::new(self.code), to, None)
    }
}

/// Whether a type is of another class than the first of several.
pub(crate) fn comparable_class(first: ColumnType, other: ColumnType) -> bool {
    other != NULL_TYPE && class(first) != class(other)
}
