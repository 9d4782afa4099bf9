//! One session against one condition, leaf by leaf: what `explain` prints, what a victim's reasons are, and what test
//! coverage counts. It decides row by row; [`super::evaluate`] decides whole columns, and a property test holds the
//! two against each other.

use super::condition::{Condition, Field, Leaf, Test, Truth};
use super::facts::{Facts, Value};
use super::text::fold;

/// The verdict on one condition, with the verdicts on its parts.
#[derive(Debug, Clone)]
pub struct Judgement<'c> {
    /// The condition judged.
    pub condition: &'c Condition,
    /// Whether it holds.
    pub truth: Truth,
    /// What was observed, for a leaf.
    pub observed: Option<String>,
    /// The parts, in the order of the file; none for a leaf.
    pub parts: Vec<Judgement<'c>>,
}

/// A leaf that made a condition true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The field asked about.
    pub field: &'static str,
    /// Its value.
    pub observed: String,
    /// The test it passed, `not …` where the condition asks for the opposite.
    pub test: String,
}

/// Judges every part of `condition`, without cutting short.
pub fn judge<'c>(condition: &'c Condition, facts: &Facts<'_>, row: usize) -> Judgement<'c> {
    let parts: Vec<_> = match condition {
        Condition::AnySession | Condition::Leaf(_) => Vec::new(),
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().map(|part| judge(part, facts, row)).collect()
        }
        Condition::Not(inner) => vec![judge(inner, facts, row)],
    };
    let truths = parts.iter().map(|part| part.truth);
    let (truth, observed) = match condition {
        Condition::AnySession => (Truth::True, None),
        Condition::All(_) => (truths.min().unwrap_or(Truth::True), None),
        Condition::Any(_) => (truths.max().unwrap_or(Truth::False), None),
        Condition::Not(_) => (parts[0].truth.negated(), None),
        Condition::Leaf(leaf) => {
            let value = facts.asked(leaf, row);
            (leaf_truth(leaf, facts, value), Some(facts.show(leaf.field, value)))
        }
    };
    Judgement { condition, truth, observed, parts }
}

/// Whether the condition holds of the session in `row`.
pub fn truth(condition: &Condition, facts: &Facts<'_>, row: usize) -> Truth {
    match condition {
        Condition::AnySession => Truth::True,
        Condition::All(parts) => {
            parts.iter().map(|part| truth(part, facts, row)).min().unwrap_or(Truth::True)
        }
        Condition::Any(parts) => {
            parts.iter().map(|part| truth(part, facts, row)).max().unwrap_or(Truth::False)
        }
        Condition::Not(inner) => truth(inner, facts, row).negated(),
        Condition::Leaf(leaf) => leaf_truth(leaf, facts, facts.asked(leaf, row)),
    }
}

/// The leaves that made `condition` true for the session in `row`; empty when it is not true.
pub fn reasons(condition: &Condition, facts: &Facts<'_>, row: usize) -> Vec<Reason> {
    let mut found = Vec::new();
    if truth(condition, facts, row) == Truth::True {
        collect_reasons(condition, Truth::True, facts, row, &mut found);
    }
    found
}

/// The leaves that keep `condition` from being decided: `module is null`.
pub fn unknowns(condition: &Condition, facts: &Facts<'_>, row: usize) -> Vec<String> {
    let mut found = Vec::new();
    collect_unknowns(&judge(condition, facts, row), &mut found);
    found
}

/// Collects from a part that is known to have the `wanted` truth.
fn collect_reasons(
    condition: &Condition,
    wanted: Truth,
    facts: &Facts<'_>,
    row: usize,
    found: &mut Vec<Reason>,
) {
    match condition {
        Condition::Not(inner) => collect_reasons(inner, wanted.negated(), facts, row, found),
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts.iter().filter(|part| truth(part, facts, row) == wanted) {
                collect_reasons(part, wanted, facts, row, found);
            }
        }
        Condition::AnySession => found.push(Reason {
            field: "any_session",
            observed: "true".to_owned(),
            test: "true".to_owned(),
        }),
        Condition::Leaf(leaf) => found.push(Reason {
            field: leaf.field.name(),
            observed: facts.show(leaf.field, facts.asked(leaf, row)),
            test: match wanted {
                Truth::False => format!("not {}", leaf.shown),
                _ => leaf.shown.clone(),
            },
        }),
    }
}

fn collect_unknowns(judgement: &Judgement<'_>, found: &mut Vec<String>) {
    if judgement.truth != Truth::Unknown {
        return;
    }
    if let (Condition::Leaf(leaf), Some(observed)) = (judgement.condition, &judgement.observed) {
        found.push(format!("{} is {observed}", leaf.field.name()));
    }
    judgement.parts.iter().for_each(|part| collect_unknowns(part, found));
}

/// Whether one test holds of one value.
pub fn leaf_truth(leaf: &Leaf, facts: &Facts<'_>, value: Value) -> Truth {
    match (&leaf.test, value) {
        (Test::IsNull(_), Value::Absent(_)) => Truth::Unknown,
        (Test::IsNull(wanted), value) => Truth::of(matches!(value, Value::Null(_)) == *wanted),
        (Test::Text(patterns), Value::Text(symbol)) => {
            let text = facts.text(leaf.field, symbol);
            let folded = fold(&text);
            Truth::of(patterns.iter().any(|pattern| pattern.matches(&text, &folded)))
        }
        (Test::OneOf(numbers), Value::Number(number)) => Truth::of(numbers.contains(&number)),
        (Test::Compare(comparisons), Value::Number(number)) => {
            Truth::of(comparisons.iter().all(|comparison| comparison.holds(number)))
        }
        (Test::InQuery(_), Value::Flag(returned)) => Truth::of(returned),
        (Test::Flag(wanted), Value::Flag(flag)) => Truth::of(flag == *wanted),
        // No value; or a test of another kind than the field, of which the compiler builds none. Knowing nothing ends
        // nobody.
        _ => Truth::Unknown,
    }
}

/// The fields that the source cannot answer, of those that the leaves ask about.
pub fn unanswerable<'c>(
    leaves: impl IntoIterator<Item = &'c Leaf>,
    facts: &Facts<'_>,
) -> Vec<Field> {
    let untold = leaves.into_iter().filter(|leaf| !facts.can_tell(leaf));
    let mut fields: Vec<Field> = untold.map(|leaf| leaf.field).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}
