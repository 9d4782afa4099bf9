//! The daemon as a process: what operators do to it, and what it says and answers then. Nothing waits for time to
//! pass; every wait is for a line of the log or the end of the process, and has a deadline.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use orawarden::observe::log::journal::SOCKET;
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const CAPTURE: &str = "\
TAKEN_AT,INST_ID,SID,SERIAL#,USERNAME,STATUS,TYPE,LOGON_TIME,LAST_CALL_ET,PNAME,ORACLE_MAINTAINED,QCSID
2026-03-02 10:00:00,1,101,7,APP,INACTIVE,USER,2026-03-02 06:00:00,2700,,N,
";

/// Due each second, so that a test sees ticks soon.
pub(crate) const POLICY: &str = "\
version: 1
rules:
  - name: idle
    schedule: '* * * * * *'
    match: {idle_for: '> 30m'}
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: report
";

const BARE: [&str; 5] = ["run", "--policy", "p.yaml", "--capture", "c.csv"];

#[test]
fn an_audit_file_has_one_daemon() {
    let place = place();
    let audited = [&BARE[..], &["--audit", "a.jsonl"]].concat();
    let mut first = Running::start(&place, &audited);
    first.says("watching");
    let (code, said) = Running::start(&place, &audited).ends();
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("the audit a.jsonl cannot be written: another process has locked it"));
    first.signal("TERM");
    assert_eq!(first.ends().0, Some(0));
    let mut next = Running::start(&place, &audited);
    next.says("watching");
}

#[test]
fn a_log_that_nobody_reads_stops_neither_ticks_nor_the_end() {
    let place = place();
    write(&place, "c.csv", &capture_of(SESSIONS));
    let audited = [&BARE[..], &["--audit", "a.jsonl"]].concat();
    let mut unread = command(place.path(), &audited);
    let mut unread = Guarded(unread.stderr(Stdio::piped()).spawn().expect("it can be started"));
    // Each tick writes several times what a pipe holds.
    until("three ticks", || intents(&place) >= 3 * SESSIONS);
    signal("TERM", unread.0.id());
    assert_eq!(ended(&mut unread.0).code(), Some(0));
}

#[test]
fn the_log_is_whole_when_somebody_reads_it() {
    let place = place();
    write(&place, "c.csv", &capture_of(SESSIONS));
    let (code, said) = Running::start(&place, &[&BARE[..], &["--once"]].concat()).ends();
    assert_eq!(code, Some(0));
    assert_eq!(said.matches(" reported rule=").count(), SESSIONS);
    assert!(said.ends_with("left\n"));
}

