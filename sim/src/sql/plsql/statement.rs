//! The statements of a block that do something: assignments, SQL, calls.

use std::sync::Arc;

use super::array;
use super::collection::named;
use super::desk::{Answer, Request};
use super::machine::Machine;
use super::variables::{type_of, value_error};
use super::{Composites, Executed, Parameter, Returned, Signature};
use crate::conversation::{Direction, Release};
use crate::ora::OraError;
use crate::sql::ast::{Argument, Expr, ExprKind, Query, Stmt, StmtKind};
use crate::sql::compile::is_builtin;
use crate::sql::dml::Target;
use crate::sql::query::{Input, Inputs, Rows};
use crate::sql::statement::{self, Command};
use crate::value::{ColumnType, Value};

/// Calls inside one expression; more would be a loop.
const CALLS_MAX: usize = 100;

impl Machine {
    pub(super) async fn action(&mut self, statement: &Stmt) -> Result<(), OraError> {
        match &statement.kind {
            StmtKind::Assign(target, value) if self.is_whole(&named(target)) => {
                self.assign_whole(&named(target), value).await
            }
            StmtKind::AssignElement { name, index, value } => {
                self.assign_element(name, index, value).await
            }
            StmtKind::Assign(target, value) => {
                let value = self.evaluate(value).await?;
                self.assign(target, value).await
            }
            StmtKind::Select { query, into, lock, bulk } => {
                let query = crate::sql::query::Query((**query).clone());
                let command = match lock {
                    None => Command::Query(query),
                    Some(locks) => Command::SelectForUpdate { query, locks: locks.clone() },
                };
                let rows = match self.with_elements(command).await? {
                    Command::Query(query) => self.rows(&query.0).await?,
                    command => {
                        let done = self.execute(command, Arc::clone(&self.inputs)).await?;
                        done.rows.unwrap_or_default()
                    }
                };
                self.take(&rows, into, *bulk).await
            }
            StmtKind::Sql(command) => self.sql(command).await,
            StmtKind::Dynamic { text, into, bulk, using, returning } => {
                self.dynamic(text, (into, *bulk), using, returning).await
            }
            StmtKind::Call { name, arguments } => self.procedure(name, arguments).await,
            StmtKind::Open { cursor, arguments } => self.open(cursor, arguments).await,
            StmtKind::OpenFor { target, query } => {
                let rows = self.rows(query).await?;
                self.opened_for(target, rows);
                Ok(())
            }
            StmtKind::OpenText { target, text, using } => {
                let rows = self.rows_of_text(text, using).await?;
                self.opened_for(target, rows);
                Ok(())
            }
            StmtKind::Fetch { cursor, into, bulk: false, .. } => self.fetch(cursor, into).await,
            StmtKind::Fetch { cursor, into, limit, .. } => {
                self.fetch_many(cursor, into, limit.as_ref()).await
            }
            StmtKind::Close(cursor) => {
                let known = self.cursors.get_mut(cursor).filter(|cursor| cursor.open.is_some());
                known.ok_or_else(|| OraError::new(1001, "invalid cursor"))?.open = None;
                self.show_cursor(cursor, None);
                Ok(())
            }
            _ => Err(OraError::new(6501, "PL/SQL: program error")),
        }
    }

    /// The value of an expression; functions of the host are called first.
    pub(super) async fn evaluate(&mut self, expr: &Expr) -> Result<Value, OraError> {
        if let ExprKind::Literal(value, _) = &expr.kind {
            return Ok(value.clone());
        }
        let mut expr = expr.clone();
        for _ in 0..CALLS_MAX {
            let Some(call) = self.find_call(&mut expr) else {
                return match self.ask(Request::Evaluate(expr, Arc::clone(&self.inputs))).await? {
                    Answer::Value(value) => Ok(value),
                    _ => Ok(Value::Null),
                };
            };
            let (name, arguments) = called(call);
            let element = Box::pin(self.element(&name, &arguments)).await?;
            let kind = if let Some(kind) = element {
                kind
            } else {
                let returned = Box::pin(self.called(&name, &arguments, true)).await?;
                let value = returned.value.unwrap_or(Value::Null);
                let column_type = type_of(&value);
                ExprKind::Literal(value, column_type)
            };
            if let Some(call) = self.find_call(&mut expr) {
                call.kind = kind;
            }
        }
        Err(OraError::new(6501, "PL/SQL: program error"))
    }

