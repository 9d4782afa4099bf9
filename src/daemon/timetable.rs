//! When the rules are due on one database, and which due times went by. Pure but for its state: now is an argument,
//! and may jump. Nothing here starts a tick.

use std::sync::Arc;

use chrono_tz::Tz;

use crate::engine::policy::{PolicySet, Rule, RuleIdentity};
use crate::engine::report::Missed;
use crate::engine::time::{Span, Timestamp};

/// Due times counted one by one when many went by at once, as after a suspended night. Beyond it the count is a lower
/// bound: nobody needs it exactly, and a schedule of every second must not keep the loop busy.
pub const MISSED_COUNTED_MAX: u64 = 1_000;

/// A clock set back by no more than this is waited for, so that no due time fires twice; set back further, due times
/// are worked out anew, so that no rule stands still for hours.
pub const CLOCK_STEP_IGNORED: Span = Span::seconds(60);

/// The first due time of a rule after a moment: its schedule in production, a made-up one in tests.
pub type NextAfter = fn(&Rule, Timestamp) -> Option<Timestamp>;

/// The due times of all rules.
#[derive(Debug)]
pub struct Timetable {
    rows: Vec<Row>,
    next_after: NextAfter,
    /// The latest time seen since the clock was last set back.
    seen: Timestamp,
}

#[derive(Debug, Clone)]
struct Row {
    timing: Timing,
    next: Option<Timestamp>,
    missed: u64,
}

/// What must be the same before and after a reload for a due time to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Timing {
    rule: RuleIdentity,
    expression: String,
    timezone: Tz,
}

impl Timetable {
    /// Nothing is due yet.
    pub fn new(policies: &PolicySet, now: Timestamp, next_after: NextAfter) -> Self {
        let mut timetable = Self { rows: Vec::new(), next_after, seen: now };
        timetable.swap(policies, now);
        timetable
    }

    /// Goes on with other policies. Rules that stay as they are keep their due times and counts.
    pub fn swap(&mut self, policies: &PolicySet, now: Timestamp) {
        let row = |rule: &Rule| {
            let timing = Timing::of(rule);
            let kept = self.rows.iter().find(|row| row.timing == timing).cloned();
            kept.unwrap_or_else(|| Row { timing, next: self.next(rule, now), missed: 0 })
        };
        self.rows = policies.rules.iter().map(row).collect();
    }

    /// When the next rule is due.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.rows.iter().filter_map(|row| row.next).min()
    }

    /// Every rule with when it is due next.
    pub fn due_times(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.rows.iter().map(|row| (row.timing.rule.name.as_str(), row.next))
    }

    /// The rules that are due now, once each, however many of their due times went by; the others count as missed.
    pub fn take_due(&mut self, policies: &PolicySet, now: Timestamp) -> Vec<usize> {
        let due = self.pass(policies, now);
        for (at, times) in &due {
            self.rows[*at].missed += times - 1;
        }
        due.into_iter().map(|(at, _)| at).collect()
    }

    /// Lets every due time go by as missed; true when there was one.
    pub fn miss_due(&mut self, policies: &PolicySet, now: Timestamp) -> bool {
        let due = self.pass(policies, now);
        for (at, times) in &due {
            self.rows[*at].missed += times;
        }
        !due.is_empty()
    }

    /// What was missed since this was last asked.
    pub fn take_missed(&mut self) -> Vec<Missed> {
        let missed = self.rows.iter_mut().filter(|row| row.missed > 0);
        let take = |row: &mut Row| Missed {
            rule: Arc::from(row.timing.rule.name.as_str()),
            ticks: std::mem::take(&mut row.missed),
        };
        missed.map(take).collect()
    }

    /// Takes back what could not be told.
    pub fn give_back(&mut self, missed: &[Missed]) {
        for row in &mut self.rows {
            let told = missed.iter().find(|missed| *missed.rule == *row.timing.rule.name);
            row.missed += told.map_or(0, |missed| missed.ticks);
        }
    }

    /// Rules whose due time has come, with how many of them went by, moved on to the first one after `now`.
    fn pass(&mut self, policies: &PolicySet, now: Timestamp) -> Vec<(usize, u64)> {
        assert_eq!(self.rows.len(), policies.rules.len(), "the timetable is of these policies");
        if self.seen.since(now) > CLOCK_STEP_IGNORED {
            self.start_over(policies, now);
        }
        self.seen = self.seen.max(now);
        let mut due = Vec::new();
        for (at, rule) in policies.rules.iter().enumerate() {
            let Some(first) = self.rows[at].next.filter(|next| *next <= now) else { continue };
            due.push((at, self.count(rule, first, now)));
            self.rows[at].next = self.next(rule, now);
        }
        due
    }

    fn start_over(&mut self, policies: &PolicySet, now: Timestamp) {
        for (at, rule) in policies.rules.iter().enumerate() {
            self.rows[at].next = self.next(rule, now);
        }
        self.seen = now;
    }

    fn count(&self, rule: &Rule, first: Timestamp, now: Timestamp) -> u64 {
        let after = |time: &Timestamp| self.next(rule, *time).filter(|next| *next <= now);
        let counted = usize::try_from(MISSED_COUNTED_MAX).unwrap_or(usize::MAX);
        std::iter::successors(Some(first), after).take(counted).count() as u64
    }

    /// Never a moment that is not after `after`: a schedule that did that would keep the loop spinning.
    fn next(&self, rule: &Rule, after: Timestamp) -> Option<Timestamp> {
        (self.next_after)(rule, after).filter(|next| *next > after)
    }
}

