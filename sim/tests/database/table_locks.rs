//! LOCK TABLE: who waits for whom, and what the views show of it.

use rac_sim::cluster::SECOND;
use rac_sim::conversation::Progress;
use rac_sim::database::SimDatabase;

use crate::support::{Client, code, database, shop};

fn three(database: &SimDatabase) -> [Client; 3] {
    [1, 2, 1].map(|instance| Client::new(database, "SYSTEM", instance))
}

fn lock(mode: &str) -> String {
    format!("LOCK TABLE app.t IN {mode} MODE")
}

fn waits(client: &mut Client, sql: &str) {
    assert!(matches!(client.start(sql), Progress::Waiting), "{sql}");
}

fn is_through(client: &mut Client) -> bool {
    match client.talk.resume() {
        Progress::Waiting => false,
        done @ Progress::Done(_) => code(&done) == 0,
    }
}

#[test]
fn an_exclusive_lock_waits_for_changes_and_then_they_for_it() {
    let database = shop();
    let [mut one, mut two, mut three] = three(&database);
    let mut dba = Client::new(&database, "SYSTEM", 2);
    let rows = "SELECT s.sid, l.lmode, l.request FROM gv$lock l
                  JOIN gv$session s ON s.inst_id = l.inst_id AND s.sid = l.sid
                 WHERE l.type = 'TM' ORDER BY l.lmode DESC, l.request DESC";
    let sids = [&one, &two, &three].map(|client| client.talk.session().0.to_string());
    let [a, b, c] = [0, 1, 2].map(|place| sids[place].as_str());
    assert_eq!(one.code("UPDATE app.t SET name = 'x' WHERE id = 1"), 0);
    waits(&mut two, &lock("EXCLUSIVE"));
    // Another row, but the table was asked for before.
    waits(&mut three, "UPDATE app.t SET name = 'x' WHERE id = 2");
    let wanted = [a, "3", "0", b, "0", "6", c, "0", "3"];
    assert_eq!(dba.cells(rows), wanted);
    let sql = "SELECT sid, event, p1, blocking_session FROM gv$session WHERE event LIKE 'enq%' ORDER BY p1";
    let event = "enq: TM - contention";
    assert_eq!(dba.cells(sql), [c, event, "1414332419", b, b, event, "1414332422", a]);
    assert_eq!(one.code("INSERT INTO app.t VALUES (3, 'three')"), 0, "it has the table");
    assert_eq!(one.code("COMMIT"), 0);
    assert!(is_through(&mut two) && !is_through(&mut three));
    assert_eq!(dba.cells(rows), [b, "6", "0", c, "0", "3"]);
    assert_eq!(dba.cell("SELECT locked_mode FROM gv$locked_object"), "6");
    for (sql, wanted) in [
        ("SELECT id FROM app.t WHERE id = 1 FOR UPDATE NOWAIT", 54),
        ("SELECT id FROM app.t WHERE id = 1 FOR UPDATE WAIT 2", 30006),
        ("LOCK TABLE app.t IN ROW SHARE MODE NOWAIT", 54),
        ("LOCK TABLE app.t IN SHARE MODE WAIT 2", 54),
        ("SELECT COUNT(*) FROM app.t", 0),
    ] {
        assert_eq!(one.code(sql), wanted, "{sql}");
        assert!(!one.talk.in_transaction(), "{sql}");
    }
    waits(&mut one, "INSERT INTO app.t VALUES (4, 'four')");
    assert_eq!(two.code("UPDATE app.t SET name = 'two' WHERE id = 2"), 0);
    assert_eq!(two.code("COMMIT"), 0);
    assert!(is_through(&mut one) && is_through(&mut three));
    for client in [&mut one, &mut three] {
        assert_eq!(client.code("COMMIT"), 0);
    }
    assert!(dba.cells(rows).is_empty());
    assert_eq!(dba.cells("SELECT name FROM app.t ORDER BY id"), ["x", "x", "three", "four"]);
}

#[test]
fn dba_waiters_shows_the_mode_that_is_held() {
    let database = shop();
    let [mut one, two, mut three] = three(&database);
    drop(two);
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let sql = "SELECT lock_type, mode_held, mode_requested FROM dba_waiters";
    assert_eq!(one.code("UPDATE app.t SET name = 'x' WHERE id = 1"), 0);
    waits(&mut three, &lock("SHARE"));
    assert_eq!(dba.cells(sql), ["DML", "Row-X (SX)", "Share"]);
    three.talk.cancel();
    assert_eq!(code(&three.talk.resume()), 1013);
    waits(&mut three, "UPDATE app.t SET name = 'y' WHERE id = 1");
    assert_eq!(dba.cells(sql), ["Transaction", "Exclusive", "Exclusive"]);
}

