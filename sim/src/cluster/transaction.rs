//! Transactions: undo grows while they work and falls while they are rolled back (facts, section 2.5). Both are
//! functions of time, so only beginning and end are events.

use std::sync::Arc;

use super::Micros;
use super::lock::Row;
use super::session::{SessionKey, TxKey};

/// Undo records in one block.
const RECORDS_PER_BLOCK: u64 = 40;

/// A transaction.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// ADDR and identity.
    pub key: TxKey,
    /// XIDUSN, XIDSLOT, XIDSQN.
    pub xid: (u32, u32, u32),
    /// Its session; `None` once the session's row is gone and the rest is recovered in the background.
    pub session: Option<SessionKey>,
    /// SES_ADDR; it stays when the session is gone.
    pub ses_addr: u64,
    /// START_DATE on the instance's clock.
    pub start: Micros,
    /// CON_ID.
    pub con_id: u32,
    /// The tables that it changed, by OBJECT_ID: its TM locks.
    pub tables: Vec<u32>,
    pub(super) rows: Vec<Row>,
    /// Sessions that wait for its end although it let go of their row: see [`Point`].
    pub(super) left_behind: Vec<(SessionKey, Row)>,
    pub(super) savepoints: Vec<(Arc<str>, Point)>,
    pub(super) undo: Undo,
    /// Its first record is no statement's yet: it was begun for the row that one waited for, or is about to change.
    pub(super) untouched: bool,
}

/// How far a session's transaction had come, if there was one. What it locked since can be freed; but whoever waits
/// for such a row already goes on waiting for the end of the transaction, while others may have it at once, as the SQL
/// reference says of ROLLBACK TO SAVEPOINT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Point {
    pub(super) transaction: Option<TxKey>,
    pub(super) rows: usize,
    pub(super) tables: usize,
    pub(super) records: u64,
    pub(super) untouched: bool,
}

/// How much undo there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Undo {
    /// So many records ...
    pub(super) records: u64,
    /// ... at this moment of the model's clock ...
    pub(super) at: Micros,
    /// ... and so many more per second; negative while it is rolled back.
    pub(super) per_second: i64,
}

impl Undo {
    pub(super) fn at(&self, now: Micros) -> u64 {
        let change =
            i128::from(now - self.at) * i128::from(self.per_second) / i128::from(super::SECOND);
        u64::try_from((i128::from(self.records) + change).max(0)).unwrap_or(u64::MAX)
    }
}

impl Transaction {
    /// ADDR, which TADDR of the session shows.
    pub const fn addr(&self) -> u64 {
        0x0000_0000_a000_0000 + self.key.number * 0x100
    }

    /// USED_UREC at a moment of the model's clock.
    pub fn used_urec(&self, now: Micros) -> u64 {
        self.undo.at(now)
    }

    /// USED_UBLK at a moment of the model's clock.
    pub fn used_ublk(&self, now: Micros) -> u64 {
        self.undo.at(now).div_ceil(RECORDS_PER_BLOCK)
    }

    /// True while it is rolled back.
    pub const fn is_rolling_back(&self) -> bool {
        self.undo.per_second < 0
    }

    /// ID1 and ID2 of its TX lock.
    pub const fn lock_ids(&self) -> (u64, u64) {
        ((self.xid.0 as u64) << 16 | self.xid.1 as u64, self.xid.2 as u64)
    }

    /// Sets how fast undo grows from now on.
    pub(super) fn set_rate(&mut self, now: Micros, per_second: i64) {
        self.undo = Undo { records: self.undo.at(now), at: now, per_second };
    }

    /// Adds records.
    pub(super) fn add(&mut self, now: Micros, records: u64) {
        self.undo = Undo { records: self.undo.at(now) + records, at: now, ..self.undo };
    }
}
