//! What goes wrong: on demand, at set times and by chance.

use serde::Deserialize;

use super::session::SessionKey;
use super::{Cluster, Micros, SECOND};

/// Something goes wrong. `seconds` of 0 means until it is lifted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
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

impl Cluster {
    pub(super) fn make_schedule(&mut self) {}

    pub(super) fn scheduled_due(&mut self, _place: u32) {}

    pub(super) fn chance_due(&mut self, _place: u32) {}

    pub(super) fn open(&mut self, inst_id: u32) {
        self.open_at(inst_id, self.now);
    }

    pub(super) fn close(&mut self, _inst_id: u32, _seconds: u32) {}

    pub(super) fn start(&mut self, _inst_id: u32) {}

    /// Something goes wrong, now.
    pub fn inject(&mut self, fault: &Fault) {
        let until = |seconds: u32, now: Micros| {
            if seconds == 0 { Micros::MAX } else { now + i64::from(seconds) * SECOND }
        };
        let now = self.now;
        match fault {
            Fault::Hang { instance, seconds } => {
                if let Some(instance) = self.instance_mut(*instance) {
                    instance.trouble.hung = Some(until(*seconds, now));
                }
            }
            Fault::Hide { instance, seconds } => {
                if let Some(instance) = self.instance_mut(*instance) {
                    instance.trouble.hidden = Some(until(*seconds, now));
                }
            }
            _ => {}
        }
    }
}
