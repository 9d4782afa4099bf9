//! What ALTER SESSION SET changes for the session that says it.

use crate::support::{Client, shop};

#[test]
fn nls_parameters_have_their_effect() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let day = "SELECT TO_CHAR(DATE '2026-03-05', 'FMDay, DD Month YYYY') FROM dual";
    assert_eq!(ann.cell(day), "Thursday, 5 March 2026");
    ann.run("ALTER SESSION SET NLS_LANGUAGE = GERMAN NLS_TERRITORY = GERMANY").expect("it exists");
    for (sql, shown) in [
        (day, "Donnerstag, 5 März 2026"),
        ("SELECT TO_CHAR(1234.5) FROM dual", "1234,5"),
        ("SELECT TO_CHAR(1234.5, 'FM9G999D00') FROM dual", "1.234,50"),
        ("SELECT TO_CHAR(1234.5, 'FM9,999.00') FROM dual", "1,234.50"),
        ("SELECT TO_CHAR(TO_NUMBER('1.234,5', '9G999D9') + 1) FROM dual", "1235,5"),
        ("SELECT TO_CHAR(TO_NUMBER('0,5') * 2) FROM dual", "1"),
        ("SELECT 'x' || DATE '2026-03-05' FROM dual", "x05.03.26"),
        ("SELECT TO_CHAR(TO_DATE('05-MRZ-26', 'DD-MON-RR'), 'MM') FROM dual", "03"),
        (
            "SELECT value FROM nls_session_parameters WHERE parameter = 'NLS_DATE_FORMAT'",
            "DD.MM.RR",
        ),
        (
            "SELECT TO_CHAR(DATE '2026-03-05', 'FMMonth', 'NLS_DATE_LANGUAGE=French') FROM dual",
            "Mars",
        ),
    ] {
        assert_eq!(ann.cell(sql), shown, "{sql}");
    }
    for (setting, code) in [
        ("NLS_LANGUAGE = KLINGON", 12_705),
        ("NLS_TERRITORY = ATLANTIS", 12_705),
        ("NLS_SORT = BINARY_CI", 3001),
        ("NLS_DATE_FORMAT = 'bla'", 1821),
        ("NLS_NONSENSE = 1", 2248),
        ("\"_no_such_parameter\" = 1", 2248),
        ("TIME_ZONE = 'Mars/Olympus'", 1882),
        ("TIME_ZONE = '+99:00'", 1874),
    ] {
        assert_eq!(ann.code(&format!("ALTER SESSION SET {setting}")), code, "{setting}");
    }
}

#[test]
fn a_region_has_its_summer_time() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    ann.run("ALTER SESSION SET TIME_ZONE = 'Europe/Berlin'").expect("there is one");
    assert_eq!(ann.cell("SELECT SESSIONTIMEZONE FROM dual"), "Europe/Berlin");
    let hour = "SELECT TO_CHAR(FROM_TZ(TIMESTAMP '2026-07-01 12:00:00', 'Europe/Berlin')
                               AT TIME ZONE 'UTC', 'HH24') FROM dual";
    assert_eq!(ann.cell(hour), "10");
    let hour =
        "SELECT TO_CHAR(TIMESTAMP '2026-01-01 12:00:00 +00:00' AT TIME ZONE 'America/New_York',
                               'HH24:MI TZH:TZM') FROM dual";
    assert_eq!(ann.cell(hour), "07:00 -05:00");
}

#[test]
fn parallel_statements_are_enabled_for_a_session_or_refused() {
    let database = shop();
    let (mut ann, mut dba) =
        (Client::new(&database, "ANN", 1), Client::new(&database, "SYSTEM", 1));
    let sql = "SELECT pdml_status, pddl_status, pq_status FROM v$session WHERE username = 'ANN'";
    assert_eq!(dba.cells(sql), ["DISABLED", "ENABLED", "ENABLED"]);
    for (words, code) in [
        ("ENABLE PARALLEL DML", 0),
        ("DISABLE PARALLEL DDL", 0),
        ("FORCE PARALLEL QUERY PARALLEL 4", 0),
        ("ENABLE PARALLEL UNIVERSE", 2248),
        ("CLOSE DATABASE LINK far", 2081),
        ("CLOSE EVERYTHING", 2248),
    ] {
        assert_eq!(ann.code(&format!("ALTER SESSION {words}")), code, "{words}");
    }
    assert_eq!(dba.cells(sql), ["ENABLED", "DISABLED", "FORCED"]);
    assert_eq!(ann.code("UPDATE app.t SET name = 'x'"), 0);
    assert_eq!(ann.code("ALTER SESSION DISABLE PARALLEL DML"), 12841);
}
