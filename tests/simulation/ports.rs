//! The three ports over the world, and the daemon's process round them: it ticks, it is interrupted at every step, it
//! crashes and starts again.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use orawarden::config::holds::{Hold, Holds};
use orawarden::daemon::executor::Leaving;
use orawarden::daemon::killer::Killers;
use orawarden::daemon::manager::Pulse;
use orawarden::daemon::pace::{Beat, Pace};
use orawarden::daemon::recheck::Superseded;
use orawarden::daemon::shared_audit::SharedAudit;
use orawarden::daemon::tick::{Job, TickEnd, Worker, tick};
use orawarden::engine::guard::{ApprovedPlan, End};
use orawarden::engine::history::{CLOCK_TOLERANCE, History};
use orawarden::engine::needs::Needs;
use orawarden::engine::policy::{Action, Limits, Mode, PolicySet};
use orawarden::engine::pursuit::Verified;
use orawarden::engine::report::{Acting, Failure, Outcome, TickId};
use orawarden::engine::session::Snapshot;
use orawarden::engine::standing::Authority;
use orawarden::engine::time::{Span, Timestamp};
use orawarden::ports::{
    AuditError, AuditSink, SessionKiller, SessionSource, SourceError, TickStamp,
};
use rac_sim::cluster::SECOND;
use rac_sim::cluster::session::SessionKey;

use crate::checks::model_key;
use crate::mutation::Mutation;
use crate::order::Sent;
use crate::policy::Policies;
use crate::world::{Audit, Held, Memory, World};

/// Ticks of other daemons inside one of this: deeper nests say nothing new.
const DEPTH_MAX: usize = 2;

/// The process is killed here.
struct Crash;

/// All that one seed is made of.
pub(crate) struct Simulation {
    world: Mutex<World>,
    workers: Vec<Mutex<Option<Worker>>>,
    holds: PathBuf,
    _folder: tempfile::TempDir,
}

type Shared = Arc<Simulation>;

impl Simulation {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>) -> Shared {
        let folder = tempfile::tempdir().expect("a directory");
        let world = World::new(seed, mutation);
        let workers = world.daemons.iter().map(|_| Mutex::new(None)).collect();
        let holds = folder.path().join("holds.json");
        let simulation = Self { world: Mutex::new(world), workers, holds, _folder: folder };
        simulation.write_holds(Held::Nobody);
        Arc::new(simulation)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nobody panics while holding it")
    }

    fn write_holds(&self, held: Held) {
        let hold = |matched: Option<String>, rule: Option<String>| Hold {
            id: 0,
            matched,
            rule,
            database: None,
            since: "2026-03-02T10:00:00Z".to_owned(),
            until: None,
            author: "ada".to_owned(),
            reason: "patching".to_owned(),
        };
        let entry = match held {
            Held::Nobody => None,
            Held::Everybody => Some(hold(None, None)),
            Held::Rule(rule) => Some(hold(None, Some(format!("r{rule}")))),
            Held::User(user) => Some(hold(Some(format!("{{username: {user}}}")), None)),
        };
        let mut holds = Holds::default();
        if let Some(entry) = entry {
            holds.add(entry).expect("there is room");
        }
        std::fs::write(&self.holds, holds.encode()).expect("the directory is ours");
    }
}

/// One step: time passes, things go wrong, and daemons have their ticks.
pub(crate) fn step(shared: &Shared) {
    let count = {
        let mut world = shared.world();
        let seconds = match world.rng.below(20) {
            0 => 60 + world.up_to(600),
            1 => 0,
            _ => 1 + world.up_to(20),
        };
        world.advance(seconds * SECOND);
        if world.rng.one_in(12) {
            world.mishap();
        }
        world.daemons.len()
    };
    if shared.world().rng.one_in(30) {
        let held = shared.world().random_hold();
        shared.write_holds(held);
    }
    for daemon in 0..count {
        if !shared.world().rng.one_in(5) {
            run_tick(shared, daemon);
        }
    }
}

