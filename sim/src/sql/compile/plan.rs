//! Queries: WITH, set operators, ORDER BY of the whole, OFFSET and FETCH.

use super::{Compiler, Ctes, Scope, call, types};
use crate::conversation::ResultColumn;
use crate::ora::OraError;
use crate::sql::ast::{self, Cte, ExprKind, OrderItem, Query};
use crate::sql::code::{Body, Limit, Plan, Sorting};
use crate::value::Value;

impl Compiler<'_> {
    /// A query's plan, and whether it reads columns of the blocks around it.
    pub(crate) fn plan(
        &self,
        query: &Query,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Plan, bool), OraError> {
        self.with(&query.with, query, parent, ctes)
    }

    fn with(
        &self,
        rest: &[Cte],
        query: &Query,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Plan, bool), OraError> {
        match rest {
            [] => self.ordered(query, parent, ctes),
            [cte, rest @ ..] => {
                self.with(rest, query, parent, Some(&Ctes { parent: ctes, cte, own: None }))
            }
        }
    }

    fn ordered(
        &self,
        query: &Query,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Plan, bool), OraError> {
        let limit = self.limit(query)?;
        if let ast::Body::Select(select) = &query.body {
            let (block, columns, correlated) =
                self.block(select, &query.order, query.siblings, parent, ctes)?;
            let plan =
                Plan { columns, body: Body::Block(Box::new(block)), order: Vec::new(), limit };
            return Ok((plan, correlated));
        }
        let (mut plan, correlated) = self.body(&query.body, parent, ctes)?;
        let order = query.order.iter().map(|item| compound_order(item, &plan.columns));
        let order = order.collect::<Result<Vec<(usize, Sorting)>, OraError>>()?;
        if plan.limit.is_some() || !plan.order.is_empty() {
            // `(SELECT … FETCH FIRST …) ORDER BY …`: the inner query stays as it is.
            let columns = plan.columns.clone();
            plan = Plan { columns, body: Body::Nested(Box::new(plan)), order, limit };
        } else {
            plan.order = order;
            plan.limit = limit;
        }
        Ok((plan, correlated))
    }

    pub(super) fn body(
        &self,
        body: &ast::Body,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Plan, bool), OraError> {
        match body {
            ast::Body::Select(select) => {
                let (block, columns, correlated) = self.block(select, &[], false, parent, ctes)?;
                let body = Body::Block(Box::new(block));
                Ok((Plan { columns, body, order: Vec::new(), limit: None }, correlated))
            }
            ast::Body::Nested(query) => {
                let (inner, correlated) = self.plan(query, parent, ctes)?;
                let columns = inner.columns.clone();
                let body = Body::Nested(Box::new(inner));
                Ok((Plan { columns, body, order: Vec::new(), limit: None }, correlated))
            }
            ast::Body::Set { .. } => self.sets(body, parent, ctes),
        }
    }

    /// UNION and its kin, from the first query on, so that a long chain takes no deep stack.
    fn sets(
        &self,
        body: &ast::Body,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Plan, bool), OraError> {
        let mut links = Vec::new();
        let mut first = body;
        while let ast::Body::Set { operator, left, right, at } = first {
            links.push((*operator, &**right, *at));
            first = left;
        }
        let (mut plan, mut correlated) = self.body(first, parent, ctes)?;
        for (operator, right, at) in links.into_iter().rev() {
            let (right, reads) = self.body(right, parent, ctes)?;
            correlated |= reads;
            let columns = set_columns(&plan.columns, &right.columns, at)?;
            let body = Body::Set { operator, left: Box::new(plan), right: Box::new(right) };
            plan = Plan { columns, body, order: Vec::new(), limit: None };
        }
        Ok((plan, correlated))
    }

    fn limit(&self, query: &Query) -> Result<Option<Limit>, OraError> {
        let Some(limit) = &query.limit else { return Ok(None) };
        let scope = Scope::empty();
        let code = |expr: &Option<ast::Expr>| match expr {
            Some(expr) => self.value(expr, &scope).map(|typed| Some(typed.code)),
            None => Ok(None),
        };
        Ok(Some(Limit {
            offset: code(&limit.offset)?,
            count: code(&limit.count)?,
            percent: limit.percent,
            ties: limit.ties,
        }))
    }
}

/// A place or a name of a column.
fn compound_order(
    item: &OrderItem,
    columns: &[ResultColumn],
) -> Result<(usize, Sorting), OraError> {
    let place = match &item.value.kind {
        ExprKind::Literal(Value::Number(number), _) => {
            position(number.to_i64(), columns.len(), item.value.at)?
        }
        ExprKind::Name { parts, .. } if parts.len() == 1 => columns
            .iter()
            .position(|column| column.name == parts[0])
            .ok_or_else(|| super::invalid_identifier(parts, item.value.at))?,
        _ => {
            return Err(OraError::new(
                1785,
                "ORDER BY item must be the number of a SELECT-list expression",
            )
            .at(item.value.at));
        }
    };
    Ok((place, call::sorting(item)))
}

/// `ORDER BY 2`.
pub(super) fn position(number: Option<i64>, count: usize, at: usize) -> Result<usize, OraError> {
    let place = number
        .and_then(|number| usize::try_from(number).ok())
        .filter(|place| (1..=count).contains(place));
    place.map(|place| place - 1).ok_or_else(|| {
        OraError::new(1785, "ORDER BY item must be the number of a SELECT-list expression").at(at)
    })
}

pub(super) fn set_columns(
    left: &[ResultColumn],
    right: &[ResultColumn],
    at: usize,
) -> Result<Vec<ResultColumn>, OraError> {
    if left.len() != right.len() {
        return Err(
            OraError::new(1789, "query block has incorrect number of result columns").at(at)
        );
    }
    let columns = left.iter().zip(right).map(|(a, b)| {
        let column_type = types::unified(&[a.column_type, b.column_type]).ok_or_else(|| {
            OraError::new(1790, "expression must have same datatype as corresponding expression")
                .at(at)
        })?;
        Ok(ResultColumn { name: a.name.clone(), column_type, nullable: a.nullable || b.nullable })
    });
    columns.collect()
}
