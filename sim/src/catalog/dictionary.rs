//! Dictionary views: accounts and grants, jobs, locks by name, NLS parameters. Objects are `schema`'s.

use super::account::{Account, AccountStatus, Grant, Profile};
use super::books::version;
use super::cell::{date, maybe_number, maybe_text, number, text, yes_no};
use super::definition::Form;
use super::fixed::lock_mode;
use super::global::{base_version, dotted};
use super::view::{Row, View};
use super::{schema, storage};
use crate::cluster::SECOND;
use crate::cluster::lock::{BlockingStatus, LockRow};
use crate::cluster::session::Session;
use crate::cluster::spec::Kind;
use crate::value::Value;

/// The rows of a view; `None` if it is not one of these. The CDB_ form has those of every container, with CON_ID.
pub(super) fn rows(view: &View<'_>, base: &str, form: Form) -> Option<Vec<Row>> {
    Some(match base {
        "DUAL" => vec![vec![("DUMMY", text("X"))]],
        "DBA_USERS" | "ALL_USERS" => users(view, form),
        "USER_USERS" => users(view, Form::Containers)
            .into_iter()
            .filter(|row| row[0].1 == text(&view.viewer.user))
            .take(1)
            .collect(),
        "SESSION_PRIVS" => {
            view.viewer.rights.system.iter().map(|one| vec![("PRIVILEGE", text(one))]).collect()
        }
        "SESSION_ROLES" => {
            view.viewer.rights.roles.iter().map(|one| vec![("ROLE", text(one))]).collect()
        }
        "USER_ROLE_PRIVS" | "USER_SYS_PRIVS" | "USER_TAB_PRIVS" => view
            .books
            .accounts
            .get(&view.viewer.user)
            .map_or_else(Vec::new, |account| grants(account, base)),
        "DBA_ROLE_PRIVS" | "DBA_SYS_PRIVS" | "DBA_TAB_PRIVS" => {
            view.books.accounts.iter().flat_map(|account| grants(account, base)).collect()
        }
        "DBA_PROFILES" => view
            .books
            .accounts
            .profiles()
            .flat_map(|(name, profile)| profile_limits(name, profile))
            .collect(),
        "USER_RESOURCE_LIMITS" => own_limits(view),
        "DBA_SCHEDULER_RUNNING_JOBS" | "ALL_SCHEDULER_RUNNING_JOBS" => running_jobs(view),
        "DBA_SCHEDULER_JOBS" | "ALL_SCHEDULER_JOBS" | "USER_SCHEDULER_JOBS" => jobs(view, base),
        "DBA_DATAPUMP_SESSIONS" => data_pump(view),
        "DBA_LOCK" => locks(view),
        "DBA_BLOCKERS" => blockers(view),
        "DBA_WAITERS" => waiters(view),
        "DBMS_LOCK_ALLOCATED" => allocated(view),
        "NLS_SESSION_PARAMETERS" => nls(&view.viewer.nls),
        "NLS_INSTANCE_PARAMETERS" => nls(&default_nls()),
        "NLS_DATABASE_PARAMETERS" => database_nls(view),
        "PRODUCT_COMPONENT_VERSION" => vec![component(view)],
        "GLOBAL_NAME" => vec![vec![("GLOBAL_NAME", text(&view.books.global_name))]],
        // Nothing is in doubt in this model.
        "DBA_2PC_PENDING" => Vec::new(),
        _ => return schema::rows(view, base).or_else(|| storage::rows(view, base)),
    })
}

