//! INSERT, UPDATE, DELETE and MERGE to the rows that change. Nothing is changed here: the caller owns the tables.

mod merge;

use super::ast;
use super::code::Code;
use super::compile::{Compiler, Scope};
use super::environment::Environment;
use super::evaluate::{Evaluator, Frame, Row, Texts, convert};
use super::meter::Meter;
use super::query::Inputs;
use crate::catalog::{Catalog, Column};
use crate::ora::OraError;
use crate::value::{ColumnType, Value};

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

/// What the statement would do, however long it takes.
pub fn changes(
    dml: &Dml,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
) -> Result<Changes, OraError> {
    metered(dml, catalog, environment, inputs, &Meter::unlimited())
}

/// What the statement would do, as far as the meter lets it.
pub fn metered(
    dml: &Dml,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
    inputs: &Inputs,
    meter: &Meter,
) -> Result<Changes, OraError> {
    let compiler = Compiler::new(catalog, inputs);
    let evaluator = Evaluator { catalog, environment, meter, texts: Texts::Sql };
    let work = Work { compiler, evaluator };
    match &dml.0 {
        ast::Dml::Merge(merge) => work.merge(merge),
        ast::Dml::Insert { table, columns, source, returning, at } => {
            work.insert(table, columns, source, returning, *at)
        }
        ast::Dml::Update { table, alias, set, filter, returning, at } => {
            let target = TableName { name: table, alias: alias.as_ref(), at: *at };
            work.existing(&target, Some(set), filter.as_ref(), returning)
        }
        ast::Dml::Delete { table, alias, filter, returning, at } => {
            let target = TableName { name: table, alias: alias.as_ref(), at: *at };
            work.existing(&target, None, filter.as_ref(), returning)
        }
    }
}

struct Work<'w> {
    compiler: Compiler<'w>,
    evaluator: Evaluator<'w>,
}

struct TableName<'t> {
    name: &'t [String],
    alias: Option<&'t String>,
    at: usize,
}

/// `column = expression`, and where the column stands.
type Set = (String, usize, ast::Expr);

