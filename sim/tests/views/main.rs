//! The views as a client sees them: every one of the list on every release, with the columns of that release.

mod agreement;
mod cases;

use rac_sim::conversation::{Outcome, Progress, Statement};
use rac_sim::database::SimDatabase;
use rac_sim::scenario::Scenario;

const RELEASES: [&str; 5] = ["11.2", "12.1", "12.2", "19c", "23ai"];

/// V$ views that have a GV$ form as well.
const VIEWS: [&str; 30] = [
    "SESSION",
    "PROCESS",
    "INSTANCE",
    "DATABASE",
    "TRANSACTION",
    "LOCK",
    "PX_SESSION",
    "PX_PROCESS",
    "SQL",
    "SESSTAT",
    "STATNAME",
    "TEMPSEG_USAGE",
    "RESOURCE_LIMIT",
    "SESSION_BLOCKERS",
    "DEAD_CLEANUP",
    "PARAMETER",
    "VERSION",
    "SESSION_WAIT",
    "BGPROCESS",
    "SQLCOMMAND",
    "SERVICES",
    "ACTIVE_SERVICES",
    "LICENSE",
    "SESSION_CONNECT_INFO",
    "SESSION_LONGOPS",
    "LOCKED_OBJECT",
    "GOLDENGATE_CAPTURE",
    "XSTREAM_CAPTURE",
    "STREAMS_APPLY_SERVER",
    "GLOBAL_TRANSACTION",
];

const TABLES: [&str; 21] = [
    "DBA_USERS",
    "ALL_USERS",
    "USER_USERS",
    "DBA_SCHEDULER_RUNNING_JOBS",
    "DBA_DATAPUMP_SESSIONS",
    "SESSION_PRIVS",
    "SESSION_ROLES",
    "USER_ROLE_PRIVS",
    "USER_SYS_PRIVS",
    "DUAL",
    "ALL_TAB_COLUMNS",
    "DBA_TAB_COLUMNS",
    "ALL_OBJECTS",
    "DBA_OBJECTS",
    "NLS_SESSION_PARAMETERS",
    "NLS_DATABASE_PARAMETERS",
    "PRODUCT_COMPONENT_VERSION",
    "GLOBAL_NAME",
    "DBA_LOCK",
    "DBA_BLOCKERS",
    "DBA_WAITERS",
];

fn database(release: &str) -> SimDatabase {
    let text = format!(
        "databases: [{{model: {{name: V, release: {release}, instances: [{{}}, {{}}],
            workloads: [{{name: pool, sessions: 30}}, {{name: px, kind: parallel, degree: 4}},
                        {{name: jobs, kind: job, sessions: 3}}]}}}}]"
    );
    let scenario = Scenario::parse(&text).expect("it is read");
    let database = scenario.build().expect("it is sound").remove(0);
    database.advance(90_000_000);
    database
}

/// Column names and the number of rows, or the error's number.
fn select(database: &SimDatabase, sql: &str) -> Result<(Vec<String>, usize), u32> {
    let mut client = database.connect("system", "V1").expect("it logs in");
    let mut progress = client.execute(&Statement { sql: sql.to_owned(), ..Statement::default() });
    while matches!(progress, Progress::Waiting) {
        database.advance(100_000);
        progress = client.resume();
    }
    match progress {
        Progress::Done(Ok(Outcome::Query { columns, cells })) => {
            let rows = cells.len() / columns.len();
            Ok((columns.into_iter().map(|column| column.name).collect(), rows))
        }
        Progress::Done(Err(error)) => Err(error.code),
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn every_view_answers_select_star() {
    for release in RELEASES {
        let database = database(release);
        for view in VIEWS {
            for form in ["v$", "gv$", "sys.v_$", "sys.gv_$"] {
                let sql = format!("SELECT * FROM {form}{view}");
                assert!(select(&database, &sql).is_ok(), "{release} {sql}");
            }
        }
        for table in TABLES {
            let sql = format!("SELECT * FROM {table}");
            assert!(select(&database, &sql).is_ok(), "{release} {sql}");
        }
        let cdb = select(&database, "SELECT * FROM cdb_users");
        assert_eq!(cdb.is_ok(), release != "11.2", "{release}");
        assert_eq!(
            select(&database, "SELECT * FROM v$pdbs").is_ok(),
            release != "11.2",
            "{release}"
        );
    }
}

#[test]
fn a_release_has_its_columns_and_no_others() {
    for (release, count, last) in [
        ("11.2", 98, "ECID"),
        ("12.1", 102, "EXTERNAL_NAME"),
        ("12.2", 104, "PLSQL_DEBUGGER_CONNECTED"),
        ("19c", 104, "PLSQL_DEBUGGER_CONNECTED"),
        ("23ai", 107, "DRAIN_ORIGIN"),
    ] {
        let database = database(release);
        let (columns, rows) =
            select(&database, "SELECT * FROM gv$session").expect("it is readable");
        assert_eq!(
            (columns.len(), columns.last().map(String::as_str)),
            (count, Some(last)),
            "{release}"
        );
        assert_eq!(columns[0], "INST_ID");
        assert!(rows > 30);
        let con_id = select(&database, "SELECT con_id FROM v$session").map(|_| ());
        assert_eq!(con_id, if release == "11.2" { Err(904) } else { Ok(()) }, "{release}");
        let listed = "SELECT column_name FROM all_tab_columns WHERE table_name = 'V_$SESSION' AND owner = 'SYS'";
        assert_eq!(select(&database, listed).map(|(_, rows)| rows), Ok(count - 1), "{release}");
    }
}

#[test]
fn processes_name_what_must_not_be_ended() {
    let database = database("19c");
    let rows = |sql: &str| select(&database, sql).expect("it runs").1;
    assert!(rows("SELECT 1 FROM v$process WHERE background = '1' AND pname = 'PMON'") == 1);
    let join = "SELECT s.sid FROM gv$session s JOIN gv$process p ON p.inst_id = s.inst_id AND p.addr = s.paddr
                 WHERE s.type = 'BACKGROUND' AND p.pname IS NOT NULL";
    assert_eq!(rows(join), rows("SELECT sid FROM gv$session WHERE type = 'BACKGROUND'"));
    let own = "SELECT sid FROM gv$px_process WHERE is_gv = 'TRUE'";
    assert!(rows(own) >= 2, "a query over GV$ shows its own slaves");
}
