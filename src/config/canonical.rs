//! The canonical text of a condition: what it means, not how it was written.
//!
//! Two conditions with one text match the same sessions. The fingerprint of a rule is a hash of it, so that a set
//! that changes makes another rule, and a comment does not.

use crate::engine::condition::{Comparison, Condition, Leaf, Operator, Pattern, Test, from_order};
use crate::engine::policy::Exemption;

/// The canonical text of a condition.
pub fn canonical(condition: &Condition) -> String {
    let joined = |parts: &[Condition]| parts.iter().map(canonical).collect::<Vec<_>>().join(", ");
    match condition {
        Condition::AnySession => "any_session".to_owned(),
        Condition::All(parts) => format!("all({})", joined(parts)),
        Condition::Any(parts) => format!("any({})", joined(parts)),
        Condition::Not(inner) => format!("not({})", canonical(inner)),
        Condition::Leaf(leaf) => canonical_leaf(leaf),
    }
}

fn canonical_leaf(leaf: &Leaf) -> String {
    let test = match &leaf.test {
        Test::Text(patterns) => bracketed(patterns.iter().map(canonical_pattern)),
        Test::OneOf(values) => bracketed(values.iter().map(|value| format!("= {value}"))),
        Test::Compare(all) => {
            all.iter().map(canonical_comparison).collect::<Vec<_>>().join(" and ")
        }
        Test::Flag(value) => value.to_string(),
        Test::IsNull(true) => "is null".to_owned(),
        Test::IsNull(false) => "is not null".to_owned(),
        Test::InQuery(name) => name.clone(),
    };
    format!("{} {test}", leaf.field.name())
}

fn bracketed(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(", "))
}

fn canonical_pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(text) => format!("= {text:?}"),
        Pattern::Like(like) => format!("like {:?}", like.pattern()),
        Pattern::Regex(regex) => format!("regex {:?}", regex.as_str()),
        Pattern::Unsigned(comparison) => {
            format!("{} {}", spelled(comparison.operator), from_order(comparison.value))
        }
    }
}

/// An operator and a value in stored units.
fn canonical_comparison(comparison: &Comparison) -> String {
    format!("{} {}", spelled(comparison.operator), comparison.value)
}

fn spelled(operator: Operator) -> &'static str {
    Operator::SPELLINGS.iter().find(|(_, known)| *known == operator).map_or("", |(text, _)| text)
}

/// A hash of whom a rule matches and spares. It outlives the process (history keeps it), so it is written out here:
/// FNV-1a with 64 bits.
pub(super) fn fingerprint(condition: &Condition, unless: &[Exemption]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut text = canonical(condition);
    for Exemption { name: _, condition, until } in unless {
        text.push_str("\nunless ");
        text.push_str(&canonical(condition));
        if let Some(until) = until {
            text.push_str(" until ");
            text.push_str(&until.to_string());
        }
    }
    text.bytes().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
