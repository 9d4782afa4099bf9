//! What a session waits for, at any moment. Short waits (reads, commits, latches) are no events of the model: they are
//! computed from the call's seed and the time when somebody looks, so they cost nothing and are the same for everybody
//! who looks at the same moment.

use super::event::{Event, EventId};
use super::lock::{LockId, Row};
use super::mode_lock::Mode;
use super::rng;
use super::session::{Session, TxKey};
use super::{Micros, SECOND};

/// What a call does now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Doing {
    /// It works: on CPU, or in short waits.
    Work(Mix),
    /// It waits for the transaction that holds a row.
    Row {
        /// The row.
        row: Row,
        /// Since when.
        since: Micros,
        /// The transaction that held it and let go of it, but whose end is still waited for.
        left_by: Option<TxKey>,
    },
    /// It waits for a user lock or a table.
    Enqueue {
        /// Which.
        id: LockId,
        /// In which mode.
        mode: Mode,
        /// Since when.
        since: Micros,
        /// When it gives up.
        deadline: Option<Micros>,
    },
    /// DBMS_LOCK.SLEEP: ACTIVE in an idle event (facts, section 1.7).
    Sleep {
        /// Since when.
        since: Micros,
        /// Until when.
        until: Micros,
    },
    /// One long wait.
    Wait {
        /// For what.
        event: EventId,
        /// Since when.
        since: Micros,
        /// How long one round of it takes, for events that time out and begin again; 0: for ever.
        round: Micros,
    },
}

/// The mix of short waits that a kind of work has, in shares of 1,000; the rest is CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Short calls of an application.
    Oltp,
    /// Scans, sorts and loads.
    Batch,
    /// A storm on latches and mutexes.
    Latch,
    /// Nothing but CPU.
    Cpu,
}

impl Mix {
    const fn shares(self) -> &'static [(EventId, u64)] {
        match self {
            // Between databases A and C of the measured ones.
            Self::Oltp => &[
                (EventId::SequentialRead, 270),
                (EventId::ScatteredRead, 30),
                (EventId::LogFileSync, 70),
                (EventId::CrBlock, 60),
                (EventId::CurrentBlock, 40),
                (EventId::BufferBusyAcquire, 20),
                (EventId::CacheBuffersChains, 20),
                (EventId::LibraryCacheLock, 15),
                (EventId::LatchFree, 10),
                (EventId::MessageToClient, 5),
            ],
            Self::Batch => &[
                (EventId::SequentialRead, 150),
                (EventId::ScatteredRead, 250),
                (EventId::DirectRead, 120),
                (EventId::DirectReadTemp, 80),
                (EventId::DirectWriteTemp, 60),
                (EventId::LogFileSync, 20),
                (EventId::LogBufferSpace, 20),
            ],
            Self::Latch => &[
                (EventId::MutexX, 450),
                (EventId::LibraryCacheLock, 200),
                (EventId::PinS, 150),
                (EventId::CacheBuffersChains, 120),
            ],
            Self::Cpu => &[],
        }
    }

    /// How long one wait or one stretch on CPU takes.
    const fn slot(self) -> Micros {
        match self {
            Self::Oltp => 4_000,
            Self::Batch | Self::Cpu => 12_000,
            Self::Latch => 800_000,
        }
    }

    /// The event of a slot; `None` is CPU.
    fn event(self, seed: u64, slot: u64) -> Option<EventId> {
        let mut draw = rng::mix(seed ^ rng::mix(slot)) % 1_000;
        for (event, share) in self.shares() {
            if draw < *share {
                return Some(*event);
            }
            draw -= share;
        }
        None
    }
}

/// STATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitState {
    /// It waits now.
    Waiting,
    /// It works; the last wait was this long, in microseconds.
    Waited(Micros),
}

impl WaitState {
    /// As the column shows it; under 5 ms is SHORT (facts, section 1.3).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Waited(micros) if micros < 5_000 => "WAITED SHORT TIME",
            Self::Waited(_) => "WAITED KNOWN TIME",
        }
    }
}

/// The wait columns of V$SESSION and V$SESSION_WAIT.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wait {
    /// SEQ#.
    pub seq: u32,
    /// EVENT# and what it names.
    pub event: EventId,
    /// P1, P2, P3.
    pub p: [u64; 3],
    /// STATE.
    pub state: WaitState,
    /// When the wait began, on the model's clock.
    pub began: Micros,
    /// When the columns were read.
    pub now: Micros,
    /// TIME_REMAINING_MICRO: -1 without limit, `None` when not waiting.
    pub remaining: Option<Micros>,
    /// ROW_WAIT_OBJ#, _FILE#, _BLOCK#, _ROW#, while there is a row.
    pub row: Option<Row>,
}

