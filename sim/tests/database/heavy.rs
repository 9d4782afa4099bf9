//! Statements that take long: others go on meanwhile, and whatever ends a call ends them at once.

use rac_sim::cluster::SECOND;
use rac_sim::conversation::{Outcome, Progress};
use rac_sim::database::SimDatabase;

use crate::support::{Client, code, shop};

/// None of these ends by itself while a test runs.
const ENDLESS: [&str; 6] = [
    "SELECT COUNT(*) FROM (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 50000) a,
                          (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 50000) b WHERE a.n + b.n < 0",
    // More rows than could be held, and nobody has to hold one.
    "SELECT COUNT(*) FROM (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 9000) a,
                          (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 9000) b,
                          (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 9000) c",
    "BEGIN LOOP NULL; END LOOP; END;",
    "DECLARE n NUMBER := 0; BEGIN LOOP n := n + 1; END LOOP; END;",
    "DECLARE n NUMBER; BEGIN LOOP SELECT COUNT(*) INTO n FROM app.t; END LOOP; END;",
    "BEGIN LOOP BEGIN LOOP NULL; END LOOP; END; END LOOP; END;",
];

/// Waits for a call that ends without the model's clock.
fn finish(client: &mut Client, mut progress: Progress) -> Result<Outcome, u32> {
    loop {
        match progress {
            Progress::Done(result) => return result.map_err(|error| error.code),
            Progress::Waiting => std::thread::yield_now(),
        }
        progress = client.talk.resume();
    }
}

fn started(database: &SimDatabase, sql: &str) -> Client {
    let mut client = Client::new(database, "ANN", 1);
    assert!(matches!(client.start(sql), Progress::Waiting), "{sql}");
    client
}

#[test]
fn others_go_on_while_a_statement_runs() {
    let database = shop();
    for sql in ENDLESS {
        let mut ann = started(&database, sql);
        let mut dba = Client::new(&database, "SYSTEM", 2);
        database.advance(3 * SECOND);
        assert!(matches!(ann.talk.resume(), Progress::Waiting), "{sql}");
        let row = dba.cells(
            "SELECT status, last_call_et, sql_id, state FROM gv$session WHERE username = 'ANN'",
        );
        assert_eq!(row.len(), 4, "{sql}");
        assert_eq!((row[0].as_str(), row[1].as_str(), row[2].len()), ("ACTIVE", "3", 13), "{sql}");
        assert_ne!(row[3], "WAITING", "{sql}");
        let cpu = "SELECT value FROM gv$sesstat JOIN v$statname USING (statistic#)
                    WHERE name = 'CPU used by this session'
                      AND sid = (SELECT sid FROM gv$session WHERE username = 'ANN') AND inst_id = 1";
        let before: u64 = dba.cell(cpu).parse().expect("a number");
        database.advance(2 * SECOND);
        let after: u64 = dba.cell(cpu).parse().expect("a number");
        assert_eq!((before >= 300, after - before), (true, 200), "{sql}");
        ann.talk.cancel();
        assert_eq!(code(&ann.talk.resume()), 1013, "{sql}");
        assert_eq!(ann.cell("SELECT 7 FROM dual"), "7", "{sql}");
    }
}

#[test]
fn a_long_query_gives_its_rows() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let sql = "SELECT COUNT(*), MAX(n), COUNT(DISTINCT name)
                 FROM (SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 60000), app.t";
    let progress = ann.start(sql);
    assert!(matches!(progress, Progress::Waiting));
    // It sees what was there when it began.
    let mut bob = Client::new(&database, "BOB", 1);
    bob.run("INSERT INTO app.t VALUES (3, 'three')").expect("he may");
    bob.run("COMMIT").expect("it is his");
    match finish(&mut ann, progress) {
        Ok(Outcome::Query { cells, .. }) => {
            let shown: Vec<String> = cells.iter().map(crate::support::shown).collect();
            assert_eq!(shown, ["120000", "60000", "2"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ann.cell("SELECT COUNT(*) FROM app.t"), "3");
}

#[test]
fn a_long_update_begins_anew_when_its_rows_have_moved() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let sql = "UPDATE app.t SET name = name || 'a'
                WHERE (SELECT COUNT(*) FROM dual CONNECT BY LEVEL <= 150000) = 150000";
    let progress = ann.start(sql);
    assert!(matches!(progress, Progress::Waiting));
    let mut bob = Client::new(&database, "BOB", 1);
    bob.run("UPDATE app.t SET name = 'new' WHERE id = 1").expect("he may");
    bob.run("INSERT INTO app.t VALUES (3, 'three')").expect("he may");
    bob.run("COMMIT").expect("it is his");
    assert!(matches!(finish(&mut ann, progress), Ok(Outcome::Dml { count: 3, .. })));
    assert_eq!(ann.cells("SELECT name FROM app.t ORDER BY id"), ["newa", "twoa", "threea"]);
}

#[test]
fn a_long_block_ends_and_sees_the_time_go_on() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let sql = "DECLARE d DATE := SYSDATE; n NUMBER := 0;
               BEGIN WHILE SYSDATE < d + 5 / 86400 LOOP n := n + 1; END LOOP; END;";
    let mut progress = ann.start(sql);
    while matches!(progress, Progress::Waiting) {
        database.advance(SECOND / 100);
        std::thread::yield_now();
        progress = ann.talk.resume();
    }
    assert!(matches!(progress, Progress::Done(Ok(Outcome::Plsql { .. }))), "{progress:?}");
}

