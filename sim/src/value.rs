//! What a column or a bind can hold, in Oracle's types.

mod number;

pub use number::{NotANumber, Number};

/// A value; `Null` has no type of its own, and the empty string is `Null`, as in Oracle.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// NUMBER.
    Number(Number),
    /// VARCHAR2, CHAR, LONG.
    Text(String),
    /// DATE: seconds since 1970-01-01 00:00:00 of the database's own wall clock. A DATE has no zone.
    Date(i64),
    /// TIMESTAMP: the same with nanoseconds.
    Timestamp {
        /// Seconds, as for a DATE.
        seconds: i64,
        /// Nanoseconds within the second.
        nanos: u32,
    },
    /// TIMESTAMP WITH TIME ZONE.
    TimestampTz {
        /// Seconds since 1970 in UTC.
        seconds: i64,
        /// Nanoseconds within the second.
        nanos: u32,
        /// What has to be added to UTC for the shown time.
        offset_minutes: i16,
    },
    /// INTERVAL DAY TO SECOND, in nanoseconds.
    IntervalDs(i128),
    /// INTERVAL YEAR TO MONTH, in months.
    IntervalYm(i32),
    /// RAW.
    Raw(Vec<u8>),
    /// ROWID, as text.
    RowId(String),
    /// BINARY_DOUBLE.
    Double(f64),
}

impl Value {
    /// Text, where empty text is NULL.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    /// A whole number.
    pub fn integer(number: impl Into<i128>) -> Self {
        Self::Number(Number::integer(number.into()))
    }

    /// True for NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// `NUMBER(p, s)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// How many digits there are.
    pub precision: u32,
    /// How many of them stand behind the point.
    pub scale: i32,
}

/// The type of a column, as a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// NUMBER without precision.
    Number,
    /// VARCHAR2 of so many bytes.
    Varchar2(u32),
    /// CHAR of so many bytes.
    Char(u32),
    /// LONG.
    Long,
    /// DATE.
    Date,
    /// TIMESTAMP.
    Timestamp,
    /// TIMESTAMP WITH TIME ZONE.
    TimestampTz,
    /// INTERVAL DAY TO SECOND.
    IntervalDs,
    /// INTERVAL YEAR TO MONTH.
    IntervalYm,
    /// RAW of so many bytes.
    Raw(u32),
    /// ROWID.
    RowId,
    /// BINARY_DOUBLE.
    BinaryDouble,
}
