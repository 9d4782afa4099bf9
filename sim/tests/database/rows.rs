//! Ordinary tables: what two clients do to each other's rows.

use rac_sim::cluster::SECOND;
use rac_sim::conversation::{Outcome, Progress};
use rac_sim::database::SimDatabase;

use crate::support::{Client, code, database, shop};

#[test]
fn a_change_is_private_until_the_commit() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    let changed = ann.run("UPDATE app.t SET name = 'uno' WHERE id = 1").expect("she may");
    assert!(matches!(changed, Outcome::Dml { count: 1, .. }), "{changed:?}");
    assert!(ann.talk.in_transaction());
    assert_eq!(ann.cell("SELECT name FROM app.t WHERE id = 1"), "uno");
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "one");
    ann.run("COMMIT").expect("it commits");
    assert!(!ann.talk.in_transaction());
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "uno");
    bob.run("INSERT INTO app.t (id, name) VALUES (3, 'three')").expect("he may");
    bob.run("ROLLBACK").expect("it rolls back");
    assert_eq!(bob.cell("SELECT COUNT(*) FROM app.t"), "2");
}

#[test]
fn a_waiter_shows_who_blocks_it_and_gets_the_row() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    let mut dba = Client::new(&database, "SYSTEM", 1);
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    let waiting = bob.start("UPDATE app.t SET name = name || 'b' WHERE id = 1");
    assert!(matches!(waiting, Progress::Waiting));
    let sql =
        "SELECT status, event, state, blocking_instance, blocking_session, blocking_session_status
                 FROM gv$session WHERE username = 'BOB'";
    let seen = dba.cells(sql);
    let blocker = ann.talk.session().0.to_string();
    assert_eq!(
        seen,
        ["ACTIVE", "enq: TX - row lock contention", "WAITING", "1", blocker.as_str(), "VALID"]
    );
    // He has the table, and asks for the row; he changed nothing, and so has no transaction.
    let sql = "SELECT l.type, l.lmode, l.request FROM gv$lock l
                 JOIN gv$session s ON s.inst_id = l.inst_id AND s.sid = l.sid
                WHERE s.username = 'BOB' AND s.taddr IS NULL AND l.type <> 'AE' ORDER BY l.type";
    assert_eq!(dba.cells(sql), ["TM", "3", "0", "TX", "0", "6"]);
    assert_eq!(dba.cell("SELECT COUNT(*) FROM gv$transaction"), "1");
    let sql = "SELECT xidusn, locked_mode FROM gv$locked_object WHERE oracle_username = 'BOB'";
    assert_eq!(dba.cells(sql), ["0", "3"]);
    let sql = "SELECT blocker_sess_serial# FROM gv$session_blockers";
    assert_eq!(dba.cell(sql), ann.talk.session().1.to_string());
    let sql = "SELECT used_urec FROM gv$transaction t JOIN gv$session s
                   ON s.inst_id = t.inst_id AND s.taddr = t.addr WHERE s.username = 'ANN'";
    assert_eq!(dba.cell(sql), "1");
    ann.run("COMMIT").expect("it commits");
    assert_eq!(code(&bob.talk.resume()), 0);
    // His wait counts for nothing.
    assert_eq!(dba.cell(&sql.replace("ANN", "BOB")), "1");
    // He changed what she had committed meanwhile.
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "ab");
}

#[test]
fn two_that_want_each_others_row_are_in_a_deadlock() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    bob.run("UPDATE app.t SET name = 'b' WHERE id = 2").expect("he may");
    assert!(matches!(bob.start("UPDATE app.t SET name = 'b' WHERE id = 1"), Progress::Waiting));
    assert_eq!(ann.code("UPDATE app.t SET name = 'a' WHERE id = 2"), 60);
    ann.run("ROLLBACK").expect("it rolls back");
    assert_eq!(code(&bob.talk.resume()), 0);
}

