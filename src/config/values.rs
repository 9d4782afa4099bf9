//! Single values: text, names, counts, moments, words. Each function reads one node or says what is wrong with it.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::diagnostic::{Code, Sink};
use super::suggest::{did_you_mean, did_you_mean_or_list};
use super::yaml::{Node, Scalar, ScalarKind, excerpt};
use crate::engine::time::Timestamp;

/// The longest name of a rule, set or test: names are labels of metrics.
pub(super) const NAME_CHARACTERS_MAX: usize = 64;

/// The pattern of names, for the schema.
pub(super) const NAME_PATTERN: &str = "^[A-Za-z0-9._-]{1,64}$";

/// A scalar, or an error that says what is due.
pub(super) fn scalar<'n>(node: &'n Node, due: &str, sink: &mut Sink) -> Option<&'n Scalar> {
    let scalar = node.scalar().filter(|scalar| scalar.kind() != ScalarKind::Null);
    if scalar.is_none() {
        wrong_type(node, due, sink);
    }
    scalar
}

/// Text; numbers are text too. `true` and `false` are not: somebody meant something else.
pub(super) fn text<'n>(node: &'n Node, due: &str, sink: &mut Sink) -> Option<&'n str> {
    let scalar = scalar(node, due, sink)?;
    if let ScalarKind::Flag(_) = scalar.kind() {
        let help = format!("if the word is meant, quote it: \"{}\"", scalar.text);
        wrong_type(node, due, sink).help(help);
        return None;
    }
    Some(&scalar.text)
}

/// Text that is not empty.
pub(super) fn filled_text<'n>(node: &'n Node, due: &str, sink: &mut Sink) -> Option<&'n str> {
    let text = text(node, due, sink)?;
    if text.trim().is_empty() {
        sink.error(Code::WrongType, &node.span, format!("{due} is due, found empty text"));
        return None;
    }
    Some(text)
}

/// A name of ours.
pub(super) fn name<'n>(node: &'n Node, sink: &mut Sink) -> Option<&'n str> {
    let name = text(node, "a name", sink)?;
    if !is_name(name) {
        bad_name(name, &node.span, sink);
        return None;
    }
    Some(name)
}

/// Reports something that cannot be a name.
pub(super) fn bad_name(name: &str, span: &Range<usize>, sink: &mut Sink) {
    let message = format!("`{}` cannot be a name", excerpt(name));
    let help =
        format!("letters, digits, `.`, `_` and `-`, {NAME_CHARACTERS_MAX} characters at most");
    sink.error(Code::BadName, span, message).help(help);
}

/// Whether it can be a name.
pub(super) fn is_name(name: &str) -> bool {
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&name.len());
    fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// `true` or `false`.
pub(super) fn flag(node: &Node, sink: &mut Sink) -> Option<bool> {
    if let Some(ScalarKind::Flag(flag)) = node.scalar().map(Scalar::kind) {
        return Some(flag);
    }
    wrong_type(node, "`true` or `false`", sink);
    None
}

/// A whole number from zero.
pub(super) fn count(node: &Node, sink: &mut Sink) -> Option<u64> {
    let scalar = scalar(node, "a whole number", sink)?;
    match scalar.text.parse::<u64>() {
        Ok(count) if !scalar.quoted => Some(count),
        _ => {
            let message = format!("a whole number is due, found {}", node.describe());
            sink.error(Code::BadNumber, &node.span, message);
            None
        }
    }
}

/// A whole number from zero that fits a type.
pub(super) fn count_as<T: TryFrom<u64>>(node: &Node, sink: &mut Sink) -> Option<T> {
    let count = count(node, sink)?;
    let fitting = T::try_from(count).ok();
    if fitting.is_none() {
        sink.error(Code::BadNumber, &node.span, format!("{count} is out of range"));
    }
    fitting
}

/// A moment, with its offset.
pub(super) fn time(node: &Node, sink: &mut Sink) -> Option<Timestamp> {
    let text = text(node, "a moment", sink)?;
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from(time.with_timezone(&Utc)));
    }
    sink.error(Code::BadTime, &node.span, format!("`{}` is not a moment", excerpt(text)))
        .help("write date, time and offset: 2026-12-27T00:00:00+01:00");
    None
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    what: &str,
    sink: &mut Sink,
) -> Option<T> {
    let text = text(node, what, sink)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let message = format!("`{}` is not {what}", excerpt(text));
        let help = did_you_mean_or_list(text, words.iter().map(|(word, _)| *word));
        sink.error(Code::WrongType, &node.span, message).help_if(help);
    }
    found
}

/// An IANA time zone.
pub(super) fn zone(node: &Node, sink: &mut Sink) -> Option<chrono_tz::Tz> {
    let text = text(node, "a time zone", sink)?;
    let zone = chrono_tz::Tz::from_str_insensitive(text).ok();
    if zone.is_none() {
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let help = did_you_mean(text, names)
            .unwrap_or_else(|| "an IANA name such as Europe/Berlin, or UTC".to_owned());
        let message = format!("no time zone is called `{}`", excerpt(text));
        sink.error(Code::UnknownZone, &node.span, message).help(help);
    }
    zone
}

/// The elements of a list, or the one value itself. An empty list is an error.
pub(super) fn one_or_many<'n>(node: &'n Node, what: &str, sink: &mut Sink) -> &'n [Node] {
    match node.sequence() {
        Some([]) => {
            sink.error(Code::EmptyList, &node.span, format!("an empty list of {what}"));
            &[]
        }
        Some(items) => items,
        None => std::slice::from_ref(node),
    }
}

/// The elements of a list; anything else, and an empty list, is an error.
pub(super) fn list<'n>(node: &'n Node, what: &str, sink: &mut Sink) -> &'n [Node] {
    if node.sequence().is_none() {
        wrong_type(node, &format!("a list of {what}"), sink);
        return &[];
    }
    one_or_many(node, what, sink)
}

/// The elements of a list that may be empty.
pub(super) fn any_list<'n>(node: &'n Node, what: &str, sink: &mut Sink) -> &'n [Node] {
    if node.sequence().is_none() {
        wrong_type(node, &format!("a list of {what}"), sink);
    }
    node.sequence().unwrap_or_default()
}

/// Reports a value of another kind.
pub(super) fn wrong_type<'s>(
    node: &Node,
    due: &str,
    sink: &'s mut Sink,
) -> &'s mut super::diagnostic::Diagnostic {
    sink.error(Code::WrongType, &node.span, format!("{due} is due, found {}", node.describe()))
}
