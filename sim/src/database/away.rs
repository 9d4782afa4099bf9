//! A block that runs for long without anything of the database: it goes on in a job until it wants something.

use std::task::Poll;
use std::time::{Duration, Instant};

use super::SimDatabase;
use super::environment::Sight;
use super::job::{Job, Shift};
use crate::cluster::session::SessionKey;
use crate::conversation::{Release, ResultColumn};
use crate::ora::OraError;
use crate::sql::environment::Environment;
use crate::sql::meter::Pace;
use crate::sql::plsql::{Executed, Finished, Host, Interrupt, Returned, Run, Signature};
use crate::sql::query::{Inputs, Query, Rows};
use crate::sql::statement::Command;
use crate::value::Value;

/// How old SYSDATE may be that a block sees in a loop.
const SIGHT_AGE: Duration = Duration::from_millis(20);

/// A block in a job.
pub(super) struct Away {
    pub(super) job: Job<Back>,
    /// Lets it fail where it is.
    pub(super) interrupt: Interrupt,
}

/// How a block comes back.
pub(super) enum Back {
    /// It ended.
    Finished(Result<Finished, OraError>),
    /// It wants something of the database.
    Wants(Run),
}

impl Away {
    /// Sends a block away.
    pub(super) fn new(run: Run, host: Alone) -> Result<Self, OraError> {
        let interrupt = run.interrupt();
        let job = Job::start(move |shift| go_on(run, host, &shift))?;
        Ok(Self { job, interrupt })
    }
}

fn go_on(mut run: Run, mut host: Alone, shift: &Shift) -> Back {
    let mut looked = Instant::now();
    loop {
        if let Err(error) = shift.more() {
            return Back::Finished(Err(error));
        }
        match run.poll_alone(&mut host) {
            Poll::Ready(result) => return Back::Finished(result),
            Poll::Pending if !run.is_paused() => return Back::Wants(run),
            Poll::Pending => {}
        }
        if looked.elapsed() >= SIGHT_AGE {
            host.look();
            looked = Instant::now();
        }
    }
}

/// What such a block knows of its database: the environment.
pub(super) struct Alone {
    pub(super) sight: Sight,
    pub(super) release: Release,
    pub(super) database: SimDatabase,
    pub(super) key: SessionKey,
}

impl Alone {
    /// Looks at the clock anew.
    fn look(&mut self) {
        let state = self.database.lock();
        self.sight.look(&state, self.key);
    }
}

fn absent<T>() -> Result<T, OraError> {
    Err(OraError::new(6501, "PL/SQL: program error"))
}

impl Host for Alone {
    fn environment(&self) -> &dyn Environment {
        &self.sight
    }

    fn release(&self) -> Release {
        self.release
    }

    // The block comes back for the rest, so nothing below is ever asked.

    fn describe(&mut self, _: &Query, _: &Inputs) -> Result<Vec<ResultColumn>, OraError> {
        absent()
    }

    fn execute(&mut self, _: &Command, _: &Inputs) -> Poll<Result<Executed, OraError>> {
        Poll::Ready(absent())
    }

    fn query(&mut self, _: &Query, _: &Inputs) -> Poll<Result<Rows, OraError>> {
        Poll::Ready(absent())
    }

    fn signatures(&self, _: &str) -> Vec<Signature> {
        Vec::new()
    }

    fn call(&mut self, _: &Signature, _: &[Option<Value>]) -> Poll<Result<Returned, OraError>> {
        Poll::Ready(absent())
    }
}
