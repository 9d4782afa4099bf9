//! What the tests have seen of the rules: every test of a rule in both outcomes, every limit, exemption, window and
//! protection at work. A rule whose limit never bit in a test has a limit that nobody tried.

use std::collections::BTreeMap;

use crate::engine::condition::{Field, Truth};
use crate::engine::explain::leaf_truth;
use crate::engine::facts::Facts;
use crate::engine::guard::ApprovedPlan;
use crate::engine::policy::{Action, Limits, OnExceed, PolicySet, Rule};
use crate::engine::session::Snapshot;
use crate::engine::spare::{HaltReason, SpareReason};

/// Points by their owner (a rule, or `protect`), each seen or not.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    points: BTreeMap<String, BTreeMap<Point, bool>>,
}

/// Something that a test can show of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Ends,
    True(usize, String),
    False(usize, String),
    Unless,
    Pending,
    Kept,
    Asleep,
    Limit,
    Undo,
    Protects(String),
}

/// What was seen, of how much, and what was not.
#[derive(Debug)]
pub(super) struct Report {
    /// Points seen.
    pub(super) seen: usize,
    /// All points.
    pub(super) all: usize,
    /// By rule: seen, all, and what is missing in words.
    pub(super) rules: Vec<(String, usize, usize, Vec<String>)>,
}

impl Report {
    /// 100 when there is nothing to see.
    pub(super) fn percent(&self) -> f64 {
        if self.all == 0 { 100.0 } else { self.seen as f64 * 100.0 / self.all as f64 }
    }
}

impl Coverage {
    /// From now on the points of these policies count.
    pub(super) fn expect(&mut self, policies: &PolicySet) {
        for rule in &policies.rules {
            let points = self.points.entry(rule.name.clone()).or_default();
            for point in points_of(rule) {
                points.entry(point).or_insert(false);
            }
        }
        for protection in &policies.protections {
            let name = protection.name.clone().unwrap_or_default();
            let points = self.points.entry("protect".to_owned()).or_default();
            points.entry(Point::Protects(name)).or_insert(false);
        }
    }

    /// Takes in one tick.
    pub(super) fn see(&mut self, policies: &PolicySet, snapshot: &Snapshot, plan: &ApprovedPlan) {
        let facts = Facts::new(snapshot);
        for rule in &policies.rules {
            let halted = plan.halted().iter().find(|it| *it.rule == *rule.name).map(|it| it.reason);
            match halted {
                Some(HaltReason::Window | HaltReason::OnlyWhen | HaltReason::Database) => {
                    self.mark(&rule.name, &Point::Asleep);
                    continue;
                }
                Some(HaltReason::Limit) => self.mark(&rule.name, &Point::Limit),
                Some(HaltReason::Partial) | None => {}
            }
            self.see_leaves(rule, &facts, snapshot);
        }
        for end in plan.ends() {
            self.mark(&end.rule, &Point::Ends);
        }
        for spared in plan.spared() {
            match &spared.reason {
                SpareReason::Unless => self.mark(&spared.rule, &Point::Unless),
                SpareReason::Pending => self.mark(&spared.rule, &Point::Pending),
                SpareReason::Kept => self.mark(&spared.rule, &Point::Kept),
                SpareReason::Limit => self.mark(&spared.rule, &Point::Limit),
                SpareReason::Undo => self.mark(&spared.rule, &Point::Undo),
                SpareReason::ProtectedByName(name) => {
                    self.mark("protect", &Point::Protects(name.to_string()));
                }
                _ => {}
            }
        }
    }

    fn see_leaves(&mut self, rule: &Rule, facts: &Facts<'_>, snapshot: &Snapshot) {
        for (at, leaf) in rule.leaves().into_iter().enumerate() {
            let name = format!("{} {}", leaf.field.name(), leaf.shown);
            for row in 0..snapshot.sessions.len() {
                match leaf_truth(leaf, facts, facts.value(leaf.field, row)) {
                    Truth::True => self.mark(&rule.name, &Point::True(at, name.clone())),
                    Truth::False => self.mark(&rule.name, &Point::False(at, name.clone())),
                    Truth::Unknown => {}
                }
            }
        }
    }

    fn mark(&mut self, rule: &str, point: &Point) {
        if let Some(seen) = self.points.get_mut(rule).and_then(|points| points.get_mut(point)) {
            *seen = true;
        }
    }

    /// Counts.
    pub(super) fn report(&self) -> Report {
        let mut report = Report { seen: 0, all: 0, rules: Vec::new() };
        for (rule, points) in &self.points {
            let seen = points.values().filter(|seen| **seen).count();
            let missing =
                points.iter().filter(|(_, seen)| !**seen).map(|(point, _)| point.missing());
            report.seen += seen;
            report.all += points.len();
            report.rules.push((rule.clone(), seen, points.len(), missing.collect()));
        }
        report
    }
}

fn points_of(rule: &Rule) -> Vec<Point> {
    let mut points = vec![Point::Ends];
    for (at, leaf) in rule.leaves().into_iter().enumerate() {
        // A query is never answered in a test.
        if leaf.field != Field::InQuery {
            let name = format!("{} {}", leaf.field.name(), leaf.shown);
            points.extend([Point::True(at, name.clone()), Point::False(at, name)]);
        }
    }
    let defaults = Limits::default();
    let limits = Limits {
        max_undo_records: defaults.max_undo_records,
        per_second: defaults.per_second,
        on_exceed: OnExceed::Halt,
        ..rule.limits
    };
    let can_bite =
        [limits.per_tick, limits.percent_thousandths, limits.per_hour].iter().any(Option::is_some);
    let asleep =
        !rule.only_during.is_empty() || !rule.never_during.is_empty() || !rule.only_when.is_empty();
    let own_undo = rule.limits.max_undo_records != defaults.max_undo_records;
    let ends = rule.action != Action::Report;
    let more = [
        (Point::Unless, !rule.unless.is_empty()),
        (Point::Pending, rule.hold.0 > 0),
        (Point::Kept, rule.victims.keep > 0),
        (Point::Asleep, asleep),
        (Point::Limit, ends && limits != defaults && can_bite),
        (Point::Undo, ends && own_undo && rule.limits.max_undo_records.is_some()),
    ];
    points.extend(more.into_iter().filter(|(_, counts)| *counts).map(|(point, _)| point));
    points
}

impl Point {
    fn missing(&self) -> String {
        match self {
            Self::Ends => "nobody was ended".to_owned(),
            Self::True(_, test) => format!("`{test}` was never true"),
            Self::False(_, test) => format!("`{test}` was never false"),
            Self::Unless => "nobody was spared by `unless`".to_owned(),
            Self::Pending => "`for` was never seen running".to_owned(),
            Self::Kept => "`keep` kept nobody".to_owned(),
            Self::Asleep => "it was never seen asleep".to_owned(),
            Self::Limit => "its limits never bit".to_owned(),
            Self::Undo => "`max_undo_records` spared nobody".to_owned(),
            Self::Protects(name) => format!("`{name}` protected nobody"),
        }
    }
}
