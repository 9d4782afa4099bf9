//! Where a block that runs and its host meet: the block puts a request there and waits for the answer, so it holds
//! nothing that belongs to the host.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::{Executed, Host, Returned, Signature};
use crate::conversation::{Release, ResultColumn};
use crate::ora::OraError;
use crate::sql::ast::{Expr, Query};
use crate::sql::compile::{Compiler, Scope};
use crate::sql::evaluate::{Evaluator, Frame, Texts, convert};
use crate::sql::meter::Meter;
use crate::sql::query::{self, Inputs, Rows};
use crate::sql::statement::Command;
use crate::value::{ColumnType, Digits, Value};

/// What a block wants to know or to have done.
pub(super) enum Request {
    /// The value of an expression; a condition is 1, 0 or NULL.
    Evaluate(Expr, Arc<Inputs>),
    /// Whether an expression can be compiled at all, as a condition or not.
    Check {
        expr: Expr,
        condition: bool,
        inputs: Arc<Inputs>,
    },
    Convert(Value, ColumnType, Option<Digits>),
    Describe(Query, Arc<Inputs>),
    Query(Query, Arc<Inputs>),
    Execute(Command, Arc<Inputs>),
    Signatures(String),
    Call(Signature, Vec<Option<Value>>),
    Release,
}

/// What came of it. Each request has its own kind of answer.
pub(super) enum Answer {
    Value(Value),
    Columns(Vec<ResultColumn>),
    Rows(Rows),
    Executed(Executed),
    Signatures(Vec<Signature>),
    Returned(Returned),
    Release(Release),
    Checked,
}

#[derive(Default)]
pub(super) struct Desk(Mutex<State>);

#[derive(Default)]
struct State {
    request: Option<Request>,
    answer: Option<Result<Answer, OraError>>,
    pause: Pause,
    /// What the block is to fail with where it is.
    interrupt: Option<OraError>,
}

/// Whether the block lets others do something.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Pause {
    #[default]
    No,
    Wanted,
    Over,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request there and waits.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, OraError> {
        self.state().request = Some(request);
        std::future::poll_fn(|_| match self.state().answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }

    /// Lets others do something. The error is what the block was interrupted with.
    pub(super) async fn pause(&self) -> Result<(), OraError> {
        self.state().pause = Pause::Wanted;
        std::future::poll_fn(|_| {
            if self.state().pause == Pause::Over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.state().pause = Pause::No;
        match self.state().interrupt.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether the block has begun a pause, which is over with that.
    pub(super) fn take_pause(&self) -> bool {
        let mut state = self.state();
        let wanted = state.pause == Pause::Wanted;
        if wanted {
            state.pause = Pause::Over;
        }
        wanted
    }

    pub(super) fn interrupt(&self, error: OraError) {
        self.state().interrupt = Some(error);
    }

    /// Whether the request that is there needs more than values.
    pub(super) fn needs_database(&self) -> bool {
        matches!(
            self.state().request,
            Some(
                Request::Describe(..)
                    | Request::Query(..)
                    | Request::Execute(..)
                    | Request::Signatures(..)
                    | Request::Call(..)
            )
        )
    }

    /// Answers the request that is there; `Pending` if the host has to wait, and then the request stays.
    pub(super) fn serve(&self, host: &mut dyn Host) -> Poll<()> {
        let Some(request) = self.state().request.take() else { return Poll::Pending };
        match answered(&request, host) {
            Poll::Ready(answer) => {
                self.state().answer = Some(answer);
                Poll::Ready(())
            }
            Poll::Pending => {
                self.state().request = Some(request);
                Poll::Pending
            }
        }
    }
}

fn answered(request: &Request, host: &mut dyn Host) -> Poll<Result<Answer, OraError>> {
    let answer = match request {
        Request::Evaluate(expr, inputs) => evaluated(expr, inputs, host).map(Answer::Value),
        Request::Check { expr, condition, inputs } => checked(expr, *condition, inputs, host),
        Request::Convert(value, column_type, scale) => {
            convert::cast(value.clone(), *column_type, *scale, host.environment())
                .map(Answer::Value)
        }
        Request::Describe(query, inputs) => {
            host.describe(&query::Query(query.clone()), inputs).map(Answer::Columns)
        }
        Request::Query(query, inputs) => {
            return host
                .query(&query::Query(query.clone()), inputs)
                .map(|rows| rows.map(Answer::Rows));
        }
        Request::Execute(command, inputs) => {
            return host.execute(command, inputs).map(|executed| executed.map(Answer::Executed));
        }
        Request::Signatures(name) => Ok(Answer::Signatures(host.signatures(name))),
        Request::Call(signature, arguments) => {
            return host.call(signature, arguments).map(|returned| returned.map(Answer::Returned));
        }
        Request::Release => Ok(Answer::Release(host.release())),
    };
    Poll::Ready(answer)
}

/// Expressions outside SQL read no tables.
struct NoTables;

impl crate::catalog::Catalog for NoTables {
    fn columns(&self, _: &str) -> Result<&[crate::catalog::Column], OraError> {
        Err(OraError::new(942, "table or view does not exist"))
    }

    fn scan(
        &self,
        _: &str,
        _: &[usize],
        _: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError> {
        Ok(())
    }
}

fn evaluated(expr: &Expr, inputs: &Inputs, host: &dyn Host) -> Result<Value, OraError> {
    let environment = host.environment();
    let compiler = Compiler::new(&NoTables, inputs);
    let typed = compiler.expression(expr, &Scope::empty())?;
    let meter = Meter::unlimited();
    let texts = Texts::Plsql;
    let evaluator = Evaluator { catalog: &NoTables, environment, meter: &meter, texts };
    let value = evaluator.value(&typed.code, &Frame::empty());
    value.map_err(|error| match error.code {
        1722 => OraError::new(
            6502,
            "PL/SQL: numeric or value error: character to number conversion error",
        ),
        _ => error,
    })
}

fn checked(
    expr: &Expr,
    condition: bool,
    inputs: &Inputs,
    _: &dyn Host,
) -> Result<Answer, OraError> {
    let compiler = Compiler::new(&NoTables, inputs);
    let scope = Scope::empty();
    if condition {
        compiler.condition(expr, &scope).map(drop)?;
    } else {
        compiler.expression(expr, &scope).map(drop)?;
    }
    Ok(Answer::Checked)
}
