//! What the backgrounds look at every minute: sessions that are idle for too long.

use std::collections::BTreeSet;

use super::history::What;
use super::kill::Parting;
use super::queue::Due;
use super::session::{SessionKey, Status};
use super::spec::ProfileSpec;
use super::{Cluster, Micros, SECOND};

/// How often they look: idle limits are kept to the minute, not to the second.
const SWEEP_EVERY: Micros = 60 * SECOND;

impl Cluster {
    /// Plans the first look, if there is anything to look for.
    pub(super) fn plan_sweep(&mut self) {
        if self.has_idle_limits() {
            self.queue.plan(self.now + SWEEP_EVERY, Due::Sweep);
        }
    }

    fn has_idle_limits(&self) -> bool {
        let limits = &self.spec.limits;
        limits.max_idle_minutes > 0
            || limits.max_idle_blocker_minutes > 0
            || self.spec.profiles.iter().any(|profile| profile.idle_minutes.is_some())
    }

    /// ALTER SYSTEM SET MAX_IDLE_TIME and MAX_IDLE_BLOCKER_TIME, in minutes.
    pub fn set_idle_limits(&mut self, idle: Option<u32>, blocker: Option<u32>) {
        // Once there was a limit, the backgrounds go on looking.
        let looks = self.has_idle_limits() || self.sweeps;
        let limits = &mut self.spec.limits;
        limits.max_idle_minutes = idle.unwrap_or(limits.max_idle_minutes);
        limits.max_idle_blocker_minutes = blocker.unwrap_or(limits.max_idle_blocker_minutes);
        if !looks {
            self.plan_sweep();
        }
        self.sweeps = looks || self.has_idle_limits();
    }

    /// The sessions that others wait for.
    fn blocking_sessions(&self) -> BTreeSet<SessionKey> {
        self.sessions().filter_map(|session| self.blocker(session)).collect()
    }

    pub(super) fn sweep(&mut self) {
        self.queue.plan(self.now + SWEEP_EVERY, Due::Sweep);
        let minute = 60 * SECOND;
        let most = i64::from(self.spec.limits.max_idle_minutes) * minute;
        let blocker_most = i64::from(self.spec.limits.max_idle_blocker_minutes) * minute;
        let blocking = if blocker_most > 0 { self.blocking_sessions() } else { BTreeSet::new() };
        let (mut over_profile, mut over_parameter) = (Vec::new(), Vec::new());
        for session in self.sessions() {
            if session.status() != Status::Inactive || !session.is_foreground() {
                continue;
            }
            let idle = self.now - session.boundary;
            let profile =
                session.username().and_then(|user| self.profile(user)).and_then(|p| p.idle_minutes);
            // SYS is exempt as a blocker (facts, section 8).
            let blocks = blocking.contains(&session.key) && session.username() != Some("SYS");
            if most > 0 && idle > most || blocker_most > 0 && blocks && idle > blocker_most {
                over_parameter.push(session.key);
            } else if profile.is_some_and(|minutes| idle > i64::from(minutes) * minute) {
                over_profile.push(session.key);
            }
        }
        for key in over_profile {
            self.snipe(key);
        }
        for key in over_parameter {
            self.remove(key, Some(Parting::Cut));
        }
    }

    /// The limits of a user.
    pub(super) fn profile(&self, user: &str) -> Option<&ProfileSpec> {
        self.spec.profiles.iter().find(|profile| profile.user == user)
    }

    /// A session is over its idle time: its transaction is rolled back, its row and its process stay until its client
    /// calls (facts, section 8).
    fn snipe(&mut self, key: SessionKey) {
        let Some(session) = self.session_mut(key) else { return };
        session.sniped = true;
        let transaction = session.transaction;
        self.record(What::Sniped, key, 0);
        if let Some(transaction) = transaction {
            self.start_rollback(transaction);
        }
    }
}
