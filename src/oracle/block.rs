//! Compare-and-end: one anonymous block reads the session's row again, compares it with what was judged, and only then
//! sends the statement. The exception handler is inside, because drivers take an ORA-00031 that reaches them for the
//! end of their own connection (facts, sections 2.7 and 6.2).

use chrono::DateTime;

use super::datum::{Bind, Datum};
use super::error::CallError;
use super::protocol::Release;
use crate::engine::policy::Verb;
use crate::engine::report::{Failure, Outcome, Refusal};
use crate::engine::session::{SessionKey, Snapshot, TextColumn};
use crate::engine::time::{MICROS_PER_SECOND, Span, Timestamp};
use crate::engine::witness::{AGE_MAX, Witness};

/// How statements that end sessions are sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Via {
    /// ALTER SYSTEM by our own account.
    AlterSystem,
    /// A procedure with its definer's rights, SCHEMA.PROCEDURE.
    Wrapper(String),
    /// RDSADMIN.RDSADMIN_UTIL.
    Rds,
    /// ALTER SYSTEM as Autonomous Database allows it.
    Autonomous,
}

/// What is to be done, and on what conditions.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What must still hold.
    pub witness: &'a Witness,
    /// What is done then.
    pub verb: Verb,
    /// Whose instance the block runs on.
    pub own_instance: u32,
    /// The rule's name, for the wrapper's own records.
    pub rule: &'a str,
    /// What it was judged by.
    pub seen: &'a Snapshot,
    /// The view of parallel slaves can be read.
    pub px_readable: bool,
}

/// Whether `verb` can be sent this way, to a session of this or of another instance. That a DISCONNECT may name an
/// instance stands in some of Oracle's books only. Facts, sections 2.1 and 5.
pub fn can(
    via: &Via,
    verb: Verb,
    release: Release,
    remote: bool,
    disconnect_names_instance: bool,
) -> bool {
    let release_has = match verb {
        Verb::CancelSql => release >= Release::new(18, 0),
        Verb::KillNoreplay => release >= Release::new(12, 1),
        Verb::KillForce => release >= Release::new(23, 0),
        Verb::KillPlain
        | Verb::KillImmediate
        | Verb::DisconnectPostTransaction
        | Verb::DisconnectImmediate => true,
    };
    // The wrapper's statement names none: sent from another instance it would mean somebody else there.
    let names_instance = disconnect_names_instance && *via == Via::AlterSystem;
    let reaches = !remote || !verb.disconnects() || names_instance;
    release_has
        && match via {
            Via::AlterSystem | Via::Wrapper(_) => reaches,
            Via::Rds => {
                !remote
                    && matches!(
                        verb,
                        Verb::KillImmediate
                            | Verb::DisconnectImmediate
                            | Verb::DisconnectPostTransaction
                            | Verb::CancelSql
                    )
            }
            Via::Autonomous => matches!(verb, Verb::KillPlain | Verb::KillImmediate),
        }
}

/// How far the block came.
const GONE: i64 = 1;
const CHANGED: i64 = 2;
const SENDING: i64 = 3;
const SENT: i64 = 4;
const LATE: i64 = 5;

/// How far the clock of the instance that ends a session may be behind that of the one that told when it was seen.
/// Cluster Time Synchronization keeps them much closer; further off, a clock was set, and nobody knows how long it has
/// been.
const CLOCKS_APART_MAX: Span = Span::seconds(60);

/// Of the server's message about an error.
const MESSAGE_BYTES: u32 = 600;

/// The declarations of a block and the binds behind them: each bind stands in the text once, in this order.
#[derive(Default)]
struct Declared {
    text: String,
    binds: Vec<Bind>,
}

impl Declared {
    fn add(&mut self, name: &str, kind: &str, datum: Datum) {
        for part in ["  ", name, " CONSTANT ", kind, " := :", name, ";\n"] {
            self.text.push_str(part);
        }
        self.binds.push(Bind::In(datum));
    }
}

