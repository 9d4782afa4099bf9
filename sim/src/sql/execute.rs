//! Plans to rows.

mod group;
mod join;
mod read;
mod recursive;
mod sort;
pub(crate) mod tree;
mod window;

use std::collections::HashSet;
use std::mem::size_of;
use std::rc::Rc;

use super::ast::{Join, SetOperator};
use super::code::{
    Aggregate, AggregateKind, Block, Body, Code, Key, Limit, OrderTarget, Plan, Rows, Sorting,
    SourceKind,
};
use super::evaluate::{Evaluator, Frame, NO_ROW, Row, convert};
use crate::ora::OraError;
use crate::value::{ColumnType, Number, Value};
use tree::Tree;

/// More rows than this at one point of a query are an error rather than all the memory.
const ROWS_MAX: usize = 5_000_000;

/// Per source of a block, the place of its row. The rows of a hierarchy share them.
type Places = Rc<[u32]>;

/// A row on its way through a block.
struct Unit {
    row: Places,
    node: Option<usize>,
    rownum: i64,
    aggregates: Vec<Value>,
    windows: Vec<Value>,
}

/// What all rows of a block share.
struct Context<'x> {
    block: &'x Block,
    data: Vec<Rows>,
    tree: Option<Tree>,
    parent: Option<&'x Frame<'x>>,
}

impl Context<'_> {
    fn frame<'f>(&'f self, unit: &'f Unit) -> Frame<'f> {
        Frame {
            rownum: unit.rownum,
            tree: self.tree.as_ref().zip(unit.node),
            aggregates: &unit.aggregates,
            windows: &unit.windows,
            ..Frame::new(&self.data, Row::Joined(&unit.row), self.parent)
        }
    }
}

pub(crate) fn too_many_rows() -> OraError {
    OraError::new(4030, "out of process memory when trying to allocate rows for a query")
}

