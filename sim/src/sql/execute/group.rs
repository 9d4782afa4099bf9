//! GROUP BY and the aggregates.

use std::collections::{HashMap, HashSet};

use super::{Context, Unit, counted, sort};
use crate::ora::OraError;
use crate::sql::code::{Aggregate, AggregateKind, Key, OrderKey, Sorting};
use crate::sql::environment::Environment;
use crate::sql::evaluate::{Evaluator, NO_ROW, arithmetic, compare, convert};
use crate::sql::{ast::Binary, number};
use crate::value::{Number, Value};

impl Evaluator<'_> {
    /// One row per group: its first row, with the aggregates.
    pub(super) fn group(
        &self,
        context: &Context<'_>,
        units: Vec<Unit>,
    ) -> Result<Vec<Unit>, OraError> {
        let block = context.block;
        let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
        let mut groups: Vec<Vec<Unit>> = Vec::new();
        for unit in units {
            let frame = context.frame(&unit);
            let key = block.keys.iter().map(|code| Ok(Key::of(&*self.cow(code, &frame)?)));
            let key = key.collect::<Result<Vec<Key>, OraError>>()?;
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[place].push(unit);
        }
        if groups.is_empty() && block.keys.is_empty() {
            groups.push(Vec::new());
        }
        let mut result = Vec::new();
        for units in groups {
            let members: Vec<&Unit> = units.iter().collect();
            let aggregates = block
                .aggregates
                .iter()
                .map(|aggregate| self.aggregate(aggregate, &members, context));
            let aggregates = aggregates.collect::<Result<Vec<Value>, OraError>>()?;
            let empty = || Unit {
                row: vec![NO_ROW; context.data.len()],
                node: None,
                rownum: 0,
                aggregates: Vec::new(),
                windows: Vec::new(),
            };
            let mut unit = units.into_iter().next().unwrap_or_else(empty);
            unit.aggregates = aggregates;
            let kept = match &block.having {
                Some(having) => self.test(having, &context.frame(&unit))? == Some(true),
                None => true,
            };
            if kept {
                result.push(unit);
            }
        }
        Ok(result)
    }

    /// An aggregate over some rows.
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        units: &[&Unit],
        context: &Context<'_>,
    ) -> Result<Value, OraError> {
        let mut sorted = self.keyed(&aggregate.order, units, context)?;
        if let Some(last) = aggregate.keep_last {
            sorted = extreme(sorted, &aggregate.order, last);
        }
        let Some(argument) = aggregate.arguments.first() else { return Ok(counted(sorted.len())) };
        let mut seen = HashSet::new();
        let mut values = Vec::new();
        for (_, unit) in &sorted {
            let value = self.value(argument, &context.frame(unit))?;
            if !value.is_null() && (!aggregate.distinct || seen.insert(Key::of(&value))) {
                values.push(value);
            }
        }
        if aggregate.kind == AggregateKind::ListAgg {
            let separator = match (aggregate.arguments.get(1), sorted.first()) {
                (Some(code), Some((_, unit))) => {
                    self.text(code, &context.frame(unit))?.unwrap_or_default()
                }
                _ => String::new(),
            };
            return list(&values, &separator, self.environment);
        }
        fold(aggregate.kind, values, self.environment)
    }

    /// The rows with their sort keys, in their order.
    pub(super) fn keyed<'u>(
        &self,
        order: &[OrderKey],
        units: &[&'u Unit],
        context: &Context<'_>,
    ) -> Result<Vec<(Vec<Value>, &'u Unit)>, OraError> {
        let mut keyed = Vec::new();
        for unit in units {
            let frame = context.frame(unit);
            let keys = order.iter().map(|key| self.value(&key.code, &frame));
            keyed.push((keys.collect::<Result<Vec<Value>, OraError>>()?, *unit));
        }
        if !order.is_empty() {
            let sortings: Vec<Sorting> = order.iter().map(|key| key.sorting).collect();
            sort::sort(&mut keyed, |row, place| &row.0[place], &sortings, self.environment);
        }
        Ok(keyed)
    }
}

