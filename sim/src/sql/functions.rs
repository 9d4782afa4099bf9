//! The functions of SQL, by name. Those that do not look at all their arguments (DECODE, COALESCE, …) are not here:
//! the compiler makes codes of them.

mod numeric;
mod regexp;
pub(crate) mod rowid;
mod session;
mod text;
mod time;
mod various;

use super::evaluate::Evaluator;
use super::evaluate::convert;
use crate::ora::OraError;
use crate::value::{Number, Value};

pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// How many arguments at least, and at most.
    pub(crate) arity: (usize, usize),
    pub(crate) gives: Gives,
    pub(crate) run: fn(&Evaluator<'_>, &[Value]) -> Result<Value, OraError>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The type of a function's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    Number,
    /// VARCHAR2 of so many bytes.
    Text(u32),
    /// What TO_CHAR gives: as long as the first argument, or as what its format makes of it.
    Shown,
    /// VARCHAR2 as long as the first argument.
    TextAsFirst,
    /// VARCHAR2 as long as the second argument says.
    TextAsSecond,
    /// What the first argument is, if it is a time; else NUMBER.
    TimeOrNumber,
    /// What the arguments have in common, in the way of the first.
    First,
    Date,
    Timestamp,
    TimestampTz,
    IntervalDs,
    IntervalYm,
    Raw(u32),
    RowId,
    /// BINARY_DOUBLE, which stands for BINARY_FLOAT too.
    Double,
}

/// Functions without parentheses.
pub(crate) const BARE: [&str; 10] = [
    "SYSDATE",
    "SYSTIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "LOCALTIMESTAMP",
    "USER",
    "UID",
    "DBTIMEZONE",
    "SESSIONTIMEZONE",
    "SYS_GUID",
];

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let all = [
        text::FUNCTIONS,
        numeric::FUNCTIONS,
        time::FUNCTIONS,
        session::FUNCTIONS,
        regexp::FUNCTIONS,
        rowid::FUNCTIONS,
        various::FUNCTIONS,
    ];
    all.into_iter().flatten().find(|function| function.name == name)
}

const fn function(
    name: &'static str,
    arity: (usize, usize),
    gives: Gives,
    run: fn(&Evaluator<'_>, &[Value]) -> Result<Value, OraError>,
) -> Function {
    Function { name, arity, gives, run }
}

/// The argument as text, `None` if it is NULL or not there.
fn text_of(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    place: usize,
) -> Result<Option<String>, OraError> {
    values.get(place).map_or(Ok(None), |value| convert::text(value, evaluator.environment))
}

/// The argument as a number.
fn number_of(values: &[Value], place: usize) -> Result<Option<Number>, OraError> {
    values.get(place).map_or(Ok(None), convert::number)
}

/// The argument as a whole number; `default` if it is not there, `None` if it is NULL.
fn whole_of(values: &[Value], place: usize, default: i64) -> Result<Option<i64>, OraError> {
    values.get(place).map_or(Ok(Some(default)), convert::whole)
}
