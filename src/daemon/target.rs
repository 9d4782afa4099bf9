//! One database as the loop sees it: when its rules are due, whether a tick runs, and what it works with in between.
//! Targets know nothing of each other.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::killer::Killers;
use super::manager::Pulse;
use super::recheck::Superseded;
use super::shared_audit::SharedAudit;
use super::tick::{Job, TickEnd, Worker, tick};
use super::timetable::Timetable;
use crate::engine::history::History;
use crate::engine::policy::Limits;
use crate::engine::policy::{PolicySet, Rule};
use crate::engine::report::{Acting, TickId};
use crate::engine::time::{Span, Timestamp};
use crate::ports::{SessionKiller, SessionSource};

/// A database that could not be looked at is looked at again after this, whether or not a rule is due then: with rules
/// of every hour it would be called unreachable for an hour after a moment's fault. A look of this kind begins only
/// where no rule is due for as long.
pub const TRY_AGAIN_AFTER: Span = Span::seconds(60);

/// A database as configured.
pub struct TargetSpec {
    /// Its name, unique in the daemon.
    pub name: String,
    /// Of everything that decides how it is reached. While it stays the same, a reload keeps the source and killer at
    /// work; when it changes, those of the new configuration take over.
    pub fingerprint: u64,
    /// Limits over all rules.
    pub limits: Limits,
    /// Looks at it. Making one must not reach for the database: a loader waits for nobody.
    pub source: Box<dyn SessionSource + Send>,
    /// Ends its sessions; without one, every rule is a dry run here.
    pub killer: Option<Box<dyn SessionKiller>>,
}

impl TargetSpec {
    /// A database on which nobody can be ended, such as a capture.
    pub fn dry_run(
        name: impl Into<String>,
        fingerprint: u64,
        source: Box<dyn SessionSource + Send>,
        limits: Limits,
    ) -> Self {
        Self { name: name.into(), fingerprint, limits, source, killer: None }
    }
}

/// A database under watch.
pub(super) struct Target {
    pub(super) timetable: Timetable,
    /// No longer configured; it goes when its tick comes back.
    pub(super) retired: bool,
    /// Whether it was said that this tick makes others miss their time.
    pub(super) overlap_said: bool,
    /// When the last look failed, if it did.
    failed_at: Option<Timestamp>,
    /// What runs has no rules: one that comes due meanwhile is begun when it is back, and has not missed its time.
    only_looks: bool,
    /// Here while no tick runs.
    worker: Option<Worker>,
    /// Takes over at the next tick.
    replacement: Option<(Box<dyn SessionSource + Send>, Killers)>,
    fingerprint: u64,
    limits: Limits,
    /// What its killers were set up for.
    acting: Acting,
    pulse: Pulse,
}

/// A tick that came back.
pub(super) struct Finished {
    pub(super) worker: Box<Worker>,
    pub(super) end: TickEnd,
}

impl Target {
    pub(super) fn new(
        worker: Worker,
        timetable: Timetable,
        fingerprint: u64,
        limits: Limits,
        acting: Acting,
    ) -> Self {
        let pulse = worker.pulse.clone();
        Self {
            timetable,
            retired: false,
            overlap_said: false,
            failed_at: None,
            only_looks: false,
            worker: Some(worker),
            replacement: None,
            fingerprint,
            limits,
            acting,
            pulse,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.worker.is_none()
    }

    /// Rules that come due now have to wait, and do not miss their time.
    pub(super) fn only_looks(&self) -> bool {
        self.is_running() && self.only_looks
    }

    /// A tick of it has hung, in spite of all deadlines.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.is_running() && self.pulse.is_overdue(now)
    }

    /// It is time to look again at what could not be looked at. A clock that was set makes it sooner, never later.
    pub(super) fn tries_again(&self, now: Timestamp) -> bool {
        let is_long_ago = |at: Timestamp| now.since(at).0.abs() >= TRY_AGAIN_AFTER.0;
        let next = self.timetable.earliest();
        self.failed_at.is_some_and(is_long_ago)
            && next.is_none_or(|next| next.since(now) >= TRY_AGAIN_AFTER)
    }

    /// Takes on a new configuration; what is remembered stays.
    pub(super) fn reconfigure(&mut self, spec: TargetSpec, acting: Acting) {
        self.retired = false;
        self.limits = spec.limits;
        if spec.fingerprint != self.fingerprint || acting != self.acting {
            self.acting = acting;
            self.fingerprint = spec.fingerprint;
            self.replacement = Some((spec.source, Killers::new(spec.killer, acting)));
        }
    }

    /// Lets go of the audit so far, which may be a file that others wait for. A tick that runs ends in it.
    pub(super) fn write_to(&mut self, audit: &SharedAudit) {
        if let Some(worker) = &mut self.worker {
            worker.audit = audit.clone();
        }
    }

    /// A tick of the rules in `due`, to be run on a thread that may block. Only while none runs.
    pub(super) fn begin(
        &mut self,
        tick_id: TickId,
        due: Vec<usize>,
        policies: &Arc<PolicySet>,
        audit: &SharedAudit,
        holds: Option<Arc<Path>>,
        superseded: Superseded,
    ) -> impl FnOnce() -> Finished + Send + use<> {
        let mut worker = self.worker.take().expect("ticks of one database never overlap");
        if let Some((source, killers)) = self.replacement.take() {
            worker.source = source;
            worker.killers = killers;
        }
        worker.audit = audit.clone();
        self.pulse.beat();
        self.overlap_said = false;
        self.only_looks = due.is_empty();
        let job = Job {
            tick: tick_id,
            policies: Arc::clone(policies),
            // A rule's timers break at its next tick if it missed one: a look without rules leaves that to be told.
            missed: if due.is_empty() { Vec::new() } else { self.timetable.take_missed() },
            due,
            limits: self.limits,
            holds,
            superseded,
        };
        move || {
            let end = tick(&mut worker, job);
            Finished { worker: Box::new(worker), end }
        }
    }

    /// Which rules' breakers are open and why; nothing while a tick runs, which will tell.
    pub(super) fn broken(&self, policies: &PolicySet) -> Vec<(String, String)> {
        let why = |rule: &Rule| {
            Some((rule.name.clone(), self.worker.as_ref()?.history.why_broken(rule)?))
        };
        policies.rules.iter().filter_map(why).collect()
    }

    /// Its tick is back; `failed_at` if it saw nothing.
    pub(super) fn come_back(&mut self, worker: Worker, failed_at: Option<Timestamp>) {
        self.worker = Some(worker);
        self.failed_at = failed_at;
    }

    /// What it knew, once it is retired and its last tick is back.
    pub(super) fn into_history(self) -> Option<History> {
        self.worker.map(|worker| worker.history)
    }
}
