//! `limits` of a rule or of a database: how many, at most.

use super::diagnostic::{Code, Sink};
use super::durations::percent_or_report;
use super::shape::{Key, Kind, Shape};
use super::values::{count, scalar, word};
use super::yaml::Node;
use crate::engine::policy::{Limits, OnExceed};

/// The word that lifts a limit.
const UNLIMITED: &str = "unlimited";

pub(super) static LIMITS: Shape = Shape {
    name: "limits",
    doc: "how many a rule may end; each is compared with `>`, the word `unlimited` lifts one",
    keys: &[
        Key::optional("per_tick", Kind::CountOrUnlimited, "victims of one tick; default 10"),
        Key::optional(
            "percent",
            Kind::Percent,
            "victims in percent of the live user sessions that are not protected; default 10%",
        ),
        Key::optional(
            "per_hour",
            Kind::CountOrUnlimited,
            "victims within an hour, this tick included; default 60",
        ),
        Key::optional(
            "max_undo_records",
            Kind::CountOrUnlimited,
            "undo records of one session; default 1000000",
        ),
        Key::optional(
            "on_exceed",
            Kind::Words(&["halt", "truncate"]),
            "halt (default) ends nobody of the rule, truncate ends the first ones in the plan's order",
        ),
    ],
};

/// Reads limits; what is not written is as in `base`.
pub(super) fn limits(node: &Node, base: Limits, sink: &mut Sink) -> Option<Limits> {
    let fields = LIMITS.read(node, sink)?;
    let mut limits = base;
    if let Some(node) = fields.get("per_tick") {
        limits.per_tick = victims(node, sink)?;
    }
    if let Some(node) = fields.get("per_hour") {
        limits.per_hour = victims(node, sink)?;
    }
    if let Some(node) = fields.get("percent") {
        limits.percent_thousandths = percent(node, sink)?;
    }
    if let Some(node) = fields.get("max_undo_records") {
        limits.max_undo_records = bounded(node, sink)?;
    }
    if let Some(node) = fields.get("on_exceed") {
        let words = [("halt", OnExceed::Halt), ("truncate", OnExceed::Truncate)];
        limits.on_exceed = word(node, &words, "a reaction to too many victims", sink)?;
    }
    Some(limits)
}

fn is_unlimited(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == UNLIMITED)
}

/// A number, or `None` for `unlimited`. The outer option says whether it could be read.
#[expect(clippy::option_option, reason = "outside: readable; inside: limited")]
fn bounded(node: &Node, sink: &mut Sink) -> Option<Option<u64>> {
    if is_unlimited(node) { Some(None) } else { count(node, sink).map(Some) }
}

#[expect(clippy::option_option, reason = "outside: readable; inside: limited")]
fn victims(node: &Node, sink: &mut Sink) -> Option<Option<u64>> {
    let limit = bounded(node, sink)?;
    if limit == Some(0) {
        ends_nobody(node, sink);
    }
    Some(limit)
}

#[expect(clippy::option_option, reason = "outside: readable; inside: limited")]
fn percent(node: &Node, sink: &mut Sink) -> Option<Option<u64>> {
    if is_unlimited(node) {
        return Some(None);
    }
    let text = scalar(node, "a percentage", sink)?.text.trim();
    let thousandths = percent_or_report(node, text, sink)?;
    if thousandths == 0 {
        ends_nobody(node, sink);
    }
    Some(u64::try_from(thousandths).ok())
}

fn ends_nobody(node: &Node, sink: &mut Sink) {
    sink.error(Code::BadLimit, &node.span, "a limit of zero ends nobody")
        .help("mode: dry-run, or action: report, say that better");
}
