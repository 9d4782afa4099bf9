//! Joins, one source after the other.

use std::collections::{HashMap, HashSet};
use std::mem::size_of;
use std::ops::Range;

use super::{Context, Places, ROWS_MAX, row_bytes, too_many_rows};
use crate::ora::OraError;
use crate::sql::ast::Join;
use crate::sql::code::{Code, Index, Key, Plan, Rows, SourceKind, Step};
use crate::sql::evaluate::{Evaluator, Frame, NO_ROW, Row};
use crate::value::Value;

/// The rows of a source that a step looks at.
enum Candidates {
    Every(Vec<u32>),
    /// By their side of the equalities.
    Found(Index),
}

impl Evaluator<'_> {
    /// Per row of the result, the place of each source's row.
    pub(super) fn join(&self, context: &mut Context<'_>) -> Result<Vec<Places>, OraError> {
        let mut rows = vec![Places::from(vec![NO_ROW; context.block.sources.len()])];
        let block = context.block;
        for step in &block.steps {
            let ranges = match &block.sources[step.source].kind {
                SourceKind::Lateral(plan, wanted) => {
                    Some(self.lateral(context, step.source, plan, wanted, &rows)?)
                }
                _ => None,
            };
            rows = self.step(context, step, rows, ranges.as_deref())?;
        }
        Ok(rows)
    }

    /// What LATERAL gives for each of the rows before it: all of that becomes the source's rows, and the result tells
    /// which of them are whose.
    fn lateral(
        &self,
        context: &mut Context<'_>,
        source: usize,
        plan: &Plan,
        wanted: &[usize],
        before: &[Places],
    ) -> Result<Vec<Range<u32>>, OraError> {
        let (mut all, mut ranges) = (Vec::new(), Vec::new());
        for row in before {
            let frame = Frame::new(&context.data, Row::Joined(row), context.parent);
            let first = counted(&all);
            for mut full in self.run(plan, Some(&frame), None)? {
                let cells =
                    wanted.iter().map(|place| std::mem::replace(&mut full[*place], Value::Null));
                let cells: Vec<Value> = cells.collect();
                self.meter.hold(row_bytes(&cells))?;
                all.push(cells);
            }
            if all.len() >= ROWS_MAX {
                return Err(too_many_rows());
            }
            ranges.push(first..counted(&all));
        }
        context.data[source] = Rows::new(all);
        Ok(ranges)
    }

    /// How many rows the joins give, each forgotten as soon as it is counted.
    pub(super) fn count(&self, context: &Context<'_>) -> Result<usize, OraError> {
        let mut candidates = Vec::new();
        for step in &context.block.steps {
            let data = &context.data[step.source];
            candidates.push(if step.equal.is_empty() {
                Candidates::Every(places(data))
            } else {
                Candidates::Found(self.index(context, step, data)?)
            });
        }
        let mut row = vec![NO_ROW; context.data.len()];
        let mut count = 0;
        self.count_behind(context, &candidates, &mut row, &mut count)?;
        Ok(count)
    }

    /// Counts what the steps that are left make of a row of those before.
    fn count_behind(
        &self,
        context: &Context<'_>,
        candidates: &[Candidates],
        row: &mut [u32],
        count: &mut usize,
    ) -> Result<(), OraError> {
        let steps = &context.block.steps;
        let Some((candidate, behind)) = candidates.split_first() else {
            let rownum = i64::try_from(*count).unwrap_or(i64::MAX).saturating_add(1);
            let frame =
                Frame { rownum, ..Frame::new(&context.data, Row::Joined(row), context.parent) };
            *count += usize::from(self.holds(&context.block.filter, &frame)?);
            return Ok(());
        };
        let step = &steps[steps.len() - candidates.len()];
        let found = match candidate {
            Candidates::Every(places) => places.as_slice(),
            Candidates::Found(index) => match self.keys(step, row, context)? {
                Some(key) => index.get(&key).map_or(&[][..], Vec::as_slice),
                None => &[],
            },
        };
        for place in found {
            self.meter.step(1)?;
            row[step.source] = *place;
            let frame = Frame::new(&context.data, Row::Joined(row), context.parent);
            if self.holds(&step.on, &frame)? && self.holds(&step.after, &frame)? {
                self.count_behind(context, behind, row, count)?;
            }
        }
        row[step.source] = NO_ROW;
        Ok(())
    }

    fn step(
        &self,
        context: &Context<'_>,
        step: &Step,
        left: Vec<Places>,
        ranges: Option<&[Range<u32>]>,
    ) -> Result<Vec<Places>, OraError> {
        let data = &context.data[step.source];
        let index =
            if step.equal.is_empty() { None } else { Some(self.index(context, step, data)?) };
        let every: Vec<u32> = if index.is_none() { places(data) } else { Vec::new() };
        let none = Vec::new();
        let keep_left = matches!(step.join, Join::Left | Join::Full);
        let keep_right = matches!(step.join, Join::Right | Join::Full);
        let mut met = HashSet::new();
        let mut joined = Vec::new();
        for (place, row) in left.into_iter().enumerate() {
            let own: Vec<u32>;
            let candidates = match &index {
                _ if ranges.is_some() => {
                    own = ranges.map_or(0..0, |ranges| ranges[place].clone()).collect();
                    &own
                }
                Some(index) => match self.keys(step, &row, context)? {
                    Some(key) => index.get(&key).unwrap_or(&none),
                    None => &none,
                },
                None => &every,
            };
            let mut matched = false;
            let mut pair = row.to_vec();
            self.meter.step(1)?;
            for place in candidates {
                pair[step.source] = *place;
                let frame = Frame::new(&context.data, Row::Joined(&pair), context.parent);
                if !self.holds(&step.on, &frame)? {
                    continue;
                }
                matched = true;
                if keep_right {
                    met.insert(*place);
                }
                self.let_through(context, step, &pair, &mut joined)?;
            }
            if !matched && keep_left {
                self.let_through(context, step, &row, &mut joined)?;
            }
        }
        if keep_right {
            for place in places(data).into_iter().filter(|place| !met.contains(place)) {
                let mut row = vec![NO_ROW; context.data.len()];
                row[step.source] = place;
                self.let_through(context, step, &row, &mut joined)?;
            }
        }
        Ok(joined)
    }

    /// Keeps a joined row unless WHERE refuses it, as far as that can be told by now.
    fn let_through(
        &self,
        context: &Context<'_>,
        step: &Step,
        row: &[u32],
        joined: &mut Vec<Places>,
    ) -> Result<(), OraError> {
        let frame = Frame::new(&context.data, Row::Joined(row), context.parent);
        if !self.holds(&step.after, &frame)? {
            return Ok(());
        }
        self.meter.hold(size_of::<Places>() + 2 * size_of::<usize>() + size_of_val(row))?;
        joined.push(Places::from(row));
        if joined.len() >= ROWS_MAX { Err(too_many_rows()) } else { Ok(()) }
    }

    /// This source's rows by their side of the equalities.
    fn index(&self, context: &Context<'_>, step: &Step, data: &Rows) -> Result<Index, OraError> {
        let source = &context.block.sources[step.source];
        if let Some(index) = source.index.borrow().as_ref()
            && !source.correlated
        {
            return Ok(Index::clone(index));
        }
        let mut index: HashMap<Vec<Key>, Vec<u32>> = HashMap::new();
        for place in places(data) {
            self.meter.step(1)?;
            let row = &data[place as usize];
            let frame = Frame::new(&[], Row::Direct(row), context.parent);
            if let Some(key) = self.key(step.equal.iter().map(|pair| &pair.1), &frame)? {
                index.entry(key).or_default().push(place);
            }
        }
        let index = Index::new(index);
        *source.index.borrow_mut() = Some(Index::clone(&index));
        Ok(index)
    }

    /// What the row so far looks up.
    fn keys(
        &self,
        step: &Step,
        row: &[u32],
        context: &Context<'_>,
    ) -> Result<Option<Vec<Key>>, OraError> {
        let frame = Frame::new(&context.data, Row::Joined(row), context.parent);
        self.key(step.equal.iter().map(|pair| &pair.0), &frame)
    }

    /// `None` if a value is NULL, which equals nothing.
    pub(super) fn key<'c>(
        &self,
        codes: impl Iterator<Item = &'c Code>,
        frame: &Frame<'_>,
    ) -> Result<Option<Vec<Key>>, OraError> {
        let mut keys = Vec::new();
        for code in codes {
            let value = self.value(code, frame)?;
            if value.is_null() {
                return Ok(None);
            }
            keys.push(Key::of(&value));
        }
        Ok(Some(keys))
    }
}

fn places(data: &Rows) -> Vec<u32> {
    (0..counted(data)).collect()
}

fn counted(rows: &[Vec<Value>]) -> u32 {
    u32::try_from(rows.len()).unwrap_or(NO_ROW)
}
