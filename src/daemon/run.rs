//! The loop: waits for one event at a time, starts ticks, takes their reports, and leaves when it is told to. Each
//! running tick has a thread; the loop itself never blocks, so a database that hangs delays no other.

mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::executor::Leaving;
use super::killer::Killers;
use super::manager::{Listener, Manager, Notice, Pulse};
use super::memory::Memory;
use super::pace::{Beat, Pace};
use super::recheck::Superseded;
use super::reload::{
    Asked, AuditAt, Ended, LOADS_LEFT_BEHIND_MAX, LoadError, Loader, Loads, RELOAD_WITHIN, Ready,
};
use super::shared_audit::SharedAudit;
use super::signals::{Signal, listen};
use super::standing_news::StandingNews;
use super::target::{Finished, Target, TargetSpec};
use super::tick::{Clock, TickEnd, Worker};
use super::timetable::{NextAfter, Timetable};
use crate::engine::policy::PolicySet;
use crate::engine::report::{Acting, TickId, TickReport};
use crate::engine::text::with_causes;
use crate::engine::time::Timestamp;
use crate::observe::audit::recall::Recall;
use crate::observe::board::{Board, Stage, Told};
use crate::observe::log::{TickLog, say};
use crate::observe::notify::Hooks;
use crate::observe::notify::news::News;
use crate::ports::{AuditError, AuditSink, SourceError};

/// The loop sleeps no longer than this, however far away the next due time is: the wall clock may have been set, and
/// a suspended machine's timers stand still.
pub const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How long running ticks may take to end once the daemon was told to stop. Longer than the 60 s that a plain KILL
/// SESSION may wait, shorter than the 90 s after which systemd stops being polite.
pub const LEAVE_WITHIN: Duration = Duration::from_secs(75);

const NOT_RELOADED: &str = "the last reload failed, what was in force stays";

/// Threads for blocking work: a tick for each database, as many again for databases that were taken out of the
/// configuration while they hung, the loader, and loaders that were left behind.
const BLOCKING_THREADS_MAX: usize = 2 * super::reload::TARGETS_MAX + 1 + LOADS_LEFT_BEHIND_MAX;

/// What a daemon is made of.
pub struct Setup {
    /// Loads policies, targets and where the audit goes, at the start and at every reload.
    pub loader: Loader,
    /// Where the audit goes.
    pub audit: Audit,
    /// One tick of every rule on every database, then leave.
    pub once: bool,
    /// End nobody, whatever the rules say.
    pub dry_run: bool,
    /// Where ticks are told.
    pub log: TickLog,
    /// Tells the service manager, if there is one.
    pub manager: Option<Listener>,
    /// Where what is seen and done is shown, if anybody can look.
    pub board: Option<Board>,
}

/// Where the audit goes.
pub enum Audit {
    /// Where the loader says.
    AsLoaded,
    /// To this.
    Sink(Box<dyn AuditSink + Send>),
}

/// Why the daemon left, other than being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// With `once`: the audit cannot be written, and without it nobody is ended (exit code 74).
    #[error("nobody is ended without an audit")]
    Audit(#[source] AuditError),
    /// What was to be watched did not load at the start (exit code 65, 74 or 78, by what is wrong).
    #[error(transparent)]
    Load(LoadError),
    /// With `once`: these databases could not be looked at (exit code 69).
    #[error("could not look at {0}")]
    Unavailable(String),
    /// With `once`: told to leave before everything was done (exit code 69).
    #[error("told to leave before the tick was done{0}")]
    Unfinished(String),
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
    let left = runtime.block_on(Daemon::new(setup, surroundings).watch());
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
    loads: Loads,
    policies: Arc<PolicySet>,
    targets: BTreeMap<String, Target>,
    memory: Memory,
    holds: Option<Arc<Path>>,
    audit: SharedAudit,
    audit_at: AuditAt,
    once: bool,
    dry_run: bool,
    ticks: JoinSet<(String, Finished)>,
    /// Over all databases: what a tick is called must not come twice.
    ticks_begun: u64,
    phase: Phase,
    leaving: Leaving,
    log: TickLog,
    manager: Manager,
    board: Board,
    standing_news: StandingNews,
    /// Raised when what is in force is no more.
    superseded: Superseded,
    /// Somebody can ask whether the databases are reached.
    is_shown: bool,
    hooks: Hooks,
    news: News,
    unseen: BTreeSet<String>,
    /// Databases whose last tick could not be written down.
    unaudited: BTreeSet<String>,
    failure: Option<RunError>,
    /// What became of the last reload, when that is worth knowing.
    last_load: Option<&'static str>,
}

