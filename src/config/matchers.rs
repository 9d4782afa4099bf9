//! What stands to the right of a field: matchers of text, identifiers, durations, numbers and flags.
//!
//! A matcher becomes one leaf where it can, so that `explain` shows what was written; `not`, and lists that mix
//! kinds, become small trees.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::{Code, Sink};
use super::durations::{Unit, comparisons, operator_of};
use super::patterns::{Written, exact, like, regex, signature_comparison};
use super::shape::{entries, unknown_key};
use super::suggest::did_you_mean_or_list;
use super::values::{flag, text, wrong_type};
use super::yaml::{Node, ScalarKind, excerpt};
use crate::engine::condition::{Condition, Field, FieldKind, Leaf, Pattern, Test};

/// The matchers that a map can hold, with what they mean; the schema prints them too.
pub(super) const TEXT_MATCHERS: [(&str, &str); 5] = [
    (
        "like",
        "SQL LIKE: `%` is any run of characters, `_` is one; `\\%`, `\\_` and `\\\\` are themselves; case is ignored",
    ),
    ("regex", "a regular expression, searched for anywhere in the text; case is ignored"),
    ("in_set", "any element of the named set of this file"),
    ("not", "any matcher or list, negated; a missing value stays unknown"),
    ("is_null", "true: there is no value; false: there is one"),
];

/// Elements of a list that are shown: the text stands with every session that it holds of, in the audit, on the page
/// and in messages.
const LISTED_MAX: usize = 50;

const IDENTIFIER_MATCHERS: [&str; 3] = ["in_set", "not", "is_null"];

/// What names can be resolved to while a file is compiled.
pub(super) struct Scope<'n> {
    /// The sets of the file.
    pub(super) sets: BTreeMap<&'n str, &'n Node>,
    /// The queries of all files.
    pub(super) queries: Vec<&'n str>,
}

/// Reads the matcher of a field.
pub(super) fn matcher(
    field: Field,
    node: &Node,
    scope: &Scope<'_>,
    sink: &mut Sink,
) -> Option<Condition> {
    if field == Field::LogonTime {
        sink.error(
            Code::OrderingOnly,
            &node.span,
            "`logon_time` is for ordering and grouping only",
        )
        .help("`session_age: \"> 8h\"` asks how long ago the session logged on");
        return None;
    }
    let mut reader = Reader { field, scope, sink, open_sets: Vec::new() };
    match field.kind() {
        FieldKind::Text | FieldKind::SqlId => reader.alternatives(node),
        FieldKind::Identifier if field == Field::ForceMatchingSignature => reader.signature(node),
        FieldKind::Identifier => reader.identifier(node),
        FieldKind::Duration => reader.amount(node, Unit::Duration),
        FieldKind::Number => reader.amount(node, Unit::Number(field.scale())),
        FieldKind::Flag => reader.flag(node),
        FieldKind::Query => reader.query(node),
    }
}

/// Patterns only, for `databases`: no field, so nothing can be null.
pub(super) fn patterns(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Vec<Pattern> {
    let field = Field::InstanceName;
    let mut reader = Reader { field, scope, sink, open_sets: Vec::new() };
    let mut found = Found::default();
    reader.collect(node, &mut found);
    if !found.others.is_empty() {
        reader.sink.error(Code::WrongType, &node.span, "`not` and `is_null` mean nothing here");
    }
    found.patterns.into_iter().map(|written| written.pattern).collect()
}

/// The one key of a matcher's map.
fn only_entry<'n>(node: &'n Node, sink: &mut Sink) -> Option<(&'n str, &'n Node, &'n Node)> {
    let found = entries(node, "matcher", sink)?;
    let [entry] = found.as_slice() else {
        let message = format!("a matcher has one key, found {}", found.len());
        sink.error(Code::WrongType, &node.span, message)
            .help("a list is any of: [{like: A%}, {like: B%}]");
        return None;
    };
    Some(*entry)
}

struct Reader<'r, 'n> {
    field: Field,
    scope: &'r Scope<'n>,
    sink: &'r mut Sink,
    /// Sets being expanded, so that one that contains itself ends.
    open_sets: Vec<String>,
}

/// What the elements of a list came to.
#[derive(Default)]
struct Found {
    patterns: Vec<Written>,
    others: Vec<Condition>,
    set: Option<String>,
}

