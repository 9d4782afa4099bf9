//! The three ports through which a tick touches the world, and the only traits of the crate: something to look at,
//! something that ends sessions, something that remembers what was done. Adapters implement them; only `daemon` and
//! `cli` call them. All of them block, and are called from threads that may.

use std::error::Error;

use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::needs::Needs;
use crate::engine::pursuit::Verified;
use crate::engine::report::{Acting, Outcome, TickId};
use crate::engine::session::Snapshot;
use crate::engine::standing::Authority;
use crate::engine::time::Timestamp;

/// Looks at a database.
pub trait SessionSource {
    /// All sessions of all instances that answered, as they are now, with at least the columns that are needed where
    /// the source has them.
    fn observe(&mut self, needs: &Needs) -> Result<Snapshot, SourceError>;

    /// Whether what it shows is as old as it says, so that its clock can be held against the machine's. A capture is
    /// shown at another pace than it was taken.
    fn is_live(&self) -> bool {
        true
    }
}

/// Ends sessions, or rehearses it. It is shared by the threads that end several at once.
pub trait SessionKiller: Send + Sync {
    /// Whether this daemon may end sessions there now. Asked once a tick, after the look and before the decision, and
    /// only when a rule that is due enforces. Who cannot tell follows.
    fn authority(&self) -> Authority {
        Authority::Leads
    }

    /// No rule of this daemon enforces there any more: whoever leads lets another lead. Asked at each such tick.
    fn release(&self) {}

    /// How many ends may be under way at once; at least 1.
    fn width(&self) -> usize {
        1
    }

    /// Does [`End::verb`] to one session if it still is what was judged.
    ///
    /// `seen` is the newest snapshot at hand. A killer that reaches the database reads the row again where it ends
    /// it; `seen` is for those that have nothing better.
    fn end(&self, end: &End, seen: &Snapshot) -> Outcome;
}

/// Which tick a record of the audit belongs to.
#[derive(Debug, Clone, Copy)]
pub struct TickStamp<'a> {
    /// The tick.
    pub tick: TickId,
    /// The database's name.
    pub database: &'a str,
    /// The snapshot's time, if it is known.
    pub taken_at: Option<Timestamp>,
    /// Whether enforcing rules enforce.
    pub acting: Acting,
}

/// Remembers what was decided and done. After an error its caller ends nobody. What happened all the same, an outcome
/// or a finding, is kept by the sink, and written before anything else that it takes; an intent that failed is not.
pub trait AuditSink {
    /// Writes down what became of sessions that were ended before. When it returns, the record survives a crash of the
    /// machine.
    fn verified(
        &mut self,
        stamp: TickStamp<'_>,
        verified: &[Verified],
        now: Timestamp,
    ) -> Result<(), AuditError>;

    /// Writes down everything that a plan decided. When it returns, the record survives a crash of the machine.
    fn intend(
        &mut self,
        stamp: TickStamp<'_>,
        plan: &ApprovedPlan,
        now: Timestamp,
    ) -> Result<(), AuditError>;

    /// Writes down what became of one end. When it returns, the record survives a crash of the daemon.
    fn outcome(
        &mut self,
        stamp: TickStamp<'_>,
        end: &End,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), AuditError>;

    /// Called after a tick's last outcome. When it returns, they all survive a crash of the machine.
    fn settle(&mut self) -> Result<(), AuditError>;
}

/// What an adapter knows about the cause of its failure.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why nothing was seen, by the reaction it calls for. Nobody is ended either way.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It may be there again at the next tick, which is the retry.
    #[error("the database cannot be reached now")]
    Unavailable(#[source] Cause),
    /// Somebody has to mend the account, its password or the configuration first.
    #[error("the database cannot be reached until somebody mends this")]
    Refused(#[source] Cause),
    /// Somebody has to grant something first.
    #[error("a privilege is missing")]
    Forbidden(#[source] Cause),
    /// Somebody has to look: what came back makes no sense, or there is nothing to look at.
    #[error("what the source gave cannot be used")]
    Unusable(#[source] Cause),
}

/// Why nothing can be written down now. The reaction is always the same: end nobody until it can.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It cannot be opened, written or synced.
    #[error("the audit {path} cannot be written")]
    Unwritable {
        /// Which file, or what else it is.
        path: String,
        /// What the system said.
        #[source]
        cause: Cause,
    },
    /// The disk hangs, or is far too slow.
    #[error("the record of another database is still being written")]
    Busy,
    /// An earlier record was lost to a bug; whatever is written after it would pretend to be complete.
    #[error("the audit is broken since an earlier record could not be written")]
    Broken,
}

impl AuditError {
    /// Whether another process writes it now.
    pub fn is_locked(&self) -> bool {
        let Self::Unwritable { cause, .. } = self else { return false };
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|it| it.kind() == std::io::ErrorKind::WouldBlock)
    }
}
