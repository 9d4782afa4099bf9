//! What a statement costs while it runs. The executor counts its steps and what it holds; who runs the statement
//! decides what happens when an allowance is used up.

use std::cell::Cell;

use crate::ora::OraError;

/// What the rows of one statement may take. Oracle has PGA_AGGREGATE_LIMIT and the temporary tablespace for it.
const HELD_BYTES_MAX: usize = 512 * 1_024 * 1_024;

/// Says how a statement goes on that has used up its steps: with so many more, or not at all.
pub trait Pace {
    /// The next allowance. The error ends the statement.
    fn more(&self) -> Result<u64, OraError>;
}

/// Counts what one statement does.
pub struct Meter {
    left: Cell<u64>,
    spent: Cell<bool>,
    /// Bytes that go when the block that holds them ends.
    passing: Cell<usize>,
    /// Bytes that stay until the statement ends.
    kept: Cell<usize>,
    pace: Option<Box<dyn Pace>>,
}

impl Meter {
    fn new(steps: u64, pace: Option<Box<dyn Pace>>) -> Self {
        let (left, spent) = (Cell::new(steps), Cell::new(false));
        Self { left, spent, passing: Cell::new(0), kept: Cell::new(0), pace }
    }

    /// For what ends soon by its nature.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX, None)
    }

    /// For so many steps. A statement that needs more fails, and [`Meter::is_spent`] tells why.
    pub fn limited(steps: u64) -> Self {
        Self::new(steps, None)
    }

    /// For as many steps as `pace` allows.
    pub fn paced(pace: Box<dyn Pace>) -> Self {
        Self::new(0, Some(pace))
    }

    /// Whether a limited statement needed more steps than it had. What it gave is worth nothing then.
    pub fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// Counts steps: about one for each row that is looked at.
    #[inline]
    pub(crate) fn step(&self, steps: usize) -> Result<(), OraError> {
        match self.left.get().checked_sub(steps as u64) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => self.ask(),
        }
    }

    #[cold]
    fn ask(&self) -> Result<(), OraError> {
        let Some(pace) = &self.pace else {
            self.spent.set(true);
            return Err(too_long());
        };
        self.left.set(pace.more()?);
        Ok(())
    }

    /// Counts bytes that go when the block ends.
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), OraError> {
        self.passing.set(self.passing.get().saturating_add(bytes));
        self.check()
    }

    /// Counts bytes that stay until the statement ends.
    pub(crate) fn keep(&self, bytes: usize) -> Result<(), OraError> {
        self.kept.set(self.kept.get().saturating_add(bytes));
        self.check()
    }

    fn check(&self) -> Result<(), OraError> {
        if self.passing.get().saturating_add(self.kept.get()) <= HELD_BYTES_MAX {
            return Ok(());
        }
        let text = "out of process memory when trying to allocate the rows of a statement";
        Err(OraError::new(4030, text))
    }

    /// Runs a block; what it held is free again afterwards.
    pub(crate) fn within<T>(&self, block: impl FnOnce() -> T) -> T {
        let before = self.passing.get();
        let result = block();
        self.passing.set(before);
        result
    }
}

/// The error of a statement that cannot be given the time that it needs.
pub(crate) fn too_long() -> OraError {
    OraError::new(40, "active time limit exceeded - call aborted")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Twice(Cell<u32>);

    impl Pace for Twice {
        fn more(&self) -> Result<u64, OraError> {
            self.0.set(self.0.get() + 1);
            if self.0.get() > 2 { Err(OraError::new(1013, "")) } else { Ok(10) }
        }
    }

    #[test]
    fn an_allowance_ends_or_is_renewed() {
        let meter = Meter::limited(2);
        assert!(meter.step(1).is_ok() && meter.step(1).is_ok() && !meter.is_spent());
        assert_eq!(meter.step(1).map_err(|error| error.code), Err(40));
        assert!(meter.is_spent());
        let meter = Meter::paced(Box::new(Twice(Cell::new(0))));
        let steps = (0..100).take_while(|_| meter.step(1).is_ok()).count();
        assert_eq!((steps, meter.is_spent()), (22, false));
    }

    #[test]
    fn a_block_gives_back_what_it_held() {
        let meter = Meter::unlimited();
        for _ in 0..10 {
            meter.within(|| meter.hold(HELD_BYTES_MAX)).expect("it fits");
        }
        meter.keep(HELD_BYTES_MAX / 2).expect("it fits");
        meter.within(|| meter.hold(HELD_BYTES_MAX / 2)).expect("it fits");
        assert_eq!(meter.hold(HELD_BYTES_MAX).map_err(|error| error.code), Err(4030));
    }
}
