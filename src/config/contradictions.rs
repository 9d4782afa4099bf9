//! Conditions that cannot hold together, and conditions that nobody can meet.
//!
//! Only what is certain is said: every check looks at tests that stand in one AND. What a test does not say (a
//! regular expression, a negation) is never guessed.

use super::conditions::Conjunct;
use super::diagnostic::{Code, Sink};
use super::patterns::disjoint;
use crate::engine::condition::{Comparison, Condition, Field, Leaf, Operator, Pattern, Test};

/// Checks what is ANDed.
pub(super) fn check(conjuncts: &[Conjunct], sink: &mut Sink) {
    for (at, later) in conjuncts.iter().enumerate() {
        let Condition::Leaf(leaf) = &later.condition else { continue };
        check_alone(leaf, later, sink);
        for earlier in &conjuncts[..at] {
            let Condition::Leaf(other) = &earlier.condition else { continue };
            let clash = clash(leaf, other).or_else(|| clash(other, leaf));
            if let Some(reason) = clash {
                let (first, second) = (other.field.name(), leaf.field.name());
                let message = if first == second {
                    format!("`{first}` is asked for two things at once: {reason}")
                } else {
                    format!("`{first}` and `{second}` cannot hold together: {reason}")
                };
                sink.error(Code::Contradiction, &later.span, message)
                    .related(&earlier.span, "contradicts this");
            }
        }
    }
}

/// A test that is wrong by itself.
fn check_alone(leaf: &Leaf, place: &Conjunct, sink: &mut Sink) {
    if let Test::Compare(all) = &leaf.test {
        let natural = is_natural(leaf.field);
        if !satisfiable(all.iter().copied(), false) {
            let message = format!("no value of `{}` is `{}`", leaf.field.name(), leaf.shown);
            sink.error(Code::Contradiction, &place.span, message);
        } else if natural && !satisfiable(all.iter().copied(), true) {
            let message = format!("`{}` is never negative", leaf.field.name());
            sink.error(Code::Contradiction, &place.span, message);
        }
    }
    let protected = match leaf.field {
        Field::Type => all_exact(leaf, &["background", "recursive"]),
        Field::Status => all_exact(leaf, &["killed", "cached"]),
        _ => false,
    };
    if protected {
        let message =
            format!("sessions with `{}` {} are always protected", leaf.field.name(), leaf.shown);
        sink.warning(Code::NeverTrue, &place.span, message).help("this rule can never end anybody");
    }
}

/// Why `a` and `b` exclude each other; asked both ways round.
fn clash(a: &Leaf, b: &Leaf) -> Option<&'static str> {
    if a.field == b.field {
        return clash_of_one_field(a, b);
    }
    if matches!(a.test, Test::IsNull(true)) || matches!(b.test, Test::IsNull(true)) {
        return None;
    }
    let is_flag = |leaf: &Leaf, field: Field, value: bool| {
        leaf.field == field && leaf.test == Test::Flag(value)
    };
    if a.field == Field::IdleFor {
        if b.field.needs_active() || is_flag(b, Field::OnCpu, true) {
            return Some("one is about idle sessions, the other about a running call");
        }
        if b.field == Field::Status && excludes(b, &["inactive", "sniped"]) {
            return Some("idle sessions are INACTIVE or SNIPED");
        }
    }
    if (a.field.needs_active() || is_flag(a, Field::OnCpu, true))
        && b.field == Field::Status
        && excludes(b, &["active"])
    {
        return Some("it is defined for ACTIVE sessions only");
    }
    if is_flag(a, Field::OnCpu, true) && b.field.needs_waiting() {
        return Some("a session on CPU does not wait");
    }
    if is_flag(a, Field::RootBlocker, true) && b.field == Field::BlockedSessions && !allows_one(b) {
        return Some("a root blocker blocks at least one session");
    }
    if is_flag(a, Field::InTransaction, false) && needs_transaction(b) {
        return Some("it needs an open transaction");
    }
    None
}

fn clash_of_one_field(a: &Leaf, b: &Leaf) -> Option<&'static str> {
    match (&a.test, &b.test) {
        (Test::Compare(a), Test::Compare(b)) => {
            let both = a.iter().chain(b).copied();
            (!satisfiable(both, false)).then_some("no value meets both")
        }
        (Test::OneOf(values), Test::Compare(all)) => {
            let any = values.iter().any(|value| all.iter().all(|one| one.holds(*value)));
            (!any).then_some("no value meets both")
        }
        (Test::OneOf(a), Test::OneOf(b)) => {
            (!a.iter().any(|value| b.contains(value))).then_some("no value is in both")
        }
        (Test::Text(a), Test::Text(b)) => disjoint(a, b).then_some("no text is in both"),
        (Test::Flag(a), Test::Flag(b)) => (a != b).then_some("it is either true or false"),
        (Test::IsNull(true), other) => {
            (*other != Test::IsNull(true)).then_some("there is no value to compare")
        }
        _ => None,
    }
}

/// Fields whose values are never negative.
fn is_natural(field: Field) -> bool {
    use crate::engine::condition::FieldKind::{Duration, Identifier, Number};
    matches!(field.kind(), Duration | Identifier | Number)
}

fn needs_transaction(leaf: &Leaf) -> bool {
    match leaf.field {
        Field::TransactionFor => true,
        Field::UndoRecords | Field::UndoBlocks => match &leaf.test {
            // Zero undo is what no transaction has, or nothing at all.
            Test::Compare(all) => !all.iter().all(|one| one.holds(0)),
            _ => false,
        },
        _ => false,
    }
}

fn allows_one(leaf: &Leaf) -> bool {
    let Test::Compare(all) = &leaf.test else { return true };
    let at_least_one = Comparison { operator: Operator::GreaterOrEqual, value: 1 };
    satisfiable(all.iter().copied().chain([at_least_one]), true)
}

/// Only exact texts, all of them among `words`.
fn all_exact(leaf: &Leaf, words: &[&str]) -> bool {
    let Test::Text(patterns) = &leaf.test else { return false };
    patterns
        .iter()
        .all(|pattern| matches!(pattern, Pattern::Exact(text) if words.contains(&text.as_str())))
}

/// No pattern matches any of `words`.
fn excludes(leaf: &Leaf, words: &[&str]) -> bool {
    let Test::Text(patterns) = &leaf.test else { return false };
    !patterns.iter().any(|pattern| words.iter().any(|word| pattern.matches(word, word)))
}

/// Whether some whole number (from zero, if `natural`) meets all comparisons.
fn satisfiable(all: impl Iterator<Item = Comparison>, natural: bool) -> bool {
    let mut low = if natural { 0 } else { i64::MIN };
    let mut high = i64::MAX;
    let mut excluded = Vec::new();
    for Comparison { operator, value } in all {
        match operator {
            Operator::Less => high = high.min(value.saturating_sub(1)),
            Operator::LessOrEqual => high = high.min(value),
            Operator::Equal => (low, high) = (low.max(value), high.min(value)),
            Operator::GreaterOrEqual => low = low.max(value),
            Operator::Greater => low = low.max(value.saturating_add(1)),
            Operator::NotEqual => excluded.push(value),
        }
    }
    excluded.sort_unstable();
    for value in excluded {
        if value == low {
            low = low.saturating_add(1);
        }
    }
    low <= high
}
