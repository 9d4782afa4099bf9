//! Oracle's packages, as far as a session manager and the applications beside it use them. What is not here is not
//! there: PLS-00201.

use std::task::Poll;

use super::command::read_only;
use super::session::{Act, Waiting};
use crate::catalog::books::{Books, Managed};
use crate::catalog::view::Viewer;
use crate::cluster::SECOND;
use crate::cluster::kill::{Answer, Manner, Order, Target};
use crate::cluster::live::Grant;
use crate::cluster::mode_lock::Mode;
use crate::cluster::session::SessionKey;
use crate::conversation::{Direction, Tags};
use crate::ora::OraError;
use crate::sql::number;
use crate::sql::plsql::{self, Parameter, Returned, Signature};
use crate::value::{ColumnType, Number, Value};

/// Packages that everybody may call.
const PUBLIC: [&str; 4] = ["DBMS_APPLICATION_INFO", "DBMS_OUTPUT", "DBMS_SESSION", "DBMS_UTILITY"];
/// The last id that an application may choose, and the last one at all (facts, section 7.1).
const LOCK_ID_MAX: i64 = 1_999_999_999;
/// MAXWAIT.
const MAX_WAIT: i64 = 32_767;

/// The signatures of a name, if the session may call it.
pub(super) fn signatures(books: &Books, viewer: &Viewer, name: &str) -> Vec<Signature> {
    if let Some(procedure) = procedure_named(books, viewer, name) {
        return vec![procedure];
    }
    let plain = name.strip_prefix("SYS.").unwrap_or(name);
    if let Some(rest) = plain.strip_prefix("RDSADMIN.RDSADMIN_UTIL.") {
        let may = viewer.rights.roles.contains("DBA")
            || viewer.rights.executes("RDSADMIN", "RDSADMIN_UTIL");
        return if books.managed == Managed::Rds && may { rds(rest) } else { Vec::new() };
    }
    let Some((package, _)) = plain.split_once('.') else { return Vec::new() };
    if !PUBLIC.contains(&package) && !viewer.rights.executes("SYS", package) {
        return Vec::new();
    }
    plsql::signatures(plain)
}

/// A procedure of the scenario, by its name with or without its owner.
fn procedure_named(books: &Books, viewer: &Viewer, name: &str) -> Option<Signature> {
    let own = format!("{}.{name}", viewer.schema);
    let procedure = books.procedures.get(name).or_else(|| books.procedures.get(&own))?;
    let (owner, rest) = procedure.signature.name.split_once('.')?;
    // EXECUTE is granted on a package, or on a procedure that stands alone.
    let object = rest.split('.').next().unwrap_or(rest);
    viewer.rights.executes(owner, object).then(|| procedure.signature.clone())
}

fn rds(name: &str) -> Vec<Signature> {
    let parameter = |name: &str, column_type, optional| Parameter {
        name: name.to_owned(),
        direction: Direction::In,
        column_type,
        optional,
    };
    let mut parameters = vec![
        parameter("SID", ColumnType::Number, false),
        parameter("SERIAL", ColumnType::Number, false),
    ];
    parameters.push(match name {
        "KILL" | "DISCONNECT" => parameter("METHOD", ColumnType::Varchar2(32), true),
        "CANCEL" => parameter("SQL_ID", ColumnType::Varchar2(13), true),
        _ => return Vec::new(),
    });
    vec![Signature { name: format!("RDSADMIN.RDSADMIN_UTIL.{name}"), parameters, returns: None }]
}

/// The arguments of a call by their parameters' names.
struct Arguments<'a> {
    signature: &'a Signature,
    values: &'a [Option<Value>],
}

impl Arguments<'_> {
    fn place(&self, name: &str) -> Option<usize> {
        self.signature.parameters.iter().position(|parameter| parameter.name == name)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(self.place(name)?)?.as_ref()
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<Number> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            Value::Double(float) => Number::from_f64(*float),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.number(name).and_then(Number::to_i64)
    }

    /// OUT parameters by name.
    fn out(&self, values: Vec<(&str, Value)>) -> Returned {
        let out = values
            .into_iter()
            .filter_map(|(name, value)| Some((self.place(name)?, value)))
            .collect();
        Returned { value: None, out }
    }
}

