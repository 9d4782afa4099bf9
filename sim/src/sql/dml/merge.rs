//! MERGE: a query finds the rows that match and their new values, another one those that are new.

use std::collections::HashMap;

use super::{Change, Changes, Work, counts_agree, places};
use crate::catalog::Column;
use crate::ora::OraError;
use crate::sql::ast::{Expr, ExprKind, From, Item, Join, Merge, MergeInsert, Query, Source};
use crate::value::Value;

impl Merge {
    /// The name by which the statement's expressions know the target.
    fn alias(&self) -> String {
        let Source::Table(name) = &self.target.source else { return String::new() };
        self.target.alias.clone().or_else(|| name.last().cloned()).unwrap_or_default()
    }

    fn target(&self) -> Result<&Vec<String>, OraError> {
        match &self.target.source {
            Source::Table(name) => Ok(name),
            Source::Query(_) | Source::Lateral(_) => {
                Err(OraError::new(1732, "data manipulation operation not legal on this view"))
            }
        }
    }

    fn rowid(&self) -> Expr {
        let parts = vec![self.alias(), "ROWID".to_owned()];
        Expr { kind: ExprKind::Name { parts, outer: false }, at: self.target.at }
    }

    /// The source joined with the target.
    fn query(&self, join: Join, items: Vec<Expr>, filter: Option<Expr>) -> Query {
        let item = |value| Item::Expr { value, name: String::new(), alias: false };
        let target = From { join, on: Some(self.on.clone()), ..self.target.clone() };
        let items = items.into_iter().map(item).collect();
        Query::plain(items, vec![self.source.clone(), target], filter)
    }

    /// The rows that match: ROWID and the new values.
    fn matched(&self) -> Option<Query> {
        let update = self.update.as_ref()?;
        let values = update.set.iter().map(|(.., value)| value.clone());
        let items = std::iter::once(self.rowid()).chain(values).collect();
        Some(self.query(Join::Inner, items, update.filter.clone()))
    }

    /// The rows of the source that do not, as the new rows' values.
    fn unmatched(&self) -> Option<Query> {
        let insert = self.insert.as_ref()?;
        let at = self.target.at;
        let missing = Expr { kind: ExprKind::IsNull(Box::new(self.rowid())), at };
        let filter = match &insert.filter {
            None => missing,
            Some(filter) => {
                let kind = ExprKind::Binary(
                    crate::sql::ast::Binary::And,
                    Box::new(missing),
                    Box::new(filter.clone()),
                );
                Expr { kind, at }
            }
        };
        Some(self.query(Join::Left, insert.values.clone(), Some(filter)))
    }

    /// The queries that fail to compile where the statement would.
    pub(crate) fn reads(&self) -> Vec<Query> {
        self.matched().into_iter().chain(self.unmatched()).collect()
    }

    /// Whether the condition of the join reads a column of the target.
    fn joins_by(&self, column: &str) -> bool {
        fn reads(expr: &mut Expr, alias: &str, column: &str) -> bool {
            if let ExprKind::Name { parts, .. } = &expr.kind {
                let (name, table) = (parts.last(), parts.iter().rev().nth(1));
                return name.is_some_and(|name| name == column)
                    && table.is_none_or(|table| table == alias);
            }
            expr.parts_mut().into_iter().any(|part| reads(part, alias, column))
        }
        reads(&mut self.on.clone(), &self.alias(), column)
    }
}