impl Wait {
    /// EVENT, WAIT_CLASS and the texts of P1 to P3.
    pub const fn event(&self) -> &'static Event {
        self.event.event()
    }

    /// WAIT_TIME: 0 while waiting, hundredths of a second afterwards, -1 if it was less.
    pub const fn wait_time(&self) -> i64 {
        match self.state {
            WaitState::Waiting => 0,
            WaitState::Waited(micros) if micros < 10_000 => -1,
            WaitState::Waited(micros) => micros / 10_000,
        }
    }

    /// SECONDS_IN_WAIT: since the wait began, also when it is over.
    pub const fn seconds_in_wait(&self) -> i64 {
        (self.now - self.began) / SECOND
    }

    /// WAIT_TIME_MICRO: so far, or of the last wait.
    pub const fn wait_time_micro(&self) -> Micros {
        match self.state {
            WaitState::Waiting => self.now - self.began,
            WaitState::Waited(micros) => micros,
        }
    }

    /// TIME_SINCE_LAST_WAIT_MICRO.
    pub const fn since_last_wait_micro(&self) -> Micros {
        match self.state {
            WaitState::Waiting => 0,
            WaitState::Waited(micros) => self.now - self.began - micros,
        }
    }
}

/// `SQL*Net` over TCP, as P1 of the SQL*Net events.
const DRIVER_TCP: u64 = 0x7463_7000;
/// `TX` in mode 6, as P1 of its enqueue.
const TX_EXCLUSIVE: u64 = 0x5458_0006;
/// `UL`, as P1 of its enqueue without the mode.
const UL: u64 = 0x554c_0000;
/// `TM`, likewise.
const TM: u64 = 0x544d_0000;

impl Session {
    /// The wait columns at a moment of the model's clock.
    pub fn wait(&self, now: Micros) -> Wait {
        let mut wait = Wait {
            seq: self.seq % 65_536,
            event: EventId::MessageFromClient,
            p: [DRIVER_TCP, 1, 0],
            state: WaitState::Waiting,
            began: self.boundary,
            now,
            remaining: Some(-1),
            row: None,
        };
        let Some(call) = &self.call else { return wait };
        wait.p = [call.seed >> 50, call.seed >> 36 & 0xfffff, 1];
        match call.doing {
            Doing::Work(mix) => working(&mut wait, mix, call.seed, call.began),
            Doing::Row { row, since, .. } => {
                wait.event = EventId::RowLock;
                wait.p = [TX_EXCLUSIVE, call.seed >> 44, call.seed >> 30 & 0x3fff];
                wait.began = since;
                wait.row = Some(row);
            }
            Doing::Enqueue { id, mode, since, deadline } => {
                let (event, name) = match id {
                    LockId::User { .. } => (EventId::UserLock, UL),
                    LockId::Table(_) => (EventId::TableLock, TM),
                };
                wait.event = event;
                wait.p = [name | u64::from(mode.number()), id.id1(), 0];
                wait.began = since;
                wait.remaining = Some(deadline.map_or(-1, |deadline| (deadline - now).max(0)));
            }
            Doing::Sleep { since, until } => {
                wait.event = EventId::LockTimer;
                wait.p = [u64::try_from((until - since) / 10_000).unwrap_or(0), 0, 0];
                wait.began = since;
                wait.remaining = Some((until - now).max(0));
            }
            Doing::Wait { event, since, round } => {
                wait.event = event;
                wait.p = [u64::try_from(round / 10_000).unwrap_or(0), 0, 0];
                wait.began = since;
                if round > 0 {
                    let rounds = (now - since) / round;
                    wait.began = since + rounds * round;
                    wait.seq = (self.seq.wrapping_add(u32::try_from(rounds).unwrap_or(0))) % 65_536;
                    wait.remaining = Some(wait.began + round - now);
                }
            }
        }
        wait
    }
}

/// Fills in what a working call shows at this moment: a short wait, or CPU with the columns of the last wait.
fn working(wait: &mut Wait, mix: Mix, seed: u64, began: Micros) {
    let slot_len = mix.slot();
    let slot = (wait.now - began).max(0) / slot_len;
    let slot_number = u64::try_from(slot).unwrap_or(0);
    wait.seq = wait.seq.wrapping_add(u32::try_from(slot).unwrap_or(0)) % 65_536;
    if let Some(event) = mix.event(seed, slot_number) {
        wait.event = event;
        wait.began = began + slot * slot_len;
        return;
    }
    wait.remaining = None;
    // On CPU: the columns show the wait before. A stretch of CPU rarely lasts many slots.
    let last = (1..=16.min(slot_number))
        .find_map(|back| Some((mix.event(seed, slot_number - back)?, back)));
    let (event, ended) = match last {
        Some((event, back)) => (event, slot - i64::try_from(back).unwrap_or(0) + 1),
        None => (EventId::MessageFromClient, 0),
    };
    let length = if last.is_some() { slot_len } else { SECOND };
    wait.event = event;
    wait.began = began + ended * slot_len - length;
    wait.state = WaitState::Waited(length);
}
