//! Aggregates of aggregates: `SELECT MAX(COUNT(*)) FROM t GROUP BY c` is an aggregate over the rows of a grouped query.

use super::call::aggregate_kind;
use crate::ora::OraError;
use crate::sql::ast::{Body, Expr, ExprKind, From, Item, Join, Query, Select, Source};
use crate::sql::functions;

/// The same as two queries, if the select list has an aggregate in an aggregate.
pub(super) fn unnested(select: &Select) -> Result<Option<Select>, OraError> {
    let mut items = select.items.clone();
    let mut values = items.iter_mut().filter_map(|item| match item {
        Item::Expr { value, .. } => (depth(value) > 1).then_some(value.at),
        Item::Star | Item::TableStar(..) => None,
    });
    let Some(at) = values.next() else {
        return Ok(None);
    };
    if select.group.is_empty() {
        return Err(OraError::new(978, "nested group function without GROUP BY").at(at));
    }
    let mut inner = Vec::new();
    for item in &mut items {
        match item {
            Item::Expr { value, .. } => replace(value, false, &select.group, &mut inner)?,
            Item::Star | Item::TableStar(..) => return Err(single(at)),
        }
    }
    let grouped = Select { items: inner, distinct: false, ..select.clone() };
    let body = Body::Select(Box::new(grouped));
    let query = Query { with: Vec::new(), body, order: Vec::new(), siblings: false, limit: None };
    let from = From::new(Source::Query(Box::new(query)), None, Join::Comma, at);
    Ok(Some(Select {
        distinct: select.distinct,
        items,
        from: vec![from],
        filter: None,
        connect: None,
        group: Vec::new(),
        sets: None,
        having: None,
    }))
}

fn single(at: usize) -> OraError {
    OraError::new(937, "not a single-group group function").at(at)
}

fn is_aggregate(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) => match call.name.as_slice() {
            [name] => call.over.is_none() && aggregate_kind(name).is_some(),
            _ => false,
        },
        _ => false,
    }
}

/// How many aggregates stand in each other.
fn depth(expr: &mut Expr) -> usize {
    let own = usize::from(is_aggregate(expr));
    own + expr.parts_mut().into_iter().map(depth).max().unwrap_or(0)
}

/// Puts names where aggregates in aggregates and keys stand, and those into the select list of the inner query.
fn replace(
    expr: &mut Expr,
    inside: bool,
    keys: &[Expr],
    inner: &mut Vec<Item>,
) -> Result<(), OraError> {
    let at = expr.at;
    let aggregate = is_aggregate(expr);
    if inside && depth(expr) > 1 {
        return Err(OraError::new(935, "group function is nested too deeply").at(at));
    }
    let named = match &expr.kind {
        ExprKind::Name { parts, .. } => {
            !parts.last().is_some_and(|name| functions::BARE.contains(&name.as_str()))
        }
        _ => false,
    };
    if !inside && (named || (aggregate && depth(expr) == 1)) {
        return Err(single(at));
    }
    let key = |key: &Expr| match (&key.kind, &expr.kind) {
        (ExprKind::Name { parts: a, .. }, ExprKind::Name { parts: b, .. }) => a.last() == b.last(),
        _ => false,
    };
    if inside && named && !keys.iter().any(key) {
        return Err(OraError::new(979, "not a GROUP BY expression").at(at));
    }
    if inside && (named || aggregate) {
        let name = format!("N${}", inner.len());
        let kind = ExprKind::Name { parts: vec![name.clone()], outer: false };
        let value = std::mem::replace(expr, Expr { kind, at });
        inner.push(Item::Expr { value, name, alias: true });
        return Ok(());
    }
    for part in expr.parts_mut() {
        replace(part, inside || aggregate, keys, inner)?;
    }
    Ok(())
}
