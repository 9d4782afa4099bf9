//! What Oracle finds while it compiles a block: names that are not declared, calls that do not fit, SQL that is wrong.
//! Nothing runs here, and every variable is NULL.

use std::pin::Pin;

use super::desk::{Answer, Request};
use super::exception;
use super::machine::{Cursor, Machine, READ_ONLY, equal};
use super::statement::{called, fitting, target_of, wrong_arguments};
use super::variables::{Rules, Saved};
use crate::conversation::{Direction, ResultColumn};
use crate::ora::OraError;
use crate::sql::ast::{
    Argument, BindUse, Block, DeclarationKind, Declared, Expr, ExprKind, LoopKind, Query, Stmt,
    StmtKind,
};
use crate::sql::dml::Target;
use crate::sql::statement::Command;
use crate::value::{ColumnType, Value};

type Checked<'a> = Pin<Box<dyn Future<Output = Result<(), OraError>> + Send + 'a>>;

/// PLS-00201.
fn undeclared(name: &str, at: usize) -> OraError {
    OraError::new(6550, format!("PLS-00201: identifier '{name}' must be declared")).at(at)
}

impl Machine {
    /// Checks a block; `uses` learns which binds the OUT parameters of calls write.
    pub(super) fn check<'a>(
        &'a mut self,
        block: &'a Block,
        uses: &'a mut [BindUse],
    ) -> Checked<'a> {
        Box::pin(async move {
            let mut saved = Vec::new();
            let result = self.check_parts(block, uses, &mut saved).await;
            self.restore(saved);
            result
        })
    }

    async fn check_parts(
        &mut self,
        block: &Block,
        uses: &mut [BindUse],
        saved: &mut Vec<Saved>,
    ) -> Result<(), OraError> {
        for declaration in &block.declarations {
            let name = &declaration.name;
            match &declaration.kind {
                DeclarationKind::Variable { declared, initial, constant, not_null } => {
                    if let Some(initial) = initial {
                        self.check_value(initial, uses).await?;
                    } else if *constant || *not_null {
                        let text = "PLS-00218: a variable declared NOT NULL must have an initialization assignment";
                        return Err(OraError::new(6550, text).at(declaration.at));
                    }
                    let declared = self.resolved(*declared, declaration.at).await?;
                    saved.push(self.save(name));
                    let rules = Rules { declared, constant: *constant, not_null: *not_null };
                    self.declare(name, rules);
                }
                DeclarationKind::Exception => {
                    saved.push(self.save(name));
                    self.exceptions.insert(name.clone(), exception::OWN);
                }
                DeclarationKind::ExceptionInit(_) if !self.exceptions.contains_key(name) => {
                    return Err(undeclared(name, declaration.at));
                }
                DeclarationKind::ExceptionInit(_) | DeclarationKind::Nothing => {}
                DeclarationKind::Cursor { query, parameters } => {
                    let parameters = parameters.clone();
                    let cursor = Cursor { query: Some((**query).clone()), parameters, open: None };
                    let columns = self.columns_of(&cursor).await;
                    columns.map_err(|error| error_at(error, declaration.at))?;
                    saved.push(self.save(name));
                    self.declare_cursor(name, cursor.query.as_ref(), &cursor.parameters);
                }
                DeclarationKind::Reference => {
                    saved.push(self.save(name));
                    self.declare_cursor(name, None, &[]);
                }
                composite => {
                    saved.push(self.save(name));
                    let checked =
                        self.check_composite(name, composite, uses, saved, declaration.at).await;
                    checked.map_err(|error| error_at(error, declaration.at))?;
                }
            }
        }
        self.check_statements(&block.body, uses).await?;
        for handler in &block.handlers {
            for name in &handler.names {
                if name != "OTHERS"
                    && !self.exceptions.contains_key(name)
                    && exception::predefined(name).is_none()
                {
                    return Err(undeclared(name, handler.at));
                }
            }
            self.check_statements(&handler.body, uses).await?;
        }
        Ok(())
    }

    /// A variable that is no scalar.
    async fn check_composite(
        &mut self,
        name: &str,
        kind: &DeclarationKind,
        uses: &mut [BindUse],
        saved: &mut Vec<Saved>,
        at: usize,
    ) -> Result<(), OraError> {
        self.shape(name, kind, saved, at).await?;
        if let DeclarationKind::Collection { initial: Some(initial), .. } = kind {
            self.check_arguments(initial, uses).await?;
        }
        Ok(())
    }

    fn check_statements<'a>(
        &'a mut self,
        list: &'a [Stmt],
        uses: &'a mut [BindUse],
    ) -> Checked<'a> {
        Box::pin(async move {
            for statement in list {
                self.check_statement(statement, uses)
                    .await
                    .map_err(|error| error_at(error, statement.at))?;
            }
            Ok(())
        })
    }

    async fn check_statement(
        &mut self,
        statement: &Stmt,
        uses: &mut [BindUse],
    ) -> Result<(), OraError> {
        let at = statement.at;
        match &statement.kind {
            StmtKind::Assign(target, value) => {
                if let Target::Variable(name) = target
                    && self.is_whole(name)
                {
                    return self.check_whole(name, value, uses).await;
                }
                if self.is_collection(target) {
                    return self.check_arguments(value, uses).await;
                }
                self.check_target(target, at)?;
                self.check_kinds(target, value)?;
                self.check_value(value, uses).await
            }
            StmtKind::If { arms, otherwise } => {
                for (condition, body) in arms {
                    self.check_condition(condition, uses).await?;
                    self.check_statements(body, uses).await?;
                }
                self.check_statements(otherwise, uses).await
            }
            StmtKind::Case { operand, arms, otherwise } => {
                for (when, body) in arms {
                    let condition = operand
                        .as_ref()
                        .map_or_else(|| when.clone(), |operand| equal(operand, when));
                    self.check_condition(&condition, uses).await?;
                    self.check_statements(body, uses).await?;
                }
                self.check_statements(otherwise.as_deref().unwrap_or_default(), uses).await
            }
            StmtKind::Loop { kind, body, .. } => self.check_loop(kind, body, uses, at).await,
            StmtKind::Exit { when: Some(when), .. }
            | StmtKind::Continue { when: Some(when), .. } => self.check_condition(when, uses).await,
            StmtKind::Block(block) => self.check(block, uses).await,
            StmtKind::Raise(Some(name))
                if !self.exceptions.contains_key(name) && exception::predefined(name).is_none() =>
            {
                Err(undeclared(name, at))
            }
            _ => self.check_action(statement, uses).await,
        }
    }

    /// Statements that hold no others.
    async fn check_action(
        &mut self,
        statement: &Stmt,
        uses: &mut [BindUse],
    ) -> Result<(), OraError> {
        let at = statement.at;
        match &statement.kind {
            StmtKind::AssignElement { name, index, value } => {
                self.check_element(name, (index, value), uses, at).await
            }
            StmtKind::ForAll { variable, low, high, body } => {
                let kind = LoopKind::Range {
                    variable: variable.clone(),
                    low: low.clone(),
                    high: high.clone(),
                    reverse: false,
                };
                self.check_loop(&kind, std::slice::from_ref(&**body), uses, at).await
            }
            StmtKind::Select { query, into, bulk, .. } => {
                self.check_select(query, into, *bulk, at).await
            }
            StmtKind::Sql(command) => self.check_command(command, at).await,
            StmtKind::Dynamic { text, into, bulk, using, returning } => {
                self.check_value(text, uses).await?;
                for (value, direction) in using {
                    match (direction, target_of(value)) {
                        (Direction::In, _) => self.check_value(value, uses).await?,
                        (_, Some(target)) => self.check_target(&target, value.at)?,
                        (_, None) => return Err(super::statement::not_a_target(value)),
                    }
                }
                self.check_into(into, *bulk, at)?;
                returning.iter().try_for_each(|target| self.check_target(target, at))
            }
            StmtKind::Call { name, arguments } => self.check_call(name, arguments, uses, at).await,
            StmtKind::Open { cursor, arguments } => {
                self.check_opening(cursor, arguments, uses, at).await
            }
            StmtKind::Close(cursor) => self.check_cursor(cursor, at),
            StmtKind::OpenFor { target, query } => {
                self.check_reference(target, at)?;
                self.described(query).await.map(drop)
            }
            StmtKind::OpenText { target, text, using } => {
                self.check_reference(target, at)?;
                let values = std::iter::once(text).chain(using.iter().map(|(value, _)| value));
                self.check_values(values, uses).await
            }
            StmtKind::Fetch { cursor, into, bulk, limit } => {
                self.check_cursor(cursor, at)?;
                if let Some(limit) = limit {
                    self.check_value(limit, uses).await?;
                }
                self.check_into(into, *bulk, at)
            }
            _ => Ok(()),
        }
    }

    /// `c(i) := value`.
    async fn check_element(
        &mut self,
        name: &str,
        (index, value): (&Expr, &Expr),
        uses: &mut [BindUse],
        at: usize,
    ) -> Result<(), OraError> {
        if !self.collections.contains_key(name) {
            return Err(undeclared(name, at));
        }
        self.check_value(index, uses).await?;
        if self.records.contains_key(name) {
            return self.check_arguments(value, uses).await;
        }
        self.check_value(value, uses).await
    }

    /// A whole collection or record.
    async fn check_whole(
        &mut self,
        name: &str,
        value: &Expr,
        uses: &mut [BindUse],
    ) -> Result<(), OraError> {
        let records = self.collections.contains_key(name) && self.records.contains_key(name);
        if records && !called(value).1.is_empty() {
            let text = "unimplemented feature: a constructor with records";
            return Err(OraError::new(3001, text).at(value.at));
        }
        self.check_arguments(value, uses).await
    }

    /// A DML statement is compiled as the query that reads what it reads.
    async fn check_command(&mut self, command: &Command, at: usize) -> Result<(), OraError> {
        if let Command::Dml(dml) = self.with_element_types(command.clone()) {
            let inserts = matches!(dml.0, crate::sql::ast::Dml::Insert { .. });
            for query in dml.0.reads() {
                match self.described(&query).await {
                    // Who may only insert is told of wrong columns when the statement runs.
                    Err(error) if inserts && error.code == 1031 => {}
                    described => drop(described?),
                }
            }
            if let Some(returning) = dml.0.returning() {
                self.check_into(&returning.into, returning.bulk, at)?;
            }
        }
        Ok(())
    }

    async fn check_select(
        &mut self,
        query: &Query,
        into: &[Target],
        bulk: bool,
        at: usize,
    ) -> Result<(), OraError> {
        let query = Command::Query(crate::sql::query::Query(query.clone()));
        let Command::Query(query) = self.with_element_types(query) else { return Ok(()) };
        let columns = self.described(&query.0).await?;
        self.check_into(into, bulk, at)?;
        let into = self.spread(into);
        if columns.len() != into.len() {
            let (code, text) = if columns.len() < into.len() {
                (947, "not enough values")
            } else {
                (913, "too many values")
            };
            return Err(OraError::new(code, text).at(at));
        }
        Ok(())
    }

    async fn check_loop(
        &mut self,
        kind: &LoopKind,
        body: &[Stmt],
        uses: &mut [BindUse],
        at: usize,
    ) -> Result<(), OraError> {
        let mut saved = Vec::new();
        match kind {
            LoopKind::Forever => {}
            LoopKind::While(condition) => self.check_condition(condition, uses).await?,
            LoopKind::Range { variable, low, high, .. } => {
                self.check_value(low, uses).await?;
                self.check_value(high, uses).await?;
                saved.push(self.save(variable));
                self.declare(variable, READ_ONLY);
                self.set(variable, ColumnType::Number, Value::Null);
            }
            LoopKind::Query { variable, query } => {
                let columns = self.described(query).await?;
                self.declare_record(variable, columns, &mut saved);
            }
            LoopKind::Cursor { variable, cursor, arguments } => {
                self.check_opening(cursor, arguments, uses, at).await?;
                if let Some(cursor) = self.cursors.get(cursor).cloned() {
                    let columns = self.columns_of(&cursor).await?;
                    self.declare_record(variable, columns, &mut saved);
                }
            }
        }
        let result = self.check_statements(body, uses).await;
        self.restore(saved);
        result
    }

    fn declare_record(
        &mut self,
        variable: &str,
        columns: Vec<ResultColumn>,
        saved: &mut Vec<Saved>,
    ) {
        for column in columns {
            let name = format!("{variable}.{}", column.name);
            saved.push(self.save(&name));
            self.set(&name, column.column_type, Value::Null);
        }
    }

    async fn check_opening(
        &mut self,
        name: &str,
        arguments: &[Argument],
        uses: &mut [BindUse],
        at: usize,
    ) -> Result<(), OraError> {
        self.check_cursor(name, at)?;
        if self.cursors.get(name).is_some_and(|one| one.query.is_none()) {
            return Err(super::cursor::wrong_kind().at(at));
        }
        if self.cursors.get(name).is_some_and(|one| one.parameters.len() != arguments.len()) {
            return Err(OraError::new(6550, wrong_arguments(name)).at(at));
        }
        self.check_values(arguments.iter().map(|argument| &argument.value), uses).await
    }

    async fn check_values(
        &mut self,
        values: impl Iterator<Item = &Expr>,
        uses: &mut [BindUse],
    ) -> Result<(), OraError> {
        for value in values {
            self.check_value(value, uses).await?;
        }
        Ok(())
    }

    pub(super) fn check_cursor(&self, name: &str, at: usize) -> Result<(), OraError> {
        if self.cursors.contains_key(name) { Ok(()) } else { Err(undeclared(name, at)) }
    }

    pub(super) fn check_target(&self, target: &Target, at: usize) -> Result<(), OraError> {
        let Target::Variable(name) = target else { return Ok(()) };
        if !self.inputs.variables.contains_key(name) {
            return Err(undeclared(name, at));
        }
        if self.rules.get(name).is_some_and(|rules| rules.constant) {
            let text =
                format!("PLS-00363: expression '{name}' cannot be used as an assignment target");
            return Err(OraError::new(6550, text).at(at));
        }
        Ok(())
    }

    /// BOOLEAN goes into nothing else, and nothing else into it.
    fn check_kinds(&self, target: &Target, value: &Expr) -> Result<(), OraError> {
        let Target::Variable(name) = target else { return Ok(()) };
        match (self.is_boolean(name), self.gives_boolean(value)) {
            (Some(target), Some(value)) if target == value => Ok(()),
            (None, _) | (_, None) => Ok(()),
            _ => {
                let text = "PLS-00382: expression is of wrong type";
                Err(OraError::new(6550, text).at(value.at))
            }
        }
    }

    /// `None` where the type is not known.
    fn is_boolean(&self, variable: &str) -> Option<bool> {
        match self.rules.get(variable)?.declared {
            Declared::Anything | Declared::Like(_) => None,
            declared => Some(declared == Declared::Boolean),
        }
    }

    fn gives_boolean(&self, value: &Expr) -> Option<bool> {
        match &value.kind {
            ExprKind::Boolean(_) => Some(true),
            ExprKind::Literal(value, _) if !value.is_null() => Some(false),
            ExprKind::Name { parts, .. } => self.is_boolean(&parts.join(".")),
            _ => None,
        }
    }

    /// The targets of INTO: variables, one record, or with BULK COLLECT collections.
    fn check_into(&self, into: &[Target], bulk: bool, at: usize) -> Result<(), OraError> {
        let into = if bulk { self.spread(into) } else { into.to_vec() };
        if bulk && !into.iter().all(|target| self.is_collection(target)) {
            let text = "PLS-00497: cannot mix between single row and multi-row (BULK) in INTO list";
            return Err(OraError::new(6550, text).at(at));
        }
        if !bulk && into.iter().any(|target| self.is_collection(target)) {
            let text = "PLS-00642: local collection types not allowed in SQL statements";
            return Err(OraError::new(6550, text).at(at));
        }
        if bulk {
            return Ok(());
        }
        self.spread(&into).iter().try_for_each(|target| self.check_target(target, at))
    }

    /// What stands in a constructor; another collection has nothing to check.
    async fn check_arguments(
        &mut self,
        value: &Expr,
        uses: &mut [BindUse],
    ) -> Result<(), OraError> {
        self.count_array(value);
        for argument in called(value).1 {
            self.check_value(&argument.value, uses).await?;
        }
        Ok(())
    }

    pub(super) async fn described(&mut self, query: &Query) -> Result<Vec<ResultColumn>, OraError> {
        match self
            .ask(Request::Describe(query.clone(), std::sync::Arc::clone(&self.inputs)))
            .await?
        {
            Answer::Columns(columns) => Ok(columns),
            _ => Ok(Vec::new()),
        }
    }

    async fn check_value(&mut self, expr: &Expr, uses: &mut [BindUse]) -> Result<(), OraError> {
        self.check_expression(expr, false, uses).await
    }

    async fn check_condition(&mut self, expr: &Expr, uses: &mut [BindUse]) -> Result<(), OraError> {
        self.check_expression(expr, true, uses).await
    }

    /// Calls of the host become NULLs of the function's type, and what is left is compiled.
    async fn check_expression(
        &mut self,
        expr: &Expr,
        condition: bool,
        uses: &mut [BindUse],
    ) -> Result<(), OraError> {
        let mut expr = expr.clone();
        only_plsql(&mut expr)?;
        let mut boolean = false;
        while let Some(call) = self.find_call(&mut expr) {
            let at = call.at;
            let (name, arguments) = called(call);
            if let Some(kind) = self.element_type(&name) {
                for argument in &arguments {
                    Box::pin(self.check_value(&argument.value, uses)).await?;
                }
                if let Some(call) = self.find_call(&mut expr) {
                    call.kind = kind;
                }
                boolean |= matches!(expr.kind, ExprKind::Literal(..));
                continue;
            }
            let column_type = self.check_signature(&name, &arguments, true, uses, at).await?;
            if let Some(call) = self.find_call(&mut expr) {
                call.kind = ExprKind::Literal(Value::Null, column_type);
            }
            boolean |= matches!(expr.kind, ExprKind::Literal(..));
        }
        let condition = condition && !boolean;
        let checked = self
            .ask(Request::Check { expr, condition, inputs: std::sync::Arc::clone(&self.inputs) })
            .await;
        checked.map(drop).map_err(|error| match (error.code, error.position) {
            (904, Some(at)) => {
                undeclared(&error.text.replace('"', "").replace(": invalid identifier", ""), at)
            }
            (920, Some(at)) => OraError::new(6550, "PLS-00382: expression is of wrong type").at(at),
            (938 | 939, Some(at)) => OraError::new(6550, wrong_arguments("function")).at(at),
            _ => error,
        })
    }

    async fn check_call(
        &mut self,
        name: &[String],
        arguments: &[Argument],
        uses: &mut [BindUse],
        at: usize,
    ) -> Result<(), OraError> {
        if name.last().is_some_and(|name| name == "RAISE_APPLICATION_ERROR") {
            if !(2..=3).contains(&arguments.len()) {
                return Err(OraError::new(6550, wrong_arguments("RAISE_APPLICATION_ERROR")).at(at));
            }
            for argument in arguments {
                self.check_value(&argument.value, uses).await?;
            }
            return Ok(());
        }
        let name = name.join(".");
        if super::array::gives_lines(&name) {
            return self.check_get_lines(arguments, uses, at);
        }
        if self.element_type(&name).is_some() {
            for argument in arguments {
                self.check_value(&argument.value, uses).await?;
            }
            return Ok(());
        }
        self.check_signature(&name, arguments, false, uses, at).await.map(drop)
    }

    /// Whether a call fits one of the signatures; the type of the result.
    async fn check_signature(
        &mut self,
        name: &str,
        arguments: &[Argument],
        function: bool,
        uses: &mut [BindUse],
        at: usize,
    ) -> Result<ColumnType, OraError> {
        let signatures = self.signatures(name).await?;
        if signatures.is_empty() {
            return Err(undeclared(name, at));
        }
        if signatures.iter().all(|signature| signature.returns.is_some() != function) {
            let text = if function {
                format!("PLS-00222: no function with name '{name}' exists in this scope")
            } else {
                format!("PLS-00221: '{name}' is not a procedure or is undefined")
            };
            return Err(OraError::new(6550, text).at(at));
        }
        let mut found =
            signatures.iter().filter(|signature| signature.returns.is_some() == function);
        let fit = found
            .find_map(|signature| fitting(signature, arguments).map(|places| (signature, places)));
        let (signature, places) =
            fit.ok_or_else(|| OraError::new(6550, wrong_arguments(name)).at(at))?;
        for (argument, place) in arguments.iter().zip(places) {
            let direction = signature.parameters[place].direction;
            if direction == Direction::In {
                Box::pin(self.check_value(&argument.value, uses)).await?;
                continue;
            }
            let target = target_of(&argument.value)
                .ok_or_else(|| super::statement::not_a_target(&argument.value))?;
            self.check_target(&target, argument.value.at)?;
            if let Target::Bind(place) = target {
                uses[place].written = true;
                uses[place].reads -=
                    u32::from(direction == Direction::Out && uses[place].reads > 0);
            }
        }
        Ok(signature.returns.unwrap_or(ColumnType::Number))
    }
}

/// What only SQL knows: subqueries, and functions that PL/SQL has not.
fn only_plsql(expr: &mut Expr) -> Result<(), OraError> {
    let at = expr.at;
    match &expr.kind {
        ExprKind::Query(_) | ExprKind::Exists(_) | ExprKind::InQuery { .. } => {
            let text = "PLS-00405: subquery not allowed in this context";
            return Err(OraError::new(6550, text).at(at));
        }
        ExprKind::Call(call) => {
            if let [name] = call.name.as_slice()
                && matches!(name.as_str(), "DECODE" | "NVL2")
            {
                let text = format!(
                    "PLS-00204: function or pseudo-column '{name}' may be used inside a SQL statement only"
                );
                return Err(OraError::new(6550, text).at(at));
            }
        }
        _ => {}
    }
    expr.parts_mut().into_iter().try_for_each(only_plsql)
}

/// The error at a place, unless it has one.
fn error_at(error: OraError, at: usize) -> OraError {
    if error.position.is_some() { error } else { error.at(at) }
}
