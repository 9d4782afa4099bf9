//! The daemon as a process: what operators do to it, and what it says and answers then. Nothing waits for time to
//! pass; every wait is for a line of the log or the end of the process, and has a deadline.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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
    limits: {percent: unlimited, per_hour: unlimited}
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
    child: Child,
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
        Self { child, lines }
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
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
        assert!(status.success(), "{kill}");
    }

    /// Waits for the end; answers the exit code, and what was said since the last line waited for.
    fn ends(mut self) -> (Option<i32>, String) {
        let code = ended(&mut self.child).code();
        let said = self.lines.iter().map(|line| line + "\n").collect();
        (code, said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn ended(child: &mut Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        thread::park_timeout(Duration::from_millis(5));
    }
}
