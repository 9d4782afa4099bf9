//! Analytic functions.

use std::collections::HashMap;

use super::{Context, Unit, counted, group};
use crate::ora::OraError;
use crate::sql::ast::Binary;
use crate::sql::code::{Aggregate, AggregateKind, Key, Window, WindowKind};
use crate::sql::evaluate::{Evaluator, arithmetic, convert};
use crate::value::Value;

/// The rows of a partition in order: their keys, and their places.
type Partition = Vec<(Vec<Value>, usize)>;

impl Evaluator<'_> {
    /// Fills in each row's results.
    pub(super) fn windows(
        &self,
        context: &Context<'_>,
        units: &mut [Unit],
    ) -> Result<(), OraError> {
        for window in &context.block.windows {
            let mut results = vec![Value::Null; units.len()];
            for partition in self.partitions(context, window, units)? {
                self.window(context, window, units, &partition, &mut results)?;
            }
            for (unit, result) in units.iter_mut().zip(results) {
                unit.windows.push(result);
            }
        }
        Ok(())
    }

    fn partitions(
        &self,
        context: &Context<'_>,
        window: &Window,
        units: &[Unit],
    ) -> Result<Vec<Partition>, OraError> {
        let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (place, unit) in units.iter().enumerate() {
            self.meter.step(1)?;
            let frame = context.frame(unit);
            let key = window.partition.iter().map(|code| Ok(Key::of(&*self.cow(code, &frame)?)));
            let key = key.collect::<Result<Vec<Key>, OraError>>()?;
            let group = *places.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(place);
        }
        let mut partitions = Vec::new();
        for members in groups {
            let mut partition = Vec::new();
            for place in members {
                let frame = context.frame(&units[place]);
                let keys = window.order.iter().map(|key| self.value(&key.code, &frame));
                partition.push((keys.collect::<Result<Vec<Value>, OraError>>()?, place));
            }
            let sortings: Vec<_> = window.order.iter().map(|key| key.sorting).collect();
            super::sort::sort(
                &mut partition,
                |row, place| &row.0[place],
                &sortings,
                self.environment,
            );
            partitions.push(partition);
        }
        Ok(partitions)
    }

    fn window(
        &self,
        context: &Context<'_>,
        window: &Window,
        units: &[Unit],
        partition: &Partition,
        results: &mut [Value],
    ) -> Result<(), OraError> {
        let argument = |place: usize, row: usize| match window.arguments.get(place) {
            Some(code) => self.value(code, &context.frame(&units[partition[row].1])),
            None => Ok(Value::Null),
        };
        let (mut rank, mut dense) = (0, 0);
        for row in 0..partition.len() {
            self.meter.step(1)?;
            if row == 0 || partition[row].0 != partition[row - 1].0 {
                rank = row + 1;
                dense += 1;
            }
            results[partition[row].1] = match window.kind {
                WindowKind::RowNumber => counted(row + 1),
                WindowKind::Rank => counted(rank),
                WindowKind::DenseRank => counted(dense),
                WindowKind::FirstValue => argument(0, 0)?,
                WindowKind::LastValue => argument(0, last(window, partition, row))?,
                WindowKind::NTile => ntile(&argument(0, row)?, row, partition.len())?,
                WindowKind::Lag | WindowKind::Lead => {
                    let default = Value::integer(1);
                    let by = if window.arguments.len() > 1 { argument(1, row)? } else { default };
                    let by = convert::whole(&by)?.unwrap_or(1);
                    let by = usize::try_from(by).map_err(|_| out_of_range(by))?;
                    let other = if window.kind == WindowKind::Lag {
                        row.checked_sub(by)
                    } else {
                        row.checked_add(by)
                    };
                    match other.filter(|other| *other < partition.len()) {
                        Some(other) => argument(0, other)?,
                        None => argument(2, row)?,
                    }
                }
                WindowKind::RatioToReport | WindowKind::Aggregate(_) => continue,
            };
        }
        match window.kind {
            WindowKind::Aggregate(kind) => {
                self.running(context, window, kind, units, partition, results)
            }
            WindowKind::RatioToReport => {
                let values = (0..partition.len()).map(|row| argument(0, row));
                let values = values.collect::<Result<Vec<Value>, OraError>>()?;
                let filled = values.iter().filter(|value| !value.is_null()).cloned().collect();
                let total = group::fold(AggregateKind::Sum, filled, self.environment)?;
                for (row, value) in values.iter().enumerate() {
                    results[partition[row].1] = arithmetic::apply(Binary::Divide, value, &total)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An aggregate up to each row and its peers, or over the whole partition.
    fn running(
        &self,
        context: &Context<'_>,
        window: &Window,
        kind: AggregateKind,
        units: &[Unit],
        partition: &Partition,
        results: &mut [Value],
    ) -> Result<(), OraError> {
        let whole = window.whole || window.order.is_empty();
        let members: Vec<&Unit> = partition.iter().map(|(_, place)| &units[*place]).collect();
        if whole {
            let value = self.slice(context, window, kind, &members)?;
            for (_, place) in partition {
                results[*place] = value.clone();
            }
            return Ok(());
        }
        let mut values = Vec::new();
        let mut row = 0;
        while row < partition.len() {
            let end = last(window, partition, row) + 1;
            self.meter.step(end - row)?;
            for unit in &members[row..end] {
                match window.arguments.first() {
                    Some(code) => values.push(self.value(code, &context.frame(unit))?),
                    None => values.push(Value::integer(1)),
                }
            }
            self.meter.step(values.len())?;
            let filled = values.iter().filter(|value| !value.is_null()).cloned().collect();
            let value = group::fold(kind, filled, self.environment)?;
            // What was summed up so far is all that the next rows need.
            if matches!(kind, AggregateKind::Sum | AggregateKind::Min | AggregateKind::Max) {
                values = vec![value.clone()];
            }
            partition[row..end].iter().for_each(|(_, place)| results[*place] = value.clone());
            row = end;
        }
        Ok(())
    }

    fn slice(
        &self,
        context: &Context<'_>,
        window: &Window,
        kind: AggregateKind,
        members: &[&Unit],
    ) -> Result<Value, OraError> {
        if kind == AggregateKind::ListAgg {
            let (mut seen, mut texts) = (std::collections::HashSet::new(), Vec::new());
            let mut separator = String::new();
            for unit in members {
                let frame = context.frame(unit);
                if let Some(code) = window.arguments.get(1) {
                    separator = self.text(code, &frame)?.unwrap_or_default();
                }
                let value = self.value(&window.arguments[0], &frame)?;
                if !value.is_null() && (!window.distinct || seen.insert(Key::of(&value))) {
                    texts.push(value);
                }
            }
            return group::list(&texts, &separator, self.environment);
        }
        let arguments = Vec::new();
        let aggregate = Aggregate {
            kind,
            arguments,
            distinct: window.distinct,
            order: Vec::new(),
            keep_last: None,
        };
        let Some(code) = window.arguments.first() else {
            return self.aggregate(&aggregate, members, context);
        };
        let mut seen = std::collections::HashSet::new();
        let mut values = Vec::new();
        for unit in members {
            let value = self.value(code, &context.frame(unit))?;
            if !value.is_null() && (!window.distinct || seen.insert(Key::of(&value))) {
                values.push(value);
            }
        }
        group::fold(kind, values, self.environment)
    }
}

/// The last row that the default window of a row reaches: its last peer, or with ROWS itself.
fn last(window: &Window, partition: &Partition, row: usize) -> usize {
    if window.whole || window.order.is_empty() {
        return partition.len() - 1;
    }
    if window.rows {
        return row;
    }
    let peers = partition[row..].iter().take_while(|other| other.0 == partition[row].0).count();
    row + peers - 1
}

fn out_of_range(argument: i64) -> OraError {
    OraError::new(1428, format!("argument '{argument}' is out of range"))
}

fn ntile(buckets: &Value, row: usize, count: usize) -> Result<Value, OraError> {
    let buckets = convert::whole(buckets)?
        .and_then(|buckets| usize::try_from(buckets).ok())
        .filter(|b| *b > 0);
    let buckets = buckets.ok_or_else(|| OraError::new(1428, "argument is out of range"))?;
    let (small, large) = (count / buckets, count % buckets);
    let boundary = large * (small + 1);
    let bucket =
        if row < boundary { row / (small + 1) } else { large + (row - boundary) / small.max(1) };
    Ok(counted(bucket + 1))
}
