//! Names to places, and types to every expression: a syntax tree becomes a [`Plan`](super::code::Plan).

mod block;
mod call;
mod expression;
mod grouping;
mod joins;
mod nested;
mod pivot;
mod plan;
mod recursive;
mod types;
mod using;

use std::cell::{Cell, RefCell};

pub(crate) use call::{aggregates, is_builtin};
pub(crate) use expression::unset;

use super::ast;
use super::code::{Aggregate, Code, Column, Feed, Window};
use super::query::Inputs;
use crate::catalog::{self, Catalog};
use crate::ora::OraError;
use crate::value::ColumnType;

/// What compiling needs besides the tree.
pub(crate) struct Compiler<'c> {
    pub(crate) catalog: &'c dyn Catalog,
    pub(crate) inputs: &'c Inputs,
    /// What was compiled so far.
    work: Cell<usize>,
}

/// Expressions that one statement may have compiled. Those of a query of WITH are compiled wherever it is named, and
/// some functions compile an argument twice, so a short statement can ask for any number: this is a second's work.
const WORK_MAX: usize = 500_000;

/// What a query costs as much as.
const WORK_OF_A_QUERY: usize = 50;

impl<'c> Compiler<'c> {
    pub(crate) const fn new(catalog: &'c dyn Catalog, inputs: &'c Inputs) -> Self {
        Self { catalog, inputs, work: Cell::new(0) }
    }

    /// Counts what is compiled.
    fn spend(&self, work: usize, at: usize) -> Result<(), OraError> {
        self.work.set(self.work.get() + work);
        if self.work.get() <= WORK_MAX {
            return Ok(());
        }
        Err(OraError::new(36, "maximum number of recursive SQL levels exceeded").at(at))
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) code: Code,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sql(ColumnType),
    /// True, false or unknown; no value in SQL.
    Condition,
}

/// Where an expression stands, which decides what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// WHERE, ON, GROUP BY, CONNECT BY.
    Row,
    /// The select list, HAVING.
    Group,
    /// ORDER BY.
    Order,
    /// Inside an aggregate.
    Aggregate,
    /// Inside an analytic function.
    Window,
}

/// The names that an expression can use.
pub(crate) struct Scope<'s> {
    sources: Vec<Named>,
    parent: Option<&'s Scope<'s>>,
    ctes: Option<&'s Ctes<'s>>,
    /// Something in here reads a block around it.
    escaped: Cell<bool>,
    /// Which sources were read since somebody set this to 0, and whether blocks around were.
    used: Cell<u64>,
    used_outer: Cell<bool>,
    aggregates: RefCell<Vec<Aggregate>>,
    windows: RefCell<Vec<Window>>,
    phase: Cell<Phase>,
    /// There is a CONNECT BY.
    hierarchical: bool,
    /// The select list, which ORDER BY can name.
    aliases: Vec<(String, &'s ast::Expr)>,
}

/// WITH: the innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Ctes<'s> {
    parent: Option<&'s Ctes<'s>>,
    cte: &'s ast::Cte,
    /// Inside a recursive query: its columns, and the rows that it reads of itself.
    own: Option<&'s (Vec<catalog::Column>, Feed)>,
}

/// A source by its name.
struct Named {
    /// The alias, or the last part of the table's name.
    name: String,
    /// The table's whole name; empty for a view.
    full: String,
    columns: Vec<catalog::Column>,
    /// The rows have a ROWID, behind the last column.
    has_rowid: bool,
    /// The places of the columns that are read, in the order of their slots.
    wanted: RefCell<Vec<usize>>,
    /// Columns of JOIN … USING or NATURAL JOIN, which are one with those of an earlier source.
    merged: using::Merged,
}

impl Named {
    fn can_be_null(&mut self) {
        for column in &mut self.columns {
            column.nullable = true;
        }
    }

    /// The place of a column, ROWID's being behind the last.
    fn place(&self, name: &str) -> Option<usize> {
        let place = self.columns.iter().position(|other| other.name == name);
        place.or_else(|| (self.has_rowid && name == "ROWID").then_some(self.columns.len()))
    }