#[test]
fn for_update_locks_and_gives_up_when_told() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 1));
    assert_eq!(ann.cell("SELECT name FROM app.t WHERE id = 2 FOR UPDATE"), "two");
    assert_eq!(bob.code("SELECT name FROM app.t WHERE id = 2 FOR UPDATE NOWAIT"), 54);
    assert_eq!(bob.code("SELECT name FROM app.t WHERE id = 2 FOR UPDATE WAIT 3"), 30006);
    // What a statement that fails had reached is free: row 1 comes before row 2.
    assert_eq!(bob.code("SELECT name FROM app.t FOR UPDATE NOWAIT"), 54);
    assert_eq!(ann.code("SELECT name FROM app.t WHERE id = 1 FOR UPDATE NOWAIT"), 0);
    assert!(!bob.talk.in_transaction());
    ann.run("ROLLBACK").expect("it rolls back");
    assert_eq!(bob.code("SELECT name FROM app.t FOR UPDATE NOWAIT"), 0);
}

#[test]
fn for_update_locks_the_rows_of_each_table_or_of_those_that_it_names() {
    let tables = "
databases:
  - name: SHOP
    tables:
      - {owner: APP, name: T, columns: [ID NUMBER, NAME VARCHAR2(20)], rows: [[1, one], [2, two]]}
      - {owner: APP, name: U, columns: [ID NUMBER, T_ID NUMBER], rows: [[10, 1], [20, 1], [30, 2]]}
";
    let database = crate::support::database(tables);
    let (mut one, mut two) =
        (Client::new(&database, "SYSTEM", 1), Client::new(&database, "SYSTEM", 2));
    let joined =
        "SELECT t.id, u.id FROM app.t t JOIN app.u u ON u.t_id = t.id WHERE t.name = 'one'";
    let free = |client: &mut Client, table: &str| {
        let ids =
            client.cells(&format!("SELECT id FROM app.{table} ORDER BY id FOR UPDATE SKIP LOCKED"));
        client.run("ROLLBACK").expect("it rolls back");
        ids.join(" ")
    };
    let urec = "SELECT used_urec FROM gv$transaction";
    for (of, t, u, records) in [
        ("", "2", "30", "3"),
        ("OF t.name", "2", "10 20 30", "1"),
        ("OF t_id", "1 2", "30", "2"),
        ("OF u.t_id, u.id, name", "2", "30", "3"),
    ] {
        assert_eq!(one.cells(&format!("{joined} FOR UPDATE {of}")).len(), 4, "{of}");
        assert_eq!(one.cell(urec), records, "{of}");
        assert_eq!((free(&mut two, "t").as_str(), free(&mut two, "u").as_str()), (t, u), "{of}");
        one.run("ROLLBACK").expect("it rolls back");
    }
    for (sql, code) in [
        (format!("{joined} FOR UPDATE OF id"), 918),
        (format!("{joined} FOR UPDATE OF t.nope"), 904),
        (format!("{joined} FOR UPDATE SKIP LOCKED"), 3001),
        ("SELECT DISTINCT name FROM app.t FOR UPDATE".to_owned(), 1786),
        ("SELECT COUNT(*) FROM app.t GROUP BY name FOR UPDATE".to_owned(), 1786),
        ("SELECT MAX(id) + 1 FROM app.t FOR UPDATE NOWAIT".to_owned(), 1786),
        ("SELECT id FROM app.t UNION SELECT 1 FROM dual FOR UPDATE".to_owned(), 1786),
        ("DECLARE CURSOR c IS SELECT id FROM app.t FOR UPDATE; BEGIN NULL; END;".to_owned(), 6550),
    ] {
        assert_eq!(one.code(&sql), code, "{sql}");
        assert!(!one.talk.in_transaction(), "{sql}");
    }
}

#[test]
fn a_client_that_breaks_off_gives_up_its_wait() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 1));
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    assert!(matches!(bob.start("UPDATE app.t SET name = 'b' WHERE id = 1"), Progress::Waiting));
    bob.talk.cancel();
    assert_eq!(code(&bob.talk.resume()), 1013);
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "one");
    drop(ann);
    assert_eq!(bob.code("UPDATE app.t SET name = 'b' WHERE id = 1"), 0);
}

