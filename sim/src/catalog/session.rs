//! V$SESSION and V$SESSION_WAIT: one function per column, looked up once per query, so that thousands of rows cost no
//! more than the columns that are asked for.

use std::cell::OnceCell;

use super::cell::{address, address_text, date, maybe_number, maybe_text, number, text};
use crate::cluster::Cluster;
use crate::cluster::lock::Blocking;
use crate::cluster::session::{Execution, Session};
use crate::cluster::wait::Wait;
use crate::value::Value;

/// A session, and what has to be asked of the cluster about it: once at most.
pub(crate) struct SessionRow<'a> {
    cluster: &'a Cluster,
    session: &'a Session,
    wait: OnceCell<Wait>,
    blocking: OnceCell<Blocking>,
}

/// Makes the value of one column.
pub(crate) type Getter = fn(&SessionRow<'_>) -> Value;

impl<'a> SessionRow<'a> {
    /// One session as it is now.
    pub(crate) fn new(cluster: &'a Cluster, session: &'a Session) -> Self {
        Self { cluster, session, wait: OnceCell::new(), blocking: OnceCell::new() }
    }

    fn wait(&self) -> &Wait {
        self.wait.get_or_init(|| self.cluster.wait(self.session))
    }

    fn blocking(&self) -> &Blocking {
        self.blocking.get_or_init(|| self.cluster.blocking(self.session))
    }
}

/// The function for a column of V$SESSION; `None` for one that the model leaves NULL.
pub(crate) fn column(name: &str) -> Option<Getter> {
    identity(name)
        .or_else(|| client(name))
        .or_else(|| running(name))
        .or_else(|| state(name))
        .or_else(|| wait(name))
}

fn identity(name: &str) -> Option<Getter> {
    let getter: Getter = match name {
        "SADDR" => |row| address(row.session.saddr),
        "SID" => |row| number(row.session.key.sid),
        "SERIAL#" => |row| number(row.session.key.serial),
        "AUDSID" => |row| number(row.session.audsid),
        "PADDR" => |row| address(row.session.paddr),
        "USER#" => |row| number(row.session.user.as_ref().map_or(0, |user| user.id)),
        "USERNAME" => |row| maybe_text(row.session.username()),
        "SCHEMA#" => |row| number(row.session.schema.id),
        "SCHEMANAME" => |row| text(&row.session.schema.name),
        "OWNERID" => |row| number(row.session.owner_id),
        "TYPE" => |row| text(row.session.session_type.as_str()),
        "CREATOR_ADDR" => |row| address(row.session.creator_addr),
        "CREATOR_SERIAL#" => |row| number(row.session.creator_serial),
        "CON_ID" => |row| number(row.session.con_id),
        "LOGON_TIME" => |row| date(row.session.logon),
        "SESSION_EDITION_ID" => |row| number(if row.session.user.is_some() { 134 } else { 0 }),
        _ => return None,
    };
    Some(getter)
}

fn client(name: &str) -> Option<Getter> {
    let getter: Getter = match name {
        "OSUSER" => |row| text(&row.session.client.osuser),
        "PROCESS" => |row| text(&row.session.client.process),
        "MACHINE" => |row| text(&row.session.client.machine),
        "PORT" => |row| number(row.session.client.port),
        "TERMINAL" => |row| text(&row.session.client.terminal),
        "PROGRAM" => |row| text(&row.session.client.program),
        "SERVICE_NAME" => |row| text(&row.session.client.service),
        "MODULE" => |row| maybe_text(row.session.marks.module.as_deref()),
        "MODULE_HASH" => |row| number(hash(row.session.marks.module.as_deref())),
        "ACTION" => |row| maybe_text(row.session.marks.action.as_deref()),
        "ACTION_HASH" => |row| number(hash(row.session.marks.action.as_deref())),
        "CLIENT_INFO" => |row| maybe_text(row.session.marks.client_info.as_deref()),
        "CLIENT_IDENTIFIER" => |row| maybe_text(row.session.marks.client_identifier.as_deref()),
        "ECID" => |row| maybe_text(row.session.marks.ecid.as_deref()),
        _ => return None,
    };
    Some(getter)
}

/// MODULE_HASH and ACTION_HASH: 0 for none, otherwise any number that tells two texts apart.
fn hash(text: Option<&str>) -> u32 {
    text.unwrap_or_default()
        .bytes()
        .fold(0, |hash: u32, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte))
}

