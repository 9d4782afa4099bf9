//! ORDER BY.

use std::cmp::Ordering;

use crate::sql::code::{Key, Sorting};
use crate::sql::environment::Environment;
use crate::sql::evaluate::compare;
use crate::value::Value;

/// Stable, by the values that `key` gives for each sorting.
pub(super) fn sort<T>(
    rows: &mut [T],
    key: impl Fn(&T, usize) -> &Value,
    sortings: &[Sorting],
    environment: &dyn Environment,
) {
    rows.sort_by(|a, b| {
        for (place, sorting) in sortings.iter().enumerate() {
            let order = one(key(a, place), key(b, place), *sorting, |a, b| {
                compare::sort(a, b, environment)
            });
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    });
}

/// By all columns, where text that could need a session's formats does not occur.
pub(super) fn sort_plain(rows: &mut [Vec<Value>], sortings: &[Sorting]) {
    rows.sort_by(|a, b| {
        let orders =
            a.iter().zip(b).zip(sortings).map(|((a, b), sorting)| one(a, b, *sorting, plain));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
}

pub(super) fn one(
    a: &Value,
    b: &Value,
    sorting: Sorting,
    order: impl Fn(&Value, &Value) -> Ordering,
) -> Ordering {
    let nulls = if sorting.nulls_first { Ordering::Less } else { Ordering::Greater };
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => nulls,
        (false, true) => nulls.reverse(),
        (false, false) if sorting.descending => order(b, a),
        (false, false) => order(a, b),
    }
}

fn plain(a: &Value, b: &Value) -> Ordering {
    match (Key::of(a), Key::of(b)) {
        (Key::Number(a), Key::Number(b)) => a.cmp(&b),
        (Key::Text(a), Key::Text(b)) => a.cmp(&b),
        (Key::Time(a), Key::Time(b)) => a.cmp(&b),
        (Key::Months(a), Key::Months(b)) => a.cmp(&b),
        (Key::Raw(a), Key::Raw(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    }
}
