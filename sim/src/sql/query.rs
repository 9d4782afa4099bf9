//! A SELECT to rows.

use std::collections::BTreeMap;

use super::ast;
use super::environment::Environment;
use crate::catalog::Catalog;
use crate::conversation::ResultColumn;
use crate::ora::OraError;
use crate::value::{ColumnType, Value};

/// A parsed SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Query(pub(crate) ast::Query);

/// What a statement reads besides tables: its binds, and the variables of the block that it stands in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// By place.
    pub binds: Vec<Input>,
    /// By upper-case name.
    pub variables: BTreeMap<String, Input>,
}

/// A bind or a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its declared type.
    pub column_type: ColumnType,
    /// Its value.
    pub value: Value,
}

/// A result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// The columns.
    pub columns: Vec<ResultColumn>,
    /// Cells of all rows, one row after the other.
    pub cells: Vec<Value>,
}

/// The columns that a query would give. Binds that are not there count as VARCHAR2.
pub fn describe(
    query: &Query,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
) -> Result<Vec<ResultColumn>, OraError> {
    let _ = (query, catalog, environment, inputs);
    Err(OraError::new(3001, "unimplemented feature"))
}

/// Runs a query.
pub fn run(
    query: &Query,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
) -> Result<Rows, OraError> {
    let _ = (query, catalog, environment, inputs);
    Err(OraError::new(3001, "unimplemented feature"))
}
