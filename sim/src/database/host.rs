//! What a PL/SQL block reaches outside itself: commands, queries, packages, and procedures with definer's rights.

use std::task::Poll;

use super::environment::Sight;
use super::package;
use super::session::{Act, Nested};
use crate::catalog::books::Procedure;
use crate::conversation::{Direction, Release, ResultColumn};
use crate::ora::OraError;
use crate::sql::environment::Environment;
use crate::sql::plsql::{Executed, Host, Returned, Run, Signature};
use crate::sql::query::{self, Input, Inputs, Query, Rows};
use crate::sql::statement::{self, Command};
use crate::value::Value;

/// Units deep that a definer-rights procedure may call another: Oracle has 50, and more is a mistake in a scenario.
const DEPTH_MAX: usize = 8;

/// A block's host for one step.
pub(super) struct Outside<'a> {
    act: Act<'a>,
    sight: Sight,
    depth: usize,
}

impl<'a> Outside<'a> {
    /// The host of a block that a client sent.
    pub(super) fn new(act: Act<'a>) -> Self {
        Self::deep(act, 0)
    }

    fn deep(act: Act<'a>, depth: usize) -> Self {
        let sight = act.sight();
        Self { act, sight, depth }
    }

    /// Does something for the block, unless its session is over: no handler of an exception may go on then, and the
    /// call ends with what ended the session.
    fn alive<T>(&mut self, act: impl FnOnce(&mut Self) -> Poll<T>) -> Poll<T> {
        let key = self.act.session.key;
        let is_over = |outside: &Self| outside.act.state.cluster.death(key).is_some();
        if is_over(self) {
            return Poll::Pending;
        }
        let done = act(self);
        if is_over(self) { Poll::Pending } else { done }
    }

    /// Calls a definer-rights procedure, or goes on with it.
    fn call_procedure(
        &mut self,
        procedure: &Procedure,
        arguments: &[Option<Value>],
    ) -> Poll<Result<Returned, OraError>> {
        let depth = self.depth;
        let mut nested = match self.act.session.nested.remove(&depth) {
            Some(nested) => nested,
            None => match begin(procedure, arguments, self.release(), depth) {
                Ok(nested) => nested,
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        let Some(owner) = self.act.state.books.accounts.get(&procedure.owner) else {
            return Poll::Ready(Err(OraError::new(
                6508,
                "PL/SQL: could not find program unit being called",
            )));
        };
        // Roles are off inside definer-rights units (facts, section 5.3).
        let mut viewer = self.act.session.viewer.clone();
        viewer.rights = self.act.state.books.accounts.direct_rights(owner);
        viewer.user.clone_from(&procedure.owner);
        viewer.schema.clone_from(&procedure.owner);
        let invoker = std::mem::replace(&mut self.act.session.viewer, viewer);
        let act = Act { state: &mut *self.act.state, session: &mut *self.act.session };
        let progress = nested.run.poll(&mut Outside::deep(act, depth + 1));
        self.act.session.viewer = invoker;
        match progress {
            Poll::Pending => {
                self.act.session.nested.insert(depth, nested);
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(finished)) => {
                let value = |bind: usize| finished.values.get(bind).cloned().unwrap_or(Value::Null);
                let out = nested
                    .places
                    .iter()
                    .map(|(parameter, bind)| (*parameter, value(*bind)))
                    .collect();
                Poll::Ready(Ok(Returned { value: None, out }))
            }
        }
    }
}

/// The body of a procedure with its arguments as binds.
fn begin(
    procedure: &Procedure,
    arguments: &[Option<Value>],
    release: Release,
    depth: usize,
) -> Result<Nested, OraError> {
    if depth >= DEPTH_MAX {
        return Err(OraError::new(36, "maximum number of recursive SQL levels (8) exceeded"));
    }
    let parsed = statement::parse(&procedure.body, release)?;
    let Command::Block(block) = parsed.command else {
        return Err(OraError::new(6508, "PL/SQL: could not find program unit being called"));
    };
    let parameters = &procedure.signature.parameters;
    let mut inputs = Inputs::default();
    let mut places = Vec::new();
    for (bind, name) in parsed.binds.iter().enumerate() {
        let place = parameters.iter().position(|one| one.name == *name).ok_or_else(|| {
            OraError::new(
                6550,
                format!(
                    "the body of {} has a bind :{name} that is no parameter",
                    procedure.signature.name
                ),
            )
        })?;
        let parameter = &parameters[place];
        if parameter.direction != Direction::In {
            places.push((place, bind));
        }
        let value = arguments.get(place).cloned().flatten().unwrap_or(Value::Null);
        inputs.binds.push(Input { column_type: parameter.column_type, value });
    }
    Ok(Nested { run: Run::new(block, inputs), places })
}

impl Host for Outside<'_> {
    fn environment(&self) -> &dyn Environment {
        &self.sight
    }

    fn release(&self) -> Release {
        self.act.state.cluster.release()
    }

    fn describe(&mut self, query: &Query, inputs: &Inputs) -> Result<Vec<ResultColumn>, OraError> {
        query::describe(query, &self.act.view(), &self.sight, inputs)
    }

    fn execute(&mut self, command: &Command, inputs: &Inputs) -> Poll<Result<Executed, OraError>> {
        self.alive(|outside| {
            // A handler may go on behind a statement that fails, of which nothing is left then.
            let act = &mut outside.act;
            let began = act.session.began.unwrap_or_else(|| act.begin());
            let done = act.carry_out(command, inputs);
            if let Poll::Ready(Err(_)) = &done {
                act.undo(began);
            }
            act.session.began = done.is_pending().then_some(began);
            outside.sight = outside.act.sight();
            done
        })
    }

    fn query(&mut self, query: &Query, inputs: &Inputs) -> Poll<Result<Rows, OraError>> {
        self.alive(|outside| outside.act.query(query, inputs))
    }

    fn signatures(&self, name: &str) -> Vec<Signature> {
        let state = &*self.act.state;
        package::signatures(&state.books, &self.act.session.viewer, name)
    }

    fn call(
        &mut self,
        signature: &Signature,
        arguments: &[Option<Value>],
    ) -> Poll<Result<Returned, OraError>> {
        if let Some(procedure) = self.act.state.books.procedures.get(&signature.name).cloned() {
            return self.call_procedure(&procedure, arguments);
        }
        self.alive(|outside| {
            let done = package::call(&mut outside.act, signature, arguments);
            outside.sight = outside.act.sight();
            done
        })
    }
}
