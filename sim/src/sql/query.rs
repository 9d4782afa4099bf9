//! A SELECT to rows.

use std::collections::BTreeMap;

use super::ast;
use super::compile::{self, Compiler};
use super::environment::Environment;
use super::evaluate::{Evaluator, Texts};
use super::meter::Meter;
use crate::catalog::Catalog;
use crate::conversation::ResultColumn;
use crate::ora::OraError;
use crate::value::{ColumnType, Value};

/// More binds than this are not described.
const BINDS_MAX: usize = 1000;

/// A parsed SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Query(pub(crate) ast::Query);

impl Query {
    /// The query that gives the ROWIDs of these tables instead of the select list. ORA-01786 or ORA-02014 if its rows
    /// are no rows of tables.
    pub(crate) fn rowids(&self, aliases: &[&str]) -> Result<Self, OraError> {
        let refused = || {
            OraError::new(2014, "cannot select FOR UPDATE from view with DISTINCT, GROUP BY, etc.")
        };
        let mut query = self.0.clone();
        let expression =
            || OraError::new(1786, "FOR UPDATE of this query expression is not allowed");
        let ast::Body::Select(select) = &mut query.body else { return Err(expression()) };
        let plain = !select.distinct && select.group.is_empty() && select.having.is_none();
        let mut items = select.items.clone();
        let aggregates = items.iter_mut().any(|item| match item {
            ast::Item::Expr { value, .. } => super::compile::aggregates(value),
            _ => false,
        });
        if !plain || aggregates {
            return Err(expression());
        }
        if select.connect.is_some() || query.limit.is_some() {
            return Err(refused());
        }
        let item = |alias: &&str| {
            let parts = vec![(*alias).to_owned(), "ROWID".to_owned()];
            let kind = ast::ExprKind::Name { parts, outer: false };
            let value = ast::Expr { kind, at: 0 };
            ast::Item::Expr { value, name: "ROWID".to_owned(), alias: false }
        };
        select.items = aliases.iter().map(item).collect();
        query.order.clear();
        Ok(Self(query))
    }
}

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
    _environment: &dyn Environment,
    inputs: &Inputs,
) -> Result<Vec<ResultColumn>, OraError> {
    let mut inputs = inputs.clone();
    inputs.binds.extend(compile::unset(BINDS_MAX.saturating_sub(inputs.binds.len())).binds);
    let compiler = Compiler::new(catalog, &inputs);
    let (plan, _) = compiler.plan(&query.0, None, None)?;
    Ok(plan.columns)
}

/// Runs a query, however long it takes.
pub fn run(
    query: &Query,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
) -> Result<Rows, OraError> {
    metered(query, catalog, environment, inputs, &Meter::unlimited())
}

/// Runs a query as far as the meter lets it.
pub fn metered(
    query: &Query,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
    meter: &Meter,
) -> Result<Rows, OraError> {
    let compiler = Compiler::new(catalog, inputs);
    let (plan, _) = compiler.plan(&query.0, None, None)?;
    let evaluator = Evaluator { catalog, environment, meter, texts: Texts::Sql };
    let rows = evaluator.run(&plan, None, None)?;
    let mut cells = Vec::with_capacity(rows.len() * plan.columns.len());
    for row in rows {
        cells.extend(row);
    }
    Ok(Rows { columns: plan.columns, cells })
}
