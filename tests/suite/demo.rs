//! The demonstration, as somebody sees it who has just heard of orawarden.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

/// Lines before sessions are ended: an introduction, and a few for each of the first ticks.
const LINES_MAX: usize = 200;

#[test]
fn a_demonstration_ends_sessions_and_says_why() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_orawarden"))
        .args(["demo", "--enforce", "--every", "1", "--for", "10m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let introduction = BufReader::new(demo.stderr.take().expect("it is a pipe")).lines();
    let shown = introduction.map_while(Result::ok).find_map(|line| {
        line.split_once("is shown on http://")?.1.trim_end_matches('/').parse::<SocketAddr>().ok()
    });
    let address = shown.expect("it says where the page is");
    let told = BufReader::new(demo.stdout.take().expect("it is a pipe"));
    let mut seen = Vec::new();
    for line in told.lines().take(LINES_MAX).map_while(Result::ok) {
        seen.push(line);
        // The headline of a tick, its rule, and the first session.
        if seen.iter().any(|it| it.contains("kill immediate of CRM: idle_for ")) {
            break;
        }
    }
    let page = page(address);
    demo.kill().expect("it runs until it is told to stop");
    demo.wait().expect("it has ended");
    let has = |part: &str| seen.iter().any(|line| line.contains(part));
    assert!(has(" ended, ") && has("idle-pool-sessions (") && has(" spared: "), "{seen:#?}");
    assert!(has("kill immediate of CRM: idle_for "), "{seen:#?}");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("idle-pool-sessions"), "{page}");
}

fn page(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("it is read");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("it answers in text and closes");
    page
}
