//! The text of a statement to a command that the caller carries out.

use super::dml::Dml;
use super::parse::Parser;
use super::plsql::Block;
use super::query::{Input, Query};
use crate::conversation::Release;
use crate::ora::OraError;

/// A parsed statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What to do.
    pub command: Command,
    /// The names of the binds by place, upper-case. In SQL every occurrence is a place; in a block every name is one.
    pub binds: Vec<String>,
}

impl Parsed {
    /// The values of a call, one per place. A client may also give one per name, where a name occurs more than once.
    pub fn arrange(&self, given: Vec<Input>) -> Result<Vec<Input>, OraError> {
        if given.len() == self.binds.len() {
            return Ok(given);
        }
        let mut names: Vec<&String> = Vec::new();
        for name in &self.binds {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if given.len() == names.len() {
            let place = |name| names.iter().position(|other| *other == name);
            return Ok(self
                .binds
                .iter()
                .filter_map(|name| given.get(place(name)?).cloned())
                .collect());
        }
        if given.len() < self.binds.len() {
            return Err(OraError::new(1008, "not all variables bound"));
        }
        Err(OraError::new(1036, "illegal variable name/number"))
    }
}

/// What a statement asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// SELECT: [`super::query::run`].
    Query(Query),
    /// SELECT … FOR UPDATE.
    SelectForUpdate {
        /// The query without the clause.
        query: Query,
        /// What is locked.
        locks: RowLocks,
    },
    /// INSERT, UPDATE, DELETE: [`super::dml::changes`].
    Dml(Dml),
    /// ALTER SYSTEM KILL SESSION.
    KillSession {
        /// Whom.
        session: SessionLiteral,
        /// How.
        mode: KillMode,
        /// TIMEOUT, in seconds.
        timeout_secs: Option<u32>,
    },
    /// ALTER SYSTEM DISCONNECT SESSION.
    DisconnectSession {
        /// Whom.
        session: SessionLiteral,
        /// POST_TRANSACTION.
        post_transaction: bool,
        /// How.
        mode: KillMode,
        /// TIMEOUT, in seconds.
        timeout_secs: Option<u32>,
    },
    /// ALTER SYSTEM CANCEL SQL.
    CancelSql {
        /// Whose.
        session: SessionLiteral,
        /// Which.
        sql_id: Option<String>,
    },
    /// ALTER SYSTEM SET.
    SystemSet {
        /// The settings.
        settings: Vec<Setting>,
        /// SCOPE: MEMORY, SPFILE or BOTH.
        scope: Option<String>,
        /// SID: an instance or `*`.
        sid: Option<String>,
    },
    /// Another ALTER SYSTEM, by its words: `FLUSH SHARED_POOL`, `CHECKPOINT`, `ENABLE RESTRICTED SESSION`.
    SystemOther(String),
    /// ALTER SESSION SET.
    SessionSet(Vec<Setting>),
    /// Another ALTER SESSION, by its words: `ENABLE PARALLEL DML`, `CLOSE DATABASE LINK X`.
    SessionOther(String),
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback {
        /// TO SAVEPOINT.
        savepoint: Option<String>,
    },
    /// SAVEPOINT.
    Savepoint(String),
    /// SET TRANSACTION, by its words: `READ ONLY`.
    SetTransaction(String),
    /// SET ROLE, by its words.
    SetRole(String),
    /// LOCK TABLE.
    LockTable {
        /// The table.
        table: String,
        /// The mode: `EXCLUSIVE`, `ROW SHARE`, …
        mode: String,
        /// What to do when it is locked.
        wait: LockWait,
    },
    /// CREATE, DROP, GRANT and the like.
    Ddl(Ddl),
    /// A block, or CALL.
    Block(Block),
}

/// `'sid, serial# [, @inst_id]'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionLiteral {
    /// SID.
    pub sid: u32,
    /// SERIAL#.
    pub serial: u32,
    /// The instance; without it the session's own.
    pub inst_id: Option<u32>,
}

/// How a session is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KillMode {
    /// No word.
    #[default]
    Plain,
    /// IMMEDIATE.
    Immediate,
    /// NOREPLAY.
    NoReplay,
    /// FORCE.
    Force,
}

/// What to do about a lock that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LockWait {
    /// Wait for it.
    #[default]
    Wait,
    /// NOWAIT: ORA-00054.
    NoWait,
    /// WAIT n, in seconds: ORA-30006.
    Secs(u32),
    /// SKIP LOCKED.
    SkipLocked,
}

/// Which rows FOR UPDATE locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLocks {
    /// The tables of the outermost FROM.
    pub tables: Vec<NamedTable>,
    /// Columns behind OF: only their tables' rows are locked.
    pub of: Vec<Vec<String>>,
    /// What to do about rows that are locked.
    pub wait: LockWait,
}

/// A table, upper-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTable {
    /// With its owner, if that is named.
    pub name: String,
    /// What the statement calls it.
    pub alias: String,
}

/// `NAME = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Upper-case.
    pub name: String,
    /// Without its quotes; what was not quoted is upper-case.
    pub value: String,
}

/// A statement that changes the dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ddl {
    /// `CREATE`, `DROP`, `GRANT`, `REVOKE`, `ALTER`, `TRUNCATE`, `COMMENT`, …
    pub verb: String,
    /// `TABLE`, `USER`, `PROCEDURE`, …; empty for GRANT and REVOKE.
    pub object_type: String,
    /// The object, upper-case, with its owner if there was one; for GRANT and REVOKE the object behind ON, if any.
    pub object: String,
    /// GRANT and REVOKE: the privileges.
    pub privileges: Vec<String>,
    /// GRANT … TO and REVOKE … FROM.
    pub grantees: Vec<String>,
    /// The whole text.
    pub text: String,
}

/// Parses one statement. The error has the number and the place that Oracle would give.
pub fn parse(sql: &str, release: Release) -> Result<Parsed, OraError> {
    let mut parser = Parser::new(sql, release)?;
    let command = parser.statement()?;
    Ok(Parsed { command, binds: parser.binds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{ColumnType, Value};

    #[test]
    fn binds_come_by_place_or_by_name() {
        let parsed = parse("SELECT :a, :b, :a FROM dual", Release::R19).expect("a statement");
        let input =
            |number: i64| Input { column_type: ColumnType::Number, value: Value::integer(number) };
        let by_name = parsed.arrange(vec![input(1), input(2)]);
        assert_eq!(by_name, Ok(vec![input(1), input(2), input(1)]));
        assert_eq!(parsed.arrange(vec![input(1); 3]), Ok(vec![input(1); 3]));
        assert_eq!(parsed.arrange(vec![input(1)]).map_err(|error| error.code), Err(1008));
        assert_eq!(parsed.arrange(vec![input(1); 4]).map_err(|error| error.code), Err(1036));
    }
}
