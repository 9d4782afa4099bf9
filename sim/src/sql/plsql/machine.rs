//! The control flow of a block. Everything that needs the outside goes through the [`Desk`].

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use super::array::ArrayBind;
use super::collection::Collection;
use super::desk::{Answer, Desk, Request};
use super::exception::{self, Raised};
use super::variables::{Rules, Saved, value_error};
use super::{Composites, Finished};
use crate::conversation::Direction;
use crate::ora::OraError;
use crate::sql::ast::{
    Binary, Block, DeclarationKind, Declared, Expr, ExprKind, LoopKind, Query, Stmt, StmtKind,
};
use crate::sql::evaluate::convert;
use crate::sql::parse::block::compile_error;
use crate::sql::query::{Inputs, Rows};
use crate::value::{ColumnType, Number, Value};

/// After so many statements a block lets others do something.
const SLICE_STEPS: u64 = 1_000;

pub(super) struct Machine {
    /// Binds and variables as they are now. A request shares them, and is gone before they change, so that nothing is
    /// copied for an expression.
    pub(super) inputs: Arc<Inputs>,
    pub(super) rules: BTreeMap<String, Rules>,
    /// Exceptions of the block, and their numbers: 6510 unless PRAGMA EXCEPTION_INIT gave one.
    pub(super) exceptions: BTreeMap<String, u32>,
    pub(super) cursors: BTreeMap<String, Cursor>,
    pub(super) collections: BTreeMap<String, Collection>,
    /// Records, with the variables that are their fields.
    pub(super) records: BTreeMap<String, Vec<String>>,
    /// Binds that are cursors, by place.
    pub(super) cursor_binds: Vec<usize>,
    /// Binds that are arrays, by place, with the room that there is in them and how often the block was seen to read
    /// them as a whole.
    pub(super) array_binds: BTreeMap<usize, ArrayBind>,
    /// Those that were opened, with their rows.
    pub(super) opened: BTreeMap<usize, Rows>,
    pub(super) desk: Arc<Desk>,
    /// The errors whose handlers run, innermost last.
    caught: Vec<Raised>,
    lines: Vec<usize>,
    /// The names before %TYPE.
    pub(super) likes: Vec<Vec<String>>,
    pub(super) steps: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Cursor {
    /// `None` for SYS_REFCURSOR.
    pub(super) query: Option<Query>,
    pub(super) parameters: Vec<(String, Declared)>,
    /// The rows and how many were fetched, while it is open.
    pub(super) open: Option<(Rows, usize)>,
}

/// How a statement ended.
pub(super) enum Flow {
    Next,
    Exit(Option<String>),
    Continue(Option<String>),
    Return,
}

pub(super) type Step<'a> = Pin<Box<dyn Future<Output = Result<Flow, Raised>> + Send + 'a>>;

impl Machine {
    pub(super) fn new(inputs: Inputs, composites: Composites, desk: Arc<Desk>) -> Self {
        let Composites { cursors: cursor_binds, arrays } = composites;
        let mut machine = Self {
            inputs: Arc::new(inputs),
            rules: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            cursors: BTreeMap::new(),
            collections: BTreeMap::new(),
            records: BTreeMap::new(),
            cursor_binds,
            array_binds: BTreeMap::new(),
            opened: BTreeMap::new(),
            desk,
            caught: Vec::new(),
            lines: vec![0],
            likes: Vec::new(),
            steps: 0,
        };
        machine.show_error();
        machine.show_count(None);
        for array in arrays {
            machine.declare_array(array);
        }
        machine
    }

    /// Binds and variables, to be changed.
    pub(super) fn inputs_mut(&mut self) -> &mut Inputs {
        Arc::make_mut(&mut self.inputs)
    }

    pub(super) async fn ask(&self, request: Request) -> Result<Answer, OraError> {
        self.desk.ask(request).await
    }

