//! What a daemon costs that has nothing to do: `cargo bench --bench idle`.
//!
//! One database of 4,000 sessions, looked at every ten seconds in a dry run, for some minutes. Prints the memory (PSS,
//! which counts pages that processes share once) and the processor time of the daemon and of its connection processes,
//! and the round trips of a tick as they are on the wire. The simulated database runs in this process.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../tests/suite/relay.rs"]
#[expect(dead_code, reason = "tests want more of it")]
mod relay;
#[path = "../tests/suite/rig.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "tests want more of it")]
mod rig;
#[expect(dead_code, reason = "other benches want more of it")]
mod shared;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use orawarden::oracle::protocol::DriverKind;
use relay::Relay;
use rig::{Rig, client_libraries};
use serde_json::json;
use shared::{children, pss};

/// Three minutes, behind a first one to settle in.
const TICKS_BEFORE: u64 = 6;
const TICKS: u64 = 18;
const TICK_SECONDS: u64 = 10;

/// What /proc counts processor time in, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// From 23ai on the simulated server answers the thin driver as a real one does; before, it cuts its answers short.
const SCENARIO: &str =
    "{seed: 3, speed: 1, databases: [{model: {name: RACDB, release: 23ai, instances: [{}, {}],
    limits: {processes: 6000}, workloads: [
      {name: shop, sessions: 1700, user: SHOP}, {name: billing, sessions: 900, user: BILLING},
      {name: crm, sessions: 900, user: CRM}, {name: desk, sessions: 500, user: DESK}]}}]}";

const POLICY: &str = "\
version: 1
rules:
  - name: idle
    schedule: '*/10 * * * * *'
    match: {idle_for: '> 30m'}
    action: kill
  - name: stuck
    schedule: '*/10 * * * * *'
    match: {wait_event: 'enq: TX - row lock contention', waiting_for: '> 5m'}
    action: kill
";

fn main() {
    println!("driver  process       PSS      processor  round trips a tick");
    for driver in [DriverKind::Thin, DriverKind::Oci] {
        if driver == DriverKind::Oci && client_libraries().is_none() {
            continue;
        }
        measure(driver);
    }
}

fn measure(driver: DriverKind) {
    let rig = Rig::with(driver, SCENARIO);
    let relay = Relay::to(rig.address());
    rig.configure(
        "orawarden",
        &json!({"connect": format!("//{}/RACDB", relay.address())}).to_string(),
    );
    let config = rig.read("c.yaml").replace(",\"holds\":{\"file\":\"holds.json\"}", "");
    rig.write("c.yaml", &config);
    rig.write("p.yaml", POLICY);
    let mut command = rig.command(&["run", "--dry-run", "--format", "json"]);
    let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut daemon = started.expect("it can be started");
    let lines = BufReader::new(daemon.stderr.take().expect("it is piped")).lines();
    let mut ticks = lines.map_while(Result::ok).filter(|line| line.contains("\"duration_ms\""));
    let mut wait_for = |count: u64| (0..count).all(|_| ticks.next().is_some());
    assert!(wait_for(TICKS_BEFORE), "it left too soon");
    let (own, child) = (daemon.id(), only_child(daemon.id()));
    let before = (processor(own), processor(child), relay.turns());
    assert!(wait_for(TICKS), "it left too soon");
    let turns = (relay.turns() - before.2) as f64 / TICKS as f64;
    for (name, process, before) in [("daemon", own, before.0), ("connection", child, before.1)] {
        let seconds = (processor(process) - before) as f64 / TICKS_PER_SECOND;
        let share = 100.0 * seconds / (TICKS * TICK_SECONDS) as f64;
        println!(
            "{:<7} {name:<10} {:>6.1} MB  {share:>8.2} %  {turns:>6.1}",
            driver.name(),
            pss(process).expect("it runs")
        );
    }
    // It runs until it is told otherwise.
    daemon.kill().ok();
    daemon.wait().expect("it is our child");
}

/// The connection process: a dry run has but one.
fn only_child(process: u32) -> u32 {
    let children = children(process);
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

/// Processor time so far, in hundredths of a second.
fn processor(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // Behind the name, which may have spaces: state, ten numbers, then user and system time.
    let (_, rest) = text.rsplit_once(')').expect("its name is in parentheses");
    let numbers = rest.split_whitespace().skip(11).take(2);
    numbers.map(|number| number.parse::<u64>().expect("it is a number")).sum()
}