#[test]
fn skip_locked_gives_the_rows_that_nobody_holds() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    let sql = "SELECT id FROM app.t ORDER BY id FOR UPDATE SKIP LOCKED";
    assert_eq!(bob.cells(sql), ["2"]);
    // What he has himself is not skipped, and she cannot have it.
    assert_eq!(bob.cells(sql), ["2"]);
    assert_eq!(ann.cells(sql), ["1"]);
    assert_eq!(ann.code("SELECT id FROM app.t WHERE id = 2 FOR UPDATE NOWAIT"), 54);
    bob.run("COMMIT").expect("it commits");
    assert_eq!(ann.cells(sql), ["1", "2"]);
}

/// Three clients who may do anything, of whom the second holds row 2.
fn three(database: &SimDatabase) -> [Client; 3] {
    let mut all = [1, 2, 1].map(|instance| Client::new(database, "SYSTEM", instance));
    assert_eq!(all[1].code("UPDATE app.t SET name = 'held' WHERE id = 2"), 0);
    all
}

const ROW_1: &str = "SELECT id FROM app.t WHERE id = 1 FOR UPDATE NOWAIT";

#[test]
fn a_statement_that_fails_keeps_no_row() {
    let database = shop();
    for (how, wanted) in [("timeout", 30006), ("cancel", 1013), ("deadlock", 60)] {
        let [mut one, mut two, mut three] = three(&database);
        let progress = match how {
            "timeout" => one.start("SELECT id FROM app.t FOR UPDATE WAIT 3"),
            _ => one.start("UPDATE app.t SET name = 'x'"),
        };
        assert!(matches!(progress, Progress::Waiting), "{how}");
        assert_eq!(three.code(ROW_1), 54, "{how}: it has the first row already");
        let failed = match how {
            "timeout" => one.finish(progress).expect_err("it gives up").code,
            "cancel" => {
                one.talk.cancel();
                code(&one.talk.resume())
            }
            _ => {
                let code = two.code("UPDATE app.t SET name = 'x' WHERE id = 1");
                assert_eq!(two.cell("SELECT name FROM app.t WHERE id = 2"), "held");
                one.talk.cancel();
                code
            }
        };
        assert_eq!(failed, wanted, "{how}");
        assert!(!one.talk.in_transaction(), "{how}");
        assert_eq!(three.code(ROW_1), 0, "{how}");
    }
}

#[test]
fn a_statement_of_a_block_that_fails_keeps_no_row_behind_its_handler() {
    let database = shop();
    let [mut one, two, mut three] = three(&database);
    let block = "BEGIN
        BEGIN UPDATE app.t SET name = 'x'; EXCEPTION WHEN OTHERS THEN NULL; END;
        dbms_lock.sleep(60);
    END;";
    assert!(matches!(one.start(block), Progress::Waiting));
    assert_eq!(three.code(ROW_1), 54);
    assert_eq!(three.code(&format!("ALTER SYSTEM CANCEL SQL '{}'", one.target())), 0);
    database.advance(2 * SECOND);
    assert!(matches!(one.talk.resume(), Progress::Waiting), "it sleeps now");
    assert_eq!(three.code(ROW_1), 0);
    drop(two);
}

#[test]
fn a_block_that_fails_has_changed_nothing_since_its_last_commit() {
    let database = shop();
    let [mut one, two, mut three] = three(&database);
    drop(two);
    let fail = "raise_application_error(-20001, 'no');";
    let names = "SELECT name FROM app.t ORDER BY id";
    assert_eq!(one.code("UPDATE app.t SET name = 'mine' WHERE id = 2"), 0);
    let block = format!("BEGIN UPDATE app.t SET name = 'x' WHERE id = 1; {fail} END;");
    assert_eq!(one.code(&block), 20001);
    assert_eq!(one.cells(names), ["one", "mine"]);
    assert_eq!(three.code(ROW_1), 0);
    assert_eq!(three.code("ROLLBACK"), 0);
    let block = format!(
        "BEGIN UPDATE app.t SET name = 'kept' WHERE id = 1; COMMIT; UPDATE app.t SET name = 'x'; {fail} END;"
    );
    assert_eq!(one.code(&block), 20001);
    assert!(!one.talk.in_transaction());
    assert_eq!(three.cells(names), ["kept", "mine"]);
    // What is caught has happened.
    let block =
        format!("BEGIN UPDATE app.t SET name = 'x'; {fail} EXCEPTION WHEN OTHERS THEN NULL; END;");
    assert_eq!(one.code(&block), 0);
    assert_eq!(one.cells(names), ["x", "x"]);
}

