//! The demonstration, as somebody sees it who has just heard of orawarden.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// Lines before sessions are ended: an introduction, and a few for each of the first ticks.
const LINES_MAX: usize = 200;

#[test]
fn a_demonstration_ends_sessions_and_says_why() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_orawarden"))
        .args(["demo", "--enforce", "--every", "1", "--for", "10m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started");
    let told = BufReader::new(demo.stdout.take().expect("it is a pipe"));
    let mut seen = Vec::new();
    for line in told.lines().take(LINES_MAX).map_while(Result::ok) {
        seen.push(line);
        // The headline of a tick, its rule, and the first session.
        if seen.iter().any(|it| it.contains("kill immediate of CRM: idle_for ")) {
            break;
        }
    }
    demo.kill().expect("it runs until it is told to stop");
    demo.wait().expect("it has ended");
    let has = |part: &str| seen.iter().any(|line| line.contains(part));
    assert!(has(" ended, ") && has("idle-pool-sessions (") && has(" spared: "), "{seen:#?}");
    assert!(has("kill immediate of CRM: idle_for "), "{seen:#?}");
}
