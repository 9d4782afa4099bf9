//! Blocks with a host that answers from the fixture, notes what it is asked to do, and waits where Oracle would.

use std::fmt::Write as _;
use std::task::Poll;

use rac_sim::conversation::{Direction, Release, ResultColumn};
use rac_sim::ora::OraError;
use rac_sim::sql::dml;
use rac_sim::sql::environment::Environment;
use rac_sim::sql::plsql::{Executed, Host, Parameter, Returned, Run, Signature, signatures};
use rac_sim::sql::query::{self, Input, Inputs, Query, Rows};
use rac_sim::sql::statement::{Command, parse};
use rac_sim::value::{ColumnType, Value};

use crate::fixture::{Session, Tables};

struct Fixture {
    tables: Tables,
    release: Release,
    log: String,
    /// How often a call that waits has been asked about.
    waited: u32,
}

impl Fixture {
    /// `Pending` three times, then ready.
    fn wait(&mut self) -> bool {
        self.waited += 1;
        let over = self.waited > 3;
        if over {
            self.waited = 0;
        }
        over
    }

    fn note(&mut self, text: &str) {
        writeln!(self.log, "> {text}").expect("text can be written to");
    }
}

impl Host for Fixture {
    fn environment(&self) -> &dyn Environment {
        &Session
    }

    fn release(&self) -> Release {
        self.release
    }

    fn describe(&mut self, query: &Query, inputs: &Inputs) -> Result<Vec<ResultColumn>, OraError> {
        query::describe(query, &self.tables, &Session, inputs)
    }

    fn execute(&mut self, command: &Command, inputs: &Inputs) -> Poll<Result<Executed, OraError>> {
        Poll::Ready(Ok(match command {
            Command::KillSession { session, .. } => {
                if session.sid == 1 {
                    return Poll::Ready(Err(OraError::new(29, "session is not a user session")));
                }
                if session.sid == 17 && !self.wait() {
                    return Poll::Pending;
                }
                self.note(&format!("{command:?}"));
                if session.sid == 17 {
                    return Poll::Ready(Err(OraError::new(31, "session marked for kill")));
                }
                Executed::default()
            }
            Command::Dml(dml) => {
                let changes = match dml::changes(dml, &self.tables, &Session, inputs) {
                    Ok(changes) => changes,
                    Err(error) => return Poll::Ready(Err(error)),
                };
                self.note(&format!("{changes:?}"));
                Executed {
                    count: changes.rows.len() as u64,
                    rows: None,
                    returning: changes.returning,
                }
            }
            Command::SelectForUpdate { query, .. } => {
                match query::run(query, &self.tables, &Session, inputs) {
                    Ok(rows) => Executed { count: 0, rows: Some(rows), returning: Vec::new() },
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            other => {
                self.note(&format!("{other:?}"));
                Executed::default()
            }
        }))
    }

    fn query(&mut self, query: &Query, inputs: &Inputs) -> Poll<Result<Rows, OraError>> {
        Poll::Ready(query::run(query, &self.tables, &Session, inputs))
    }

    fn signatures(&self, name: &str) -> Vec<Signature> {
        if name != "KILLER.SAFE_KILL" {
            return signatures(name);
        }
        let parameter = |name: &str, direction, optional| Parameter {
            name: name.into(),
            direction,
            column_type: ColumnType::Number,
            optional,
        };
        let parameters = vec![
            parameter("P_SID", Direction::In, false),
            parameter("P_SERIAL", Direction::In, false),
            parameter("P_RESULT", Direction::Out, false),
            parameter("P_INST", Direction::In, true),
        ];
        vec![Signature { name: name.into(), parameters, returns: None }]
    }

    fn call(
        &mut self,
        signature: &Signature,
        arguments: &[Option<Value>],
    ) -> Poll<Result<Returned, OraError>> {
        if signature.name == "DBMS_LOCK.SLEEP" && !self.wait() {
            return Poll::Pending;
        }
        let handle =
            signature.parameters.first().is_some_and(|parameter| parameter.name == "LOCKHANDLE");
        self.note(&format!(
            "{}{} {arguments:?}",
            signature.name,
            if handle { " by handle" } else { "" }
        ));
        Poll::Ready(Ok(match signature.name.as_str() {
            "DBMS_LOCK.ALLOCATE_UNIQUE" => {
                Returned { value: None, out: vec![(1, Value::text("10737418641073741864187"))] }
            }
            "DBMS_LOCK.REQUEST" => Returned { value: Some(Value::integer(4)), out: Vec::new() },
            "DBMS_SESSION.UNIQUE_SESSION_ID" => {
                Returned { value: Some(Value::text("001100010001")), out: Vec::new() }
            }
            "KILLER.SAFE_KILL" => Returned { value: None, out: vec![(2, Value::integer(-30))] },
            _ => Returned::default(),
        }))
    }
}

/// What a block does and leaves in its binds.
pub(crate) fn answer(statement: &str, given: &[(String, Input)], release: Release) -> String {
    let parsed = match parse(statement, release) {
        Ok(parsed) => parsed,
        Err(error) => return crate::shown(&error),
    };
    let inputs = match crate::arranged(&parsed, given) {
        Ok(inputs) => inputs,
        Err(error) => return crate::shown(&error),
    };
    let Command::Block(block) = parsed.command else { return "not a block".into() };
    let mut host = Fixture { tables: Tables::new(), release, log: String::new(), waited: 0 };
    let mut run = Run::new(block, inputs);
    let mut waits = 0;
    let result = loop {
        match run.poll(&mut host) {
            Poll::Ready(result) => break result,
            Poll::Pending => waits += 1,
        }
        assert!(waits < 1000, "a block that never ends: {statement}");
    };
    let mut text = host.log;
    if waits > 0 {
        writeln!(text, "waited {waits} times").expect("text can be written to");
    }
    match result {
        Ok(finished) => {
            for ((name, direction), value) in
                parsed.binds.iter().zip(finished.directions).zip(finished.values)
            {
                writeln!(text, ":{name} {direction:?} {}", crate::cell(&value))
                    .expect("text can be written to");
            }
            text.push_str("done");
        }
        Err(error) => text.push_str(&crate::shown(&error)),
    }
    text
}

/// A run can be kept by a thread that waits.
#[test]
fn sql_run_is_send() {
    fn is_send<T: Send>() {}
    is_send::<Run>();
}
