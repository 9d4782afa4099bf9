//! `action`: one verb, or a ladder of them.

use super::diagnostic::{Code, Sink};
use super::durations::span;
use super::shape::{Fields, Key, Kind, Shape, entries};
use super::suggest::did_you_mean_or_list;
use super::values::one_or_many;
use super::yaml::{Node, excerpt};
use crate::engine::policy::{Action, Rung, Verb};
use crate::engine::time::Span;

/// More rungs than there are verbs would repeat one.
const RUNGS_MAX: usize = 8;

/// What a rule may do, with its meaning; the schema prints it too.
pub(super) const VERBS: [(&str, &str); 4] = [
    ("report", "never ends anything"),
    ("cancel_sql", "cancels the running statement, the session stays"),
    ("kill", "ends the session, at once by default"),
    ("disconnect", "ends the session when its transaction ends, by default"),
];

pub(super) const KILL_MODES: [&str; 4] = ["plain", "immediate", "noreplay", "force"];
pub(super) const DISCONNECT_MODES: [&str; 2] = ["post_transaction", "immediate"];

const AFTER: Key = Key::optional(
    "after",
    Kind::Span,
    "how long after the previous rung; due on every rung but the first",
);

pub(super) static KILL: Shape = Shape {
    name: "kill",
    doc: "how a session is killed",
    keys: &[
        Key::optional("mode", Kind::Words(&KILL_MODES), "which KILL; immediate if left out"),
        AFTER,
    ],
};

pub(super) static DISCONNECT: Shape = Shape {
    name: "disconnect",
    doc: "how a session is disconnected",
    keys: &[
        Key::optional(
            "mode",
            Kind::Words(&DISCONNECT_MODES),
            "which DISCONNECT; post_transaction if left out",
        ),
        AFTER,
    ],
};

pub(super) static CANCEL_SQL: Shape =
    Shape { name: "cancel_sql", doc: "how a statement is cancelled", keys: &[AFTER] };

/// One rung as read.
struct Step<'n> {
    node: &'n Node,
    /// `None` is `report`.
    verb: Option<Verb>,
    after: Option<Span>,
}

/// Reads an action.
pub(super) fn action(node: &Node, sink: &mut Sink) -> Option<Action> {
    let items = one_or_many(node, "actions", sink);
    if items.len() > RUNGS_MAX {
        let message = format!("a ladder of {} rungs; {RUNGS_MAX} are the most", items.len());
        sink.error(Code::BadLadder, &node.span, message);
    }
    let steps: Vec<Option<Step<'_>>> = items.iter().map(|item| step(item, sink)).collect();
    let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
    match steps.as_slice() {
        [] => None,
        [Step { verb: None, .. }] => Some(Action::Report),
        _ => ladder(&steps, sink).map(|rungs| Action::Ladder(rungs.into())),
    }
}

fn ladder(steps: &[Step<'_>], sink: &mut Sink) -> Option<Vec<Rung>> {
    let mut rungs = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let span = &step.node.span;
        let Some(verb) = step.verb else {
            sink.error(Code::BadLadder, span, "`report` is no rung of a ladder")
                .help("every action is reported anyway");
            continue;
        };
        match (at, step.after) {
            (0, Some(_)) => {
                sink.error(Code::BadLadder, span, "`after` on the first rung")
                    .help("`for` says how long a match must hold first");
            }
            (0, None) => rungs.push(Rung { verb, after: Span::ZERO }),
            (_, None) => {
                let message = "this rung does not say when";
                sink.error(Code::BadLadder, span, message)
                    .help("so long after the previous one: {kill: {after: 60s}}");
            }
            (_, Some(Span::ZERO)) => {
                sink.error(Code::BadLadder, span, "a rung at the same time as the previous one");
            }
            (_, Some(after)) => rungs.push(Rung { verb, after }),
        }
    }
    (rungs.len() == steps.len()).then_some(rungs)
}

