//! Whole statements, and those of them that are neither SELECT nor ALTER nor a block.

use super::Parser;
use crate::ora::OraError;
use crate::sql::ast::{self, Dml, InsertSource, Returning};
use crate::sql::dml::{self, Target};
use crate::sql::lex::Kind;
use crate::sql::plsql::Block;
use crate::sql::query::Query;
use crate::sql::statement::{Command, Ddl, LockWait};

/// Verbs of the dictionary.
const DDL: [&str; 11] = [
    "CREATE", "DROP", "GRANT", "REVOKE", "TRUNCATE", "COMMENT", "ANALYZE", "RENAME", "AUDIT",
    "NOAUDIT", "PURGE",
];

/// Words between CREATE and the type of the object.
const ADORNMENTS: [&str; 9] = [
    "GLOBAL",
    "PRIVATE",
    "TEMPORARY",
    "FORCE",
    "NOFORCE",
    "EDITIONABLE",
    "NONEDITIONABLE",
    "UNIQUE",
    "BITMAP",
];

const NOT_ENDED: (u32, &str) = (933, "SQL command not properly ended");

impl Parser {
    /// One whole statement.
    pub(crate) fn statement(&mut self) -> Result<Command, OraError> {
        if self.is_any(&["BEGIN", "DECLARE"]) || self.is_symbol("<<") {
            return Ok(Command::Block(Block(self.whole_block()?)));
        }
        if self.accept("CALL") {
            return Ok(Command::Block(Block(self.call_statement()?)));
        }
        let command = self.sql_statement()?;
        self.finish(NOT_ENDED.0, NOT_ENDED.1)?;
        Ok(command)
    }

    fn sql_statement(&mut self) -> Result<Command, OraError> {
        if self.is_any(&["SELECT", "WITH"]) || self.is_symbol("(") {
            return self.select_statement();
        }
        if self.accept_all(&["ALTER", "SYSTEM"]) {
            return self.alter_system();
        }
        if self.accept_all(&["ALTER", "SESSION"]) {
            return self.alter_session();
        }
        if self.is_any(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
            return Ok(Command::Dml(dml::Dml(self.dml()?)));
        }
        if self.is("ALTER") || self.is_any(&DDL) {
            return Ok(Command::Ddl(self.ddl()?));
        }
        if self.is("EXPLAIN") {
            return Err(self.error(3001, "unimplemented feature"));
        }
        match self.control()? {
            Some(command) => Ok(command),
            None => Err(self.error(900, "invalid SQL statement")),
        }
    }

    fn select_statement(&mut self) -> Result<Command, OraError> {
        let query = self.query()?;
        let locks = self.for_update(&query)?;
        Ok(match locks {
            Some(locks) => Command::SelectForUpdate { query: Query(query), locks },
            None => Command::Query(Query(query)),
        })
    }

    /// COMMIT, ROLLBACK and the like, if that is what stands next.
    pub(super) fn control(&mut self) -> Result<Option<Command>, OraError> {
        let command = if self.accept("COMMIT") {
            self.accept("WORK");
            if self.is_any(&["FORCE"]) {
                return Err(self.error(3001, "unimplemented feature"));
            }
            if self.accept("COMMENT") {
                self.bump();
            }
            if self.accept("WRITE") {
                while self.accept_any(&["WAIT", "NOWAIT", "IMMEDIATE", "BATCH"]).is_some() {}
            }
            Command::Commit
        } else if self.accept("ROLLBACK") {
            self.accept("WORK");
            let savepoint = if self.accept("TO") {
                self.accept("SAVEPOINT");
                Some(self.name(NOT_ENDED.0, NOT_ENDED.1)?)
            } else {
                None
            };
            Command::Rollback { savepoint }
        } else if self.accept("SAVEPOINT") {
            Command::Savepoint(self.name(3001, "unimplemented feature")?)
        } else if self.accept_all(&["SET", "TRANSACTION"]) {
            Command::SetTransaction(self.rest())
        } else if self.accept_all(&["SET", "ROLE"]) {
            Command::SetRole(self.rest())
        } else if self.accept_all(&["LOCK", "TABLE"]) {
            self.lock_table()?
        } else {
            return Ok(None);
        };
        Ok(Some(command))
    }

