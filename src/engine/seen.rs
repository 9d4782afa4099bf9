//! What one look saw, counted, for those who watch the daemon. Nothing here decides.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::guard::ApprovedPlan;
use super::session::{Fetched, InstanceState, Session, SessionLife, Snapshot, TextColumn};
use super::spare::SpareReason;

/// What GV$SESSION.STATUS can be, as it is told; the last stands for anything else.
pub const STATUSES: [&str; 6] = ["ACTIVE", "INACTIVE", "KILLED", "CACHED", "SNIPED", "OTHER"];

/// Sessions that wait for their rule's `for`, as many as are named at a tick: more than anybody reads.
pub const PENDING_NAMED_MAX: usize = 100;

/// What one look saw.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The instances that were expected, by number.
    pub instances: Vec<InstanceSeen>,
    /// What it took.
    pub fetched: Fetched,
    /// The first of those that wait for their rule's `for`, or for the next rung.
    pub pending: Vec<Pending>,
    /// How many wait in all.
    pub pending_in_all: usize,
}

/// One instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceSeen {
    /// INSTANCE_NUMBER.
    pub inst_id: u32,
    /// Whether it answered; if not, its sessions are unknown.
    pub answered: bool,
    /// User sessions by status, in the order of [`STATUSES`].
    pub user: [u64; STATUSES.len()],
    /// Sessions of Oracle's own processes.
    pub background: u64,
}

/// A session that would be ended if it were as it is for longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Who.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// PROGRAM.
    pub program: Option<String>,
    /// MACHINE.
    pub machine: Option<String>,
    /// How long of how long.
    pub detail: String,
}

impl Seen {
    /// Counts a snapshot, and names whom its plan lets wait.
    pub fn of(snapshot: &Snapshot, plan: &ApprovedPlan) -> Self {
        let mut seen = Self { fetched: snapshot.fetched, ..Self::default() };
        for instance in &snapshot.instances {
            let answered = instance.state == InstanceState::Answered;
            let inst_id = instance.inst_id;
            seen.instances.push(InstanceSeen { inst_id, answered, ..InstanceSeen::default() });
        }
        seen.instances.sort_by_key(|instance| instance.inst_id);
        let mut waiting: FxHashMap<SessionLife, Vec<usize>> = FxHashMap::default();
        for spared in plan.spared().iter().filter(|it| it.reason == SpareReason::Pending) {
            seen.pending_in_all += 1;
            if seen.pending.len() < PENDING_NAMED_MAX {
                waiting.entry(spared.life).or_default().push(seen.pending.len());
                seen.pending.push(Pending {
                    rule: Arc::clone(&spared.rule),
                    life: spared.life,
                    username: None,
                    program: None,
                    machine: None,
                    detail: spared.detail.to_string(),
                });
            }
        }
        for session in snapshot.sessions.iter() {
            seen.count(session);
            for at in waiting.get(&session.life()).into_iter().flatten() {
                let text = |column| session.text(column).map(str::to_owned);
                seen.pending[*at].username = text(TextColumn::Username);
                seen.pending[*at].program = text(TextColumn::Program);
                seen.pending[*at].machine = text(TextColumn::Machine);
            }
        }
        seen
    }

    fn count(&mut self, session: Session<'_>) {
        let inst_id = session.key().inst_id;
        let Ok(at) = self.instances.binary_search_by_key(&inst_id, |it| it.inst_id) else { return };
        if session.is(TextColumn::Type, "BACKGROUND") {
            self.instances[at].background += 1;
            return;
        }
        let other = STATUSES.len() - 1;
        let known = STATUSES.iter().position(|it| session.is(TextColumn::Status, it));
        self.instances[at].user[known.unwrap_or(other)] += 1;
    }
}
