//! What goes wrong: on demand, at set times and by chance.

use serde::Deserialize;

use super::event::EventId;
use super::history::What;
use super::instance::{Instance, InstanceState, Trouble};
use super::kill::Parting;
use super::queue::Due;
use super::rng::Rng;
use super::session::SessionKey;
use super::wait::Doing;
use super::{Cluster, Micros, SECOND};

/// Something goes wrong. `seconds` of 0 means until it is lifted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The instance dies, as if evicted; its sessions are cut. After `seconds` it starts again.
    Evict {
        /// INST_ID.
        instance: u32,
        /// How long it stays away.
        #[serde(default)]
        seconds: u32,
    },
    /// SHUTDOWN IMMEDIATE: ORA-01089 for a while, then gone.
    ShutDown {
        /// INST_ID.
        instance: u32,
        /// How long it stays away.
        #[serde(default)]
        seconds: u32,
    },
    /// The instance starts: for a while ORA-01033, then open.
    Start {
        /// INST_ID.
        instance: u32,
    },
    /// Nothing moves on the instance, and queries over GV$ wait for it.
    Hang {
        /// INST_ID.
        instance: u32,
        /// How long.
        #[serde(default)]
        seconds: u32,
    },
    /// GV$ answers without the instance, and without an error.
    Hide {
        /// INST_ID.
        instance: u32,
        /// How long.
        #[serde(default)]
        seconds: u32,
    },
    /// Every call takes this much longer.
    Slow {
        /// INST_ID.
        instance: u32,
        /// How much.
        millis: u32,
        /// How long.
        #[serde(default)]
        seconds: u32,
    },
    /// The instance's clock is ahead by so much.
    Skew {
        /// INST_ID.
        instance: u32,
        /// How much; negative is behind.
        millis: i64,
    },
    /// Calls of live clients fail with this error.
    Error {
        /// INST_ID.
        instance: u32,
        /// The number: 942 for ORA-00942.
        code: u32,
        /// How many calls.
        calls: u32,
    },
    /// Log-ons fail with this error.
    LogOnError {
        /// INST_ID.
        instance: u32,
        /// The number.
        code: u32,
        /// How many.
        log_ons: u32,
    },
    /// Queries over GV$ fail with ORA-12850.
    NoSlaves {
        /// How long.
        #[serde(default)]
        seconds: u32,
    },
    /// Only so many processes are left: the next clients get ORA-00020.
    FillProcesses {
        /// INST_ID.
        instance: u32,
        /// How many are left.
        leaving: u32,
        /// How long.
        #[serde(default)]
        seconds: u32,
    },
    /// The connections of this share of the clients break.
    LoseConnections {
        /// INST_ID.
        instance: u32,
        /// 0 to 1.
        share: f64,
    },
    /// The clients of a workload all want its hot rows, and one of them holds them.
    LockStorm {
        /// The workload's name.
        workload: String,
        /// How many clients.
        clients: u32,
        /// How long the root sleeps on it.
        seconds: u32,
    },
    /// The clients of a workload all run one statement and fight over mutexes in the shared pool.
    LatchStorm {
        /// The workload's name.
        workload: String,
        /// How many clients.
        clients: u32,
        /// How long their calls take.
        seconds: u32,
    },
    /// The archiver is stuck: whoever changes anything on the instance waits for LGWR, which is idle itself.
    ArchiverStuck {
        /// INST_ID.
        instance: u32,
        /// How long.
        seconds: u32,
    },
    /// More clients of a workload log on, within a minute.
    LogOnBurst {
        /// The workload's name.
        workload: String,
        /// How many.
        clients: u32,
    },
    /// One session's connection breaks.
    #[serde(skip)]
    LoseConnection(SessionKey),
    /// One session's call never ends.
    #[serde(skip)]
    HangCall(SessionKey),
    /// All of the faults that last are over.
    Lift,
}

/// A fault at a set time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// Seconds since the beginning.
    pub after_seconds: u64,
    /// Then again, so often.
    #[serde(default)]
    pub every_seconds: Option<u64>,
    /// What.
    pub fault: Fault,
}

