//! What a tick should have done against what it did: who was ended is compared exactly, and every difference says why.

use std::collections::BTreeSet;

use crate::config::tests_file::{ExpectedEnd, TestKey, TestTick};
use crate::engine::condition::Truth;
use crate::engine::explain::leaf_truth;
use crate::engine::facts::Facts;
use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::policy::PolicySet;
use crate::engine::session::{SessionKey, Snapshot};

/// Every difference, in words.
pub(super) fn judge_tick(
    tick: &TestTick,
    policies: &PolicySet,
    snapshot: &Snapshot,
    plan: &ApprovedPlan,
) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(expected) = &tick.end {
        let mut left: Vec<&End> = plan.ends().iter().collect();
        for expected in expected {
            match left.iter().position(|end| is(expected, end)) {
                Some(at) => {
                    left.remove(at);
                }
                None => failures.push(missing(expected, policies, snapshot, plan)),
            }
        }
        failures.extend(left.into_iter().map(unexpected));
    }
    failures.extend(judge_spared(tick, plan));
    failures.extend(judge_halted(tick, plan));
    failures
}

fn judge_spared(tick: &TestTick, plan: &ApprovedPlan) -> Vec<String> {
    let mut failures = Vec::new();
    for expected in &tick.spared {
        let of_session: Vec<_> = plan
            .spared()
            .iter()
            .filter(|it| same(expected.key, it.life.key))
            .filter(|it| expected.rule.as_deref().is_none_or(|rule| *it.rule == *rule))
            .collect();
        if !of_session.iter().any(|it| it.reason.because() == expected.because) {
            let found: Vec<String> = of_session
                .iter()
                .map(|it| format!("{} by {} ({})", it.reason.because(), it.rule, it.detail))
                .collect();
            let found = if found.is_empty() { "not spared".to_owned() } else { found.join(", ") };
            let (sid, because) = (expected.key.sid, &expected.because);
            failures.push(format!("session {sid} should be spared because {because}: {found}"));
        }
    }
    failures
}

/// Which rules stand still is compared exactly, where the test says anything about it.
fn judge_halted(tick: &TestTick, plan: &ApprovedPlan) -> Vec<String> {
    let Some(expected) = &tick.halted else { return Vec::new() };
    let expected: BTreeSet<(&str, &str)> =
        expected.iter().map(|it| (it.rule.as_str(), it.because.as_str())).collect();
    let found: BTreeSet<(&str, &str)> =
        plan.halted().iter().map(|it| (&*it.rule, it.reason.because())).collect();
    let missing = expected.difference(&found).map(|(rule, because)| {
        format!("rule {rule} should stand still because {because}, and does not")
    });
    let unexpected = found.difference(&expected).map(|(rule, because)| {
        format!("rule {rule} stands still because {because}, which is not expected")
    });
    missing.chain(unexpected).collect()
}

fn same(wanted: TestKey, key: SessionKey) -> bool {
    (wanted.sid, wanted.inst_id) == (key.sid, key.inst_id)
        && wanted.serial.is_none_or(|serial| serial == key.serial)
}
fn is(expected: &ExpectedEnd, end: &End) -> bool {
    same(expected.key, end.life.key)
        && expected.rule.as_deref().is_none_or(|rule| *end.rule == *rule)
        && expected.action.as_deref().is_none_or(|action| action == end.action.first_text())
}

fn unexpected(end: &End) -> String {
    let reasons: Vec<String> = end
        .reasons
        .iter()
        .map(|it| format!("{} {} (observed {})", it.field, it.test, it.observed))
        .collect();
    format!(
        "session {} was ended by {} ({}), which is not expected: {}",
        end.life.key,
        end.rule,
        end.action.first_text(),
        reasons.join(", ")
    )
}

/// Why an expected victim lives.
fn missing(
    expected: &ExpectedEnd,
    policies: &PolicySet,
    snapshot: &Snapshot,
    plan: &ApprovedPlan,
) -> String {
    let matches = |key: SessionKey| same(expected.key, key);
    let rule_wanted = |rule: &str| expected.rule.as_deref().is_none_or(|wanted| wanted == rule);
    let mut why = Vec::new();
    let ended = plan.ends().iter().filter(|it| matches(it.life.key));
    why.extend(ended.map(|it| format!("ended by {} with {}", it.rule, it.action.first_text())));
    let spared = plan.spared().iter().filter(|it| matches(it.life.key) && rule_wanted(&it.rule));
    why.extend(spared.map(|it| {
        format!("{} spares it because {} ({})", it.rule, it.reason.because(), it.detail)
    }));
    let halted = plan.halted().iter().filter(|it| rule_wanted(&it.rule));
    why.extend(
        halted.map(|it| format!("{} stands still because {}", it.rule, it.reason.because())),
    );
    if why.is_empty() {
        why = unmatched(expected, policies, snapshot);
    }
    let by = expected.rule.as_ref().map_or_else(String::new, |rule| format!(" by {rule}"));
    format!("session {} should be ended{by}, and is not: {}", expected.key.sid, why.join("; "))
}

/// The tests that do not hold of it, rule by rule.
fn unmatched(expected: &ExpectedEnd, policies: &PolicySet, snapshot: &Snapshot) -> Vec<String> {
    let facts = Facts::new(snapshot);
    let session = snapshot.sessions.iter().find(|session| same(expected.key, session.key()));
    let Some(session) = session else { return vec!["there is no such session".to_owned()] };
    let wanted = |name: &str| expected.rule.as_deref().is_none_or(|rule| rule == name);
    let mut why = Vec::new();
    for rule in policies.rules.iter().filter(|rule| wanted(&rule.name)) {
        let failing = rule.condition.leaves().into_iter().filter_map(|leaf| {
            let value = facts.value(leaf.field, session.row());
            (leaf_truth(leaf, &facts, value) != Truth::True).then(|| {
                format!(
                    "{} {} (observed {})",
                    leaf.field.name(),
                    leaf.shown,
                    facts.show(leaf.field, value)
                )
            })
        });
        why.push(format!(
            "{} does not match: {}",
            rule.name,
            failing.collect::<Vec<_>>().join(", ")
        ));
    }
    why
}
