//! What `grants` prints is what it takes: accounts with exactly these grants, and the procedure as it is printed, on a
//! simulated database.

use std::process::Command;
use std::time::Duration;

use orawarden::oracle::connection::{Account, Connection};
use orawarden::oracle::datum::{Bind, Datum};
use orawarden::oracle::protocol::DriverKind;
use rac_sim::conversation::{Progress, Statement};
use serde_json::{Value, json};

use crate::rig::{Rig, json_lines, with_both_drivers};

with_both_drivers!(
    these_grants_are_enough_and_none_is_a_missing_privilege,
    the_wrapper_ends_sessions_for_an_account_without_alter_system,
    the_wrapper_refuses_whom_it_must_whatever_it_is_told,
    managed_databases_are_ended_on_their_own_way,
    a_doctor_misses_nothing_and_notices_each_grant_that_is_missing
);

const WRAPPER: [&str; 4] = ["grants", "--root", "--wrapper", "KEEPER.END_SESSION"];

/// What is printed.
fn printed(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orawarden"));
    let output = command.args(words).args(["--account", "WARDEN"]).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// What is granted to an account.
fn granted(script: &str, account: &str) -> Vec<String> {
    let statements = script.lines().filter_map(|line| line.strip_prefix("GRANT "));
    let split = statements.filter_map(|it| it.trim_end_matches(';').split_once(" TO "));
    split.filter(|(_, to)| *to == account).map(|(what, _)| what.to_ascii_uppercase()).collect()
}

/// A database with these accounts, and the procedure if it is printed.
fn scenario(script: &str) -> String {
    let mut database = json!({
        "like": "oltp",
        "accounts": [{"name": "WARDEN", "password": "orawarden", "grants": granted(script, "WARDEN"),
            "container_data_all": script.contains("CONTAINER_DATA=ALL")}],
    });
    if let Some((_, rest)) = script.split_once("CREATE OR REPLACE PROCEDURE ") {
        let (head, rest) = rest.split_once(" AUTHID DEFINER AS\n").expect("it has rights");
        let (_, parameters) =
            head.trim_end_matches(')').split_once(" (").expect("it has parameters");
        let parameters: Vec<String> =
            parameters.split(", ").map(|it| it.to_ascii_uppercase().replace(" IN ", " ")).collect();
        let (body, _) = rest.split_once("\n/\n").expect("it ends");
        let mut body = format!("DECLARE\n{body}");
        for parameter in &parameters {
            let name = parameter.split(' ').next().expect("it has a name");
            body = body.replace(&name.to_ascii_lowercase(), &format!(":{name}"));
        }
        let owner = json!({"name": "KEEPER", "grants": granted(script, "KEEPER")});
        database["accounts"].as_array_mut().expect("it is a list").push(owner);
        database["procedures"] = json!([
            {"owner": "KEEPER", "name": "END_SESSION", "parameters": parameters, "body": body}
        ]);
    }
    json!({"seed": 3, "speed": 1, "databases": [database]}).to_string()
}

/// A user's idle session on the instance of that number.
fn idle(rig: &Rig, inst_id: u32) -> String {
    let condition = format!(
        "{{idle_for: '> 2m', session_age: '> 5m', in_transaction: false, type: USER, server: DEDICATED, \
          inst_id: {inst_id}, username: {{not: [WARDEN, {{like: 'SYS%'}}, {{like: 'DBSNMP'}}]}}}}"
    );
    let rows = rig.lines(&["sessions", "--match", &condition]);
    format!("{},{},@{inst_id}", rows[0]["sid"], rows[0]["serial"])
}

/// The exit code, and what is said, of an end.
fn kill(rig: &Rig, target: &str) -> (Option<i32>, String) {
    let words = ["kill", target, "--reason", "test", "--yes", "--despite-holds"];
    let (code, out, err) = rig.types(&words);
    (code, out + &err)
}

fn these_grants_are_enough_and_none_is_a_missing_privilege(driver: DriverKind) {
    let script = printed(&["grants", "--root"]);
    let per_instance = printed(&["grants", "--root", "--per-instance"]);
    assert!(per_instance.contains("v_$active_instances") && !per_instance.contains("gv_$process"));
    for (script, keys) in [
        (&script, "{leadership: true}"),
        (&per_instance, "{leadership: true, topology: per-instance}"),
    ] {
        let rig = Rig::with(driver, &scenario(script));
        rig.configure("WARDEN", keys);
        assert_eq!(rig.types(&["resume"]).0, Some(0));
        let (code, out, err) = rig.types(&["plan"]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "nothing is missing: {out}");
        for inst_id in [1, 2] {
            let (code, said) = kill(&rig, &idle(&rig, inst_id));
            assert!(code == Some(0) && said.contains("ended"), "{said}");
        }
    }
    let fewer = script.replace("GRANT ALTER SYSTEM", "-- GRANT ALTER SYSTEM");
    let rig = Rig::with(driver, &scenario(&fewer));
    rig.configure("WARDEN", "{}");
    let (code, said) = kill(&rig, &idle(&rig, 1));
    assert!(code == Some(77) && said.contains("refused (privilege)"), "{said}");
}

fn the_wrapper_ends_sessions_for_an_account_without_alter_system(driver: DriverKind) {
    let script = printed(&WRAPPER);
    assert!(!granted(&script, "WARDEN").contains(&"ALTER SYSTEM".to_owned()));
    let rig = Rig::with(driver, &scenario(&script));
    rig.configure("WARDEN", "{kill_via: {wrapper: KEEPER.END_SESSION}}");
    for inst_id in [1, 2] {
        let (code, said) = kill(&rig, &idle(&rig, inst_id));
        assert!(code == Some(0) && said.contains("ended"), "{said}");
    }
    rig.configure("WARDEN", "{}");
    assert_eq!(kill(&rig, &idle(&rig, 1)).0, Some(77), "only through the procedure");
}

/// Ten seconds apart.
const SLAVE_LOOKS_MAX: usize = 360;

/// Asks the procedure itself: the code that it answers.
fn ask(connection: &mut Connection, row: &Value, logon: &str, verb: &str) -> i64 {
    let number = |name: &str| Bind::In(Datum::Number(row[name].as_i64().expect("it is a number")));
    let text = |text: &str| Bind::In(Datum::Text(text.to_owned()));
    let binds = vec![
        number("inst_id"),
        number("sid"),
        number("serial"),
        text(logon),
        text(verb),
        Bind::In(Datum::Null),
        text("test"),
        Bind::OutNumber,
        Bind::OutText(400),
    ];
    let block = "BEGIN keeper.end_session(:a, :b, :c, :d, :e, :f, :g, :h, :i); END;";
    let answer = connection.call(block, binds, Duration::from_mins(1)).expect("it answers");
    answer[0].as_number().expect("it is a code")
}

/// LOGON_TIME as the procedure is told it: the model's zone is UTC.
fn logon(row: &Value) -> String {
    let text = row["logon_time"].as_str().expect("it has one");
    text.chars().filter(char::is_ascii_digit).take(14).collect()
}

fn the_wrapper_refuses_whom_it_must_whatever_it_is_told(driver: DriverKind) {
    let rig = Rig::with(driver, &scenario(&printed(&WRAPPER)));
    rig.configure("WARDEN", "{}");
    let mut settings = (*rig.settings("RACDB")).clone();
    settings.username = Some("WARDEN".to_owned());
    let mut connection = Connection::new(settings.into(), Account::default());
    let here = connection.reach().expect("it logs in").key.inst_id;
    let one = |condition: &str| rig.lines(&["sessions", "--match", condition]).swap_remove(0);
    for protected in
        ["{type: BACKGROUND}", "{username: {like: 'SYS%'}, type: USER}", "{username: DBSNMP}"]
    {
        let row = one(protected);
        assert_eq!(ask(&mut connection, &row, &logon(&row), "kill immediate"), -20_901, "{row}");
    }
    let parts = idle(&rig, 3 - here);
    let condition =
        format!("{{sid: {}, inst_id: {}}}", parts.split(',').next().unwrap_or(""), 3 - here);
    let row = one(&condition);
    assert_eq!(
        ask(&mut connection, &row, "20000101000000", "kill immediate"),
        -20_902,
        "another life"
    );
    assert_eq!(
        ask(&mut connection, &row, &logon(&row), "disconnect immediate"),
        -26,
        "it is not here"
    );
    assert_eq!(ask(&mut connection, &row, &logon(&row), "drop table"), -26);
    assert_eq!(ask(&mut connection, &row, &logon(&row), "kill immediate"), 0);
}

#[test]
fn the_wrapper_refuses_a_slave_of_a_parallel_statement() {
    let scenario = scenario(&printed(&WRAPPER)).replace(r#""like":"oltp""#, r#""like":"batch""#);
    let rig = Rig::start(&scenario);
    rig.configure("WARDEN", "{}");
    let mut settings = (*rig.settings("RACDB")).clone();
    settings.username = Some("WARDEN".to_owned());
    let mut connection = Connection::new(settings.into(), Account::default());
    connection.reach().expect("it logs in");
    // A statement of the batch runs in parallel sooner or later.
    let slave = (0..SLAVE_LOOKS_MAX).find_map(|_| {
        rig.database().advance(10_000_000);
        let rows = rig.lines(&["sessions", "--match", "{program: {like: '%(P0%)'}, type: USER}"]);
        rows.into_iter().next()
    });
    let slave = slave.expect("nothing ran in parallel");
    assert_eq!(ask(&mut connection, &slave, &logon(&slave), "kill immediate"), -20_901, "{slave}");
    // One that has gone meanwhile would have answered otherwise.
    let still = format!("{{sid: {}, serial: {}}}", slave["sid"], slave["serial"]);
    assert!(!rig.lines(&["sessions", "--match", &still]).is_empty());
}

/// The procedure's own answer where no driver of ours reaches: the thin one begins with 12.1.
const ASKS: &str = "DECLARE
  v_sid NUMBER;
  v_serial NUMBER;
  v_logon VARCHAR2(14);
  v_code NUMBER;
  v_text VARCHAR2(400);
BEGIN
  SELECT MAX(sid), MAX(serial#) KEEP (DENSE_RANK LAST ORDER BY sid),
         MAX(TO_CHAR(logon_time, 'YYYYMMDDHH24MISS')) KEEP (DENSE_RANK LAST ORDER BY sid)
    INTO v_sid, v_serial, v_logon FROM v$session WHERE username = '@WHO@' AND type = 'USER';
  keeper.end_session(1, v_sid, v_serial, v_logon, 'kill immediate', NULL, 'test', v_code, v_text);
  IF v_code <> @CODE@ THEN
    RAISE_APPLICATION_ERROR(-20000, TO_CHAR(v_code) || ' ' || v_text);
  END IF;
END;";

#[test]
fn the_wrapper_of_11_2_compiles_and_knows_whom_oracle_maintains_by_name() {
    let script = printed(&["grants", "--wrapper", "KEEPER.END_SESSION", "--release", "11.2"]);
    let mut scenario: Value = serde_json::from_str(&scenario(&script)).expect("it is JSON");
    let database = scenario["databases"][0].as_object_mut().expect("it is a map");
    let exfsys = json!({"name": "EXFSYS", "password": "exfsys"});
    database["accounts"].as_array_mut().expect("it is a list").push(exfsys);
    database.remove("like");
    let instances = json!([{"name": "RACDB1", "host": "a"}]);
    database.insert(
        "model".to_owned(),
        json!({"name": "RACDB", "release": "11.2", "instances": instances}),
    );
    let rig = Rig::start(&scenario.to_string());
    let database = rig.database();
    let app = database.connect("app", "RACDB").expect("it can log in");
    let exfsys = database.connect("exfsys", "RACDB").expect("it can log in");
    let mut system = database.connect("system", "RACDB").expect("it can log in");
    let mut asks = |who: &str, code: &str| {
        let sql = ASKS.replace("@WHO@", who).replace("@CODE@", code);
        match system.execute(&Statement { sql, ..Statement::default() }) {
            Progress::Done(answer) => answer.map(drop),
            Progress::Waiting => panic!("it waits"),
        }
    };
    assert_eq!(asks("EXFSYS", "-20901"), Ok(()));
    assert_eq!((app.death(), exfsys.death()), (None, None));
    assert_eq!(asks("APP", "0"), Ok(()));
    assert!(app.death().is_some());
}

fn managed_databases_are_ended_on_their_own_way(driver: DriverKind) {
    for (managed, via, action, expected) in [
        ("rds", "rds", "kill", 0),
        ("rds", "alter-system", "kill", 77),
        ("autonomous", "autonomous", "kill", 0),
        ("autonomous", "autonomous", "disconnect immediate", 1),
    ] {
        let scenario =
            format!("{{seed: 3, speed: 1, databases: [{{like: oltp, managed: {managed}}}]}}");
        let rig = Rig::with(driver, &scenario);
        // These ways end sessions of one instance only.
        let connect = rig.connect("RACDB1");
        rig.configure("orawarden", &format!("{{kill_via: {via}, connect: '{connect}'}}"));
        let target = idle(&rig, 1);
        let words =
            ["kill", &target, "--action", action, "--reason", "test", "--yes", "--despite-holds"];
        let (code, out, err) = rig.types(&words);
        assert_eq!(code, Some(expected), "{managed} {via} {action}: {out}{err}");
    }
}

/// What `doctor` finds wrong: the subject, and the advice.
fn wrong(rig: &Rig) -> (Option<i32>, Vec<(String, String)>) {
    let (code, out, err) = rig.types(&["doctor", "--format", "json"]);
    assert_eq!(err, "", "{out}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = json_lines(&out);
    assert!(
        lines.iter().any(|it| it["subject"] == "instance 2 RACDB2" && it["grade"] == "ok"),
        "{out}"
    );
    // The model's own time is another, and it does not show the limits of profiles.
    let known = |it: &&Value| {
        it["grade"] != "ok" && it["subject"] != "clock" && it["subject"] != "own profile"
    };
    let wrong = lines.iter().filter(known).map(|it| (text(&it["subject"]), text(&it["advice"])));
    (code, wrong.collect())
}

fn a_doctor_misses_nothing_and_notices_each_grant_that_is_missing(driver: DriverKind) {
    for words in [&["grants", "--root"][..], &WRAPPER] {
        let script = printed(words);
        let start = |script: &str| {
            let rig = Rig::with(driver, &scenario(script));
            let via = words.len() > 2;
            let via = if via { "{wrapper: KEEPER.END_SESSION}" } else { "alter-system" };
            rig.configure("WARDEN", &format!("{{leadership: true, kill_via: {via}}}"));
            rig
        };
        let all = start(&script);
        assert_eq!(wrong(&all), (Some(0), Vec::new()));
        drop(all);
        let needed = [
            ("ALTER SYSTEM", 1),
            ("EXECUTE ON KEEPER.END_SESSION", 1),
            ("EXECUTE ON sys.dbms_lock", 1),
            ("SELECT ON sys.gv_$transaction", 0),
            ("SELECT ON sys.cdb_users", 0),
        ];
        for (privilege, expected) in needed {
            let statement = format!("GRANT {privilege} TO WARDEN;");
            if !script.contains(&statement) {
                continue;
            }
            let rig = start(&script.replace(&statement, ""));
            let (code, wrong) = wrong(&rig);
            assert_eq!(code, Some(expected), "{privilege}: {wrong:?}");
            assert!(wrong.iter().any(|(_, advice)| *advice == statement), "{privilege}: {wrong:?}");
        }
    }
}