fn gives(value: impl Into<i128>) -> Poll<Result<Returned, OraError>> {
    Poll::Ready(Ok(Returned { value: Some(Value::integer(value)), out: Vec::new() }))
}

fn nothing() -> Poll<Result<Returned, OraError>> {
    Poll::Ready(Ok(Returned::default()))
}

/// Calls a procedure or function.
pub(super) fn call(
    act: &mut Act<'_>,
    signature: &Signature,
    values: &[Option<Value>],
) -> Poll<Result<Returned, OraError>> {
    let arguments = Arguments { signature, values };
    let name = signature.name.strip_prefix("SYS.").unwrap_or(&signature.name);
    match name.rsplit_once('.') {
        Some(("DBMS_LOCK", name)) => lock(act, name, &arguments),
        Some(("DBMS_APPLICATION_INFO", name)) => application_info(act, name, &arguments),
        Some(("DBMS_SESSION", name)) => session(act, name, &arguments),
        Some(("DBMS_UTILITY", name)) => utility(act, name, &arguments),
        Some(("DBMS_OUTPUT", name)) => output(act, name, &arguments),
        Some(("RDSADMIN.RDSADMIN_UTIL", name)) => rds_call(act, name, &arguments),
        _ => unknown(signature),
    }
}

fn unknown(signature: &Signature) -> Poll<Result<Returned, OraError>> {
    let text =
        format!("line 1, column 1:\nPLS-00302: component '{}' must be declared", signature.name);
    Poll::Ready(Err(OraError::new(6550, text)))
}

fn lock(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    match name {
        "ALLOCATE_UNIQUE" | "ALLOCATE_UNIQUE_AUTONOMOUS" => {
            let lock_name = arguments.text("LOCKNAME").unwrap_or_default();
            if lock_name.is_empty() || lock_name.to_ascii_uppercase().starts_with("ORA$") {
                return Poll::Ready(Err(OraError::new(20000, "ORU-10003: illegal lock name")));
            }
            let id = match allocate(act, &lock_name) {
                Ok(id) => id,
                Err(error) => return Poll::Ready(Err(error)),
            };
            if name == "ALLOCATE_UNIQUE"
                && let Err(error) = act.commit()
            {
                return Poll::Ready(Err(error));
            }
            Poll::Ready(Ok(arguments.out(vec![("LOCKHANDLE", Value::Text(handle(id)))])))
        }
        "REQUEST" | "CONVERT" => request(act, name, arguments),
        "RELEASE" => match lock_id(arguments) {
            Err(code) => gives(code),
            Ok(id) => gives(act.state.cluster.release_lock(act.session.key, id)),
        },
        "SLEEP" => sleep(act, arguments),
        _ => unknown(arguments.signature),
    }
}

/// The id behind the name of a lock, which a table of the database's keeps.
fn allocate(act: &mut Act<'_>, name: &str) -> Result<u32, OraError> {
    /// The size of the table's column.
    const NAME_BYTES_MAX: usize = 128;
    if act.state.cluster.spec().read_only {
        return Err(read_only());
    }
    if name.len() > NAME_BYTES_MAX {
        let column = "\"SYS\".\"DBMS_LOCK_ALLOCATED\".\"NAME\"";
        let sizes = format!("(actual: {}, maximum: {NAME_BYTES_MAX})", name.len());
        return Err(OraError::new(12899, format!("value too large for column {column} {sizes}")));
    }
    let full = "unable to extend table SYS.DBMS_LOCK_ALLOCATED by 128 in tablespace SYSTEM";
    act.state.cluster.lock_id(name).ok_or_else(|| OraError::new(1653, full))
}

/// A handle as Oracle makes them: the id twice and a sum.
fn handle(id: u32) -> String {
    format!("{id}{id}{:03}", id % 256)
}