#[test]
fn modes_that_go_together_are_held_together_and_grow() {
    let database = shop();
    let [mut one, mut two, mut three] = three(&database);
    for mode in ["ROW SHARE", "SHARE UPDATE", "ROW EXCLUSIVE"] {
        assert_eq!(one.code(&lock(mode)), 0, "{mode}");
        assert_eq!(two.code("UPDATE app.t SET name = 'x'"), 0, "{mode}");
        assert_eq!(two.code("ROLLBACK"), 0);
    }
    assert_eq!(one.code("ROLLBACK"), 0);
    for client in [&mut one, &mut two] {
        assert_eq!(client.code(&lock("SHARE")), 0);
    }
    assert_eq!(three.code(&format!("{} NOWAIT", lock("SHARE ROW EXCLUSIVE"))), 54);
    waits(&mut one, "UPDATE app.t SET name = 'one' WHERE id = 1");
    // Both read in peace, and both want to change: neither ever could.
    assert_eq!(two.code("UPDATE app.t SET name = 'two' WHERE id = 2"), 60);
    assert_eq!(two.code("COMMIT"), 0);
    assert!(is_through(&mut one));
    let mode = "SELECT DISTINCT lmode FROM gv$lock WHERE type = 'TM'";
    assert_eq!(three.cell(mode), "5", "shared, and row exclusive");
    assert_eq!(one.code(&lock("EXCLUSIVE")), 0);
    assert_eq!(three.cell(mode), "6");
    assert_eq!(three.code(&format!("{} NOWAIT", lock("ROW SHARE"))), 54);
    assert_eq!(one.code("ROLLBACK"), 0);
    assert_eq!(three.code(&format!("{} NOWAIT", lock("EXCLUSIVE"))), 0);
}

#[test]
fn a_table_is_free_after_a_savepoint_a_kill_and_a_break() {
    let database = shop();
    let [mut one, mut two, mut three] = three(&database);
    let free = |client: &mut Client| {
        let free = client.code("SELECT id FROM app.t WHERE id = 1 FOR UPDATE NOWAIT") == 0;
        assert_eq!(client.code("ROLLBACK"), 0);
        free
    };
    assert_eq!(one.code("SAVEPOINT before"), 0);
    assert_eq!(one.code(&lock("EXCLUSIVE")), 0);
    assert!(!free(&mut two));
    assert_eq!(one.code("ROLLBACK TO before"), 0);
    assert!(free(&mut two));
    assert_eq!(one.code(&lock("EXCLUSIVE")), 0);
    waits(&mut two, "UPDATE app.t SET name = 'two' WHERE id = 1");
    two.talk.cancel();
    assert_eq!(code(&two.talk.resume()), 1013);
    waits(&mut two, &lock("SHARE"));
    assert_eq!(three.code(&format!("ALTER SYSTEM KILL SESSION '{}' IMMEDIATE", one.target())), 0);
    assert!(is_through(&mut two));
    drop(two);
    assert!(free(&mut three));
    assert_eq!(three.cell("SELECT COUNT(*) FROM gv$lock WHERE type = 'TM'"), "0");
}

#[test]
fn the_models_own_clients_wait_as_well() {
    for hot_rows in [0, 3] {
        let database = database(&format!(
            "
databases:
  - model:
      name: BUSY
      instances: [{{}}, {{}}]
      workloads:
        - {{name: w, sessions: 20, user: SHOP, write_share: 1.0, table: SHOP.W, hot_rows: {hot_rows}, think_seconds: 2}}
    tables:
      - {{owner: SHOP, name: W, columns: [ID NUMBER]}}
"
        ));
        let mut dba = Client::new(&database, "SYSTEM", 1);
        let commits = |database: &SimDatabase| {
            let mut state = database.lock();
            let all = state.cluster.history.take();
            all.iter().filter(|one| one.what == rac_sim::cluster::history::What::Committed).count()
        };
        database.lock().cluster.history.keep();
        assert_eq!(dba.code("LOCK TABLE shop.w IN EXCLUSIVE MODE"), 0);
        database.advance(60 * SECOND);
        commits(&database);
        database.advance(60 * SECOND);
        assert_eq!(commits(&database), 0, "{hot_rows}");
        let waiting = "SELECT COUNT(*) FROM gv$session WHERE event = 'enq: TM - contention' AND username = 'SHOP'";
        assert_eq!(dba.cell(waiting), "20", "{hot_rows}");
        assert_eq!(dba.code("ROLLBACK"), 0);
        database.advance(60 * SECOND);
        assert!(commits(&database) > 100, "{hot_rows}");
        assert_eq!(dba.cell(waiting), "0", "{hot_rows}");
    }
}

#[test]
fn whoever_may_do_anything_with_a_table_may_lock_it() {
    let database = database(
        "
databases:
  - name: SHOP
    accounts:
      - {name: READER, password: r, grants: [CREATE SESSION, SELECT ON APP.T]}
      - {name: WRITER, password: w, grants: [CREATE SESSION, INSERT ON APP.T]}
      - {name: OTHER, password: o, grants: [CREATE SESSION]}
    tables:
      - {owner: APP, name: T, columns: [ID NUMBER]}
",
    );
    for (user, wanted) in [("READER", 0), ("WRITER", 0), ("OTHER", 942)] {
        let mut client = Client::new(&database, user, 1);
        assert_eq!(client.code(&lock("EXCLUSIVE")), wanted, "{user}");
    }
}