/// The block and its binds.
pub fn block(via: &Via, order: &Order<'_>) -> (String, Vec<Bind>) {
    let mut declared = declared(order);
    let mut same = same(order, &mut declared);
    let remote = order.witness.life.key.inst_id != order.own_instance;
    if order.px_readable {
        same.push_str(if remote { NO_SLAVE_THERE } else { NO_SLAVE_HERE });
    }
    let (view, here) =
        if remote { ("gv$session", "s.inst_id = b_inst AND ") } else { ("v$session", "") };
    let send = send(via, order.verb, remote);
    let Declared { text: declared, mut binds } = declared;
    binds.extend([Bind::OutNumber, Bind::OutNumber, Bind::OutText(MESSAGE_BYTES)]);
    let text = format!(
        "DECLARE
{declared}  v_there NUMBER;
  v_same NUMBER;
  v_stage NUMBER := 0;
  v_code NUMBER := 0;
  v_text VARCHAR2({MESSAGE_BYTES});
BEGIN
  BEGIN
    SELECT COUNT(*), COUNT(CASE WHEN TO_CHAR(s.logon_time, 'YYYYMMDDHH24MISS') = b_logon
           AND s.type = 'USER' AND s.username = b_user AND s.user# <> 0
           AND s.status = b_status AND s.status NOT IN ('KILLED', 'CACHED') AND s.last_call_et >= b_et
           AND s.ownerid = 2147483644{same} THEN 1 END)
      INTO v_there, v_same
      FROM {view} s WHERE {here}s.sid = b_sid AND s.serial# = b_serial;
    IF v_there = 0 THEN
      v_stage := {GONE};
    ELSIF v_same = 0 THEN
      v_stage := {CHANGED};
    ELSIF TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYYMMDDHH24MISS') BETWEEN b_from AND b_until THEN
      v_stage := {SENDING};
      {send}
      IF v_code = 0 THEN
        v_stage := {SENT};
      END IF;
    ELSE
      v_stage := {LATE};
    END IF;
  EXCEPTION WHEN OTHERS THEN
    v_code := SQLCODE;
    v_text := SUBSTR(SQLERRM, 1, 400);
  END;
  :o_stage := v_stage;
  :o_code := v_code;
  :o_text := v_text;
END;"
    );
    (text, binds)
}

/// What the rule looked at, as conditions, with a declaration for each value.
fn same(order: &Order<'_>, declared: &mut Declared) -> String {
    let mut same = String::new();
    for (number, (column, then)) in order.witness.looked_at.iter().enumerate() {
        let Some(expression) = comparable(*column) else {
            // What cannot be compared again has to count as changed.
            same.push_str("\n           AND 1 = 0");
            continue;
        };
        let name = format!("b_was{number}");
        declared.add(&name, "VARCHAR2(4000)", Datum::text(then.as_deref()));
        for part in ["\n           AND DECODE(", expression, ", ", &name, ", 1, 0) = 1"] {
            same.push_str(part);
        }
    }
    let active =
        order.witness.status.as_deref().is_some_and(|it| it.eq_ignore_ascii_case("ACTIVE"));
    if active || order.verb == Verb::CancelSql {
        same.push_str(
            "\n           AND DECODE(s.sql_id, b_sqlid, 1, 0) = 1 AND DECODE(s.sql_exec_id, b_exec, 1, 0) = 1",
        );
    }
    for (sql, returned) in &order.witness.queries {
        let whether = if *returned { "EXISTS" } else { "NOT EXISTS" };
        for part in ["\n           AND ", whether, " (SELECT 1 FROM (\n", sql, QUERY_END] {
            same.push_str(part);
        }
    }
    match order.witness.blocks {
        Some(true) => same.push_str(BLOCKS),
        Some(false) => same.push_str(&all_seen(order.seen, NOBODY_WAITS)),
        None => {}
    }
    if order.witness.queries.iter().any(|(_, returned)| !returned) {
        same.push_str(&all_seen(order.seen, ""));
    }
    if order.verb == Verb::CancelSql {
        // Without a SQL_ID the next statement would be cancelled (facts, section 2.4).
        same.push_str("\n           AND s.status = 'ACTIVE' AND b_sqlid IS NOT NULL");
    }
    same
}

/// Behind the text of a query, which may end in a comment.
const QUERY_END: &str =
    "\n           ) q WHERE q.inst_id = b_inst AND q.sid = b_sid AND q.serial# = b_serial)";