    fn lock_table(&mut self) -> Result<Command, OraError> {
        let table = self.dotted(903, "invalid table name")?.join(".");
        self.need("IN", 905, "missing keyword")?;
        let mut mode = Vec::new();
        while let Some(word) = self.accept_any(&["ROW", "SHARE", "EXCLUSIVE", "UPDATE"]) {
            mode.push(word);
        }
        if mode.is_empty() {
            return Err(
                self.error(1737, "valid modes: [ROW] SHARE, [[SHARE] ROW] EXCLUSIVE, SHARE UPDATE")
            );
        }
        self.need("MODE", 905, "missing keyword")?;
        let wait = self.lock_wait()?;
        if wait == LockWait::SkipLocked {
            return Err(self.error(NOT_ENDED.0, NOT_ENDED.1));
        }
        Ok(Command::LockTable { table, mode: mode.join(" "), wait })
    }

    /// INSERT, UPDATE, DELETE or MERGE.
    pub(super) fn dml(&mut self) -> Result<Dml, OraError> {
        if self.accept("INSERT") {
            return self.insert();
        }
        if self.accept("UPDATE") {
            return self.update();
        }
        if self.accept("MERGE") {
            return self.merge();
        }
        self.bump();
        self.accept("FROM");
        let at = self.place();
        let table = self.dotted(903, "invalid table name")?;
        let alias = self.dml_alias()?;
        let filter = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        let returning = self.returning()?;
        Ok(Dml::Delete { table, alias, filter, returning, at })
    }

    fn dml_alias(&mut self) -> Result<Option<String>, OraError> {
        if self.is_name() && !self.is_any(&["RETURNING", "RETURN", "LOG"]) {
            return self.name(NOT_ENDED.0, NOT_ENDED.1).map(Some);
        }
        Ok(None)
    }

    fn insert(&mut self) -> Result<Dml, OraError> {
        if self.is_any(&["ALL", "FIRST"]) {
            return Err(self.error(3001, "unimplemented feature"));
        }
        self.need("INTO", 925, "missing INTO keyword")?;
        let at = self.place();
        let table = self.dotted(903, "invalid table name")?;
        self.dml_alias()?;
        let columns = self.insert_columns()?;
        let source = if self.accept("VALUES") {
            self.open()?;
            let values = self.expressions()?;
            self.need_symbol(")", 917, "missing comma")?;
            InsertSource::Values(values)
        } else if self.is_any(&["SELECT", "WITH"]) || self.is_symbol("(") {
            InsertSource::Query(Box::new(self.query()?))
        } else {
            return Err(self.error(926, "missing VALUES keyword"));
        };
        // Rows of a query return nothing.
        let returning = match &source {
            InsertSource::Values(_) => self.returning()?,
            InsertSource::Query(_) => Returning::default(),
        };
        Ok(Dml::Insert { table, columns, source, returning, at })
    }

    fn update(&mut self) -> Result<Dml, OraError> {
        let at = self.place();
        let table = self.dotted(903, "invalid table name")?;
        let alias = self.dml_alias()?;
        self.need("SET", 971, "missing SET keyword")?;
        let set = self.assignments()?;
        let filter = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        let returning = self.returning()?;
        Ok(Dml::Update { table, alias, set, filter, returning, at })
    }

    /// `a = 1, b = 2`.
    pub(super) fn assignments(&mut self) -> Result<Vec<(String, usize, ast::Expr)>, OraError> {
        let mut set = Vec::new();
        loop {
            if self.is_symbol("(") {
                self.assigned_row(&mut set)?;
                if self.accept_symbol(",") {
                    continue;
                }
                return Ok(set);
            }
            let place = self.place();
            let column = self.dotted(1747, "invalid user.table.column specification")?;
            self.need_symbol("=", 927, "missing equal sign")?;
            set.push((column.last().cloned().unwrap_or_default(), place, self.expression()?));
            if !self.accept_symbol(",") {
                return Ok(set);
            }
        }
    }