/// What the loop is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Loading for the first time.
    Loading,
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
    Loaded(Result<Ended, JoinError>),
    /// Reading them had its time.
    LoadOverdue,
    /// The operator asks for an end.
    Stop,
    /// Running ticks had their time.
    GraceOver,
}

impl Daemon {
    fn new(setup: Setup, surroundings: Surroundings) -> Self {
        let Setup { loader, audit, once, dry_run, log, manager, board } = setup;
        let (audit_at, sink) = match audit {
            Audit::AsLoaded => (AuditAt::Unsettled, None),
            Audit::Sink(sink) => (AuditAt::Given, Some(sink)),
        };
        let started = (surroundings.clock)();
        let is_shown = board.is_some();
        let board = board.unwrap_or_else(|| Board::new(started));
        Self {
            started,
            surroundings,
            loads: Loads::new(loader),
            policies: Arc::default(),
            targets: BTreeMap::new(),
            memory: Memory::default(),
            holds: None,
            audit: SharedAudit::new(sink),
            audit_at,
            once,
            dry_run,
            ticks: JoinSet::new(),
            ticks_begun: 0,
            phase: Phase::Loading,
            leaving: Leaving::default(),
            log,
            manager: Manager::new(manager),
            standing_news: StandingNews::default(),
            superseded: Superseded::default(),
            is_shown,
            hooks: Hooks::new(board.clone()),
            news: News::default(),
            board,
            unseen: BTreeSet::new(),
            unaudited: BTreeSet::new(),
            failure: None,
            last_load: None,
        }
    }

    async fn watch(mut self) -> Result<(), RunError> {
        if self.phase == Phase::Loading {
            say!(Loading);
            self.loads.ask(self.audit_at.clone(), None);
        }
        while matches!(self.phase, Phase::Loading | Phase::Watching) || !self.ticks.is_empty() {
            let event = self.next_event().await;
            if self.handle(event).is_break() {
                break;
            }
            self.tell_manager();
            self.board.turned(self.stage(), self.log.lines_lost());
        }
        // A tick that is still under way ends nobody from here on.
        self.leaving.raise();
        std::mem::replace(&mut self.hooks, Hooks::new(self.board.clone())).leave();
        self.log.lost();
        say!(Left);
        self.result()
    }

    fn result(self) -> Result<(), RunError> {
        let running = self.running();
        match self.failure {
            Some(failure) => Err(failure),
            None if !self.once => Ok(()),
            None if !running.is_empty() => Err(RunError::Unfinished(format!(": {running}"))),
            None if !self.unseen.is_empty() => {
                Err(RunError::Unavailable(self.unseen.into_iter().collect::<Vec<_>>().join(", ")))
            }
            // Nothing was loaded, so nothing was begun; or what was begun was cut short.
            None if self.targets.is_empty() || self.superseded.is_raised() => {
                Err(RunError::Unfinished(String::new()))
            }
            None => Ok(()),
        }
    }

    async fn next_event(&mut self) -> Event {
        let (wake, then) = self.next_wake();
        tokio::select! {
            biased;
            Some(signal) = self.surroundings.signals.recv() => match signal {
                Signal::Reload => Event::Reload,
                Signal::Stop => Event::Stop,
            },
            Some(ticked) = self.ticks.join_next() => Event::Ticked(ticked),
            Some(loaded) = self.loads.next() => Event::Loaded(loaded),
            () = tokio::time::sleep_until(wake) => then,
        }
    }

    /// What happens when nothing else does, and when.
    fn next_wake(&self) -> (Instant, Event) {
        let (wake, then) = match self.phase {
            Phase::Watching => (Instant::now() + self.until_due(), Event::Due),
            Phase::Loading | Phase::Finishing => (Instant::now() + LOOK_AGAIN_AFTER, Event::Due),
            Phase::Leaving(deadline) => return (deadline, Event::GraceOver),
        };
        let wake = self.manager.deadline().map_or(wake, |by| wake.min(Instant::from_std(by)));
        match self.loads.deadline() {
            Some(deadline) if deadline <= wake => (deadline, Event::LoadOverdue),
            _ => (wake, then),
        }
    }

