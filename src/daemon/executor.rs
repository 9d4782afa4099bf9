//! Step *act*: carries an approved plan out. Ends start in the plan's order, several at once where the killer can do
//! that, and each outcome is recorded on the calling thread as it comes. It may do less than the plan says, never
//! something else: it has no choices to make.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::Duration;

use super::killer::Killers;
use super::pace::Pace;
use super::recheck::Recheck;
use crate::engine::breaker::Fuses;
use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::policy::Action;
use crate::engine::report::{Acting, Failure, Outcome};
use crate::engine::session::Snapshot;
use crate::ports::AuditError;

/// Raised when the daemon leaves without waiting any longer: nobody is ended from then on.
#[derive(Debug, Clone, Default)]
pub struct Leaving(Arc<(Mutex<bool>, Condvar)>);

impl Leaving {
    /// Raises it, for good.
    pub fn raise(&self) {
        let (raised, changed) = &*self.0;
        *raised.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    fn is_raised(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until it is raised.
    pub fn wait(&self, within: Duration) {
        let (raised, changed) = &*self.0;
        let raised = raised.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits looks again, whatever woke it.
        drop(changed.wait_timeout_while(raised, within, |raised| !*raised));
    }
}

/// What a plan is carried out with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The newest snapshot at hand.
    pub seen: &'a Snapshot,
    /// Who ends sessions.
    pub killers: &'a Killers,
    /// Whether enforcing rules enforce at this tick.
    pub acting: Acting,
    /// Whether the daemon is about to leave.
    pub leaving: &'a Leaving,
    /// How many ends of all rules are started within a second, at most.
    pub per_second: Option<u64>,
    /// Whether the plan still stands.
    pub recheck: &'a Recheck<'a>,
}

impl Means<'_> {
    /// Whether an end goes to a killer that ends sessions.
    fn sends(&self, end: &End) -> bool {
        end.action != Action::Report
            && !self.acting.is_dry_run(end.mode)
            && !self.leaving.is_raised()
    }
}

/// Ends whom the plan names, and has each outcome recorded before another end takes its place. If that fails, nothing
/// more is started; what is under way is waited for. Every end has its outcome either way, and was recorded or refused.
pub fn execute(
    plan: &ApprovedPlan,
    means: Means<'_>,
    pace: &mut Pace,
    fuses: Fuses,
    record: impl FnMut(&End, Outcome) -> Result<(), AuditError>,
) -> (Vec<Outcome>, Result<(), AuditError>) {
    let (done, heard) = channel();
    let mut round = Round {
        plan,
        fuses,
        record,
        outcomes: vec![None; plan.ends().len()],
        under_way: 0,
        trouble: None,
    };
    thread::scope(|scope| {
        for (at, end) in plan.ends().iter().enumerate() {
            while round.trouble.is_none() && round.under_way >= means.killers.width() {
                round.hear(&heard);
            }
            while round.trouble.is_none() && means.sends(end) && pace.waits(end, means.per_second) {
                round.hear_what_is_there(&heard);
            }
            if round.trouble.is_some() {
                break;
            }
            let is_over = |now| round.fuses.stops(end) || means.recheck.stops(now).is_some();
            if means.sends(end) && is_over(pace.now()) {
                round.take(at, Outcome::Failed(Failure::NotTried));
                continue;
            }
            if means.sends(end) {
                pace.starts(end);
            }
            match start(scope, at, end, means, &done) {
                Some(outcome) => round.take(at, outcome),
                None => round.under_way += 1,
            }
        }
        while round.under_way > 0 {
            round.hear(&heard);
        }
    });
    round.result()
}

/// What one end came to, or the panic that it ended in.
type Done = (usize, thread::Result<Outcome>);

/// Starts an end on a thread of its own; what needs nobody else is done at once.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    at: usize,
    end: &'scope End,
    means: Means<'scope>,
    done: &Sender<Done>,
) -> Option<Outcome> {
    let killer = means.killers.of(end.mode, means.acting);
    match end.action {
        Action::Report => return Some(Outcome::Reported),
        Action::Ladder(_) if means.leaving.is_raised() => {
            return Some(Outcome::Failed(Failure::NotTried));
        }
        Action::Ladder(_) if means.acting.is_dry_run(end.mode) => {
            return Some(killer.end(end, means.seen));
        }
        Action::Ladder(_) => {}
    }
    let done = done.clone();
    scope.spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| killer.end(end, means.seen)));
        // The other side waits for every end that it started.
        done.send((at, outcome)).ok();
    });
    None
}

