//! The clients of the model: who they are and how they live.

use super::Cluster;
use super::session::SessionKey;
use crate::ora::OraError;

/// A workload, ready for use.
#[derive(Debug)]
pub(super) struct Work {}

/// A client of the model. It outlives its sessions: it connects again.
#[derive(Debug)]
pub(super) struct Seat {}

impl Cluster {
    pub(super) fn make_works(&mut self) {}
    pub(super) fn seat_due(&mut self, _seat: u32, _token: u32) {}
    pub(super) fn seat_granted(&mut self, _seat: u32) {}
    pub(super) fn seat_lost(&mut self, _seat: u32, _key: SessionKey) {}
    pub(super) fn seat_rolled_back(&mut self, _key: SessionKey) {}
    pub(super) fn seat_cancelled(&mut self, _seat: u32) {}
    pub(super) fn end_slaves(&mut self, _key: SessionKey) {}
    pub(super) fn start_readers(&mut self, _key: SessionKey) -> Result<(), OraError> {
        Ok(())
    }
    pub(super) fn sweep(&mut self) {}
}