#[test]
fn what_holds_too_much_fails() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let many = "(SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 3000)";
    let progress = ann.start(&format!("SELECT a.n, b.n FROM {many} a, {many} b ORDER BY 1"));
    assert_eq!(finish(&mut ann, progress).map(drop), Err(4030));
    let progress = ann.start("SELECT LEVEL FROM dual CONNECT BY LEVEL <= 100000000");
    let failed = finish(&mut ann, progress).map(drop);
    assert!(matches!(failed, Err(4030 | 30009)), "{failed:?}");
    assert_eq!(ann.cell("SELECT 1 FROM dual"), "1");
}

/// How each order ends the call, and the next one.
#[test]
fn whatever_ends_a_session_ends_its_long_statement() {
    for (order, wait, dba_code, ended, next) in [
        ("KILL SESSION '{}'", 1, 0, 28, 1012),
        ("KILL SESSION '{}' IMMEDIATE", 1, 31, 28, 1012),
        ("DISCONNECT SESSION '{}' POST_TRANSACTION", 1, 0, 28, 1012),
        ("DISCONNECT SESSION '{}' IMMEDIATE", 1, 0, 3113, 1012),
        ("CANCEL SQL '{}'", 2, 0, 1013, 0),
    ] {
        for sql in ENDLESS {
            let database = shop();
            let mut ann = started(&database, sql);
            let mut dba = Client::new(&database, "SYSTEM", 1);
            let target = ann.target().replace(",@1", "");
            let progress = dba.start(&format!("ALTER SYSTEM {}", order.replace("{}", &target)));
            database.advance(wait * SECOND);
            let progress =
                if matches!(progress, Progress::Waiting) { dba.talk.resume() } else { progress };
            assert_eq!(code(&progress), dba_code, "{order}: {sql}");
            let progress = ann.talk.resume();
            assert_eq!(finish(&mut ann, progress).map(drop), Err(ended), "{order}: {sql}");
            assert_eq!(ann.code("SELECT 1 FROM dual"), next, "{order}: {sql}");
        }
    }
}

#[test]
fn a_handler_of_everything_swallows_a_cancel_but_no_kill() {
    let sql = "BEGIN LOOP BEGIN LOOP NULL; END LOOP; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END;";
    let database = shop();
    let mut ann = started(&database, sql);
    let mut dba = Client::new(&database, "SYSTEM", 2);
    assert_eq!(dba.code(&format!("ALTER SYSTEM CANCEL SQL '{}'", ann.target())), 0);
    database.advance(2 * SECOND);
    for _ in 0..20 {
        assert!(matches!(ann.talk.resume(), Progress::Waiting));
        std::thread::yield_now();
    }
    assert_eq!(dba.code(&format!("ALTER SYSTEM KILL SESSION '{}' IMMEDIATE", ann.target())), 31);
    database.advance(SECOND);
    assert_eq!(code(&ann.talk.resume()), 28);
}

#[test]
fn many_rows_of_binds_let_others_in_between() {
    let database = shop();
    let mut bob = Client::new(&database, "BOB", 1);
    let number = rac_sim::conversation::Bind { column_type: rac_sim::value::ColumnType::Number };
    let statement = rac_sim::conversation::Statement {
        sql: "INSERT INTO app.t VALUES (:1, 'many')".to_owned(),
        binds: vec![number],
        rows: (10..2_510).map(|id| vec![rac_sim::value::Value::integer(id)]).collect(),
        autocommit: true,
        ..Default::default()
    };
    let progress = bob.talk.execute(&statement);
    assert!(matches!(progress, Progress::Waiting));
    let mut ann = Client::new(&database, "ANN", 1);
    assert_eq!(ann.cell("SELECT COUNT(*) FROM app.t"), "2");
    assert!(matches!(finish(&mut bob, progress), Ok(Outcome::Dml { count: 2_500, .. })));
    assert_eq!(ann.cell("SELECT COUNT(*) FROM app.t"), "2502");
}