/// Faults by chance: how often an hour each happens somewhere.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chances {
    /// A connection breaks.
    pub lost_connections: f64,
    /// A call never ends.
    pub hung_calls: f64,
    /// A client forgets its connection.
    pub leaks: f64,
    /// An instance is slow for a minute.
    pub slow_minutes: f64,
    /// GV$ misses an instance for a minute.
    pub hidden_minutes: f64,
    /// An instance hangs for half a minute.
    pub hangs: f64,
    /// An instance is evicted for ten minutes.
    pub evictions: f64,
    /// A call of a live client fails with one of the errors in `error_codes`.
    pub errors: f64,
    /// The errors.
    pub error_codes: Vec<u32>,
}

/// How long a shutdown takes.
const STOPPING: Micros = 15 * SECOND;
/// How long an instance takes from its start to OPEN.
const STARTING: Micros = 20 * SECOND;
const HOUR: f64 = 3_600.0;

/// The faults that happen by chance.
#[derive(Debug, Clone, Copy)]
enum Chance {
    LostConnection,
    HungCall,
    Leak,
    SlowMinute,
    HiddenMinute,
    Hang,
    Eviction,
    Error,
}

impl Chances {
    /// How often an hour each is to happen, by its name.
    pub(super) const fn rates(&self) -> [(&'static str, f64); 8] {
        [
            ("lost_connections", self.lost_connections),
            ("hung_calls", self.hung_calls),
            ("leaks", self.leaks),
            ("slow_minutes", self.slow_minutes),
            ("hidden_minutes", self.hidden_minutes),
            ("hangs", self.hangs),
            ("evictions", self.evictions),
            ("errors", self.errors),
        ]
    }

    /// Each with how often an hour it happens.
    fn all(&self) -> [(Chance, f64); 8] {
        [
            (Chance::LostConnection, self.lost_connections),
            (Chance::HungCall, self.hung_calls),
            (Chance::Leak, self.leaks),
            (Chance::SlowMinute, self.slow_minutes),
            (Chance::HiddenMinute, self.hidden_minutes),
            (Chance::Hang, self.hangs),
            (Chance::Eviction, self.evictions),
            (Chance::Error, self.errors),
        ]
    }
}

impl Cluster {
    pub(super) fn make_schedule(&mut self) {
        for (place, scheduled) in (0..).zip(&self.spec.schedule) {
            let after = i64::try_from(scheduled.after_seconds).unwrap_or(i64::MAX / SECOND / 2);
            self.queue.plan(self.now + after * SECOND, Due::Scheduled(place));
        }
        for place in 0..8 {
            self.plan_chance(place);
        }
    }

