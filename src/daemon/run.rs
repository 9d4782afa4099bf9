//! The loop: waits for one event at a time, starts ticks, takes their reports, and leaves when it is told to. Each
//! running tick has a thread; the loop itself never blocks, so a database that hangs delays no other.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::executor::Leaving;
use super::killer::Killers;
use super::reload::{Loaded, Loader, ReloadOutcome, load};
use super::shared_audit::SharedAudit;
use super::signals::{Signal, listen};
use super::target::{Finished, Target, TargetSpec};
use super::tick::{Clock, TickEnd, Worker};
use super::timetable::{NextAfter, Timetable};
use crate::engine::history::History;
use crate::engine::policy::PolicySet;
use crate::engine::report::Acting;
use crate::engine::time::Timestamp;
use crate::observe::audit::FileAudit;
use crate::observe::log::TickLog;
use crate::ports::{AuditError, AuditSink, SourceError};

/// The loop sleeps no longer than this, however far away the next due time is: the wall clock may have been set, and
/// a suspended machine's timers stand still.
pub const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How long running ticks may take to end once the daemon was told to stop. Longer than the 60 s that a plain KILL
/// SESSION may wait, shorter than the 90 s after which systemd stops being polite.
pub const LEAVE_WITHIN: Duration = Duration::from_secs(75);

/// Threads for blocking work: a tick for each database, as many again for databases that were taken out of the
/// configuration while they hung, and the loader.
const BLOCKING_THREADS_MAX: usize = 2 * super::reload::TARGETS_MAX + 1;

/// What a daemon is made of.
pub struct Setup {
    /// Loads policies and targets, at the start and at every reload.
    pub loader: Loader,
    /// Where the audit goes.
    pub audit: Audit,
    /// One tick of every rule on every database, then leave.
    pub once: bool,
    /// End nobody, whatever the rules say.
    pub dry_run: bool,
    /// Where ticks are told.
    pub log: TickLog,
}

/// Where the audit goes.
pub enum Audit {
    /// To this file.
    File(PathBuf),
    /// To something else.
    Sink(Box<dyn AuditSink + Send>),
    /// Nowhere: then nobody is ended, whatever the rules say.
    Nowhere,
}

/// Why the daemon left, other than being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The audit cannot be written, and without it nobody is ended (exit code 74).
    #[error("nobody is ended without an audit")]
    Audit(#[source] AuditError),
    /// The policies or the configuration did not load at the start: diagnostics, rendered (exit code 78).
    #[error("{0}")]
    Load(String),
    /// With `once`: these databases could not be looked at (exit code 69).
    #[error("could not look at {0}")]
    Unavailable(String),
    /// The system refused what the loop needs, or there is a bug in a tick (exit code 70).
    #[error("the daemon cannot go on: {0}")]
    Runtime(String),
}

/// Runs until it is told to stop.
pub fn run(setup: Setup) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("tick")
        .build()
        .map_err(|cause| RunError::Runtime(cause.to_string()))?;
    let (signals, listener) = listen().map_err(|cause| RunError::Runtime(cause.to_string()))?;
    let surroundings = Surroundings {
        clock: Arc::new(|| Timestamp::from(Utc::now())),
        next_after: |rule, after| rule.schedule.next_after(after),
        signals,
    };
    let left = runtime.block_on(async { Daemon::start(setup, surroundings)?.watch().await });
    listener.close();
    // Every tick was waited for; only what outlived the deadline for leaving is left behind.
    runtime.shutdown_background();
    left
}

/// What the loop takes from the outside, so that a test can make its own.
struct Surroundings {
    clock: Clock,
    next_after: NextAfter,
    signals: mpsc::Receiver<Signal>,
}

struct Daemon {
    surroundings: Surroundings,
    started: Timestamp,
    /// Away while it loads.
    loader: Option<Loader>,
    policies: Arc<PolicySet>,
    targets: BTreeMap<String, Target>,
    audit: SharedAudit,
    acting: Acting,
    ticks: JoinSet<(String, Finished)>,
    loads: JoinSet<(Loader, Result<Loaded, String>)>,
    /// Asked for while one was under way, which may have read the old files.
    reload_again: bool,
    phase: Phase,
    leaving: Leaving,
    log: TickLog,
    unseen: BTreeSet<String>,
    failure: Option<RunError>,
}

/// What the loop is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Starting ticks when they are due.
    Watching,
    /// Waiting for running ticks, for as long as they take.
    Finishing,
    /// Waiting for running ticks until then.
    Leaving(Instant),
}

/// Everything that can happen to the loop.
enum Event {
    /// Time to look for what is due.
    Due,
    /// A tick came back, or broke.
    Ticked(Result<(String, Finished), JoinError>),
    /// The operator asks for the files to be read again.
    Reload,
    /// They were read.
    Loaded(Result<(Loader, Result<Loaded, String>), JoinError>),
    /// The operator asks for an end.
    Stop,
    /// Running ticks had their time.
    GraceOver,
}

