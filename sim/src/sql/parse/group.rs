//! GROUP BY with ROLLUP, CUBE and GROUPING SETS: a list of keys, and which of them each grouping has.

use super::Parser;
use crate::ora::OraError;
use crate::sql::ast::Expr;

/// More groupings than this are refused: CUBE doubles them with each key.
const SETS_MAX: usize = 1024;

/// Groupings, each by the places of its keys.
type Sets = Vec<Vec<usize>>;

impl Parser {
    /// Behind GROUP BY: the keys, and the groupings if there is not just one with all of them.
    pub(super) fn group_by(&mut self) -> Result<(Vec<Expr>, Option<Sets>), OraError> {
        let mut keys = Vec::new();
        let mut sets: Sets = vec![Vec::new()];
        let mut plain = true;
        loop {
            let empty = self.is_symbol("(") && self.is_symbol_ahead(1, ")");
            plain &= !(empty || self.groups());
            let more = self.grouping(&mut keys)?;
            sets = self.crossed(&sets, &more)?;
            if !self.accept_symbol(",") {
                break;
            }
        }
        Ok((keys, (!plain).then_some(sets)))
    }

    fn groups(&self) -> bool {
        (self.is_any(&["ROLLUP", "CUBE"]) && self.is_symbol_ahead(1, "("))
            || (self.is("GROUPING") && self.is_ahead(1, "SETS"))
    }

    /// One element of GROUP BY or of GROUPING SETS.
    fn grouping(&mut self, keys: &mut Vec<Expr>) -> Result<Sets, OraError> {
        self.nested(|parser| {
            if !parser.groups() {
                return Ok(vec![parser.key(keys)?]);
            }
            if parser.accept_all(&["GROUPING", "SETS"]) {
                parser.open()?;
                let mut sets = parser.grouping(keys)?;
                while parser.accept_symbol(",") {
                    sets.extend(parser.grouping(keys)?);
                }
                parser.close()?;
                return Ok(sets);
            }
            let cube = parser.accept("CUBE");
            if !cube {
                parser.bump();
            }
            parser.open()?;
            let mut parts = vec![parser.key(keys)?];
            while parser.accept_symbol(",") {
                parts.push(parser.key(keys)?);
            }
            parser.close()?;
            if !cube {
                return Ok((0..=parts.len()).rev().map(|count| parts[..count].concat()).collect());
            }
            let mut sets: Sets = vec![Vec::new()];
            for part in parts.iter().rev() {
                sets = parser.crossed(&[part.clone(), Vec::new()], &sets)?;
            }
            Ok(sets)
        })
    }

    /// An expression, or several in parentheses that are grouped by together. A key that was named before keeps its
    /// place.
    fn key(&mut self, keys: &mut Vec<Expr>) -> Result<Vec<usize>, OraError> {
        if self.is_symbol("(") && self.is_symbol_ahead(1, ")") {
            self.bump();
            self.bump();
            return Ok(Vec::new());
        }
        let value = self.expression()?;
        let parts = match value.kind {
            crate::sql::ast::ExprKind::Row(parts) => parts,
            kind => vec![Expr { kind, at: value.at }],
        };
        let places = parts.into_iter().map(|part| {
            keys.push(part);
            keys.len() - 1
        });
        Ok(places.collect())
    }

    /// Each of the one with each of the other.
    fn crossed(&self, sets: &[Vec<usize>], more: &[Vec<usize>]) -> Result<Sets, OraError> {
        if sets.len() * more.len() > SETS_MAX {
            return Err(self.error(3001, "unimplemented feature: so many groupings"));
        }
        let each = |set: &Vec<usize>| {
            more.iter().map(|other| [&set[..], other].concat()).collect::<Sets>()
        };
        Ok(sets.iter().flat_map(each).collect())
    }
}