impl World {
    fn random_hold(&mut self) -> Held {
        self.hold = match self.rng.below(6) {
            0 => Held::Everybody,
            1 => Held::Rule(usize::try_from(self.rng.below(3)).expect("few")),
            2 => Held::User("SHOP"),
            _ => Held::Nobody,
        };
        self.stats.held += u64::from(self.hold != Held::Nobody);
        self.hold
    }

    /// What a daemon works with from now on.
    fn reload(&mut self, daemon: usize) {
        self.stats.reloads += 1;
        if self.rng.one_in(4) {
            // It does not load, and so nothing changes.
            let taken = crate::policy::compiled("version: 1\nrules: [{name: x, match: {}}]");
            if taken.is_ok() || self.is(Mutation::BadPolicyTaken) {
                let text = "version: 1\ndefaults: {mode: enforce, min_session_age: 0s}\nrules:\n  \
                            - {name: r0, match: {any_session: true}, action: kill, \
                            limits: {per_tick: unlimited, percent: unlimited}}\n";
                let set = crate::policy::compiled(text).expect("it is a policy");
                self.daemons[daemon].policies.set = Arc::new(set);
            }
            return;
        }
        let mut policies = Policies::random(&mut self.rng);
        if let Some(mutation) = self.mutation {
            policies.set = Arc::new(mutated(&policies.set, mutation));
        }
        self.daemons[daemon].policies = policies;
    }
}

/// The policies without what a mistaken planner or guard forgets of them.
fn mutated(set: &PolicySet, mutation: Mutation) -> PolicySet {
    let mut set = set.clone();
    if mutation == Mutation::ProtectForgotten {
        set.protections.clear();
    }
    for rule in &mut set.rules {
        match mutation {
            Mutation::DryRunRuleEnforces => rule.mode = Mode::Enforce,
            Mutation::KeepIgnored => rule.victims.keep = rule.victims.keep.min(1),
            Mutation::PerTickForgotten => rule.limits.per_tick = None,
            Mutation::PerHourForgotten => rule.limits.per_hour = None,
            Mutation::PercentForgotten => rule.limits.percent_thousandths = None,
            Mutation::UndoForgotten => rule.limits.max_undo_records = None,
            Mutation::UnlessForgotten => rule.unless.clear(),
            Mutation::HoldForgotten => rule.hold = Span::ZERO,
            Mutation::AgeForgotten => rule.min_session_age = Span::ZERO,
            Mutation::RungsAtOnce => {
                if let Action::Ladder(rungs) = &rule.action {
                    let mut rungs = rungs.to_vec();
                    for rung in &mut rungs {
                        rung.after = Span::ZERO;
                    }
                    rule.action = Action::Ladder(rungs.into());
                }
            }
            _ => {}
        }
    }
    set
}

/// One tick of one daemon, from its process's point of view.
fn run_tick(shared: &Shared, daemon: usize) {
    let (job, fresh) = {
        let mut world = shared.world();
        if world.daemons[daemon].busy || world.violation.is_some() {
            return;
        }
        world.daemons[daemon].busy = true;
        world.depth += 1;
        world.stats.ticks += 1;
        let number = world.daemons[daemon].tick;
        if number == 0 || world.rng.one_in(40) {
            world.reload(daemon);
        }
        world.daemons[daemon].tick += 1;
        world.daemons[daemon].audit.intents.clear();
        world.daemons[daemon].audit.outcomes.clear();
        world.daemons[daemon].audit.broken = false;
        // Until it has asked who leads.
        world.daemons[daemon].follows = true;
        world.remember_policies(daemon);
        (job(shared, &mut world, daemon), number == 0)
    };
    let due = job.due.clone();
    shared.world().daemons[daemon].view.sent.clear();
    let kept = shared.workers[daemon].lock().expect("nobody panics").take();
    let mut worker = kept.unwrap_or_else(|| worker(shared, daemon, &job));
    forget(&shared.world(), &mut worker);
    debug_assert!(!fresh || worker.history.timers_len() == 0);
    shared.world().daemons[daemon].memory.due = due;
    let end = catch_unwind(AssertUnwindSafe(|| tick(&mut worker, job)));
    let mut world = shared.world();
    world.depth -= 1;
    world.daemons[daemon].busy = false;
    match end {
        Ok(TickEnd::Done(report) | TickEnd::Unaudited(_, report)) => {
            world.check_report(daemon, &report);
            *shared.workers[daemon].lock().expect("nobody panics") = Some(worker);
        }
        Ok(TickEnd::Unseen(..)) => {
            *shared.workers[daemon].lock().expect("nobody panics") = Some(worker);
        }
        Err(panic) if panic.is::<Crash>() => {
            world.stats.crashes += 1;
            world.restart(daemon);
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            world.violate(format!("daemon {daemon} panicked: {text}"));
        }
    }
}