/// A plan on its way through the killers.
struct Round<'a, R> {
    plan: &'a ApprovedPlan,
    fuses: Fuses,
    record: R,
    outcomes: Vec<Option<Outcome>>,
    under_way: usize,
    trouble: Option<Trouble>,
}

/// Why nothing more is started.
enum Trouble {
    Unrecorded(AuditError),
    Panicked(Box<dyn std::any::Any + Send>),
}

impl<R: FnMut(&End, Outcome) -> Result<(), AuditError>> Round<'_, R> {
    /// Waits for an end that is under way.
    fn hear(&mut self, heard: &Receiver<Done>) {
        self.done(heard.recv().expect("a sender is kept, and every end sends once"));
    }

    /// Takes what came meanwhile.
    fn hear_what_is_there(&mut self, heard: &Receiver<Done>) {
        for done in heard.try_iter() {
            self.done(done);
        }
    }

    fn done(&mut self, (at, outcome): Done) {
        self.under_way -= 1;
        match outcome {
            Ok(outcome) => self.take(at, outcome),
            Err(panic) => {
                self.trouble.get_or_insert(Trouble::Panicked(panic));
            }
        }
    }

    fn take(&mut self, at: usize, outcome: Outcome) {
        self.outcomes[at] = Some(outcome);
        self.fuses.take(&self.plan.ends()[at], outcome);
        if let Err(error) = (self.record)(&self.plan.ends()[at], outcome) {
            self.trouble.get_or_insert(Trouble::Unrecorded(error));
        }
    }

    /// A panic is a bug, and the tick ends in it as it would without threads.
    fn result(mut self) -> (Vec<Outcome>, Result<(), AuditError>) {
        if let Some(Trouble::Panicked(panic)) = self.trouble {
            resume_unwind(panic)
        }
        for at in 0..self.outcomes.len() {
            if self.outcomes[at].is_none() {
                self.take(at, Outcome::Failed(Failure::NotTried));
            }
        }
        let recorded = match self.trouble {
            Some(Trouble::Unrecorded(error)) => Err(error),
            _ => Ok(()),
        };
        (self.outcomes.into_iter().flatten().collect(), recorded)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Barrier, Mutex};
    use std::time::Duration;

    use super::{Leaving, Means, execute};
    use crate::daemon::killer::Killers;
    use crate::daemon::pace::{Beat, Pace};
    use crate::daemon::recheck::Recheck;
    use crate::engine::breaker::Fuses;
    use crate::engine::guard::End;
    use crate::engine::policy::Mode;
    use crate::engine::report::{Acting, Failure, Outcome};
    use crate::engine::session::Snapshot;
    use crate::engine::witness::AGE_MAX;
    use crate::observe::fixture::{RuleSketch, plan_of, snapshot};
    use crate::ports::{AuditError, SessionKiller};

    const ENFORCE: RuleSketch = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };

    fn all_recorded((outcomes, recorded): (Vec<Outcome>, Result<(), AuditError>)) -> Vec<Outcome> {
        recorded.expect("recording succeeds");
        outcomes
    }

    /// What was seen at the beginning.
    fn fresh() -> Recheck<'static> {
        Recheck::new(Duration::ZERO, Duration::ZERO, None)
    }

    fn pace() -> Pace {
        Pace::new(Beat::of_machine(Leaving::default()))
    }

    /// Ends everybody, and remembers whom.
    #[derive(Clone, Default)]
    struct Remembering(Arc<Mutex<Vec<u32>>>);

    impl SessionKiller for Remembering {
        fn end(&self, end: &End, _seen: &Snapshot) -> Outcome {
            self.0.lock().expect("nobody panicked").push(end.life.key.sid);
            Outcome::Ended
        }
    }

    /// Ends nobody before so many are under way together, and answers by SID.
    struct Together(Barrier, usize);

    impl SessionKiller for Together {
        fn width(&self) -> usize {
            self.1
        }

        fn end(&self, end: &End, _seen: &Snapshot) -> Outcome {
            self.0.wait();
            match end.life.key.sid % 3 {
                0 => Outcome::Ended,
                1 => Outcome::Accepted,
                _ => Outcome::Changed,
            }
        }
    }

    /// Panics at SID 7; ends others once that has begun.
    struct Panicking(Barrier);

    impl SessionKiller for Panicking {
        fn width(&self) -> usize {
            2
        }

        fn end(&self, end: &End, _seen: &Snapshot) -> Outcome {
            self.0.wait();
            assert_ne!(end.life.key.sid, 7, "as the test wants");
            Outcome::Ended
        }
    }

    fn outcomes(rule: RuleSketch, acting: Acting, leaving: &Leaving) -> (Vec<Outcome>, Vec<u32>) {
        let seen = snapshot(&[(7, "APP"), (8, "APP"), (9, "SYS")]);
        let plan = plan_of(&[rule.build()], &seen);
        let killer = Remembering::default();
        let killers = &Killers::new(Some(Box::new(killer.clone())), Acting::AsRulesSay);
        let recheck = &fresh();
        let means = Means { seen: &seen, killers, acting, leaving, per_second: None, recheck };
        let outcomes = execute(&plan, means, &mut pace(), Fuses::default(), |_, _| Ok(()));
        let ended = killer.0.lock().expect("nobody panicked").clone();
        (all_recorded(outcomes), ended)
    }

    #[test]
    fn every_end_has_one_outcome_and_only_enforcing_rules_end() {
        let report = RuleSketch { report: true, ..ENFORCE };
        let still_here = Leaving::default();
        let leaving = Leaving::default();
        leaving.raise();
        let as_said = Acting::AsRulesSay;
        let not_tried = Outcome::Failed(Failure::NotTried);
        for (rule, acting, leaving, outcome, ended) in [
            (ENFORCE, as_said, &still_here, Outcome::Ended, vec![7, 8]),
            (ENFORCE, Acting::DryRun, &still_here, Outcome::Simulated, vec![]),
            (RuleSketch::default(), as_said, &still_here, Outcome::Simulated, vec![]),
            (report, as_said, &still_here, Outcome::Reported, vec![]),
            (ENFORCE, as_said, &leaving, not_tried, vec![]),
        ] {
            assert_eq!(outcomes(rule, acting, leaving), (vec![outcome; 2], ended), "{rule:?}");
        }
    }

    fn run(
        sids: &[u32],
        killer: impl SessionKiller + 'static,
        record: impl FnMut(&End, Outcome) -> Result<(), AuditError>,
    ) -> (Vec<Outcome>, Result<(), AuditError>) {
        let rows: Vec<(u32, &str)> = sids.iter().map(|sid| (*sid, "APP")).collect();
        let seen = snapshot(&rows);
        let plan = plan_of(&[ENFORCE.build()], &seen);
        let acting = Acting::AsRulesSay;
        let killers = &Killers::new(Some(Box::new(killer)), acting);
        let leaving = &Leaving::default();
        let recheck = &fresh();
        let means = Means { seen: &seen, killers, acting, leaving, per_second: None, recheck };
        execute(&plan, means, &mut pace(), Fuses::default(), record)
    }

    #[test]
    fn as_many_are_under_way_as_the_killer_takes_and_outcomes_stand_in_the_plans_order() {
        let mut recorded = Vec::new();
        let killer = Together(Barrier::new(3), 3);
        let outcomes = run(&[1, 2, 3, 4, 5, 6], killer, |end, outcome| {
            recorded.push((end.life.key.sid, outcome));
            Ok(())
        });
        let expected = [Outcome::Accepted, Outcome::Changed, Outcome::Ended].repeat(2);
        assert_eq!(all_recorded(outcomes), expected);
        recorded.sort_by_key(|(sid, _)| *sid);
        let by_sid: Vec<(u32, Outcome)> = (1..).zip(expected).collect();
        assert_eq!(recorded, by_sid);
    }

    #[test]
    fn an_outcome_that_cannot_be_recorded_is_the_last() {
        let killer = Remembering::default();
        let (outcomes, recorded) = run(&[7, 8], killer.clone(), |_, _| Err(AuditError::Broken));
        assert!(matches!(recorded, Err(AuditError::Broken)));
        assert_eq!(outcomes, [Outcome::Ended, Outcome::Failed(Failure::NotTried)]);
        assert_eq!(*killer.0.lock().expect("nobody panicked"), [7]);
    }

    #[test]
    fn what_is_under_way_when_recording_fails_is_waited_for_and_nothing_follows() {
        let mut told = Vec::new();
        let (outcomes, recorded) =
            run(&[1, 2, 3, 4], Together(Barrier::new(2), 2), |_, outcome| {
                told.push(outcome);
                Err(AuditError::Broken)
            });
        assert!(matches!(recorded, Err(AuditError::Broken)));
        let not_tried = Outcome::Failed(Failure::NotTried);
        assert_eq!(outcomes, [Outcome::Accepted, Outcome::Changed, not_tried, not_tried]);
        assert_eq!(told.len(), 4, "who writes down is told of all of them, and may keep them");
    }

    #[test]
    fn a_panic_of_a_killer_is_one_of_the_tick_and_others_are_recorded() {
        let mut recorded = Vec::new();
        let ran = catch_unwind(AssertUnwindSafe(|| {
            run(&[7, 8], Panicking(Barrier::new(2)), |end, _| {
                recorded.push(end.life.key.sid);
                Ok(())
            })
        }));
        assert!(ran.is_err());
        assert_eq!(recorded, [8]);
    }

    /// When each end started, in milliseconds, and how often somebody waited; who leaves does so at the second wait.
    fn starts(per_second: [Option<u64>; 2], leaves: bool) -> (Vec<u128>, Vec<Outcome>) {
        struct Clocked(Arc<Mutex<Duration>>, Arc<Mutex<Vec<u128>>>);
        impl SessionKiller for Clocked {
            fn end(&self, _end: &End, _seen: &Snapshot) -> Outcome {
                let now = self.0.lock().expect("nobody panicked").as_millis();
                self.1.lock().expect("nobody panicked").push(now);
                Outcome::Ended
            }
        }
        let (now, started) = (Arc::new(Mutex::new(Duration::ZERO)), Arc::default());
        let seen = snapshot(&[(7, "APP"), (8, "APP"), (9, "APP")]);
        let [of_rule, of_database] = per_second;
        let plan = plan_of(&[RuleSketch { per_second: of_rule, ..ENFORCE }.build()], &seen);
        let acting = Acting::AsRulesSay;
        let killer = Clocked(Arc::clone(&now), Arc::clone(&started));
        let killers = &Killers::new(Some(Box::new(killer)), acting);
        let leaving = Leaving::default();
        let (hand, told, gone) = (Arc::clone(&now), now, leaving.clone());
        let beat = Beat {
            now: Box::new(move || *told.lock().expect("nobody panicked")),
            wait: Box::new(move |within| {
                *hand.lock().expect("nobody panicked") += within;
                if leaves {
                    gone.raise();
                }
            }),
        };
        let per_second = of_database;
        let recheck = &fresh();
        let means = Means { seen: &seen, killers, acting, leaving: &leaving, per_second, recheck };
        let outcomes = execute(&plan, means, &mut Pace::new(beat), Fuses::default(), |_, _| Ok(()));
        let started = started.lock().expect("nobody panicked").clone();
        (started, all_recorded(outcomes))
    }

    #[test]
    fn ends_follow_each_other_no_faster_than_the_slower_of_rule_and_database() {
        for (per_second, expected) in [
            ([None, None], [0, 0, 0]),
            ([Some(4), None], [0, 250, 500]),
            ([None, Some(1)], [0, 1_000, 2_000]),
            ([Some(2), Some(10)], [0, 500, 1_000]),
        ] {
            let (started, outcomes) = starts(per_second, false);
            assert_eq!((started, outcomes), (expected.to_vec(), vec![Outcome::Ended; 3]));
        }
    }

    #[test]
    fn what_was_seen_too_long_ago_ends_nobody_and_is_rehearsed_all_the_same() {
        for (rule, outcome, ended) in [
            (ENFORCE, Outcome::Failed(Failure::NotTried), 1),
            (RuleSketch::default(), Outcome::Simulated, 0),
        ] {
            let seen = snapshot(&[(7, "APP"), (8, "APP"), (9, "APP")]);
            let plan = plan_of(&[rule.build()], &seen);
            let killer = Remembering::default();
            let acting = Acting::AsRulesSay;
            let killers = &Killers::new(Some(Box::new(killer.clone())), acting);
            let leaving = &Leaving::default();
            // An end takes as long as a plan may be old, and a moment.
            let (now, at) = (Arc::new(Mutex::new(Duration::ZERO)), Duration::from_millis(1));
            let told = Arc::clone(&now);
            let beat = Beat {
                now: Box::new(move || *told.lock().expect("nobody panicked")),
                wait: Box::new(|_| ()),
            };
            let recheck = &fresh();
            let means = Means { seen: &seen, killers, acting, leaving, per_second: None, recheck };
            let (outcomes, recorded) =
                execute(&plan, means, &mut Pace::new(beat), Fuses::default(), |_, _| {
                    *now.lock().expect("nobody panicked") += AGE_MAX.to_duration() + at;
                    Ok(())
                });
            assert!(recorded.is_ok());
            assert_eq!(outcomes[1..], [outcome; 2], "{rule:?}");
            assert_eq!(killer.0.lock().expect("nobody panicked").len(), ended);
        }
    }

    #[test]
    fn who_leaves_waits_no_longer_and_ends_nobody() {
        let (started, outcomes) = starts([Some(1), None], true);
        let not_tried = Outcome::Failed(Failure::NotTried);
        assert_eq!((started, outcomes), (vec![0], vec![Outcome::Ended, not_tried, not_tried]));
    }
}
