//! Commands other than queries and blocks. A command that has to wait is carried out again when the wait is over, so it
//! changes nothing before it has all that it waits for.

use std::sync::Arc;
use std::task::Poll;

use super::session::{Act, Waiting};
use crate::catalog::account::Grant;
use crate::catalog::books::Managed;
use crate::cluster::kill::{Manner, Order, Target};
use crate::ora::OraError;
use crate::sql::plsql::Executed;
use crate::sql::query::Inputs;
use crate::sql::statement::{Command, Ddl, KillMode, SessionLiteral};

/// What a command gives so far.
pub(super) type Progress = Poll<Result<Executed, OraError>>;

pub(super) fn done() -> Progress {
    Poll::Ready(Ok(Executed::default()))
}

pub(super) fn failed(code: u32, text: impl Into<String>) -> Progress {
    Poll::Ready(Err(OraError::new(code, text)))
}

/// What this simulation does not know is an error, never a silent success.
pub(super) fn unknown(what: &str) -> Progress {
    failed(3001, format!("unimplemented feature: {what}"))
}

/// ORA-16000.
pub(super) fn read_only() -> OraError {
    OraError::new(16000, "database or pluggable database open for read-only access")
}

fn target(session: SessionLiteral) -> Target {
    Target { sid: session.sid, serial: session.serial, inst_id: session.inst_id }
}

fn manner(mode: KillMode) -> Manner {
    match mode {
        KillMode::Plain => Manner::Plain,
        KillMode::Immediate => Manner::Immediate,
        KillMode::NoReplay => Manner::NoReplay,
        KillMode::Force => Manner::Force,
    }
}