    fn plan_chance(&mut self, place: u32) {
        let (_, per_hour) = self.spec.chances.all()[place as usize];
        if per_hour > 0.0 {
            let delay = self.rng.exponential(1_000_000_000);
            let mean = HOUR / per_hour;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "hours in microseconds are far below 2^53"
            )]
            let delay = (delay as f64 / 1e9 * mean * 1e6) as Micros;
            self.queue.plan(self.now + delay.max(1), Due::Chance(place));
        }
    }

    pub(super) fn scheduled_due(&mut self, place: u32) {
        let scheduled = self.spec.schedule[place as usize].clone();
        if let Some(every) = scheduled.every_seconds {
            let every = i64::try_from(every.max(1)).unwrap_or(i64::MAX / SECOND / 2);
            self.queue.plan(self.now + every * SECOND, Due::Scheduled(place));
        }
        self.inject(&scheduled.fault);
    }

    pub(super) fn chance_due(&mut self, place: u32) {
        self.plan_chance(place);
        let mut rng = self.rng.fork();
        let instance =
            1 + u32::try_from(rng.index(self.instances.len().max(1))).expect("few instances");
        let session = self.any_client(instance, &mut rng);
        let fault = match (self.spec.chances.all()[place as usize].0, session) {
            (Chance::LostConnection, Some(key)) => Fault::LoseConnection(key),
            (Chance::HungCall, Some(key)) => Fault::HangCall(key),
            (Chance::Leak, Some(key)) => {
                self.forget_connection(key);
                return;
            }
            (Chance::SlowMinute, _) => Fault::Slow { instance, millis: 3_000, seconds: 60 },
            (Chance::HiddenMinute, _) => Fault::Hide { instance, seconds: 60 },
            (Chance::Hang, _) => Fault::Hang { instance, seconds: 30 },
            (Chance::Eviction, _) => Fault::Evict { instance, seconds: 600 },
            (Chance::Error, _) if !self.spec.chances.error_codes.is_empty() => {
                let codes = &self.spec.chances.error_codes;
                Fault::Error { instance, code: codes[rng.index(codes.len())], calls: 1 }
            }
            _ => return,
        };
        self.inject(&fault);
    }

    /// A session with a client, by chance.
    fn any_client(&self, inst_id: u32, rng: &mut Rng) -> Option<SessionKey> {
        let instance = self.instance(inst_id)?;
        let clients: Vec<SessionKey> = instance
            .sessions()
            .filter(|session| session.is_foreground())
            .map(|session| session.key)
            .collect();
        if clients.is_empty() { None } else { Some(clients[rng.index(clients.len())]) }
    }

    /// Something goes wrong, now.
    pub fn inject(&mut self, fault: &Fault) {
        let now = self.now;
        self.record(What::Fault, SessionKey { inst_id: 0, sid: 0, serial: 0 }, 0);
        match fault {
            Fault::Evict { instance, seconds } => self.go_down(*instance, *seconds, Parting::Cut),
            Fault::ShutDown { instance, seconds } => {
                if let Some(stopping) =
                    self.instance_mut(*instance).filter(|it| it.state == InstanceState::Open)
                {
                    stopping.state = InstanceState::Stopping;
                    self.queue
                        .plan(now + STOPPING, Due::Close { inst_id: *instance, seconds: *seconds });
                }
            }
            Fault::Start { instance } => self.start(*instance),
            Fault::NoSlaves { seconds } => self.no_slaves = Some(until(now, *seconds)),
            Fault::LoseConnections { instance, share } => self.lose_connections(*instance, *share),
            Fault::LockStorm { workload, clients, seconds } => {
                self.start_lock_storm(workload, *clients, *seconds);
            }
            Fault::LatchStorm { workload, clients, seconds } => {
                self.start_latch_storm(workload, *clients, *seconds);
            }
            Fault::LogOnBurst { workload, clients } => self.start_log_on_burst(workload, *clients),
            Fault::LoseConnection(key) => self.remove(*key, Some(Parting::Cut)),
            Fault::HangCall(key) => self.hang_call(*key),
            Fault::Lift => {
                self.no_slaves = None;
                for instance in &mut self.instances {
                    instance.trouble = Trouble::default();
                }
            }
            Fault::Hang { .. }
            | Fault::Hide { .. }
            | Fault::Slow { .. }
            | Fault::Skew { .. }
            | Fault::Error { .. }
            | Fault::LogOnError { .. }
            | Fault::ArchiverStuck { .. }
            | Fault::FillProcesses { .. } => self.trouble(fault),
        }
    }

    /// Faults that an instance carries.
    fn trouble(&mut self, fault: &Fault) {
        let (now, processes) = (self.now, self.spec.limits.processes);
        let (Fault::Hang { instance, .. }
        | Fault::Hide { instance, .. }
        | Fault::Slow { instance, .. }
        | Fault::Skew { instance, .. }
        | Fault::Error { instance, .. }
        | Fault::LogOnError { instance, .. }
        | Fault::ArchiverStuck { instance, .. }
        | Fault::FillProcesses { instance, .. }) = fault
        else {
            return;
        };
        let Some(instance) = self.instance_mut(*instance) else { return };
        let trouble = &mut instance.trouble;
        let times = |code: u32, count: u32| std::iter::repeat_n(code, count as usize);
        match fault {
            Fault::Hang { seconds, .. } => trouble.hung = Some(until(now, *seconds)),
            Fault::ArchiverStuck { seconds, .. } => {
                trouble.stuck = Some(until(now, (*seconds).max(1)));
            }
            Fault::Hide { seconds, .. } => trouble.hidden = Some(until(now, *seconds)),
            Fault::Slow { millis, seconds, .. } => {
                trouble.slow = Some((until(now, *seconds), i64::from(*millis) * 1_000));
            }
            Fault::Error { code, calls, .. } => trouble.errors.extend(times(*code, *calls)),
            Fault::LogOnError { code, log_ons, .. } => {
                trouble.log_on_errors.extend(times(*code, *log_ons));
            }
            Fault::FillProcesses { leaving, seconds, .. } => {
                let taken = processes.saturating_sub(instance.processes_used.now + leaving);
                trouble.taken = Some((until(now, *seconds), taken));
            }
            Fault::Skew { millis, .. } => instance.skew = millis * 1_000,
            _ => {}
        }
    }

    fn lose_connections(&mut self, inst_id: u32, share: f64) {
        let mut rng = self.rng.fork();
        let Some(instance) = self.instance(inst_id) else { return };
        let lost: Vec<SessionKey> = instance
            .sessions()
            .filter(|session| session.is_foreground() && rng.chance(share))
            .map(|session| session.key)
            .collect();
        for key in lost {
            self.remove(key, Some(Parting::Cut));
        }
    }

    /// The call of a session goes on for ever; a client of the model that is not in one forgets its connection.
    fn hang_call(&mut self, key: SessionKey) {
        let since = self.now;
        self.leave_queues(key);
        self.do_now(key, Doing::Wait { event: EventId::ReliableMessage, since, round: 0 });
        self.forget_client(key);
    }

    /// An instance is gone, and with it its sessions; the others recover its transactions.
    fn go_down(&mut self, inst_id: u32, seconds: u32, parting: Parting) {
        let Some(instance) = self.instance_mut(inst_id) else { return };
        if instance.state == InstanceState::Down {
            return;
        }
        instance.state = InstanceState::Down;
        let sessions: Vec<SessionKey> = instance.sessions().map(|session| session.key).collect();
        for key in sessions {
            self.remove(key, Some(parting));
        }
        let open: Vec<_> = self
            .instance(inst_id)
            .into_iter()
            .flat_map(Instance::transactions)
            .map(|it| it.key)
            .collect();
        for key in open {
            self.dissolve(key);
        }
        let mut rng = self.rng.fork();
        let instance = self.instance_mut(inst_id).expect("it was there");
        instance.reset(&mut rng);
        instance.trouble = Trouble::default();
        self.record(What::Closed, SessionKey { inst_id, sid: 0, serial: 0 }, 0);
        if seconds > 0 {
            self.queue.plan(self.now + i64::from(seconds) * SECOND, Due::Start(inst_id));
        }
    }

    /// A shutdown is done.
    pub(super) fn close(&mut self, inst_id: u32, seconds: u32) {
        self.go_down(inst_id, seconds, Parting::Error(1_092));
    }

    /// An instance begins to start.
    pub(super) fn start(&mut self, inst_id: u32) {
        if let Some(instance) =
            self.instance_mut(inst_id).filter(|it| it.state == InstanceState::Down)
        {
            instance.state = InstanceState::Starting;
            self.queue.plan(self.now + STARTING, Due::Open(inst_id));
        }
    }

    /// An instance opens.
    pub(super) fn open(&mut self, inst_id: u32) {
        if self.instance(inst_id).is_some_and(|instance| instance.state == InstanceState::Starting)
        {
            self.open_at(inst_id, self.now);
        }
    }
}

/// The end of so many seconds; none is for ever.
fn until(now: Micros, seconds: u32) -> Micros {
    if seconds == 0 { Micros::MAX } else { now + i64::from(seconds) * SECOND }
}