/// The lock that is meant. The error is what REQUEST and RELEASE return: 3 for an id out of range, 5 for what is no
/// handle.
fn lock_id(arguments: &Arguments<'_>) -> Result<u32, u32> {
    if arguments.place("ID").is_some() {
        let id =
            arguments.integer("ID").filter(|id| (0..=LOCK_ID_MAX).contains(id)).ok_or(3_u32)?;
        return u32::try_from(id).map_err(|_| 3);
    }
    let text = arguments.text("LOCKHANDLE").unwrap_or_default();
    let id = text.get(..10).and_then(|front| front.parse::<u32>().ok()).ok_or(5_u32)?;
    if handle(id) == text { Ok(id) } else { Err(5) }
}

/// DBMS_LOCK.REQUEST and CONVERT.
fn request(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    if act.session.waiting.is_some() {
        let returned = |code| Returned { value: Some(Value::integer(code)), out: Vec::new() };
        return act.waited().map_ok(returned);
    }
    let id = match lock_id(arguments) {
        Ok(id) => id,
        Err(code) => return gives(code),
    };
    let Some(mode) = Mode::of(arguments.integer("LOCKMODE").unwrap_or(6)) else {
        return gives(3);
    };
    let timeout = arguments.number("TIMEOUT").map_or(MAX_WAIT * SECOND, micros);
    let timeout = timeout.clamp(0, MAX_WAIT * SECOND);
    let on_commit = arguments.integer("RELEASE_ON_COMMIT").unwrap_or(0) != 0;
    let (cluster, key) = (&mut act.state.cluster, act.session.key);
    let answer = match name {
        "CONVERT" => Ok(cluster.convert_lock(key, id, mode, timeout)),
        _ => cluster.request_lock(key, id, mode, timeout, on_commit),
    };
    match answer {
        Err(error) => Poll::Ready(Err(error)),
        Ok(Some(code)) => gives(code),
        Ok(None) => act.wait(Waiting::Model { until: None }),
    }
}

/// Seconds as the model counts time; more than it can count is for ever.
fn micros(seconds: Number) -> i64 {
    const FOR_EVER: i64 = i64::MAX / 4;
    let micros = number::multiply(seconds, Number::integer(i128::from(SECOND)));
    micros
        .ok()
        .and_then(|micros| number::truncate(micros, 0).to_i64())
        .map_or(FOR_EVER, |it| it.clamp(-1, FOR_EVER))
}

/// DBMS_LOCK.SLEEP and DBMS_SESSION.SLEEP: ACTIVE in PL/SQL lock timer.
fn sleep(act: &mut Act<'_>, arguments: &Arguments<'_>) -> Poll<Result<Returned, OraError>> {
    if act.session.waiting.is_some() {
        return act.waited().map_ok(|_| Returned::default());
    }
    let length = micros(arguments.number("SECONDS").unwrap_or(Number::ZERO)).max(0);
    match act.state.cluster.sleep(act.session.key, length) {
        Grant::Granted => nothing(),
        Grant::Queued => act.wait(Waiting::Model { until: None }),
    }
}

/// Text cut to so many bytes, as the packages do silently (facts, section 7.2). NULL empties.
fn cut(text: Option<String>, bytes: usize) -> String {
    let text = text.unwrap_or_default();
    let end =
        (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].to_owned()
}

fn application_info(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    let mut tags = Tags::default();
    match name {
        "SET_MODULE" => {
            tags.module = Some(cut(arguments.text("MODULE_NAME"), 48));
            tags.action = Some(cut(arguments.text("ACTION_NAME"), 32));
        }
        "SET_ACTION" => tags.action = Some(cut(arguments.text("ACTION_NAME"), 32)),
        "SET_CLIENT_INFO" => tags.client_info = Some(cut(arguments.text("CLIENT_INFO"), 64)),
        "READ_MODULE" | "READ_CLIENT_INFO" => {
            let marks = act
                .state
                .cluster
                .session(act.session.key)
                .map(|one| one.marks.clone())
                .unwrap_or_default();
            let shown = |text: Option<std::sync::Arc<str>>| {
                text.map_or(Value::Null, |text| Value::text(&*text))
            };
            return Poll::Ready(Ok(arguments.out(vec![
                ("MODULE_NAME", shown(marks.module)),
                ("ACTION_NAME", shown(marks.action)),
                ("CLIENT_INFO", shown(marks.client_info)),
            ])));
        }
        _ => return unknown(arguments.signature),
    }
    act.state.cluster.tag(act.session.key, &tags);
    nothing()
}

