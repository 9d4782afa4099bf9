//! One audit for the ticks of all databases. It writes nothing itself; it lets one batch in at a time.

use std::sync::{Arc, Mutex};

use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::pursuit::Verified;
use crate::engine::report::Outcome;
use crate::engine::time::Timestamp;
use crate::ports::{AuditError, AuditSink, TickStamp};

/// A handle to the audit. Without a sink, records go nowhere.
#[derive(Clone)]
pub struct SharedAudit(Option<Arc<Mutex<Box<dyn AuditSink + Send>>>>);

impl SharedAudit {
    /// Shares `sink`. None is for daemons that end nobody.
    pub fn new(sink: Option<Box<dyn AuditSink + Send>>) -> Self {
        Self(sink.map(|sink| Arc::new(Mutex::new(sink))))
    }

    fn with(
        &self,
        write: impl FnOnce(&mut (dyn AuditSink + Send)) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let Some(sink) = &self.0 else { return Ok(()) };
        // A thread that panicked in the middle of a record leaves the audit broken.
        let mut sink = sink.lock().map_err(|_| AuditError::Broken)?;
        write(sink.as_mut())
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
