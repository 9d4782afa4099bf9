//! One client ends another.

use rac_sim::cluster::SECOND;
use rac_sim::conversation::{Death, Progress};

use crate::support::{Client, code, shop};

#[test]
fn a_blocker_that_is_killed_frees_its_rows() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    let mut dba = Client::new(&database, "ORAWARDEN", 2);
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    assert!(matches!(bob.start("UPDATE app.t SET name = 'b' WHERE id = 1"), Progress::Waiting));
    let kill = format!("ALTER SYSTEM KILL SESSION '{}' IMMEDIATE", ann.target());
    assert_eq!(dba.code(&kill), 0);
    database.advance(SECOND);
    assert_eq!(code(&bob.talk.resume()), 0);
    assert!(ann.talk.death().is_some());
    assert_eq!(ann.code("SELECT 1 FROM dual"), 3113);
    assert_eq!(ann.code("SELECT 1 FROM dual"), 1012);
    assert_eq!(dba.code(&kill), 30);
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "b");
}

#[test]
fn a_plain_kill_waits_for_the_clients_acknowledgement_only_in_the_view() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let mut dba = Client::new(&database, "SYSTEM", 1);
    assert_eq!(dba.code(&format!("ALTER SYSTEM KILL SESSION '{}'", ann.target())), 0);
    let sql = "SELECT status, server FROM v$session WHERE username = 'ANN'";
    assert_eq!(dba.cells(sql), ["KILLED", "PSEUDO"]);
    assert_eq!(dba.cell("SELECT state FROM v$dead_cleanup"), "RESOURCES FREED - PENDING ACK");
    assert!(matches!(ann.talk.death(), Some(Death::Error(error)) if error.code == 28));
    assert_eq!(ann.code("SELECT 1 FROM dual"), 28);
    assert_eq!(ann.code("SELECT 1 FROM dual"), 1012);
    assert!(dba.cells(sql).is_empty());
}

#[test]
fn the_killer_learns_what_became_of_it_in_a_block() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let mut dba = Client::new(&database, "SYSTEM", 2);
    let mut sleeper = Client::new(&database, "SYSTEM", 1);
    assert!(matches!(sleeper.start("BEGIN dbms_lock.sleep(600); END;"), Progress::Waiting));
    let block =
        "BEGIN EXECUTE IMMEDIATE 'ALTER SYSTEM KILL SESSION ''' || :t || ''' IMMEDIATE'; :rc := 0;
                 EXCEPTION WHEN OTHERS THEN :rc := SQLCODE; END;";
    for (target, code) in [
        (ann.target(), "0"),
        (sleeper.target(), "-31"),
        (dba.target(), "-27"),
        ("1,65535,@1".to_owned(), "-30"),
        ("nonsense".to_owned(), "-26"),
    ] {
        let values = [rac_sim::value::Value::Text(target.clone()), rac_sim::value::Value::Null];
        let out = dba.block(block, &values).expect("the block catches all");
        assert_eq!(
            format!("{:?}", out[1]),
            format!("{:?}", rac_sim::value::Value::integer(code.parse::<i64>().expect("a number"))),
            "{target}"
        );
    }
    assert_eq!(ann.code("SELECT 1 FROM dual"), 3113);
}

#[test]
fn a_cancelled_statement_leaves_its_session() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 1));
    let mut dba = Client::new(&database, "SYSTEM", 1);
    ann.run("UPDATE app.t SET name = 'a' WHERE id = 1").expect("she may");
    let waiting = bob.start("UPDATE app.t SET name = 'b' WHERE id = 1");
    let sql_id = dba.cell("SELECT sql_id FROM v$session WHERE username = 'BOB'");
    assert_eq!(sql_id.len(), 13);
    assert_eq!(dba.code(&format!("ALTER SYSTEM CANCEL SQL '{}, {sql_id}'", bob.target())), 0);
    assert_eq!(bob.finish(waiting).expect_err("it was cancelled").code, 1013);
    assert_eq!(bob.cell("SELECT name FROM app.t WHERE id = 1"), "one");
}

