//! What changes from one grouping of a SELECT to the next: the keys, GROUPING and its kin. They are aggregates of their
//! own kind, so that everything behind GROUP BY reads them like the others.

use crate::ora::OraError;
use crate::sql::code::{Aggregate, AggregateKind, Code};

/// The arguments of GROUPING have to be keys.
pub(super) fn check(aggregates: &[Aggregate], keys: &[Code]) -> Result<(), OraError> {
    let asked = aggregates.iter().filter(|aggregate| aggregate.kind == AggregateKind::Grouping);
    for argument in asked.flat_map(|aggregate| &aggregate.arguments) {
        if !keys.iter().any(|key| key.same(argument)) {
            return Err(OraError::new(979, "not a GROUP BY expression"));
        }
    }
    Ok(())
}

/// Which keys each grouping has; of keys that are the same only the first is named.
pub(super) fn sets(sets: Option<&[Vec<usize>]>, keys: &[Code]) -> Vec<Vec<usize>> {
    let Some(sets) = sets else { return vec![(0..keys.len()).collect()] };
    let first = |key: &usize| keys.iter().position(|other| other.same(&keys[*key])).unwrap_or(*key);
    sets.iter().map(|set| set.iter().map(first).collect()).collect()
}

/// Adds an aggregate per key, and puts it where the key stands.
pub(super) fn keys_of_each(keys: &[Code], aggregates: &mut Vec<Aggregate>, parts: Vec<&mut Code>) {
    let first = aggregates.len();
    let known = |code: &Code| keys.iter().position(|key| key.same(code));
    for place in 0..keys.len() {
        aggregates.push(Aggregate {
            kind: AggregateKind::Key,
            // Keys are named by their place, which is all that a grouping knows of them.
            arguments: vec![Code::Const(crate::value::Value::integer(place as i128))],
            distinct: false,
            order: Vec::new(),
            keep_last: None,
        });
    }
    for part in parts {
        part.replace(&|code| known(code).map(|place| Code::Aggregate(first + place)));
    }
}