    /// The column at a place.
    fn column(&self, place: usize) -> catalog::Column {
        self.columns.get(place).cloned().unwrap_or_else(|| catalog::Column {
            name: "ROWID".into(),
            column_type: ColumnType::RowId,
            digits: None,
            nullable: true,
        })
    }

    /// The slot of a column.
    fn slot(&self, column: usize) -> usize {
        let mut wanted = self.wanted.borrow_mut();
        if let Some(slot) = wanted.iter().position(|other| *other == column) {
            return slot;
        }
        wanted.push(column);
        wanted.len() - 1
    }
}

impl<'s> Scope<'s> {
    fn new(sources: Vec<Named>, parent: Option<&'s Scope<'s>>, ctes: Option<&'s Ctes<'s>>) -> Self {
        Self {
            sources,
            parent,
            ctes,
            escaped: Cell::new(false),
            used: Cell::new(0),
            used_outer: Cell::new(false),
            aggregates: RefCell::default(),
            windows: RefCell::default(),
            phase: Cell::new(Phase::Row),
            hierarchical: false,
            aliases: Vec::new(),
        }
    }

    /// A scope without tables: PL/SQL expressions, VALUES.
    pub(crate) fn empty() -> Self {
        Self::new(Vec::new(), None, None)
    }

    /// The places of the columns that were read from a scope's only table, in the order of their slots.
    pub(crate) fn wanted(&self) -> Vec<usize> {
        self.sources.first().map(|source| source.wanted.borrow().clone()).unwrap_or_default()
    }

    /// A column of this block or of one around it; several if USING made them one.
    fn find(
        &self,
        parts: &[String],
        outer: bool,
        at: usize,
    ) -> Result<Vec<(Column, catalog::Column)>, OraError> {
        let mut scope = self;
        let mut depth = 0;
        loop {
            let found = scope.find_here(parts, at)?;
            if !found.is_empty() {
                self.mark(depth);
                let columns = found.into_iter().map(|(source, column)| {
                    scope.used.set(scope.used.get() | 1 << source.min(63));
                    let named = &scope.sources[source];
                    let place = Column { depth, source, slot: named.slot(column), outer, at };
                    (place, named.column(column))
                });
                return Ok(columns.collect());
            }
            match scope.parent {
                Some(parent) => scope = parent,
                None => return Ok(Vec::new()),
            }
            depth += 1;
        }
    }

    /// All scopes below the one `depth` levels up read something outside themselves.
    fn mark(&self, depth: usize) {
        let mut scope = self;
        for _ in 0..depth {
            scope.escaped.set(true);
            scope.used_outer.set(true);
            if let Some(parent) = scope.parent {
                scope = parent;
            }
        }
    }

    fn find_here(&self, parts: &[String], at: usize) -> Result<Vec<(usize, usize)>, OraError> {
        let [qualifier @ .., column] = parts else { return Ok(Vec::new()) };
        let full = match qualifier {
            [] => return self.unqualified(column, self.sources.len(), at),
            [_] => String::new(),
            _ => qualifier.join("."),
        };
        let fits = |source: &Named| match qualifier {
            [name] => source.name == *name,
            _ => source.full == full,
        };
        let mut found = Vec::new();
        for (place, source) in self.sources.iter().enumerate().filter(|(_, source)| fits(source)) {
            found.extend(source.place(column).map(|column| (place, column)));
        }
        match found.len() {
            0 => {}
            1 => self.check_qualified(column, at)?,
            _ => return Err(ambiguous(at)),
        }
        Ok(found)
    }

    fn in_phase<T>(
        &self,
        phase: Phase,
        inner: impl FnOnce() -> Result<T, OraError>,
    ) -> Result<T, OraError> {
        let before = self.phase.replace(phase);
        let result = inner();
        self.phase.set(before);
        result
    }
}

fn ambiguous(at: usize) -> OraError {
    OraError::new(918, "column ambiguously defined").at(at)
}

/// `"T"."C": invalid identifier`.
pub(crate) fn invalid_identifier(parts: &[String], at: usize) -> OraError {
    let quoted: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
    OraError::new(904, format!("{}: invalid identifier", quoted.join("."))).at(at)
}