impl Daemon {
    fn start(setup: Setup, surroundings: Surroundings) -> Result<Self, RunError> {
        let Setup { loader, audit, once, dry_run, log } = setup;
        let loaded = load(&loader).map_err(RunError::Load)?;
        let sink = open(audit).map_err(RunError::Audit)?;
        let as_rules_say = sink.is_some() && !dry_run;
        let mut daemon = Self {
            started: (surroundings.clock)(),
            surroundings,
            loader: Some(loader),
            policies: Arc::default(),
            targets: BTreeMap::new(),
            audit: SharedAudit::new(sink),
            acting: if as_rules_say { Acting::AsRulesSay } else { Acting::DryRun },
            ticks: JoinSet::new(),
            loads: JoinSet::new(),
            reload_again: false,
            phase: Phase::Watching,
            leaving: Leaving::default(),
            log,
            unseen: BTreeSet::new(),
            failure: None,
        };
        daemon.swap(loaded);
        info!(
            rules = daemon.policies.rules.len(),
            databases = daemon.targets.len(),
            dry_run = daemon.acting == Acting::DryRun,
            "watching"
        );
        if once {
            daemon.begin_all();
            daemon.phase = Phase::Finishing;
        }
        Ok(daemon)
    }

    async fn watch(mut self) -> Result<(), RunError> {
        while self.phase == Phase::Watching || !self.ticks.is_empty() {
            let event = self.next_event().await;
            if self.handle(event).is_break() {
                break;
            }
        }
        // A tick that is still under way ends nobody from here on.
        self.leaving.raise();
        self.log.lost();
        info!("left");
        match self.failure {
            Some(failure) => Err(failure),
            None if self.phase == Phase::Finishing && !self.unseen.is_empty() => {
                Err(RunError::Unavailable(self.unseen.into_iter().collect::<Vec<_>>().join(", ")))
            }
            None => Ok(()),
        }
    }

    async fn next_event(&mut self) -> Event {
        let (wake, then) = match self.phase {
            Phase::Watching => (Instant::now() + self.until_due(), Event::Due),
            Phase::Finishing => (Instant::now() + LOOK_AGAIN_AFTER, Event::Due),
            Phase::Leaving(deadline) => (deadline, Event::GraceOver),
        };
        tokio::select! {
            biased;
            Some(signal) = self.surroundings.signals.recv() => match signal {
                Signal::Reload => Event::Reload,
                Signal::Stop => Event::Stop,
            },
            Some(ticked) = self.ticks.join_next() => Event::Ticked(ticked),
            Some(loaded) = self.loads.join_next() => Event::Loaded(loaded),
            () = tokio::time::sleep_until(wake) => then,
        }
    }