#[test]
fn a_session_that_disconnects_rolls_back() {
    let database = shop();
    let (mut ann, mut bob) = (Client::new(&database, "ANN", 1), Client::new(&database, "BOB", 2));
    ann.run("DELETE FROM app.t WHERE id = 1").expect("she may");
    drop(ann);
    assert_eq!(bob.cell("SELECT COUNT(*) FROM app.t"), "2");
    assert_eq!(bob.code("UPDATE app.t SET name = 'b' WHERE id = 1"), 0);
    bob.talk.log_off();
    let mut ann = Client::new(&database, "ANN", 1);
    assert_eq!(ann.cell("SELECT name FROM app.t WHERE id = 1"), "b");
}

/// What a victim does when it is ended, and how its client hears of it: at once, or with its next call.
#[test]
fn each_order_ends_each_kind_of_victim() {
    const ORDERS: [&str; 5] = [
        "KILL SESSION '{}'",
        "KILL SESSION '{}' IMMEDIATE",
        "DISCONNECT SESSION '{}' POST_TRANSACTION",
        "DISCONNECT SESSION '{}' IMMEDIATE",
        "CANCEL SQL '{}'",
    ];
    // What it does, and per order what the victim gets.
    let kinds = [
        ("BEGIN dbms_lock.sleep(3); END;", [28, 28, 28, 3113, 1013]),
        // It has changed nothing yet, so there is no transaction whose end DISCONNECT could wait for.
        ("UPDATE app.t SET name = 'x' WHERE id = 1", [28, 28, 28, 3113, 1013]),
        (
            "BEGIN LOOP BEGIN dbms_lock.sleep(3); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END;",
            [28, 28, 28, 3113, 0],
        ),
        ("half a fetch", [28, 3113, 28, 3113, 1013]),
        ("nothing", [28, 3113, 28, 3113, 1013]),
    ];
    for (sql, wanted) in kinds {
        for (order, wanted) in ORDERS.into_iter().zip(wanted) {
            let database = shop();
            let mut holder = Client::new(&database, "BOB", 1);
            holder.run("UPDATE app.t SET name = 'b' WHERE id = 1").expect("he may");
            let mut victim = Client::new(&database, "SYSTEM", 1);
            let mut dba = Client::new(&database, "SYSTEM", 1);
            match sql {
                "half a fetch" => {
                    victim.run("SELECT sid FROM v$session").expect("it may");
                    victim.talk.call(true);
                }
                "nothing" => {}
                _ => assert!(matches!(victim.start(sql), Progress::Waiting)),
            }
            let target = victim.target().replace(",@1", "");
            let ordered = dba.start(&format!("ALTER SYSTEM {}", order.replace("{}", &target)));
            for _ in 0..12 {
                database.advance(SECOND / 2);
            }
            drop(ordered);
            let progress = match sql {
                "half a fetch" | "nothing" => victim.start("SELECT 1 FROM dual"),
                _ => victim.talk.resume(),
            };
            let got = match progress {
                Progress::Waiting => 0,
                over @ Progress::Done(_) => code(&over),
            };
            assert_eq!(got, wanted, "{order}: {sql}");
        }
    }
}

#[test]
fn nobody_ends_itself_or_a_background() {
    let database = shop();
    let mut dba = Client::new(&database, "SYSTEM", 1);
    let background =
        dba.cells("SELECT sid, serial# FROM v$session WHERE type = 'BACKGROUND' AND ROWNUM = 1");
    let background = background.join(",");
    let own = dba.target().replace(",@1", "");
    for order in ["KILL SESSION", "DISCONNECT SESSION", "CANCEL SQL"] {
        let tail = if order == "CANCEL SQL" { "" } else { " IMMEDIATE" };
        for (target, wanted) in [(&own, 27), (&background, 29), (&"9,9".to_owned(), 30)] {
            assert_eq!(
                dba.code(&format!("ALTER SYSTEM {order} '{target}'{tail}")),
                wanted,
                "{order} {target}"
            );
        }
    }
}
