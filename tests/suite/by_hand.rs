//! `kill`, as people type it, on a simulated database over the wire.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use orawarden::observe::audit::FileAudit;
use orawarden::oracle::protocol::DriverKind;
use serde_json::Value;

use crate::rig::{OLTP, Rig, json_lines, with_both_drivers};

with_both_drivers!(
    a_session_is_ended_once_and_the_audit_says_by_whom,
    whom_guards_policies_and_pauses_protect_stays,
    no_audit_no_kill_and_one_beside_while_a_daemon_writes_it,
    a_statement_means_all_who_run_it_within_limits
);

/// Hundreds soon wait for one row.
const STORM: &str = "{seed: 3, speed: 1, databases: [{like: storm}]}";

/// The storm comes within minutes of the model's time, of which so many microseconds pass from look to look.
const BETWEEN_LOOKS: i64 = 30_000_000;

const LOOKS_MAX: usize = 100;

const WHY: [&str; 2] = ["--reason", "ticket 7"];

/// SID,SERIAL,@INST of the sessions that meet a condition.
fn named(rig: &Rig, condition: &str) -> Vec<String> {
    rig.lines(&["sessions", "--match", condition]).iter().map(name).collect()
}

fn name(row: &Value) -> String {
    let cell = |name: &str| row[name].to_string().replace('"', "");
    format!("{},{},@{}", cell("sid"), cell("serial"), cell("inst_id"))
}

const IDLE: &str = "{idle_for: '> 2m', session_age: '> 5m', in_transaction: false, \
     username: {not: [ORAWARDEN, {like: 'SYS%'}, {like: 'DBSNMP'}]}, type: USER, server: DEDICATED, \
     parallel_coordinator: false}";

fn kill<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["kill", target], &WHY[..], more].concat()
}

fn is_there(rig: &Rig, target: &str) -> bool {
    let parts: Vec<&str> = target.split(',').collect();
    let inst_id = parts[2].trim_start_matches('@');
    let condition = format!("{{sid: {}, serial: {}, inst_id: {inst_id}}}", parts[0], parts[1]);
    let live = format!("{{all: [{condition}], status: {{not: KILLED}}}}");
    !named(rig, &live).is_empty()
}

fn kinds(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record["kind"].as_str()).collect()
}

fn a_session_is_ended_once_and_the_audit_says_by_whom(driver: DriverKind) {
    let rig = Rig::with(driver, OLTP);
    let target = &named(&rig, IDLE)[0];
    let (code, out, err) = rig.types(&kill(target, &[]));
    assert_eq!(code, Some(2), "nobody can be asked: {out}{err}");
    assert!(err.contains("--yes") && !rig.path("audit.jsonl").exists(), "{err}");
    let (code, out, err) = rig.types(&kill(target, &["--dry-run"]));
    assert!(code == Some(0) && out.contains("simulated"), "{out}{err}");
    assert!(is_there(&rig, target) && !rig.path("audit.jsonl").exists());
    let (code, out, err) = rig.types(&kill(target, &["--yes", "--despite-holds"]));
    assert!(code == Some(0) && out.contains("ended"), "{out}{err}");
    assert!(!is_there(&rig, target));
    let records = json_lines(&rig.read("audit.jsonl"));
    assert_eq!(kinds(&records), ["by-hand", "intent", "outcome"]);
    let [act, intent, outcome] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&act["reason"], &act["asked"]), (&"ticket 7".into(), &target.as_str().into()));
    assert!(act["os_user"].as_str().is_some_and(|it| !it.is_empty()));
    assert!(act["tick"] == intent["tick"] && intent["tick"] == outcome["tick"], "{records:?}");
    assert_eq!((&intent["dry_run"], &outcome["outcome"]), (&false.into(), &"ended".into()));
    let (code, _, err) = rig.types(&kill(target, &["--yes", "--despite-holds"]));
    assert!(code == Some(1) && err.contains("nobody is ended"), "{err}");
}

fn whom_guards_policies_and_pauses_protect_stays(driver: DriverKind) {
    let rig = Rig::with(driver, OLTP);
    rig.types(&["resume"]);
    let all = named(&rig, IDLE);
    let (target, background) = (&all[0], &named(&rig, "{type: BACKGROUND}")[0]);
    let spared = |target: &str, more: &[&str], because: &str| {
        let (code, out, err) = rig.types(&kill(target, &[&["--yes"], more].concat()));
        assert!(code == Some(1) && out.contains(because), "{because}: {out}{err}");
        assert!(is_there(&rig, target), "{because}");
    };
    spared(background, &[], "background");
    rig.write("p.yaml", "{version: 1, protect: [{name: crown, match: {any_session: true}}]}");
    spared(target, &[], "protect:crown");
    rig.write("p.yaml", "{version: 1, rulez: []}");
    assert_eq!(rig.types(&kill(target, &["--yes"])).0, Some(78), "who is protected is not known");
    rig.write("p.yaml", "{version: 1, rules: []}");
    assert_eq!(rig.types(&["pause", "--reason", "patching", "--author", "ada"]).0, Some(0));
    spared(target, &[], "paused");
    assert!(!rig.path("audit.jsonl").exists(), "nothing was done");
    let (code, out, err) = rig.types(&kill(target, &["--yes", "--despite-holds"]));
    assert!(code == Some(0) && err.contains("patching"), "{out}{err}");
    let act = &json_lines(&rig.read("audit.jsonl"))[0];
    assert_eq!(act["despite_holds"], true);
}

