//! How a session is set, and what it may have: transactions, containers, parameters, limits.

use crate::support::{Client, database, shop};

const CONTAINERS: &str = "
databases:
  - model:
      name: C
      instances: [{}]
      containers: [P1, P2]
    accounts:
      - {name: LOCAL, password: x, container: P1, grants: [CREATE SESSION, SELECT_CATALOG_ROLE, SET CONTAINER]}
      - {name: C##NO, password: x, grants: [CREATE SESSION]}
";

#[test]
fn a_read_only_transaction_sees_one_moment_and_changes_nothing() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 1));
    assert_eq!(ann.code("SET TRANSACTION READ ONLY"), 0);
    bob.run("UPDATE app.t SET name = 'b' WHERE id = 1").expect("he may");
    bob.run("COMMIT").expect("it is his");
    assert_eq!(ann.cell("SELECT name FROM app.t WHERE id = 1"), "one");
    for sql in
        ["UPDATE app.t SET name = 'a'", "DELETE FROM app.t", "SELECT id FROM app.t FOR UPDATE"]
    {
        assert_eq!(ann.code(sql), 1456, "{sql}");
    }
    assert_eq!(ann.code("COMMIT"), 0);
    assert_eq!(ann.cell("SELECT name FROM app.t WHERE id = 1"), "b");
    assert_eq!(ann.code("UPDATE app.t SET name = 'a' WHERE id = 1"), 0);
    assert_eq!(ann.code("SET TRANSACTION READ ONLY"), 1453);
    assert_eq!(ann.code("ROLLBACK"), 0);
    for (sql, code) in [
        ("SET TRANSACTION READ WRITE", 0),
        ("SET TRANSACTION NAME 'mine'", 0),
        ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", 0),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", 3001),
        ("SET TRANSACTION USE ROLLBACK SEGMENT r", 3001),
        ("ALTER SESSION SET ISOLATION_LEVEL = SERIALIZABLE", 3001),
        ("ALTER SESSION SET ISOLATION_LEVEL = READ COMMITTED", 0),
        ("ALTER SESSION SET \"_ORACLE_SCRIPT\" = TRUE", 0),
        ("ALTER SESSION SET \"_no_such_parameter\" = TRUE", 2248),
        ("ALTER SESSION SET no_such_parameter = TRUE", 2248),
        ("ALTER SESSION SET open_cursors = 7", 2096),
    ] {
        assert_eq!(ann.code(sql), code, "{sql}");
    }
}

#[test]
fn others_see_in_which_container_a_session_is() {
    let database = database(CONTAINERS);
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let mut other = Client::new(&database, "SYSTEM", 1);
    let (sid, _) = other.talk.session();
    let mut seen = || {
        dba.cells(&format!("SELECT con_id, UPPER(service_name) FROM v$session WHERE sid = {sid}"))
    };
    assert_eq!(seen(), ["1", "C1"]);
    assert_eq!(other.code("ALTER SESSION SET CONTAINER = P1"), 0);
    assert_eq!(seen(), ["3", "P1"]);
    assert_eq!(other.code("ALTER SESSION SET CONTAINER = NOWHERE"), 65011);
    assert_eq!(other.code("ALTER SESSION SET CONTAINER = cdb$root"), 0);
    assert_eq!(seen()[0], "1");
    let refused = |user: &str, service: &str| {
        let talk = database.connect(user, service).expect("it can log in");
        let mut client = Client::of(talk, &database, 1);
        client.code("ALTER SESSION SET CONTAINER = P2")
    };
    assert_eq!((refused("LOCAL", "P1"), refused("C##NO", "C")), (1031, 1031));
    let plain = shop();
    let mut dba = Client::new(&plain, "SYSTEM", 1);
    assert_eq!(dba.code("ALTER SESSION SET CONTAINER = P1"), 65090);
}

#[test]
fn a_session_knows_how_many_cursors_it_may_have() {
    let database = shop();
    let (ann, mut dba) = (Client::new(&database, "ANN", 1), Client::new(&database, "SYSTEM", 1));
    assert_eq!(ann.talk.open_cursors(), 300);
    assert_eq!(dba.code("ALTER SYSTEM SET open_cursors = 45"), 0);
    assert_eq!(ann.talk.open_cursors(), 45);
}