    /// The first call that only the host can make; calls inside its arguments come first.
    pub(super) fn find_call<'e>(&self, expr: &'e mut Expr) -> Option<&'e mut Expr> {
        let host = match &expr.kind {
            ExprKind::Call(call) => !is_builtin(&call.name),
            ExprKind::Name { parts, .. } => {
                let name = parts.join(".");
                parts.len() > 1
                    && !self.inputs.variables.contains_key(&name)
                    && super::constant(&name).is_none()
            }
            _ => false,
        };
        let inside = expr.parts_mut().iter_mut().position(|part| self.find_call(part).is_some());
        match inside {
            Some(place) => {
                let part = expr.parts_mut().into_iter().nth(place)?;
                self.find_call(part)
            }
            None => host.then_some(expr),
        }
    }

    pub(super) async fn rows(&mut self, query: &Query) -> Result<Rows, OraError> {
        match self.ask(Request::Query(query.clone(), Arc::clone(&self.inputs))).await? {
            Answer::Rows(rows) => Ok(rows),
            _ => Ok(Rows::default()),
        }
    }

    async fn execute(
        &mut self,
        command: Command,
        inputs: Arc<Inputs>,
    ) -> Result<Executed, OraError> {
        match self.ask(Request::Execute(command, inputs)).await? {
            Answer::Executed(executed) => Ok(executed),
            _ => Ok(Executed::default()),
        }
    }

    /// A SQL statement that is no query.
    async fn sql(&mut self, command: &Command) -> Result<(), OraError> {
        let command = self.with_elements(command.clone()).await?;
        let returning = if let Command::Dml(dml) = &command { dml.0.returning() } else { None };
        let bulk = returning.is_some_and(|returning| returning.bulk);
        let done = self.execute(command, Arc::clone(&self.inputs)).await?;
        self.show_count(Some(done.count));
        for returned in done.returning {
            if bulk {
                self.fill(&returned.target, returned.values).await?;
                continue;
            }
            self.assign(&returned.target, only_one(&returned.values)?).await?;
        }
        Ok(())
    }

    /// INTO, with BULK COLLECT or without.
    async fn take(&mut self, rows: &Rows, into: &[Target], bulk: bool) -> Result<(), OraError> {
        if bulk { self.collect(rows, into).await } else { self.one_row(rows, into).await }
    }

    /// SELECT … INTO: exactly one row.
    async fn one_row(&mut self, rows: &Rows, into: &[Target]) -> Result<(), OraError> {
        let count = rows.cells.len() / rows.columns.len().max(1);
        self.show_count(Some(count as u64));
        match count {
            0 => return Err(OraError::new(1403, "no data found")),
            1 => {}
            _ => {
                return Err(OraError::new(
                    1422,
                    "exact fetch returns more than requested number of rows",
                ));
            }
        }
        let into = self.spread(into);
        if rows.columns.len() != into.len() {
            return Err(OraError::new(1007, "variable not in select list"));
        }
        for (target, value) in into.iter().zip(&rows.cells) {
            self.assign(target, value.clone()).await?;
        }
        Ok(())
    }

    /// EXECUTE IMMEDIATE.
    async fn dynamic(
        &mut self,
        text: &Expr,
        (into, bulk): (&[Target], bool),
        using: &[(Expr, Direction)],
        returning: &[Target],
    ) -> Result<(), OraError> {
        let parsed = self.parsed(text).await?;
        let inputs = self.dynamic_inputs(using, returning, parsed.binds.len()).await?;
        match parsed.command {
            Command::Query(query) => {
                if into.is_empty() {
                    // It is compiled, and never run.
                    return self.ask(Request::Describe(query.0, inputs)).await.map(drop);
                }
                let rows = match self.ask(Request::Query(query.0, inputs)).await? {
                    Answer::Rows(rows) => rows,
                    _ => Rows::default(),
                };
                self.take(&rows, into, bulk).await
            }
            Command::Block(block) => {
                let inputs = Arc::unwrap_or_clone(inputs);
                let mut child = Self::new(inputs, Composites::default(), Arc::clone(&self.desk));
                child.steps = self.steps;
                let finished = Box::pin(child.whole(block.0)).await?;
                for ((value, direction), result) in using.iter().zip(finished.values) {
                    if *direction != Direction::In {
                        let target = target_of(value).ok_or_else(|| not_a_target(value))?;
                        self.assign(&target, result).await?;
                    }
                }
                Ok(())
            }
            command => {
                let done = self.execute(command, inputs).await?;
                self.show_count(Some(done.count));
                for (place, target) in returning.iter().enumerate() {
                    let place = Target::Bind(using.len() + place);
                    let given = done.returning.iter().find(|returned| returned.target == place);
                    let values = given.map_or(&[][..], |returned| returned.values.as_slice());
                    self.assign(target, only_one(values)?).await?;
                }
                match (done.rows, into.is_empty()) {
                    (Some(rows), false) => self.take(&rows, into, bulk).await,
                    _ => Ok(()),
                }
            }
        }
    }

    async fn parsed(&mut self, text: &Expr) -> Result<statement::Parsed, OraError> {
        let Value::Text(text) = self.evaluate(text).await? else {
            return Err(value_error(""));
        };
        let release = match self.ask(Request::Release).await? {
            Answer::Release(release) => release,
            _ => Release::default(),
        };
        statement::parse(&text, release)
    }

    /// The rows of a query that is a text.
    async fn rows_of_text(
        &mut self,
        text: &Expr,
        using: &[(Expr, Direction)],
    ) -> Result<Rows, OraError> {
        let parsed = self.parsed(text).await?;
        let inputs = self.dynamic_inputs(using, &[], parsed.binds.len()).await?;
        let Command::Query(query) = parsed.command else {
            return Err(OraError::new(6539, "PL/SQL: target of OPEN must be a query"));
        };
        match self.ask(Request::Query(query.0, inputs)).await? {
            Answer::Rows(rows) => Ok(rows),
            _ => Ok(Rows::default()),
        }
    }

    /// What USING and RETURNING bind.
    async fn dynamic_inputs(
        &mut self,
        using: &[(Expr, Direction)],
        returning: &[Target],
        places: usize,
    ) -> Result<Arc<Inputs>, OraError> {
        let mut inputs = Inputs::default();
        for (value, direction) in using {
            inputs.binds.push(self.used(value, *direction).await?);
        }
        for target in returning {
            let column_type = self.type_of_target(target);
            inputs.binds.push(Input { column_type, value: Value::Null });
        }
        if inputs.binds.len() < places {
            return Err(OraError::new(1008, "not all variables bound"));
        }
        if inputs.binds.len() > places {
            return Err(OraError::new(1006, "bind variable does not exist"));
        }
        Ok(Arc::new(inputs))
    }

    async fn used(&mut self, value: &Expr, direction: Direction) -> Result<Input, OraError> {
        if direction == Direction::Out {
            let target = target_of(value).ok_or_else(|| not_a_target(value))?;
            return Ok(Input { column_type: self.type_of_target(&target), value: Value::Null });
        }
        let result = self.evaluate(value).await?;
        let column_type = match target_of(value) {
            Some(target) => self.type_of_target(&target),
            None => type_of(&result),
        };
        Ok(Input { column_type, value: result })
    }

    fn type_of_target(&self, target: &Target) -> ColumnType {
        let input = match target {
            Target::Bind(place) => self.inputs.binds.get(*place),
            Target::Variable(name) => self.inputs.variables.get(name),
        };
        input.map_or(ColumnType::Varchar2(32_767), |input| input.column_type)
    }

    /// A call as a statement.
    async fn procedure(&mut self, name: &[String], arguments: &[Argument]) -> Result<(), OraError> {
        if name.last().is_some_and(|name| name == "RAISE_APPLICATION_ERROR") {
            return Err(self.application_error(arguments).await?);
        }
        let name = name.join(".");
        if self.method(&name, arguments).await? {
            return Ok(());
        }
        if array::gives_lines(&name) {
            return self.get_lines(arguments).await;
        }
        self.called(&name, arguments, false).await.map(drop)
    }

    async fn application_error(&mut self, arguments: &[Argument]) -> Result<OraError, OraError> {
        let code = self.evaluate(&arguments[0].value).await?;
        let text = self.evaluate(&arguments[1].value).await?;
        let code = crate::sql::evaluate::convert::whole(&code)?.unwrap_or(0);
        let Some(code) = u32::try_from(-code).ok().filter(|code| (20_000..=20_999).contains(code))
        else {
            let text = format!(
                "error number argument to raise_application_error of {code} is out of range"
            );
            return Ok(OraError::new(21_000, text));
        };
        Ok(OraError::new(code, if let Value::Text(text) = text { text } else { String::new() }))
    }

    /// Calls a procedure or a function of the host.
    async fn called(
        &mut self,
        name: &str,
        arguments: &[Argument],
        function: bool,
    ) -> Result<Returned, OraError> {
        let signatures = self.signatures(name).await?;
        let mut best: Option<(usize, Signature)> = None;
        for signature in
            signatures.into_iter().filter(|signature| signature.returns.is_some() == function)
        {
            if let Some(places) = fitting(&signature, arguments) {
                let score = self.score(&signature, &places, arguments);
                if best.as_ref().is_none_or(|(other, _)| score > *other) {
                    best = Some((score, signature));
                }
            }
        }
        let (_, signature) = best.ok_or_else(|| OraError::new(6550, wrong_arguments(name)))?;
        let places = fitting(&signature, arguments).unwrap_or_default();
        let mut values: Vec<Option<Value>> = vec![None; signature.parameters.len()];
        for (argument, place) in arguments.iter().zip(&places) {
            let parameter = &signature.parameters[*place];
            values[*place] = Some(match parameter.direction {
                Direction::Out => Value::Null,
                Direction::In | Direction::InOut => {
                    let value = Box::pin(self.evaluate(&argument.value)).await?;
                    self.argument(value, parameter).await?
                }
            });
        }
        if name == SQLERRM {
            let value = Some(self.message(values.first()));
            return Ok(Returned { value, ..Returned::default() });
        }
        let returned = match self.ask(Request::Call(signature.clone(), values)).await? {
            Answer::Returned(returned) => returned,
            _ => Returned::default(),
        };
        for (place, value) in &returned.out {
            let argument = places.iter().position(|other| other == place).map(|at| &arguments[at]);
            if let Some(argument) = argument {
                let target =
                    target_of(&argument.value).ok_or_else(|| not_a_target(&argument.value))?;
                self.assign(&target, value.clone()).await?;
            }
        }
        Ok(returned)
    }

    /// An argument in the type of its parameter.
    async fn argument(&mut self, value: Value, parameter: &Parameter) -> Result<Value, OraError> {
        match self.ask(Request::Convert(value, parameter.column_type, None)).await {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(_) => Ok(Value::Null),
            Err(error) if error.code == 1722 => {
                Err(value_error(": character to number conversion error"))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn signatures(&self, name: &str) -> Result<Vec<Signature>, OraError> {
        if name == SQLERRM {
            return Ok(vec![sqlerrm()]);
        }
        match self.ask(Request::Signatures(name.to_owned())).await? {
            Answer::Signatures(signatures) => Ok(signatures),
            _ => Ok(Vec::new()),
        }
    }

    /// How many arguments are of their parameter's kind; text can be a lock's handle, and a number its id.
    fn score(&self, signature: &Signature, places: &[usize], arguments: &[Argument]) -> usize {
        let is_text =
            |column_type| matches!(column_type, ColumnType::Varchar2(_) | ColumnType::Char(_));
        let pairs = arguments.iter().zip(places);
        pairs
            .filter(|(argument, place)| {
                let column_type = match (&argument.value.kind, target_of(&argument.value)) {
                    (ExprKind::Literal(_, column_type), _) => *column_type,
                    (_, Some(target)) => self.type_of_target(&target),
                    _ => ColumnType::Number,
                };
                is_text(column_type) == is_text(signature.parameters[**place].column_type)
            })
            .count()
    }

    async fn open(&mut self, name: &str, arguments: &[Argument]) -> Result<(), OraError> {
        if self.cursors.get(name).is_some_and(|cursor| cursor.open.is_some()) {
            return Err(OraError::new(6511, "PL/SQL: cursor already open"));
        }
        let rows = self.rows_of(name, arguments).await?;
        if let Some(cursor) = self.cursors.get_mut(name) {
            cursor.open = Some((rows, 0));
        }
        self.show_cursor(name, None);
        Ok(())
    }

    async fn fetch(&mut self, name: &str, into: &[Target]) -> Result<(), OraError> {
        let open = self.cursors.get_mut(name).and_then(|cursor| cursor.open.as_mut());
        let (rows, fetched) = open.ok_or_else(|| OraError::new(1001, "invalid cursor"))?;
        let width = rows.columns.len().max(1);
        let row: Option<Vec<Value>> = rows.cells.chunks(width).nth(*fetched).map(<[Value]>::to_vec);
        *fetched += usize::from(row.is_some());
        self.show_cursor(name, Some(row.is_some()));
        let Some(row) = row else { return Ok(()) };
        let into = self.spread(into);
        if row.len() != into.len() {
            return Err(OraError::new(
                6504,
                "PL/SQL: Return types of Result Set variables or query do not match",
            ));
        }
        for (target, value) in into.iter().zip(row) {
            self.assign(target, value).await?;
        }
        Ok(())
    }

    /// FETCH … BULK COLLECT INTO … LIMIT: %NOTFOUND is true once there are fewer rows than the limit.
    async fn fetch_many(
        &mut self,
        name: &str,
        into: &[Target],
        limit: Option<&Expr>,
    ) -> Result<(), OraError> {
        let limit = match limit {
            None => None,
            Some(limit) => {
                let value = self.evaluate(limit).await?;
                let limit = crate::sql::evaluate::convert::whole(&value)?;
                let limit = limit.and_then(|limit| usize::try_from(limit).ok());
                Some(limit.filter(|limit| *limit > 0).ok_or_else(|| value_error(""))?)
            }
        };
        let open = self.cursors.get_mut(name).and_then(|cursor| cursor.open.as_mut());
        let (rows, fetched) = open.ok_or_else(|| OraError::new(1001, "invalid cursor"))?;
        let width = rows.columns.len().max(1);
        let left = (rows.cells.len() / width).saturating_sub(*fetched);
        let count = limit.map_or(left, |limit| left.min(limit));
        let from = *fetched * width;
        let cells = rows.cells[from..from + count * width].to_vec();
        let some = Rows { columns: rows.columns.clone(), cells };
        *fetched += count;
        self.show_cursor(name, Some(limit.is_some_and(|limit| count == limit)));
        self.collect(&some, into).await
    }

    /// `c%FOUND` and its kin.
    pub(super) fn show_cursor(&mut self, name: &str, found: Option<bool>) {
        let open = self
            .cursors
            .get(name)
            .and_then(|cursor| cursor.open.as_ref())
            .map(|(_, fetched)| *fetched);
        let flag = |truth: bool| Value::integer(u8::from(truth));
        let number = ColumnType::Number;
        self.set(&format!("{name}%ISOPEN"), number, flag(open.is_some()));
        self.set(
            &format!("{name}%ROWCOUNT"),
            number,
            open.map_or(Value::Null, |open| Value::integer(open as i128)),
        );
        self.set(&format!("{name}%FOUND"), number, found.map_or(Value::Null, flag));
        self.set(
            &format!("{name}%NOTFOUND"),
            number,
            found.map_or(Value::Null, |found| flag(!found)),
        );
    }
}

/// The only function that the block itself knows.
const SQLERRM: &str = "SQLERRM";

fn sqlerrm() -> Signature {
    let parameter = Parameter {
        name: "ERROR_NUMBER".to_owned(),
        direction: Direction::In,
        column_type: ColumnType::Number,
        optional: false,
    };
    let returns = Some(ColumnType::Varchar2(512));
    Signature { name: SQLERRM.to_owned(), parameters: vec![parameter], returns }
}

/// What RETURNING gave of one row at most.
fn only_one(values: &[Value]) -> Result<Value, OraError> {
    match values {
        [] => Ok(Value::Null),
        [value] => Ok(value.clone()),
        _ => {
            let text = "exact fetch returns more than requested number of rows";
            Err(OraError::new(1422, text))
        }
    }
}

/// Name and arguments of what [`Machine::find_call`] found, and what stands for a collection.
pub(super) fn called(expr: &Expr) -> (String, Vec<Argument>) {
    match &expr.kind {
        ExprKind::Call(call) => (call.name.join("."), call.arguments.clone()),
        ExprKind::Name { parts, .. } => (parts.join("."), Vec::new()),
        ExprKind::Bind(place) => (array::name(*place), Vec::new()),
        _ => (String::new(), Vec::new()),
    }
}

/// Where an argument's value can be put.
pub(super) fn target_of(expr: &Expr) -> Option<Target> {
    match &expr.kind {
        ExprKind::Bind(place) => Some(Target::Bind(*place)),
        ExprKind::Name { parts, .. } => Some(Target::Variable(parts.join("."))),
        _ => None,
    }
}

pub(super) fn not_a_target(expr: &Expr) -> OraError {
    OraError::new(6550, "PLS-00363: expression cannot be used as an assignment target").at(expr.at)
}

pub(super) fn wrong_arguments(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    format!("PLS-00306: wrong number or types of arguments in call to '{last}'")
}

/// For each argument the place of its parameter; `None` if the call does not fit.
pub(super) fn fitting(signature: &Signature, arguments: &[Argument]) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        let place = match &argument.name {
            None if at < signature.parameters.len() && places.len() == at => at,
            None => return None,
            Some(name) => {
                signature.parameters.iter().position(|parameter| parameter.name == *name)?
            }
        };
        if places.contains(&place) {
            return None;
        }
        places.push(place);
    }
    let complete = (0..signature.parameters.len())
        .all(|at| signature.parameters[at].optional || places.contains(&at));
    complete.then_some(places)
}
