//! Tables: what a statement can read. The fixed views of a cluster are tables, and so are a few of the dictionary's.
//!
//! - [`account`]: who may log in, and what has been granted to whom.
//! - `heap`: ordinary tables with rows that can be locked.
//! - [`books`]: what a database knows besides its cluster: accounts, tables, parameters, services.
//! - `definition`: the columns of every view, per release.
//! - `rowid`: how rows are addressed.
//! - `view`: one session's sight of all this; names, privileges, instances and containers are decided there.
//! - `session`, `fixed`, `activity`, `facility`, `global`, `dictionary`, `schema`, `storage`: the rows.

pub mod account;
mod activity;
pub mod books;
mod cell;
mod definition;
mod dictionary;
mod facility;
mod fixed;
mod global;
pub(crate) mod heap;
pub(crate) mod rowid;
mod schema;
mod session;
mod storage;
#[cfg(test)]
mod tests;
pub(crate) mod view;

pub(crate) use dictionary::default_nls;

use crate::ora::OraError;
use crate::value::{ColumnType, Digits, Value};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, upper-case: `SERIAL#`.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// What a NUMBER holds, if it was declared.
    pub digits: Option<Digits>,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// What a statement can read, as one session sees it at one moment: names that the session cannot resolve are not
/// there. Rows are produced when they are asked for, and only the columns that are asked for.
pub trait Catalog {
    /// The columns of a table, by the name that the statement used, upper-case, with its owner if there was one:
    /// `V$SESSION`, `SYS.GV_$SESSION`. The error is ORA-00942 or ORA-01031, as the account deserves.
    fn columns(&self, table: &str) -> Result<&[Column], OraError>;

    /// The same for INSERT, which takes another right.
    fn columns_to_fill(&self, table: &str) -> Result<&[Column], OraError> {
        self.columns(table)
    }

    /// Calls `row` for every row with the values of `wanted`, in that order. `row` returns false to stop.
    fn scan(
        &self,
        table: &str,
        wanted: &[usize],
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError>;

    /// The ROWID of a row that is about to be inserted, the first, second … of a statement. `None` where rows have no
    /// ROWID; where they have one, it is scanned as the column behind the last.
    fn new_rowid(&self, _table: &str, _ordinal: u32) -> Option<Value> {
        None
    }
}