fn step<'n>(node: &'n Node, sink: &mut Sink) -> Option<Step<'n>> {
    if let Some(scalar) = node.scalar() {
        if !VERBS.iter().any(|(known, _)| *known == scalar.text) {
            unknown_verb(node, &scalar.text, sink);
            return None;
        }
        return Some(Step { node, verb: plain_verb(&scalar.text), after: None });
    }
    let found = entries(node, "action", sink)?;
    let [(name, key, value)] = found.as_slice() else {
        let message = format!("an action has one key, found {}", found.len());
        sink.error(Code::BadAction, &node.span, message)
            .help("several actions are a list, one a rung");
        return None;
    };
    match *name {
        "kill" => detailed(node, value, &KILL, kill_mode, Verb::KillImmediate, sink),
        "disconnect" => detailed(
            node,
            value,
            &DISCONNECT,
            disconnect_mode,
            Verb::DisconnectPostTransaction,
            sink,
        ),
        "cancel_sql" => detailed(node, value, &CANCEL_SQL, |_| None, Verb::CancelSql, sink),
        "report" => {
            sink.error(Code::BadAction, &node.span, "`report` takes nothing")
                .help("action: report");
            None
        }
        other => {
            unknown_verb(key, other, sink);
            None
        }
    }
}

/// The verb of a word in [`VERBS`]; `report` has none.
fn plain_verb(word: &str) -> Option<Verb> {
    match word {
        "cancel_sql" => Some(Verb::CancelSql),
        "kill" => Some(Verb::KillImmediate),
        "disconnect" => Some(Verb::DisconnectPostTransaction),
        _ => None,
    }
}

fn unknown_verb(node: &Node, word: &str, sink: &mut Sink) {
    let help = did_you_mean_or_list(word, VERBS.iter().map(|(name, _)| *name));
    sink.error(Code::BadAction, &node.span, format!("`{}` is not an action", excerpt(word)))
        .help_if(help);
}

/// `{kill: immediate}` or `{kill: {mode: immediate, after: 60s}}`.
fn detailed<'n>(
    node: &'n Node,
    value: &'n Node,
    shape: &'static Shape,
    mode_of: fn(&str) -> Option<Verb>,
    default: Verb,
    sink: &mut Sink,
) -> Option<Step<'n>> {
    if value.mapping().is_none() {
        let verb = mode(value, shape, mode_of, sink)?;
        return Some(Step { node, verb: Some(verb), after: None });
    }
    let fields: Fields<'_> = shape.read(value, sink)?;
    let has_mode = shape.names().any(|name| name == "mode");
    let written = if has_mode { fields.get("mode") } else { None };
    let verb = match written {
        Some(written) => mode(written, shape, mode_of, sink)?,
        None => default,
    };
    let after = match fields.get("after") {
        Some(after) => Some(span(after, sink)?),
        None => None,
    };
    Some(Step { node, verb: Some(verb), after })
}

fn mode(
    node: &Node,
    shape: &'static Shape,
    mode_of: fn(&str) -> Option<Verb>,
    sink: &mut Sink,
) -> Option<Verb> {
    let word = node.scalar().map_or("", |scalar| scalar.text.as_str());
    let verb = mode_of(word);
    if verb.is_none() {
        let modes = shape.keys.iter().find_map(|key| match key.kind {
            Kind::Words(words) => Some(words),
            _ => None,
        });
        let help = did_you_mean_or_list(word, modes.unwrap_or_default().iter().copied());
        let message = format!("`{}` cannot be done as {}", shape.name, node.describe());
        sink.error(Code::BadAction, &node.span, message).help_if(help);
    }
    verb
}

fn kill_mode(word: &str) -> Option<Verb> {
    Some(match word {
        "plain" => Verb::KillPlain,
        "immediate" => Verb::KillImmediate,
        "noreplay" => Verb::KillNoreplay,
        "force" => Verb::KillForce,
        _ => return None,
    })
}

fn disconnect_mode(word: &str) -> Option<Verb> {
    Some(match word {
        "post_transaction" => Verb::DisconnectPostTransaction,
        "immediate" => Verb::DisconnectImmediate,
        _ => return None,
    })
}