/// Somebody waits for it.
const BLOCKS: &str = "
           AND EXISTS (SELECT 1 FROM gv$session w WHERE w.state = 'WAITING'
                AND w.blocking_session_status = 'VALID'
                AND w.blocking_instance = b_inst AND w.blocking_session = b_sid)";

/// Nobody among the rows of `w` does.
const NOBODY_WAITS: &str = "
                AND COUNT(CASE WHEN w.state = 'WAITING' AND w.blocking_session_status = 'VALID'
                    AND w.blocking_instance = b_inst AND w.blocking_session = b_sid THEN 1 END) = 0";

/// All instances that were expected show somebody, their background processes at least, and `nobody` is found among the
/// same rows: what a GV$ view does not show is no evidence while an instance is missing from it.
fn all_seen(seen: &Snapshot, nobody: &str) -> String {
    let expected: Vec<String> = seen.instances.iter().map(|it| it.inst_id.to_string()).collect();
    let (list, count) = (expected.join(", "), expected.len());
    format!(
        "
           AND 1 = (SELECT CASE WHEN
                COUNT(DISTINCT CASE WHEN w.inst_id IN ({list}) THEN w.inst_id END) = {count}{nobody}
                THEN 1 END FROM gv$session w)"
    )
}

/// No slave of a parallel statement, on our own instance.
const NO_SLAVE_HERE: &str = "
           AND NOT EXISTS (SELECT 1 FROM v$px_session x
                WHERE x.sid = b_sid AND x.serial# = b_serial AND x.qcinst_id IS NOT NULL)";

/// The same on another one.
const NO_SLAVE_THERE: &str = "
           AND NOT EXISTS (SELECT 1 FROM gv$px_session x
                WHERE x.inst_id = b_inst AND x.sid = b_sid AND x.serial# = b_serial AND x.qcinst_id IS NOT NULL)";

/// What every block is told: who, and what must still hold.
fn declared(order: &Order<'_>) -> Declared {
    let Witness { life, username, status, sql_id, sql_exec_id, last_call_et, .. } = order.witness;
    let SessionKey { inst_id, sid, serial } = life.key;
    let mut declared = Declared::default();
    declared.add("b_inst", "NUMBER", Datum::Number(inst_id.into()));
    declared.add("b_sid", "NUMBER", Datum::Number(sid.into()));
    declared.add("b_serial", "NUMBER", Datum::Number(serial.into()));
    declared.add("b_logon", "VARCHAR2(14)", stamp(life.logon_time, order.seen.clock_offset));
    let judged = order.seen.taken_at;
    let [from, until] = [Span(-CLOCKS_APART_MAX.0), AGE_MAX].map(|it| Some(judged.plus(it)));
    declared.add("b_from", "VARCHAR2(14)", stamp(from, Span::ZERO));
    declared.add("b_until", "VARCHAR2(14)", stamp(until, Span::ZERO));
    declared.add("b_user", "VARCHAR2(128)", Datum::text(username.as_deref()));
    declared.add("b_status", "VARCHAR2(8)", Datum::text(status.as_deref()));
    declared.add("b_et", "NUMBER", Datum::number(*last_call_et));
    declared.add("b_sqlid", "VARCHAR2(13)", Datum::text(sql_id.as_deref()));
    declared.add("b_exec", "NUMBER", Datum::number(*sql_exec_id));
    declared.add("b_rule", "VARCHAR2(128)", Datum::Text(order.rule.to_owned()));
    declared
}

/// The statement inside the block. Identifiers are numbers; a SQL_ID was compared with the row's own.
fn send(via: &Via, verb: Verb, remote: bool) -> String {
    let who = "TO_CHAR(b_sid) || ',' || TO_CHAR(b_serial)";
    let at = if remote { " || ',@' || TO_CHAR(b_inst)" } else { "" };
    let alter = |what: &str, how: &str| {
        format!("EXECUTE IMMEDIATE 'ALTER SYSTEM {what} ''' || {who}{at} || '''{how}';")
    };
    match via {
        Via::Wrapper(procedure) => format!(
            "{procedure}(b_inst, b_sid, b_serial, b_logon, '{}', b_sqlid, b_rule, v_code, v_text);",
            verb.text()
        ),
        Via::Rds => match verb {
            Verb::CancelSql => {
                "rdsadmin.rdsadmin_util.cancel(b_sid, b_serial, b_sqlid);".to_owned()
            }
            Verb::DisconnectPostTransaction => {
                "rdsadmin.rdsadmin_util.disconnect(b_sid, b_serial, 'POST_TRANSACTION');".to_owned()
            }
            Verb::DisconnectImmediate => {
                "rdsadmin.rdsadmin_util.disconnect(b_sid, b_serial, 'IMMEDIATE');".to_owned()
            }
            Verb::KillPlain | Verb::KillImmediate | Verb::KillNoreplay | Verb::KillForce => {
                "rdsadmin.rdsadmin_util.kill(b_sid, b_serial, 'IMMEDIATE');".to_owned()
            }
        },
        Via::AlterSystem | Via::Autonomous => match verb {
            Verb::CancelSql => format!(
                "EXECUTE IMMEDIATE 'ALTER SYSTEM CANCEL SQL ''' || {who}{at} || ',' || b_sqlid || '''';"
            ),
            Verb::KillPlain => alter("KILL SESSION", ""),
            Verb::KillImmediate => alter("KILL SESSION", " IMMEDIATE"),
            Verb::KillNoreplay => alter("KILL SESSION", " NOREPLAY"),
            Verb::KillForce => alter("KILL SESSION", " FORCE"),
            Verb::DisconnectPostTransaction => alter("DISCONNECT SESSION", " POST_TRANSACTION"),
            Verb::DisconnectImmediate => alter("DISCONNECT SESSION", " IMMEDIATE"),
        },
    }
}

/// A time as the block writes it, so far ahead of UTC. Without one nothing is equal to it.
fn stamp(at: Option<Timestamp>, offset: Span) -> Datum {
    let local = at.and_then(|at| {
        let seconds = at.0.saturating_add(offset.0).div_euclid(MICROS_PER_SECOND);
        DateTime::from_timestamp(seconds, 0)
    });
    local.map_or(Datum::Null, |local| Datum::Text(local.format("%Y%m%d%H%M%S").to_string()))
}

/// What a rule looked at, as it can be compared again in the row of V$SESSION.
const fn comparable(column: TextColumn) -> Option<&'static str> {
    Some(match column {
        TextColumn::Module => "s.module",
        TextColumn::Action => "s.action",
        TextColumn::ClientInfo => "s.client_info",
        TextColumn::ClientIdentifier => "s.client_identifier",
        TextColumn::Schemaname => "s.schemaname",
        TextColumn::Server => "s.server",
        TextColumn::ResourceConsumerGroup => "s.resource_consumer_group",
        TextColumn::ServiceName => "s.service_name",
        TextColumn::ContainerName => {
            "(SELECT c.name FROM v$containers c WHERE c.con_id = s.con_id)"
        }
        TextColumn::PrevSqlId => "s.prev_sql_id",
        TextColumn::Event => "s.event",
        TextColumn::WaitClass => "s.wait_class",
        TextColumn::State => "s.state",
        _ => return None,
    })
}

/// What became of it.
pub fn outcome(verb: Verb, answer: &Result<Vec<Datum>, CallError>) -> Outcome {
    match answer {
        Ok(values) => {
            let number = |place: usize| values.get(place).and_then(Datum::as_number);
            answered(verb, number(0), number(1).unwrap_or(0))
        }
        Err(error) => unanswered(error),
    }
}

fn answered(verb: Verb, stage: Option<i64>, code: i64) -> Outcome {
    // SQLCODE is negative.
    let code = code.unsigned_abs();
    match stage {
        Some(GONE) => Outcome::AlreadyGone,
        Some(CHANGED) => Outcome::Changed,
        // The session goes when its transaction ends.
        Some(SENT) if verb == Verb::DisconnectPostTransaction => Outcome::Accepted,
        Some(SENT) => Outcome::Ended,
        Some(SENDING) => refused(code),
        Some(LATE) => Outcome::Failed(Failure::NotTried),
        // The row could not be read: nothing was sent.
        Some(0) => match code {
            942 | 1031 => Outcome::Refused(Refusal::Privilege),
            _ => Outcome::Failed(Failure::Server),
        },
        _ => Outcome::Failed(Failure::Malformed),
    }
}

/// What an error of the statement itself means (facts, section 2.6).
fn refused(code: u64) -> Outcome {
    match code {
        30 => Outcome::AlreadyGone,
        31 => Outcome::Accepted,
        26 => Outcome::Failed(Failure::Malformed),
        27 => Outcome::Refused(Refusal::OwnSession),
        29 | 20_901 => Outcome::Refused(Refusal::NotUserSession),
        20_902 => Outcome::Changed,
        1_031 | 942 => Outcome::Refused(Refusal::Privilege),
        900..=933 | 2_000 | 2_065 | 2_248 | 3_001 => Outcome::Refused(Refusal::Unsupported),
        43 | 1_013 => Outcome::Unknown,
        _ => Outcome::Failed(Failure::Server),
    }
}

fn unanswered(error: &CallError) -> Outcome {
    match error {
        CallError::NotConnected(_) | CallError::NotTried { .. } => {
            Outcome::Failed(Failure::Disconnected)
        }
        // The block did not compile, so nothing ran: an object that we may not use, or a mistake of ours.
        CallError::Driver(error) if error.code == Some(6_550) => {
            let hidden =
                ["PLS-00201", "ORA-00942", "ORA-01031"].iter().any(|it| error.text.contains(it));
            if hidden {
                Outcome::Refused(Refusal::Privilege)
            } else {
                Outcome::Failed(Failure::Malformed)
            }
        }
        CallError::Driver(error) if !error.lost && error.code != Some(1_013) => {
            Outcome::Failed(Failure::Server)
        }
        CallError::Driver(_) | CallError::Deadline(_) | CallError::Died(_) => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Via, block, can, comparable};
    use crate::engine::policy::Verb;
    use crate::engine::session::{Column, SessionKey, Sessions, Snapshot, TextColumn};
    use crate::engine::time::Timestamp;
    use crate::engine::witness::Witness;
    use crate::oracle::protocol::Release;

    fn text(verb: Verb, looked_at: &[TextColumn]) -> String {
        let mut rows = Sessions::with_columns(Column::all());
        let row = rows.push(SessionKey { inst_id: 1, sid: 7, serial: 1 });
        let seen = &Snapshot::of_sessions("prod", Timestamp(0), rows);
        let witness = Witness::of(looked_at, seen.sessions.get(row));
        let order =
            Order { witness: &witness, verb, own_instance: 1, rule: "r", seen, px_readable: true };
        block(&Via::AlterSystem, &order).0
    }

    #[test]
    fn what_a_rule_looked_at_is_compared_and_what_cannot_be_counts_as_changed() {
        for column in [TextColumn::Event, TextColumn::State, TextColumn::ContainerName] {
            let compared = comparable(column).expect("it is compared");
            assert!(text(Verb::KillImmediate, &[column]).contains(compared), "{compared}");
        }
        assert!(text(Verb::KillImmediate, &[TextColumn::SqlText]).contains("AND 1 = 0"));
        assert!(!text(Verb::KillImmediate, &[]).contains("AND 1 = 0"));
    }

    #[test]
    fn a_cancel_names_the_statement_that_is_running() {
        let demands = "s.status = 'ACTIVE' AND b_sqlid IS NOT NULL";
        assert!(text(Verb::CancelSql, &[]).contains(demands));
        assert!(!text(Verb::KillImmediate, &[]).contains(demands));
    }

    #[test]
    fn a_disconnect_reaches_another_instance_only_where_it_may_name_it() {
        let disconnect = Verb::DisconnectImmediate;
        let wrapper = Via::Wrapper("A.B".to_owned());
        let release = Release::new(19, 0);
        for (via, remote, names_instance, reaches) in [
            (&Via::AlterSystem, false, false, true),
            (&Via::AlterSystem, true, false, false),
            (&Via::AlterSystem, true, true, true),
            (&wrapper, false, true, true),
            (&wrapper, true, true, false),
            (&Via::Rds, true, true, false),
            (&Via::Autonomous, false, true, false),
        ] {
            assert_eq!(can(via, disconnect, release, remote, names_instance), reaches, "{via:?}");
        }
        assert!(can(&Via::AlterSystem, Verb::KillImmediate, release, true, false));
        assert!(!can(&Via::AlterSystem, Verb::CancelSql, Release::new(12, 2), false, false));
    }
}
