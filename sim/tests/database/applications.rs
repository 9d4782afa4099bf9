//! What applications do to their own session: marks, settings, user locks, sleep.

use rac_sim::cluster::fault::Fault;
use rac_sim::conversation::Progress;
use rac_sim::value::Value;

use crate::support::{Client, code, database, shop};

#[test]
fn one_of_two_gets_a_user_lock() {
    let database = shop();
    let mut clients = [1, 2].map(|instance| Client::new(&database, "ORAWARDEN", instance));
    let allocate = "BEGIN dbms_lock.allocate_unique('leader', :h); END;";
    let handles = clients
        .each_mut()
        .map(|one| one.block(allocate, &[Value::text("x")]).expect("it may").remove(0));
    assert_eq!(handles[0], handles[1]);
    let request = "BEGIN :r := dbms_lock.request(:h, dbms_lock.x_mode, 0); END;";
    let mut ask = |client: usize| {
        let values = [Value::Null, handles[0].clone()];
        clients[client].block(request, &values).expect("it may")[0].clone()
    };
    let expected = [(0, 0), (1, 1), (0, 4)];
    for (client, result) in expected {
        assert_eq!(ask(client), Value::integer(result));
    }
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let holder = clients[0].talk.session().0.to_string();
    assert_eq!(
        dba.cells("SELECT sid, lmode, request FROM v$lock WHERE type = 'UL'"),
        [holder.as_str(), "6", "0"]
    );
    let wait = clients[1].start(
        "DECLARE h VARCHAR2(128); r NUMBER; BEGIN
        dbms_lock.allocate_unique('leader', h); r := dbms_lock.request(h, 6, 600); END;",
    );
    assert!(matches!(wait, Progress::Waiting));
    // The holder dies, and the other leads.
    assert_eq!(
        dba.code(&format!("ALTER SYSTEM DISCONNECT SESSION '{}' IMMEDIATE", clients[0].target())),
        0
    );
    assert_eq!(code(&clients[1].talk.resume()), 0);
}

#[test]
fn a_sleeper_is_active_in_an_idle_event() {
    let database = shop();
    let mut sleeper = Client::new(&database, "SYSTEM", 2);
    let waiting = sleeper.start("BEGIN dbms_lock.sleep(30); END;");
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let sid = sleeper.talk.session().0;
    let sql = format!(
        "SELECT status, event, wait_class FROM gv$session WHERE inst_id = 2 AND sid = {sid}"
    );
    assert_eq!(dba.cells(&sql), ["ACTIVE", "PL/SQL lock timer", "Idle"]);
    assert!(sleeper.finish(waiting).is_ok());
    assert_eq!(dba.cell(&sql), "INACTIVE");
}

#[test]
fn marks_and_settings_show() {
    let database = shop();
    let mut app = Client::new(&database, "APP", 1);
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let module = "m".repeat(60);
    app.run(&format!("BEGIN dbms_application_info.set_module('{module}', 'act'); END;"))
        .expect("all may");
    app.run("BEGIN dbms_session.set_identifier('someone'); END;").expect("all may");
    app.run("ALTER SESSION SET CURRENT_SCHEMA = bob").expect("all may");
    app.run("ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD'").expect("all may");
    let sql = "SELECT LENGTH(module), action, client_identifier, schemaname, program, machine
                 FROM v$session WHERE username = 'APP'";
    assert_eq!(dba.cells(sql), ["48", "act", "someone", "BOB", "in-process", "localhost"]);
    let own = "SELECT SYS_CONTEXT('USERENV', 'SID'), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA'), USER FROM dual";
    assert_eq!(app.cells(own), [app.talk.session().0.to_string().as_str(), "BOB", "APP"]);
    let format = "SELECT value FROM nls_session_parameters WHERE parameter = 'NLS_DATE_FORMAT'";
    assert_eq!(app.cell(format), "YYYY-MM-DD");
    assert_eq!(app.code("ALTER SESSION SET NO_SUCH_THING = 1"), 2248);
    assert_eq!(app.code("ALTER SESSION SET CURRENT_SCHEMA = nobody"), 1435);
}

#[test]
fn a_parameter_is_set_where_it_was_said() {
    let database = shop();
    let mut dba = Client::new(&database, "SYSTEM", 1);
    dba.run("ALTER SYSTEM SET max_idle_time = 60 SCOPE=MEMORY SID='SHOP2'").expect("he may");
    let sql = "SELECT value FROM gv$parameter WHERE name = 'max_idle_time' ORDER BY inst_id";
    assert_eq!(dba.cells(sql), ["0", "60"]);
    assert_eq!(dba.code("ALTER SYSTEM SET processes = 500"), 2095);
    assert_eq!(dba.code("ALTER SYSTEM SET no_such_thing = 1"), 2065);
}

#[test]
fn faults_reach_the_client() {
    let database = shop();
    let mut client = Client::new(&database, "ORAWARDEN", 1);
    let inject = |fault: &Fault| database.lock().cluster.inject(fault);
    inject(&Fault::Error { instance: 1, code: 4031, calls: 1 });
    assert_eq!(client.code("SELECT 1 FROM dual"), 4031);
    assert_eq!(client.code("SELECT 1 FROM dual"), 0);
    inject(&Fault::Hide { instance: 2, seconds: 20 });
    assert_eq!(client.cell("SELECT COUNT(*) FROM gv$instance"), "1");
    database.advance(30_000_000);
    assert_eq!(client.cell("SELECT COUNT(*) FROM gv$instance"), "2");
    inject(&Fault::Hang { instance: 2, seconds: 15 });
    assert!(matches!(client.start("SELECT COUNT(*) FROM gv$session"), Progress::Waiting));
    database.advance(20_000_000);
    assert_eq!(code(&client.talk.resume()), 0);
    inject(&Fault::Slow { instance: 1, millis: 700, seconds: 10 });
    assert!(matches!(client.start("SELECT 1 FROM dual"), Progress::Waiting));
    database.advance(1_000_000);
    assert_eq!(code(&client.talk.resume()), 0);
    inject(&Fault::Evict { instance: 1, seconds: 60 });
    assert_ne!(client.code("SELECT 1 FROM dual"), 0);
}

#[test]
fn containers_keep_to_themselves() {
    let database = database(
        "
databases:
  - model:
      name: C
      instances: [{}]
      containers: [P1, P2]
    accounts:
      - {name: LOCAL, password: x, container: P1, grants: [CREATE SESSION, SELECT_CATALOG_ROLE]}
",
    );
    let local = |service| database.connect("LOCAL", service).map_or_else(|error| error.code, |_| 0);
    assert_eq!((local("p1"), local("p2"), local("C")), (0, 1017, 1017));
    let talk = database.connect("SYSTEM", "p2").expect("it is common");
    let (sid, _) = talk.session();
    let mut root = Client::new(&database, "SYSTEM", 1);
    assert_eq!(root.cell(&format!("SELECT con_id FROM v$session WHERE sid = {sid}")), "4");
    assert_eq!(root.cell("SELECT SYS_CONTEXT('USERENV', 'CON_NAME') FROM dual"), "CDB$ROOT");
    assert_eq!(root.cell("SELECT COUNT(*) FROM cdb_users WHERE username = 'LOCAL'"), "1");
    assert_eq!(root.cell("SELECT COUNT(*) FROM dba_users WHERE username = 'LOCAL'"), "0");
}