impl Evaluator<'_> {
    /// All rows, or at least `most` if there are so many.
    pub(crate) fn run(
        &self,
        plan: &Plan,
        parent: Option<&Frame<'_>>,
        most: Option<usize>,
    ) -> Result<Vec<Vec<Value>>, OraError> {
        let most = if plan.order.is_empty() && plan.limit.is_none() {
            most
        } else {
            self.first_rows(plan, parent)?
        };
        let mut rows = match &plan.body {
            Body::Block(block) => {
                let limit = plan.limit.as_ref();
                return self.meter.within(|| self.block(block, parent, limit, most));
            }
            Body::Recursive { anchor, member, feed } => {
                self.recursive(plan, [anchor, member], feed, parent)?
            }
            Body::Nested(inner) => self.run(inner, parent, most)?,
            Body::Set { operator, left, right } => {
                let left = self.converted(left, plan, parent)?;
                let right = self.converted(right, plan, parent)?;
                combined(*operator, left, right)
            }
        };
        if !plan.order.is_empty() {
            sort::sort(
                &mut rows,
                |row, place| &row[plan.order[place].0],
                &sortings(plan),
                self.environment,
            );
        }
        let Some(limit) = &plan.limit else { return Ok(rows) };
        let tied = |a: &Vec<Value>, b: &Vec<Value>| {
            !plan.order.is_empty() && plan.order.iter().all(|(place, _)| a[*place] == b[*place])
        };
        self.limited(rows, limit, parent, tied)
    }

    /// How many rows OFFSET and FETCH need, if nothing has to be sorted.
    fn first_rows(
        &self,
        plan: &Plan,
        parent: Option<&Frame<'_>>,
    ) -> Result<Option<usize>, OraError> {
        match &plan.limit {
            Some(limit) if plan.order.is_empty() && !limit.percent && limit.count.is_some() => {
                let (offset, count) = self.bounds(limit, parent)?;
                Ok(count.map(|count| offset.saturating_add(count)))
            }
            _ => Ok(None),
        }
    }

    fn bounds(
        &self,
        limit: &Limit,
        parent: Option<&Frame<'_>>,
    ) -> Result<(usize, Option<usize>), OraError> {
        let empty = Frame::empty();
        let whole = |code: &Option<Code>| match code {
            None => Ok(None),
            Some(code) => {
                let value = self.value(code, parent.unwrap_or(&empty))?;
                let count = convert::whole(&value)?.unwrap_or(0).max(0);
                Ok(Some(usize::try_from(count).unwrap_or(usize::MAX)))
            }
        };
        Ok((whole(&limit.offset)?.unwrap_or(0), whole(&limit.count)?))
    }

    fn limited<T>(
        &self,
        mut rows: Vec<T>,
        limit: &Limit,
        parent: Option<&Frame<'_>>,
        tied: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<T>, OraError> {
        let total = rows.len();
        let (offset, count) = self.bounds(limit, parent)?;
        rows.drain(..offset.min(total));
        if let Some(count) = count {
            let count =
                if limit.percent { total.saturating_mul(count).div_ceil(100) } else { count };
            let mut keep = count.min(rows.len());
            if limit.ties && keep > 0 {
                while keep < rows.len() && tied(&rows[keep - 1], &rows[keep]) {
                    keep += 1;
                }
            }
            rows.truncate(keep);
        }
        Ok(rows)
    }

    /// One side of a compound query, in the types of the whole.
    fn converted(
        &self,
        side: &Plan,
        whole: &Plan,
        parent: Option<&Frame<'_>>,
    ) -> Result<Vec<Vec<Value>>, OraError> {
        let mut rows = self.run(side, parent, None)?;
        for (place, (from, to)) in side.columns.iter().zip(&whole.columns).enumerate() {
            let needed = matches!(
                to.column_type,
                ColumnType::Timestamp | ColumnType::TimestampTz | ColumnType::BinaryDouble
            );
            if from.column_type == to.column_type || !needed {
                continue;
            }
            for row in &mut rows {
                let value = std::mem::replace(&mut row[place], Value::Null);
                row[place] = convert::cast(value, to.column_type, None, self.environment)?;
            }
        }
        Ok(rows)
    }

    fn block(
        &self,
        block: &Block,
        parent: Option<&Frame<'_>>,
        limit: Option<&Limit>,
        most: Option<usize>,
    ) -> Result<Vec<Vec<Value>>, OraError> {
        let plain = !block.grouped
            && block.connect.is_none()
            && block.windows.is_empty()
            && block.order.is_empty()
            && !block.distinct;
        let most = most.filter(|_| plain);
        if plain
            && limit.is_none()
            && let [source] = block.sources.as_slice()
            && let SourceKind::Table(name, wanted) = &source.kind
            && source.rows.get().is_none()
            && !looked_up(block)
            && !asks(block)
        {
            return self.stream(block, name, wanted, parent, most);
        }
        let mut data = Vec::new();
        for source in &block.sources {
            data.push(self.source_rows(source, parent)?);
        }
        let mut context = Context { block, data, tree: None, parent };
        if counts_only(block) {
            let row = Places::from(vec![NO_ROW; block.sources.len()]);
            let count = counted(self.count(&context)?);
            let aggregates = vec![count; block.aggregates.len()];
            let unit = Unit { row, node: None, rownum: 0, aggregates, windows: Vec::new() };
            return self.output(&context, &[unit], limit);
        }
        let joined = self.join(&mut context)?;
        let mut units = self.units(&mut context, joined, most)?;
        if block.grouped {
            units = self.group(&context, &units)?;
        }
        if !block.windows.is_empty() {
            self.windows(&context, &mut units)?;
        }
        self.output(&context, &units, limit)
    }

    /// The rows behind the joins, with their place in the hierarchy, that WHERE lets through.
    fn units(
        &self,
        context: &mut Context<'_>,
        joined: Vec<Places>,
        most: Option<usize>,
    ) -> Result<Vec<Unit>, OraError> {
        let unit = |row: Places, node| Unit {
            row,
            node,
            rownum: 0,
            aggregates: Vec::new(),
            windows: Vec::new(),
        };
        let units: Vec<Unit> = match &context.block.connect {
            None => joined.into_iter().map(|row| unit(row, None)).collect(),
            Some(connect) => {
                let (tree, order) = self.tree(context, connect, &joined)?;
                let units = order
                    .into_iter()
                    .map(|node| unit(Places::clone(&tree.nodes[node].row), Some(node)))
                    .collect();
                context.tree = Some(tree);
                units
            }
        };
        let mut kept = Vec::new();
        for mut unit in units {
            unit.rownum = i64::try_from(kept.len()).unwrap_or(i64::MAX) + 1;
            if self.holds(&context.block.filter, &context.frame(&unit))? {
                self.meter.hold(size_of::<Unit>())?;
                kept.push(unit);
                if most == Some(kept.len()) {
                    break;
                }
            }
        }
        Ok(kept)
    }

    /// The select list, DISTINCT, ORDER BY and FETCH.
    fn output(
        &self,
        context: &Context<'_>,
        units: &[Unit],
        limit: Option<&Limit>,
    ) -> Result<Vec<Vec<Value>>, OraError> {
        let block = context.block;
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        for unit in units {
            self.meter.step(1)?;
            let frame = context.frame(unit);
            let cells = block.select.iter().map(|code| self.value(code, &frame));
            let cells = cells.collect::<Result<Vec<Value>, OraError>>()?;
            if block.distinct && !seen.insert(cells.iter().map(Key::of).collect::<Vec<Key>>()) {
                continue;
            }
            let keys = block.order.iter().map(|(target, _)| match target {
                OrderTarget::Output(place) => Ok(cells[*place].clone()),
                OrderTarget::Code(code) => self.value(code, &frame),
            });
            let keys = if block.siblings {
                Vec::new()
            } else {
                keys.collect::<Result<Vec<Value>, OraError>>()?
            };
            self.meter.hold(row_bytes(&cells) + row_bytes(&keys))?;
            rows.push((keys, cells));
        }
        if !block.order.is_empty() && !block.siblings {
            let sortings: Vec<Sorting> = block.order.iter().map(|(_, sorting)| *sorting).collect();
            sort::sort(&mut rows, |row, place| &row.0[place], &sortings, self.environment);
        }
        if let Some(limit) = limit {
            rows =
                self.limited(rows, limit, context.parent, |a, b| !a.0.is_empty() && a.0 == b.0)?;
        }
        Ok(rows.into_iter().map(|(_, cells)| cells).collect())
    }
}

