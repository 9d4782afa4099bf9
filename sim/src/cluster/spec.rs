//! What a simulated database is made of, as plain data: scenario files deserialise into it.

mod problems;
pub(crate) mod release;
mod shipped;
mod switches;
mod workload;

use serde::Deserialize;

use super::fault::{Chances, Scheduled};
use crate::conversation::Release;

pub use problems::INSTANCES_MAX;
pub use switches::{DeadInstance, PseudoAgain, Switches};
pub use workload::{Kind, ServerKind, Workload};

/// A database.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spec {
    /// DB_NAME.
    pub name: String,
    /// DB_UNIQUE_NAME; like `name` if empty.
    pub unique_name: String,
    /// DB_DOMAIN.
    pub domain: String,
    /// DBID.
    pub dbid: u32,
    /// The release that is played: `11.2`, `12.1`, `12.2`, `19c` or `23ai`.
    #[serde(deserialize_with = "release::read")]
    pub release: Release,
    /// What the database's wall clock shows at the beginning, in seconds since 1970-01-01 00:00:00.
    pub start_seconds: i64,
    /// The database is not open for writing: a standby.
    pub read_only: bool,
    /// The instances, numbered from 1.
    pub instances: Vec<InstanceSpec>,
    /// The pluggable databases, numbered from 3; empty for a database that is no CDB. 11.2 has none.
    pub containers: Vec<String>,
    /// Users with limits of a profile.
    pub profiles: Vec<ProfileSpec>,
    /// Who works there.
    pub workloads: Vec<Workload>,
    /// Parameters.
    pub limits: Limits,
    /// What to do where Oracle's behaviour is not established.
    pub switches: Switches,
    /// Faults at set times.
    pub schedule: Vec<Scheduled>,
    /// Faults by chance.
    pub chances: Chances,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            name: "ORCL".into(),
            unique_name: String::new(),
            domain: String::new(),
            dbid: 1_504_289_451,
            release: Release::R19,
            start_seconds: 1_772_445_600, // Monday 2026-03-02 10:00
            read_only: false,
            instances: vec![InstanceSpec::default()],
            containers: Vec::new(),
            profiles: Vec::new(),
            workloads: Vec::new(),
            limits: Limits::default(),
            switches: Switches::default(),
            schedule: Vec::new(),
            chances: Chances::default(),
        }
    }
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceSpec {
    /// INSTANCE_NAME; DB_NAME and the number if empty.
    pub name: String,
    /// HOST_NAME; made from the database's name if empty.
    pub host: String,
    /// How far its clock is ahead of the others'.
    pub skew_millis: i64,
    /// How long it has been up at the beginning.
    pub up_hours: u32,
    /// It is down at the beginning.
    pub down: bool,
    /// Its share of the clients that may choose.
    pub weight: u32,
}

impl Default for InstanceSpec {
    fn default() -> Self {
        Self {
            name: String::new(),
            host: String::new(),
            skew_millis: 0,
            up_hours: 24 * 23,
            down: false,
            weight: 1,
        }
    }
}

/// Limits of one user's profile; they count as RESOURCE_LIMIT is TRUE.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// The user.
    pub user: String,
    /// IDLE_TIME: then the session is SNIPED, and its next call gets ORA-02396.
    #[serde(default)]
    pub idle_minutes: Option<u32>,
    /// CONNECT_TIME: the next call gets ORA-02399.
    #[serde(default)]
    pub connect_minutes: Option<u32>,
    /// SESSIONS_PER_USER, per instance: ORA-02391.
    #[serde(default)]
    pub sessions: Option<u32>,
}

/// Parameters of every instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// PROCESSES.
    pub processes: u32,
    /// SESSIONS; from PROCESSES, as Oracle does, if absent.
    pub sessions: Option<u32>,
    /// PARALLEL_MAX_SERVERS.
    pub parallel_servers: u32,
    /// MAX_IDLE_TIME in minutes, 0 for none.
    pub max_idle_minutes: u32,
    /// MAX_IDLE_BLOCKER_TIME in minutes, 0 for none.
    pub max_idle_blocker_minutes: u32,
    /// How many undo records a second a rollback applies.
    pub rollback_records_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            processes: 1_000,
            sessions: None,
            parallel_servers: 160,
            max_idle_minutes: 0,
            max_idle_blocker_minutes: 0,
            rollback_records_per_second: 20_000,
        }
    }
}

impl Limits {
    /// SESSIONS as it is in force: 1.5 PROCESSES and 22 if it was not set.
    pub fn sessions(&self) -> u32 {
        self.sessions.unwrap_or(self.processes / 2 * 3 + 22)
    }
}
