//! INSERT, UPDATE and DELETE to the rows that change. Nothing is changed here: the caller owns the tables.

use super::ast;
use super::environment::Environment;
use super::query::Inputs;
use crate::catalog::Catalog;
use crate::ora::OraError;
use crate::value::Value;

/// A parsed INSERT, UPDATE or DELETE.
#[derive(Debug, Clone, PartialEq)]
pub struct Dml(pub(crate) ast::Dml);

/// What a DML statement does to its one table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// The table, upper-case, with its owner if the statement named one.
    pub table: String,
    /// The rows.
    pub rows: Vec<Change>,
    /// What RETURNING gives: per bind place (or variable) its target, and one value per changed row.
    pub returning: Vec<Returned>,
}

/// A row that changes. Rows are named by their place in the order in which the catalog scans the table.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new row, with a value for every column of the table.
    Insert(Vec<Value>),
    /// Columns, by place in the table, and their new values.
    Update {
        /// The row.
        row: usize,
        /// The new values.
        values: Vec<(usize, Value)>,
    },
    /// The row goes.
    Delete {
        /// The row.
        row: usize,
    },
}

/// A target of RETURNING … INTO.
#[derive(Debug, Clone, PartialEq)]
pub struct Returned {
    /// The bind's place, or a variable of the block.
    pub target: Target,
    /// One value per changed row.
    pub values: Vec<Value>,
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bind, by place.
    Bind(usize),
    /// A variable, by upper-case name.
    Variable(String),
}

/// What the statement would do.
pub fn changes(
    dml: &Dml,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
) -> Result<Changes, OraError> {
    let _ = (dml, catalog, environment, inputs);
    Err(OraError::new(3001, "unimplemented feature"))
}
