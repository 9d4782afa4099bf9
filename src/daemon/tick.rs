//! One tick of one database, from looking to remembering. It is a straight line, and it blocks: it runs on a thread
//! that may. When it is due, and what becomes of its report, is the loop's business.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::executor::{Leaving, Means, execute};
use super::holds;
use super::killer::Killers;
use super::manager::Pulse;
use super::pace::Pace;
use super::recheck::{Held, Recheck, Superseded};
use super::shared_audit::SharedAudit;
use crate::engine::decide::{Question, decide};
use crate::engine::guard::End;
use crate::engine::history::{ClockNews, History, Look};
use crate::engine::needs::Needs;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::Limits;
use crate::engine::policy::{PolicySet, Rule};
use crate::engine::report::{Acting, Failure, Missed, Outcome, Phases, TickId, TickReport};
use crate::engine::seen::Seen;
use crate::engine::session::Snapshot;
use crate::engine::standing::{Authority, Standing};
use crate::engine::time::{Span, Timestamp};
use crate::observe::log::say;
use crate::ports::{AuditError, AuditSink as _, SessionSource, SourceError, TickStamp};

/// Tells the time: the machine's in production, a made-up one in tests.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the ticks of one database work with. It moves to the thread of each tick and back, so nothing of it is shared.
/// Its parts can be named from outside, because a simulation runs [`tick`] itself, with a world and a clock of its own.
pub struct Worker {
    /// The database's name in the configuration.
    pub database: String,
    /// Looks at it.
    pub source: Box<dyn SessionSource + Send>,
    /// End its sessions, or rehearse that.
    pub killers: Killers,
    /// What earlier ticks left behind.
    pub history: History,
    /// The policies of the last tick: a change means that the history has to forget rules.
    pub policies: Arc<PolicySet>,
    /// Where what is decided and done is written down.
    pub audit: SharedAudit,
    /// Whether the daemon is about to leave.
    pub leaving: Leaving,
    /// How fast ends follow each other, and how long a tick takes.
    pub pace: Pace,
    /// Told of every step that ended.
    pub pulse: Pulse,
    /// The machine's clock.
    pub clock: Clock,
}

/// What one tick is to do.
#[derive(Debug)]
pub struct Job {
    /// Which tick.
    pub tick: TickId,
    /// The policies, whole.
    pub policies: Arc<PolicySet>,
    /// The numbers of the rules that are due, ascending.
    pub due: Vec<usize>,
    /// Due times that went by since the last report.
    pub missed: Vec<Missed>,
    /// The database's limits.
    pub limits: Limits,
    /// The file of holds; without one there are none.
    pub holds: Option<Arc<Path>>,
    /// Raised when other policies come into force.
    pub superseded: Superseded,
}

impl Job {
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.due.iter().map(|at| &self.policies.rules[*at])
    }
}

/// How a tick went.
#[derive(Debug)]
pub enum TickEnd {
    /// To its end.
    Done(Box<TickReport>),
    /// Nothing was seen, so nothing was decided. The missed due times are still to be told.
    Unseen(SourceError, Vec<Missed>),
    /// The audit failed: nobody was ended after that. The report is complete all the same.
    Unaudited(AuditError, Box<TickReport>),
}

/// Observe, decide, write down, act, remember.
pub fn tick(worker: &mut Worker, job: Job) -> TickEnd {
    if !Arc::ptr_eq(&worker.policies, &job.policies) {
        worker.history.retain(&job.policies);
        worker.policies = Arc::clone(&job.policies);
    }
    let start = worker.pace.now();
    let mut seen = match worker.source.observe(&needs(worker, &job)) {
        Ok(seen) => seen,
        Err(error) => return unseen(worker, job, error),
    };
    worker.pulse.beat();
    let looked = worker.pace.now();
    // Rules and records go by the name in the configuration, whatever a source calls itself.
    seen.database.clone_from(&worker.database);
    look_at_clock(worker, &mut seen, start);
    look_at_timers(worker, &job, &seen);
    let (held_at, read) = (time_of_holds(worker, &seen), worker.pace.now());
    let (standing, authority) = standing(worker, &job, &mut seen, held_at);
    let verified = worker.history.verify(&seen);
    let breakers = worker.history.look_at_breakers(&job.policies, &seen);
    let plan = decide(Question {
        policies: &job.policies,
        due: &job.due,
        snapshot: &seen,
        history: &worker.history,
        options: PlanOptions::default(),
        limits: job.limits,
        standing: &standing,
    });
    let decided = worker.pace.now();
    let summary = Seen::of(&seen, &plan);
    let mut report = TickReport {
        verified,
        breakers,
        missed: job.missed,
        authority,
        holds: standing.holds,
        due: job.due.iter().map(|at| Arc::from(job.policies.rules[*at].name.as_str())).collect(),
        ..TickReport::of(job.tick, plan, summary)
    };
    let database = worker.database.clone();
    let (at, holds) = (held_at, report.holds.as_slice());
    let held = job.holds.as_deref().map(|path| Held { path, database: &database, at, holds });
    let recheck = Recheck::new(start, read, held).until(&job.superseded);
    let (outcomes, audited) = act(worker, &report, &seen, job.limits.per_second, &recheck);
    report.outcomes = outcomes;
    let acted = worker.pace.now();
    let (look, decide) = (between(start, looked), between(looked, decided));
    report.phases = Phases { look, decide, act: between(decided, acted) };
    report.duration = between(start, acted);
    worker.history.record_done(&seen, &report.plan, &report.outcomes);
    let TickReport { plan, outcomes, duration, breakers, .. } = &mut report;
    breakers.extend(worker.history.settle(&job.policies, &seen, plan, outcomes, *duration));
    match audited {
        Ok(()) => TickEnd::Done(Box::new(report)),
        Err(error) => TickEnd::Unaudited(error, Box::new(report)),
    }
}

