//! A server with a listener and a running clock, and a real client that logs in to it.

use std::time::Duration;

use oracledb::{Config, Connection, Error, ErrorKind};
use rac_sim::scenario::Scenario;
use rac_sim::server::{Options, Server};

/// Logs in to a service.
fn connect(port: u16, user: &str, password: &str, service: &str) -> Result<Connection, Error> {
    let text = format!(
        "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={port}))(CONNECT_DATA=(SERVICE_NAME={service})))"
    );
    let config = Config::default().set_credentials(user, password);
    oracledb::connect(config.set_connect_string(&text).expect("a descriptor"))
}

fn code(error: &Error) -> usize {
    match error.kind() {
        ErrorKind::DbError(error) => error.code(),
        _ => panic!("no error of the database: {error:?}"),
    }
}

fn numbers(connection: &Connection, sql: &str) -> Vec<i64> {
    let rows = connection.query(sql, &[]).expect("it runs");
    rows.map(|row| row.and_then(|row| row.get::<i64>(0)).expect("a number")).collect()
}

/// Starts a server in a runtime of its own; the driver blocks, so it stays outside.
fn serving(scenario: &str, test: impl FnOnce(&Server)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let scenario = Scenario::parse(scenario).expect("the scenario is read");
    let server = runtime.block_on(Server::start(&scenario, Options::default())).expect("it starts");
    test(&server);
    runtime.block_on(async {
        let stopped = tokio::time::timeout(Duration::from_secs(20), server.stop()).await;
        stopped.expect("it stops");
    });
}

#[test]
fn a_client_is_a_session() {
    serving("databases: [{name: RACDB}]", |server| {
        let port = server.address().port();
        let warden = connect(port, "orawarden", "orawarden", "RACDB2").expect("it logs in");
        // Its own slaves, which read GV$ for it, are sessions of the same account.
        let sql = "SELECT COUNT(*) FROM gv$session
                    WHERE username = 'ORAWARDEN' AND inst_id = 2 AND program NOT LIKE '%(PZ%'";
        assert_eq!(numbers(&warden, sql), [1]);
        assert_eq!(numbers(&warden, "SELECT inst_id FROM gv$instance ORDER BY 1"), [1, 2]);
        let app = connect(port, "app", "app", "RACDB1").expect("it logs in");
        let refused = app.query("SELECT 1 FROM v$session", &[]).err().expect("it may not");
        assert_eq!(code(&refused), 942);
        let wrong = connect(port, "app", "wrong", "RACDB").err().expect("it is wrong");
        assert_eq!(code(&wrong), 1017);
        let text = server.status();
        assert!(text.contains("RACDB RACDB1"), "{text}");
    });
}

#[test]
fn one_client_ends_another() {
    serving("databases: [{name: RACDB}]", |server| {
        let port = server.address().port();
        let warden = connect(port, "orawarden", "orawarden", "RACDB1").expect("it logs in");
        let app = connect(port, "app", "app", "RACDB2").expect("it logs in");
        let sql = "SELECT sid FROM gv$session WHERE username = 'APP'
                   UNION ALL SELECT serial# FROM gv$session WHERE username = 'APP'";
        let who = numbers(&warden, sql);
        let kill = format!("ALTER SYSTEM KILL SESSION '{},{},@2' IMMEDIATE", who[0], who[1]);
        warden.execute(&kill, &[]).expect("it may");
        assert!(numbers(&warden, sql).is_empty());
        assert!(app.query("SELECT 1 FROM dual", &[]).is_err());
    });
}

#[test]
fn a_hundred_databases_stand_behind_one_listener() {
    let many: Vec<String> =
        (1..=100).map(|number| format!("  - {{name: D{number}, instances: 1}}\n")).collect();
    serving(&format!("databases:\n{}", many.concat()), |server| {
        assert_eq!(server.databases().len(), 100);
        for name in ["D1", "D57", "D100"] {
            let client =
                connect(server.address().port(), "system", "manager", name).expect("it logs in");
            assert_eq!(numbers(&client, "SELECT COUNT(*) FROM v$instance"), [1]);
            assert!(server.database(name).is_some());
        }
    });
}