/// KEEP (DENSE_RANK FIRST|LAST …): the rows with the first or last key.
fn extreme<'u>(
    sorted: Vec<(Vec<Value>, &'u Unit)>,
    order: &[OrderKey],
    last: bool,
) -> Vec<(Vec<Value>, &'u Unit)> {
    let wanted = if last { sorted.last() } else { sorted.first() };
    let Some(wanted) = wanted.map(|(keys, _)| keys.clone()) else { return sorted };
    debug_assert_eq!(wanted.len(), order.len(), "a key per ORDER BY item");
    sorted.into_iter().filter(|(keys, _)| *keys == wanted).collect()
}

fn list(
    values: &[Value],
    separator: &str,
    environment: &dyn Environment,
) -> Result<Value, OraError> {
    let mut parts = Vec::new();
    for value in values {
        parts.extend(convert::text(value, environment)?);
    }
    let text = parts.join(separator);
    if text.len() > 4000 {
        return Err(OraError::new(1489, "result of string concatenation is too long"));
    }
    Ok(Value::text(text))
}

/// An aggregate of values that are not NULL.
pub(super) fn fold(
    kind: AggregateKind,
    values: Vec<Value>,
    environment: &dyn Environment,
) -> Result<Value, OraError> {
    let count = values.len();
    if kind == AggregateKind::Count {
        return Ok(counted(count));
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    match kind {
        AggregateKind::Min | AggregateKind::Max => {
            let largest = kind == AggregateKind::Max;
            let best = values.into_iter().reduce(|best, value| {
                let order = compare::sort(&value, &best, environment);
                if if largest { order.is_gt() } else { order.is_lt() } { value } else { best }
            });
            Ok(best.unwrap_or(Value::Null))
        }
        AggregateKind::Sum | AggregateKind::Avg => {
            let sum = sum(&values)?;
            if kind == AggregateKind::Sum {
                return Ok(sum);
            }
            arithmetic::apply(Binary::Divide, &sum, &counted(count))
        }
        AggregateKind::Median => {
            let mut values = values;
            values.sort_by(|a, b| compare::sort(a, b, environment));
            if count % 2 == 1 {
                return Ok(values.swap_remove(count / 2));
            }
            arithmetic::apply(
                Binary::Divide,
                &sum(&values[count / 2 - 1..=count / 2])?,
                &counted(2),
            )
        }
        _ => {
            let variance = variance(&values)?;
            if kind == AggregateKind::Variance {
                return Ok(Value::Number(variance));
            }
            number::square_root(variance).map(Value::Number)
        }
    }
}

fn sum(values: &[Value]) -> Result<Value, OraError> {
    let mut sum = match &values[0] {
        Value::IntervalDs(_) => values[0].clone(),
        first => convert::number(first)?.map_or(Value::Null, Value::Number),
    };
    for value in &values[1..] {
        sum = arithmetic::apply(Binary::Add, &sum, value)?;
    }
    Ok(sum)
}

fn variance(values: &[Value]) -> Result<Number, OraError> {
    let mut numbers = Vec::new();
    for value in values {
        numbers.extend(convert::number(value)?);
    }
    let count = Number::integer(numbers.len() as i128);
    let mut total = Number::integer(0);
    for number in &numbers {
        total = number::add(total, *number)?;
    }
    let mean = number::divide(total, count)?;
    let mut squares = Number::integer(0);
    for number in &numbers {
        let distance = number::subtract(*number, mean)?;
        squares = number::add(squares, number::multiply(distance, distance)?)?;
    }
    if numbers.len() < 2 {
        return Ok(Number::integer(0));
    }
    number::divide(squares, Number::integer(numbers.len() as i128 - 1))
}
