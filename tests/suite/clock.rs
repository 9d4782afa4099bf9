//! The database's clock, or the machine's, is set by an hour while the daemon looks: nobody is ended because of that.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use rac_sim::cluster::fault::Fault;

use crate::daemon::Running;
use crate::warden::Ward;

/// Ages by a clock, and not by a counter of the server's.
const POLICY: &str = "\
version: 1
rules:
  - name: old
    schedule: '* * * * * *'
    match: {program: in-process, session_age: '> 30m'}
    mode: enforce
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: kill
  - name: young
    schedule: '* * * * * *'
    match: {program: in-process, session_age: '< 10s'}
    min_session_age: 0s
    mode: enforce
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: kill
";

#[test]
fn nobody_is_ended_because_the_databases_clock_was_set() {
    for (hours, way) in [(1, "forward"), (-1, "back")] {
        let mut ward = Ward::new(2, "leadership: true");
        ward.rig.write("p.yaml", POLICY);
        let mut daemon = ward.start();
        daemon.says(" tick ");
        for instance in [1, 2] {
            let skew = Fault::Skew { instance, millis: hours * 3_600_000 };
            ward.rig.database().lock().cluster.inject(&skew);
        }
        daemon.says(&format!("the database's clock was set {way} by"));
        for _ in 0..3 {
            daemon.says(" tick ");
        }
        assert_eq!((ward.ended(), ward.alive()), (0, 2), "{way}");
        drop(daemon);
    }
}

/// For the command the time of day is so many seconds ahead as the file `ahead` says.
fn with_a_clock_of_its_own(ward: &Ward, words: &[&str]) -> Command {
    let library = ward.rig.path("clock_ahead.so");
    if !library.exists() {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/clock_ahead.c");
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-o"]).arg(&library).args([source, "-ldl"]);
        assert!(compile.status().expect("there is a C compiler").success());
    }
    let mut command = ward.rig.command(words);
    command.env("LD_PRELOAD", library).env("CLOCK_AHEAD", ward.rig.path("ahead"));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn start_ahead(ward: &Ward) -> Running {
    let daemon = with_a_clock_of_its_own(ward, &["run"]).spawn();
    Running::of(daemon.expect("it can be started"))
}

/// Sets it ahead of the database's.
fn set_ahead(ward: &Ward, seconds: i64) {
    let taken_at = ward.rig.lines(&["plan"])[0]["taken_at"].clone();
    let there = DateTime::parse_from_rfc3339(taken_at.as_str().expect("it is a text"));
    let apart = there.expect("it is a time").to_utc() - Utc::now();
    ward.rig.write("ahead.new", &(apart.num_seconds() + seconds).to_string());
    std::fs::rename(ward.rig.path("ahead.new"), ward.rig.path("ahead")).expect("it can be moved");
}

#[test]
fn a_machine_whose_clock_was_set_forward_does_not_end_a_pause() {
    let mut ward = Ward::new(1, "");
    set_ahead(&ward, 0);
    let pause = ["pause", "--for", "3m", "--reason", "month end"];
    let paused = with_a_clock_of_its_own(&ward, &pause).status().expect("it can be started");
    assert!(paused.success());
    let mut daemon = start_ahead(&ward);
    ward.until_told("because", "paused", 1);
    set_ahead(&ward, 3_600);
    daemon.forget();
    for _ in 0..3 {
        daemon.says(" tick ");
    }
    assert_eq!(ward.ended(), 0, "by the database's clock it is not over");
    for _ in 0..3 {
        ward.idle_before(&mut daemon);
    }
    ward.until_ended(1);
    drop(daemon);
    let hours: BTreeSet<String> =
        ward.records().iter().map(|it| it["time"].to_string()[..14].to_owned()).collect();
    assert!(hours.len() > 1, "the clock was never set: {hours:?}");
    ward.every_intent_has_one_outcome();
}

#[test]
fn a_machine_whose_clock_was_set_back_goes_on_ending_each_once() {
    let mut ward = Ward::new(1, "");
    set_ahead(&ward, 0);
    let mut daemon = start_ahead(&ward);
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    set_ahead(&ward, -3_600);
    daemon.forget();
    for _ in 0..3 {
        daemon.says(" tick ");
    }
    ward.log_on(1, "RACDB2");
    ward.idle_before(&mut daemon);
    ward.until_ended(2);
    ward.until_told("finding", "gone", 2);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}