impl Work<'_> {
    fn insert(
        &self,
        table: &[String],
        named: &[(String, usize)],
        source: &ast::InsertSource,
        returning: &ast::Returning,
        at: usize,
    ) -> Result<Changes, OraError> {
        let (scope, columns) = self.compiler.scope_to_fill(table, at)?;
        let places = if named.is_empty() {
            (0..columns.len()).collect()
        } else {
            places(&columns, named.iter().map(|(name, at)| (name, *at)))?
        };
        let given = match source {
            ast::InsertSource::Values(values) => {
                counts_agree(values.len(), places.len(), at)?;
                let empty = Scope::empty();
                let frame = Frame::empty();
                let row = values.iter().map(|value| {
                    let code = self.compiler.value(value, &empty)?.code;
                    self.evaluator.value(&code, &frame)
                });
                vec![row.collect::<Result<Vec<Value>, OraError>>()?]
            }
            ast::InsertSource::Query(query) => {
                let (plan, _) = self.compiler.plan(query, None, None)?;
                counts_agree(plan.columns.len(), places.len(), at)?;
                self.evaluator.run(&plan, None, None)?
            }
        };
        let mut rows = Vec::new();
        for values in given {
            rows.push(self.new_row(values, &places, &columns, table)?);
        }
        let mut shown = rows.clone();
        for (ordinal, row) in (0..).zip(&mut shown) {
            row.extend(self.evaluator.catalog.new_rowid(&table.join("."), ordinal));
        }
        let returning = self.returning(returning, &scope, &shown)?;
        Ok(Changes {
            table: table.join("."),
            rows: rows.into_iter().map(Change::Insert).collect(),
            returning,
        })
    }

    /// A row of values for some of the columns.
    fn new_row(
        &self,
        values: Vec<Value>,
        places: &[usize],
        columns: &[Column],
        table: &[String],
    ) -> Result<Vec<Value>, OraError> {
        let mut row = vec![Value::Null; columns.len()];
        for (place, value) in places.iter().zip(values) {
            row[*place] = value;
        }
        for (column, value) in columns.iter().zip(&mut row) {
            *value = self.fitted(std::mem::replace(value, Value::Null), column, table)?;
        }
        Ok(row)
    }

    /// UPDATE, or DELETE without `set`.
    fn existing(
        &self,
        target: &TableName<'_>,
        set: Option<&Vec<Set>>,
        filter: Option<&ast::Expr>,
        returning: &ast::Returning,
    ) -> Result<Changes, OraError> {
        let (scope, columns) = self.compiler.table_scope(target.name, target.alias, target.at)?;
        let set_of = || set.into_iter().flatten();
        let places = places(&columns, set_of().map(|(name, at, _)| (name, *at)))?;
        let codes = set_of().map(|(.., value)| Ok(self.compiler.value(value, &scope)?.code));
        let codes = codes.collect::<Result<Vec<Code>, OraError>>()?;
        let filter = filter.map(|filter| self.compiler.condition(filter, &scope)).transpose()?;
        let wanted = scope.wanted();
        let table = target.name.join(".");
        let rowids = usize::from(self.evaluator.catalog.new_rowid(&table, 0).is_some());
        let every: Vec<usize> = (0..columns.len() + rowids).collect();
        let mut rows = Vec::new();
        self.evaluator.catalog.scan(&table, &every, &mut |row| {
            rows.push(row);
            true
        })?;
        let mut changed = Vec::new();
        let mut left = Vec::new();
        for (ordinal, row) in rows.into_iter().enumerate() {
            self.evaluator.meter.step(1)?;
            let read: Vec<Value> = wanted.iter().map(|place| row[*place].clone()).collect();
            let mut frame = Frame::new(&[], Row::Direct(&read), None);
            frame.rownum = i64::try_from(changed.len()).unwrap_or(i64::MAX).saturating_add(1);
            if let Some(filter) = &filter
                && self.evaluator.test(filter, &frame)? != Some(true)
            {
                continue;
            }
            let mut now = row.clone();
            let mut values = Vec::new();
            for (place, code) in places.iter().zip(&codes) {
                let value = self.evaluator.value(code, &frame)?;
                let value = self.updated(value, &columns[*place], target.name)?;
                now[*place] = value.clone();
                values.push((*place, value));
            }
            changed.push(match set {
                Some(_) => Change::Update { row: ordinal, values },
                None => Change::Delete { row: ordinal },
            });
            left.push(now);
        }
        let returning = self.returning(returning, &scope, &left)?;
        Ok(Changes { table, rows: changed, returning })
    }

    /// RETURNING over the rows as they are now.
    fn returning(
        &self,
        returning: &ast::Returning,
        scope: &Scope<'_>,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Returned>, OraError> {
        let mut result = Vec::new();
        for (value, target) in returning.values.iter().zip(&returning.into) {
            let code = self.compiler.value(value, scope)?.code;
            let wanted = scope.wanted();
            let values = rows.iter().map(|row| {
                let read: Vec<Value> = wanted.iter().map(|place| row[*place].clone()).collect();
                self.evaluator.value(&code, &Frame::new(&[], Row::Direct(&read), None))
            });
            result.push(Returned {
                target: target.clone(),
                values: values.collect::<Result<_, OraError>>()?,
            });
        }
        Ok(result)
    }

    /// A new value of a row that is there.
    fn updated(&self, value: Value, column: &Column, table: &[String]) -> Result<Value, OraError> {
        if value.is_null() && !column.nullable {
            let text = format!("cannot update ({}) to NULL", quoted(column, table));
            return Err(OraError::new(1407, text));
        }
        self.fitted(value, column, table)
    }

    /// A value as a column holds it.
    fn fitted(&self, value: Value, column: &Column, table: &[String]) -> Result<Value, OraError> {
        if value.is_null() {
            if column.nullable {
                return Ok(Value::Null);
            }
            let text = format!("cannot insert NULL into ({})", quoted(column, table));
            return Err(OraError::new(1400, text));
        }
        let environment = self.evaluator.environment;
        let cast = |value| convert::cast(value, column.column_type, column.digits, environment);
        let (value, actual, most) = match column.column_type {
            ColumnType::Varchar2(bytes) | ColumnType::Char(bytes) => {
                let text = convert::text(&value, environment)?.unwrap_or_default();
                let actual = text.len();
                (Value::text(text), actual, bytes)
            }
            ColumnType::Raw(bytes) => {
                let value = cast(value)?;
                let actual = if let Value::Raw(raw) = &value { raw.len() } else { 0 };
                (value, actual, bytes)
            }
            _ => return cast(value),
        };
        if actual > most as usize {
            let column = quoted(column, table);
            let reason = format!("(actual: {actual}, maximum: {most})");
            let text = format!("value too large for column {column} {reason}");
            return Err(OraError::new(12_899, text));
        }
        cast(value)
    }
}

/// `"OWNER"."TABLE"."COLUMN"`.
fn quoted(column: &Column, table: &[String]) -> String {
    let parts = table.iter().chain([&column.name]).map(|part| format!("\"{part}\""));
    parts.collect::<Vec<String>>().join(".")
}

/// The places of columns that a statement names, each once.
fn places<'n>(
    columns: &[Column],
    names: impl Iterator<Item = (&'n String, usize)>,
) -> Result<Vec<usize>, OraError> {
    let mut places = Vec::new();
    for (name, at) in names {
        let place = columns.iter().position(|column| column.name == *name);
        let invalid = || OraError::new(904, format!("\"{name}\": invalid identifier")).at(at);
        let place = place.ok_or_else(invalid)?;
        if places.contains(&place) {
            return Err(OraError::new(957, "duplicate column name").at(at));
        }
        places.push(place);
    }
    Ok(places)
}

pub(crate) fn counts_agree(given: usize, wanted: usize, at: usize) -> Result<(), OraError> {
    match given.cmp(&wanted) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(OraError::new(947, "not enough values").at(at)),
        std::cmp::Ordering::Greater => Err(OraError::new(913, "too many values").at(at)),
    }
}
