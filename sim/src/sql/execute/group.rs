//! GROUP BY and the aggregates.

use std::collections::{HashMap, HashSet};

use super::{Context, Places, Unit, counted, sort};
use crate::ora::OraError;
use crate::sql::code::{Aggregate, AggregateKind, Code, Key, OrderKey, Sorting};
use crate::sql::environment::Environment;
use crate::sql::evaluate::{Evaluator, NO_ROW, arithmetic, compare, convert};
use crate::sql::{ast::Binary, number};
use crate::value::{Number, Value};

/// One grouping of the rows.
struct Grouping<'g> {
    /// The places of its keys.
    set: &'g [usize],
    /// How many equal groupings there are before it.
    before: usize,
    /// All keys of every row.
    keys: &'g [Vec<Value>],
}

impl Grouping<'_> {
    /// The aggregates that depend on the grouping and not on its rows. `first` is a row of the group.
    fn value(&self, aggregate: &Aggregate, keys: &[Code], first: Option<&usize>) -> Option<Value> {
        match (aggregate.kind, aggregate.arguments.as_slice()) {
            (AggregateKind::Key, [Code::Const(place)]) => {
                let Value::Number(place) = place else { return None };
                let place = place.to_i64().and_then(|place| usize::try_from(place).ok())?;
                let value =
                    first.filter(|_| self.set.contains(&place)).map(|row| &self.keys[*row][place]);
                Some(value.cloned().unwrap_or(Value::Null))
            }
            (AggregateKind::Grouping, arguments) => {
                let lacks = |argument: &Code| !self.set.iter().any(|key| keys[*key].same(argument));
                let bits = arguments
                    .iter()
                    .fold(0, |bits, argument| bits * 2 + i128::from(lacks(argument)));
                Some(Value::integer(bits))
            }
            (AggregateKind::GroupId, _) => Some(counted(self.before)),
            _ => None,
        }
    }
}

/// Two groupings of the same keys.
fn alike(a: &[usize], b: &[usize]) -> bool {
    a.iter().all(|key| b.contains(key)) && b.iter().all(|key| a.contains(key))
}

impl Evaluator<'_> {
    /// One row per group of each grouping: its first row, with the aggregates.
    pub(super) fn group(
        &self,
        context: &Context<'_>,
        units: &[Unit],
    ) -> Result<Vec<Unit>, OraError> {
        let block = context.block;
        let mut keys = Vec::new();
        for unit in units {
            self.meter.step(1)?;
            let frame = context.frame(unit);
            let values = block.keys.iter().map(|code| self.value(code, &frame));
            keys.push(values.collect::<Result<Vec<Value>, OraError>>()?);
        }
        let mut result = Vec::new();
        for (place, set) in block.sets.iter().enumerate() {
            let before = block.sets[..place].iter().filter(|other| alike(other, set)).count();
            let grouping = Grouping { set, before, keys: &keys };
            self.grouping(context, units, &grouping, &mut result)?;
        }
        Ok(result)
    }

    fn grouping(
        &self,
        context: &Context<'_>,
        units: &[Unit],
        grouping: &Grouping<'_>,
        result: &mut Vec<Unit>,
    ) -> Result<(), OraError> {
        let block = context.block;
        let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (unit, values) in grouping.keys.iter().enumerate() {
            let key = grouping.set.iter().map(|key| Key::of(&values[*key])).collect();
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[place].push(unit);
        }
        if groups.is_empty() && grouping.set.is_empty() {
            groups.push(Vec::new());
        }
        for places in groups {
            let members: Vec<&Unit> = places.iter().map(|place| &units[*place]).collect();
            let aggregates = block.aggregates.iter().map(|aggregate| {
                match grouping.value(aggregate, &block.keys, places.first()) {
                    Some(value) => Ok(value),
                    None => self.aggregate(aggregate, &members, context),
                }
            });
            let aggregates = aggregates.collect::<Result<Vec<Value>, OraError>>()?;
            let first = members.first();
            let unit = Unit {
                row: first.map_or_else(
                    || Places::from(vec![NO_ROW; context.data.len()]),
                    |unit| unit.row.clone(),
                ),
                node: first.and_then(|unit| unit.node),
                rownum: first.map_or(0, |unit| unit.rownum),
                aggregates,
                windows: Vec::new(),
            };
            let kept = match &block.having {
                Some(having) => self.test(having, &context.frame(&unit))? == Some(true),
                None => true,
            };
            if kept {
                result.push(unit);
            }
        }
        Ok(())
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
        if matches!(aggregate.kind, AggregateKind::PercentileCont | AggregateKind::PercentileDisc) {
            let Some((_, unit)) = sorted.first() else { return Ok(Value::Null) };
            let share = convert::number(&self.value(argument, &context.frame(unit))?)?;
            let values =
                sorted.iter().filter_map(|(keys, _)| keys.first()).filter(|key| !key.is_null());
            return percentile(aggregate.kind, share, &values.cloned().collect::<Vec<Value>>());
        }
        let mut seen = HashSet::new();
        let mut values = Vec::new();
        for (_, unit) in &sorted {
            self.meter.step(1)?;
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
            self.meter.step(1)?;
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

pub(super) fn list(
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
        AggregateKind::StatsMode => {
            let mut values = values;
            values.sort_by(|a, b| compare::sort(a, b, environment));
            // The longest run of equal values; the first of them if there are several.
            let runs = values.chunk_by(|a, b| compare::sort(a, b, environment).is_eq());
            let best = runs.reduce(|best, run| if run.len() > best.len() { run } else { best });
            Ok(best.and_then(|run| run.first()).cloned().unwrap_or(Value::Null))
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

/// The value at a share of the way through sorted values.
fn percentile(
    kind: AggregateKind,
    share: Option<Number>,
    values: &[Value],
) -> Result<Value, OraError> {
    let (zero, one) = (Number::ZERO, Number::integer(1));
    let share = share.filter(|share| (zero..=one).contains(share));
    let share = share.ok_or_else(|| {
        OraError::new(30492, "One of the arguments of the percentile function is out of range")
    })?;
    let Some(last) = values.len().checked_sub(1) else { return Ok(Value::Null) };
    let at = |place: Number| {
        let place = place.to_i64().and_then(|place| usize::try_from(place).ok()).unwrap_or(0);
        &values[place.min(last)]
    };
    if kind == AggregateKind::PercentileDisc {
        // The first value whose cumulative share is not less.
        let rank = number::ceil(number::multiply(share, Number::integer(values.len() as i128))?);
        return Ok(at(number::subtract(rank.max(one), one)?).clone());
    }
    let place = number::multiply(share, Number::integer(last as i128))?;
    let below = number::floor(place);
    let part = number::subtract(place, below)?;
    let (low, high) = (at(below), at(number::ceil(place)));
    if part.is_zero() {
        return Ok(low.clone());
    }
    let distance = arithmetic::apply(Binary::Subtract, high, low)?;
    let step = arithmetic::apply(Binary::Multiply, &distance, &Value::Number(part))?;
    arithmetic::apply(Binary::Add, low, &step)
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