/// DBMS_SESSION.UNIQUE_SESSION_ID: 24 digits that name one session life.
fn unique_id(key: SessionKey) -> String {
    format!("{:08X}{:08X}{:08X}", key.sid, key.serial, key.inst_id)
}

fn session(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    match name {
        "SET_IDENTIFIER" | "CLEAR_IDENTIFIER" => {
            let client_identifier = Some(cut(arguments.text("CLIENT_ID"), 64));
            act.state.cluster.tag(act.session.key, &Tags { client_identifier, ..Tags::default() });
            nothing()
        }
        "UNIQUE_SESSION_ID" => {
            let value = Value::Text(unique_id(act.session.key));
            Poll::Ready(Ok(Returned { value: Some(value), out: Vec::new() }))
        }
        "IS_SESSION_ALIVE" => {
            let wanted = arguments.text("UNIQUEID").unwrap_or_default().to_ascii_uppercase();
            let mut all = act
                .state
                .cluster
                .instances()
                .flat_map(crate::cluster::instance::Instance::sessions);
            gives(u8::from(all.any(|one| unique_id(one.key) == wanted)))
        }
        "SET_NLS" => {
            let name = arguments.text("PARAM").unwrap_or_default().to_ascii_uppercase();
            let value = arguments.text("VALUE").unwrap_or_default();
            let value = value.trim_matches('\'').to_owned();
            Poll::Ready(act.set_session(&name, &value).map(|()| Returned::default()))
        }
        // What packages of the session's own would keep is not there; what Oracle's keep goes.
        "MODIFY_PACKAGE_STATE" | "RESET_PACKAGE" => {
            act.session.output = None;
            nothing()
        }
        "FREE_UNUSED_USER_MEMORY" => nothing(),
        "SET_CONTEXT" | "CLEAR_CONTEXT" => {
            let value = if name == "SET_CONTEXT" { arguments.text("VALUE") } else { None };
            Poll::Ready(client_context(act, arguments, value).map(|()| Returned::default()))
        }
        "IS_ROLE_ENABLED" => {
            let role = arguments.text("ROLENAME").unwrap_or_default().to_uppercase();
            gives(u8::from(act.session.viewer.rights.roles.contains(&role)))
        }
        "SLEEP" => sleep(act, arguments),
        _ => unknown(arguments.signature),
    }
}

/// Attributes of CLIENTCONTEXT that a session may have.
const CONTEXTS_MAX: usize = 1_000;

/// Only the namespace CLIENTCONTEXT is everybody's; any other is its package's, and there is none. CLEAR_CONTEXT
/// without an attribute empties it.
fn client_context(
    act: &mut Act<'_>,
    arguments: &Arguments<'_>,
    value: Option<String>,
) -> Result<(), OraError> {
    let namespace = arguments.text("NAMESPACE").unwrap_or_default();
    if !namespace.eq_ignore_ascii_case("CLIENTCONTEXT") {
        return Err(OraError::new(1031, "insufficient privileges"));
    }
    let contexts = &mut act.session.contexts;
    match (arguments.text("ATTRIBUTE").map(|name| name.to_uppercase()), value) {
        (Some(_), Some(_)) if contexts.len() >= CONTEXTS_MAX => {
            return Err(OraError::new(1031, "insufficient privileges"));
        }
        (Some(name), Some(value)) => drop(contexts.insert(name, value)),
        (Some(name), None) => drop(contexts.remove(&name)),
        (None, _) => contexts.clear(),
    }
    Ok(())
}

