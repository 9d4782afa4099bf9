//! A password stands where it was put and nowhere else: in no line of the log, no error, no audit record, no answer of a
//! command, and in no argument or environment variable of the daemon's processes, whose memory is never dumped.

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use orawarden::oracle::protocol::DriverKind;
use serde_json::{Value, json};

use crate::daemon::{Running, until};
use crate::rig::{Rig, with_both_drivers};

with_both_drivers!(
    a_password_that_lets_in_stands_nowhere,
    a_password_that_does_not_let_in_stands_nowhere,
);

const SECRET: &str = "Nobody.says_4711";
const OTHER: &str = "Nor.this_0815";
const WRONG: &str = "Wrong.but_ours_99";

/// Where a password can be.
const PLACES: [&str; 3] =
    ["{\"file\": \"secret\"}", "{\"env\": \"ONE_SECRET\"}", "{\"credential\": \"secret\"}"];

/// Ends whoever is there, each second.
const POLICY: &str = "\
version: 1
rules:
  - name: everybody
    schedule: '* * * * * *'
    match: {username: APP}
    min_session_age: 0s
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    mode: enforce
    action: kill
";

fn rig(driver: DriverKind) -> Rig {
    let grants = "[CREATE SESSION, SELECT_CATALOG_ROLE, ALTER SYSTEM, EXECUTE ON SYS.DBMS_LOCK]";
    Rig::with(
        driver,
        &format!(
            "{{seed: 3, speed: 1, databases: [{{like: quiet, accounts: [
               {{name: ORAWARDEN, password: {SECRET}, grants: {grants}}},
               {{name: SECOND, password: {OTHER}, grants: {grants}}}]}}]}}"
        ),
    )
}

/// Two databases: the password of one is there, that of the other is in a variable.
fn configure(rig: &Rig, place: &str, password: &str) {
    rig.configure("orawarden", &format!("{{password: {place}, leadership: true}}"));
    let mut config: Value = serde_json::from_str(&rig.read("c.yaml")).expect("it is JSON");
    let mut second = config["databases"][0].clone();
    second["name"] = json!("second");
    second["username"] = json!("second");
    second["password"] = json!({"env": "OTHER_SECRET"});
    config["databases"].as_array_mut().expect("it is a list").push(second);
    config.as_object_mut().expect("it is a map").remove("holds");
    rig.write("c.yaml", &config.to_string());
    rig.write("p.yaml", POLICY);
    rig.write("secret", password);
}

/// A command in whose surroundings the passwords are, where they have to be.
fn command(rig: &Rig, place: &str, password: &str, words: &[&str]) -> Command {
    let mut command = rig.command(words);
    command.env("OTHER_SECRET", OTHER).env("CREDENTIALS_DIRECTORY", rig.path(""));
    if place.contains("env") {
        command.env("ONE_SECRET", password);
    }
    command
}

/// All that a command says, on both sides.
fn says(rig: &Rig, place: &str, password: &str, words: &[&str]) -> String {
    let output = command(rig, place, password, words).output().expect("it can be started");
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
}

fn is_silent(text: &str, what: &str) {
    for secret in [SECRET, OTHER, WRONG] {
        assert!(!text.contains(secret), "{what} says a password:\n{text}");
    }
}

fn a_password_that_lets_in_stands_nowhere(driver: DriverKind) {
    let rig = rig(driver);
    for place in PLACES {
        configure(&rig, place, SECRET);
        let _victim = rig.database().connect("app", "RACDB1").expect("the account can log in");
        let mut daemon = command(&rig, place, SECRET, &["run", "-vv"]);
        let daemon = daemon.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut daemon = Running::of(daemon.expect("it can be started"));
        let mut said = daemon.says_all_until(" ended=1 ");
        let children = children(daemon.id());
        assert!(children.len() >= 3, "two look and one at least ends: {children:?}");
        for child in children {
            // One that has only just begun is a copy of the daemon for a moment, and knows no password yet.
            until("a connection process", || {
                shown(child, "cmdline").contains("connection-process") && dumps(child) == ["0", "0"]
            });
            is_silent(&shown(child, "cmdline"), "an argument");
            is_silent(&shown(child, "environ"), "the environment of a connection process");
        }
        is_silent(&shown(daemon.id(), "cmdline"), "an argument");
        let environment = shown(daemon.id(), "environ");
        assert!(place.contains("env") || !environment.contains(SECRET), "{environment}");
        assert_eq!(dumps(daemon.id()), ["0", "0"]);
        daemon.signal("TERM");
        let (code, rest) = daemon.ends();
        assert_eq!(code, Some(0), "{rest}");
        said.push_str(&rest);
        is_silent(&said, "the log");
        is_silent(&rig.read("audit.jsonl"), "the audit");
        for words in [&["doctor"][..], &["doctor", "--format", "json"], &["plan", "-v"]] {
            let words = [words, &["--database", "prod"]].concat();
            let said = says(&rig, place, SECRET, &words);
            assert!(said.contains("prod"), "it logs in: {said}");
            is_silent(&said, "a command");
        }
    }
}

fn a_password_that_does_not_let_in_stands_nowhere(driver: DriverKind) {
    let rig = rig(driver);
    for place in PLACES {
        configure(&rig, place, WRONG);
        for words in [
            &["doctor", "--database", "prod"][..],
            &["plan", "--database", "prod"],
            &["run", "--once", "-vv", "--format", "json"],
        ] {
            let said = says(&rig, place, WRONG, words);
            assert!(said.contains("ORA-01017"), "{words:?}: {said}");
            is_silent(&said, "a refusal");
        }
        is_silent(&rig.read("audit.jsonl"), "the audit");
    }
}

/// The processes that a process started.
fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).ok();
    let lists: Vec<String> = tasks.filter_map(|task| of_task(task.ok()?)).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|it| it.parse().ok()).collect()
}

/// What others may read of a process. Of one that cannot be dumped, other processes of its user may not read all.
fn shown(process: u32, what: &str) -> String {
    match fs::read(format!("/proc/{process}/{what}")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{what} of {process}: {error}");
            String::new()
        }
    }
}

/// The soft and the hard limit of a core dump.
fn dumps(process: u32) -> Vec<String> {
    let limits = shown(process, "limits");
    let line = limits.lines().find(|it| it.starts_with("Max core file size")).expect("it is told");
    line.split_whitespace().skip(4).take(2).map(ToOwned::to_owned).collect()
}

#[test]
fn a_credential_outside_the_service_says_what_a_person_can_do() {
    let rig = rig(DriverKind::Thin);
    configure(&rig, "{\"credential\": \"secret\"}", SECRET);
    let mut command = rig.command(&["plan", "--database", "prod"]);
    let output = command.env_remove("CREDENTIALS_DIRECTORY").output().expect("it can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    for part in
        ["systemd sets it for the service only", "a directory with a file secret", "{file: PATH}"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let words = ["plan", "--database", "prod"];
    let said = says(&rig, "credential", SECRET, &words);
    assert!(said.contains("0 to end"), "{said}");
}