impl Timing {
    fn of(rule: &Rule) -> Self {
        Self {
            rule: rule.identity.clone(),
            expression: rule.schedule.expression().to_owned(),
            timezone: rule.timezone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CLOCK_STEP_IGNORED, MISSED_COUNTED_MAX, Timetable};
    use crate::engine::policy::PolicySet;
    use crate::engine::time::{Span, Timestamp};
    use crate::observe::fixture::{NOON, RuleSketch, every_minute, policies};

    const NONE: [usize; 0] = [];

    fn at(seconds: i64) -> Timestamp {
        NOON.plus(Span::seconds(seconds))
    }

    fn one() -> (std::sync::Arc<PolicySet>, Timetable) {
        let policies = policies(&[RuleSketch::default()]);
        let timetable = Timetable::new(&policies, at(0), every_minute);
        (policies, timetable)
    }

    fn missed(timetable: &mut Timetable) -> Vec<(String, u64)> {
        let missed = timetable.take_missed();
        missed.iter().map(|missed| (missed.rule.to_string(), missed.ticks)).collect()
    }

    #[test]
    fn a_rule_is_due_once_at_its_time() {
        let (policies, mut timetable) = one();
        assert_eq!(timetable.take_due(&policies, at(59)), NONE);
        assert_eq!(timetable.take_due(&policies, at(60)), [0]);
        assert_eq!(timetable.take_due(&policies, at(60)), NONE);
        assert_eq!(timetable.earliest(), Some(at(120)));
        assert_eq!(missed(&mut timetable).len(), 0);
    }

    #[test]
    fn after_a_suspend_a_rule_fires_once_and_the_rest_counts_as_missed() {
        let (policies, mut timetable) = one();
        assert_eq!(timetable.take_due(&policies, at(630)), [0]);
        assert_eq!(missed(&mut timetable), [("rule".to_owned(), 9)]);
        assert_eq!(timetable.take_due(&policies, at(631)), NONE);
        assert_eq!(timetable.take_due(&policies, at(1_000_000)), [0]);
        assert_eq!(missed(&mut timetable), [("rule".to_owned(), MISSED_COUNTED_MAX - 1)]);
    }

    #[test]
    fn what_comes_due_while_a_tick_runs_is_missed_and_told_once() {
        let (policies, mut timetable) = one();
        assert!(!timetable.miss_due(&policies, at(1)));
        assert!(timetable.miss_due(&policies, at(60)));
        assert!(timetable.miss_due(&policies, at(180)));
        let told = timetable.take_missed();
        assert_eq!(told[0].ticks, 3);
        assert_eq!(missed(&mut timetable).len(), 0);
        timetable.give_back(&told);
        assert_eq!(missed(&mut timetable), [("rule".to_owned(), 3)]);
    }

    #[test]
    fn a_clock_set_back_a_little_fires_nothing_twice() {
        let (policies, mut timetable) = one();
        assert_eq!(timetable.take_due(&policies, at(60)), [0]);
        assert_eq!(timetable.take_due(&policies, at(59)), NONE);
        assert_eq!(timetable.take_due(&policies, at(60)), NONE);
        assert_eq!(timetable.take_due(&policies, at(120)), [0]);
    }

    #[test]
    fn a_clock_set_back_far_does_not_make_rules_wait() {
        let (policies, mut timetable) = one();
        assert_eq!(timetable.take_due(&policies, at(7_200)), [0]);
        assert_eq!(timetable.take_due(&policies, at(0)), NONE);
        assert_eq!(timetable.earliest(), Some(at(60)));
        assert_eq!(timetable.take_due(&policies, at(60)), [0]);
    }

    #[test]
    fn many_small_steps_back_are_one_far_one() {
        let (policies, mut timetable) = one();
        assert_eq!(timetable.take_due(&policies, at(600)), [0]);
        let step = CLOCK_STEP_IGNORED.0 / 1_000_000 / 2;
        for steps in 1..=3 {
            assert_eq!(timetable.take_due(&policies, at(600 - steps * step)), NONE);
        }
        assert!(timetable.earliest() < Some(at(600)));
    }

    #[test]
    fn a_reload_keeps_the_due_times_of_rules_that_stay() {
        let (_, mut timetable) = one();
        let other = RuleSketch { fingerprint: 2, ..RuleSketch::default() };
        let added = RuleSketch { name: "added", ..RuleSketch::default() };
        let same = policies(&[added, RuleSketch::default()]);
        timetable.swap(&same, at(90));
        assert_eq!(timetable.take_due(&same, at(90)), [1], "it was due at 60");
        let changed = policies(&[added, other]);
        timetable.swap(&changed, at(90));
        assert_eq!(timetable.earliest(), Some(at(120)));
    }
}
