//! Application contexts: what a client sets of its session, at log-on or later, is what its statements see.

use rac_sim::conversation::{Database as _, Identity};

use crate::support::{Client, shop};

#[test]
fn a_context_of_the_log_on_is_there() {
    let database = shop();
    let identity = Identity {
        user: "ANN".to_owned(),
        service: "SHOP1".to_owned(),
        contexts: vec![["CLIENTCONTEXT", "Purpose", "Night run"].map(str::to_owned)],
        ..Identity::default()
    };
    let talk = database.log_on(1, identity).expect("she can log in");
    let mut ann = Client::of(talk, &database, 1);
    let seen = "SELECT SYS_CONTEXT('clientcontext', 'PURPOSE') FROM dual";
    assert_eq!(ann.cell(seen), "Night run");
    ann.run("BEGIN DBMS_SESSION.SET_CONTEXT('CLIENTCONTEXT', 'purpose', 'x'); END;").expect("hers");
    assert_eq!(ann.cell(seen), "x");
    ann.run("BEGIN DBMS_SESSION.CLEAR_CONTEXT('CLIENTCONTEXT', NULL, 'purpose'); END;")
        .expect("hers");
    assert_eq!(ann.cell(seen), "");
    assert_eq!(ann.code("BEGIN DBMS_SESSION.SET_CONTEXT('PAYROLL', 'a', 'b'); END;"), 1031);
    assert_eq!(Client::new(&database, "ANN", 1).cell(seen), "");
}

#[test]
fn there_is_one_edition() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    for name in ["CURRENT_EDITION_NAME", "SESSION_EDITION_NAME"] {
        assert_eq!(
            ann.cell(&format!("SELECT SYS_CONTEXT('USERENV', '{name}') FROM dual")),
            "ORA$BASE"
        );
    }
    assert_eq!(ann.code("SELECT SYS_CONTEXT('USERENV', 'NO_SUCH_NAME') FROM dual"), 2003);
}

#[test]
fn the_language_is_the_sessions_own() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let seen = "SELECT SYS_CONTEXT('USERENV', 'LANGUAGE') || ' ' || SYS_CONTEXT('USERENV', 'NLS_SORT') FROM dual";
    assert_eq!(ann.cell(seen), "AMERICAN_AMERICA.AL32UTF8 BINARY");
    ann.run("ALTER SESSION SET NLS_TERRITORY = 'GERMANY'").expect("she may");
    assert_eq!(ann.cell(seen), "AMERICAN_GERMANY.AL32UTF8 BINARY");
}
