//! `breaker` of a rule: when it is put back to a dry run by itself.

use super::diagnostic::{Code, Sink};
use super::durations::span;
use super::shape::{Key, Kind, Shape};
use super::values::count;
use super::yaml::Node;
use crate::engine::policy::{Breaker, Reset};
use crate::engine::time::Span;

/// The word that does without.
const OFF: &str = "off";

/// The word for a breaker that waits for somebody to look.
const UNTIL_RELOAD: &str = "until_reload";

pub(super) static BREAKER: Shape = Shape {
    name: "breaker",
    doc: "when an enforcing rule is put back to a dry run by itself, and for how long",
    keys: &[
        Key::optional(
            "failures",
            Kind::Count,
            "after so many ends in a row that failed, were refused or got no answer; default 5",
        ),
        Key::optional(
            "reconnects",
            Kind::Count,
            "after so many sessions within an hour that were back at once: the same program, machine and user name \
             logged on within `within`; default 20",
        ),
        Key::optional("within", Kind::Span, "what `at once` means; default 10s"),
        Key::optional(
            "for",
            Kind::Either(&[Kind::Span, Kind::Words(&[UNTIL_RELOAD])]),
            "how long it stays open; default 1h",
        ),
    ],
};

/// Reads a breaker; `None` is `off`, also after an error, when the rule is not used.
pub(super) fn breaker(node: &Node, sink: &mut Sink) -> Option<Breaker> {
    if is_word(node, OFF) {
        return None;
    }
    let fields = BREAKER.read(node, sink)?;
    let default = Breaker::default();
    let mut counted = |name: &str, default: u64| {
        let Some(node) = fields.get(name) else { return default };
        let counted = count(node, sink).unwrap_or(default);
        if counted == 0 {
            sink.error(Code::BadLimit, &node.span, "a breaker that opens after nothing")
                .help("`breaker: off` does without one");
        }
        counted
    };
    let failures = counted("failures", default.failures);
    let reconnects = counted("reconnects", default.reconnects);
    let within = fields.get("within").and_then(|node| length(node, sink));
    let reset = fields.get("for").and_then(|node| {
        if is_word(node, UNTIL_RELOAD) {
            return Some(Reset::Reload);
        }
        length(node, sink).map(Reset::After)
    });
    Some(Breaker {
        failures,
        reconnects,
        within: within.unwrap_or(default.within),
        reset: reset.unwrap_or(default.reset),
    })
}

fn length(node: &Node, sink: &mut Sink) -> Option<Span> {
    let read = span(node, sink)?;
    if read == Span::ZERO {
        sink.error(Code::BadDuration, &node.span, "a breaker needs more time than none");
    }
    Some(read)
}

fn is_word(node: &Node, word: &str) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == word)
}