/// The NLS parameters that a session begins with.
pub(crate) fn default_nls() -> std::collections::BTreeMap<String, String> {
    [
        ("NLS_CALENDAR", "GREGORIAN"),
        ("NLS_COMP", "BINARY"),
        ("NLS_CURRENCY", "$"),
        ("NLS_DATE_FORMAT", "DD-MON-RR"),
        ("NLS_DATE_LANGUAGE", "AMERICAN"),
        ("NLS_DUAL_CURRENCY", "$"),
        ("NLS_ISO_CURRENCY", "AMERICA"),
        ("NLS_LANGUAGE", "AMERICAN"),
        ("NLS_LENGTH_SEMANTICS", "BYTE"),
        ("NLS_NCHAR_CONV_EXCP", "FALSE"),
        ("NLS_NUMERIC_CHARACTERS", ".,"),
        ("NLS_SORT", "BINARY"),
        ("NLS_TERRITORY", "AMERICA"),
        ("NLS_TIMESTAMP_FORMAT", "DD-MON-RR HH.MI.SSXFF AM"),
        ("NLS_TIMESTAMP_TZ_FORMAT", "DD-MON-RR HH.MI.SSXFF AM TZR"),
        ("NLS_TIME_FORMAT", "HH.MI.SSXFF AM"),
        ("NLS_TIME_TZ_FORMAT", "HH.MI.SSXFF AM TZR"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

fn nls(parameters: &std::collections::BTreeMap<String, String>) -> Vec<Row> {
    parameters
        .iter()
        .map(|(name, value)| vec![("PARAMETER", text(name)), ("VALUE", text(value))])
        .collect()
}

fn database_nls(view: &View<'_>) -> Vec<Row> {
    let mut all = default_nls();
    all.insert("NLS_CHARACTERSET".to_owned(), "AL32UTF8".to_owned());
    all.insert("NLS_NCHAR_CHARACTERSET".to_owned(), "AL16UTF16".to_owned());
    all.insert("NLS_RDBMS_VERSION".to_owned(), base_version(view.release()));
    nls(&all)
}

fn component(view: &View<'_>) -> Row {
    let banner = version(view.release()).1;
    let product = banner.split(" Release").next().unwrap_or(&banner);
    vec![
        ("PRODUCT", text(product)),
        ("VERSION", Value::Text(base_version(view.release()))),
        ("VERSION_FULL", Value::Text(dotted(view.release(), 5))),
        ("STATUS", text("Production")),
    ]
}

/// One row per account that the viewer's container knows; from the root with CDB_USERS, one per container.
fn users(view: &View<'_>, form: Form) -> Vec<Row> {
    let created = (view.cluster.spec().start_seconds - 400 * 86_400) * SECOND;
    let containers: Vec<u32> = match form {
        Form::Containers => {
            view.cluster.containers().iter().map(|one| one.con_id).filter(|id| *id != 2).collect()
        }
        _ => vec![view.viewer.con_id],
    };
    let mut rows = Vec::new();
    for con_id in containers {
        for account in view.books.accounts.iter() {
            if account.container.is_none_or(|own| own == con_id) {
                rows.push(user(account, con_id, created));
            }
        }
    }
    rows
}

fn user(account: &Account, con_id: u32, created: i64) -> Row {
    let locked = matches!(account.status, AccountStatus::Locked | AccountStatus::LockedTimed);
    let oracle = account.maintained;
    vec![
        ("USERNAME", text(&account.name)),
        ("USER_ID", number(account.user_id)),
        ("ACCOUNT_STATUS", text(account.status.shown())),
        ("LOCK_DATE", if locked { date(account.locked.unwrap_or(created)) } else { Value::Null }),
        ("DEFAULT_TABLESPACE", text(if oracle { "SYSTEM" } else { "USERS" })),
        ("TEMPORARY_TABLESPACE", text("TEMP")),
        ("LOCAL_TEMP_TABLESPACE", text("TEMP")),
        ("CREATED", date(created)),
        ("PROFILE", text(&account.profile)),
        ("INITIAL_RSRC_CONSUMER_GROUP", text("DEFAULT_CONSUMER_GROUP")),
        ("PASSWORD_VERSIONS", text("11G 12C ")),
        ("EDITIONS_ENABLED", text("N")),
        (
            "AUTHENTICATION_TYPE",
            text(if account.password.is_some() || oracle { "PASSWORD" } else { "NONE" }),
        ),
        ("PROXY_ONLY_CONNECT", text("N")),
        ("COMMON", yes_no(account.container.is_none() && con_id > 0)),
        ("ORACLE_MAINTAINED", text(if oracle { "Y" } else { "N" })),
        ("INHERITED", yes_no(account.container.is_none() && con_id > 1)),
        ("DEFAULT_COLLATION", text("USING_NLS_COMP")),
        ("IMPLICIT", text("NO")),
        ("ALL_SHARD", text("NO")),
        ("PASSWORD_CHANGE_DATE", date(created)),
        ("CON_ID", number(con_id)),
    ]
}

fn grants(account: &Account, base: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for grant in &account.grants {
        let mut row = vec![("GRANTEE", text(&account.name)), ("USERNAME", text(&account.name))];
        match (grant, &base[base.len() - 9..]) {
            (Grant::Role(role), "OLE_PRIVS") => {
                row.extend([
                    ("GRANTED_ROLE", text(role)),
                    ("DEFAULT_ROLE", text("YES")),
                    ("OS_GRANTED", text("NO")),
                ]);
                row.push(("DELEGATE_OPTION", text("NO")));
            }
            (Grant::System(privilege), "SYS_PRIVS") => row.push(("PRIVILEGE", text(privilege))),
            (Grant::Object { privilege, owner, name }, "TAB_PRIVS") => row.extend([
                ("OWNER", text(owner)),
                ("TABLE_NAME", text(name)),
                ("GRANTOR", text(owner)),
                ("PRIVILEGE", text(privilege)),
                ("GRANTABLE", text("NO")),
                ("HIERARCHY", text("NO")),
            ]),
            _ => continue,
        }
        row.extend([
            ("ADMIN_OPTION", text("NO")),
            ("COMMON", text("NO")),
            ("INHERITED", text("NO")),
        ]);
        rows.push(row);
    }
    rows
}

fn profile_limits(name: &str, profile: &Profile) -> Vec<Row> {
    let Profile { sessions_per_user, idle_minutes, connect_minutes, failed_logins } = *profile;
    [
        ("SESSIONS_PER_USER", sessions_per_user, "KERNEL"),
        ("IDLE_TIME", idle_minutes, "KERNEL"),
        ("CONNECT_TIME", connect_minutes, "KERNEL"),
        ("FAILED_LOGIN_ATTEMPTS", failed_logins, "PASSWORD"),
    ]
    .into_iter()
    .map(|(resource, limit, kind)| {
        vec![
            ("PROFILE", text(name)),
            ("RESOURCE_NAME", text(resource)),
            ("RESOURCE_TYPE", text(kind)),
            ("LIMIT", Value::Text(limit.map_or("UNLIMITED".to_owned(), |limit| limit.to_string()))),
            ("COMMON", text("NO")),
            ("INHERITED", text("NO")),
            ("IMPLICIT", text("NO")),
        ]
    })
    .collect()
}

/// What the viewer's own profile limits, passwords apart.
fn own_limits(view: &View<'_>) -> Vec<Row> {
    let accounts = &view.books.accounts;
    let Some(account) = accounts.get(&view.viewer.user) else { return Vec::new() };
    let mut rows = profile_limits(&account.profile, &accounts.profile_of(account));
    rows.retain(|row| row.contains(&("RESOURCE_TYPE", text("KERNEL"))));
    rows
}

/// Sessions of all instances whose process has a name of this kind: `J000` for "J".
fn named<'v>(
    view: &View<'v>,
    prefixes: &'static [&'static str],
) -> Vec<(&'v Session, String, u32)> {
    let mut found = Vec::new();
    for instance in view.cluster.instances() {
        for process in instance.processes() {
            let Some(name) = process.name.as_deref() else { continue };
            let digits = |prefix: &&&str| {
                name.strip_prefix(**prefix).is_some_and(|rest| {
                    !rest.is_empty()
                        && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
                })
            };
            if prefixes.iter().any(|prefix| digits(&prefix))
                && let Some(session) = process.session.and_then(|key| view.cluster.session(key))
                && session.user.is_some()
                && view.viewer.sees(session.con_id)
            {
                found.push((session, name.to_owned(), process.spid));
            }
        }
    }
    found
}

/// The jobs of the model's clients: each ACTION of theirs is one.
fn jobs(view: &View<'_>, base: &str) -> Vec<Row> {
    let running = named(view, &["J"]);
    let workloads = view.cluster.spec().workloads.iter();
    let mut rows = Vec::new();
    for work in workloads.filter(|work| work.kind == Kind::Job) {
        // Others' jobs are seen by whom a privilege of the scheduler opens them, which nobody has here.
        if base != "DBA_SCHEDULER_JOBS" && work.user != view.viewer.user {
            continue;
        }
        for name in &work.actions {
            let runs = running.iter().any(|(session, _, _)| {
                session.username() == Some(&work.user)
                    && session.marks.action.as_deref() == Some(name)
            });
            rows.push(vec![
                ("OWNER", text(&work.user)),
                ("JOB_NAME", text(name)),
                ("JOB_STYLE", text("REGULAR")),
                ("JOB_CREATOR", text(&work.user)),
                ("JOB_CLASS", text("DEFAULT_JOB_CLASS")),
                ("ENABLED", text("TRUE")),
                ("AUTO_DROP", text("FALSE")),
                ("STATE", text(if runs { "RUNNING" } else { "SCHEDULED" })),
                ("SYSTEM", text("FALSE")),
            ]);
        }
    }
    rows
}

fn running_jobs(view: &View<'_>) -> Vec<Row> {
    let now = view.cluster.now();
    named(view, &["J"])
        .into_iter()
        .filter(|(_, name, _)| name.len() == 4)
        .map(|(session, _, spid)| {
            let elapsed = session.call.as_ref().map_or(0, |call| now - call.began);
            vec![
                ("OWNER", maybe_text(session.username())),
                ("JOB_NAME", maybe_text(session.marks.action.as_deref())),
                ("JOB_STYLE", text("REGULAR")),
                ("DETACHED", text("FALSE")),
                ("SESSION_ID", number(session.key.sid)),
                ("SLAVE_PROCESS_ID", maybe_number(session.pid)),
                ("SLAVE_OS_PROCESS_ID", Value::Text(spid.to_string())),
                ("RUNNING_INSTANCE", number(session.key.inst_id)),
                ("RESOURCE_CONSUMER_GROUP", text("OTHER_GROUPS")),
                ("ELAPSED_TIME", Value::IntervalDs(i128::from(elapsed) * 1_000)),
                ("CPU_USED", Value::IntervalDs(i128::from(elapsed) * 300)),
                ("LOG_ID", number(session.audsid)),
                ("CON_ID", number(session.con_id)),
            ]
        })
        .collect()
}

fn data_pump(view: &View<'_>) -> Vec<Row> {
    named(view, &["DM", "DW"])
        .into_iter()
        .map(|(session, name, _)| {
            vec![
                ("OWNER_NAME", maybe_text(session.username())),
                ("JOB_NAME", maybe_text(session.marks.action.as_deref())),
                ("INSTANCE_ID", number(session.key.inst_id)),
                ("SADDR", super::cell::address(session.saddr)),
                ("SESSION_TYPE", text(if name.starts_with("DM") { "MASTER" } else { "WORKER" })),
                ("CON_ID", number(session.con_id)),
            ]
        })
        .collect()
}

fn lock_name(kind: &str) -> &str {
    match kind {
        "TX" => "Transaction",
        "TM" => "DML",
        "UL" => "PL/SQL User Lock",
        "AE" => "Application Edition",
        other => other,
    }
}

fn locks(view: &View<'_>) -> Vec<Row> {
    let Some(instance) = view.instance() else { return Vec::new() };
    let all = view.cluster.lock_rows(instance);
    all.into_iter()
        .filter(|one| view.viewer.sees(one.con_id))
        .map(|one| {
            let others = ["Not Blocking", "Blocking", "Global"][one.block.min(2) as usize];
            vec![
                ("SESSION_ID", number(one.sid)),
                ("LOCK_TYPE", text(lock_name(one.lock_type))),
                ("MODE_HELD", text(lock_mode(one.mode))),
                ("MODE_REQUESTED", text(lock_mode(one.request))),
                ("LOCK_ID1", Value::Text(one.id1.to_string())),
                ("LOCK_ID2", Value::Text(one.id2.to_string())),
                ("LAST_CONVERT", number(one.ctime)),
                ("BLOCKING_OTHERS", text(others)),
                ("CON_ID", number(one.con_id)),
            ]
        })
        .collect()
}

/// Sessions of the viewer's instance that wait, each with who blocks it there. DBA_BLOCKERS sees only blockers on the
/// same instance (facts, section 1.3).
fn waits(view: &View<'_>) -> Vec<(u32, u32, u32)> {
    let Some(instance) = view.instance() else { return Vec::new() };
    let waiting = view.sessions(instance).filter(|one| one.call.is_some());
    waiting
        .filter_map(|one| {
            let blocking = view.cluster.blocking(one);
            let blocker = blocking.blocker.filter(|_| blocking.status == BlockingStatus::Valid)?;
            (blocker.inst_id == instance.id).then_some((one.key.sid, blocker.sid, one.con_id))
        })
        .collect()
}

fn blockers(view: &View<'_>) -> Vec<Row> {
    let all = waits(view);
    // Only those that do not wait themselves.
    let mut roots: Vec<(u32, u32)> = all
        .iter()
        .filter(|(_, blocker, _)| all.iter().all(|(waiter, ..)| waiter != blocker))
        .map(|(_, b, c)| (*b, *c))
        .collect();
    roots.sort_unstable();
    roots.dedup();
    roots
        .into_iter()
        .map(|(sid, con_id)| vec![("HOLDING_SESSION", number(sid)), ("CON_ID", number(con_id))])
        .collect()
}

fn waiters(view: &View<'_>) -> Vec<Row> {
    let Some(instance) = view.instance() else { return Vec::new() };
    let locks = view.cluster.lock_rows(instance);
    let mut rows = Vec::new();
    for (waiter, blocker, con_id) in waits(view) {
        // Waits that are for no lock have no row here.
        let request = locks.iter().find(|one| one.sid == waiter && one.request > 0);
        let Some(request) = request else { continue };
        let same = |one: &&LockRow| {
            let lock = (one.lock_type, one.id1, one.id2);
            one.sid == blocker && lock == (request.lock_type, request.id1, request.id2)
        };
        let held = locks.iter().find(same).map_or(0, |one| one.mode);
        rows.push(vec![
            ("WAITING_SESSION", number(waiter)),
            ("WAITING_CON_ID", number(con_id)),
            ("HOLDING_SESSION", number(blocker)),
            ("HOLDING_CON_ID", number(con_id)),
            ("LOCK_TYPE", text(lock_name(request.lock_type))),
            ("MODE_HELD", text(lock_mode(held))),
            ("MODE_REQUESTED", text(lock_mode(request.request))),
            ("LOCK_ID1", number(request.id1)),
            ("LOCK_ID2", number(request.id2)),
        ]);
    }
    rows
}

fn allocated(view: &View<'_>) -> Vec<Row> {
    let expires = view.cluster.now() + 864_000 * SECOND;
    let all = view.cluster.lock_names();
    all.map(|(name, id)| {
        vec![("NAME", text(name)), ("LOCKID", number(id)), ("EXPIRATION", date(expires))]
    })
    .collect()
}
