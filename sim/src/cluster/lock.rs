//! Locks: rows, held by transactions until their end; user locks (DBMS_LOCK) and tables, held by sessions in modes. All
//! are cluster-wide, and whoever came first gets what is freed.

use std::collections::{BTreeMap, VecDeque};

use super::mode_lock::ModeLock;
use super::session::{SessionKey, TxKey};

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// OBJECT_ID of the table.
    pub object: u32,
    /// Which one; file, block and place follow from it.
    pub number: u32,
}

/// The data files of tables: FILE_ID.
pub const FILES: std::ops::Range<u32> = 5..12;

impl Row {
    /// ROW_WAIT_FILE#, ROW_WAIT_BLOCK#, ROW_WAIT_ROW#.
    pub const fn place(self) -> (u32, u32, u32) {
        (
            FILES.start + self.object % (FILES.end - FILES.start),
            128 + self.number / 100,
            self.number % 100,
        )
    }
}

/// A row lock and who queues for it.
#[derive(Debug)]
pub(super) struct RowLock {
    pub(super) holder: TxKey,
    pub(super) waiters: VecDeque<SessionKey>,
}

/// What sessions hold in modes and queue for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockId {
    /// A user lock: UL.
    User {
        /// The container in which its number is known; 0 for the whole database.
        con_id: u32,
        /// ID1 in V$LOCK.
        id: u32,
    },
    /// A table, by its OBJECT_ID, that somebody locked with LOCK TABLE: TM. Of any other table the transactions know
    /// that they changed it, and nobody has to wait.
    Table(u32),
}

impl LockId {
    /// TYPE in V$LOCK.
    pub const fn lock_type(self) -> &'static str {
        match self {
            Self::User { .. } => "UL",
            Self::Table(_) => "TM",
        }
    }

    /// ID1 in V$LOCK.
    pub const fn id1(self) -> u64 {
        match self {
            Self::User { id, .. } | Self::Table(id) => id as u64,
        }
    }
}

/// All locks of the database.
#[derive(Debug, Default)]
pub(super) struct Locks {
    pub(super) rows: BTreeMap<Row, RowLock>,
    pub(super) modes: BTreeMap<LockId, ModeLock>,
}

impl Locks {
    /// Forgets that a session waits for a row.
    pub(super) fn leave_row(&mut self, row: Row, session: SessionKey) {
        if let Some(lock) = self.rows.get_mut(&row) {
            lock.waiters.retain(|waiter| *waiter != session);
        }
    }

    /// Forgets that a session waits for a lock that is held in modes.
    pub(super) fn leave_modes(&mut self, id: LockId, session: SessionKey) {
        if let Some(lock) = self.modes.get_mut(&id) {
            lock.waiters.retain(|waiter| waiter.session != session);
        }
    }

    /// The user locks and tables that a session holds.
    pub(super) fn held_by(&self, session: SessionKey) -> Vec<LockId> {
        let held = self.modes.iter().filter(|(_, lock)| lock.holder(session).is_some());
        held.map(|(id, _)| *id).collect()
    }
}

/// A row of V$LOCK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockRow {
    /// SID.
    pub sid: u32,
    /// SADDR of the session.
    pub saddr: u64,
    /// TYPE: TX, TM, UL, AE.
    pub lock_type: &'static str,
    /// ID1.
    pub id1: u64,
    /// ID2.
    pub id2: u64,
    /// LMODE.
    pub mode: u32,
    /// REQUEST.
    pub request: u32,
    /// CTIME: seconds since the lock or the request was granted or made.
    pub ctime: u64,
    /// BLOCK: 1 blocks somebody here, 2 may block somebody on another instance.
    pub block: u32,
    /// CON_ID; 0 for TX rows (facts, section 1.11).
    pub con_id: u32,
}

/// BLOCKING_SESSION_STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockingStatus {
    /// VALID
    Valid,
    /// NO HOLDER
    NoHolder,
    /// NOT IN WAIT
    NotInWait,
    /// UNKNOWN
    Unknown,
}

impl BlockingStatus {
    /// As the column shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::NoHolder => "NO HOLDER",
            Self::NotInWait => "NOT IN WAIT",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// BLOCKING_SESSION_STATUS, BLOCKING_INSTANCE, BLOCKING_SESSION and the same for the end of the chain. The serial is
/// what V$SESSION_BLOCKERS has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocking {
    /// BLOCKING_SESSION_STATUS.
    pub status: BlockingStatus,
    /// The direct blocker, if `status` is VALID.
    pub blocker: Option<SessionKey>,
    /// FINAL_BLOCKING_SESSION_STATUS.
    pub final_status: BlockingStatus,
    /// The end of the chain.
    pub final_blocker: Option<SessionKey>,
}