/// Nobody is ended because a clock was set. The machine's monotonic one never is.
fn look_at_clock(worker: &mut Worker, seen: &mut Snapshot, start: Duration) {
    if !worker.source.is_live() {
        return;
    }
    let (from, to) = seen.told_within.unwrap_or((Span::ZERO, between(start, worker.pace.now())));
    let start = Span::from(start);
    let look = Look { began: Span(start.0 + from.0), over: Span(start.0 + to.0) };
    let what = match worker.history.look_at_clock(seen, look) {
        None => return,
        Some(ClockNews::Set(by)) => {
            let way = if by.0 > 0 { "forward" } else { "back" };
            format!("the database's clock was set {way} by {}", Span(by.0.abs()))
        }
        Some(ClockNews::Unsure(within)) => format!(
            "the database told its time at some moment within {within}, so nobody knows whether its clock was set"
        ),
    };
    seen.warnings.push(format!("{what}: ages of what began before that are not known"));
}

fn unseen(worker: &mut Worker, job: Job, error: SourceError) -> TickEnd {
    job.rules().for_each(|rule| worker.history.not_seen(rule));
    TickEnd::Unseen(error, job.missed)
}

/// What was out of sight for too long is not known to have held.
fn look_at_timers(worker: &mut Worker, job: &Job, seen: &Snapshot) {
    for rule in job.rules() {
        let missed = job.missed.iter().any(|it| *it.rule == *rule.name);
        worker.history.break_timers(rule, missed, seen);
    }
}

fn between(from: Duration, to: Duration) -> Span {
    to.saturating_sub(from).into()
}

/// What rules and silences ask about. A silence that comes up meanwhile spares whom it cannot decide on.
fn needs(worker: &Worker, job: &Job) -> Needs {
    let needs = Needs::of(&job.policies, &job.due);
    let Some(path) = &job.holds else { return needs };
    let (holds, _) = holds::standing(path, &worker.database, (worker.clock)());
    needs.with_holds(&holds)
}

/// A hold is over when both clocks say so: one of them may have been set.
fn time_of_holds(worker: &Worker, seen: &Snapshot) -> Timestamp {
    let now = (worker.clock)();
    let there = seen.known_time().filter(|_| worker.source.is_live());
    there.map_or(now, |there| now.min(there))
}

/// What holds besides policies and sessions, and who leads if that was asked. A database that is not open for writing
/// is rehearsed on.
fn standing(
    worker: &Worker,
    job: &Job,
    seen: &mut Snapshot,
    now: Timestamp,
) -> (Standing, Option<Authority>) {
    let mut standing = Standing { acting: worker.killers.acting(), ..Standing::default() };
    if let Some(path) = &job.holds {
        let (holds, warning) = holds::standing(path, &worker.database, now);
        standing.holds = holds;
        seen.warnings.extend(warning);
    }
    if !job.policies.rules.iter().any(Rule::enforces) {
        worker.killers.release();
    }
    let is_due = job.due.iter().any(|at| job.policies.rules[*at].enforces());
    if standing.acting == Acting::DryRun || !is_due {
        return (standing, None);
    }
    if standing.rehearses_on(seen) {
        return (standing, None);
    }
    standing.authority = worker.killers.authority();
    let asked = standing.authority.clone();
    (standing, Some(asked))
}

/// The intent is on disk before anyone is ended; each outcome follows its end.
fn act(
    worker: &mut Worker,
    report: &TickReport,
    seen: &Snapshot,
    per_second: Option<u64>,
    recheck: &Recheck<'_>,
) -> (Vec<Outcome>, Result<(), AuditError>) {
    let TickReport { tick, plan, verified, acting, .. } = report;
    let stamp = TickStamp {
        tick: *tick,
        database: &worker.database,
        taken_at: plan.taken_at(),
        acting: *acting,
    };
    let Worker { killers, audit, leaving, pace, pulse, clock, history, policies, .. } = worker;
    let found = if verified.is_empty() { Ok(()) } else { audit.verified(stamp, verified, clock()) };
    if let Err(error) = found.and_then(|()| audit.intend(stamp, plan, clock())) {
        return (vec![Outcome::Failed(Failure::NotTried); plan.ends().len()], Err(error));
    }
    let means = Means { seen, killers, acting: *acting, leaving, per_second, recheck };
    let record = |end: &End, outcome| {
        pulse.beat();
        audit.outcome(stamp, end, outcome, clock())
    };
    let fuses = history.fuses(policies);
    let (outcomes, recorded) = execute(plan, means, pace, fuses, record);
    if let Some(why) = recheck.stopped() {
        say!(
            NotTried,
            database = stamp.database,
            tick = tracing::field::display(stamp.tick),
            detail = why
        );
    }
    let settled = match recorded {
        Ok(()) if !outcomes.is_empty() => audit.settle(),
        recorded => recorded,
    };
    (outcomes, settled)
}

#[cfg(test)]
mod tests;