    fn handle(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Due => self.begin_due(),
            Event::Ticked(Ok((name, finished))) => self.take_back(&name, finished),
            Event::Loaded(Ok((loader, loaded))) => self.take_loaded(loader, loaded),
            Event::Ticked(Err(broken)) | Event::Loaded(Err(broken)) => {
                return self.give_up(&broken);
            }
            Event::Reload => self.reload(),
            Event::Stop => return self.stop(),
            Event::GraceOver => {
                warn!(databases = self.running(), "left without waiting for ticks any longer");
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    fn until_due(&self) -> Duration {
        let watched = self.targets.values().filter(|target| !target.retired);
        let earliest = watched.filter_map(|target| target.timetable.earliest()).min();
        let micros = earliest.map_or(i64::MAX, |due| due.since(self.now()).0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(LOOK_AGAIN_AFTER)
    }

    fn begin_due(&mut self) {
        if self.phase != Phase::Watching {
            return;
        }
        let now = self.now();
        for (name, target) in self.targets.iter_mut().filter(|(_, target)| !target.retired) {
            if !target.is_running() {
                let due = target.timetable.take_due(&self.policies, now);
                begin(&mut self.ticks, name, target, &self.policies, due, self.started);
            } else if target.timetable.miss_due(&self.policies, now) && !target.overlap_said {
                target.overlap_said = true;
                warn!(database = name, "a tick still runs, so due times are missed");
            }
        }
    }

    fn begin_all(&mut self) {
        for (name, target) in &mut self.targets {
            let due = (0..self.policies.rules.len()).collect();
            begin(&mut self.ticks, name, target, &self.policies, due, self.started);
        }
    }

    fn take_back(&mut self, name: &str, finished: Finished) {
        let Finished { worker, end } = finished;
        let target = self.targets.get_mut(name).expect("a target stays while its tick runs");
        target.come_back(worker);
        match end {
            TickEnd::Done(report) => {
                self.unseen.remove(name);
                self.log.tick(&report);
            }
            TickEnd::Unseen(cause, missed) => {
                target.timetable.give_back(&missed);
                self.unseen.insert(name.to_owned());
                could_not_look(name, &cause);
            }
            TickEnd::Unaudited(cause) => {
                error!(database = name, cause = chain(&cause), "nobody is ended: no audit");
                self.failure.get_or_insert(RunError::Audit(cause));
                self.begin_leaving();
            }
        }
        self.targets.retain(|_, target| !target.retired || target.is_running());
    }

    fn reload(&mut self) {
        if self.phase != Phase::Watching {
            return;
        }
        match self.loader.take() {
            None => self.reload_again = true,
            Some(loader) => {
                self.loads.spawn_blocking(move || {
                    let loaded = load(&loader);
                    (loader, loaded)
                });
            }
        }
    }

    fn take_loaded(&mut self, loader: Loader, loaded: Result<Loaded, String>) {
        self.loader = Some(loader);
        let outcome = match loaded {
            Ok(loaded) => {
                self.swap(loaded);
                ReloadOutcome::Swapped
            }
            Err(why) => ReloadOutcome::Kept(why),
        };
        let (rules, databases) = (self.policies.rules.len(), self.targets.len());
        match outcome {
            ReloadOutcome::Swapped => info!(rules, databases, "reloaded"),
            ReloadOutcome::Kept(why) => {
                error!(rules, databases, cause = why, "not reloaded: what was in force stays");
            }
        }
        if std::mem::take(&mut self.reload_again) {
            self.reload();
        }
    }

    fn swap(&mut self, loaded: Loaded) {
        let now = self.now();
        self.policies = Arc::new(loaded.policies);
        self.targets.values_mut().for_each(|target| target.retired = true);
        for spec in loaded.targets {
            match self.targets.get_mut(&spec.name) {
                Some(target) => target.reconfigure(spec, self.acting),
                None => self.admit(spec, now),
            }
        }
        self.targets.retain(|_, target| !target.retired || target.is_running());
        self.targets.values_mut().for_each(|target| target.timetable.swap(&self.policies, now));
    }

    fn admit(&mut self, spec: TargetSpec, now: Timestamp) {
        let TargetSpec { name, fingerprint, limits, source, killer } = spec;
        let worker = Worker {
            database: name.clone(),
            source,
            killers: Killers::new(killer, self.acting),
            history: History::default(),
            policies: Arc::clone(&self.policies),
            audit: self.audit.clone(),
            leaving: self.leaving.clone(),
            clock: Arc::clone(&self.surroundings.clock),
        };
        let timetable = Timetable::new(&self.policies, now, self.surroundings.next_after);
        let target = Target::new(worker, timetable, fingerprint, limits);
        self.targets.insert(name, target);
    }

    fn stop(&mut self) -> ControlFlow<()> {
        if let Phase::Leaving(_) = self.phase {
            warn!(databases = self.running(), "left at once, as told");
            return ControlFlow::Break(());
        }
        info!(databases = self.running(), "stopping when running ticks are done");
        self.begin_leaving();
        ControlFlow::Continue(())
    }

    fn begin_leaving(&mut self) {
        if !matches!(self.phase, Phase::Leaving(_)) {
            self.phase = Phase::Leaving(Instant::now() + LEAVE_WITHIN);
        }
    }

    /// A panic in a tick is a bug, and what the tick knew is gone: limits that counted on it no longer hold.
    fn give_up(&mut self, broken: &JoinError) -> ControlFlow<()> {
        error!(cause = chain(broken), "a bug: nobody is ended any more");
        self.failure.get_or_insert(RunError::Runtime(broken.to_string()));
        ControlFlow::Break(())
    }

    fn running(&self) -> String {
        let running = self.targets.iter().filter(|(_, target)| target.is_running());
        running.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn open(audit: Audit) -> Result<Option<Box<dyn AuditSink + Send>>, AuditError> {
    match audit {
        Audit::File(path) => Ok(Some(Box::new(FileAudit::open(path)?))),
        Audit::Sink(sink) => Ok(Some(sink)),
        Audit::Nowhere => Ok(None),
    }
}

fn begin(
    ticks: &mut JoinSet<(String, Finished)>,
    name: &str,
    target: &mut Target,
    policies: &Arc<PolicySet>,
    due: Vec<usize>,
    started: Timestamp,
) {
    if due.is_empty() {
        return;
    }
    let name = name.to_owned();
    let tick = target.begin(policies, due, started);
    ticks.spawn_blocking(move || (name, tick()));
}

fn could_not_look(database: &str, cause: &SourceError) {
    let text = chain(cause);
    match cause {
        // The next tick is the retry.
        SourceError::Unavailable(_) => warn!(database, cause = text, "could not look"),
        SourceError::Forbidden(_) | SourceError::Unusable(_) => {
            error!(database, cause = text, "could not look");
        }
    }
}

/// The error and what caused it, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
