//! The model: a RAC cluster with instances, sessions, transactions and locks, under a virtual clock.
//!
//! No IO, no threads, no clock of its own: [`Cluster::advance`] moves time, and the same seed gives the same history.
//! What is not an event costs nothing: an idle session is not looked at, undo and waits are functions of time.
//!
//! Clients of the model (pools, batch, people, jobs; see [`spec::Workload`]) log on, call and reconnect by themselves.
//! Clients behind the wire do so through the `live` part: [`Cluster::log_on`] to [`Cluster::acknowledge`]. Both have
//! sessions of the same kind, so both can be blocked, killed and cut.
//!
//! ```
//! use rac_sim::cluster::kill::{Answer, Manner, Order, Target};
//! use rac_sim::cluster::live::LogOn;
//! use rac_sim::cluster::spec::Spec;
//! use rac_sim::cluster::{Cluster, SECOND};
//!
//! let mut cluster = Cluster::new(Spec::oltp(), 42);
//! cluster.advance(60 * SECOND);
//! let warden = cluster.log_on(1, LogOn { user: "WARDEN".into(), ..LogOn::default() }).expect("there is room");
//! let idle = cluster.sessions().find(|one| one.username() == Some("SHOP") && one.call.is_none()).expect("most are");
//! let target = Target { sid: idle.key.sid, serial: idle.key.serial, inst_id: Some(idle.key.inst_id) };
//! let order = Order::Kill { manner: Manner::Immediate, timeout: None };
//! assert_eq!(cluster.order(warden, target, &order), Answer::Done);
//! ```

mod background;
mod behaviour;
mod birth;
mod error;
pub mod event;
pub mod fault;
pub mod history;
pub mod instance;
#[cfg(test)]
mod invariants;
pub mod kill;
pub mod live;
pub mod lock;
mod locking;
pub mod mode_lock;
mod parallel;
mod queue;
mod rng;
pub mod session;
pub mod spec;
pub mod statement;
mod sweep;
pub mod transaction;
mod undo;
pub mod view;
pub mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::conversation::{Death, Release};

use behaviour::{Seat, Work};
use history::{Entry, History, What};
use instance::{Instance, InstanceState};
use lock::Locks;
use queue::{Due, Queue};
use rng::Rng;
use session::{Session, SessionKey, User};
use spec::Spec;
use statement::SharedPool;

/// Time in microseconds: a moment since 1970 on a database's wall clock, or a duration.
pub type Micros = i64;

/// A second.
pub const SECOND: Micros = 1_000_000;

/// A cluster.
#[derive(Debug)]
pub struct Cluster {
    spec: Spec,
    now: Micros,
    rng: Rng,
    queue: Queue,
    instances: Vec<Instance>,
    locks: Locks,
    pool: SharedPool,
    objects: BTreeMap<Arc<str>, u32>,
    users: BTreeMap<Arc<str>, Arc<User>>,
    /// The backgrounds look at idle sessions because somebody set a limit.
    sweeps: bool,
    lock_names: BTreeMap<Arc<str>, u32>,
    works: Vec<Work>,
    seats: Vec<Seat>,
    obituaries: BTreeMap<SessionKey, Death>,
    no_slaves: Option<Micros>,
    next_audsid: u64,
    /// Coordinators and readers of GV$, with their slaves.
    slaves: BTreeMap<SessionKey, Vec<SessionKey>>,
    /// Sessions that are marked or killed, for whoever cleans up.
    dying: BTreeSet<SessionKey>,
    /// What happened.
    pub history: History,
}

impl Cluster {
    /// A cluster with its instances up and its clients logged on, as if it had run for a while.
    pub fn new(spec: Spec, seed: u64) -> Self {
        let now = spec.start_seconds * SECOND;
        let mut cluster = Self {
            now,
            rng: Rng::new(seed),
            queue: Queue::default(),
            instances: Vec::new(),
            locks: Locks::default(),
            pool: SharedPool::default(),
            objects: BTreeMap::new(),
            users: BTreeMap::new(),
            sweeps: false,
            lock_names: BTreeMap::new(),
            works: Vec::new(),
            seats: Vec::new(),
            obituaries: BTreeMap::new(),
            no_slaves: None,
            next_audsid: 10_000,
            slaves: BTreeMap::new(),
            dying: BTreeSet::new(),
            history: History::default(),
            spec,
        };
        cluster.make_instances();
        cluster.make_works();
        cluster.make_schedule();
        cluster.plan_sweep();
        cluster
    }

    /// What it was made of.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The release that it plays.
    pub const fn release(&self) -> Release {
        self.spec.release
    }

    /// The model's clock. An instance's own is [`Instance::clock`].
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// When something will happen next by itself.
    pub fn next_event(&self) -> Option<Micros> {
        self.queue.next_at()
    }

    /// Lets time go on.
    pub fn advance(&mut self, micros: Micros) {
        self.advance_to(self.now + micros.max(0));
    }

    /// Lets time go on until a moment.
    pub fn advance_to(&mut self, until: Micros) {
        while let Some((at, due)) = self.queue.pop_until(until) {
            self.now = self.now.max(at);
            self.happen(due);
        }
        self.now = self.now.max(until);
    }

    /// All instances, by INST_ID, also those that are down.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter()
    }

    /// An instance.
    pub fn instance(&self, inst_id: u32) -> Option<&Instance> {
        self.instances.get((inst_id as usize).checked_sub(1)?)
    }

    /// All sessions, by instance and SID.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.instances().flat_map(Instance::sessions)
    }

    /// The session of a key, as long as its row is there.
    pub fn session(&self, key: SessionKey) -> Option<&Session> {
        self.instance(key.inst_id)?.session(key.sid).filter(|session| session.key == key)
    }

    fn instance_mut(&mut self, inst_id: u32) -> Option<&mut Instance> {
        self.instances.get_mut((inst_id as usize).checked_sub(1)?)
    }

    /// The instance of a session that exists.
    fn home(&mut self, key: SessionKey) -> &mut Instance {
        self.instance_mut(key.inst_id).expect("a session's key names an instance")
    }

    fn session_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.instance_mut(key.inst_id)?.session_mut(key.sid).filter(|session| session.key == key)
    }

    fn is_open(&self, inst_id: u32) -> bool {
        self.instance(inst_id).is_some_and(|instance| instance.state == InstanceState::Open)
    }

    fn record(&mut self, what: What, session: SessionKey, detail: u64) {
        self.history.record(Entry { at: self.now, what, session, detail });
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Seat { seat, token } => self.seat_due(seat, token),
            Due::Notice(key) => self.notice(key),
            Due::Cancel { key, call } => self.cancel_due(key, call),
            Due::RolledBack(key) => self.rolled_back(key),
            Due::Sweep => self.sweep(),
            Due::Scheduled(place) => self.scheduled_due(place),
            Due::Chance(place) => self.chance_due(place),
            Due::Open(inst_id) => self.open(inst_id),
            Due::Close { inst_id, seconds } => self.close(inst_id, seconds),
            Due::Start(inst_id) => self.start(inst_id),
        }
    }
}