#[test]
fn what_does_not_load_has_its_exit_code_and_a_reason() {
    let place = place();
    write(&place, "cut.csv", "SID,SERIAL#\n1\n");
    mkfifo(&place, "pipe");
    let policy = ["run", "--once", "--policy", "p.yaml"];
    let capture = ["run", "--once", "--capture", "c.csv"];
    for (args, code, why) in [
        ([&policy[..], &["--capture", "none.csv"]], 65, "none.csv"),
        ([&policy[..], &["--capture", "cut.csv"]], 65, "cut.csv"),
        ([&policy[..], &["--capture", "pipe"]], 65, "pipe: not a regular file"),
        ([&capture[..], &["--policy", "none.yaml"]], 78, "none.yaml"),
        ([&capture[..], &["--policy", "pipe"]], 78, "pipe: not a regular file"),
        ([&capture[..], &["--config", "pipe"]], 78, "pipe: not a regular file"),
        ([&BARE[..], &["--format", "csv"]], 2, "this verb has no --format csv"),
        ([&policy[..3], &["p.yaml", "--capture", "c.csv", "--audit", "."]], 74, "audit ."),
        ([&policy[..1], &["--policy", "p.yaml", "--capture", "-"]], 2, "--once"),
    ] {
        let (ended, said) = Running::start(&place, &args.concat()).ends();
        assert_eq!(ended, Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
}

#[test]
fn a_stop_is_heeded_while_the_first_load_waits() {
    let place = place();
    let args = ["run", "--once", "-v", "--policy", "p.yaml", "--capture", "-"];
    let mut command = command(place.path(), &args);
    let running = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = Running::of(running.expect("it can be started"));
    running.says("loading");
    running.signal("TERM");
    let (code, said) = running.ends();
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains("error: told to leave before the tick was done"), "{said}");
}

#[test]
fn a_reload_takes_up_another_audit_or_nothing() {
    let place = place();
    let configure = |audit: &str, more: &str| {
        let databases = "databases: [{name: one, capture: c.csv}]";
        let audit = format!("audit: {{file: {audit}}}");
        let text = format!("version: 1\npolicies: p.yaml\n{databases}\n{audit}\n{more}\n");
        write(&place, "conf.yaml", &text);
    };
    configure("a.jsonl", "");
    let mut running = Running::start(&place, &["run", "--config", "conf.yaml"]);
    running.says("watching");
    configure("no/b.jsonl", "log: {level: error, redact: [username]}");
    running.signal("HUP");
    let why = running.says("not reloaded");
    assert!(why.contains("no/b.jsonl"), "{why}");
    running.says(" tick ");
    running.says("username=\"APP\"");
    let log = "log: {format: json, level: debug, redact: [username]}";
    configure("b.jsonl", &format!("{log}\nhttp: {{listen: '127.0.0.1:0'}}"));
    running.signal("HUP");
    running.says("http.listen was changed, which takes a restart");
    running.says("log.format was changed, which takes a restart");
    running.says("reloaded rules=1 databases=1");
    let said = running.says_all_until("username=");
    assert!(!said.contains("APP"), "{said}");
    until("an intent in the new file", || {
        fs::read_to_string(place.path().join("b.jsonl")).is_ok_and(|text| text.contains("intent"))
    });
    // The old one is free for somebody else.
    let audited = [&BARE[..], &["--once", "--audit", "a.jsonl"]].concat();
    assert_eq!(Running::start(&place, &audited).ends().0, Some(0));
}

#[test]
fn no_two_ticks_have_the_same_name() {
    let place = place();
    let configure = |names: &[&str]| {
        let databases = names.iter().map(|name| format!("  - {{name: {name}, capture: c.csv}}\n"));
        let databases: String = databases.collect();
        let rest = "version: 1\npolicies: p.yaml\naudit: {file: a.jsonl}\ndatabases:\n";
        write(&place, "conf.yaml", &format!("{rest}{databases}"));
    };
    configure(&["one", "two"]);
    let mut running = Running::start(&place, &["run", "--config", "conf.yaml"]);
    running.says("tick database=\"two\"");
    for names in [&["one"][..], &["one", "two"]] {
        configure(names);
        running.signal("HUP");
        running.says("reloaded");
    }
    running.says("tick database=\"two\"");
    drop(running);
    let (code, said) = Running::start(&place, &["run", "--once", "--config", "conf.yaml"]).ends();
    assert_eq!(code, Some(0), "{said}");
    let text = fs::read_to_string(place.path().join("a.jsonl")).expect("it is text");
    let mut ticks: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(r#""kind":"intent""#))
        .map(|line| line.split(r#""tick":""#).nth(1).expect("a record names its tick"))
        .map(|rest| rest.split('"').next().expect("it is in quotes"))
        .collect();
    let all = ticks.len();
    ticks.sort_unstable();
    ticks.dedup();
    assert_eq!(ticks.len(), all, "one session, so one intent a tick:\n{text}");
}

/// Where there is a journal, `tests/systemd` looks at what reaches it.
#[test]
fn without_a_journal_the_log_is_json_and_says_so() {
    if Path::new(SOCKET).exists() {
        writeln!(std::io::stderr(), "SKIPPED: there is a journal here").expect("somebody reads");
        return;
    }
    let place = place();
    let databases = "databases: [{name: one, capture: c.csv}]";
    let text = format!("version: 1\npolicies: p.yaml\n{databases}\nlog: {{format: journald}}\n");
    write(&place, "conf.yaml", &text);
    let run = ["run", "--config", "conf.yaml", "--once"];
    let (code, said) = Running::start(&place, &run).ends();
    assert_eq!(code, Some(0), "{said}");
    let (warning, lines) = said.split_once('\n').expect("there are lines");
    assert!(warning.contains(SOCKET) && warning.contains("the log is JSON"), "{warning}");
    let events: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let events: Vec<_> = events.iter().map(|line| line["event"].as_str()).collect();
    assert_eq!(events, ["watching", "tick", "reported", "left"].map(Some));
}

#[test]
fn a_log_of_fields_says_as_an_event_why_the_daemon_left() {
    let place = place();
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let http = format!("http: {{listen: '{}'}}", taken.local_addr().expect("it has one"));
    write(&place, "bad.yaml", "version: 1\nrules: [{name: a}]\n");
    for (policies, besides, status, why) in [
        ("bad.yaml", "", 78, "bad.yaml:2:9"),
        ("p.yaml", &http, 69, "Address already in use"),
        ("p.yaml", "nonsense: 1", 78, "unknown-key"),
    ] {
        let rest = "databases: [{name: one, capture: c.csv}]\nlog: {format: json}";
        let text = format!("version: 1\npolicies: {policies}\n{rest}\n{besides}\n");
        write(&place, "conf.yaml", &text);
        let run = ["run", "--config", "conf.yaml", "--format", "json"];
        let (code, said) = Running::start(&place, &run).ends();
        assert_eq!(code, Some(status), "{said}");
        let events: Vec<serde_json::Value> =
            said.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        let last = events.last().expect("there are lines");
        assert_eq!([&last["event"], &last["level"]], ["left-with-error", "ERROR"], "{said}");
        assert_eq!(last["exit_status"], status);
        let cause = last["cause"].as_str().expect("it is text");
        assert!(cause.contains(why), "{cause}");
    }
}

#[test]
fn check_says_of_a_configuration_what_run_would_refuse() {
    let place = place();
    mkfifo(&place, "pipe");
    let many: Vec<String> = (0..257).map(|at| format!("{{name: d{at}, capture: c.csv}}")).collect();
    let many = many.join(", ");
    for (databases, audit, why) in [
        ("{name: one, capture: none.csv}", "a.jsonl", "database one: none.csv: No such file"),
        ("{name: one, capture: pipe}", "a.jsonl", "pipe: not a regular file"),
        (&many, "a.jsonl", "one daemon watches 256 at most"),
        ("{name: one, capture: c.csv}", ".", "is a directory"),
    ] {
        let audit = format!("audit: {{file: {audit}}}");
        let text = format!("{{version: 1, policies: p.yaml, databases: [{databases}], {audit}}}");
        write(&place, "conf.yaml", &text);
        for verb in ["check", "run"] {
            let (code, said) = Running::start(&place, &[verb, "--config", "conf.yaml"]).ends();
            let expected = if verb == "check" { [78; 3] } else { [65, 74, 78] };
            assert!(code.is_some_and(|code| expected.contains(&code)), "{verb}: {said}");
            assert!(verb == "run" || said.contains(why), "{said}");
        }
    }
}

#[test]
fn check_knows_a_configuration_that_comes_through_a_pipe() {
    let place = place();
    mkfifo(&place, "pipe");
    let checking = Running::start(&place, &["check", "pipe"]);
    write(&place, "pipe", "{version: 1, policies: p.yaml, databases: [{name: a, capture: c.csv}]}");
    let (code, said) = checking.ends();
    assert_eq!(code, Some(0), "{said}");
}

fn mkfifo(place: &TempDir, name: &str) {
    let status = Command::new("mkfifo").arg(place.path().join(name)).status();
    assert!(status.expect("it is there").success());
}

/// More than enough to fill a pipe with their lines.
const SESSIONS: usize = 2_000;

fn capture_of(sessions: usize) -> String {
    let (header, row) = CAPTURE.split_once('\n').expect("there are two lines");
    let rows = (1..=sessions).map(|sid| row.replace(",101,", &format!(",{sid},")));
    header.to_owned() + "\n" + &rows.collect::<String>()
}

fn intents(place: &TempDir) -> usize {
    let text = fs::read_to_string(place.path().join("a.jsonl")).unwrap_or_default();
    text.matches(r#""kind":"intent""#).count()
}

/// A directory with a policy and a capture.
fn place() -> TempDir {
    let place = tempfile::tempdir().expect("a directory for the test");
    write(&place, "p.yaml", POLICY);
    write(&place, "c.csv", CAPTURE);
    place
}

pub(crate) fn write(place: &TempDir, name: &str, text: &str) {
    fs::write(place.path().join(name), text).expect("it can be written");
}

pub(crate) fn command(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orawarden"));
    command.args(args).current_dir(place).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A daemon that a test started, and what it says.
pub(crate) struct Running {
    pub(crate) child: Guarded,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(place: &TempDir, args: &[&str]) -> Self {
        let mut command = command(place.path(), args);
        Self::of(command.stderr(Stdio::piped()).spawn().expect("it can be started"))
    }

    pub(crate) fn of(mut child: Child) -> Self {
        let stderr = child.stderr.take().expect("it is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            // Nobody listens any more once the test is over.
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|it| sender.send(it))
        });
        Self { child: Guarded(child), lines }
    }

    /// Waits for a line with this in it.
    pub(crate) fn says(&mut self, wanted: &str) -> String {
        let said = self.says_all_until(wanted);
        said.lines().last().expect("it was waited for").to_owned()
    }

    /// Waits for a line with this in it, and answers all until then.
    pub(crate) fn says_all_until(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return said + &line,
                Ok(line) => said.extend([&line, "\n"]),
                Err(why) => panic!("it never said `{wanted}` ({why}), but:\n{said}"),
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Forgets what was said so far.
    pub(crate) fn forget(&self) {
        self.lines.try_iter().for_each(drop);
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(name, self.child.0.id());
    }

    /// Waits for the end; answers the exit code, and what was said since the last line waited for.
    pub(crate) fn ends(mut self) -> (Option<i32>, String) {
        let code = ended(&mut self.child.0).code();
        let said = self.lines.iter().map(|line| line + "\n").collect();
        (code, said)
    }
}

/// A process that does not outlive its test.
pub(crate) struct Guarded(pub(crate) Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may be gone already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub(crate) fn signal(name: &str, process: u32) {
    let kill = format!("kill -{name} {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(status.success(), "{kill}");
}

pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the end", || {
        status = child.try_wait().expect("it is our child");
        status.is_some()
    });
    status.expect("it was waited for")
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} never came");
        thread::park_timeout(Duration::from_millis(5));
    }
}
