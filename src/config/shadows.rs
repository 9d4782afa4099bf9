//! Rules that can never have a session to themselves, because an earlier rule claims all that they match.

use super::diagnostic::{Code, Sink};
use super::rules::CompiledRule;
use crate::engine::condition::Condition;
use crate::engine::policy::{Action, Mode, Rule, Verb};
use crate::engine::time::Span;

/// Beyond this many rules nobody reads the warnings, and comparing all pairs takes seconds.
const RULES_MAX: usize = 2_000;

/// Warns of each rule that is wholly shadowed by an earlier one.
pub(super) fn check_shadows(rules: &[CompiledRule], sink: &mut Sink) {
    for (at, later) in rules.iter().enumerate().take(RULES_MAX) {
        let Some(earlier) = rules[..at].iter().find(|earlier| shadows(earlier, later)) else {
            continue;
        };
        sink.enter(later.file);
        let message = format!(
            "`{}` never has a victim: `{}` comes first and claims every session that this rule matches",
            later.rule.name, earlier.rule.name
        );
        sink.warning(Code::ShadowedRule, &later.name_span, message)
            .help(format!("put it before `{}`, or tell the two apart", earlier.rule.name));
    }
}

/// Whether `earlier` claims whatever `later` selects. Only what is certain counts.
fn shadows(earlier: &CompiledRule, later: &CompiledRule) -> bool {
    let asks_less = earlier.conjuncts.iter().all(|part| {
        part.condition == Condition::AnySession
            || later.conjuncts.iter().any(|other| other.condition == part.condition)
    });
    asks_less && claims_always(&earlier.rule) && is_due_with(&earlier.rule, &later.rule)
}

/// Whether the rule claims each of its matches, whenever it is due.
fn claims_always(rule: &Rule) -> bool {
    // A `cancel_sql` leaves out sessions that run nothing.
    matches!(rule.action.first(), Some(verb) if verb != Verb::CancelSql)
        && rule.unless.is_empty()
        && rule.hold == Span::ZERO
        && rule.victims.is_everybody()
        && rule.only_during.is_empty()
        && rule.never_during.is_empty()
        && rule.only_when.is_empty()
        && rule.databases.is_empty()
}

/// Whether `earlier` is due whenever `later` is, with no less reach, and goes first.
fn is_due_with(earlier: &Rule, later: &Rule) -> bool {
    let same_times = earlier.schedule.expression() == later.schedule.expression()
        && earlier.timezone == later.timezone;
    let reaches =
        later.allow_protected.iter().all(|lifted| earlier.allow_protected.contains(lifted))
            && earlier.min_session_age <= later.min_session_age;
    let first = earlier.mode == Mode::Enforce || later.mode == Mode::DryRun;
    same_times && reaches && first && later.action != Action::Report
}
