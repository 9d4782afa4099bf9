//! Snapshots that were taken before, played back one a tick. It knows no file: whoever reads the capture hands the
//! snapshots over.

use crate::engine::needs::Needs;
use crate::engine::session::Snapshot;
use crate::ports::{SessionSource, SourceError};

/// A source that gives the next snapshot each time it is asked; the last one stays.
#[derive(Debug, Clone)]
pub struct CaptureSource {
    snapshots: Vec<Snapshot>,
    next: usize,
}

impl CaptureSource {
    /// Plays back `snapshots` in their order.
    pub fn new(snapshots: Vec<Snapshot>) -> Self {
        Self { snapshots, next: 0 }
    }
}

impl SessionSource for CaptureSource {
    fn observe(&mut self, _needs: &Needs) -> Result<Snapshot, SourceError> {
        let Some(last) = self.snapshots.len().checked_sub(1) else {
            return Err(SourceError::Unusable("the capture holds no snapshot".into()));
        };
        let snapshot = self.snapshots[self.next].clone();
        self.next = (self.next + 1).min(last);
        Ok(snapshot)
    }

    fn is_live(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::CaptureSource;
    use crate::engine::needs::Needs;
    use crate::engine::session::{Sessions, Snapshot};
    use crate::engine::time::Timestamp;
    use crate::ports::{SessionSource as _, SourceError};

    #[test]
    fn the_last_snapshot_stays() {
        let at = |at| Snapshot::of_sessions("prod", Timestamp(at), Sessions::default());
        let mut source = CaptureSource::new(vec![at(1), at(2)]);
        let mut times =
            std::iter::repeat_with(|| source.observe(&Needs::always()).map(|seen| seen.taken_at.0));
        let seen: Result<Vec<i64>, SourceError> = times.by_ref().take(4).collect();
        assert_eq!(seen.expect("there are snapshots"), [1, 2, 2, 2]);
    }

    #[test]
    fn an_empty_capture_is_an_error_and_no_database_without_sessions() {
        let seen = CaptureSource::new(Vec::new()).observe(&Needs::always());
        assert!(matches!(seen, Err(SourceError::Unusable(_))));
    }
}
