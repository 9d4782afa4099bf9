//! How transactions end: by COMMIT and ROLLBACK as calls of their own, and for sessions that are about to be ended.

use rac_sim::cluster::SECOND;
use rac_sim::cluster::fault::Fault;
use rac_sim::conversation::Progress;

use crate::support::{Client, code, database, shop};

/// A database that undoes one record a second.
const SLOW: &str = "
databases:
  - model:
      name: SLOW
      instances: [{}, {}]
      limits: {rollback_records_per_second: 1}
    tables:
      - {owner: APP, name: T, columns: [ID NUMBER], rows: [[1]]}
";

const INSERT: &str = "INSERT INTO app.t SELECT LEVEL + 1 FROM dual CONNECT BY LEVEL <= 5";

#[test]
fn a_rollback_is_a_call_that_lasts() {
    let database = database(SLOW);
    let [mut one, mut two] = [1, 2].map(|instance| Client::new(&database, "SYSTEM", instance));
    let status = format!(
        "SELECT status, NVL(sql_id, 'none') FROM gv$session WHERE inst_id = 1 AND sid = {}",
        one.talk.session().0
    );
    one.run(INSERT).expect("it may");
    let progress = one.talk.rollback();
    assert!(matches!(progress, Progress::Waiting));
    assert_eq!(two.cells(&status), ["ACTIVE", "none"]);
    one.finish(progress).expect("it ends");
    assert!(!one.talk.in_transaction());
    assert_eq!(two.cells(&status), ["INACTIVE", "none"]);
}

#[test]
fn what_follows_a_rollback_that_was_broken_off_waits_for_it_and_is_kept() {
    let database = database(SLOW);
    let [mut one, mut two] = [1, 2].map(|instance| Client::new(&database, "SYSTEM", instance));
    for by_text in [true, false] {
        one.run(INSERT).expect("it may");
        let progress = if by_text { one.start("ROLLBACK") } else { one.talk.rollback() };
        assert!(matches!(progress, Progress::Waiting));
        one.talk.cancel();
        assert_eq!(code(&one.talk.resume()), 1013);
        let insert = one.start("INSERT INTO app.t VALUES (7)");
        assert!(matches!(insert, Progress::Waiting), "its transaction is still undone");
        one.finish(insert).expect("it goes on");
        let commit = one.talk.commit();
        one.finish(commit).expect("it commits");
        assert_eq!(two.cells("SELECT id FROM app.t WHERE id > 1"), ["7"]);
        assert_eq!(two.code("DELETE FROM app.t WHERE id = 7"), 0);
        two.run("COMMIT").expect("it commits");
    }
}

#[test]
fn a_commit_and_a_ping_are_calls() {
    let database = shop();
    let (mut ann, mut dba) =
        (Client::new(&database, "ANN", 1), Client::new(&database, "SYSTEM", 1));
    let idle = "SELECT last_call_et FROM v$session WHERE username = 'ANN'";
    for call in [0, 1, 2] {
        database.advance(100 * SECOND);
        assert_eq!(dba.cell(idle), "100");
        match call {
            0 => assert_eq!(code(&ann.talk.commit()), 0),
            1 => assert_eq!(code(&ann.talk.rollback()), 0),
            _ => ann.talk.call(false),
        }
        assert_eq!(dba.cell(idle), "0");
    }
}

#[test]
fn who_is_marked_cannot_commit_any_more() {
    for by_text in [true, false] {
        let database = shop();
        let (mut ann, mut bob) =
            (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
        let mut dba = Client::new(&database, "SYSTEM", 2);
        ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
        // She is idle, and yet has no chance to notice.
        database.lock().cluster.inject(&Fault::Hang { instance: 1, seconds: 20 });
        let kill = dba.start(&format!("ALTER SYSTEM KILL SESSION '{}'", ann.target()));
        assert!(matches!(kill, Progress::Waiting));
        let commit = if by_text { ann.start("COMMIT") } else { ann.talk.commit() };
        assert_eq!(code(&commit), 28, "{by_text}");
        dba.finish(kill).expect("it is done when the instance goes on");
        assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "one", "{by_text}");
        assert_eq!(code(&ann.talk.commit()), 1012, "{by_text}");
    }
}

#[test]
fn a_block_that_is_marked_cannot_commit_any_more() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 1));
    let mut dba = Client::new(&database, "SYSTEM", 1);
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    // The clock stands still, so nothing is noticed before the block has come to its end.
    let long = "BEGIN FOR i IN 1 .. 3000000 LOOP NULL; END LOOP; COMMIT; END;";
    let mut progress = ann.start(long);
    assert!(matches!(progress, Progress::Waiting));
    assert_eq!(dba.code(&format!("ALTER SYSTEM KILL SESSION '{}' IMMEDIATE", ann.target())), 31);
    while matches!(progress, Progress::Waiting) {
        std::thread::yield_now();
        progress = ann.talk.resume();
    }
    assert_eq!(code(&progress), 28);
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "one");
}

#[test]
fn a_fetch_goes_on_with_the_execution_of_its_cursor() {
    let database = shop();
    let (mut ann, mut dba) =
        (Client::new(&database, "ANN", 1), Client::new(&database, "SYSTEM", 1));
    ann.run("SELECT id FROM app.t").expect("she may");
    let sql = "SELECT prev_exec_id, TO_CHAR(prev_exec_start, 'SSSSS') FROM v$session WHERE username = 'ANN'";
    let execution = dba.cells(sql);
    for _ in 0..3 {
        database.advance(10 * SECOND);
        ann.talk.call(true);
        assert_eq!(dba.cells(sql), execution);
        let open = "SELECT sql_exec_id, TO_CHAR(sql_exec_start, 'SSSSS') FROM v$session WHERE username = 'ANN'";
        assert_eq!(dba.cells(open), execution);
    }
    ann.run("SELECT id FROM app.t").expect("she may");
    assert_ne!(dba.cells(sql), execution, "another execution of the same statement");
}
