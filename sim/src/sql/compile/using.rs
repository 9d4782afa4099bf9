//! Columns that JOIN … USING and NATURAL JOIN make one of several. Their value is that of the first source that has
//! one: where an outer join leaves one side out, the other side's.

use super::types;
use super::{Compiler, Named, Scope, Typed, ambiguous};
use crate::catalog;
use crate::conversation::ResultColumn;
use crate::ora::OraError;
use crate::sql::ast::{From, Join};
use crate::sql::code::{Code, Column};

/// Columns of a source that are one with those of sources before it.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) columns: Vec<String>,
    natural: bool,
    /// Rows can be missing on the left.
    fills: bool,
}

impl Merged {
    /// What a join merges of a source with those before it.
    pub(super) fn new(from: &From, named: &Named, before: &[Named]) -> Result<Self, OraError> {
        let has =
            |source: &Named, name: &String| source.columns.iter().any(|one| one.name == *name);
        let known = |name: &String| before.iter().any(|source| has(source, name));
        let columns = if from.natural {
            let names = named.columns.iter().map(|column| &column.name);
            names.filter(|name| known(name)).cloned().collect()
        } else {
            let missing = from.using.iter().find(|name| !known(name) || !has(named, name));
            if let Some(name) = missing {
                return Err(super::invalid_identifier(std::slice::from_ref(name), from.at));
            }
            from.using.clone()
        };
        let fills = matches!(from.join, Join::Right | Join::Full);
        Ok(Self { columns, natural: from.natural, fills })
    }
}

impl Scope<'_> {
    /// Where a column stands that is named without a table, among the first sources.
    pub(super) fn unqualified(
        &self,
        column: &String,
        upto: usize,
        at: usize,
    ) -> Result<Vec<(usize, usize)>, OraError> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (place, source) in self.sources[..upto].iter().enumerate() {
            let Some(own) = source.place(column) else { continue };
            let merged = source.merged.columns.contains(column);
            if !merged && !found.is_empty() {
                return Err(ambiguous(at));
            }
            if !merged || source.merged.fills {
                found.push((place, own));
            }
        }
        Ok(found)
    }

    /// A column that was merged is no table's.
    pub(super) fn check_qualified(&self, column: &String, at: usize) -> Result<(), OraError> {
        let merged = self.sources.iter().find(|source| source.merged.columns.contains(column));
        match merged.map(|source| source.merged.natural) {
            None => Ok(()),
            Some(true) => {
                Err(OraError::new(25155, "column used in NATURAL join cannot have qualifier")
                    .at(at))
            }
            Some(false) => {
                Err(OraError::new(25154, "column part of USING clause cannot have qualifier")
                    .at(at))
            }
        }
    }

    /// The merged columns, those of the last join first, as `*` has them.
    fn merged_columns(&self) -> Vec<&String> {
        let mut names: Vec<&String> = Vec::new();
        for name in self.sources.iter().rev().flat_map(|source| &source.merged.columns) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// `*`: the merged columns, and the others by source.
    pub(super) fn expand_all(
        &self,
        codes: &mut Vec<Code>,
        columns: &mut Vec<ResultColumn>,
    ) -> Result<(), OraError> {
        for name in self.merged_columns() {
            let typed = joined(self.find(std::slice::from_ref(name), false, 0)?, 0)?;
            let (column_type, nullable) = (typed.column_type(), typed.nullable);
            codes.push(typed.code);
            columns.push(ResultColumn { name: name.clone(), column_type, nullable });
        }
        (0..self.sources.len()).for_each(|place| self.expand(place, codes, columns));
        Ok(())
    }

    /// `t.*`, which has no merged column.
    pub(super) fn expand(
        &self,
        source: usize,
        codes: &mut Vec<Code>,
        columns: &mut Vec<ResultColumn>,
    ) {
        let named = &self.sources[source];
        let merged = self.merged_columns();
        for (place, column) in named.columns.iter().enumerate() {
            if merged.contains(&&column.name) {
                continue;
            }
            let slot = named.slot(place);
            codes.push(Code::Column(Column { depth: 0, source, slot, outer: false, at: 0 }));
            columns.push(ResultColumn {
                name: column.name.clone(),
                column_type: column.column_type,
                nullable: column.nullable,
            });
        }
    }
}

/// One value of the columns that were merged.
pub(super) fn joined(
    mut columns: Vec<(Column, catalog::Column)>,
    at: usize,
) -> Result<Typed, OraError> {
    if columns.len() == 1
        && let Some((column, described)) = columns.pop()
    {
        return Ok(Typed::sql(Code::Column(column), described.column_type, described.nullable));
    }
    let kinds: Vec<_> = columns.iter().map(|column| column.1.column_type).collect();
    let column_type = types::unified(&kinds)
        .ok_or_else(|| types::inconsistent(kinds[0], kinds[kinds.len() - 1], at))?;
    let codes = columns.into_iter().map(|(column, described)| {
        Typed::sql(Code::Column(column), described.column_type, true).converted(column_type)
    });
    Ok(Typed::sql(Code::Coalesce(codes.collect()), column_type, true))
}

impl Compiler<'_> {
    /// This source's column equals the one that those before it have.
    pub(super) fn using(
        column: &String,
        place: usize,
        scope: &Scope<'_>,
    ) -> Result<super::joins::Conjunct, OraError> {
        let side = |sources: &[(usize, usize)]| {
            let columns = sources.iter().map(|(source, column)| {
                let named = &scope.sources[*source];
                scope.used.set(scope.used.get() | 1 << source);
                let slot = named.slot(*column);
                let code = Column { depth: 0, source: *source, slot, outer: false, at: 0 };
                (code, named.column(*column))
            });
            joined(columns.collect(), 0)
        };
        let own = scope.sources[place].place(column).unwrap_or(0);
        let before = scope.unqualified(column, place, 0)?;
        let left = super::block::measured(scope, || side(&before))?;
        let right = super::block::measured(scope, || side(&[(place, own)]))?;
        super::block::equal(left, right, 0)
    }
}
