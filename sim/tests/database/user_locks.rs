//! DBMS_LOCK, as blocks call it on two instances.

use rac_sim::cluster::SECOND;
use rac_sim::conversation::Progress;
use rac_sim::database::SimDatabase;
use rac_sim::value::Value;

use crate::support::{Client, code, shop, shown};

fn three(database: &SimDatabase) -> [Client; 3] {
    [1, 2, 1].map(|instance| Client::new(database, "SYSTEM", instance))
}

/// What a function of DBMS_LOCK returns.
fn lock(client: &mut Client, call: &str) -> String {
    let out = client.block(&format!("BEGIN :r := dbms_lock.{call}; END;"), &[Value::Null]);
    shown(&out.expect("the block runs")[0])
}

/// A call that waits, and fails unless its function returns `wanted`.
fn start(client: &mut Client, call: &str, wanted: u32) {
    let block = format!(
        "BEGIN IF dbms_lock.{call} <> {wanted} THEN raise_application_error(-20001, 'no'); END IF; END;"
    );
    assert!(matches!(client.start(&block), Progress::Waiting), "{call}");
}

const ROWS: &str =
    "SELECT inst_id, lmode, request, block FROM gv$lock WHERE type = 'UL' ORDER BY 1, 2, 3";

#[test]
fn modes_that_go_together_are_held_together() {
    let database = shop();
    let [mut a, mut b, mut c] = three(&database);
    assert_eq!(lock(&mut a, "request(5, dbms_lock.s_mode)"), "0");
    assert_eq!(lock(&mut b, "request(5, 4)"), "0");
    assert_eq!(lock(&mut b, "request(5, 6)"), "4");
    assert_eq!(lock(&mut c, "request(5, 3, 0)"), "1");
    assert_eq!(lock(&mut c, "request(5, dbms_lock.ss_mode, 0)"), "0");
    assert_eq!(a.cells(ROWS), ["1", "2", "0", "2", "1", "4", "0", "2", "2", "4", "0", "2"]);
    assert_eq!(lock(&mut c, "release(5)"), "0");
    assert_eq!(lock(&mut c, "release(5)"), "4");
    for call in ["request(5, 0)", "request(5, 7)", "request(2000000000)", "convert(5, 9)"] {
        assert_eq!(lock(&mut c, call), "3", "{call}");
    }
    for call in ["request('nonsense')", "release('nonsense')", "convert('nonsense', 6)"] {
        assert_eq!(lock(&mut c, call), "5", "{call}");
    }
}

#[test]
fn who_waits_gets_the_lock_in_its_turn() {
    let database = shop();
    let [mut a, mut b, mut c] = three(&database);
    assert_eq!(lock(&mut a, "request(5, 4)"), "0");
    start(&mut b, "request(5, 6, 60)", 0);
    // It goes with the holder, but somebody was first.
    start(&mut c, "request(5, 4, 60)", 0);
    let sql = "SELECT p1, event, blocking_session FROM gv$session WHERE event LIKE 'enq: UL%' ORDER BY p1";
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let row = dba.cells(sql);
    let (first, second) = ((0x554c_0004_u32).to_string(), (0x554c_0006_u32).to_string());
    assert_eq!((row[0].as_str(), row[3].as_str()), (first.as_str(), second.as_str()));
    assert_eq!(row[5], a.talk.session().0.to_string());
    assert_eq!(row[2], b.talk.session().0.to_string());
    // The first gives up, and the one behind it goes with the holder.
    b.talk.cancel();
    assert_eq!(code(&b.talk.resume()), 1013);
    assert_eq!(code(&c.talk.resume()), 0);
    assert_eq!(dba.cells(ROWS), ["1", "4", "0", "2", "1", "4", "0", "2"]);
}

#[test]
fn a_lock_is_converted_before_others_get_it() {
    let database = shop();
    let [mut a, mut b, mut c] = three(&database);
    assert_eq!(lock(&mut a, "convert(5, 6)"), "4");
    assert_eq!(lock(&mut a, "request(5, 4)"), "0");
    assert_eq!(lock(&mut b, "request(5, 4)"), "0");
    start(&mut c, "request(5, 3, 60)", 0);
    assert_eq!(lock(&mut a, "convert(5, 6, 0)"), "1");
    start(&mut a, "convert(5, 6, 60)", 0);
    let mut dba = Client::new(&database, "SYSTEM", 1);
    assert_eq!(dba.cells(ROWS), ["1", "0", "3", "0", "1", "4", "6", "1", "2", "4", "0", "1"]);
    assert_eq!(lock(&mut b, "convert(5, 6, 60)"), "2");
    assert_eq!(lock(&mut b, "release(5)"), "0");
    assert_eq!(code(&a.talk.resume()), 0);
    assert!(matches!(c.talk.resume(), Progress::Waiting));
    assert_eq!(lock(&mut a, "convert(5, 1)"), "0");
    assert_eq!(code(&c.talk.resume()), 0);
    assert_eq!(dba.cells(ROWS), ["1", "1", "0", "2", "1", "3", "0", "2"]);
}

#[test]
fn whoever_ends_lets_go_of_its_locks() {
    for order in ["KILL SESSION", "DISCONNECT SESSION", "none"] {
        let database = shop();
        let [mut a, mut b, mut c] = three(&database);
        assert_eq!(lock(&mut a, "request(5)"), "0");
        start(&mut b, "request(5, 6, 60)", 0);
        if order == "none" {
            drop(a);
        } else {
            let target = a.target().replace(",@1", "");
            assert_eq!(c.code(&format!("ALTER SYSTEM {order} '{target}' IMMEDIATE")), 0, "{order}");
        }
        database.advance(SECOND);
        assert_eq!(code(&b.talk.resume()), 0, "{order}");
        // And a waiter that ends leaves the queue.
        start(&mut c, "request(5, 6, 60)", 0);
        drop(c);
        assert_eq!(lock(&mut b, "release(5)"), "0", "{order}");
        assert_eq!(lock(&mut b, "request(5, 6, 0)"), "0", "{order}");
    }
}

#[test]
fn locks_end_with_the_transaction_only_if_asked_to() {
    let database = shop();
    let [mut a, mut b, _] = three(&database);
    assert_eq!(lock(&mut a, "request(5, 6, 0, TRUE)"), "0");
    assert_eq!(lock(&mut a, "request(6, 6, 0, release_on_commit => FALSE)"), "0");
    assert_eq!(a.code("COMMIT"), 0);
    assert_eq!(lock(&mut b, "request(5, 6, 0)"), "0");
    assert_eq!(lock(&mut b, "request(6, 6, 0.5)"), "1");
}