#[test]
fn a_rollback_to_a_savepoint_frees_what_was_locked_since() {
    let database = shop();
    let [mut one, mut two, mut three] = three(&database);
    assert_eq!(two.code("ROLLBACK"), 0);
    assert_eq!(one.code("SAVEPOINT first"), 0);
    assert_eq!(one.code("UPDATE app.t SET name = 'a' WHERE id = 2"), 0);
    assert_eq!(one.code("SAVEPOINT second"), 0);
    assert_eq!(one.code("UPDATE app.t SET name = 'a' WHERE id = 1"), 0);
    let waiting = two.start("UPDATE app.t SET name = 'two' WHERE id = 1");
    assert!(matches!(waiting, Progress::Waiting));
    assert_eq!(one.code("ROLLBACK TO second"), 0);
    assert_eq!(one.cell("SELECT used_urec FROM gv$transaction"), "1");
    // Who waited before waits for the end of the transaction; who comes now need not.
    assert!(matches!(two.talk.resume(), Progress::Waiting));
    let blocker = |client: &mut Client| {
        client.cell("SELECT blocking_session FROM gv$session WHERE blocking_session IS NOT NULL")
    };
    assert_eq!(blocker(&mut three), one.talk.session().0.to_string());
    assert_eq!(three.code("UPDATE app.t SET name = 'three' WHERE id = 1"), 0);
    assert_eq!(three.code("SELECT id FROM app.t WHERE id = 2 FOR UPDATE NOWAIT"), 54);
    assert_eq!(one.code("ROLLBACK TO first"), 0);
    assert!(one.talk.in_transaction());
    assert_eq!(three.code("SELECT id FROM app.t WHERE id = 2 FOR UPDATE NOWAIT"), 0);
    assert_eq!(one.code("ROLLBACK TO second"), 1086);
    assert_eq!(one.code("COMMIT"), 0);
    assert!(matches!(two.talk.resume(), Progress::Waiting));
    assert_eq!(blocker(&mut one), three.talk.session().0.to_string());
    assert_eq!(three.code("COMMIT"), 0);
    assert_eq!(code(&two.talk.resume()), 0);
    assert_eq!(two.cells("SELECT name FROM app.t ORDER BY id"), ["two", "two"]);
}

#[test]
fn columns_hold_what_they_were_declared_for() {
    let database = database(
        "
databases:
  - like: quiet
    tables:
      - owner: APP
        name: N
        columns: [A NUMBER(3), 'B NUMBER(5, 2)', C CHAR(3), D INTEGER, E NUMBER]
        rows: [[1, 2.345, x, 4.5, 1.25]]
",
    );
    let mut app = Client::new(&database, "APP", 1);
    let row = app.cells("SELECT a, b, c, d, e FROM n");
    assert_eq!(row, ["1", "2.35", "x  ", "5", "1.25"]);
    assert_eq!(app.code("INSERT INTO n (a) VALUES (1000)"), 1438);
    assert_eq!(app.code("UPDATE n SET b = 999.995"), 1438);
    app.run("UPDATE n SET a = 999.4, b = -999.99, e = 1e40").expect("it fits");
    assert_eq!(app.cells("SELECT a, b FROM n"), ["999", "-999.99"]);
    let sql = "SELECT data_precision, data_scale FROM user_tab_columns
                WHERE table_name = 'N' AND data_type = 'NUMBER' ORDER BY column_id";
    assert_eq!(app.cells(sql), ["3", "0", "5", "2", "38", "0", "", ""]);
}

#[test]
fn a_scenarios_rows_have_to_fit() {
    for (column, cell) in [
        ("A NUMBER(3)", "1000"),
        ("A VARCHAR2(3)", "long"),
        ("A CHAR(3)", "long"),
        ("A NUMBER(0)", "1"),
    ] {
        let text = format!(
            "databases: [{{like: quiet, tables: [{{owner: APP, name: N, columns: [{column}], rows: [[{cell}]]}}]}}]"
        );
        let scenario = rac_sim::scenario::Scenario::parse(&text).expect("a scenario");
        assert!(scenario.build().is_err(), "{column} {cell}");
    }
}