fn no_audit_no_kill_and_one_beside_while_a_daemon_writes_it(driver: DriverKind) {
    let rig = Rig::with(driver, OLTP);
    rig.types(&["resume"]);
    let target = &named(&rig, IDLE)[0];
    let config = rig.read("c.yaml");
    rig.write("c.yaml", &config.replace("\"audit.jsonl\"", "\"nowhere/audit.jsonl\""));
    assert_eq!(rig.types(&kill(target, &["--yes"])).0, Some(74));
    rig.write("c.yaml", &config.replace("\"audit\":{\"file\":\"audit.jsonl\"},", ""));
    assert_eq!(rig.types(&kill(target, &["--yes"])).0, Some(78));
    assert!(is_there(&rig, target));
    rig.write("c.yaml", &config);
    let daemon = FileAudit::open(rig.path("audit.jsonl")).expect("nobody else has it");
    let beside = FileAudit::open(rig.path("audit.by-hand.jsonl")).expect("nor that one");
    assert_eq!(rig.types(&kill(target, &["--yes"])).0, Some(74));
    assert!(is_there(&rig, target), "both were taken");
    drop(beside);
    let (code, out, err) = rig.types(&kill(target, &["--yes"]));
    assert!(code == Some(0) && err.contains("audit.by-hand.jsonl"), "{out}{err}");
    drop(daemon);
    assert_eq!(
        kinds(&json_lines(&rig.read("audit.by-hand.jsonl"))),
        ["by-hand", "intent", "outcome"]
    );
    assert_eq!(rig.read("audit.jsonl"), "");
}

/// Looks, while the storm gathers, until a statement has so many sessions.
fn popular_statement(rig: &Rig) -> String {
    let waiters = "{wait_event: 'enq: TX - row lock contention', session_age: '> 2m'}";
    for _ in 0..LOOKS_MAX {
        rig.database().advance(BETWEEN_LOOKS);
        let mut counts = BTreeMap::new();
        for row in rig.lines(&["sessions", "--match", waiters]) {
            if let Some(sql_id) = row["sql_id"].as_str() {
                *counts.entry(sql_id.to_owned()).or_insert(0) += 1;
            }
        }
        if let Some((sql_id, _)) = counts.into_iter().find(|(_, count)| *count > 12) {
            return sql_id;
        }
    }
    panic!("the storm never came");
}

fn a_statement_means_all_who_run_it_within_limits(driver: DriverKind) {
    let rig = Rig::with(driver, STORM);
    rig.types(&["resume"]);
    let sql_id = &popular_statement(&rig);
    let typed =
        |more: &[&str]| rig.types(&[&["kill", "--sql-id", sql_id], &WHY[..], more].concat());
    assert_eq!(typed(&["--max", "1"]).0, Some(2), "nobody can be asked");
    for more in [&["--yes"][..], &["--yes", "--max", "1"]] {
        let (code, out, err) = typed(more);
        assert!(code == Some(1) && out.contains("per_tick"), "{more:?}: {out}{err}");
    }
    assert!(!rig.path("audit.jsonl").exists(), "a limit halts all of it");
    let (_, out, err) = typed(&["--yes", "--max", "4000", "--format", "json"]);
    let lines = json_lines(&out);
    let [plan, outcomes @ ..] = lines.as_slice() else { panic!("{out}{err}") };
    let ends = plan["end"].as_array().expect("it is a list");
    assert!(ends.len() > 10 && ends.len() == outcomes.len(), "{out}{err}");
    let of_statement = |end: &&Value| end["reasons"][0]["observed"] == sql_id.as_str();
    assert_eq!(ends.iter().filter(of_statement).count(), ends.len(), "{out}");
    let done = |it: &&Value| it["outcome"] == "accepted" || it["outcome"] == "ended";
    assert!(outcomes.iter().filter(done).count() > 10, "{out}{err}");
}

/// What is said on a terminal on which somebody types `answer`; `script` makes one.
fn on_a_terminal(rig: &Rig, words: &[&str], answer: &str) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_orawarden");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("'{program}' {} --config c.yaml", quoted.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.current_dir(rig.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = script.spawn().expect("util-linux is there");
    let mut typed = script.stdin.take().expect("it is a pipe");
    typed.write_all(answer.as_bytes()).expect("it reads");
    let output = script.wait_with_output().expect("it ends");
    drop(typed);
    (output.status.code(), String::from_utf8(output.stdout).expect("it is text"))
}

#[test]
fn somebody_at_a_terminal_is_asked_and_only_yes_is_a_yes() {
    let rig = Rig::start(OLTP);
    rig.types(&["resume"]);
    let target = &named(&rig, IDLE)[0];
    for answer in ["no\n", "\n", "y\n", "\u{4}"] {
        let (code, said) = on_a_terminal(&rig, &kill(target, &[]), answer);
        assert!(code == Some(1) && said.contains("yes"), "{answer:?}: {code:?} {said}");
        assert!(is_there(&rig, target), "{answer:?}: {said}");
    }
    let (code, said) = on_a_terminal(&rig, &kill(target, &[]), "yes\n");
    assert!(code == Some(0) && said.contains("ended"), "{code:?} {said}");
    assert!(!is_there(&rig, target));
}
