//! Pauses and silences as operators type them, and what a daemon makes of them.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

const CAPTURE: &str = "\
TAKEN_AT,INST_ID,SID,SERIAL#,USERNAME,STATUS,TYPE,LOGON_TIME,LAST_CALL_ET,PNAME,ORACLE_MAINTAINED,QCSID,TADDR
2026-03-02 10:00:00,1,101,7,APP,INACTIVE,USER,2026-03-02 06:00:00,2700,,N,,
2026-03-02 10:00:00,1,102,7,WEB,INACTIVE,USER,2026-03-02 06:00:00,2700,,N,,
";

const POLICY: &str = "\
version: 1
rules:
  - name: idle
    match: {idle_for: '> 30m'}
    limits: {percent: unlimited}
    action: kill
";

const CONFIG: &str = "\
version: 1
policies: p.yaml
databases: [{name: Prod, capture: c.csv}]
audit: {file: a.jsonl}
holds: {file: holds.json}
";

/// The same, and the rule means it.
const ENFORCING: &str = "\
version: 1
rules:
  - name: idle
    match: {idle_for: '> 30m'}
    limits: {percent: unlimited}
    mode: enforce
    action: kill
";

/// A directory in which `orawarden --config c.yaml` does what is typed.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a directory for the test"));
        for (name, text) in [("c.csv", CAPTURE), ("p.yaml", POLICY), ("c.yaml", CONFIG)] {
            desk.write(name, text);
        }
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("it can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("it is there")
    }

    /// The exit code, and what was said on both streams.
    fn types(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orawarden"));
        command.args(words).args(["--config", "c.yaml"]).current_dir(self.0.path());
        let output = command.output().expect("it can be started");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("it is text"))
    }

    /// What is said when all is well.
    fn does(&self, words: &[&str]) -> String {
        let (code, said) = self.types(words);
        assert_eq!(code, Some(0), "{words:?}: {said}");
        said
    }
}

const PAUSE: [&str; 5] = ["pause", "--reason", "patching", "--author", "ada"];
const SILENCE: [&str; 9] =
    ["silence", "--match", "{username: app}", "--for", "2h", "--reason", "calm", "--author", "bob"];

