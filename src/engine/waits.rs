//! Wait chains over all instances: who blocks whom, and who stands at the end.
//!
//! A session that is WAITING with a VALID blocker points at it; every session points at one other at most, so each
//! chain either ends at a session that waits for nobody (its root), runs into a cycle (no root), or reaches a blocker
//! without a row of its own (unknown: the chain counts for nobody). Facts, section 1.3.

use rustc_hash::FxHashMap;

use super::session::{Column, NumberColumn, Session, Sessions, TextColumn};
use super::time::MICROS_PER_SECOND;

/// Who blocks whom in one snapshot.
#[derive(Debug)]
pub struct WaitGraph {
    /// By row: sessions whose chain ends there.
    blocked: Vec<u32>,
    /// By row: the longest present wait among them, in microseconds.
    longest: Vec<Option<i64>>,
}

/// Where a session's chain of waits leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    NotVisited,
    InProgress,
    Root(usize),
    Nowhere,
}

impl WaitGraph {
    /// Builds the graph; `None` when the source has no STATE or no BLOCKING_SESSION, for some rows at least: these may
    /// wait for anybody.
    pub fn of(sessions: &Sessions) -> Option<Self> {
        let needed =
            [Column::Text(TextColumn::State), Column::Number(NumberColumn::BlockingSession)];
        if !needed.into_iter().all(|column| sessions.has_everywhere(column)) {
            return None;
        }
        let blockers = direct_blockers(sessions);
        let mut graph =
            Self { blocked: vec![0; sessions.len()], longest: vec![None; sessions.len()] };
        for (waiter, root) in chain_ends(&blockers) {
            graph.blocked[root] += 1;
            let wait = present_wait(sessions.get(waiter));
            graph.longest[root] = graph.longest[root].max(wait);
        }
        Some(graph)
    }

    /// How many sessions' chains end at the row.
    pub fn blocked_sessions(&self, row: usize) -> u32 {
        self.blocked[row]
    }

    /// The longest wait among them, microseconds.
    pub fn blocking_for(&self, row: usize) -> Option<i64> {
        self.longest[row]
    }
}

/// Microseconds in the present wait: WAIT_TIME_MICRO, else SECONDS_IN_WAIT. Only meaningful while WAITING.
pub fn present_wait(session: Session<'_>) -> Option<i64> {
    session.number(NumberColumn::WaitTimeMicro).or_else(|| {
        let seconds = session.number(NumberColumn::SecondsInWait)?;
        Some(seconds.saturating_mul(MICROS_PER_SECOND))
    })
}

/// What a row points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocker {
    None,
    Row(usize),
    /// It has no row, or its slot has two.
    Unknown,
}

fn direct_blockers(sessions: &Sessions) -> Vec<Blocker> {
    let mut rows: FxHashMap<(u32, u32), Option<usize>> = FxHashMap::default();
    for session in sessions.iter() {
        let key = session.key();
        // Two uses of one slot in a snapshot: it cannot be known which of them blocks.
        rows.entry((key.inst_id, key.sid))
            .and_modify(|row| *row = None)
            .or_insert(Some(session.row()));
    }
    let single_instance = {
        let mut instances = sessions.keys().iter().map(|key| key.inst_id);
        let first = instances.next();
        instances.all(|inst_id| Some(inst_id) == first)
    };
    let blocker_of = |session: Session<'_>| {
        let Some(sid) = valid_blocker(session) else { return Blocker::None };
        let inst_id = blocking_instance(session, single_instance);
        let row = inst_id.and_then(|inst_id| rows.get(&(inst_id, sid)).copied().flatten());
        row.map_or(Blocker::Unknown, Blocker::Row)
    };
    sessions.iter().map(blocker_of).collect()
}

/// The SID of the session's blocker, if it waits for one. V$SESSION shows a BLOCKING_SESSION only where the status is
/// VALID (facts, source FIXV), so an export without the status column still tells.
fn valid_blocker(session: Session<'_>) -> Option<u32> {
    let status = TextColumn::BlockingSessionStatus;
    let valid = !session.has(Column::Text(status)) || session.is(status, "VALID");
    if !valid || !session.is(TextColumn::State, "WAITING") {
        return None;
    }
    session.number(NumberColumn::BlockingSession).and_then(|sid| u32::try_from(sid).ok())
}

/// The instance of the blocker: as told, or the only one there is.
fn blocking_instance(session: Session<'_>, single_instance: bool) -> Option<u32> {
    match session.number(NumberColumn::BlockingInstance) {
        Some(inst_id) => u32::try_from(inst_id).ok(),
        None => single_instance.then(|| session.key().inst_id),
    }
}

/// For every waiter whose chain has a root: the waiter and the root. Each row is walked once.
fn chain_ends(blockers: &[Blocker]) -> Vec<(usize, usize)> {
    let mut ends = vec![End::NotVisited; blockers.len()];
    let mut path = Vec::new();
    for start in 0..blockers.len() {
        let mut at = start;
        let end = loop {
            match ends[at] {
                End::InProgress => break End::Nowhere,
                End::Root(_) | End::Nowhere => break ends[at],
                End::NotVisited => {}
            }
            ends[at] = End::InProgress;
            path.push(at);
            match blockers[at] {
                Blocker::Row(next) => at = next,
                Blocker::None => break End::Root(at),
                Blocker::Unknown => break End::Nowhere,
            }
        };
        for row in path.drain(..) {
            ends[row] = end;
        }
    }
    let waits_for_root = |(row, end): (usize, &End)| match end {
        End::Root(root) if *root != row => Some((row, *root)),
        _ => None,
    };
    ends.iter().enumerate().filter_map(waits_for_root).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `>` points at a blocker's row, `?` at one without a row, `-` waits for nobody.
    fn ends(chain: &str) -> Vec<(usize, usize)> {
        let blocker = |item: &str| match item {
            "-" => Blocker::None,
            "?" => Blocker::Unknown,
            row => Blocker::Row(row.parse().expect("a row number")),
        };
        chain_ends(&chain.split(' ').map(blocker).collect::<Vec<_>>())
    }

    #[test]
    fn chains_end_at_roots_cycles_or_nowhere() {
        assert_eq!(ends("- 0 1 1"), [(1, 0), (2, 0), (3, 0)]);
        assert_eq!(ends("1 2 0 0"), []);
        assert_eq!(ends("? 0 -"), []);
        assert_eq!(ends("1 - 3 -"), [(0, 1), (2, 3)]);
        assert_eq!(ends("0"), []);
    }

    #[test]
    fn a_chain_of_a_million_waiters_is_walked_once() {
        let blockers: Vec<Blocker> = (0..1_000_000)
            .map(|row: usize| row.checked_sub(1).map_or(Blocker::None, Blocker::Row))
            .collect();
        assert_eq!(chain_ends(&blockers).len(), 999_999);
    }
}