impl Act<'_> {
    /// Carries out a command, or goes on with it.
    pub(super) fn carry_out(&mut self, command: &Command, inputs: &Inputs) -> Progress {
        match command {
            Command::Query(query) => self
                .query(query, inputs)
                .map_ok(|rows| Executed { rows: Some(rows), ..Executed::default() }),
            Command::SelectForUpdate { query, locks } => {
                self.select_for_update(query, locks, inputs)
            }
            Command::Dml(dml) => self.dml(dml, inputs),
            Command::KillSession { session, mode, timeout_secs } => {
                let order = Order::Kill { manner: manner(*mode), timeout: *timeout_secs };
                self.alter_system(Doors::KILL, |act| act.order(target(*session), &order))
            }
            Command::DisconnectSession { session, post_transaction, mode, timeout_secs } => {
                let order = Order::Disconnect {
                    post_transaction: *post_transaction,
                    manner: manner(*mode),
                    timeout: *timeout_secs,
                };
                self.alter_system(Doors::OTHER, |act| act.order(target(*session), &order))
            }
            Command::CancelSql { session, sql_id } => {
                let order = Order::Cancel { sql_id: sql_id.clone() };
                self.alter_system(Doors::OTHER, |act| act.order(target(*session), &order))
            }
            Command::SystemSet { settings, scope, sid } => self.alter_system(Doors::KILL, |act| {
                Poll::Ready(act.set_system(settings, scope.as_deref(), sid.as_deref()))
            }),
            Command::SystemOther(words) => {
                self.alter_system(Doors::OTHER, |act| Poll::Ready(act.system_other(words)))
            }
            Command::SessionSet(settings) => {
                let set =
                    settings.iter().try_for_each(|one| self.set_session(&one.name, &one.value));
                Poll::Ready(set.map(|()| Executed::default()))
            }
            Command::SessionOther(words) => Poll::Ready(self.session_other(words)),
            Command::Commit => Poll::Ready(self.commit().map(|()| Executed::default())),
            Command::Rollback { savepoint } => self.roll_back(savepoint.as_deref()),
            Command::Savepoint(name) => {
                if let Err(error) = self.state.books.heap.savepoint(self.session.key, name) {
                    return Poll::Ready(Err(error));
                }
                self.state.cluster.savepoint(self.session.key, name);
                done()
            }
            Command::SetTransaction(words) => self.set_transaction(words),
            Command::SetRole(words) => unknown(&format!("SET ROLE {words}")),
            Command::LockTable { table, mode, wait } => self.lock_table(table, mode, *wait),
            Command::Ddl(ddl) => Poll::Ready(self.ddl(ddl)),
            Command::Block(_) => unknown("a block within a statement"),
        }
    }

    /// Asks for the right to ALTER SYSTEM, and whether the operator of the database allows the clause.
    fn alter_system(
        &mut self,
        door: Doors,
        act: impl FnOnce(&mut Self) -> Poll<Result<(), OraError>>,
    ) -> Progress {
        let shut = match self.state.books.managed {
            Managed::No => false,
            Managed::Rds => true,
            Managed::Autonomous => door == Doors::OTHER,
        };
        if shut {
            return failed(1031, "insufficient privileges");
        }
        match self.need("ALTER SYSTEM") {
            Ok(()) => act(self).map_ok(|()| Executed::default()),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Clauses of ALTER SESSION besides SET: what they say of parallel statements is all that comes of it here.
    fn session_other(&mut self, words: &str) -> Result<Executed, OraError> {
        let key = self.session.key;
        let words: Vec<&str> = words.split_whitespace().collect();
        let status = match words.first() {
            Some(&"DISABLE") => "DISABLED",
            Some(&"ENABLE") => "ENABLED",
            Some(&"FORCE") => "FORCED",
            Some(&"CLOSE") if words.starts_with(&["CLOSE", "DATABASE", "LINK"]) => {
                return Err(OraError::new(2081, "database link is not open"));
            }
            _ => "",
        };
        let kind = match words.get(1..3) {
            Some(["PARALLEL", "DML"]) => 0,
            Some(["PARALLEL", "DDL"]) => 1,
            Some(["PARALLEL", "QUERY"]) => 2,
            _ => 3,
        };
        if kind == 0 && self.state.cluster.in_transaction(key) {
            let text = "Cannot alter the session parallel DML state within a transaction";
            return Err(OraError::new(12841, text));
        }
        if status.is_empty() || !self.state.cluster.set_parallel(key, kind, status) {
            return Err(OraError::new(2248, "invalid option for ALTER SESSION"));
        }
        Ok(Executed::default())
    }

    /// SET TRANSACTION: what it would change and this database cannot do is an error.
    fn set_transaction(&mut self, words: &str) -> Progress {
        if self.state.cluster.in_transaction(self.session.key) {
            return failed(1453, "SET TRANSACTION must be first statement of transaction");
        }
        let words = words.split(" NAME ").next().unwrap_or_default().trim();
        match words {
            "READ ONLY" => {
                self.state.sweep();
                self.session.viewer.read_only = Some(Arc::new(self.state.books.heap.snapshot()));
                done()
            }
            "READ WRITE" | "ISOLATION LEVEL READ COMMITTED" => done(),
            _ if words.starts_with("NAME ") => done(),
            _ => unknown(&format!("SET TRANSACTION {words}")),
        }
    }

    /// What changes rows or locks them is neither for a database that is open for reading nor for a read-only
    /// transaction.
    pub(super) fn check_read_write(&self) -> Result<(), OraError> {
        if self.state.cluster.spec().read_only {
            return Err(read_only());
        }
        if self.session.viewer.read_only.is_none() {
            return Ok(());
        }
        let text =
            "may not perform insert, delete, update operation inside a READ ONLY transaction";
        Err(OraError::new(1456, text))
    }

    fn roll_back(&mut self, savepoint: Option<&str>) -> Progress {
        let key = self.session.key;
        if let Some(name) = savepoint {
            return if self.state.books.heap.rollback_to(key, name) {
                self.state.cluster.roll_back_to_savepoint(key, name);
                done()
            } else {
                failed(
                    1086,
                    format!("savepoint '{name}' never established in this session or is invalid"),
                )
            };
        }
        if self.session.waiting.is_some() {
            return self.waited().map_ok(|_| Executed::default());
        }
        self.session.viewer.read_only = None;
        self.state.books.heap.rollback(key);
        let until = self.state.cluster.rollback(key);
        if until > self.state.cluster.now() { self.wait(Waiting::Until(until)) } else { done() }
    }

    /// Clauses of ALTER SYSTEM that are no more than words.
    fn system_other(&mut self, words: &str) -> Result<(), OraError> {
        /// These change nothing that could be seen here.
        const KNOWN: [&str; 6] = [
            "ARCHIVE LOG CURRENT",
            "CHECK DATAFILES",
            "CHECKPOINT",
            "FLUSH ",
            "REGISTER",
            "SWITCH LOGFILE",
        ];
        match words {
            "ENABLE RESTRICTED SESSION" | "DISABLE RESTRICTED SESSION" => {
                let inst_id = self.session.key.inst_id;
                self.state.cluster.restrict(inst_id, words.starts_with("ENABLE"));
                Ok(())
            }
            "QUIESCE RESTRICTED" | "UNQUIESCE" | "SUSPEND" | "RESUME" => {
                Err(OraError::new(3001, format!("unimplemented feature: ALTER SYSTEM {words}")))
            }
            _ if KNOWN.iter().any(|known| words.starts_with(known)) => Ok(()),
            _ => Err(OraError::new(2065, "illegal option for ALTER SYSTEM")),
        }
    }

    /// GRANT and REVOKE change accounts. Nothing else of the dictionary can be changed here.
    fn ddl(&mut self, ddl: &Ddl) -> Result<Executed, OraError> {
        let grants = matches!(ddl.verb.as_str(), "GRANT" | "REVOKE");
        if !self.session.viewer.rights.roles.contains("DBA") && self.session.viewer.user != "SYS" {
            return Err(OraError::new(1031, "insufficient privileges"));
        }
        if !grants {
            return Err(OraError::new(
                3001,
                format!("unimplemented feature: {} {}", ddl.verb, ddl.object_type),
            ));
        }
        self.commit()?;
        for privilege in &ddl.privileges {
            let text = match ddl.object.as_str() {
                "" => privilege.clone(),
                object => format!("{privilege} ON {object}"),
            };
            let grant = Grant::read(&text, &self.state.books.accounts.role_names())
                .map_err(|_| OraError::new(990, "missing or invalid privilege"))?;
            for grantee in &ddl.grantees {
                let account = self.state.books.accounts.get_mut(grantee).ok_or_else(|| {
                    OraError::new(1917, format!("user or role '{grantee}' does not exist"))
                })?;
                if ddl.verb == "GRANT" {
                    account.grants.insert(grant.clone());
                } else if !account.grants.remove(&grant) {
                    return Err(OraError::new(1927, "cannot REVOKE privileges you did not grant"));
                }
            }
        }
        Ok(Executed::default())
    }
}

/// Which doors a clause of ALTER SYSTEM goes through (facts, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Doors(u8);

impl Doors {
    /// SET and KILL SESSION, which an autonomous database leaves open.
    const KILL: Self = Self(0);
    /// The rest.
    const OTHER: Self = Self(1);
}
