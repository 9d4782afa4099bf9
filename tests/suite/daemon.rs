//! The daemon as a process: what operators do to it, and what it says and answers then. Nothing waits for time to
//! pass; every wait is for a line of the log or the end of the process, and has a deadline.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const CAPTURE: &str = "\
TAKEN_AT,INST_ID,SID,SERIAL#,USERNAME,STATUS,TYPE,LOGON_TIME,LAST_CALL_ET,PNAME,ORACLE_MAINTAINED,QCSID
2026-03-02 10:00:00,1,101,7,APP,INACTIVE,USER,2026-03-02 06:00:00,2700,,N,
";

/// Due each second, so that a test sees ticks soon.
const POLICY: &str = "\
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

fn write(place: &TempDir, name: &str, text: &str) {
    fs::write(place.path().join(name), text).expect("it can be written");
}

fn command(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orawarden"));
    command.args(args).current_dir(place).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A daemon that a test started, and what it says.
struct Running {
    child: Guarded,
    lines: Receiver<String>,
}

impl Running {
    fn start(place: &TempDir, args: &[&str]) -> Self {
        let mut command = command(place.path(), args);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it can be started");
        let stderr = child.stderr.take().expect("it is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            // Nobody listens any more once the test is over.
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|it| sender.send(it))
        });
        Self { child: Guarded(child), lines }
    }

    /// Waits for a line with this in it.
    fn says(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return line,
                Ok(line) => said.extend([&line, "\n"]),
                Err(_) => panic!("it never said `{wanted}`, but:\n{said}"),
            }
        }
    }

    fn signal(&self, name: &str) {
        signal(name, self.child.0.id());
    }

    /// Waits for the end; answers the exit code, and what was said since the last line waited for.
    fn ends(mut self) -> (Option<i32>, String) {
        let code = ended(&mut self.child.0).code();
        let said = self.lines.iter().map(|line| line + "\n").collect();
        (code, said)
    }
}

/// A process that does not outlive its test.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may be gone already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn signal(name: &str, process: u32) {
    let kill = format!("kill -{name} {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(status.success(), "{kill}");
}

fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the end", || {
        status = child.try_wait().expect("it is our child");
        status.is_some()
    });
    status.expect("it was waited for")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} never came");
        thread::park_timeout(Duration::from_millis(5));
    }
}