fn of(execution: Option<&Execution>, value: fn(&Execution) -> Value, none: fn() -> Value) -> Value {
    execution.map_or_else(none, value)
}

fn running(name: &str) -> Option<Getter> {
    let getter: Getter = match name {
        "COMMAND" => |row| number(row.session.command),
        "SQL_ADDRESS" => {
            |row| of(row.session.current.as_ref(), |one| address(one.statement.address), no_address)
        }
        "SQL_HASH_VALUE" => {
            |row| of(row.session.current.as_ref(), |one| number(one.statement.hash_value), zero)
        }
        "SQL_ID" => {
            |row| of(row.session.current.as_ref(), |one| text(one.statement.sql_id.as_str()), null)
        }
        "SQL_CHILD_NUMBER" => |row| of(row.session.current.as_ref(), |one| number(one.child), null),
        "SQL_EXEC_START" => {
            |row| of(row.session.current.as_ref(), |one| one.start.map_or(Value::Null, date), null)
        }
        "SQL_EXEC_ID" => |row| {
            of(row.session.current.as_ref(), |one| maybe_number(one.start.map(|_| one.id)), null)
        },
        "PREV_SQL_ADDR" => |row| {
            of(row.session.previous.as_ref(), |one| address(one.statement.address), no_address)
        },
        "PREV_HASH_VALUE" => {
            |row| of(row.session.previous.as_ref(), |one| number(one.statement.hash_value), zero)
        }
        "PREV_SQL_ID" => {
            |row| of(row.session.previous.as_ref(), |one| text(one.statement.sql_id.as_str()), null)
        }
        "PREV_CHILD_NUMBER" => {
            |row| of(row.session.previous.as_ref(), |one| number(one.child), null)
        }
        "PREV_EXEC_START" => {
            |row| of(row.session.previous.as_ref(), |one| one.start.map_or(Value::Null, date), null)
        }
        "PREV_EXEC_ID" => |row| {
            of(row.session.previous.as_ref(), |one| maybe_number(one.start.map(|_| one.id)), null)
        },
        "PLSQL_ENTRY_OBJECT_ID" => |row| maybe_number(row.session.plsql_entry.map(|entry| entry.0)),
        "PLSQL_ENTRY_SUBPROGRAM_ID" => {
            |row| maybe_number(row.session.plsql_entry.map(|entry| entry.1))
        }
        "TOP_LEVEL_CALL#" => |row| number(if row.session.call.is_some() { 94 } else { 0 }),
        "FIXED_TABLE_SEQUENCE" => |row| number(row.session.calls),
        _ => return None,
    };
    Some(getter)
}

fn no_address() -> Value {
    Value::Raw(vec![0])
}

fn zero() -> Value {
    number(0)
}

fn null() -> Value {
    Value::Null
}

