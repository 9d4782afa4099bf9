//! PL/SQL blocks.

use super::Parser;
use crate::conversation::Direction;
use crate::ora::OraError;
use crate::sql::ast::{
    Argument, Block, Declaration, DeclarationKind, Declared, Expr, Handler, LoopKind, Stmt,
    StmtKind,
};
use crate::sql::dml;
use crate::sql::lex::Kind;
use crate::sql::statement::Command;

impl Parser {
    /// The whole text is a block. Errors come as ORA-06550 with line and column.
    pub(super) fn whole_block(&mut self) -> Result<Block, OraError> {
        self.plsql = true;
        let lines = self.lines();
        let parsed = self.block().and_then(|block| {
            self.accept_symbol("/");
            if self.at_end() { Ok(block) } else { Err(self.encountered("end-of-file")) }
        });
        let mut block = parsed.map_err(|error| compile_error(error, &lines))?;
        block.bind_uses.clone_from(&self.bind_uses);
        block.likes = std::mem::take(&mut self.likes);
        block.lines = lines;
        Ok(block)
    }

    fn semicolon(&mut self) -> Result<(), OraError> {
        self.need_symbol(";", 6550, "")
    }

    fn block(&mut self) -> Result<Block, OraError> {
        self.label()?;
        let mut block = Block::default();
        if self.accept("DECLARE") {
            while !self.is("BEGIN") {
                block.declarations.push(self.declaration()?);
            }
        }
        self.need("BEGIN", 6550, "")?;
        block.body = self.statements(&["END", "EXCEPTION"])?;
        if self.accept("EXCEPTION") {
            while self.is("WHEN") {
                block.handlers.push(self.handler()?);
            }
            if block.handlers.is_empty() {
                return Err(self.encountered("when"));
            }
        }
        self.need("END", 6550, "")?;
        if self.is_name() {
            self.bump();
        }
        self.semicolon()?;
        Ok(block)
    }

    /// `<<name>>`, if it is there.
    fn label(&mut self) -> Result<Option<String>, OraError> {
        if !self.accept_symbol("<<") {
            return Ok(None);
        }
        let label = self.name(6550, "")?;
        self.need_symbol(">>", 6550, "")?;
        Ok(Some(label))
    }

    fn declaration(&mut self) -> Result<Declaration, OraError> {
        let at = self.place();
        if self.accept("PRAGMA") {
            return self.pragma(at);
        }
        if self.accept("TYPE") {
            self.type_declaration()?;
            return Ok(Declaration { name: String::new(), kind: DeclarationKind::Nothing, at });
        }
        if self.is_any(&["PROCEDURE", "FUNCTION", "SUBTYPE"]) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        if self.accept("CURSOR") {
            let name = self.name(6550, "")?;
            let parameters = self.cursor_parameters()?;
            self.need("IS", 6550, "")?;
            let query = Box::new(self.query()?);
            // The rows of a cursor FOR UPDATE would be locked when it is opened, and others could not have them.
            if self.for_update(&query)?.is_some() {
                return Err(self.error(3001, "unimplemented feature: a cursor FOR UPDATE"));
            }
            self.semicolon()?;
            return Ok(Declaration {
                name,
                kind: DeclarationKind::Cursor { query, parameters },
                at,
            });
        }
        let name = self.name(6550, "")?;
        if self.accept("EXCEPTION") {
            self.semicolon()?;
            return Ok(Declaration { name, kind: DeclarationKind::Exception, at });
        }
        if self.accept("SYS_REFCURSOR") {
            self.semicolon()?;
            return Ok(Declaration { name, kind: DeclarationKind::Reference, at });
        }
        if let Some(kind) = self.composite()? {
            self.semicolon()?;
            return Ok(Declaration { name, kind, at });
        }
        let constant = self.accept("CONSTANT");
        let declared = self.declared_type()?;
        let not_null = self.accept_all(&["NOT", "NULL"]);
        let initial = if self.accept_symbol(":=") || self.accept("DEFAULT") {
            Some(self.expression()?)
        } else {
            None
        };
        self.semicolon()?;
        Ok(Declaration {
            name,
            kind: DeclarationKind::Variable { declared, initial, constant, not_null },
            at,
        })
    }