/// The last 32 bits, with their sign: a counter of Oracle's goes on below zero.
fn signed(number: i64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// DBMS_UTILITY: hundredths of a second since some moment, and on a CPU.
fn utility(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    const HUNDREDTH: i64 = SECOND / 100;
    let now = act.state.cluster.now();
    match name {
        "GET_TIME" => gives(signed(now / HUNDREDTH)),
        "GET_CPU_TIME" => {
            let session = act.state.cluster.session(act.session.key);
            gives(session.map_or(0, |session| session.cpu(now)) / HUNDREDTH)
        }
        _ => unknown(arguments.signature),
    }
}

/// Lines that DBMS_OUTPUT keeps; more are lost, as with its buffer.
const OUTPUT_MAX: usize = 10_000;
/// The longest line.
const LINE_BYTES_MAX: usize = 32_767;

fn output(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    let buffer = &mut act.session.output;
    match name {
        "ENABLE" => {
            buffer.get_or_insert_default();
        }
        "DISABLE" => *buffer = None,
        "PUT" | "PUT_LINE" | "NEW_LINE" => {
            let Some(output) = buffer else { return nothing() };
            let text = arguments.text("A").unwrap_or_default();
            if output.begun.len() + text.len() > LINE_BYTES_MAX {
                let text = "ORU-10028: line length overflow, limit of 32767 bytes per line";
                return Poll::Ready(Err(OraError::new(20_000, text)));
            }
            output.begun.push_str(&text);
            if name != "PUT" {
                let line = std::mem::take(&mut output.begun);
                if output.lines.len() < OUTPUT_MAX {
                    output.lines.push_back(line);
                }
            }
        }
        "GET_LINE" => {
            let line = buffer.as_mut().and_then(|output| output.lines.pop_front());
            let status = Value::integer(u8::from(line.is_none()));
            let line = line.map_or(Value::Null, Value::text);
            return Poll::Ready(Ok(arguments.out(vec![("LINE", line), ("STATUS", status)])));
        }
        _ => return unknown(arguments.signature),
    }
    nothing()
}

/// rdsadmin.rdsadmin_util (facts, section 5.1). RDS has one instance, so no argument names one.
fn rds_call(
    act: &mut Act<'_>,
    name: &str,
    arguments: &Arguments<'_>,
) -> Poll<Result<Returned, OraError>> {
    let number = |name: &str| arguments.integer(name).and_then(|number| u32::try_from(number).ok());
    let (Some(sid), Some(serial)) = (number("SID"), number("SERIAL")) else {
        return Poll::Ready(Err(OraError::new(26, "missing or invalid session ID")));
    };
    let method = arguments.text("METHOD").unwrap_or_default().to_ascii_uppercase();
    let order = match (name, method.as_str()) {
        ("KILL", "") => Order::Kill { manner: Manner::Plain, timeout: None },
        ("KILL", "IMMEDIATE") => Order::Kill { manner: Manner::Immediate, timeout: None },
        ("KILL", "PROCESS") | ("DISCONNECT", "" | "IMMEDIATE") => {
            Order::Disconnect { post_transaction: false, manner: Manner::Immediate, timeout: None }
        }
        ("DISCONNECT", "POST_TRANSACTION") => {
            Order::Disconnect { post_transaction: true, manner: Manner::Immediate, timeout: None }
        }
        ("CANCEL", _) => Order::Cancel { sql_id: arguments.text("SQL_ID") },
        _ => return Poll::Ready(Err(OraError::new(20999, format!("Invalid method: {method}")))),
    };
    act.order(Target { sid, serial, inst_id: None }, &order).map_ok(|()| Returned::default())
}

impl Act<'_> {
    /// Carries out KILL, DISCONNECT or CANCEL, or asks what became of it.
    pub(super) fn order(&mut self, target: Target, order: &Order) -> Poll<Result<(), OraError>> {
        if self.session.waiting.is_some() {
            return self.waited().map_ok(drop);
        }
        match self.state.cluster.order(self.session.key, target, order) {
            Answer::Done => Poll::Ready(Ok(())),
            Answer::Error(error) => Poll::Ready(Err(error)),
            Answer::Wait(pending) => self.wait(Waiting::Order(pending)),
        }
    }
}
