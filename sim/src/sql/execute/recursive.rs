//! Recursive WITH, level by level.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::{ROWS_MAX, row_bytes, too_many_rows};
use crate::ora::OraError;
use crate::sql::code::{Feed, Key, Plan, Rows};
use crate::sql::evaluate::{Evaluator, Frame};
use crate::value::Value;

/// More levels than this are taken for a recursion without an end.
const LEVELS_MAX: usize = 100_000;

impl Evaluator<'_> {
    /// The anchor's rows, then what the member makes of each level, until it makes nothing.
    pub(super) fn recursive(
        &self,
        whole: &Plan,
        [anchor, member]: [&Plan; 2],
        feed: &Feed,
        parent: Option<&Frame<'_>>,
    ) -> Result<Vec<Vec<Value>>, OraError> {
        let mut level = self.converted(anchor, whole, parent)?;
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        while !level.is_empty() {
            // A level like one before it will lead to itself for ever.
            if !seen.insert(digest(&level)) || seen.len() > LEVELS_MAX {
                let text = "cycle detected while executing recursive WITH query";
                return Err(OraError::new(32044, text));
            }
            if rows.len() + level.len() > ROWS_MAX {
                return Err(too_many_rows());
            }
            self.meter.step(level.len())?;
            self.meter.hold(level.iter().map(|row| row_bytes(row)).sum())?;
            rows.extend(level.iter().cloned());
            feed.replace(Rows::new(level));
            level = self.converted(member, whole, parent)?;
        }
        feed.replace(Rows::default());
        Ok(rows)
    }
}

/// The same for levels of the same rows, in any order and any number.
fn digest(level: &[Vec<Value>]) -> (usize, u64) {
    let hash = |row: &Vec<Value>| {
        let mut hasher = DefaultHasher::new();
        row.iter().map(Key::of).collect::<Vec<Key>>().hash(&mut hasher);
        hasher.finish()
    };
    let distinct: HashSet<u64> = level.iter().map(hash).collect();
    (distinct.len(), distinct.into_iter().fold(0, |all, hash| all ^ hash))
}