#[test]
fn pauses_and_silences_are_made_listed_and_ended_by_their_scope() {
    let desk = Desk::new();
    assert_eq!(desk.types(&["silences"]).0, Some(74), "nobody made the file yet");
    assert_eq!(desk.does(&["resume"]), "pauses ended: 0; still in force: 0\n");
    assert_eq!(desk.does(&PAUSE), "pause 1 holds, within a second also for a tick that runs\n");
    desk.does(&[&PAUSE[..], &["--rule", "idle", "--database", "PROD", "--for", "90m"]].concat());
    let said = desk.does(&SILENCE);
    assert!(
        said.starts_with("silence 3 holds, within a second also for a tick that runs, until 20"),
        "{said}"
    );
    let listed = desk.does(&["silences", "--format", "json"]);
    let listed: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let short: Vec<String> = listed
        .iter()
        .map(|it| format!("{} {} {} {}", it["id"], it["match"], it["rule"], it["database"]))
        .collect();
    assert_eq!(
        short,
        ["1 null null null", r#"2 null "idle" "Prod""#, r#"3 "{username: app}" null null"#]
    );
    assert!(desk.does(&["silences"]).contains("3   silence  {username: app}  all"));
    assert_eq!(desk.does(&["resume"]), "pauses ended: 1; still in force: 1\n");
    let scope = ["resume", "--rule", "idle", "--database", "prod"];
    assert_eq!(desk.does(&scope), "pauses ended: 1; still in force: 0\n");
    assert_eq!(desk.does(&["silence", "--remove", "3"]), "silence 3 ended\n");
    assert_eq!(desk.does(&["silences", "--format", "json"]), "");
    assert_eq!(desk.does(&PAUSE), "pause 4 holds, within a second also for a tick that runs\n");
}

/// The daemon goes by the later of two clocks, and only one of them is here.
#[test]
fn a_hold_that_is_over_by_this_clock_is_listed_as_one_that_may_hold() {
    let desk = Desk::new();
    desk.does(&["resume"]);
    let until = |hours: i64| (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).to_rfc3339();
    for reason in ["ahead", "just over", "long over"] {
        desk.does(&["pause", "--for", "2h", "--reason", reason, "--author", "ada"]);
    }
    let mut file: serde_json::Value =
        serde_json::from_str(&desk.read("holds.json")).expect("it is JSON");
    for (at, hours) in [(1, -1), (2, -30)] {
        file["holds"][at]["until"] = until(hours).into();
    }
    std::fs::write(desk.0.path().join("holds.json"), file.to_string()).expect("it can be written");
    let listed = desk.does(&["silences"]);
    let line = |reason: &str| listed.lines().find(|line| line.contains(reason));
    let over = |reason: &str| line(reason).map(|line| line.contains("(over here; "));
    assert_eq!(["ahead", "just over", "long over"].map(over), [Some(false), Some(true), None]);
    let listed = desk.does(&["silences", "--format", "json"]);
    let over: Vec<_> = listed.lines().map(|line| line.contains(r#""over_here":true"#)).collect();
    assert_eq!(over, [false, true]);
    assert_eq!(desk.does(&["resume"]), "pauses ended: 2; still in force: 0\n");
}

#[test]
fn what_would_hold_nothing_or_for_ever_is_refused() {
    let desk = Desk::new();
    desk.does(&["resume"]);
    let before = desk.read("holds.json");
    for (words, code) in [
        (vec!["pause"], 2),
        (vec!["pause", "--reason", " "], 2),
        ([&PAUSE[..], &["--rule", "idel"]].concat(), 2),
        ([&PAUSE[..], &["--database", "dev"]].concat(), 2),
        ([&PAUSE[..], &["--for", "2"]].concat(), 2),
        ([&PAUSE[..], &["--for", "0s"]].concat(), 2),
        (vec!["silence", "--match", "{username: APP}", "--reason", "x"], 2),
        (vec!["silence", "--match", "{usrname: APP}", "--for", "2h", "--reason", "x"], 78),
        (vec!["silence", "--remove", "1"], 2),
        (vec!["silence", "--remove", "1", "--reason", "x"], 2),
    ] {
        let (ended, said) = desk.types(&words);
        assert_eq!(ended, Some(code), "{words:?}: {said}");
        assert_eq!(desk.read("holds.json"), before, "{words:?}");
    }
    desk.write("holds.json", "{}");
    assert_eq!(desk.types(&PAUSE).0, Some(74), "what is not understood is not replaced");
    desk.write("p.yaml", "rules: [");
    desk.write("holds.json", &before);
    desk.does(&[&PAUSE[..], &["--rule", "idle"]].concat());
}

#[test]
fn a_daemon_leaves_the_silenced_alone_and_says_whose_word_it_was() {
    let desk = Desk::new();
    let tick = || {
        fs::remove_file(desk.0.path().join("a.jsonl")).ok();
        let said = desk.does(&["run", "--once"]);
        (said, desk.read("a.jsonl"))
    };
    let (said, audit) = tick();
    assert!(said.contains("everything is paused: the holds are not known: "), "{said}");
    assert_eq!(audit.matches(r#""outcome":"simulated""#).count(), 2, "rehearsals go on: {audit}");
    desk.does(&SILENCE);
    let (said, audit) = tick();
    assert!(!said.contains("paused"), "{said}");
    assert_eq!(audit.matches(r#""outcome":"simulated""#).count(), 1, "{audit}");
    assert!(audit.contains(r#""sid":101,"serial":7"#));
    assert!(
        audit.contains(r#""because":"silenced","detail":"silence 1 of bob until 20"#),
        "{audit}"
    );
}

#[test]
fn a_plan_of_the_configuration_says_what_is_held() {
    let desk = Desk::new();
    desk.write("p.yaml", ENFORCING);
    let plan = || desk.types(&["plan"]).1;
    let said = plan();
    assert!(said.contains("everything is paused") && said.contains(" 0 to end"), "{said}");
    desk.does(&["resume"]);
    assert!(plan().contains(" 2 to end"), "{}", plan());
    desk.does(&["silence", "--match", "{username: WEB}", "--for", "1h", "--reason", "audit"]);
    let said = plan();
    assert!(said.contains(" 1 to end") && said.contains("silenced"), "{said}");
    desk.does(&["pause", "--reason", "move"]);
    let said = plan();
    assert!(said.contains(" 0 to end") && said.contains("paused"), "{said}");
    let said = desk.types(&["explain", "101,7"]).1;
    assert!(said.contains("paused"), "{said}");
    let said = desk.types(&["plan", "--capture", "c.csv"]).1;
    assert!(said.contains(" 2 to end"), "nothing holds a capture that is named: {said}");
    let said = desk.types(&["sessions"]).1;
    assert!(!said.contains("paused"), "{said}");
}
