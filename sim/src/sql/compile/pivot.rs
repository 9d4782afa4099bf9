//! PIVOT: a query that groups by every column that the clause does not name.

use crate::catalog::Column;
use crate::ora::OraError;
use crate::sql::ast::{
    Binary, Body, Call, Expr, ExprKind, From, Item, Join, Pivot, Query, Select, Source,
};
use crate::value::{ColumnType, Value};

fn name(column: &str, at: usize) -> Expr {
    Expr { kind: ExprKind::Name { parts: vec![column.to_owned()], outer: false }, at }
}

/// Every name in an expression.
fn names(expr: &mut Expr, found: &mut Vec<String>) {
    if let ExprKind::Name { parts, .. } = &expr.kind {
        found.extend(parts.last().cloned());
    }
    expr.parts_mut().into_iter().for_each(|part| names(part, found));
}

/// An aggregate over the rows whose column has a value.
fn of_value(call: &Call, column: &str, value: &Expr) -> Call {
    let at = value.at;
    let equal =
        ExprKind::Binary(Binary::Equal, Box::new(name(column, at)), Box::new(value.clone()));
    let arm = |then: Expr| {
        let arms = vec![(Expr { kind: equal.clone(), at }, then)];
        Expr { kind: ExprKind::Case { operand: None, arms, otherwise: None }, at }
    };
    let mut call = call.clone();
    if call.star {
        call.star = false;
        let one = ExprKind::Literal(Value::integer(1), ColumnType::Number);
        let value = arm(Expr { kind: one, at });
        call.arguments = vec![crate::sql::ast::Argument { name: None, value }];
    } else if let Some(first) = call.arguments.first_mut() {
        first.value = arm(first.value.clone());
    }
    call
}

/// The query that gives what PIVOT of a source with these columns gives.
pub(super) fn query(from: &From, pivot: &Pivot, columns: &[Column]) -> Result<Query, OraError> {
    let at = pivot.at;
    let mut used = vec![pivot.column.clone()];
    for (call, _) in &pivot.aggregates {
        let mut expr = Expr { kind: ExprKind::Call(Box::new(call.clone())), at };
        names(&mut expr, &mut used);
    }
    let others = columns.iter().map(|column| &column.name).filter(|name| !used.contains(name));
    let group: Vec<Expr> = others.clone().map(|column| name(column, at)).collect();
    let keep =
        |column: &String| Item::Expr { value: name(column, at), name: column.clone(), alias: true };
    let mut items: Vec<Item> = others.map(keep).collect();
    if pivot.aggregates.len() > 1 && pivot.aggregates.iter().any(|(_, alias)| alias.is_none()) {
        return Err(OraError::new(918, "column ambiguously defined").at(at));
    }
    for (value, title) in &pivot.values {
        for (call, alias) in &pivot.aggregates {
            let call = Box::new(of_value(call, &pivot.column, value));
            let name = match alias {
                Some(alias) => format!("{title}_{alias}"),
                None => title.clone(),
            };
            let value = Expr { kind: ExprKind::Call(call), at };
            items.push(Item::Expr { value, name, alias: true });
        }
    }
    let source = From::new(from.source.clone(), None, Join::Comma, from.at);
    let select = Select {
        distinct: false,
        items,
        from: vec![source],
        filter: None,
        connect: None,
        group,
        sets: None,
        having: None,
    };
    let body = Body::Select(Box::new(select));
    Ok(Query { with: Vec::new(), body, order: Vec::new(), siblings: false, limit: None })
}

/// The source that stands for a table with PIVOT.
pub(super) fn source(from: &From, query: Query) -> From {
    From { source: Source::Query(Box::new(query)), pivot: None, ..from.clone() }
}
