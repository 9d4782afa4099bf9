//! Expressions and conditions.

use std::cell::OnceCell;

use super::types::{self, Class, NULL_TYPE};
use super::{Compiler, Kind, Phase, Scope, Typed, invalid_identifier};
use crate::ora::OraError;
use crate::sql::ast::{Binary, Expr, ExprKind, Quantity, Query, Unary};
use crate::sql::code::{Code, Subquery};
use crate::sql::{functions, query};
use crate::value::{ColumnType, Value};

impl Compiler<'_> {
    /// A value or a condition.
    pub(crate) fn expression(&self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, OraError> {
        let at = expr.at;
        self.spend(1, at)?;
        match &expr.kind {
            ExprKind::Literal(value, column_type) => {
                Ok(Typed::constant(value.clone(), *column_type))
            }
            ExprKind::Boolean(truth) => {
                Ok(Typed::condition(Code::Const(Value::integer(u8::from(*truth)))))
            }
            ExprKind::Name { parts, outer } => self.name(parts, *outer, at, scope),
            ExprKind::Bind(place) => self.bind(*place, at),
            ExprKind::Unary(operator, inner) => self.unary(*operator, inner, at, scope),
            ExprKind::Binary(operator, ..) if operator.is_link() => self.chain(expr, scope),
            ExprKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, at, scope)
            }
            ExprKind::Case { operand, arms, otherwise } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref(), scope)
            }
            ExprKind::Cast(inner, column_type, scale) => {
                let inner = self.value(inner, scope)?;
                let code = Code::Cast(Box::new(inner.code), *column_type, *scale);
                Ok(Typed::sql(code, *column_type, inner.nullable))
            }
            ExprKind::Extract(field, inner) => {
                let inner = self.value(inner, scope)?;
                let code = Code::Extract(field.clone(), Box::new(inner.code));
                Ok(Typed::sql(code, ColumnType::Number, inner.nullable))
            }
            ExprKind::AtTimeZone(inner, zone) => {
                let (inner, zone) = (self.value(inner, scope)?, self.value(zone, scope)?);
                let code = Code::AtTimeZone(Box::new(inner.code), Box::new(zone.code));
                Ok(Typed::sql(code, ColumnType::TimestampTz, inner.nullable))
            }
            ExprKind::Call(call) => self.call(call, at, scope),
            ExprKind::Query(query) => {
                let query = self.subquery(query, scope)?;
                let column_type = single_column(&query, at)?;
                Ok(Typed::sql(Code::Scalar(Box::new(query)), column_type, true))
            }
            ExprKind::Attribute(name, attribute) => {
                let key = format!("{name}%{attribute}");
                let known = self.inputs.variables.get(&key);
                let input = known.ok_or_else(|| OraError::new(911, "invalid character").at(at))?;
                Ok(Typed::constant(input.value.clone(), input.column_type))
            }
            ExprKind::Row(_) => Err(OraError::new(907, "missing right parenthesis").at(at)),
            _ => self.predicate(expr, scope),
        }
    }

    /// A value; a condition is none.
    pub(crate) fn value(&self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, OraError> {
        let typed = self.expression(expr, scope)?;
        if typed.kind == Kind::Condition && !matches!(expr.kind, ExprKind::Boolean(_)) {
            return Err(OraError::new(907, "missing right parenthesis").at(expr.at));
        }
        Ok(typed)
    }

    /// A condition. PL/SQL's BOOLEAN variables are numbers, so a variable passes.
    pub(crate) fn condition(&self, expr: &Expr, scope: &Scope<'_>) -> Result<Code, OraError> {
        let typed = self.expression(expr, scope)?;
        let boolean = match &expr.kind {
            ExprKind::Name { parts, .. } => self.inputs.variables.contains_key(&parts.join(".")),
            ExprKind::Attribute(..) => true,
            // Only a block has conditions that read no table.
            ExprKind::Bind(_) => {
                scope.sources.is_empty() && typed.column_type() == ColumnType::Number
            }
            _ => false,
        };
        if typed.kind == Kind::Condition || boolean {
            return Ok(typed.code);
        }
        Err(OraError::new(920, "invalid relational operator").at(expr.at))
    }

    fn bind(&self, place: usize, at: usize) -> Result<Typed, OraError> {
        let input = self.inputs.binds.get(place);
        let input = input.ok_or_else(|| OraError::new(1008, "not all variables bound").at(at))?;
        let mut typed = Typed::constant(input.value.clone(), input.column_type);
        // An unset bind says nothing about its type.
        if input.value.is_null() && matches!(input.column_type, ColumnType::Varchar2(_)) {
            typed.kind = Kind::Sql(NULL_TYPE);
        }
        typed.nullable = true;
        Ok(typed)
    }

    fn name(
        &self,
        parts: &[String],
        outer: bool,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        if let Some(pseudo) = Self::pseudo_column(parts, at, scope)? {
            return Ok(pseudo);
        }
        let columns = scope.find(parts, outer, at)?;
        if !columns.is_empty() {
            return super::using::joined(columns, at);
        }
        if scope.phase.get() == Phase::Order {
            let alias =
                parts.first().and_then(|name| scope.aliases.iter().find(|alias| alias.0 == *name));
            if let (Some((_, expr)), 1) = (alias, parts.len()) {
                return self.expression(expr, scope);
            }
        }
        let variable = parts.join(".");
        if let Some(input) = self.inputs.variables.get(&variable) {
            let mut typed = Typed::constant(input.value.clone(), input.column_type);
            typed.nullable = true;
            return Ok(typed);
        }
        if let Some(value) = crate::sql::plsql::constant(&variable) {
            return Ok(Typed::constant(Value::integer(value), ColumnType::Number));
        }
        Err(invalid_identifier(parts, at))
    }

    fn pseudo_column(
        parts: &[String],
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Option<Typed>, OraError> {
        let [name] = parts else { return Ok(None) };
        let number = |code| Ok(Some(Typed::sql(code, ColumnType::Number, false)));
        let needs_tree = || {
            if scope.hierarchical {
                Ok(())
            } else {
                Err(OraError::new(1788, "CONNECT BY clause required in this query block").at(at))
            }
        };
        match name.as_str() {
            "ROWNUM" if !scope.sources.is_empty() => number(Code::RowNum),
            "LEVEL" if !scope.sources.is_empty() => needs_tree().and_then(|()| number(Code::Level)),
            "CONNECT_BY_ISLEAF" => needs_tree().and_then(|()| number(Code::IsLeaf)),
            "CONNECT_BY_ISCYCLE" => needs_tree().and_then(|()| number(Code::IsCycle)),
            bare if functions::BARE.contains(&bare) => {
                let Some(function) = functions::find(bare) else { return Ok(None) };
                Ok(Some(Self::call_function(function, Vec::new())))
            }
            _ => Ok(None),
        }
    }

    fn unary(
        &self,
        operator: Unary,
        inner: &Expr,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        match operator {
            Unary::Not => Ok(Typed::condition(Code::Not(Box::new(self.condition(inner, scope)?)))),
            Unary::Minus => {
                let inner = self.value(inner, scope)?;
                let column_type = match inner.column_type() {
                    keep @ (ColumnType::IntervalDs
                    | ColumnType::IntervalYm
                    | ColumnType::BinaryDouble) => keep,
                    other if matches!(types::class(other), Class::Number | Class::Text) => {
                        ColumnType::Number
                    }
                    other => return Err(types::inconsistent(ColumnType::Number, other, at)),
                };
                Ok(Typed::sql(Code::Negate(Box::new(inner.code)), column_type, inner.nullable))
            }
            Unary::Prior | Unary::ConnectByRoot => {
                if !scope.hierarchical {
                    return Err(OraError::new(
                        1788,
                        "CONNECT BY clause required in this query block",
                    )
                    .at(at));
                }
                let inner = self.value(inner, scope)?;
                let column_type = inner.column_type();
                let code = Box::new(inner.code);
                let code =
                    if operator == Unary::Prior { Code::Prior(code) } else { Code::Root(code) };
                Ok(Typed::sql(code, column_type, true))
            }
        }
    }

    fn binary(
        &self,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        match operator {
            Binary::And | Binary::Or => {
                let list = vec![self.condition(left, scope)?, self.condition(right, scope)?];
                Ok(Typed::condition(if operator == Binary::And {
                    Code::And(list)
                } else {
                    Code::Or(list)
                }))
            }
            _ => self.compared(operator, left, right, at, scope),
        }
    }

    /// `a + b - c || d`: from the first operand on, so that a long chain takes no deep stack.
    fn chain(&self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, OraError> {
        let mut links = Vec::new();
        let mut first = expr;
        while let ExprKind::Binary(operator, left, right) = &first.kind
            && operator.is_link()
        {
            links.push((*operator, &**right, first.at));
            first = left;
        }
        let mut sum = self.value(first, scope)?;
        for (operator, right, at) in links.into_iter().rev() {
            sum = linked(operator, sum, self.value(right, scope)?, at)?;
        }
        Ok(sum)
    }

    /// A comparison, of rows too.
    fn compared(
        &self,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        if let ExprKind::Row(values) = &left.kind {
            if !matches!(operator, Binary::Equal | Binary::NotEqual) {
                return Err(OraError::new(1796, "this operator cannot be used with lists").at(at));
            }
            let equal = match &right.kind {
                ExprKind::Row(others) => self.rows_equal(values, others, at, scope)?,
                ExprKind::Query(query) => {
                    self.quantified(Binary::Equal, false, left, query, at, scope)?
                }
                _ => return Err(OraError::new(920, "invalid relational operator").at(at)),
            };
            return Ok(Typed::condition(if operator == Binary::Equal {
                equal
            } else {
                Code::Not(Box::new(equal))
            }));
        }
        let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
        compare(operator, left, right, at).map(Typed::condition)
    }

    fn rows_equal(
        &self,
        left: &[Expr],
        right: &[Expr],
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Code, OraError> {
        if left.len() != right.len() {
            return Err(OraError::new(913, "too many values").at(at));
        }
        let pairs = left.iter().zip(right).map(|(a, b)| {
            let (a, b) = (self.value(a, scope)?, self.value(b, scope)?);
            compare(Binary::Equal, a, b, at)
        });
        pairs.collect::<Result<Vec<Code>, OraError>>().map(Code::And)
    }

    /// BETWEEN, IN, LIKE, EXISTS and the like.
    fn predicate(&self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, OraError> {
        let at = expr.at;
        let code = match &expr.kind {
            ExprKind::Between { value, low, high } => {
                let from = compare(
                    Binary::GreaterEqual,
                    self.value(value, scope)?,
                    self.value(low, scope)?,
                    at,
                )?;
                let to = compare(
                    Binary::LessEqual,
                    self.value(value, scope)?,
                    self.value(high, scope)?,
                    at,
                )?;
                Code::And(vec![from, to])
            }
            ExprKind::In { value, list } => {
                self.listed(Binary::Equal, false, value, list, at, scope)?
            }
            ExprKind::InQuery { value, query } => {
                self.quantified(Binary::Equal, false, value, query, at, scope)?
            }
            ExprKind::Quantified { operator, all, value, right } => match &**right {
                Quantity::List(list) => self.listed(*operator, *all, value, list, at, scope)?,
                Quantity::Query(query) => {
                    self.quantified(*operator, *all, value, query, at, scope)?
                }
            },
            ExprKind::Exists(query) => Code::Exists(Box::new(self.subquery(query, scope)?)),
            ExprKind::Like { value, pattern, escape } => {
                let escape = match escape {
                    Some(escape) => Some(Box::new(self.value(escape, scope)?.code)),
                    None => None,
                };
                let value = Box::new(self.value(value, scope)?.code);
                Code::Like { value, pattern: Box::new(self.value(pattern, scope)?.code), escape }
            }
            ExprKind::IsNull(inner) => {
                // IS NULL also asks about PL/SQL's booleans.
                Code::IsNull(Box::new(self.expression(inner, scope)?.code))
            }
            _ => return Err(OraError::new(936, "missing expression").at(at)),
        };
        Ok(Typed::condition(code))
    }

    /// `x IN (a, b)`, `x > ALL (a, b)`.
    fn listed(
        &self,
        operator: Binary,
        all: bool,
        value: &Expr,
        list: &[Expr],
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Code, OraError> {
        if list.len() > 1000 {
            return Err(
                OraError::new(1795, "maximum number of expressions in a list is 1000").at(at)
            );
        }
        let tests = list.iter().map(|item| match (&value.kind, &item.kind) {
            (ExprKind::Row(values), ExprKind::Row(others)) => {
                self.rows_equal(values, others, at, scope)
            }
            (ExprKind::Row(_), _) => Err(OraError::new(920, "invalid relational operator").at(at)),
            _ => compare(operator, self.value(value, scope)?, self.value(item, scope)?, at),
        });
        let tests = tests.collect::<Result<Vec<Code>, OraError>>()?;
        Ok(if all { Code::And(tests) } else { Code::Or(tests) })
    }

    fn quantified(
        &self,
        operator: Binary,
        all: bool,
        value: &Expr,
        query: &Query,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Code, OraError> {
        let values = match &value.kind {
            ExprKind::Row(values) => values.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let values: Result<Vec<Typed>, OraError> =
            values.iter().map(|value| self.value(value, scope)).collect();
        let values = values?;
        let query = self.subquery(query, scope)?;
        if query.plan.columns.len() != values.len() {
            let (code, text) = if query.plan.columns.len() > values.len() {
                (913, "too many values")
            } else {
                (947, "not enough values")
            };
            return Err(OraError::new(code, text).at(at));
        }
        for (value, column) in values.iter().zip(&query.plan.columns) {
            types::comparable(value.column_type(), column.column_type, at)?;
        }
        let values = values.into_iter().map(|value| value.code).collect();
        Ok(Code::Quantified { operator, all, values, query: Box::new(query) })
    }

    pub(super) fn subquery(&self, query: &Query, scope: &Scope<'_>) -> Result<Subquery, OraError> {
        let (plan, correlated) = self.plan(query, Some(scope), scope.ctes)?;
        Ok(Subquery { plan, correlated, cache: OnceCell::default(), keys: OnceCell::default() })
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in arms {
            conditions.push(match operand {
                Some(operand) => compare(
                    Binary::Equal,
                    self.value(operand, scope)?,
                    self.value(when, scope)?,
                    when.at,
                )?,
                None => self.condition(when, scope)?,
            });
            results.push((self.value(then, scope)?, then.at));
        }
        results.push(match otherwise {
            Some(otherwise) => (self.value(otherwise, scope)?, otherwise.at),
            None => (Typed::constant(Value::Null, NULL_TYPE), 0),
        });
        let nullable = results.iter().any(|result| result.0.nullable);
        let kinds: Vec<ColumnType> = results.iter().map(|result| result.0.column_type()).collect();
        let column_type = types::unified(&kinds).ok_or_else(|| {
            let first = kinds.iter().copied().find(|kind| *kind != NULL_TYPE).unwrap_or(NULL_TYPE);
            let odd = results
                .iter()
                .find(|result| types::comparable_class(first, result.0.column_type()));
            let (got, at) = odd.map_or((first, 0), |odd| (odd.0.column_type(), odd.1));
            types::inconsistent(first, got, at)
        })?;
        let mut codes: Vec<Code> =
            results.into_iter().map(|(result, _)| result.converted(column_type)).collect();
        let otherwise = Box::new(codes.pop().unwrap_or(Code::Const(Value::Null)));
        let arms = conditions.into_iter().zip(codes).collect();
        Ok(Typed::sql(Code::Case { arms, otherwise }, column_type, nullable))
    }
}

/// Two operands of arithmetic, or of `||`.
fn linked(operator: Binary, left: Typed, right: Typed, at: usize) -> Result<Typed, OraError> {
    if operator == Binary::Concat {
        let bytes =
            types::width(left.column_type()).saturating_add(types::width(right.column_type()));
        let nullable = left.nullable && right.nullable;
        let code = Code::Concat(Box::new(left.code), Box::new(right.code));
        return Ok(Typed::sql(code, ColumnType::Varchar2(bytes.min(4000)), nullable));
    }
    let column_type = types::arithmetic(operator, left.column_type(), right.column_type(), at)?;
    let nullable = left.nullable || right.nullable;
    let code = Code::Arithmetic(operator, Box::new(left.code), Box::new(right.code));
    Ok(Typed::sql(code, column_type, nullable))
}

/// A comparison of two values; types that cannot meet are ORA-00932.
pub(super) fn compare(
    operator: Binary,
    left: Typed,
    right: Typed,
    at: usize,
) -> Result<Code, OraError> {
    types::comparable(left.column_type(), right.column_type(), at)?;
    let char = |typed: &Typed| matches!(typed.column_type(), ColumnType::Char(_));
    let padded = char(&left) && char(&right);
    Ok(Code::Compare { operator, left: Box::new(left.code), right: Box::new(right.code), padded })
}

fn single_column(query: &Subquery, at: usize) -> Result<ColumnType, OraError> {
    match query.plan.columns.as_slice() {
        [column] => Ok(column.column_type),
        _ => Err(OraError::new(913, "too many values").at(at)),
    }
}

/// The inputs of a statement that is only described: every bind unset.
pub(crate) fn unset(count: usize) -> query::Inputs {
    let unset = query::Input { column_type: ColumnType::Varchar2(2000), value: Value::Null };
    query::Inputs { binds: vec![unset; count], ..query::Inputs::default() }
}
