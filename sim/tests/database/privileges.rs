//! Who may do what, and with which error otherwise.

use rac_sim::conversation::Database as _;

use crate::support::{Client, database, shop};

#[test]
fn statements_need_their_privilege() {
    let database = shop();
    for (user, sql, code) in [
        ("APP", "SELECT * FROM v$session", 942),
        ("APP", "SELECT * FROM sys.v_$session", 942),
        ("APP", "SELECT * FROM dba_users", 942),
        ("APP", "SELECT * FROM dual", 0),
        ("APP", "SELECT * FROM t", 0),
        ("APP", "SELECT * FROM nothing", 942),
        ("APP", "ALTER SYSTEM KILL SESSION '1,1'", 1031),
        ("APP", "ALTER SYSTEM SET open_cursors = 400", 1031),
        ("APP", "BEGIN dbms_lock.sleep(1); END;", 6550),
        ("APP", "BEGIN dbms_application_info.set_module('m', 'a'); END;", 0),
        ("APP", "DECLARE s v$session.sid%TYPE; BEGIN NULL; END;", 6550),
        ("ORAWARDEN", "DECLARE s v$session.sid%TYPE; BEGIN NULL; END;", 0),
        ("APP", "GRANT DBA TO app", 1031),
        ("ANN", "INSERT INTO app.t (id) VALUES (9)", 1031),
        ("BOB", "DELETE FROM app.t", 1031),
        ("ORAWARDEN", "SELECT * FROM gv$session", 0),
        ("ORAWARDEN", "SELECT * FROM app.t", 942),
        ("ORAWARDEN", "BEGIN dbms_lock.sleep(1); END;", 0),
        ("SYSTEM", "SELECT * FROM app.t", 0),
        ("SYSTEM", "CREATE TABLE x (y NUMBER)", 3001),
        ("SYSTEM", "FROBNICATE THE DATABASE", 900),
    ] {
        let mut client = Client::new(&database, user, 1);
        assert_eq!(client.code(sql), code, "{user}: {sql}");
    }
}

#[test]
fn everybody_sees_the_limits_of_the_own_profile() {
    let database = database(
        "
databases:
  - profiles: {OFFICE: {idle_minutes: 30}}
    accounts: [{name: CLERK, password: clerk, profile: OFFICE, grants: [CREATE SESSION]}]
",
    );
    let mut clerk = Client::new(&database, "CLERK", 1);
    let idle = "SELECT limit FROM user_resource_limits WHERE resource_name = 'IDLE_TIME'";
    assert_eq!(clerk.cell(idle), "30");
    assert_eq!(Client::new(&database, "APP", 1).cell(idle), "UNLIMITED");
    // Passwords are not among them.
    assert_eq!(
        clerk.cell("SELECT COUNT(*) FROM user_resource_limits WHERE resource_name LIKE 'FAILED%'"),
        "0"
    );
}

#[test]
fn users_whose_sessions_come_later_have_accounts_too() {
    let database = database(
        "databases: [{model: {name: V, instances: [{}], workloads: [{name: j, kind: job, sessions: 1, user: NIGHT}]}}]",
    );
    let mut client = Client::new(&database, "SYSTEM", 1);
    assert_eq!(
        client.cell("SELECT oracle_maintained FROM dba_users WHERE username = 'NIGHT'"),
        "N"
    );
}

#[test]
fn a_grant_counts_at_once() {
    let database = shop();
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let mut app = Client::new(&database, "APP", 1);
    assert_eq!(app.code("SELECT COUNT(*) FROM v$session"), 942);
    assert_eq!(dba.code("GRANT SELECT ON sys.v_$session TO app"), 0);
    assert_eq!(app.code("SELECT COUNT(*) FROM v$session"), 0);
    assert_eq!(dba.code("REVOKE SELECT ON sys.v_$session FROM app"), 0);
    assert_eq!(app.code("SELECT COUNT(*) FROM v$session"), 942);
    assert_eq!(dba.code("GRANT SELECT ON sys.v$session TO app"), 990);
}

#[test]
fn doors_are_shut_with_their_own_error() {
    let database = database(
        "
databases:
  - name: D
    accounts:
      - {name: LOCKED, password: x, status: locked}
      - {name: EXPIRED, password: x, status: expired}
      - {name: GRACE, password: x, status: grace}
      - {name: NOTHING, password: x, grants: []}
      - {name: ONE, password: x, profile: ONE}
    profiles:
      ONE: {sessions_per_user: 1, failed_logins: 2}
",
    );
    let code = |user: &str| database.connect(user, "D1").map_or_else(|error| error.code, |_| 0);
    for (user, expected) in [
        ("LOCKED", 28000),
        ("EXPIRED", 28001),
        ("GRACE", 0),
        ("NOTHING", 1045),
        ("NOBODY", 1017),
        ("OUTLN", 28000),
    ] {
        assert_eq!(code(user), expected, "{user}");
    }
    let first = database.connect("ONE", "D1").expect("there is none yet");
    assert_eq!(code("ONE"), 2391);
    first.log_off();
    for expected in [1017, 1017, 28000] {
        assert_eq!(database.wrong_password("ONE").code, expected);
    }
    assert_eq!(code("ONE"), 28000);
    assert_eq!(database.connect("APP", "ELSEWHERE").map_or_else(|error| error.code, |_| 0), 12514);
}

#[test]
fn whoever_is_idle_too_long_is_sniped() {
    let database = database(
        "
databases:
  - name: D
    accounts: [{name: LAZY, password: x, profile: OFFICE}]
    profiles: {OFFICE: {idle_minutes: 2}}
",
    );
    let mut lazy = Client::new(&database, "LAZY", 1);
    let mut dba = Client::new(&database, "SYSTEM", 1);
    assert_eq!(lazy.code("SELECT 1 FROM dual"), 0);
    database.advance(240_000_000);
    assert_eq!(dba.cell("SELECT status FROM v$session WHERE username = 'LAZY'"), "SNIPED");
    assert_eq!(lazy.code("SELECT 1 FROM dual"), 2396);
    assert_eq!(lazy.code("SELECT 1 FROM dual"), 1012);
    assert_eq!(dba.cell("SELECT COUNT(*) FROM v$session WHERE username = 'LAZY'"), "0");
}

#[test]
fn who_may_insert_need_not_read() {
    let database = database(
        "
databases:
  - like: quiet
    accounts: [{name: LOGGER, password: l, grants: [CREATE SESSION, INSERT ON APP.AUDIT_LOG]}]
    tables: [{owner: APP, name: AUDIT_LOG, columns: [ID NUMBER, NOTE VARCHAR2(10)], rows: []}]
",
    );
    let mut logger = Client::new(&database, "LOGGER", 1);
    logger.run("INSERT INTO app.audit_log (id, note) VALUES (1, 'sql')").expect("it may");
    logger
        .run("BEGIN INSERT INTO app.audit_log VALUES (2, 'block'); COMMIT; END;")
        .expect("it may");
    assert_eq!(logger.code("INSERT INTO app.audit_log (nope) VALUES (1)"), 904);
    assert_eq!(logger.code("SELECT id FROM app.audit_log"), 1031);
    assert_eq!(
        logger.code("INSERT INTO app.audit_log SELECT id + 1, note FROM app.audit_log"),
        1031
    );
    assert_eq!(logger.code("UPDATE app.audit_log SET id = 1"), 1031);
    assert_eq!(logger.code("DELETE FROM app.audit_log"), 1031);
    let mut app = Client::new(&database, "APP", 1);
    assert_eq!(app.cells("SELECT note FROM audit_log ORDER BY id"), ["sql", "block"]);
}