    /// `(a NUMBER, b IN VARCHAR2)`, if it is there.
    fn cursor_parameters(&mut self) -> Result<Vec<(String, Declared)>, OraError> {
        let mut parameters = Vec::new();
        if !self.accept_symbol("(") {
            return Ok(parameters);
        }
        loop {
            let name = self.name(6550, "")?;
            self.accept("IN");
            parameters.push((name, self.declared_type()?));
            if self.is_symbol(":=") || self.is("DEFAULT") {
                return Err(self.error(3001, "unimplemented feature: a default of a parameter"));
            }
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.need_symbol(")", 6550, "")?;
        Ok(parameters)
    }

    /// What a cursor is opened with, if anything.
    fn cursor_arguments(&mut self) -> Result<Vec<Argument>, OraError> {
        if !self.accept_symbol("(") {
            return Ok(Vec::new());
        }
        let arguments = self.arguments()?;
        self.need_symbol(")", 6550, "")?;
        if arguments.iter().any(|argument| argument.name.is_some()) {
            return Err(self.error(3001, "unimplemented feature: a cursor's parameters by name"));
        }
        Ok(arguments)
    }

    fn pragma(&mut self, at: usize) -> Result<Declaration, OraError> {
        let mut declaration =
            Declaration { name: String::new(), kind: DeclarationKind::Nothing, at };
        if self.accept("EXCEPTION_INIT") {
            self.need_symbol("(", 6550, "")?;
            declaration.name = self.name(6550, "")?;
            self.need_symbol(",", 6550, "")?;
            let sign = if self.accept_symbol("-") { -1 } else { 1 };
            let code = i64::from(self.whole(6550, "")?);
            self.need_symbol(")", 6550, "")?;
            declaration.kind = DeclarationKind::ExceptionInit(sign * code);
        } else {
            return Err(self.error(3001, "unimplemented feature: this PRAGMA"));
        }
        self.semicolon()?;
        Ok(declaration)
    }

    fn handler(&mut self) -> Result<Handler, OraError> {
        let at = self.place();
        self.bump();
        let mut names = Vec::new();
        loop {
            names.push(self.dotted(6550, "")?.join("."));
            if !self.accept("OR") {
                break;
            }
        }
        self.need("THEN", 6550, "")?;
        let body = self.statements(&["WHEN", "END"])?;
        Ok(Handler { names, body, at })
    }

    /// At least one statement, up to one of these words.
    fn statements(&mut self, ends: &[&str]) -> Result<Vec<Stmt>, OraError> {
        let mut list = Vec::new();
        while !self.is_any(ends) {
            list.push(self.nested_statement(Self::plsql_statement)?);
        }
        if list.is_empty() { Err(self.encountered("a statement")) } else { Ok(list) }
    }

    fn plsql_statement(&mut self) -> Result<Stmt, OraError> {
        let at = self.place();
        if self.is_symbol("<<") {
            return self.labelled(at);
        }
        if self.is_any(&["BEGIN", "DECLARE"]) {
            return Ok(Stmt { kind: StmtKind::Block(Box::new(self.block()?)), at });
        }
        let kind = match self.compound_statement()? {
            Some(kind) => kind,
            None => match self.simple_statement()? {
                Some(kind) => kind,
                None => self.assignment_or_call()?,
            },
        };
        self.semicolon()?;
        Ok(Stmt { kind, at })
    }

    fn labelled(&mut self, at: usize) -> Result<Stmt, OraError> {
        let label = self.label()?;
        if self.is_any(&["BEGIN", "DECLARE"]) {
            return Ok(Stmt { kind: StmtKind::Block(Box::new(self.block()?)), at });
        }
        let mut statement = self.plsql_statement()?;
        if let StmtKind::Loop { label: own, .. } = &mut statement.kind {
            *own = label;
        }
        Ok(statement)
    }

    /// IF, CASE and loops.
    fn compound_statement(&mut self) -> Result<Option<StmtKind>, OraError> {
        if self.accept("IF") {
            return self.conditional().map(Some);
        }
        if self.accept("CASE") {
            return self.choice().map(Some);
        }
        let kind = if self.accept("WHILE") {
            LoopKind::While(self.expression()?)
        } else if self.accept("FOR") {
            self.for_loop()?
        } else if self.is("LOOP") {
            LoopKind::Forever
        } else {
            return Ok(None);
        };
        self.need("LOOP", 6550, "")?;
        let body = self.statements(&["END"])?;
        self.bump();
        self.need("LOOP", 6550, "")?;
        if self.is_name() {
            self.bump();
        }
        Ok(Some(StmtKind::Loop { label: None, kind, body }))
    }

    fn conditional(&mut self) -> Result<StmtKind, OraError> {
        let mut arms = Vec::new();
        loop {
            let condition = self.expression()?;
            self.need("THEN", 6550, "")?;
            arms.push((condition, self.statements(&["ELSIF", "ELSE", "END"])?));
            if !self.accept("ELSIF") {
                break;
            }
        }
        let otherwise = if self.accept("ELSE") { self.statements(&["END"])? } else { Vec::new() };
        self.need("END", 6550, "")?;
        self.need("IF", 6550, "")?;
        Ok(StmtKind::If { arms, otherwise })
    }

    fn choice(&mut self) -> Result<StmtKind, OraError> {
        let operand = if self.is("WHEN") { None } else { Some(self.expression()?) };
        let mut arms = Vec::new();
        while self.accept("WHEN") {
            let when = self.expression()?;
            self.need("THEN", 6550, "")?;
            arms.push((when, self.statements(&["WHEN", "ELSE", "END"])?));
        }
        let otherwise = if self.accept("ELSE") { Some(self.statements(&["END"])?) } else { None };
        self.need("END", 6550, "")?;
        self.need("CASE", 6550, "")?;
        Ok(StmtKind::Case { operand, arms, otherwise })
    }

    fn for_loop(&mut self) -> Result<LoopKind, OraError> {
        let variable = self.name(6550, "")?;
        self.need("IN", 6550, "")?;
        if self.is_symbol("(") && (self.is_ahead(1, "SELECT") || self.is_ahead(1, "WITH")) {
            self.bump();
            let query = Box::new(self.query()?);
            self.need_symbol(")", 6550, "")?;
            return Ok(LoopKind::Query { variable, query });
        }
        let opens = self.is_ahead(1, "LOOP") || self.is_symbol_ahead(1, "(");
        if self.is_name() && opens && !self.is("REVERSE") {
            let before = self.at;
            let cursor = self.name(6550, "")?;
            let arguments = self.cursor_arguments()?;
            if self.is("LOOP") {
                return Ok(LoopKind::Cursor { variable, cursor, arguments });
            }
            // It was a function's value that the loop begins with.
            self.at = before;
        }
        let reverse = self.accept("REVERSE");
        let low = self.sum()?;
        self.need_symbol("..", 6550, "")?;
        let high = self.sum()?;
        Ok(LoopKind::Range { variable, low, high, reverse })
    }

    /// Statements that begin with a word of their own.
    fn simple_statement(&mut self) -> Result<Option<StmtKind>, OraError> {
        if self.is_any(&["SELECT", "WITH"]) {
            return self.select_into().map(Some);
        }
        if self.is_any(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
            let dml = dml::Dml(self.dml()?);
            return Ok(Some(StmtKind::Sql(Box::new(Command::Dml(dml)))));
        }
        if self.is("SET") || self.is_any(&["COMMIT", "ROLLBACK", "SAVEPOINT", "LOCK"]) {
            return Ok(self.control()?.map(|command| StmtKind::Sql(Box::new(command))));
        }
        if self.accept("FORALL") {
            return self.for_all().map(Some);
        }
        if self.is_any(&["GOTO", "PIPE"]) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        let kind = if self.accept("NULL") {
            StmtKind::Null
        } else if self.accept("RETURN") {
            StmtKind::Return
        } else if self.accept("RAISE") {
            let name =
                if self.is_symbol(";") { None } else { Some(self.dotted(6550, "")?.join(".")) };
            StmtKind::Raise(name)
        } else if self.accept("EXIT") {
            let (label, when) = self.leaving()?;
            StmtKind::Exit { label, when }
        } else if self.accept("CONTINUE") {
            let (label, when) = self.leaving()?;
            StmtKind::Continue { label, when }
        } else if self.accept_all(&["EXECUTE", "IMMEDIATE"]) {
            self.dynamic()?
        } else if self.accept("OPEN") {
            self.opening()?
        } else if self.accept("CLOSE") {
            StmtKind::Close(self.name(6550, "")?)
        } else if self.accept("FETCH") {
            let cursor = self.name(6550, "")?;
            let bulk = self.bulk();
            self.need("INTO", 6550, "")?;
            let into = self.targets()?;
            let limit = if bulk { self.bulk_limit()? } else { None };
            StmtKind::Fetch { cursor, into, bulk, limit }
        } else {
            return Ok(None);
        };
        Ok(Some(kind))
    }

    /// Behind OPEN: a cursor of the block, or one that the client is to fetch from.
    fn opening(&mut self) -> Result<StmtKind, OraError> {
        let target = if let Some(place) = self.bind(false) {
            self.bind_uses[place].opened = true;
            self.bind_uses[place].written = true;
            self.need("FOR", 6550, "")?;
            dml::Target::Bind(place)
        } else {
            let cursor = self.name(6550, "")?;
            if !self.accept("FOR") {
                return Ok(StmtKind::Open { cursor, arguments: self.cursor_arguments()? });
            }
            dml::Target::Variable(cursor)
        };
        if self.is_any(&["SELECT", "WITH"]) {
            return Ok(StmtKind::OpenFor { target, query: Box::new(self.query()?) });
        }
        let text = self.expression()?;
        let using = if self.accept("USING") { self.using_list()? } else { Vec::new() };
        Ok(StmtKind::OpenText { target, text, using })
    }

    fn using_list(&mut self) -> Result<Vec<(Expr, Direction)>, OraError> {
        let mut using = vec![self.using()?];
        while self.accept_symbol(",") {
            using.push(self.using()?);
        }
        Ok(using)
    }

    /// Behind EXIT or CONTINUE.
    fn leaving(&mut self) -> Result<(Option<String>, Option<Expr>), OraError> {
        let label =
            if self.is_name() && !self.is("WHEN") { Some(self.name(6550, "")?) } else { None };
        let when = if self.accept("WHEN") { Some(self.expression()?) } else { None };
        Ok((label, when))
    }

    fn select_into(&mut self) -> Result<StmtKind, OraError> {
        let at = self.place();
        let mut into = Some((Vec::new(), false));
        let query = Box::new(self.query_into(&mut into)?);
        let lock = self.for_update(&query)?;
        let (into, bulk) = into.unwrap_or_default();
        if into.is_empty() {
            let text = "PLS-00428: an INTO clause is expected in this SELECT statement";
            return Err(OraError::new(6550, text).at(at));
        }
        Ok(StmtKind::Select { query, into, lock, bulk })
    }

    /// Behind EXECUTE IMMEDIATE.
    fn dynamic(&mut self) -> Result<StmtKind, OraError> {
        let text = self.expression()?;
        let bulk = self.bulk();
        let into = if self.accept("INTO") { self.targets()? } else { Vec::new() };
        let using = if self.accept("USING") { self.using_list()? } else { Vec::new() };
        let returning = if self.accept_any(&["RETURNING", "RETURN"]).is_some() {
            self.need("INTO", 6550, "")?;
            self.targets()?
        } else {
            Vec::new()
        };
        Ok(StmtKind::Dynamic { text, into, bulk, using, returning })
    }

    fn using(&mut self) -> Result<(Expr, Direction), OraError> {
        let direction = match (self.accept("IN"), self.accept("OUT")) {
            (true, true) => Direction::InOut,
            (false, true) => Direction::Out,
            _ => Direction::In,
        };
        let value = self.expression()?;
        if let (crate::sql::ast::ExprKind::Bind(place), Direction::Out | Direction::InOut) =
            (&value.kind, direction)
        {
            self.bind_uses[*place].written = true;
            self.bind_uses[*place].reads -= u32::from(direction == Direction::Out);
        }
        Ok((value, direction))
    }

    fn assignment_or_call(&mut self) -> Result<StmtKind, OraError> {
        if matches!(self.kind(), Kind::Bind(_)) {
            let target = self.target()?;
            self.need_symbol(":=", 6550, "")?;
            return Ok(StmtKind::Assign(target, self.expression()?));
        }
        let mut name = self.dotted(6550, "")?;
        if self.accept_symbol(":=") {
            let target = dml::Target::Variable(name.join("."));
            return Ok(StmtKind::Assign(target, self.expression()?));
        }
        let mut arguments = Vec::new();
        if self.accept_symbol("(") {
            if !self.is_symbol(")") {
                arguments = self.arguments()?;
            }
            self.need_symbol(")", 6550, "")?;
            self.field_of_element(&mut name)?;
            if self.accept_symbol(":=") {
                if arguments.len() != 1 {
                    return Err(self.encountered("one index"));
                }
                let index = arguments.remove(0).value;
                return Ok(StmtKind::AssignElement {
                    name: name.join("."),
                    index,
                    value: self.expression()?,
                });
            }
        } else if !self.is_symbol(";") {
            return Err(self.encountered(":= . ( @ % ;"));
        }
        Ok(StmtKind::Call { name, arguments })
    }
}

/// An error while compiling a block: ORA-06550 with line and column in front of what is wrong.
pub(crate) fn compile_error(error: OraError, lines: &[usize]) -> OraError {
    let Some(position) = error.position else { return error };
    let line = lines.partition_point(|start| *start <= position);
    let column = position - lines.get(line.max(1) - 1).copied().unwrap_or(0) + 1;
    let text = match error.code {
        6550 => error.text,
        code => format!("PL/SQL: ORA-{code:05}: {}", error.text),
    };
    OraError::new(6550, format!("line {line}, column {column}:\n{text}")).at(position)
}
