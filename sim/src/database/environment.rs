//! What a statement sees of its session: time, names, SYS_CONTEXT.

use std::collections::BTreeMap;

use super::State;
use super::session::SessionState;
use crate::catalog::view::Viewer;
use crate::cluster::SECOND;
use crate::cluster::session::SessionKey;
use crate::sql::environment::{Environment, Moment};
use crate::sql::language::{AMERICAN, Language, NumericCharacters};
use crate::value::Value;

/// A session at one moment. It is made anew for each step of a call, so that time stands still within a step.
pub(super) struct Sight {
    now: Moment,
    session_offset: i16,
    session_zone: String,
    user: String,
    user_id: u32,
    nls: BTreeMap<String, String>,
    context: BTreeMap<&'static str, Value>,
    client_context: BTreeMap<String, String>,
}

impl Sight {
    /// A session as it is now.
    pub(super) fn new(state: &State, session: &SessionState) -> Self {
        let now = moment(state, session.key);
        Self {
            now,
            session_offset: session.zone.offset_at(now.seconds),
            session_zone: session.zone.name(),
            user: session.viewer.user.clone(),
            user_id: state
                .books
                .accounts
                .get(&session.viewer.user)
                .map_or(0, |account| account.user_id),
            nls: session.viewer.nls.clone(),
            context: context(state, session),
            client_context: session.contexts.clone(),
        }
    }

    /// Lets time go on.
    pub(super) fn look(&mut self, state: &State, key: SessionKey) {
        self.now = moment(state, key);
    }

    fn format(&self, name: &str) -> String {
        self.nls.get(name).cloned().unwrap_or_default()
    }
}

/// The time on the session's instance.
fn moment(state: &State, key: SessionKey) -> Moment {
    let clock = state.cluster.instance(key.inst_id).map_or(0, |one| one.clock(state.cluster.now()));
    let nanos = u32::try_from(clock.rem_euclid(SECOND) * 1_000).unwrap_or(0);
    Moment { seconds: clock.div_euclid(SECOND), nanos }
}

/// The parameters of USERENV.
fn context(state: &State, session: &SessionState) -> BTreeMap<&'static str, Value> {
    of_the_database(state, session).into_iter().chain(of_the_session(state, session)).collect()
}

fn of_the_database(state: &State, session: &SessionState) -> Vec<(&'static str, Value)> {
    let spec = state.cluster.spec();
    let instance = state.cluster.instance(session.key.inst_id);
    let containers = state.cluster.containers();
    let container = containers.iter().find(|one| one.con_id == session.viewer.con_id);
    let unique = if spec.unique_name.is_empty() { &spec.name } else { &spec.unique_name };
    vec![
        (
            "CDB_NAME",
            if spec.containers.is_empty() { Value::Null } else { Value::text(&spec.name) },
        ),
        ("CON_ID", Value::integer(session.viewer.con_id)),
        ("CON_NAME", container.map_or(Value::Null, |one| Value::text(&one.name))),
        ("DATABASE_ROLE", Value::text(if spec.read_only { "PHYSICAL STANDBY" } else { "PRIMARY" })),
        ("DB_DOMAIN", Value::text(&spec.domain)),
        (
            "DB_NAME",
            container
                .filter(|one| one.con_id > 1)
                .map_or(Value::text(&spec.name), |one| Value::text(&one.name)),
        ),
        ("DB_UNIQUE_NAME", Value::text(unique)),
        ("INSTANCE", Value::integer(session.key.inst_id)),
        ("INSTANCE_NAME", instance.map_or(Value::Null, |one| Value::text(&*one.name))),
        ("SERVER_HOST", instance.map_or(Value::Null, |one| Value::text(&*one.host))),
    ]
}

/// The object number of the edition ORA$BASE.
const ORA_BASE_ID: u32 = 134;

