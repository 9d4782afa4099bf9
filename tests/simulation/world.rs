//! The world of one seed: a cluster, its faults, the daemons' connections and audits, and what was done to whom.
//! Everything is a function of the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orawarden::engine::report::Outcome;
use orawarden::engine::session::SessionLife;
use orawarden::engine::time::Timestamp;
use rac_sim::cluster::fault::Fault;
use rac_sim::cluster::live::LogOn;
use rac_sim::cluster::session::SessionKey;
use rac_sim::cluster::spec::{InstanceSpec, Kind, Spec, Workload};
use rac_sim::cluster::{Cluster, SECOND};

use crate::locks::Locks;
use crate::mutation::Mutation;
use crate::order::Sent;
use crate::policy::{Policies, RuleSpec};
use crate::rng::Rng;
use crate::truth::Truth;

/// Everything that the daemons of one database share.
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) cluster: Cluster,
    pub(crate) locks: Locks,
    pub(crate) daemons: Vec<Daemon>,
    /// Statements on their way whose sender heard no more of them.
    pub(crate) flights: Vec<Sent>,
    /// Sessions of ours whose client is gone and whose server has not noticed, and until when.
    pub(crate) lingering: Vec<(SessionKey, i64)>,
    /// Sessions whose client was told that they may end others, by daemon.
    pub(crate) granted: BTreeMap<SessionKey, usize>,
    /// How far the clock that daemons are shown is ahead of the model's.
    pub(crate) jump: i64,
    /// When it was set, and by how much in all since the beginning.
    jumps: Vec<(i64, i64)>,
    pub(crate) read_only: bool,
    pub(crate) hold: Held,
    pub(crate) leadership: bool,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) violation: Option<String>,
    pub(crate) stats: Stats,
    pub(crate) depth: usize,
}

/// Who is held back by the file of holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Nobody,
    Everybody,
    Rule(usize),
    User(&'static str),
}

/// What happened, so that a run that did nothing is noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) ticks: u64,
    pub(crate) sent: u64,
    pub(crate) ended: u64,
    pub(crate) changed: u64,
    pub(crate) unknown: u64,
    pub(crate) flown: u64,
    pub(crate) simulated: u64,
    pub(crate) crashes: u64,
    pub(crate) nested: u64,
    pub(crate) partial: u64,
    pub(crate) reloads: u64,
    pub(crate) rungs: u64,
    pub(crate) elections: u64,
    pub(crate) held: u64,
    /// An idle session that served a call since it was judged, and is idle again for at least as long.
    pub(crate) idle_again: u64,
    /// Of everything that was sent and answered: two runs of one seed have the same.
    pub(crate) trace: u64,
}

/// One daemon: what its process holds, and what its disk does.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that happens to it apart from the others"
)]
pub(crate) struct Daemon {
    pub(crate) first: Option<SessionKey>,
    /// Whether the first session was granted the leader's lock when it asked last.
    pub(crate) leads: bool,
    /// It was told so before it decided.
    pub(crate) follows: bool,
    pub(crate) spares: Vec<SessionKey>,
    pub(crate) policies: Policies,
    pub(crate) dry_run: bool,
    pub(crate) audit: Audit,
    /// What it was shown last, and what of it was true.
    pub(crate) view: View,
    /// Since the process started.
    pub(crate) memory: Memory,
    pub(crate) tick: u64,
    pub(crate) busy: bool,
}

/// The audit file of a daemon: what of this tick is in it.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) intents: BTreeSet<(Arc<str>, SessionLife, usize)>,
    pub(crate) outcomes: BTreeSet<(Arc<str>, SessionLife)>,
    pub(crate) broken: bool,
    /// Whether all outcomes survive a crash of the machine.
    pub(crate) synced: bool,
}

/// What a tick saw.
#[derive(Debug, Default, Clone)]
pub(crate) struct View {
    pub(crate) at: i64,
    pub(crate) rows: BTreeMap<SessionKey, Truth>,
    pub(crate) missing: Vec<u32>,
    pub(crate) read_only: bool,
    pub(crate) held: Option<Held>,
    /// Sent in this tick, by rule and life.
    pub(crate) sent: Vec<(String, SessionKey)>,
    /// Ends in a row that failed in this tick, by rule.
    pub(crate) failures: BTreeMap<String, u64>,
}

