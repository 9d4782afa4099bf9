//! Reading the sources.

use std::collections::HashSet;

use super::{ROWS_MAX, row_bytes, too_many_rows};
use crate::ora::OraError;
use crate::sql::code::{Block, Code, Rows, Source, SourceKind};
use crate::sql::evaluate::{Evaluator, Frame, Row};
use crate::value::Value;

/// DUAL is object 143 in the first block of the dictionary's tablespace.
const DUAL_ROWID: &str = "AAAACPAABAAAAQiAAA";

impl Evaluator<'_> {
    /// The rows of a source that its own conditions let through. They are kept unless they depend on blocks around.
    pub(super) fn source_rows(
        &self,
        source: &Source,
        parent: Option<&Frame<'_>>,
    ) -> Result<Rows, OraError> {
        if let Some(rows) = source.rows.get() {
            return Ok(Rows::clone(rows));
        }
        let rows = match &source.kind {
            SourceKind::Dual(wanted) => {
                let cell = |place: &usize| match place {
                    0 => Value::text("X"),
                    _ => Value::RowId(DUAL_ROWID.to_owned()),
                };
                let row: Vec<Value> = wanted.iter().map(cell).collect();
                let kept =
                    self.holds(&source.filter, &Frame::new(&[], Row::Direct(&row), parent))?;
                if kept { vec![row] } else { Vec::new() }
            }
            SourceKind::Table(name, wanted) => {
                let mut rows = Vec::new();
                self.scan(name, wanted, source, parent, &mut |row| {
                    self.meter.hold(row_bytes(&row))?;
                    rows.push(row);
                    Ok(rows.len() < ROWS_MAX)
                })?;
                rows
            }
            // Its rows come when those before it are there.
            SourceKind::Lateral(..) => Vec::new(),
            SourceKind::Feed(feed, wanted) => {
                let level = Rows::clone(&feed.borrow());
                let mut rows = Vec::new();
                for full in level.iter() {
                    let row: Vec<Value> = wanted.iter().map(|place| full[*place].clone()).collect();
                    if self.holds(&source.filter, &Frame::new(&[], Row::Direct(&row), parent))? {
                        rows.push(row);
                    }
                }
                rows
            }
            SourceKind::View(plan, wanted) => {
                let mut rows = Vec::new();
                for mut row in self.run(plan, parent, None)? {
                    let row: Vec<Value> = wanted
                        .iter()
                        .map(|place| std::mem::replace(&mut row[*place], Value::Null))
                        .collect();
                    if self.holds(&source.filter, &Frame::new(&[], Row::Direct(&row), parent))? {
                        rows.push(row);
                    }
                }
                rows
            }
        };
        if rows.len() >= ROWS_MAX {
            return Err(too_many_rows());
        }
        let bytes = rows.iter().map(|row| row_bytes(row)).sum();
        let rows = Rows::new(rows);
        if !source.correlated {
            self.meter.keep(bytes)?;
            return Ok(Rows::clone(source.rows.get_or_init(|| rows)));
        }
        Ok(rows)
    }

    /// Calls `each` for every row of a table that the source's own conditions let through, until it returns false.
    fn scan(
        &self,
        name: &str,
        wanted: &[usize],
        source: &Source,
        parent: Option<&Frame<'_>>,
        each: &mut dyn FnMut(Vec<Value>) -> Result<bool, OraError>,
    ) -> Result<(), OraError> {
        let mut failed = None;
        self.catalog.scan(name, wanted, &mut |row| {
            let frame = Frame::new(&[], Row::Direct(&row), parent);
            let kept = self.holds(&source.filter, &frame);
            match kept.and_then(|kept| if kept { each(row) } else { Ok(true) }) {
                Ok(more) => more,
                Err(error) => {
                    failed = Some(error);
                    false
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// A projection of one table: no row is kept longer than it takes to make its result.
    pub(super) fn stream(
        &self,
        block: &Block,
        name: &str,
        wanted: &[usize],
        parent: Option<&Frame<'_>>,
        most: Option<usize>,
    ) -> Result<Vec<Vec<Value>>, OraError> {
        let moves = moves(block, wanted.len());
        let conditions: Vec<&Code> = block
            .steps
            .iter()
            .flat_map(|step| step.on.iter().chain(&step.after))
            .chain(&block.filter)
            .collect();
        let mut rows = Vec::new();
        self.scan(name, wanted, &block.sources[0], parent, &mut |mut row| {
            let mut frame = Frame::new(&[], Row::Direct(&row), parent);
            frame.rownum = i64::try_from(rows.len()).unwrap_or(i64::MAX) + 1;
            for condition in &conditions {
                if self.test(condition, &frame)? != Some(true) {
                    return Ok(true);
                }
            }
            let cells = if let Some(moves) = &moves {
                moves.iter().map(|slot| std::mem::replace(&mut row[*slot], Value::Null)).collect()
            } else {
                let cells = block.select.iter().map(|code| self.value(code, &frame));
                cells.collect::<Result<Vec<Value>, OraError>>()?
            };
            self.meter.hold(row_bytes(&cells))?;
            rows.push(cells);
            if rows.len() >= ROWS_MAX {
                return Err(too_many_rows());
            }
            Ok(most != Some(rows.len()))
        })?;
        Ok(rows)
    }
}

/// If the select list is columns only, each of them once: which, so that their values need not be copied.
fn moves(block: &Block, slots: usize) -> Option<Vec<usize>> {
    let mut used = HashSet::new();
    let mut moves = Vec::new();
    for code in &block.select {
        match code {
            Code::Column(column) if column.depth == 0 && column.slot < slots => {
                moves.push(column.slot);
                if !used.insert(column.slot) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(moves)
}