fn of_the_session(state: &State, session: &SessionState) -> Vec<(&'static str, Value)> {
    let model = state.cluster.session(session.key);
    let client = model.map(|one| &*one.client);
    let marks = model.map(|one| &one.marks);
    let mark =
        |text: Option<&std::sync::Arc<str>>| text.map_or(Value::Null, |text| Value::text(&**text));
    let said =
        |text: Option<&std::sync::Arc<str>>| text.map_or(Value::Null, |text| Value::text(&**text));
    let Viewer { user, schema, nls, .. } = &session.viewer;
    let id = |name: &str| {
        state.books.accounts.get(name).map_or(Value::Null, |one| Value::integer(one.user_id))
    };
    let shown = |name: &str| nls.get(name).map_or(Value::Null, Value::text);
    let said_of = |name: &str| nls.get(name).map_or("", String::as_str);
    let language = format!("{}_{}.AL32UTF8", said_of("NLS_LANGUAGE"), said_of("NLS_TERRITORY"));
    vec![
        ("ACTION", mark(marks.and_then(|one| one.action.as_ref()))),
        ("AUTHENTICATED_IDENTITY", Value::text(&session.login)),
        ("AUTHENTICATION_METHOD", Value::text("PASSWORD")),
        ("BG_JOB_ID", Value::Null),
        ("CLIENT_IDENTIFIER", mark(marks.and_then(|one| one.client_identifier.as_ref()))),
        ("CLIENT_INFO", mark(marks.and_then(|one| one.client_info.as_ref()))),
        ("CLIENT_PROGRAM_NAME", said(client.map(|one| &one.program))),
        ("CURRENT_EDITION_ID", Value::integer(ORA_BASE_ID)),
        ("CURRENT_EDITION_NAME", Value::text("ORA$BASE")),
        ("CURRENT_SCHEMA", Value::text(schema)),
        ("CURRENT_SCHEMAID", id(schema)),
        ("CURRENT_USER", Value::text(user)),
        ("CURRENT_USERID", id(user)),
        ("HOST", said(client.map(|one| &one.machine))),
        ("IP_ADDRESS", Value::text("127.0.0.1")),
        ("ISDBA", Value::text(if session.sysdba { "TRUE" } else { "FALSE" })),
        ("LANG", Value::text("US")),
        ("LANGUAGE", Value::text(language)),
        ("MODULE", mark(marks.and_then(|one| one.module.as_ref()))),
        ("NETWORK_PROTOCOL", Value::text("tcp")),
        ("NLS_CALENDAR", shown("NLS_CALENDAR")),
        ("NLS_CURRENCY", shown("NLS_CURRENCY")),
        ("NLS_DATE_FORMAT", shown("NLS_DATE_FORMAT")),
        ("NLS_DATE_LANGUAGE", shown("NLS_DATE_LANGUAGE")),
        ("NLS_SORT", shown("NLS_SORT")),
        ("NLS_TERRITORY", shown("NLS_TERRITORY")),
        ("OS_USER", said(client.map(|one| &one.osuser))),
        ("PROXY_USER", Value::Null),
        ("PROXY_USERID", Value::Null),
        ("SERVICE_NAME", said(client.map(|one| &one.service))),
        ("SESSION_EDITION_ID", Value::integer(ORA_BASE_ID)),
        ("SESSION_EDITION_NAME", Value::text("ORA$BASE")),
        ("SESSIONID", model.map_or(Value::Null, |one| Value::integer(one.audsid))),
        ("SESSION_USER", Value::text(&session.login)),
        ("SESSION_USERID", id(&session.login)),
        ("SID", Value::integer(session.key.sid)),
        ("TERMINAL", said(client.map(|one| &one.terminal))),
    ]
}

impl Environment for Sight {
    fn now(&self) -> Moment {
        self.now
    }

    fn database_offset(&self) -> i16 {
        0
    }

    fn session_offset(&self) -> i16 {
        self.session_offset
    }

    fn session_zone(&self) -> String {
        self.session_zone.clone()
    }

    fn language(&self) -> &'static Language {
        Language::find(&self.format("NLS_DATE_LANGUAGE")).unwrap_or(AMERICAN)
    }

    fn numeric_characters(&self) -> NumericCharacters {
        NumericCharacters::read(&self.format("NLS_NUMERIC_CHARACTERS")).unwrap_or_default()
    }

    fn user(&self) -> String {
        self.user.clone()
    }

    fn user_id(&self) -> u32 {
        self.user_id
    }

    fn context(&self, namespace: &str, parameter: &str) -> Option<Value> {
        match namespace {
            "USERENV" => self.context.get(parameter).cloned(),
            "CLIENTCONTEXT" => {
                Some(self.client_context.get(parameter).map_or(Value::Null, Value::text))
            }
            _ => Some(Value::Null),
        }
    }

    fn date_format(&self) -> String {
        self.format("NLS_DATE_FORMAT")
    }

    fn timestamp_format(&self) -> String {
        self.format("NLS_TIMESTAMP_FORMAT")
    }

    fn timestamp_tz_format(&self) -> String {
        self.format("NLS_TIMESTAMP_TZ_FORMAT")
    }
}
