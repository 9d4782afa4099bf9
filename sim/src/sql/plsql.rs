//! Anonymous blocks. A [`Run`] is the execution of one: it stops where the outside has to wait and goes on when it is
//! polled again.

mod array;
mod check;
mod collection;
mod cursor;
mod desk;
mod element;
mod exception;
mod machine;
mod packages;
mod statement;
mod variables;

pub(crate) use packages::constant;
pub use packages::signatures;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use desk::Desk;
use machine::Machine;

use super::ast;
use super::environment::Environment;
use super::query::{Inputs, Query, Rows};
use super::statement::Command;
use crate::conversation::{Array, Direction, Release, ResultColumn};
use crate::ora::OraError;
use crate::value::{ColumnType, Value};

/// A parsed block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block(pub(crate) ast::Block);

/// What a block needs from the outside. A method that returns `Pending` is called again, with the same arguments, at
/// the next [`Run::poll`], until it returns `Ready`.
pub trait Host {
    /// Time, session and user.
    fn environment(&self) -> &dyn Environment;

    /// The release: dynamic SQL is parsed for it.
    fn release(&self) -> Release;

    /// The columns of a query, as [`super::query::describe`] tells.
    fn describe(&mut self, query: &Query, inputs: &Inputs) -> Result<Vec<ResultColumn>, OraError>;

    /// Carries out any command except `Query` and `Block`; SELECT … FOR UPDATE gives rows, DML a count.
    fn execute(&mut self, command: &Command, inputs: &Inputs) -> Poll<Result<Executed, OraError>>;

    /// Runs a query.
    fn query(&mut self, query: &Query, inputs: &Inputs) -> Poll<Result<Rows, OraError>>;

    /// The procedures and functions of this name (`DBMS_LOCK.REQUEST`, `KILLER_OWNER.SAFE_KILL`, upper-case): one per
    /// overloading, none if the session cannot see one (PLS-00201). [`signatures`] knows those of Oracle's packages.
    fn signatures(&self, name: &str) -> Vec<Signature>;

    /// Calls one of them. `arguments` has one value for each parameter of the signature; `None` where the call left it
    /// to its default.
    fn call(
        &mut self,
        signature: &Signature,
        arguments: &[Option<Value>],
    ) -> Poll<Result<Returned, OraError>>;
}

/// What a command gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Executed {
    /// SQL%ROWCOUNT.
    pub count: u64,
    /// Rows, for SELECT … FOR UPDATE.
    pub rows: Option<Rows>,
    /// What RETURNING gave.
    pub returning: Vec<super::dml::Returned>,
}

/// What a procedure or function gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Returned {
    /// A function's result.
    pub value: Option<Value>,
    /// OUT parameters, by place.
    pub out: Vec<(usize, Value)>,
}

/// A procedure or function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// With package and owner, upper-case, as it is called.
    pub name: String,
    /// In their order.
    pub parameters: Vec<Parameter>,
    /// A function's result.
    pub returns: Option<ColumnType>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Upper-case.
    pub name: String,
    /// Where its value goes.
    pub direction: Direction,
    /// Its type; BOOLEAN is a NUMBER of 0 or 1.
    pub column_type: ColumnType,
    /// It can be left out.
    pub optional: bool,
}

/// Binds that are no scalars.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Composites {
    /// By place: cursors that the block may open.
    pub cursors: Vec<usize>,
    /// Arrays.
    pub arrays: Vec<Array>,
}

/// What a block left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Per bind.
    pub directions: Vec<Direction>,
    /// Per bind; `Null` for an IN bind.
    pub values: Vec<Value>,
    /// Binds that were opened as cursors, by place, with their rows.
    pub opened: Vec<(usize, Rows)>,
    /// Binds that are arrays and were written, by place, with their elements.
    pub arrays: Vec<(usize, Vec<Value>)>,
}

/// The execution of a block. It owns all that it needs, so it can be kept while it waits.
pub struct Run {
    future: Pin<Box<dyn Future<Output = Result<Finished, OraError>> + Send>>,
    desk: Arc<Desk>,
    paused: bool,
}

/// Interrupts a block, wherever it runs.
#[derive(Clone)]
pub struct Interrupt(Arc<Desk>);

impl Interrupt {
    /// Lets the block fail with an error at its next pause.
    pub fn with(&self, error: OraError) {
        self.0.interrupt(error);
    }
}

impl Run {
    /// Begins; nothing happens before the first poll.
    pub fn new(block: Block, binds: Inputs) -> Self {
        Self::with_composites(block, binds, Composites::default())
    }

    /// The same with binds that are no scalars.
    pub fn with_composites(block: Block, binds: Inputs, composites: Composites) -> Self {
        let desk = Arc::new(Desk::default());
        let machine = Machine::new(binds, composites, Arc::clone(&desk));
        Self { future: Box::pin(machine.whole(block.0)), desk, paused: false }
    }

    /// Goes on until the block ends, the host has to wait, or the block has run for a while. Not after it was `Ready`.
    pub fn poll(&mut self, host: &mut dyn Host) -> Poll<Result<Finished, OraError>> {
        self.go_on(host, |_| true)
    }

    /// The same with a host that knows the environment and the release only: it also ends where more is needed.
    pub fn poll_alone(&mut self, host: &mut dyn Host) -> Poll<Result<Finished, OraError>> {
        self.go_on(host, |desk| !desk.needs_database())
    }

    fn go_on(
        &mut self,
        host: &mut dyn Host,
        serves: impl Fn(&Desk) -> bool,
    ) -> Poll<Result<Finished, OraError>> {
        let mut context = Context::from_waker(Waker::noop());
        self.paused = false;
        loop {
            if let Poll::Ready(result) = self.future.as_mut().poll(&mut context) {
                return Poll::Ready(result);
            }
            self.paused = self.desk.take_pause();
            if self.paused || !serves(&self.desk) || self.desk.serve(host).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Whether the block could go on at once, and was only stopped so that others can do something.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// What interrupts it.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(Arc::clone(&self.desk))
    }
}
