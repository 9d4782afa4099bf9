//! Maps of conditions: `match`, `unless`, `having`, and what stands under `any`, `all`, `none` and `not`.

use std::ops::Range;

use super::contradictions::check;
use super::diagnostic::{Code, Diagnostics, Sink, SourceFile};
use super::matchers::{Scope, matcher};
use super::shape::{entries, unknown_key, whole};
use super::values::{list, wrong_type};
use super::yaml::{Node, ScalarKind, parse};
use crate::engine::condition::{Condition, Field};

/// The keys of a condition map besides the fields; the schema prints them too.
pub(super) const COMBINATORS: [(&str, &str); 5] = [
    ("any", "at least one of these holds"),
    ("all", "all of these hold"),
    ("none", "none of these holds"),
    ("not", "this does not hold"),
    ("any_session", "every session; the only way to match everybody"),
];

/// A compiled map of conditions.
pub(super) struct Compiled {
    pub(super) condition: Condition,
    /// What is ANDed, nested `all` included.
    pub(super) conjuncts: Vec<Conjunct>,
}

/// One of several conditions that must all hold.
#[derive(Debug, Clone)]
pub(super) struct Conjunct {
    pub(super) condition: Condition,
    /// Key and value.
    pub(super) span: Range<usize>,
    /// It only says who is left out.
    pub(super) negative: bool,
}

/// Compiles the conditions of `sessions --match`: a YAML map, such as `{username: APP}`. `name` stands in messages.
pub fn compile_match_text(name: &str, text: &str) -> (Option<Condition>, Diagnostics) {
    let mut sink = Sink::default();
    let scope = Scope { sets: std::collections::BTreeMap::new(), queries: Vec::new() };
    let compiled = parse(text, &mut sink).and_then(|node| conditions(&node, &scope, &mut sink));
    let condition = compiled.filter(|_| !sink.has_errors()).map(|compiled| compiled.condition);
    let source = SourceFile { name: name.to_owned(), text: text.to_owned() };
    (condition, Diagnostics::new(vec![source], sink.into_entries()))
}

/// A map of conditions with all that can be said about it alone.
pub(super) fn conditions(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<Compiled> {
    let compiled = conjunction(node, scope, sink)?;
    check(&compiled.conjuncts, sink);
    Some(compiled)
}

/// The keys of a map, ANDed, not yet checked against each other: an `all` belongs to what stands around it.
fn conjunction(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<Compiled> {
    if is_empty(node) {
        sink.error(Code::EmptyMatch, &node.span, "empty conditions would match everybody")
            .help("if that is meant, say so: {any_session: true}");
        return None;
    }
    let found = entries(node, "condition", sink)?;
    let mut conjuncts = Vec::new();
    let mut parts = Vec::new();
    for (name, key, value) in &found {
        let part = match *name {
            "all" => branches(value, scope, sink).map(|all| {
                conjuncts.extend(all.iter().flat_map(|one| one.conjuncts.iter().cloned()));
                Condition::All(all.into_iter().map(|one| one.condition).collect())
            }),
            _ => single(name, key, value, scope, sink).inspect(|condition| {
                let span = whole(key, value);
                let negative = matches!(condition, Condition::Not(_));
                conjuncts.push(Conjunct { condition: condition.clone(), span, negative });
            }),
        };
        parts.extend(part);
    }
    check_any_session(&found, sink);
    let condition = match parts.len() {
        // What could not be read is reported. Without it the rest would match more: nobody is the safe answer.
        read if read < found.len() => Condition::Not(Box::new(Condition::AnySession)),
        1 => parts.pop()?,
        _ => Condition::All(parts),
    };
    Some(Compiled { condition, conjuncts })
}

fn is_empty(node: &Node) -> bool {
    let null = node.scalar().is_some_and(|scalar| scalar.kind() == ScalarKind::Null);
    null || node.mapping().is_some_and(<[_]>::is_empty)
}

/// One key other than `all`.
fn single(
    name: &str,
    key: &Node,
    value: &Node,
    scope: &Scope<'_>,
    sink: &mut Sink,
) -> Option<Condition> {
    match name {
        "any" => checked_branches(value, scope, sink).map(Condition::Any),
        "none" => checked_branches(value, scope, sink)
            .map(|parts| Condition::Not(Box::new(Condition::Any(parts)))),
        "not" => {
            let inner = conditions(value, scope, sink)?;
            Some(Condition::Not(Box::new(inner.condition)))
        }
        "any_session" => any_session(value, sink),
        _ => {
            let Some(field) = Field::named(name) else {
                let combinators = COMBINATORS.iter().map(|(name, _)| *name);
                let fields = Field::ALL.iter().map(|field| field.name());
                unknown_key(name, key, "condition", fields.chain(combinators), sink);
                return None;
            };
            matcher(field, value, scope, sink)
        }
    }
}

fn any_session(value: &Node, sink: &mut Sink) -> Option<Condition> {
    if value.scalar().is_some_and(|scalar| scalar.kind() == ScalarKind::Flag(true)) {
        return Some(Condition::AnySession);
    }
    wrong_type(value, "`true`", sink).help("leave the key out to match by other conditions");
    None
}

fn check_any_session(found: &[(&str, &Node, &Node)], sink: &mut Sink) {
    let Some((_, key, value)) = found.iter().find(|(name, ..)| *name == "any_session") else {
        return;
    };
    if found.len() > 1 {
        let message = "`any_session` adds nothing to the other conditions";
        sink.warning(Code::AnySessionBesides, &whole(key, value), message).help("remove it");
    }
}

/// The condition maps of a list.
fn branches(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<Vec<Compiled>> {
    let items = list(node, "condition maps", sink);
    let compiled: Vec<Compiled> =
        items.iter().filter_map(|item| conjunction(item, scope, sink)).collect();
    (!compiled.is_empty()).then_some(compiled)
}

/// The same where every map stands on its own.
fn checked_branches(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<Vec<Condition>> {
    let compiled = branches(node, scope, sink)?;
    for one in &compiled {
        check(&one.conjuncts, sink);
    }
    Some(compiled.into_iter().map(|one| one.condition).collect())
}
