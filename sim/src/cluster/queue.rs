//! What will happen, by time. Things of the same moment happen in the order in which they were planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Micros;
use super::session::{SessionKey, TxKey};

/// What will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A client of the model does what it does next, unless it was given another plan meanwhile.
    Seat { seat: u32, token: u32 },
    /// A session notices that it was marked.
    Notice(SessionKey),
    /// A call, by its number, notices that it was cancelled.
    Cancel { key: SessionKey, call: u64 },
    /// A rollback is done.
    RolledBack(TxKey),
    /// The backgrounds look at limits.
    Sweep,
    /// A fault of the schedule.
    Scheduled(u32),
    /// A fault by chance.
    Chance(u32),
    /// An instance opens.
    Open(u32),
    /// An instance is gone.
    Close { inst_id: u32, seconds: u32 },
    /// An instance begins to start.
    Start(u32),
}

#[derive(Debug, PartialEq, Eq)]
struct Planned {
    at: Micros,
    order: u64,
    due: Due,
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Planned>,
    planned: u64,
}

impl Queue {
    pub(super) fn plan(&mut self, at: Micros, due: Due) {
        self.planned += 1;
        self.heap.push(Planned { at, order: self.planned, due });
    }

    pub(super) fn next_at(&self) -> Option<Micros> {
        self.heap.peek().map(|planned| planned.at)
    }

    pub(super) fn pop_until(&mut self, until: Micros) -> Option<(Micros, Due)> {
        if self.next_at()? > until {
            return None;
        }
        self.heap.pop().map(|planned| (planned.at, planned.due))
    }
}
