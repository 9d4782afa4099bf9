//! One audit for the ticks of all databases. It writes nothing itself; it lets one batch in at a time, and after the
//! first failure none at all, whatever the sink behind it would do.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::pursuit::Verified;
use crate::engine::report::Outcome;
use crate::engine::time::Timestamp;
use crate::ports::{AuditError, AuditSink, TickStamp};

/// A handle to the audit.
#[derive(Clone)]
pub struct SharedAudit(Arc<Mutex<State>>);

enum State {
    Open(Box<dyn AuditSink + Send>),
    Nowhere,
    Broken,
}

impl SharedAudit {
    /// Shares `sink`. Without one, records go nowhere: for daemons that end nobody.
    pub fn new(sink: Option<Box<dyn AuditSink + Send>>) -> Self {
        Self(Arc::new(Mutex::new(sink.map_or(State::Nowhere, State::Open))))
    }

    fn with(
        &self,
        write: impl FnOnce(&mut (dyn AuditSink + Send)) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        // A thread that panicked in the middle of a record leaves the audit broken.
        let mut state: MutexGuard<'_, State> = self.0.lock().map_err(|_| AuditError::Broken)?;
        let written = match &mut *state {
            State::Open(sink) => write(sink.as_mut()),
            State::Nowhere => Ok(()),
            State::Broken => Err(AuditError::Broken),
        };
        if written.is_err() {
            *state = State::Broken;
        }
        written
    }
}

impl AuditSink for SharedAudit {
    fn verified(
        &mut self,
        stamp: TickStamp<'_>,
        verified: &[Verified],
        now: Timestamp,
    ) -> Result<(), AuditError> {
        self.with(|sink| sink.verified(stamp, verified, now))
    }

    fn intend(
        &mut self,
        stamp: TickStamp<'_>,
        plan: &ApprovedPlan,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        self.with(|sink| sink.intend(stamp, plan, now))
    }

    fn outcome(
        &mut self,
        stamp: TickStamp<'_>,
        end: &End,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), AuditError> {
        self.with(|sink| sink.outcome(stamp, end, outcome, now))
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        self.with(|sink| sink.settle())
    }
}
