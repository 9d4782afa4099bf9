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
    name: "map of limits",
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
            "victims within an hour, this tick included; default 60; counted from the start of the daemon on",
        ),
        Key::optional(
            "per_second",
            Kind::CountOrUnlimited,
            "ends started within a second, so that a pool does not storm back; default unlimited; the tick waits",
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
    let words = [("halt", OnExceed::Halt), ("truncate", OnExceed::Truncate)];
    let per_tick = fields.get("per_tick").map(|node| victims(node, sink));
    let percent = fields.get("percent").map(|node| percent(node, sink));
    let per_hour = fields.get("per_hour").map(|node| victims(node, sink));
    let per_second = fields.get("per_second").map(|node| victims(node, sink));
    let undo = fields.get("max_undo_records").map(|node| bounded(node, sink));
    let on_exceed = fields
        .get("on_exceed")
        .and_then(|node| word(node, &words, "a reaction to too many victims", sink));
    Some(Limits {
        per_tick: per_tick.unwrap_or(base.per_tick),
        percent_thousandths: percent.unwrap_or(base.percent_thousandths),
        per_hour: per_hour.unwrap_or(base.per_hour),
        per_second: per_second.unwrap_or(base.per_second),
        max_undo_records: undo.unwrap_or(base.max_undo_records),
        on_exceed: on_exceed.unwrap_or(base.on_exceed),
    })
}

fn is_unlimited(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == UNLIMITED)
}

/// A number, or `None` for `unlimited`; also `None` after an error, when the limits are not used.
fn bounded(node: &Node, sink: &mut Sink) -> Option<u64> {
    if is_unlimited(node) { None } else { count(node, sink) }
}

fn victims(node: &Node, sink: &mut Sink) -> Option<u64> {
    let limit = bounded(node, sink);
    if limit == Some(0) {
        ends_nobody(node, sink);
    }
    limit
}

fn percent(node: &Node, sink: &mut Sink) -> Option<u64> {
    if is_unlimited(node) {
        return None;
    }
    let text = scalar(node, "a percentage", sink)?.text.trim();
    let thousandths = percent_or_report(node, text, sink)?;
    if thousandths == 0 {
        ends_nobody(node, sink);
    }
    u64::try_from(thousandths).ok()
}

fn ends_nobody(node: &Node, sink: &mut Sink) {
    sink.error(Code::BadLimit, &node.span, "a limit of zero ends nobody")
        .help("mode: dry-run, or action: report, say that better");
}