/// About what a row takes.
pub(crate) fn row_bytes(row: &[Value]) -> usize {
    let texts = row.iter().map(|value| if let Value::Text(text) = value { text.len() } else { 0 });
    size_of::<Vec<Value>>() + size_of_val(row) + texts.sum::<usize>()
}

fn sortings(plan: &Plan) -> Vec<Sorting> {
    plan.order.iter().map(|(_, sorting)| *sorting).collect()
}

fn combined(
    operator: SetOperator,
    left: Vec<Vec<Value>>,
    right: Vec<Vec<Value>>,
) -> Vec<Vec<Value>> {
    let key = |row: &Vec<Value>| row.iter().map(Key::of).collect::<Vec<Key>>();
    if operator == SetOperator::UnionAll {
        return left.into_iter().chain(right).collect();
    }
    let mut seen = HashSet::new();
    let all: Vec<Vec<Value>> = if operator == SetOperator::Union {
        left.into_iter().chain(right).collect()
    } else {
        let others: HashSet<Vec<Key>> = right.iter().map(key).collect();
        let wanted = operator == SetOperator::Intersect;
        left.into_iter().filter(|row| others.contains(&key(row)) == wanted).collect()
    };
    let mut rows: Vec<Vec<Value>> = all.into_iter().filter(|row| seen.insert(key(row))).collect();
    // Oracle sorts to find equal rows, and clients have come to see the result in that order.
    let sortings =
        vec![Sorting { descending: false, nulls_first: false }; rows.first().map_or(0, Vec::len)];
    sort::sort_plain(&mut rows, &sortings);
    rows
}

/// A count as a NUMBER.
fn counted(count: usize) -> Value {
    Value::Number(Number::integer(count as i128))
}

/// Whether all that is asked for is how many rows the joins give: none of them has to be kept then, and what has too
/// many to be kept takes its time instead.
fn counts_only(block: &Block) -> bool {
    let plain = |one: &Aggregate| {
        one.kind == AggregateKind::Count
            && one.arguments.is_empty()
            && one.order.is_empty()
            && one.keep_last.is_none()
    };
    block.sources.len() > 1
        && block.grouped
        && block.keys.is_empty()
        && block.sets.len() == 1
        && block.having.is_none()
        && block.connect.is_none()
        && block.windows.is_empty()
        && block.aggregates.iter().all(plain)
        && block.steps.iter().all(|step| matches!(step.join, Join::Comma | Join::Inner))
        && !block.sources.iter().any(|source| matches!(source.kind, SourceKind::Lateral(..)))
}

/// A lookup by key in a correlated query: its index is worth keeping.
fn looked_up(block: &Block) -> bool {
    block.steps.iter().any(|step| !step.equal.is_empty())
}

/// A subquery in there would read the catalog while the catalog is being read.
fn asks(block: &Block) -> bool {
    let conditions = block.steps.iter().flat_map(|step| step.on.iter().chain(&step.after));
    block.select.iter().chain(&block.filter).chain(conditions).any(Code::asks)
}
