//! How long it takes to end 200 sessions of 4,000, over the wire and through the whole daemon: `cargo bench --bench end`.
//!
//! The daemon is a process of its own, as in production: connection processes, one leader, audit with its syncs. Prints
//! what it says of its ticks, from before the look to behind the last outcome: the first tick logs on and probes views,
//! the later ones find all that done. The simulated database runs in this process.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../tests/suite/rig.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "tests want more of it")]
mod rig;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use orawarden::oracle::protocol::DriverKind;
use rig::{OLTP, Rig, client_libraries};
use serde_json::Value;

const RUNS: usize = 7;

/// Of each run: the first, which logs on, and one that need not.
const TICKS: usize = 2;

const VICTIMS: u64 = 200;

const POLICY: &str = "\
version: 1
rules:
  - name: two-hundred
    schedule: '*/2 * * * * *'
    match: {idle_for: '> 1s', username: SHOP, program: {like: 'JDBC%'}}
    victims: {take: 200, order: -idle_for}
    limits: {per_tick: unlimited, percent: unlimited, per_hour: unlimited}
    breaker: off
    mode: enforce
    action: kill
";

fn main() {
    println!("driver  tick      median    worst   sessions  ended, changed or gone");
    for driver in [DriverKind::Thin, DriverKind::Oci] {
        if driver == DriverKind::Oci && client_libraries().is_none() {
            continue;
        }
        let runs: Vec<Vec<Tick>> = (0..RUNS).map(|_| run(driver)).collect();
        for (at, name) in ["first", "later"].into_iter().enumerate().take(TICKS) {
            show(driver, name, runs.iter().map(|ticks| ticks[at]).collect());
        }
    }
}

#[derive(Clone, Copy)]
struct Tick {
    millis: u64,
    sessions: u64,
    ended: u64,
    changed: u64,
}

fn show(driver: DriverKind, name: &str, mut ticks: Vec<Tick>) {
    ticks.sort_by_key(|tick| tick.millis);
    let fewest = ticks.iter().map(|tick| tick.ended).min().unwrap_or(0);
    let (median, worst) = (ticks[ticks.len() / 2], ticks[ticks.len() - 1]);
    println!(
        "{:<7} {name:<7} {:>6} ms {:>5} ms   {:>8}  {}, {} (fewest ended: {fewest})",
        driver.name(),
        median.millis,
        worst.millis,
        median.sessions,
        median.ended,
        median.changed,
    );
}

/// The ticks of one daemon on a database of its own.
fn run(driver: DriverKind) -> Vec<Tick> {
    let rig = Rig::with(driver, OLTP);
    let config = rig.read("c.yaml").replace("\"leadership\":false", "\"leadership\":true");
    rig.write("c.yaml", &config.replace(",\"holds\":{\"file\":\"holds.json\"}", ""));
    rig.write("p.yaml", POLICY);
    let mut command = rig.command(&["run", "--format", "json"]);
    let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut daemon = started.expect("it can be started");
    let lines = BufReader::new(daemon.stderr.take().expect("it is piped")).lines();
    let ticks: Vec<Tick> =
        lines.map_while(Result::ok).filter_map(|line| tick(&line)).take(TICKS).collect();
    // It may have ended by itself, and then said too little.
    daemon.kill().ok();
    daemon.wait().expect("it is our child");
    assert_eq!(ticks.len(), TICKS, "it left too soon");
    for tick in &ticks {
        assert_eq!(tick.ended + tick.changed, VICTIMS, "each victim has one of these outcomes");
    }
    ticks
}

fn tick(line: &str) -> Option<Tick> {
    let line: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| line[name].as_u64();
    let millis = number("duration_ms")?;
    let [sessions, ended, changed] =
        [number("sessions")?, number("ended")?, number("gone_or_changed")?];
    Some(Tick { millis, sessions, ended, changed })
}
