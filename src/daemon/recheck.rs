//! Whether what is left of a plan is still to be carried out. Between the look and an end time may pass: by
//! `per_second`, by servers that answer late, by an audit on a disk that hangs, or because this process was stopped.
//! Nothing is decided anew here. What changed only stops the rest, and the next tick judges it again.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::holds;
use crate::engine::standing::Hold;
use crate::engine::time::Timestamp;
use crate::engine::witness::AGE_MAX;

/// The file of holds is read again after so long: who pauses means now, and a file that is read for every end costs
/// more than the ends.
const HOLDS_AGE_MAX: Duration = Duration::from_secs(1);

/// Raised when other policies, or another configuration, came into force, or the daemon was told to stop: whoever did
/// that means now.
#[derive(Debug, Clone, Default)]
pub struct Superseded(Arc<AtomicBool>);

impl Superseded {
    /// Raises it, for good.
    pub fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a plan rests on besides its snapshot.
pub struct Recheck<'a> {
    /// When the look began, by the clock that ends are paced by.
    began: Duration,
    holds: Option<Held<'a>>,
    superseded: Option<&'a Superseded>,
    /// When the file of holds was read last.
    read: Cell<Duration>,
    stopped: Cell<Option<&'static str>>,
}

/// What the file of holds said.
pub struct Held<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// About this database,
    pub database: &'a str,
    /// at this time,
    pub at: Timestamp,
    /// this.
    pub holds: &'a [Hold],
}

impl<'a> Recheck<'a> {
    /// For a plan whose look began then; `now` is when the holds were read.
    pub const fn new(began: Duration, now: Duration, holds: Option<Held<'a>>) -> Self {
        Self { began, holds, superseded: None, read: Cell::new(now), stopped: Cell::new(None) }
    }

    /// For a plan of policies that are in force until this is raised.
    #[must_use]
    pub const fn until(mut self, superseded: &'a Superseded) -> Self {
        self.superseded = Some(superseded);
        self
    }

    /// Why nobody else of the plan is to be ended, for people; once that is so it stays so.
    pub fn stops(&self, now: Duration) -> Option<&'static str> {
        if self.stopped.get().is_none() {
            self.stopped.set(self.look(now));
        }
        self.stopped.get()
    }

    /// Why it was stopped, if it was.
    pub const fn stopped(&self) -> Option<&'static str> {
        self.stopped.get()
    }

    fn look(&self, now: Duration) -> Option<&'static str> {
        if now.saturating_sub(self.began) > AGE_MAX.to_duration() {
            return Some("what was seen is too old to act on");
        }
        if self.superseded.is_some_and(Superseded::is_raised) {
            return Some("policies were loaded anew, or the daemon stops");
        }
        let held = self.holds.as_ref()?;
        if now.saturating_sub(self.read.get()) < HOLDS_AGE_MAX {
            return None;
        }
        self.read.set(now);
        let (holds, _) = holds::standing(held.path, held.database, held.at);
        (holds != held.holds).then_some("pauses or silences have changed")
    }
}
