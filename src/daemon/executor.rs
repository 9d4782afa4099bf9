//! Step *act*: carries an approved plan out, end by end, in the plan's order. It may do less than the plan says, never
//! something else: it has no choices to make.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::killer::Killers;
use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::policy::Action;
use crate::engine::report::{Failure, Outcome};
use crate::engine::session::Snapshot;
use crate::ports::AuditError;

/// Raised when the daemon leaves without waiting any longer: nobody is ended from then on.
#[derive(Debug, Clone, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    /// Raises it, for good.
    pub fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Ends whom the plan names, and has each outcome recorded before the next end. If that fails, it stops.
pub fn execute(
    plan: &ApprovedPlan,
    seen: &Snapshot,
    killers: &mut Killers,
    leaving: &Leaving,
    mut record: impl FnMut(&End, Outcome) -> Result<(), AuditError>,
) -> Result<Vec<Outcome>, AuditError> {
    let mut outcomes = Vec::with_capacity(plan.ends().len());
    for end in plan.ends() {
        let outcome = match end.action {
            Action::Report => Outcome::Reported,
            Action::Ladder(_) if leaving.is_raised() => Outcome::Failed(Failure::NotTried),
            Action::Ladder(_) => killers.of(end.mode).end(end, seen),
        };
        record(end, outcome)?;
        outcomes.push(outcome);
    }
    assert_eq!(outcomes.len(), plan.ends().len(), "every end has exactly one outcome");
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Leaving, execute};
    use crate::daemon::killer::Killers;
    use crate::engine::guard::End;
    use crate::engine::policy::Mode;
    use crate::engine::report::{Acting, Failure, Outcome};
    use crate::engine::session::Snapshot;
    use crate::observe::fixture::{RuleSketch, plan_of, snapshot};
    use crate::ports::{AuditError, SessionKiller};

    /// Ends everybody, and remembers whom.
    #[derive(Clone, Default)]
    struct Remembering(Arc<Mutex<Vec<u32>>>);

    impl SessionKiller for Remembering {
        fn end(&mut self, end: &End, _seen: &Snapshot) -> Outcome {
            self.0.lock().expect("nobody panicked").push(end.life.key.sid);
            Outcome::Ended
        }
    }

    fn outcomes(rule: RuleSketch, acting: Acting, leaving: &Leaving) -> (Vec<Outcome>, Vec<u32>) {
        let seen = snapshot(&[(7, "APP"), (8, "APP"), (9, "SYS")]);
        let plan = plan_of(&[rule.build()], &seen);
        let killer = Remembering::default();
        let mut killers = Killers::new(Some(Box::new(killer.clone())), acting);
        let outcomes = execute(&plan, &seen, &mut killers, leaving, |_, _| Ok(()));
        let ended = killer.0.lock().expect("nobody panicked").clone();
        (outcomes.expect("recording succeeds"), ended)
    }

    #[test]
    fn every_end_has_one_outcome_and_only_enforcing_rules_end() {
        let enforce = RuleSketch { mode: Mode::Enforce, ..RuleSketch::default() };
        let report = RuleSketch { report: true, ..enforce };
        let still_here = Leaving::default();
        let leaving = Leaving::default();
        leaving.raise();
        let as_said = Acting::AsRulesSay;
        let not_tried = Outcome::Failed(Failure::NotTried);
        for (rule, acting, leaving, outcome, ended) in [
            (enforce, as_said, &still_here, Outcome::Ended, vec![7, 8]),
            (enforce, Acting::DryRun, &still_here, Outcome::Simulated, vec![]),
            (RuleSketch::default(), as_said, &still_here, Outcome::Simulated, vec![]),
            (report, as_said, &still_here, Outcome::Reported, vec![]),
            (enforce, as_said, &leaving, not_tried, vec![]),
        ] {
            assert_eq!(outcomes(rule, acting, leaving), (vec![outcome; 2], ended), "{rule:?}");
        }
    }

    #[test]
    fn an_outcome_that_cannot_be_recorded_is_the_last() {
        let rule = RuleSketch { mode: Mode::Enforce, ..RuleSketch::default() };
        let seen = snapshot(&[(7, "APP"), (8, "APP")]);
        let plan = plan_of(&[rule.build()], &seen);
        let killer = Remembering::default();
        let mut killers = Killers::new(Some(Box::new(killer.clone())), Acting::AsRulesSay);
        let full = |_: &End, _| Err(AuditError::Broken);
        let outcomes = execute(&plan, &seen, &mut killers, &Leaving::default(), full);
        assert!(matches!(outcomes, Err(AuditError::Broken)));
        assert_eq!(*killer.0.lock().expect("nobody panicked"), [7]);
    }
}
