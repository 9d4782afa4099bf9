//! ROWIDs: of tables' rows, and of the row that a session waits for.

use rac_sim::conversation::{Outcome, Progress};

use crate::support::{Client, code, shop, shown};

#[test]
fn a_row_keeps_its_rowid_and_is_found_by_it() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let rowid = ann.cell("SELECT ROWIDTOCHAR(rowid) FROM app.t WHERE id = 2");
    assert_eq!(rowid.len(), 18, "{rowid}");
    assert_eq!(bob.cell(&format!("SELECT t.id FROM app.t t WHERE t.rowid = '{rowid}'")), "2");
    let sql = format!("UPDATE app.t SET name = 'zwei' WHERE rowid = CHARTOROWID('{rowid}')");
    ann.run(&sql).expect("she may");
    assert_eq!(ann.talk.last_rowid().as_deref(), Some(rowid.as_str()));
    ann.run("COMMIT").expect("it commits");
    assert_eq!(ann.talk.last_rowid(), None);
    let sql = format!("SELECT name FROM app.t WHERE rowid = '{rowid}'");
    assert_eq!(bob.cell(&sql), "zwei");
    let object = dba
        .cell("SELECT data_object_id FROM dba_objects WHERE object_name = 'T' AND owner = 'APP'");
    assert_eq!(ann.cell("SELECT DISTINCT DBMS_ROWID.ROWID_OBJECT(rowid) FROM app.t"), object);
    assert_eq!(ann.cells("SELECT id FROM app.t ORDER BY rowid"), ["1", "2"]);
    // `*` does not have it.
    assert_eq!(ann.cells("SELECT * FROM app.t WHERE id = 1").len(), 2);
    bob.run("INSERT INTO app.t VALUES (3, 'three')").expect("he may");
    let new = bob.talk.last_rowid().expect("a row was inserted");
    assert_eq!(bob.cell(&format!("SELECT id FROM app.t WHERE rowid = '{new}'")), "3");
    assert_eq!(ann.run(&format!("DELETE FROM app.t WHERE rowid = '{rowid}'")).map(|_| ()), Ok(()));
    assert_eq!(ann.cells(&sql), [""; 0]);
}

#[test]
fn a_statement_that_goes_on_in_a_thread_sees_rowids_too() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let rowid = ann.cell("SELECT ROWIDTOCHAR(rowid) FROM app.t WHERE id = 2");
    let long = "(SELECT COUNT(*) FROM dual CONNECT BY LEVEL <= 150000) = 150000";
    let mut progress =
        ann.start(&format!("SELECT ROWIDTOCHAR(rowid) FROM app.t WHERE id = 2 AND {long}"));
    assert!(matches!(progress, Progress::Waiting));
    while matches!(progress, Progress::Waiting) {
        std::thread::yield_now();
        progress = ann.talk.resume();
    }
    match progress {
        Progress::Done(Ok(Outcome::Query { cells, .. })) => assert_eq!(shown(&cells[0]), rowid),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_has_no_rowid_or_is_none_is_an_error() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    for (sql, error) in [
        ("SELECT id FROM app.t WHERE rowid = 'nonsense'", 1410),
        ("SELECT CHARTOROWID('AAA') FROM dual", 1410),
        ("SELECT a.rowid FROM app.t a, app.t b", 0),
        ("SELECT rowid FROM app.t a, app.t b", 918),
        ("SELECT rowid FROM v$version", 904),
        ("UPDATE app.t SET rowid = 'x'", 904),
        ("SELECT DBMS_ROWID.ROWID_CREATE(1, 1, 5000, 1, 1) FROM dual", 1410),
    ] {
        assert_eq!(ann.code(sql), error, "{sql}");
    }
}

#[test]
fn the_row_that_a_session_waits_for_is_found() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    let mut dba = Client::new(&database, "SYS", 1);
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 2").expect("she may");
    let waiting = bob.start("UPDATE app.t SET name = 'b' WHERE id = 2");
    assert!(matches!(waiting, Progress::Waiting));
    let sql = "SELECT o.owner || '.' || o.object_name,
                      DBMS_ROWID.ROWID_CREATE(1, o.data_object_id, s.row_wait_file#, s.row_wait_block#, s.row_wait_row#)
                 FROM gv$session s JOIN dba_objects o ON o.object_id = s.row_wait_obj#
                WHERE s.username = 'BOB'";
    let found = dba.cells(sql);
    assert_eq!(found[0], "APP.T");
    let rowid = dba.cell("SELECT ROWIDTOCHAR(rowid) FROM app.t WHERE id = 2");
    assert_eq!(found[1], format!("RowId({rowid:?})"));
    ann.run("COMMIT").expect("it commits");
    assert_eq!(code(&bob.talk.resume()), 0);
}