    /// Ready, status and sign of life: each of these when it is news.
    fn tell_manager(&mut self) {
        if !self.manager.listens() {
            return;
        }
        let now = std::time::Instant::now();
        let gets_on = !self.targets.values().any(|target| target.is_overdue(now));
        let status = self.status();
        self.manager.turn(now, &status, gets_on);
    }

    fn stage(&self) -> Stage {
        match self.phase {
            Phase::Loading => Stage::Loading,
            Phase::Watching => Stage::Watching,
            Phase::Finishing | Phase::Leaving(_) => Stage::Leaving,
        }
    }

    /// Looks at databases that are new, so that whoever waits for the daemon to be ready, or asks whether they are
    /// reached, need not wait until a rule is due.
    fn look_first(&mut self, names: &BTreeSet<String>) {
        if self.manager.listens() || self.is_shown {
            for name in names {
                self.start(name.clone(), Vec::new());
            }
        }
    }

    fn handle(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Due => self.begin_due(),
            Event::Ticked(Ok((name, finished))) => self.take_back(&name, finished),
            Event::Loaded(Ok(ended)) => return self.take_loaded(ended),
            Event::Ticked(Err(broken)) | Event::Loaded(Err(broken)) => {
                return self.give_up(&broken);
            }
            Event::Reload => self.reload(),
            Event::LoadOverdue => self.leave_load_behind(),
            Event::Stop => return self.stop(),
            Event::GraceOver => {
                say!(LeftBehind, running = self.running());
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    fn until_due(&self) -> Duration {
        // What waits for a look to be back is woken by that.
        let is_awaited = |target: &&Target| !target.retired && !target.only_looks();
        let watched = self.targets.values().filter(is_awaited);
        let earliest = watched.filter_map(|target| target.timetable.earliest()).min();
        let until = earliest.map_or(LOOK_AGAIN_AFTER, |due| due.since(self.now()).to_duration());
        until.min(LOOK_AGAIN_AFTER)
    }

    fn begin_due(&mut self) {
        if self.phase != Phase::Watching {
            return;
        }
        let now = self.now();
        let mut due_now = Vec::new();
        for (name, target) in self.targets.iter_mut().filter(|(_, target)| !target.retired) {
            if !target.is_running() {
                let due = target.timetable.take_due(&self.policies, now);
                if !due.is_empty() || target.tries_again(now) {
                    due_now.push((name.clone(), due));
                }
            } else if target.only_looks() {
                // Its rules are begun when it is back.
            } else if target.timetable.miss_due(&self.policies, now) && !target.overlap_said {
                target.overlap_said = true;
                say!(Overlap, database = name.as_str());
            }
        }
        for (name, due) in due_now {
            self.start(name, due);
        }
    }

    fn begin_all(&mut self) {
        let names: Vec<String> = self.targets.keys().cloned().collect();
        for name in names {
            let every = 0..self.policies.rules.len();
            if !every.is_empty() {
                self.start(name, every.collect());
            }
        }
    }

    fn start(&mut self, name: String, due: Vec<usize>) {
        self.ticks_begun += 1;
        let tick_id = TickId { run: self.started, number: self.ticks_begun };
        let target = self.targets.get_mut(&name).expect("only what is watched is due");
        let (holds, until) = (self.holds.clone(), self.superseded.clone());
        let tick = target.begin(tick_id, due, &self.policies, &self.audit, holds, until);
        self.board.card(&name, |card| card.begun(target.timetable.due_times()));
        self.ticks.spawn_blocking(move || (name, tick()));
    }

    fn take_back(&mut self, name: &str, finished: Finished) {
        let Finished { worker, end } = finished;
        let failed_at = matches!(end, TickEnd::Unseen(..)).then(|| self.now());
        let target = self.targets.get_mut(name).expect("a target stays while its tick runs");
        target.come_back(*worker, failed_at);
        self.manager.looked(name);
        match end {
            TickEnd::Done(report) => {
                self.unseen.remove(name);
                if self.unaudited.remove(name) {
                    say!(AuditWorks, database = name);
                }
                self.show(&report, None);
            }
            TickEnd::Unseen(cause, missed) => {
                target.timetable.give_back(&missed);
                self.unseen.insert(name.to_owned());
                let why = with_causes(&cause);
                let news = self.news.not_seen(name, &why, (self.surroundings.clock)());
                self.hooks.tell(news.into_iter().collect());
                self.board.card(name, |card| card.not_seen(why));
                could_not_look(name, &cause);
            }
            TickEnd::Unaudited(cause, report) => {
                self.unseen.remove(name);
                self.unaudited.insert(name.to_owned());
                say!(AuditFailed, database = name, cause = with_causes(&cause));
                self.show(&report, Some(with_causes(&cause)));
                if self.once {
                    self.failure.get_or_insert(RunError::Audit(cause));
                }
            }
        }
        self.let_go();
    }

    fn show(&mut self, report: &TickReport, unaudited: Option<String>) {
        self.standing_news.tell(report, self.log.redact());
        self.log.tick(report);
        let now = self.now();
        let news = self.news.of_tick(report, unaudited.as_deref(), &self.policies, now);
        self.hooks.tell(news);
        self.board.ticked(&Told { report, unaudited }, now);
    }

    fn reload(&mut self) {
        if !matches!(self.phase, Phase::Loading | Phase::Watching) {
            say!(ReloadIgnored);
            return;
        }
        match self.loads.ask(self.audit_at.clone(), Some(Instant::now() + RELOAD_WITHIN)) {
            Asked::Begun => self.manager.tell(&[Notice::Reloading]),
            Asked::Again => say!(ReloadQueued),
            Asked::Refused => {
                self.manager.tell(&[Notice::Reloading]);
                self.manager.reloaded();
                let cause = "too many loads hang: only a restart helps";
                self.not_reloaded(cause, cause);
            }
        }
    }

    fn leave_load_behind(&mut self) {
        let again = self.loads.leave_behind();
        self.manager.reloaded();
        let seconds = RELOAD_WITHIN.as_secs();
        let cause = format!("loading takes more than {seconds} s; it is waited for no more");
        self.not_reloaded(&cause, &cause);
        if again {
            self.reload();
        }
    }

    /// Whoever is told, and is not here to read the log, hears the first line of it; files are quoted in the log only.
    fn not_reloaded(&mut self, cause: &str, in_short: &str) {
        self.last_load = Some(NOT_RELOADED);
        self.board.not_loaded();
        say!(
            NotReloaded,
            rules = self.policies.rules.len(),
            databases = self.targets.len(),
            hanging = self.loads.left_behind(),
            cause = cause
        );
        self.hooks.tell(vec![News::not_reloaded(in_short, self.now())]);
    }

    fn take_loaded(&mut self, ended: Ended) -> ControlFlow<()> {
        let Some(again) = self.loads.settle(&ended) else {
            say!(LoadUnused, hanging = self.loads.left_behind());
            return ControlFlow::Continue(());
        };
        let is_first = match self.phase {
            Phase::Loading => true,
            Phase::Watching => false,
            Phase::Finishing | Phase::Leaving(_) => return ControlFlow::Continue(()),
        };
        let mut new = BTreeSet::new();
        match ended.loaded {
            Ok(ready) => {
                self.last_load = None;
                new = self.swap(ready);
            }
            Err(why) if is_first => {
                self.failure = Some(RunError::Load(why));
                return ControlFlow::Break(());
            }
            Err(why) => self.not_reloaded(&with_causes(&why), &why.in_short()),
        }
        if is_first && self.once {
            self.phase = Phase::Finishing;
            self.begin_all();
        } else {
            self.phase = Phase::Watching;
            self.look_first(&new);
            if is_first {
                self.manager.await_looks(new, std::time::Instant::now());
            }
            if again {
                self.reload();
            } else if !is_first {
                self.manager.reloaded();
            }
        }
        ControlFlow::Continue(())
    }

    /// Answers which databases are new.
    fn swap(&mut self, ready: Ready) -> BTreeSet<String> {
        let now = self.now();
        let Ready { policies, targets, holds, hooks, audit, log } = ready;
        std::mem::take(&mut self.superseded).raise();
        if let Some(settings) = log {
            self.log.apply(settings);
        }
        self.hooks.replace(hooks);
        self.holds = holds.map(Arc::from);
        let mut recall = Recall::default();
        if let Some((at, audit, told)) = audit {
            (self.audit_at, self.audit, recall) = (at, audit, told);
            self.targets.values_mut().for_each(|target| target.write_to(&self.audit));
        }
        self.policies = Arc::new(policies);
        self.targets.values_mut().for_each(|target| target.retired = true);
        let (acting, mut new) = (self.acting(), BTreeSet::new());
        for spec in targets {
            if let Some(target) = self.targets.get_mut(&spec.name) {
                target.reconfigure(spec, acting);
            } else {
                new.insert(spec.name.clone());
                self.admit(spec, now, &recall);
            }
        }
        self.let_go();
        self.targets.values_mut().for_each(|target| target.timetable.swap(&self.policies, now));
        self.show_what_is_watched(now);
        let (rules, databases) = (self.policies.rules.len(), self.targets.len());
        // It says nothing of the rules' own modes: those are told with each decision.
        let all_dry_run = acting == Acting::DryRun;
        if self.phase == Phase::Loading {
            say!(Watching, rules = rules, databases = databases, all_dry_run = all_dry_run);
        } else {
            say!(Reloaded, rules = rules, databases = databases, all_dry_run = all_dry_run);
        }
        new
    }

    fn show_what_is_watched(&mut self, now: Timestamp) {
        let watched = || self.targets.iter().filter(|(_, target)| !target.retired);
        let names = watched().map(|(name, _)| name.as_str());
        self.board.loaded(&self.policies, names, self.acting() == Acting::DryRun, now);
        for (name, target) in watched() {
            self.board.card(name, |card| {
                card.next(target.timetable.due_times());
                card.broken(target.broken(&self.policies));
            });
        }
    }

    /// Without an audit nobody is ended, whatever the rules say.
    fn acting(&self) -> Acting {
        let is_audited = matches!(self.audit_at, AuditAt::Given | AuditAt::File(_));
        if is_audited && !self.dry_run { Acting::AsRulesSay } else { Acting::DryRun }
    }

    /// Lets go of databases that are no longer configured, but not of those where a tick still runs.
    fn let_go(&mut self) {
        let now = self.now();
        let is_done = |_: &String, target: &mut Target| target.retired && !target.is_running();
        for (name, target) in self.targets.extract_if(.., is_done) {
            self.standing_news.forget(&name);
            self.news.forget(&name);
            self.unseen.remove(&name);
            self.unaudited.remove(&name);
            if let Some(history) = target.into_history() {
                self.memory.keep(&name, history, now);
            }
        }
    }

    fn admit(&mut self, spec: TargetSpec, now: Timestamp, recall: &Recall) {
        let TargetSpec { name, fingerprint, limits, source, killer } = spec;
        let acting = self.acting();
        // Rules may have gone while the database was away.
        let mut history = self.memory.take(&name, now);
        history.retain(&self.policies);
        history.recall(&self.policies, &recall.of(&name));
        let worker = Worker {
            database: name.clone(),
            source,
            killers: Killers::new(killer, acting),
            history,
            policies: Arc::clone(&self.policies),
            audit: self.audit.clone(),
            leaving: self.leaving.clone(),
            pace: Pace::new(Beat::of_machine(self.leaving.clone())),
            pulse: Pulse::default(),
            clock: Arc::clone(&self.surroundings.clock),
        };
        let timetable = Timetable::new(&self.policies, now, self.surroundings.next_after);
        let target = Target::new(worker, timetable, fingerprint, limits, acting);
        self.targets.insert(name, target);
    }

    fn stop(&mut self) -> ControlFlow<()> {
        if let Phase::Leaving(_) = self.phase {
            say!(LeftAtOnce, running = self.running());
            return ControlFlow::Break(());
        }
        say!(Stopping, running = self.running());
        // Whoever stops it means now: what is under way is waited for, and nobody else is ended.
        self.superseded.raise();
        self.begin_leaving();
        ControlFlow::Continue(())
    }

    fn begin_leaving(&mut self) {
        if !matches!(self.phase, Phase::Leaving(_)) {
            self.manager.tell(&[Notice::Stopping]);
            self.phase = Phase::Leaving(Instant::now() + LEAVE_WITHIN);
        }
    }

    /// A panic in a tick is a bug, and what the tick knew is gone: limits that counted on it no longer hold.
    fn give_up(&mut self, broken: &JoinError) -> ControlFlow<()> {
        say!(Bug, cause = with_causes(broken));
        self.failure.get_or_insert(RunError::Runtime(broken.to_string()));
        ControlFlow::Break(())
    }

    fn running(&self) -> String {
        let running = self.targets.iter().filter(|(_, target)| target.is_running());
        running.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn could_not_look(database: &str, cause: &SourceError) {
    let text = with_causes(cause);
    match cause {
        // It is looked at again when a rule is due, or after a minute.
        SourceError::Unavailable(_) => say!(CouldNotLook, database = database, cause = text),
        SourceError::Refused(_) | SourceError::Forbidden(_) | SourceError::Unusable(_) => {
            say!(MayNotLook, database = database, cause = text);
        }
    }
}

#[cfg(test)]
mod tests;