impl View {
    pub(crate) fn came_to(&mut self, rule: &str, outcome: Outcome) {
        let failures = self.failures.entry(rule.to_owned()).or_default();
        match outcome {
            Outcome::Ended | Outcome::Accepted => *failures = 0,
            Outcome::Failed(_) | Outcome::Refused(_) | Outcome::Unknown => *failures += 1,
            _ => {}
        }
    }
}

/// What the checks remember of a process.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) specs: Arc<Vec<RuleSpec>>,
    /// Who was sent for, by rule, and when by the clock that was shown.
    pub(crate) ended: BTreeMap<String, BTreeMap<SessionLife, i64>>,
    pub(crate) held: BTreeMap<String, BTreeMap<(SessionKey, i64), i64>>,
    pub(crate) rungs: BTreeMap<(String, SessionLife), Vec<(usize, i64)>>,
    /// Sent for in an earlier tick and perhaps on its way, by rule.
    pub(crate) on_its_way: BTreeSet<(String, SessionKey)>,
    /// The rules that the tick under way is about.
    pub(crate) due: Vec<usize>,
    /// When it looked last, and by how much the clock had been set then.
    pub(crate) looked: Option<(i64, i64)>,
    /// The same of its first look.
    pub(crate) began: Option<(i64, i64)>,
    /// Ages since before this moment are not known: the clock was set after it, and the daemon can tell.
    pub(crate) set_after: Option<i64>,
    /// When an instance was seen last.
    pub(crate) instances: BTreeMap<u32, i64>,
}

fn workload(name: &str, user: &str, kind: Kind, sessions: u32) -> Workload {
    Workload {
        name: name.into(),
        kind,
        sessions,
        user: user.into(),
        machines: vec!["app1".into(), "app2".into(), "app3".into()],
        think_seconds: 20.0,
        call_seconds: 2.0,
        write_share: 0.3,
        hold_share: 0.3,
        undo_per_second: 30,
        table: "T".into(),
        reconnect_share: 0.02,
        ..Workload::default()
    }
}

/// A small cluster: few sessions, much going on.
fn spec(rng: &mut Rng) -> Spec {
    let instances = 1 + rng.below(3);
    let up = |number: u64| InstanceSpec {
        skew_millis: i64::try_from(number).expect("few") * 300,
        ..InstanceSpec::default()
    };
    let mut shop = workload("shop", "SHOP", Kind::Pool, 12);
    shop.modules = vec!["login".into(), "basket".into(), String::new()];
    shop.long_share = 0.1;
    let mut crm = workload("crm", "CRM", Kind::Pool, 8);
    (crm.think_seconds, crm.hot_rows) = (90.0, 2);
    let mut batch = workload("batch", "BATCH", Kind::Batch, 3);
    (batch.call_seconds, batch.think_seconds) = (60.0, 15.0);
    let parallel = workload("px", "BATCH", Kind::Parallel, 1);
    Spec {
        name: "SIMDB".into(),
        instances: (0..instances).map(up).collect(),
        workloads: vec![
            shop,
            crm,
            batch,
            parallel,
            workload("tool", "SYSTEM", Kind::Person, 2),
            workload("agent", "DBSNMP", Kind::Monitor, 1),
            workload("leak", "CRM", Kind::Leak, 3),
            workload("idle", "SHOP", Kind::IdleInTransaction, 2),
        ],
        ..Spec::default()
    }
}

