//! Small things that scripts ask for, and calls that carry no statement.

use rac_sim::cluster::SECOND;
use rac_sim::cluster::fault::Fault;
use rac_sim::conversation::{Outcome, Progress};
use rac_sim::value::Value;

use crate::support::{Client, database, shown};

fn one(release: &str) -> Client {
    let database = database(&format!(
        "databases:\n  - like: quiet\n    name: SHOP\n    release: {release}\n    accounts:
      - {{name: ANN, password: ann, grants: [CREATE SESSION, SELECT_CATALOG_ROLE]}}\n"
    ));
    Client::new(&database, "ANN", 1)
}

#[test]
fn the_time_of_dbms_utility_fits_its_32_bits() {
    let mut ann = one("19c");
    let sql = "DECLARE a PLS_INTEGER := dbms_utility.get_time; BEGIN :1 := a; END;";
    let before: i64 =
        shown(&ann.block(sql, &[Value::Null]).expect("it fits")[0]).parse().expect("a number");
    ann.run("BEGIN dbms_session.sleep(2); END;").expect("it slept");
    let after: i64 =
        shown(&ann.block(sql, &[Value::Null]).expect("it fits")[0]).parse().expect("a number");
    assert!((200..=400).contains(&(after - before).rem_euclid(1 << 32)), "{before} {after}");
}

#[test]
fn a_role_is_enabled_if_it_was_granted() {
    let mut ann = one("19c");
    let sql = "BEGIN IF dbms_session.is_role_enabled('select_catalog_role') THEN :1 := 1; END IF;
        IF dbms_session.is_role_enabled('DBA') THEN :1 := 0; ELSE :1 := :1 + 2; END IF; END;";
    assert_eq!(ann.block(sql, &[Value::integer(0)]), Ok(vec![Value::integer(3)]));
}

#[test]
fn the_banner_of_a_connection_names_the_release() {
    for (release, version) in
        [("12.1", "12.1.0.2.0"), ("19c", "19.0.0.0.0"), ("11.2", "11.2.0.4.0")]
    {
        let sql = "SELECT DISTINCT network_service_banner FROM v$session_connect_info
            WHERE network_service_banner LIKE 'TCP%'";
        let banner =
            format!("TCP/IP NT Protocol Adapter for Linux: Version {version} - Production");
        assert_eq!(one(release).cells(sql), [banner]);
    }
}

#[test]
fn a_statement_was_parsed_by_who_ran_it_first() {
    let mut ann = one("19c");
    let sql = "SELECT parsing_schema_name FROM v$sql WHERE sql_text LIKE 'SELECT parsing_schema_name FROM v$sql%'";
    assert_eq!(ann.cells(sql), ["ANN"]);
}

#[test]
fn a_ping_waits_for_an_instance_that_hangs() {
    let database = database("databases: [{name: SHOP}]");
    let mut app = Client::new(&database, "APP", 1);
    let hang = || database.lock().cluster.inject(&Fault::Hang { instance: 1, seconds: 15 });
    assert!(matches!(app.talk.knock(), Progress::Done(Ok(Outcome::Done))));
    hang();
    let progress = app.talk.knock();
    assert!(matches!(progress, Progress::Waiting));
    let begun = database.lock().cluster.now();
    assert_eq!(app.finish(progress), Ok(Outcome::Done));
    assert!((14 * SECOND..=17 * SECOND).contains(&(database.lock().cluster.now() - begun)));
    // One that is broken off is over.
    hang();
    assert!(matches!(app.talk.knock(), Progress::Waiting));
    app.talk.cancel();
    assert!(matches!(app.talk.resume(), Progress::Done(Err(error)) if error.code == 1_013));
}

#[test]
fn an_error_of_a_fault_has_oracles_text_or_says_that_there_is_none() {
    let database = database("databases: [{name: SHOP}]");
    let mut app = Client::new(&database, "APP", 1);
    for (code, text) in [
        (12_520, "TNS:listener could not find available handler for requested type of server"),
        (12_345, "Message 12345 not found;  product=RDBMS; facility=ORA"),
    ] {
        database.lock().cluster.inject(&Fault::Error { instance: 1, code, calls: 1 });
        let error = app.run("SELECT 1 FROM dual").expect_err("it was injected");
        assert_eq!((error.code, error.text.as_str()), (code, text));
    }
}

#[test]
fn a_transaction_has_so_many_savepoints() {
    let mut ann = one("19c");
    for letter in ["a", "b", "c", "d"] {
        let sql = format!(
            "BEGIN FOR i IN 1..250 LOOP EXECUTE IMMEDIATE 'SAVEPOINT {letter}' || i; END LOOP; END;"
        );
        assert_eq!(ann.code(&sql), 0);
    }
    assert_eq!(ann.code("SAVEPOINT one_more"), 4_030);
    assert_eq!(ann.code("SAVEPOINT d7"), 0);
    assert_eq!(ann.code("ROLLBACK"), 0);
    assert_eq!(ann.code("SAVEPOINT s0"), 0);
}

#[test]
fn a_line_of_dbms_output_may_be_put_together() {
    let mut ann = one("19c");
    let sql =
        "DECLARE l VARCHAR2(99); s NUMBER; BEGIN dbms_output.put('lost'); dbms_output.enable();
        dbms_output.put('a'); dbms_output.put('b'); dbms_output.put_line('c'); dbms_output.put('d');
        dbms_output.new_line; dbms_output.put('e');
        dbms_output.get_line(l, s); :1 := l || s; dbms_output.get_line(l, s); :1 := :1 || l || s;
        dbms_output.get_line(l, s); :1 := :1 || l || s; END;";
    assert_eq!(
        ann.block(sql, &[Value::text("x")]).map(|left| shown(&left[0])),
        Ok("abc0d01".into())
    );
    let sql = "BEGIN dbms_output.put(RPAD('x', 32767)); dbms_output.put('y'); END;";
    assert_eq!(ann.code(sql), 20_000);
}
