//! MERGE, and the PIVOT clause.

use super::Parser;
use crate::ora::OraError;
use crate::sql::ast::{Call, Dml, ExprKind, Join, Merge, MergeInsert, MergeUpdate, Pivot};

impl Parser {
    /// Behind MERGE.
    pub(super) fn merge(&mut self) -> Result<Dml, OraError> {
        self.need("INTO", 925, "missing INTO keyword")?;
        let target = self.source_item(Join::Comma)?;
        self.need("USING", 905, "missing keyword")?;
        let source = self.source_item(Join::Comma)?;
        self.need("ON", 969, "missing ON keyword")?;
        self.open()?;
        let on = self.expression()?;
        self.close()?;
        let mut merge = Merge { target, source, on, update: None, insert: None };
        while self.accept("WHEN") {
            if self.accept("MATCHED") && merge.update.is_none() {
                merge.update = Some(self.merge_update()?);
            } else if self.accept_all(&["NOT", "MATCHED"]) && merge.insert.is_none() {
                merge.insert = Some(self.merge_insert()?);
            } else {
                return Err(self.error(905, "missing keyword"));
            }
        }
        if merge.update.is_none() && merge.insert.is_none() {
            return Err(self.error(905, "missing keyword"));
        }
        if self.is_any(&["RETURNING", "RETURN", "LOG"]) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        Ok(Dml::Merge(Box::new(merge)))
    }

    fn merge_update(&mut self) -> Result<MergeUpdate, OraError> {
        if !self.accept_all(&["THEN", "UPDATE"]) {
            return Err(self.error(905, "missing keyword"));
        }
        self.need("SET", 971, "missing SET keyword")?;
        let set = self.assignments()?;
        let filter = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        if self.is("DELETE") {
            return Err(self.error(3001, "unimplemented feature: MERGE ... DELETE"));
        }
        Ok(MergeUpdate { set, filter })
    }

    fn merge_insert(&mut self) -> Result<MergeInsert, OraError> {
        if !self.accept_all(&["THEN", "INSERT"]) {
            return Err(self.error(905, "missing keyword"));
        }
        let columns = self.insert_columns()?;
        self.need("VALUES", 926, "missing VALUES keyword")?;
        self.open()?;
        let values = self.expressions()?;
        self.close()?;
        let filter = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        Ok(MergeInsert { columns, values, filter })
    }

    /// `PIVOT (SUM(a) AS s, … FOR c IN (1 AS one, …))`, if it stands next.
    pub(super) fn pivot(&mut self) -> Result<Option<Pivot>, OraError> {
        let at = self.place();
        if self.is("UNPIVOT") || (self.is("PIVOT") && self.is_ahead(1, "XML")) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        if !(self.is("PIVOT") && self.is_symbol_ahead(1, "(")) {
            return Ok(None);
        }
        self.bump();
        self.open()?;
        let mut aggregates = Vec::new();
        loop {
            aggregates.push(self.pivot_aggregate()?);
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.need("FOR", 905, "missing keyword")?;
        if self.is_symbol("(") {
            return Err(self.error(3001, "unimplemented feature: PIVOT over several columns"));
        }
        let column = self.name(904, ": invalid identifier")?;
        self.need("IN", 905, "missing keyword")?;
        self.open()?;
        let mut values = Vec::new();
        loop {
            let mark = self.mark();
            let value = self.expression()?;
            if !matches!(value.kind, ExprKind::Literal(..) | ExprKind::Unary(..)) {
                let text = "non-constant expression is not allowed for pivot|unpivot values";
                return Err(OraError::new(56901, text).at(value.at));
            }
            let title = self.title_since(mark);
            values.push((value, self.pivot_alias()?.unwrap_or(title)));
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.close()?;
        self.close()?;
        Ok(Some(Pivot { aggregates, column, values, at }))
    }

    fn pivot_aggregate(&mut self) -> Result<(Call, Option<String>), OraError> {
        let value = self.expression()?;
        let ExprKind::Call(call) = value.kind else {
            let text = "expect aggregate function inside pivot operation";
            return Err(OraError::new(56902, text).at(value.at));
        };
        Ok((*call, self.pivot_alias()?))
    }

    fn pivot_alias(&mut self) -> Result<Option<String>, OraError> {
        if self.accept("AS") || (self.is_name() && !self.is("FOR")) {
            return self.name(904, ": invalid identifier").map(Some);
        }
        Ok(None)
    }
}