    /// `(a, b) = (SELECT x, y …)`: each column has a query of its own.
    fn assigned_row(&mut self, set: &mut Vec<(String, usize, ast::Expr)>) -> Result<(), OraError> {
        let columns = self.insert_columns()?;
        self.need_symbol("=", 927, "missing equal sign")?;
        let at = self.place();
        self.open()?;
        let query = self.query()?;
        self.close()?;
        let unknown =
            || OraError::new(3001, "unimplemented feature: columns of such a query").at(at);
        let ast::Body::Select(select) = &query.body else { return Err(unknown()) };
        if select.distinct
            || select.items.iter().any(|item| !matches!(item, ast::Item::Expr { .. }))
        {
            return Err(unknown());
        }
        dml::counts_agree(select.items.len(), columns.len(), at)?;
        for ((name, place), item) in columns.into_iter().zip(&select.items) {
            let mut one = query.clone();
            if let ast::Body::Select(select) = &mut one.body {
                select.items = vec![item.clone()];
            }
            set.push((name, place, ast::Expr { kind: ast::ExprKind::Query(Box::new(one)), at }));
        }
        Ok(())
    }

    /// `(a, b)` behind the table of INSERT, if it is there.
    pub(super) fn insert_columns(&mut self) -> Result<Vec<(String, usize)>, OraError> {
        let mut columns = Vec::new();
        if self.is_symbol("(") && !self.is_ahead(1, "SELECT") && !self.is_ahead(1, "WITH") {
            self.bump();
            loop {
                let place = self.place();
                let name = self.dotted(1747, "invalid user.table.column specification")?;
                columns.push((name.last().cloned().unwrap_or_default(), place));
                if !self.accept_symbol(",") {
                    break;
                }
            }
            self.need_symbol(")", 917, "missing comma")?;
        }
        Ok(columns)
    }

    fn returning(&mut self) -> Result<Returning, OraError> {
        if self.accept_any(&["RETURNING", "RETURN"]).is_none() {
            return Ok(Returning::default());
        }
        let values = self.expressions()?;
        let bulk = self.bulk();
        self.need("INTO", 925, "missing INTO keyword")?;
        let into = self.targets()?;
        if values.len() != into.len() {
            return Err(self.error(913, "too many values"));
        }
        Ok(Returning { values, into, bulk })
    }

    /// Where values go: binds, and in a block variables.
    pub(super) fn targets(&mut self) -> Result<Vec<Target>, OraError> {
        let mut targets = vec![self.target()?];
        while self.accept_symbol(",") {
            targets.push(self.target()?);
        }
        Ok(targets)
    }

    pub(super) fn target(&mut self) -> Result<Target, OraError> {
        if let Some(place) = self.bind(false) {
            return Ok(Target::Bind(place));
        }
        if self.plsql {
            return Ok(Target::Variable(self.dotted(6550, "")?.join(".")));
        }
        Err(self.error(1745, "invalid host/bind variable name"))
    }

    fn ddl(&mut self) -> Result<Ddl, OraError> {
        let text = self.text();
        let Kind::Word(verb) = self.bump() else {
            return Err(self.error(900, "invalid SQL statement"));
        };
        let mut ddl = Ddl {
            verb,
            object_type: String::new(),
            object: String::new(),
            privileges: Vec::new(),
            grantees: Vec::new(),
            text,
        };
        if matches!(ddl.verb.as_str(), "GRANT" | "REVOKE") {
            self.grant(&mut ddl)?;
        } else {
            self.object(&mut ddl)?;
        }
        self.rest();
        Ok(ddl)
    }

