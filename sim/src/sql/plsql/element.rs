//! Elements of collections inside the SQL of a block, which knows no collections: values take their place.

use super::machine::{Machine, wrong_type};
use super::statement::called;
use crate::ora::OraError;
use crate::sql::ast::{Argument, Body, Dml, Expr, ExprKind, InsertSource, Item, Query};
use crate::sql::statement::Command;
use crate::value::{ColumnType, Value};

impl Machine {
    /// Puts values where a statement reads elements of collections.
    pub(super) async fn with_elements(
        &mut self,
        mut command: Command,
    ) -> Result<Command, OraError> {
        if self.collections.is_empty() {
            return Ok(command);
        }
        let count = roots(&mut command).len();
        for place in 0..count {
            while let Some((name, arguments)) = self.first_element(&mut command, place) {
                let kind = self.element(&name, &arguments).await?.ok_or_else(wrong_type)?;
                self.put_element(&mut command, place, kind);
            }
        }
        Ok(command)
    }

    /// The same for a check: NULLs of the right type.
    pub(super) fn with_element_types(&self, mut command: Command) -> Command {
        if self.collections.is_empty() {
            return command;
        }
        for place in 0..roots(&mut command).len() {
            while let Some((name, _)) = self.first_element(&mut command, place) {
                let null = ExprKind::Literal(Value::Null, ColumnType::Varchar2(0));
                let kind = self.element_type(&name).unwrap_or(null);
                self.put_element(&mut command, place, kind);
            }
        }
        command
    }

    fn first_element(
        &self,
        command: &mut Command,
        place: usize,
    ) -> Option<(String, Vec<Argument>)> {
        let root = roots(command).into_iter().nth(place)?;
        self.find_element(root).map(|expr| called(expr))
    }

    fn put_element(&self, command: &mut Command, place: usize, kind: ExprKind) {
        let root = roots(command).into_iter().nth(place);
        if let Some(found) = root.and_then(|root| self.find_element(root)) {
            found.kind = kind;
        }
    }

    /// The first element in an expression; those inside its index come first.
    fn find_element<'e>(&self, expr: &'e mut Expr) -> Option<&'e mut Expr> {
        let own = self.is_element(expr);
        let inside = expr.parts_mut().iter_mut().position(|part| self.find_element(part).is_some());
        match inside {
            Some(place) => {
                let part = expr.parts_mut().into_iter().nth(place)?;
                self.find_element(part)
            }
            None => own.then_some(expr),
        }
    }
}

/// The outermost expressions of a statement, without those of its subqueries.
fn roots(command: &mut Command) -> Vec<&mut Expr> {
    match command {
        Command::Dml(dml) => match &mut dml.0 {
            Dml::Insert { source: InsertSource::Values(values), .. } => values.iter_mut().collect(),
            Dml::Insert { source: InsertSource::Query(query), .. } => query_roots(query),
            Dml::Update { set, filter, .. } => {
                set.iter_mut().map(|one| &mut one.2).chain(filter).collect()
            }
            Dml::Delete { filter, .. } => filter.iter_mut().collect(),
            Dml::Merge(_) => Vec::new(),
        },
        Command::Query(query) | Command::SelectForUpdate { query, .. } => query_roots(&mut query.0),
        _ => Vec::new(),
    }
}

fn query_roots(query: &mut Query) -> Vec<&mut Expr> {
    let Body::Select(select) = &mut query.body else { return Vec::new() };
    let items = select.items.iter_mut().filter_map(|item| match item {
        Item::Expr { value, .. } => Some(value),
        Item::Star | Item::TableStar(..) => None,
    });
    let joins = select.from.iter_mut().filter_map(|from| from.on.as_mut());
    items.chain(joins).chain(&mut select.filter).chain(&mut select.having).collect()
}