impl Work<'_> {
    pub(super) fn merge(&self, merge: &Merge) -> Result<Changes, OraError> {
        let table = merge.target()?;
        let (_, columns) = self.compiler.table_scope(table, None, merge.target.at)?;
        let full = table.join(".");
        if self.evaluator.catalog.new_rowid(&full, 0).is_none() {
            return Err(OraError::new(1732, "data manipulation operation not legal on this view"));
        }
        let mut rows = self.merge_updates(merge, table, &columns)?;
        rows.extend(self.merge_inserts(merge, table, &columns)?);
        Ok(Changes { table: full, rows, returning: Vec::new() })
    }

    fn merge_updates(
        &self,
        merge: &Merge,
        table: &[String],
        columns: &[Column],
    ) -> Result<Vec<Change>, OraError> {
        let (Some(update), Some(query)) = (&merge.update, merge.matched()) else {
            return Ok(Vec::new());
        };
        let places = places(columns, update.set.iter().map(|(name, at, _)| (name, *at)))?;
        for (name, at, _) in &update.set {
            if merge.joins_by(name) {
                let alias = merge.alias();
                let text = format!(
                    "Columns referenced in the ON Clause cannot be updated: \"{alias}\".\"{name}\""
                );
                return Err(OraError::new(38104, text).at(*at));
            }
        }
        let (plan, _) = self.compiler.plan(&query, None, None)?;
        let mut ordinals = self.ordinals(&table.join("."), columns.len())?;
        let mut changes = Vec::new();
        for row in self.evaluator.run(&plan, None, None)? {
            let mut cells = row.into_iter();
            let Some(Value::RowId(rowid)) = cells.next() else { continue };
            // A row that was taken already matches two rows of the source.
            let row = ordinals.remove(&rowid).ok_or_else(|| {
                OraError::new(30926, "unable to get a stable set of rows in the source tables")
            })?;
            let values = places
                .iter()
                .zip(cells)
                .map(|(place, value)| Ok((*place, self.updated(value, &columns[*place], table)?)));
            changes.push(Change::Update { row, values: values.collect::<Result<_, OraError>>()? });
        }
        Ok(changes)
    }

    fn merge_inserts(
        &self,
        merge: &Merge,
        table: &[String],
        columns: &[Column],
    ) -> Result<Vec<Change>, OraError> {
        let (Some(insert), Some(query)) = (&merge.insert, merge.unmatched()) else {
            return Ok(Vec::new());
        };
        let places: Vec<usize> = if insert.columns.is_empty() {
            (0..columns.len()).collect()
        } else {
            places(columns, insert.columns.iter().map(|(name, at)| (name, *at)))?
        };
        counts_agree(insert.values.len(), places.len(), merge.target.at)?;
        self.only_of_source(merge, insert, columns)?;
        let (plan, _) = self.compiler.plan(&query, None, None)?;
        let rows = self.evaluator.run(&plan, None, None)?.into_iter();
        rows.map(|values| self.new_row(values, &places, columns, table).map(Change::Insert))
            .collect()
    }

    /// A new row is made of what the source gives: there is no row of the target to read.
    fn only_of_source(
        &self,
        merge: &Merge,
        insert: &MergeInsert,
        columns: &[Column],
    ) -> Result<(), OraError> {
        let everything = Query::plain(vec![Item::Star], vec![merge.source.clone()], None);
        let (source, _) = self.compiler.plan(&everything, None, None)?;
        let of_target = |parts: &[String]| match parts {
            [.., table, _] => *table == merge.alias(),
            [name] => {
                columns.iter().any(|column| column.name == *name)
                    && source.columns.iter().all(|column| column.name != *name)
            }
            [] => false,
        };
        let values = insert.values.iter().map(|value| (38_101, "VALUES", value));
        let filter = insert.filter.iter().map(|value| (38_102, "WHERE", value));
        for (code, clause, value) in values.chain(filter) {
            if let Some((parts, at)) = first_name(&mut value.clone(), &of_target) {
                let name = parts.join("\".\"");
                let text = format!("Invalid column in the INSERT {clause} Clause: \"{name}\"");
                return Err(OraError::new(code, text).at(at));
            }
        }
        Ok(())
    }

    /// The place of each row in the order of the scan, by its ROWID.
    fn ordinals(&self, table: &str, rowid: usize) -> Result<HashMap<String, usize>, OraError> {
        let mut ordinals = HashMap::new();
        self.evaluator.catalog.scan(table, &[rowid], &mut |row| {
            let ordinal = ordinals.len();
            if let Some(Value::RowId(rowid)) = row.into_iter().next() {
                ordinals.insert(rowid, ordinal);
            }
            true
        })?;
        Ok(ordinals)
    }
}

/// The first name of an expression that is one of those.
fn first_name(expr: &mut Expr, wanted: &dyn Fn(&[String]) -> bool) -> Option<(Vec<String>, usize)> {
    if let ExprKind::Name { parts, .. } = &expr.kind
        && wanted(parts)
    {
        return Some((parts.clone(), expr.at));
    }
    expr.parts_mut().into_iter().find_map(|part| first_name(part, wanted))
}