/// What a mistaken history does not keep.
fn forget(world: &World, worker: &mut Worker) {
    let hidden = world.cluster.shown_in_gv().count() < world.cluster.instances().count();
    if world.is(Mutation::PursuitsForgotten) {
        worker.history.retain(&PolicySet::default());
    }
    if hidden && world.is(Mutation::MissingForgotten) {
        worker.history = History::default();
    }
}

impl World {
    /// The process is gone; its successor knows nothing, and its audit begins anew.
    fn restart(&mut self, daemon: usize) {
        self.hang_up_all(daemon);
        self.daemons[daemon].memory = Memory::default();
        self.daemons[daemon].audit = Audit::default();
        self.daemons[daemon].tick = 0;
    }
}

fn job(shared: &Shared, world: &mut World, daemon: usize) -> Job {
    let policies = Arc::clone(&world.daemons[daemon].policies.set);
    let some = world.rng.one_in(6);
    let due = (0..policies.rules.len()).filter(|at| !some || at % 2 == 0).collect();
    let ignored = match world.hold {
        Held::User(_) => world.is(Mutation::SilenceIgnored),
        _ => world.is(Mutation::PauseIgnored),
    };
    Job {
        tick: TickId { run: Timestamp(1), number: world.daemons[daemon].tick },
        policies,
        due,
        missed: Vec::new(),
        limits: Limits::UNLIMITED,
        holds: (!ignored).then(|| Arc::from(shared.holds.as_path())),
        superseded: Superseded::default(),
    }
}

fn worker(shared: &Shared, daemon: usize, job: &Job) -> Worker {
    let port = || Port { shared: Arc::clone(shared), daemon };
    let rehearses = {
        let world = shared.world();
        world.daemons[daemon].dry_run && !world.is(Mutation::DryRunKills)
    };
    let acting = if rehearses { Acting::DryRun } else { Acting::AsRulesSay };
    let (clock, waits, reads) = (Arc::clone(shared), Arc::clone(shared), Arc::clone(shared));
    let now = move || {
        Duration::from_micros(u64::try_from(reads.world().cluster.now()).expect("after 1970"))
    };
    let wait = move |within: Duration| {
        waits.world().advance(i64::try_from(within.as_micros()).expect("short"));
    };
    Worker {
        database: "prod".to_owned(),
        source: Box::new(port()),
        killers: Killers::new(Some(Box::new(port())), acting),
        history: History::default(),
        policies: Arc::clone(&job.policies),
        audit: SharedAudit::new(Some(Box::new(port()))),
        leaving: Leaving::default(),
        pace: Pace::new(Beat { now: Box::new(now), wait: Box::new(wait) }),
        pulse: Pulse::default(),
        clock: Arc::new(move || clock.world().machine_now()),
    }
}

/// A daemon's way to the world: all three ports.
struct Port {
    shared: Shared,
    daemon: usize,
}

impl Port {
    /// Between any two steps of a tick: time passes, for a frozen process a lot of it; others act; the process dies.
    fn meanwhile(&self) {
        let nested = {
            let mut world = self.shared.world();
            let micros = match world.rng.below(60) {
                0 => (30 + world.up_to(600)) * SECOND,
                1..=4 => world.up_to(9_000_000),
                _ => world.up_to(60_000),
            };
            world.advance(micros);
            if world.rng.one_in(40) {
                world.mishap();
            }
            if world.rng.one_in(300) {
                drop(world);
                resume_unwind(Box::new(Crash));
            }
            let others = world.daemons.len() as u64;
            let nests = world.depth <= DEPTH_MAX && world.rng.one_in(8);
            nests.then(|| usize::try_from(world.rng.below(others)).expect("few"))
        };
        if let Some(other) = nested.filter(|other| *other != self.daemon) {
            self.shared.world().stats.nested += 1;
            run_tick(&self.shared, other);
        }
    }

