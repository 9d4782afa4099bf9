//! What one client may take of what all share.

use rac_sim::conversation::Progress;
use rac_sim::value::Value;

use crate::support::{Client, code, database, shop, shown};

/// What a block gives back in its only bind.
fn answer(client: &mut Client, block: &str) -> String {
    shown(&client.block(block, &[Value::Null]).expect("the block runs")[0])
}

#[test]
fn a_session_holds_a_thousand_user_locks_and_others_have_theirs() {
    let database = shop();
    let [mut one, mut two] = [1, 2].map(|instance| Client::new(&database, "SYSTEM", instance));
    let ask = |from: u32, to: u32| {
        format!(
            "BEGIN FOR i IN {from} .. {to} LOOP
               IF dbms_lock.request(i, 4, 0) <> 0 THEN raise_application_error(-20001, 'no'); END IF;
             END LOOP; END;"
        )
    };
    for block in 0..20 {
        assert_eq!(one.code(&ask(block * 50, block * 50 + 49)), 0, "{block}");
    }
    assert_eq!(one.code(&ask(2_000, 2_000)), 52);
    assert_eq!(two.code(&ask(0, 0)), 0);
    assert_eq!(answer(&mut one, "BEGIN :r := dbms_lock.release(0); END;"), "0");
    assert_eq!(one.code(&ask(2_000, 2_000)), 0);
    assert_eq!(answer(&mut one, "BEGIN :r := dbms_lock.request(2000, 4, 0); END;"), "4");
}

#[test]
fn the_name_of_a_lock_has_128_bytes_at_most() {
    let database = shop();
    let mut one = Client::new(&database, "SYSTEM", 1);
    for (length, wanted) in [(128, 0), (129, 12899), (32_000, 12899)] {
        let block = format!(
            "DECLARE h VARCHAR2(128); BEGIN dbms_lock.allocate_unique(RPAD('x', {length}, 'x'), h); END;"
        );
        assert_eq!(one.code(&block), wanted, "{length}");
    }
    assert_eq!(one.cell("SELECT COUNT(*), MAX(LENGTH(name)) FROM sys.dbms_lock_allocated"), "1");
}

#[test]
fn what_for_update_shows_is_bounded_as_what_it_locks() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let heavy = "(SELECT COUNT(*) FROM dual CONNECT BY LEVEL <= 1200000)";
    let sql = format!("SELECT id, {heavy} FROM app.t FOR UPDATE SKIP LOCKED");
    let mut progress = ann.start(&sql);
    while matches!(progress, Progress::Waiting) {
        std::thread::yield_now();
        progress = ann.talk.resume();
    }
    assert_eq!(code(&progress), 40);
    assert!(!ann.talk.in_transaction());
}

#[test]
fn a_database_that_is_open_for_reading_locks_nothing() {
    let database = database(
        "
databases:
  - model: {name: STANDBY, read_only: true}
    tables:
      - {owner: APP, name: T, columns: [ID NUMBER], rows: [[1]]}
",
    );
    let mut one = Client::new(&database, "SYSTEM", 1);
    for sql in [
        "UPDATE app.t SET id = 2",
        "SELECT id FROM app.t FOR UPDATE",
        "LOCK TABLE app.t IN ROW SHARE MODE",
        "DECLARE h VARCHAR2(128); BEGIN dbms_lock.allocate_unique('X', h); END;",
    ] {
        assert_eq!(one.code(sql), 16000, "{sql}");
    }
    assert_eq!(one.cell("SELECT id FROM app.t"), "1");
}