impl World {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>) -> Self {
        let mut rng = Rng::new(seed);
        let cluster = Cluster::new(spec(&mut rng), rng.next());
        let count = 1 + rng.below(3);
        let leadership = count > 1 || rng.one_in(2);
        let policies = Policies::random(&mut rng);
        let daemon = |_| Daemon {
            first: None,
            leads: false,
            follows: false,
            spares: Vec::new(),
            policies: policies.clone(),
            dry_run: false,
            audit: Audit::default(),
            view: View::default(),
            memory: Memory::default(),
            tick: 0,
            busy: false,
        };
        let mut daemons: Vec<Daemon> = (0..count).map(daemon).collect();
        daemons[0].dry_run = rng.one_in(8);
        Self {
            rng,
            cluster,
            locks: Locks::default(),
            daemons,
            flights: Vec::new(),
            lingering: Vec::new(),
            granted: BTreeMap::new(),
            jump: 0,
            jumps: Vec::new(),
            read_only: false,
            hold: Held::Nobody,
            leadership,
            mutation,
            violation: None,
            stats: Stats::default(),
            depth: 0,
        }
    }

    /// The clock that daemons are shown.
    pub(crate) fn shown_now(&self) -> i64 {
        self.cluster.now() + self.jump
    }

    /// What that clock said at a moment.
    pub(crate) fn shown(&self, at: i64) -> i64 {
        let before = self.jumps.iter().rev().find(|(set, _)| *set <= at);
        at + before.map_or(0, |(_, jump)| *jump)
    }

    pub(crate) fn machine_now(&self) -> Timestamp {
        Timestamp(self.cluster.now())
    }

    /// The first thing that must never happen is what is told.
    pub(crate) fn violate(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Time goes on; what is under way arrives.
    pub(crate) fn advance(&mut self, micros: i64) {
        self.cluster.advance(micros);
        let now = self.cluster.now();
        let (due, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.flights).into_iter().partition(|it| it.arrives <= now);
        self.flights = left;
        for sent in due {
            self.stats.flown += 1;
            self.arrive(&sent);
        }
        let (gone, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lingering).into_iter().partition(|(_, until)| *until <= now);
        self.lingering = left;
        for (key, _) in gone {
            self.cluster.drop_connection(key);
        }
        let Self { granted, cluster, .. } = self;
        granted.retain(|key, _| cluster.session(*key).is_some());
    }

    /// A session of ours, on any instance that lets us in.
    pub(crate) fn log_on(&mut self) -> Option<SessionKey> {
        let count = self.cluster.instances().count() as u64;
        let inst_id = u32::try_from(1 + self.rng.below(count)).expect("few");
        let who = LogOn { user: "ORAWARDEN".into(), ..LogOn::default() };
        self.cluster.log_on(inst_id, who).ok()
    }

    /// A connection ends as its client sees it; its server may see that much later.
    pub(crate) fn hang_up(&mut self, key: SessionKey) {
        if self.rng.one_in(2) {
            let until = self.cluster.now() + self.up_to(120) * SECOND;
            self.lingering.push((key, until));
        } else {
            self.cluster.drop_connection(key);
        }
    }

    /// All of a daemon's connections, as when its process dies.
    pub(crate) fn hang_up_all(&mut self, daemon: usize) {
        let state = &mut self.daemons[daemon];
        let keys: Vec<_> = state.first.take().into_iter().chain(state.spares.drain(..)).collect();
        for key in keys {
            self.hang_up(key);
        }
    }

    /// The database's clock is set, by more than what passes for a difference between nodes, also when it is set twice.
    pub(crate) fn set_clock(&mut self) {
        let by = (1 + self.up_to(30)) * 120 * SECOND;
        self.jump += if self.rng.one_in(2) { by } else { -by };
        self.jumps.push((self.cluster.now(), self.jump));
    }

    pub(crate) fn up_to(&mut self, below: u64) -> i64 {
        i64::try_from(self.rng.below(below)).expect("small")
    }

    /// Something goes wrong, or right again.
    pub(crate) fn mishap(&mut self) {
        let count = self.cluster.instances().count() as u64;
        let instance = u32::try_from(1 + self.rng.below(count)).expect("few");
        let seconds = u32::try_from(5 + self.rng.below(100)).expect("small");
        let fault = match self.rng.below(12) {
            0 | 1 => Fault::Hide { instance, seconds },
            2 => Fault::Evict { instance, seconds },
            3 => Fault::Hang { instance, seconds },
            4 => Fault::Skew { instance, millis: self.up_to(4_000) - 2_000 },
            5 => Fault::LoseConnections { instance, share: 0.3 },
            6 => {
                let daemon = usize::try_from(self.rng.below(self.daemons.len() as u64));
                let key = self.daemons[daemon.expect("few")].first;
                if let Some(key) = key {
                    self.cluster.drop_connection(key);
                }
                return;
            }
            7 => {
                self.set_clock();
                return;
            }
            8 => {
                self.read_only = !self.read_only;
                return;
            }
            9 => Fault::LockStorm { workload: "crm".into(), clients: 4, seconds },
            _ => Fault::Lift,
        };
        self.cluster.inject(&fault);
    }

    pub(crate) fn trace(&mut self, what: u64) {
        self.stats.trace = self.stats.trace.rotate_left(7) ^ what.wrapping_mul(0x9e37_79b9);
    }
}
