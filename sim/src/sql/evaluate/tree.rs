//! Expressions about a row's place in a hierarchy.

use super::{Evaluator, Frame, Row};
use crate::ora::OraError;
use crate::sql::code::Code;
use crate::value::Value;

impl Evaluator<'_> {
    pub(super) fn hierarchical(&self, code: &Code, frame: &Frame<'_>) -> Result<Value, OraError> {
        match code {
            Code::Prior(inner) => {
                let prior = frame.prior.or_else(|| {
                    let (tree, node) = frame.tree?;
                    tree.nodes[node].parent.map(|parent| &*tree.nodes[parent].row)
                });
                prior.map_or(Ok(Value::Null), |row| self.value(inner, &at_row(frame, row)))
            }
            Code::Level => Ok(frame
                .tree
                .map_or(Value::Null, |(tree, node)| Value::integer(tree.nodes[node].level))),
            Code::IsLeaf => Ok(flag(frame, |tree, node| tree.nodes[node].leaf)),
            Code::IsCycle => Ok(flag(frame, |tree, node| tree.nodes[node].cycle)),
            Code::Root(inner) => {
                let Some((tree, mut node)) = frame.tree else { return Ok(Value::Null) };
                while let Some(parent) = tree.nodes[node].parent {
                    node = parent;
                }
                self.value(inner, &at_row(frame, &tree.nodes[node].row))
            }
            Code::Path(inner, separator) => self.path(inner, separator, frame),
            _ => Ok(Value::Null),
        }
    }

    fn path(&self, inner: &Code, separator: &Code, frame: &Frame<'_>) -> Result<Value, OraError> {
        let Some((tree, node)) = frame.tree else { return Ok(Value::Null) };
        let separator = self.text(separator, frame)?.unwrap_or_default();
        let mut parts = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next {
            let part = self.text(inner, &at_row(frame, &tree.nodes[node].row))?.unwrap_or_default();
            parts.push(format!("{separator}{part}"));
            next = tree.nodes[node].parent;
        }
        parts.reverse();
        let path = parts.concat();
        if path.len() > 4000 {
            return Err(OraError::new(1489, "result of string concatenation is too long"));
        }
        Ok(Value::text(path))
    }
}

fn at_row<'f>(frame: &Frame<'f>, row: &'f [u32]) -> Frame<'f> {
    Frame { row: Row::Joined(row), ..*frame }
}

fn flag(frame: &Frame<'_>, of: fn(&crate::sql::execute::tree::Tree, usize) -> bool) -> Value {
    frame.tree.map_or(Value::Null, |(tree, node)| Value::integer(u8::from(of(tree, node))))
}