    /// A whole block: compiled, which finds what Oracle finds then, and run.
    pub(super) async fn whole(mut self, block: Block) -> Result<Finished, OraError> {
        if self.inputs.binds.len() < block.bind_uses.len() {
            return Err(OraError::new(1008, "not all variables bound"));
        }
        self.lines.clone_from(&block.lines);
        self.likes.clone_from(&block.likes);
        let mut uses = block.bind_uses.clone();
        for (place, uses) in uses.iter().enumerate() {
            if uses.opened != self.cursor_binds.contains(&place) || (uses.opened && uses.reads > 0)
            {
                return Err(wrong_type());
            }
        }
        self.check(&block, &mut uses).await.map_err(|error| compile_error(error, &block.lines))?;
        self.check_arrays(&uses).map_err(|error| compile_error(error, &block.lines))?;
        self.block(&block).await.map_err(Raised::unhandled)?;
        let directions: Vec<Direction> = uses
            .iter()
            .map(|uses| match (uses.reads > 0, uses.written) {
                (true, true) => Direction::InOut,
                (false, true) => Direction::Out,
                _ => Direction::In,
            })
            .collect();
        let arrays = self.arrays_written(&uses)?;
        let values = Arc::unwrap_or_clone(self.inputs).binds.into_iter().zip(&directions).map(
            |(input, direction)| match direction {
                Direction::In => Value::Null,
                Direction::Out | Direction::InOut => input.value,
            },
        );
        let opened = self.opened.into_iter().collect();
        Ok(Finished { values: values.collect(), directions, opened, arrays })
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    pub(super) fn raised(&self, error: OraError, at: usize) -> Raised {
        Raised { error, name: None, line: self.line(at) }
    }

    pub(super) fn block<'a>(&'a mut self, block: &'a Block) -> Step<'a> {
        Box::pin(async move {
            let mut saved = Vec::new();
            let result = match self.declarations(block, &mut saved).await {
                Ok(()) => match self.statements(&block.body).await {
                    Err(raised) if raised.catchable() => self.handle(block, raised).await,
                    other => other,
                },
                // A block's own handlers do not cover its declarations.
                Err(raised) => Err(raised),
            };
            self.restore(saved);
            result
        })
    }

    async fn declarations(&mut self, block: &Block, saved: &mut Vec<Saved>) -> Result<(), Raised> {
        for declaration in &block.declarations {
            let name = &declaration.name;
            match &declaration.kind {
                DeclarationKind::Variable { declared, initial, constant, not_null } => {
                    let value = match initial {
                        Some(initial) => self
                            .evaluate(initial)
                            .await
                            .map_err(|error| self.raised(error, declaration.at))?,
                        None => Value::Null,
                    };
                    let declared = self.resolved(*declared, declaration.at).await;
                    let declared = declared.map_err(|error| self.raised(error, declaration.at))?;
                    saved.push(self.save(name));
                    let (constant, not_null) = (*constant, *not_null);
                    self.declare(name, Rules { declared, constant, not_null: false });
                    let target = crate::sql::dml::Target::Variable(name.clone());
                    self.assign(&target, value)
                        .await
                        .map_err(|error| self.raised(error, declaration.at))?;
                    self.rules.insert(name.clone(), Rules { declared, constant, not_null });
                }
                DeclarationKind::Exception => {
                    saved.push(self.save(name));
                    self.exceptions.insert(name.clone(), exception::OWN);
                }
                DeclarationKind::ExceptionInit(code) => {
                    let code = u32::try_from(code.unsigned_abs()).unwrap_or(0);
                    self.exceptions.insert(name.clone(), code);
                }
                DeclarationKind::Cursor { query, parameters } => {
                    saved.push(self.save(name));
                    self.declare_cursor(name, Some(query), parameters);
                }
                DeclarationKind::Reference => {
                    saved.push(self.save(name));
                    self.declare_cursor(name, None, &[]);
                }
                DeclarationKind::Nothing => {}
                composite => {
                    saved.push(self.save(name));
                    let made = self.composite(name, composite, saved, declaration.at).await;
                    made.map_err(|error| self.raised(error, declaration.at))?;
                }
            }
        }
        Ok(())
    }

    /// A variable that is no scalar, with its value if it has one.
    async fn composite(
        &mut self,
        name: &str,
        kind: &DeclarationKind,
        saved: &mut Vec<Saved>,
        at: usize,
    ) -> Result<(), OraError> {
        self.shape(name, kind, saved, at).await?;
        match kind {
            DeclarationKind::Collection { initial: Some(initial), .. } => {
                self.assign_collection(name, initial).await
            }
            _ => Ok(()),
        }
    }

    /// A variable that is no scalar, empty.
    pub(super) async fn shape(
        &mut self,
        name: &str,
        kind: &DeclarationKind,
        saved: &mut Vec<Saved>,
        at: usize,
    ) -> Result<(), OraError> {
        match kind {
            DeclarationKind::Collection { type_name, element, record, index, .. } => {
                let element = self.resolved(*element, at).await?;
                let made = Collection::new(type_name, element, *index);
                self.collections.insert(name.to_owned(), made);
                match record {
                    Some(record) => self.declare_columns(name, record, *index, saved, at).await,
                    None => Ok(()),
                }
            }
            DeclarationKind::Record(fields) => self.declare_fields(name, fields, saved, at).await,
            DeclarationKind::RowType(table) => {
                let fields = self.row_type(table).await?;
                self.declare_fields(name, &fields, saved, at).await
            }
            _ => Ok(()),
        }
    }

    /// The first handler that fits, or the error again.
    fn handle<'a>(&'a mut self, block: &'a Block, raised: Raised) -> Step<'a> {
        Box::pin(async move {
            let fits = |name: &String| {
                name == "OTHERS"
                    || raised.name.as_ref() == Some(name)
                    || match self.exceptions.get(name) {
                        Some(code) => {
                            *code == raised.error.code
                                && raised.name.is_none()
                                && *code != exception::OWN
                        }
                        None => exception::predefined(name) == Some(raised.error.code),
                    }
            };
            let Some(handler) =
                block.handlers.iter().find(|handler| handler.names.iter().any(fits))
            else {
                return Err(raised);
            };
            self.caught.push(raised);
            self.show_error();
            let result = self.statements(&handler.body).await;
            self.caught.pop();
            self.show_error();
            result
        })
    }

    /// SQLCODE and SQLERRM.
    fn show_error(&mut self) {
        let (code, text) = match self.caught.last() {
            Some(raised) => (raised.sqlcode(), raised.sqlerrm()),
            None => (0, "ORA-0000: normal, successful completion".into()),
        };
        let (stack, backtrace) = match self.caught.last() {
            Some(raised) => (
                Value::text(format!("{}\n", raised.error)),
                Value::text(format!("ORA-06512: at line {}\n", raised.line)),
            ),
            None => (Value::Null, Value::Null),
        };
        self.set("DBMS_UTILITY.FORMAT_ERROR_STACK", ColumnType::Varchar2(2000), stack);
        self.set("DBMS_UTILITY.FORMAT_ERROR_BACKTRACE", ColumnType::Varchar2(2000), backtrace);
        self.set("SQLCODE", ColumnType::Number, Value::integer(code));
        self.set("SQLERRM", ColumnType::Varchar2(512), Value::text(text));
    }

    /// SQLERRM of a number: the text is known of the error at hand and of those that PL/SQL names.
    pub(super) fn message(&self, code: Option<&Option<Value>>) -> Value {
        let Some(Some(Value::Number(code))) = code else { return Value::Null };
        let code = crate::sql::number::round(*code, 0).to_i64().unwrap_or(0);
        if let Some(raised) = self.caught.last().filter(|raised| raised.sqlcode() == code) {
            return Value::text(raised.sqlerrm());
        }
        Value::text(exception::message(code))
    }

    /// SQL%ROWCOUNT and its kin.
    pub(super) fn show_count(&mut self, count: Option<u64>) {
        let flag = |wanted: bool| {
            count.map_or(Value::Null, |count| Value::integer(u8::from((count > 0) == wanted)))
        };
        self.set("SQL%ROWCOUNT", ColumnType::Number, count.map_or(Value::Null, Value::integer));
        self.set("SQL%FOUND", ColumnType::Number, flag(true));
        self.set("SQL%NOTFOUND", ColumnType::Number, flag(false));
        self.set("SQL%ISOPEN", ColumnType::Number, Value::integer(0));
    }

    pub(super) fn statements<'a>(&'a mut self, list: &'a [Stmt]) -> Step<'a> {
        Box::pin(async move {
            for statement in list {
                self.steps += 1;
                if self.steps.is_multiple_of(SLICE_STEPS) {
                    self.desk.pause().await.map_err(|error| self.raised(error, statement.at))?;
                }
                match self.statement(statement).await? {
                    Flow::Next => {}
                    other => return Ok(other),
                }
            }
            Ok(Flow::Next)
        })
    }

    async fn statement(&mut self, statement: &Stmt) -> Result<Flow, Raised> {
        let at = statement.at;
        match &statement.kind {
            StmtKind::Null => Ok(Flow::Next),
            StmtKind::Return => Ok(Flow::Return),
            StmtKind::Block(block) => self.block(block).await,
            StmtKind::If { arms, otherwise } => {
                for (condition, body) in arms {
                    if self.test(condition, at).await? {
                        return self.statements(body).await;
                    }
                }
                self.statements(otherwise).await
            }
            StmtKind::Case { operand, arms, otherwise } => {
                for (when, body) in arms {
                    let condition = match operand {
                        Some(operand) => equal(operand, when),
                        None => when.clone(),
                    };
                    if self.test(&condition, at).await? {
                        return self.statements(body).await;
                    }
                }
                match otherwise {
                    Some(body) => self.statements(body).await,
                    None => Err(self.raised(OraError::new(6592, exception::text(6592)), at)),
                }
            }
            StmtKind::Loop { label, kind, body } => {
                self.looped(label.as_ref(), kind, body, at).await
            }
            StmtKind::Exit { label, when } => {
                let leave = match when {
                    Some(when) => self.test(when, at).await?,
                    None => true,
                };
                Ok(if leave { Flow::Exit(label.clone()) } else { Flow::Next })
            }
            StmtKind::Continue { label, when } => {
                let leave = match when {
                    Some(when) => self.test(when, at).await?,
                    None => true,
                };
                Ok(if leave { Flow::Continue(label.clone()) } else { Flow::Next })
            }
            StmtKind::Raise(name) => Err(self.raise(name.as_ref(), at)),
            StmtKind::ForAll { variable, low, high, body } => {
                self.for_all(variable, (low, high), body, at).await
            }
            _ => match self.action(statement).await {
                Ok(()) => Ok(Flow::Next),
                Err(error) => Err(self.raised(error, at)),
            },
        }
    }

    fn raise(&self, name: Option<&String>, at: usize) -> Raised {
        let Some(name) = name else {
            let again = self.caught.last().cloned();
            return again
                .unwrap_or_else(|| self.raised(OraError::new(6510, exception::text(0)), at));
        };
        match self.exceptions.get(name) {
            Some(&exception::OWN) => Raised::own(name, self.line(at)),
            Some(code) => self.raised(OraError::new(*code, ""), at),
            None => {
                let code = exception::predefined(name).unwrap_or(6510);
                self.raised(OraError::new(code, exception::text(code)), at)
            }
        }
    }

    async fn test(&mut self, condition: &Expr, at: usize) -> Result<bool, Raised> {
        let value = self.evaluate(condition).await.map_err(|error| self.raised(error, at))?;
        let number = convert::number(&value).map_err(|error| self.raised(error, at))?;
        Ok(number.is_some_and(|number| number != Number::integer(0)))
    }

    async fn looped(
        &mut self,
        label: Option<&String>,
        kind: &LoopKind,
        body: &[Stmt],
        at: usize,
    ) -> Result<Flow, Raised> {
        match kind {
            LoopKind::Forever | LoopKind::While(_) => loop {
                if let LoopKind::While(condition) = kind
                    && !self.test(condition, at).await?
                {
                    return Ok(Flow::Next);
                }
                if let Some(ended) = self.pass(body, label).await {
                    return ended;
                }
            },
            LoopKind::Range { variable, low, high, reverse } => {
                let (low, high) = (self.bound(low, at).await?, self.bound(high, at).await?);
                let saved = vec![self.save(variable)];
                let mut result = Ok(Flow::Next);
                let mut next = if *reverse { high } else { low };
                while (low..=high).contains(&next) {
                    self.set(variable, ColumnType::Number, Value::integer(next));
                    if let Some(ended) = self.pass(body, label).await {
                        result = ended;
                        break;
                    }
                    next += if *reverse { -1 } else { 1 };
                }
                self.restore(saved);
                result
            }
            LoopKind::Query { variable, query } => {
                let rows = self.rows(query).await.map_err(|error| self.raised(error, at))?;
                self.over_rows(variable, &rows, label, body).await
            }
            LoopKind::Cursor { variable, cursor, arguments } => {
                let rows = self.rows_of(cursor, arguments).await;
                let rows = rows.map_err(|error| self.raised(error, at))?;
                self.over_rows(variable, &rows, label, body).await
            }
        }
    }

    /// FORALL: the statement for each number; SQL%ROWCOUNT counts the rows of all.
    async fn for_all(
        &mut self,
        variable: &str,
        (low, high): (&Expr, &Expr),
        body: &Stmt,
        at: usize,
    ) -> Result<Flow, Raised> {
        // Of an empty collection FIRST and LAST are NULL.
        let bounds = [self.evaluate(low).await, self.evaluate(high).await];
        let [low, high] = bounds.map(|value| value.and_then(|value| convert::whole(&value)));
        let low = low.map_err(|error| self.raised(error, at))?;
        let high = high.map_err(|error| self.raised(error, at))?;
        let saved = vec![self.save(variable)];
        let mut count = 0;
        let mut result = Ok(Flow::Next);
        for index in low.unwrap_or(1)..=high.unwrap_or(0) {
            self.steps += 1;
            if self.steps.is_multiple_of(SLICE_STEPS)
                && let Err(error) = self.desk.pause().await
            {
                result = Err(self.raised(error, at));
                break;
            }
            self.set(variable, ColumnType::Number, Value::integer(index));
            if let Err(error) = self.action(body).await {
                result = Err(self.raised(error, at));
                break;
            }
            let now = self.inputs.variables.get("SQL%ROWCOUNT").map(|input| &input.value);
            let rows = now.and_then(|value| convert::whole(value).ok().flatten()).unwrap_or(0);
            count += u64::try_from(rows).unwrap_or(0);
        }
        self.restore(saved);
        self.show_count(Some(count));
        result
    }

    /// The body once; how the loop ended, if it did.
    async fn pass(
        &mut self,
        body: &[Stmt],
        label: Option<&String>,
    ) -> Option<Result<Flow, Raised>> {
        self.statements(body).await.map(|flow| left(flow, label)).transpose()
    }

    async fn bound(&mut self, expr: &Expr, at: usize) -> Result<i64, Raised> {
        let value = self.evaluate(expr).await.map_err(|error| self.raised(error, at))?;
        let number = convert::number(&value).ok().flatten();
        let number = number.ok_or_else(|| self.raised(value_error(""), at))?;
        // The index is a PLS_INTEGER.
        let whole = crate::sql::number::round(number, 0).to_i64();
        let whole = whole.and_then(|whole| i32::try_from(whole).ok());
        let overflow = || self.raised(OraError::new(1426, "numeric overflow"), at);
        whole.map(i64::from).ok_or_else(overflow)
    }

    /// A cursor FOR loop: the record's fields are variables while it runs.
    async fn over_rows(
        &mut self,
        variable: &str,
        rows: &Rows,
        label: Option<&String>,
        body: &[Stmt],
    ) -> Result<Flow, Raised> {
        let names: Vec<String> =
            rows.columns.iter().map(|column| format!("{variable}.{}", column.name)).collect();
        let saved: Vec<Saved> = names.iter().map(|name| self.save(name)).collect();
        let mut result = Ok(Flow::Next);
        for row in rows.cells.chunks(rows.columns.len().max(1)) {
            for ((name, column), value) in names.iter().zip(&rows.columns).zip(row) {
                self.set(name, column.column_type, value.clone());
            }
            if let Some(ended) = self.pass(body, label).await {
                result = ended;
                break;
            }
        }
        self.restore(saved);
        result
    }
}

/// A cursor where a value was due, or the other way about.
pub(super) fn wrong_type() -> OraError {
    OraError::new(6550, "line 1, column 1:\nPLS-00382: expression is of wrong type")
}

/// What a loop does after its body: `None` goes on.
fn left(flow: Flow, label: Option<&String>) -> Option<Flow> {
    match flow {
        Flow::Next => None,
        Flow::Continue(wanted) if wanted.is_none() || wanted.as_ref() == label => None,
        Flow::Exit(wanted) if wanted.is_none() || wanted.as_ref() == label => Some(Flow::Next),
        other => Some(other),
    }
}

pub(super) fn equal(left: &Expr, right: &Expr) -> Expr {
    let kind = ExprKind::Binary(Binary::Equal, Box::new(left.clone()), Box::new(right.clone()));
    Expr { kind, at: right.at }
}

/// A rule for names that the block cannot write.
pub(super) const READ_ONLY: Rules =
    Rules { declared: Declared::Anything, constant: true, not_null: false };