    /// A further session that may end others, as `OracleKiller::further` gets it.
    fn further(&self) -> Option<SessionKey> {
        let daemon = self.daemon;
        if let Some(spare) = self.shared.world().daemons[daemon].spares.pop() {
            return Some(spare);
        }
        if self.shared.world().leadership && !self.shared.world().lead(daemon) {
            return None;
        }
        self.meanwhile();
        let lane = self.shared.world().log_on()?;
        if !self.shared.world().leadership {
            return Some(lane);
        }
        {
            let mut world = self.shared.world();
            let mutation = world.mutation;
            world.locks.join(lane, mutation);
        }
        self.meanwhile();
        let mut world = self.shared.world();
        if !world.lead(daemon) {
            world.hang_up(lane);
            return None;
        }
        if world.cluster.session(lane).is_some() {
            world.granted.insert(lane, daemon);
        }
        Some(lane)
    }

    fn lane(&self) -> Option<SessionKey> {
        if self.shared.world().rng.one_in(4) {
            return self.further();
        }
        let mut world = self.shared.world();
        if !world.leadership && world.daemons[self.daemon].first.is_none() {
            world.daemons[self.daemon].first = world.log_on();
        }
        let right = !world.leadership || world.daemons[self.daemon].leads;
        world.daemons[self.daemon].first.filter(|_| right || world.is(Mutation::RightNotRemembered))
    }
}

impl World {
    /// `OracleKiller::may_end`: the first session asks.
    fn lead(&mut self, daemon: usize) -> bool {
        let first = self.daemons[daemon].first;
        self.daemons[daemon].leads = false;
        let Some(first) = first.or_else(|| self.log_on()) else { return false };
        self.daemons[daemon].first = Some(first);
        let there = self.cluster.session(first).is_some_and(|it| it.doom.is_none());
        let Self { locks, cluster, mutation, .. } = self;
        let granted = there && locks.lead(cluster, first, *mutation);
        let heard = there && !self.rng.one_in(40);
        if !heard {
            self.daemons[daemon].first = None;
            self.hang_up(first);
        }
        if granted && heard {
            self.stats.elections += u64::from(self.granted.insert(first, daemon).is_none());
        }
        self.daemons[daemon].leads = granted && heard;
        granted && heard
    }

    /// Sends a block through a lane; the connection may be lost on the way.
    fn send(&mut self, daemon: usize, lane: SessionKey, end: &End) -> Outcome {
        let Some(verb) = end.verb() else { return Outcome::Reported };
        let view = &self.daemons[daemon].view;
        let sent = Sent {
            daemon,
            issuer: lane,
            witness: end.witness.clone(),
            verb,
            judged: view.rows.get(&model_key(end.life)).cloned(),
            own: self.own(daemon).into_iter().chain([lane]).collect(),
            arrives: 0,
        };
        let lost = self.rng.below(30);
        let answer = match lost {
            0 => None,
            1 => {
                let arrives = self.cluster.now() + self.up_to(90) * SECOND;
                self.lingering.push((lane, arrives + 1));
                self.flights.push(Sent { arrives, ..sent });
                self.let_go(daemon, lane);
                return Outcome::Unknown;
            }
            _ => self.arrive(&sent).filter(|_| lost != 2),
        };
        let Some(outcome) = answer else {
            self.let_go(daemon, lane);
            self.hang_up(lane);
            return Outcome::Unknown;
        };
        if self.daemons[daemon].first != Some(lane) {
            self.daemons[daemon].spares.push(lane);
        }
        outcome
    }

    /// The client knows no more of the session.
    fn let_go(&mut self, daemon: usize, lane: SessionKey) {
        let state = &mut self.daemons[daemon];
        state.first = state.first.filter(|first| *first != lane);
        state.spares.retain(|spare| *spare != lane);
    }
}