fn state(name: &str) -> Option<Getter> {
    let getter: Getter = match name {
        "STATUS" => |row| text(row.session.status().as_str()),
        "SERVER" => |row| text(row.session.server().as_str()),
        "TADDR" => |row| {
            let transaction = row.session.transaction.and_then(|key| row.cluster.transaction(key));
            transaction.map_or(Value::Null, |transaction| address_text(transaction.addr()))
        },
        "LOCKWAIT" => |row| row.session.lockwait().map_or(Value::Null, address_text),
        "LAST_CALL_ET" => |row| number(row.cluster.last_call_et(row.session)),
        "PDML_ENABLED" | "FAILED_OVER" | "SQL_TRACE_BINDS" => |_| text("NO"),
        "FAILOVER_TYPE" => |row| text(row.session.failover[0]),
        "FAILOVER_METHOD" => |row| text(row.session.failover[1]),
        "RESOURCE_CONSUMER_GROUP" => |row| maybe_text(row.session.consumer_group),
        "PDML_STATUS" => |row| text(row.session.parallel[0]),
        "PDDL_STATUS" => |row| text(row.session.parallel[1]),
        "PQ_STATUS" => |row| text(row.session.parallel[2]),
        "CURRENT_QUEUE_DURATION" | "SQL_TRANSLATION_PROFILE_ID" => |_| zero(),
        "SQL_TRACE" => |_| text("DISABLED"),
        "SQL_TRACE_WAITS" | "PLSQL_DEBUGGER_CONNECTED" => |_| text("FALSE"),
        "SQL_TRACE_PLAN_STATS" => |_| text("FIRST EXEC"),
        "SHARD_DDL_STATUS" => |_| text("DISABLED"),
        "PGA_TUNABLE_MEM" => |row| number(if row.session.call.is_some() { 1_048_576 } else { 0 }),
        "DRAIN_STATUS" => |_| text("NONE"),
        "BLOCKING_SESSION_STATUS" => |row| text(row.blocking().status.as_str()),
        "BLOCKING_INSTANCE" => |row| maybe_number(row.blocking().blocker.map(|key| key.inst_id)),
        "BLOCKING_SESSION" => |row| maybe_number(row.blocking().blocker.map(|key| key.sid)),
        "FINAL_BLOCKING_SESSION_STATUS" => |row| text(row.blocking().final_status.as_str()),
        "FINAL_BLOCKING_INSTANCE" => {
            |row| maybe_number(row.blocking().final_blocker.map(|key| key.inst_id))
        }
        "FINAL_BLOCKING_SESSION" => {
            |row| maybe_number(row.blocking().final_blocker.map(|key| key.sid))
        }
        _ => return None,
    };
    Some(getter)
}

/// The columns that V$SESSION_WAIT has too.
pub(crate) fn wait(name: &str) -> Option<Getter> {
    let getter: Getter = match name {
        "SID" => |row| number(row.session.key.sid),
        "CON_ID" => |row| number(row.session.con_id),
        "ROW_WAIT_OBJ#" => |row| number(row.wait().row.map_or(-1, |one| i64::from(one.object))),
        "ROW_WAIT_FILE#" => |row| number(row.wait().row.map_or(0, |one| one.place().0)),
        "ROW_WAIT_BLOCK#" => |row| number(row.wait().row.map_or(0, |one| one.place().1)),
        "ROW_WAIT_ROW#" => |row| number(row.wait().row.map_or(0, |one| one.place().2)),
        "SEQ#" => |row| number(row.wait().seq),
        "EVENT#" => |row| number(row.wait().event as u32),
        "EVENT" => |row| text(row.wait().event().name),
        "P1TEXT" => |row| text(row.wait().event().texts[0]),
        "P1" => |row| number(row.wait().p[0]),
        "P1RAW" => |row| address(row.wait().p[0]),
        "P2TEXT" => |row| text(row.wait().event().texts[1]),
        "P2" => |row| number(row.wait().p[1]),
        "P2RAW" => |row| address(row.wait().p[1]),
        "P3TEXT" => |row| text(row.wait().event().texts[2]),
        "P3" => |row| number(row.wait().p[2]),
        "P3RAW" => |row| address(row.wait().p[2]),
        "WAIT_CLASS_ID" => |row| number(row.wait().event().class.columns().1),
        "WAIT_CLASS#" => |row| number(row.wait().event().class.columns().0),
        "WAIT_CLASS" => |row| text(row.wait().event().class.columns().2),
        "WAIT_TIME" => |row| number(row.wait().wait_time()),
        "SECONDS_IN_WAIT" => |row| number(row.wait().seconds_in_wait()),
        "STATE" => |row| text(row.wait().state.as_str()),
        "WAIT_TIME_MICRO" => |row| number(row.wait().wait_time_micro()),
        "TIME_REMAINING_MICRO" => |row| maybe_number(row.wait().remaining),
        "TIME_SINCE_LAST_WAIT_MICRO" => |row| number(row.wait().since_last_wait_micro()),
        _ => return None,
    };
    Some(getter)
}

/// INST_ID of the GV$ form.
pub(crate) fn instance(row: &SessionRow<'_>) -> Value {
    number(row.session.key.inst_id)
}