impl<'n> Reader<'_, 'n> {
    fn leaf(&self, test: Test, shown: impl Into<String>) -> Condition {
        Condition::Leaf(Leaf { field: self.field, test, shown: shown.into() })
    }

    /// A text matcher, or a list of them.
    fn alternatives(&mut self, node: &Node) -> Option<Condition> {
        let mut found = Found::default();
        self.collect(node, &mut found);
        let mut parts = Vec::new();
        if !found.patterns.is_empty() {
            let shown = match (&found.set, node.sequence(), found.patterns.as_slice()) {
                (Some(set), None, _) => format!("in_set {set}"),
                (_, None, [only]) => only.shown(),
                (_, _, many) => listed(many.iter().map(Written::shown_in_list)),
            };
            let patterns = found.patterns.into_iter().map(|written| written.pattern).collect();
            parts.push(self.leaf(Test::Text(patterns), shown));
        }
        parts.append(&mut found.others);
        any_of(parts)
    }

    fn collect(&mut self, node: &Node, found: &mut Found) {
        if let Some(items) = node.sequence() {
            if items.is_empty() {
                self.empty_list(&node.span);
            }
            for item in items {
                self.collect(item, found);
            }
        } else if node.mapping().is_some() {
            self.collect_map(node, found);
        } else {
            found.patterns.extend(exact(self.field, node, self.sink));
        }
    }

    /// Numbers, of which any may be meant, or comparisons, all of which must hold.
    fn signature(&mut self, node: &Node) -> Option<Condition> {
        let comparisons = node.sequence().unwrap_or(std::slice::from_ref(node));
        if comparisons.is_empty() || !comparisons.iter().all(is_comparison) {
            return self.alternatives(node);
        }
        let mut all = Vec::new();
        for item in comparisons {
            let (spelling, operator) = operator_of(item.scalar()?.text.trim())?;
            let written = signature_comparison(item, spelling, operator, self.sink)?;
            let shown = written.shown();
            all.push(self.leaf(Test::Text(vec![written.pattern]), shown));
        }
        if all.len() > 1 { Some(Condition::All(all)) } else { all.pop() }
    }

    fn collect_map(&mut self, node: &Node, found: &mut Found) {
        let Some((name, key, value)) = only_entry(node, self.sink) else { return };
        match name {
            "like" => found.patterns.extend(like(self.field, value, self.sink)),
            "regex" => found.patterns.extend(regex(value, self.sink)),
            "in_set" => self.collect_set(value, found),
            "not" => found.others.extend(self.negatable(value).map(negated)),
            "is_null" => found.others.extend(self.is_null(value)),
            unknown => {
                let known = TEXT_MATCHERS.iter().map(|(name, _)| *name);
                unknown_key(unknown, key, "matcher", known, self.sink);
            }
        }
    }

    fn negatable(&mut self, node: &Node) -> Option<Condition> {
        if self.field == Field::ForceMatchingSignature {
            self.signature(node)
        } else {
            self.alternatives(node)
        }
    }

    fn collect_set(&mut self, value: &Node, found: &mut Found) {
        let Some((name, set)) = self.open_set(value) else { return };
        self.collect(set, found);
        self.open_sets.pop();
        found.set = Some(name);
    }

    /// The set that is named, entered: the caller pops it from `open_sets`.
    fn open_set(&mut self, value: &Node) -> Option<(String, &'n Node)> {
        let name = text(value, "the name of a set", self.sink)?;
        let Some(set) = self.scope.sets.get(name).copied() else {
            let help = did_you_mean_or_list(name, self.scope.sets.keys().copied());
            let message = format!("no set of this file is called `{}`", excerpt(name));
            self.sink.error(Code::UnknownSet, &value.span, message).help_if(help);
            return None;
        };
        if self.open_sets.iter().any(|open| open == name) {
            let message = format!("the set `{name}` contains itself");
            self.sink.error(Code::SetLoop, &value.span, message);
            return None;
        }
        self.open_sets.push(name.to_owned());
        Some((name.to_owned(), set))
    }

    fn empty_list(&mut self, span: &Range<usize>) {
        self.sink
            .error(Code::EmptyList, span, "an empty list")
            .help("an empty list matches nobody; leave the key out");
    }

    fn is_null(&mut self, value: &Node) -> Option<Condition> {
        let null = flag(value, self.sink)?;
        Some(self.leaf(Test::IsNull(null), if null { "is null" } else { "is not null" }))
    }

    /// A number, an operator string, a map, or a list of numbers or of operator strings.
    fn identifier(&mut self, node: &Node) -> Option<Condition> {
        if let Some(items) = node.sequence() {
            let compared = items.iter().filter(|item| is_comparison(item)).count();
            if compared > 0 && compared == items.len() {
                return self.compare(node, Unit::Number(1));
            }
            return self.numbers(node);
        }
        if is_comparison(node) {
            return self.compare(node, Unit::Number(1));
        }
        self.numbers(node)
    }

    fn numbers(&mut self, node: &Node) -> Option<Condition> {
        let mut found = Numbers::default();
        self.collect_numbers(node, &mut found);
        let mut parts = Vec::new();
        if !found.values.is_empty() {
            let shown = match (&found.set, node.sequence(), found.values.as_slice()) {
                (Some(set), None, _) => format!("in_set {set}"),
                (_, None, [only]) => format!("= {only}"),
                (_, _, many) => listed(many.iter().map(ToString::to_string)),
            };
            parts.push(self.leaf(Test::OneOf(found.values), shown));
        }
        parts.append(&mut found.others);
        any_of(parts)
    }

    fn collect_numbers(&mut self, node: &Node, found: &mut Numbers) {
        if let Some(items) = node.sequence() {
            if items.is_empty() {
                self.empty_list(&node.span);
            }
            for item in items {
                self.collect_numbers(item, found);
            }
        } else if node.mapping().is_some() {
            self.collect_number_map(node, found);
        } else {
            found.values.extend(self.number(node));
        }
    }

    fn collect_number_map(&mut self, node: &Node, found: &mut Numbers) {
        let Some((name, key, value)) = only_entry(node, self.sink) else { return };
        match name {
            "in_set" => {
                let Some((name, set)) = self.open_set(value) else { return };
                self.collect_numbers(set, found);
                self.open_sets.pop();
                found.set = Some(name);
            }
            "not" => found.others.extend(self.identifier(value).map(negated)),
            "is_null" => found.others.extend(self.is_null(value)),
            unknown => unknown_key(unknown, key, "matcher", IDENTIFIER_MATCHERS, self.sink),
        }
    }

    fn number(&mut self, node: &Node) -> Option<i64> {
        let Some(scalar) = node.scalar().filter(|scalar| scalar.kind() != ScalarKind::Null) else {
            wrong_type(node, "a number", self.sink);
            return None;
        };
        if is_comparison(node) {
            let help = "a list is either numbers (any of them) or comparisons (all of them)";
            wrong_type(node, "a number", self.sink).help(help);
            return None;
        }
        let value = scalar.text.trim().parse().ok();
        if value.is_none() {
            let message =
                format!("`{}` takes a whole number, found {}", self.field.name(), node.describe());
            self.sink
                .error(Code::BadNumber, &node.span, message)
                .help("a number, a list of numbers, or \"> 100\"");
        }
        value
    }

    fn compare(&mut self, node: &Node, unit: Unit) -> Option<Condition> {
        let comparisons = comparisons(node, unit, self.sink)?;
        Some(self.leaf(Test::Compare(comparisons.all), comparisons.shown))
    }

    /// A duration or a number.
    fn amount(&mut self, node: &Node, unit: Unit) -> Option<Condition> {
        if node.mapping().is_none() {
            return self.compare(node, unit);
        }
        let (name, key, value) = only_entry(node, self.sink)?;
        if name == "is_null" {
            return self.is_null(value);
        }
        unknown_key(name, key, "matcher", ["is_null"], self.sink);
        None
    }

    fn flag(&mut self, node: &Node) -> Option<Condition> {
        if node.mapping().is_some() {
            return self.amount(node, Unit::Number(1));
        }
        let flag = flag(node, self.sink)?;
        Some(self.leaf(Test::Flag(flag), flag.to_string()))
    }

    fn query(&mut self, node: &Node) -> Option<Condition> {
        let name = text(node, "the name of a query", self.sink)?;
        if !self.scope.queries.contains(&name) {
            let help = did_you_mean_or_list(name, self.scope.queries.iter().copied());
            let message = format!("no query is called `{}`", excerpt(name));
            self.sink.error(Code::UnknownQuery, &node.span, message).help_if(help);
            return None;
        }
        Some(self.leaf(Test::InQuery(name.to_owned()), name))
    }
}

#[derive(Default)]
struct Numbers {
    values: Vec<i64>,
    others: Vec<Condition>,
    set: Option<String>,
}

fn is_comparison(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| operator_of(scalar.text.trim()).is_some())
}

fn negated(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn any_of(mut parts: Vec<Condition>) -> Option<Condition> {
    if parts.len() > 1 { Some(Condition::Any(parts)) } else { parts.pop() }
}

fn listed(elements: impl ExactSizeIterator<Item = String>) -> String {
    let more = elements.len().saturating_sub(LISTED_MAX);
    let mut shown: Vec<String> = elements.take(LISTED_MAX).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    format!("in [{}]", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{LISTED_MAX, listed};

    #[test]
    fn a_long_list_is_not_told_whole() {
        let of = |length: usize| listed((0..length).map(|it| it.to_string()));
        assert_eq!(of(2), "in [0, 1]");
        assert!(of(LISTED_MAX).ends_with("48, 49]"), "{}", of(LISTED_MAX));
        assert!(of(20_000).ends_with("48, 49, and 19950 more]"), "{}", of(20_000));
    }
}