impl SessionSource for Port {
    fn observe(&mut self, _needs: &Needs) -> Result<Snapshot, SourceError> {
        let began = self.shared.world().cluster.now();
        self.meanwhile();
        let mut world = self.shared.world();
        if world.rng.one_in(25) {
            return Err(SourceError::Unavailable("ORA-03113".into()));
        }
        // The database may be asked its time after what took long, or have been asked before.
        let told = Span(world.cluster.now() - began);
        let asked = if world.rng.one_in(4) { Span::ZERO } else { told };
        if told > CLOCK_TOLERANCE && world.rng.one_in(2) {
            world.set_clock();
        }
        let mut seen = world.show(self.daemon);
        seen.told_within = Some((asked, told));
        let due = world.daemons[self.daemon].memory.due.clone();
        world.remember_matches(self.daemon, &due);
        Ok(seen)
    }
}

impl SessionKiller for Port {
    fn authority(&self) -> Authority {
        self.meanwhile();
        let mut world = self.shared.world();
        let leads = !world.leadership || world.lead(self.daemon);
        if !leads {
            let spares = std::mem::take(&mut world.daemons[self.daemon].spares);
            for spare in spares {
                world.hang_up(spare);
            }
        }
        world.daemons[self.daemon].follows = !leads;
        if leads || world.is(Mutation::FollowerEnds) {
            return Authority::Leads;
        }
        Authority::Follows("another daemon leads".into())
    }

    fn release(&self) {
        self.shared.world().hang_up_all(self.daemon);
    }

    fn end(&self, end: &End, _seen: &Snapshot) -> Outcome {
        self.meanwhile();
        self.shared.world().check_sent(self.daemon, end);
        let Some(lane) = self.lane() else {
            let lost = Outcome::Failed(Failure::Disconnected);
            self.shared.world().daemons[self.daemon].view.came_to(&end.rule, lost);
            return lost;
        };
        let outcome = {
            let mut world = self.shared.world();
            let outcome = world.send(self.daemon, lane, end);
            world.remember_sent(self.daemon, end, outcome);
            world.daemons[self.daemon].view.came_to(&end.rule, outcome);
            outcome
        };
        self.meanwhile();
        outcome
    }
}

impl Port {
    /// The disk is full now and then.
    fn disk(&self) -> Result<(), AuditError> {
        self.meanwhile();
        let mut world = self.shared.world();
        if world.rng.one_in(200) {
            world.daemons[self.daemon].audit.broken = true;
            if !world.is(Mutation::GoesOnAfterBrokenAudit) {
                return Err(AuditError::Broken);
            }
        }
        Ok(())
    }
}

impl AuditSink for Port {
    fn verified(
        &mut self,
        _stamp: TickStamp<'_>,
        _verified: &[Verified],
        _now: Timestamp,
    ) -> Result<(), AuditError> {
        self.disk()
    }

    fn intend(
        &mut self,
        _stamp: TickStamp<'_>,
        plan: &ApprovedPlan,
        _now: Timestamp,
    ) -> Result<(), AuditError> {
        self.disk()?;
        let mut world = self.shared.world();
        if !world.is(Mutation::AuditAfterKill) {
            let intents = plan.ends().iter().map(|end| (Arc::clone(&end.rule), end.life, end.rung));
            world.daemons[self.daemon].audit.intents.extend(intents);
        }
        Ok(())
    }

    fn outcome(
        &mut self,
        _stamp: TickStamp<'_>,
        end: &End,
        _outcome: Outcome,
        _now: Timestamp,
    ) -> Result<(), AuditError> {
        let written = self.disk();
        let mut world = self.shared.world();
        world.daemons[self.daemon].audit.synced = false;
        // A sink keeps what it cannot write now.
        if !world.is(Mutation::OutcomeNotWritten) {
            world.daemons[self.daemon].audit.outcomes.insert((Arc::clone(&end.rule), end.life));
        }
        written
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        self.disk()?;
        let mut world = self.shared.world();
        world.daemons[self.daemon].audit.synced = !world.is(Mutation::AuditNeverSynced);
        Ok(())
    }
}