#[test]
fn a_restricted_instance_takes_only_who_may() {
    let database = shop();
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let logs_in = |user: &str, service: &str| {
        database.connect(user, service).map_or_else(|error| error.code, |_| 0)
    };
    assert_eq!(dba.code("ALTER SYSTEM ENABLE RESTRICTED SESSION"), 0);
    assert_eq!(dba.cell("SELECT logins FROM v$instance"), "RESTRICTED");
    assert_eq!(
        (logs_in("ANN", "SHOP1"), logs_in("SYSTEM", "SHOP1"), logs_in("ANN", "SHOP2")),
        (1035, 0, 0)
    );
    assert_eq!(dba.code("ALTER SYSTEM DISABLE RESTRICTED SESSION"), 0);
    assert_eq!(
        (logs_in("ANN", "SHOP1"), dba.cell("SELECT logins FROM v$instance").as_str()),
        (0, "ALLOWED")
    );
    for clause in ["QUIESCE RESTRICTED", "SUSPEND"] {
        assert_eq!(dba.code(&format!("ALTER SYSTEM {clause}")), 3001, "{clause}");
    }
}

#[test]
fn idle_sessions_and_idle_blockers_end_when_a_parameter_says_so() {
    let database = shop();
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    let minute = 60 * rac_sim::cluster::SECOND;
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    assert_eq!(dba.code("ALTER SYSTEM SET max_idle_blocker_time = 2"), 0);
    let idle = Client::new(&database, "ANN", 1);
    assert!(matches!(
        bob.start("UPDATE app.t SET name = 'b' WHERE id = 1"),
        rac_sim::conversation::Progress::Waiting
    ));
    database.advance(minute);
    assert!(matches!(bob.talk.resume(), rac_sim::conversation::Progress::Waiting));
    database.advance(3 * minute);
    assert_eq!(crate::support::code(&bob.talk.resume()), 0);
    assert_eq!((ann.talk.death().is_some(), idle.talk.death().is_some()), (true, false));
    assert_eq!(dba.code("ALTER SYSTEM SET max_idle_blocker_time = 0"), 0);
    assert_eq!(dba.code("ALTER SYSTEM SET max_idle_time = 5"), 0);
    database.advance(4 * minute);
    assert_eq!(dba.cell("SELECT 1 FROM dual"), "1");
    database.advance(4 * minute);
    assert_eq!((idle.talk.death().is_some(), dba.talk.death().is_some()), (true, false));
    let old = crate::support::database(
        "{databases: [{model: {name: OLD, release: '11.2', instances: [{name: OLD1}]}}]}",
    );
    let mut dba = Client::new(&old, "SYSTEM", 1);
    assert_eq!(dba.code("ALTER SYSTEM SET max_idle_time = 5"), 2065);
}

#[test]
fn packages_do_what_they_say_or_refuse() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    for (call, code) in [
        ("dbms_session.modify_package_state(dbms_session.reinitialize)", 0),
        ("dbms_session.reset_package", 0),
        ("dbms_session.free_unused_user_memory", 0),
        ("dbms_session.set_context('C', 'A', 'v')", 1031),
        ("dbms_session.set_nls('NLS_DATE_FORMAT', '''YYYY''')", 0),
        ("dbms_system.set_ev(1, 2, 3, 4, 'x')", 6550),
        ("dbms_session.sleep(0.25)", 0),
    ] {
        assert_eq!(ann.code(&format!("BEGIN {call}; END;")), code, "{call}");
    }
    assert_eq!(ann.cell("SELECT TO_CHAR(SYSDATE) FROM dual").len(), 4);
    let block = "DECLARE t NUMBER := dbms_utility.get_time;
                 BEGIN dbms_session.sleep(1.5); :n := dbms_utility.get_time - t; END;";
    let out = ann.block(block, &[rac_sim::value::Value::Null]).expect("it runs");
    assert!(["150", "200"].contains(&crate::support::shown(&out[0]).as_str()));
}