    /// `CREATE OR REPLACE PUBLIC SYNONYM x`.
    fn object(&mut self, ddl: &mut Ddl) -> Result<(), OraError> {
        let invalid = match ddl.verb.as_str() {
            "CREATE" => (901, "invalid CREATE command"),
            "DROP" => (950, "invalid DROP option"),
            "ALTER" => (940, "invalid ALTER command"),
            _ => (900, "invalid SQL statement"),
        };
        if ddl.verb == "CREATE" {
            self.accept_all(&["OR", "REPLACE"]);
            while self.accept_any(&ADORNMENTS).is_some() {}
        }
        self.accept("ON");
        let public = self.accept("PUBLIC");
        let Kind::Word(kind) = self.bump() else { return Err(self.error(invalid.0, invalid.1)) };
        ddl.object_type = if public { format!("PUBLIC {kind}") } else { kind };
        for second in ["BODY", "VIEW", "LINK"] {
            if self.accept(second) {
                ddl.object_type = format!("{} {second}", ddl.object_type);
            }
        }
        if matches!(ddl.object_type.as_str(), "RECYCLEBIN") && self.at_end() {
            return Ok(());
        }
        self.accept_all(&["IF", "NOT", "EXISTS"]);
        self.accept_all(&["IF", "EXISTS"]);
        ddl.object = self.dotted(invalid.0, invalid.1)?.join(".");
        Ok(())
    }

    /// `GRANT a, b ON c TO d, e`.
    fn grant(&mut self, ddl: &mut Ddl) -> Result<(), OraError> {
        let direction = if ddl.verb == "GRANT" { "TO" } else { "FROM" };
        let mut privilege = Vec::new();
        while !self.is("ON") && !self.is(direction) {
            match self.bump() {
                Kind::Word(word) | Kind::Quoted(word) => privilege.push(word),
                Kind::Symbol(",") => ddl.privileges.push(std::mem::take(&mut privilege).join(" ")),
                Kind::Symbol("(") => {
                    while !self.at_end() && !self.accept_symbol(")") {
                        self.bump();
                    }
                }
                _ => return Err(self.error(990, "missing or invalid privilege")),
            }
        }
        ddl.privileges.push(privilege.join(" "));
        if ddl.privileges.iter().any(String::is_empty) {
            return Err(self.error(990, "missing or invalid privilege"));
        }
        if self.accept("ON") {
            self.accept("DIRECTORY");
            ddl.object = self.dotted(903, "invalid table name")?.join(".");
        }
        self.need(direction, 905, "missing keyword")?;
        loop {
            if self.accept("PUBLIC") {
                ddl.grantees.push("PUBLIC".into());
            } else {
                ddl.grantees.push(self.name(987, "missing or invalid username(s)")?);
            }
            if !self.accept_symbol(",") {
                return Ok(());
            }
        }
    }

    /// `CALL p(…) [INTO :b]`, as a block of one statement.
    fn call_statement(&mut self) -> Result<ast::Block, OraError> {
        self.plsql = true;
        let at = self.place();
        let name = self.dotted(6576, "not a valid function or procedure name")?;
        let arguments = if self.accept_symbol("(") {
            let arguments = if self.is_symbol(")") { Vec::new() } else { self.arguments()? };
            self.close()?;
            arguments
        } else {
            return Err(self.error(6576, "not a valid function or procedure name"));
        };
        let kind = if self.accept("INTO") {
            let target = self.target()?;
            let mut call = super::expression::call("", Vec::new(), at);
            if let ast::ExprKind::Call(inner) = &mut call.kind {
                inner.name = name;
                inner.arguments = arguments;
            }
            ast::StmtKind::Assign(target, call)
        } else {
            ast::StmtKind::Call { name, arguments }
        };
        self.finish(NOT_ENDED.0, NOT_ENDED.1)?;
        let body = vec![ast::Stmt { kind, at }];
        Ok(ast::Block {
            body,
            bind_uses: self.bind_uses.clone(),
            lines: self.lines(),
            ..ast::Block::default()
        })
    }
}
