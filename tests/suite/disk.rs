//! A disk that is full: no audit, no kill; and nothing is lost or cut once there is room again.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::daemon::Guarded;
use crate::proxy::Gate;
use crate::warden::{END, LOOK, Ward, fill_disk};

#[test]
fn while_intents_do_not_fit_nobody_is_ended_and_the_daemon_goes_on_looking() {
    let mut ward = Ward::new(3, "");
    ward.proxy.stop_at(Gate::Request(LOOK));
    let mut daemon = ward.start();
    ward.proxy.held();
    // One of the three would fit, and half of another.
    fill_disk(&daemon, Some(700));
    ward.proxy.open();
    for _ in 0..3 {
        daemon.says("nobody is ended: no audit");
    }
    assert_eq!((ward.ended(), ward.alive(), ward.rig.read("audit.jsonl")), (0, 3, String::new()));
    fill_disk(&daemon, None);
    daemon.says("the audit can be written again");
    ward.until_ended(3);
    ward.until_told("finding", "gone", 3);
    drop(daemon);
    assert_eq!(ward.told("kind", "intent"), 3, "those that failed are forgotten");
    ward.every_intent_has_one_outcome();
}

/// A look that has nothing to write says nothing of the audit.
#[test]
fn while_the_disk_is_full_a_tick_without_decisions_does_not_say_that_the_audit_works() {
    let ward = Ward::new(3, "");
    let policy = ward.rig.read("p.yaml");
    let rare =
        policy.replace("\nrules:", "").replace("version: 1", "").replace("idle\n", "nobody\n");
    let rare = rare.replace("'* * * * * *'", "'1/2 * * * * *'").replace("in-process", "none");
    let policy = policy.replace("'* * * * * *'", "'0/2 * * * * *'");
    ward.rig.write("p.yaml", &format!("{policy}{rare}"));
    ward.proxy.stop_at(Gate::Request(LOOK));
    let mut daemon = ward.start();
    ward.proxy.held();
    fill_disk(&daemon, Some(700));
    ward.proxy.open();
    daemon.says("nobody is ended: no audit");
    let mut said = String::new();
    for _ in 0..5 {
        said += &daemon.says_all_until("nobody is ended: no audit");
    }
    assert!(!said.contains("can be written again"), "{said}");
    fill_disk(&daemon, None);
    daemon.says("the audit can be written again");
    let text = ward.rig.read("audit.jsonl");
    assert!(text.lines().all(|line| line.starts_with('{')), "no probe stays: {text}");
}

#[test]
fn what_was_done_when_the_disk_was_full_is_written_when_there_is_room() {
    let mut ward = Ward::new(3, "concurrency: 1");
    ward.proxy.stop_at(Gate::Answer(END));
    let mut daemon = ward.start();
    ward.proxy.held();
    fill_disk(&daemon, Some(ward.rig.read("audit.jsonl").len() as u64 + 100));
    ward.proxy.open();
    daemon.says("nobody is ended: no audit");
    daemon.says("nobody is ended: no audit");
    assert_eq!((ward.ended(), ward.told("kind", "outcome")), (1, 0), "one was under way");
    ward.records();
    fill_disk(&daemon, None);
    daemon.says("the audit can be written again");
    ward.until_ended(3);
    ward.until_told("finding", "gone", 3);
    drop(daemon);
    assert_eq!((ward.told("outcome", "ended"), ward.told("why", "not-tried")), (6, 2));
    ward.every_intent_has_one_outcome();
}

#[test]
fn a_file_of_holds_that_never_answers_pauses_everything() {
    let mut ward = Ward::new(0, "");
    let mut daemon = ward.start();
    daemon.says(" tick ");
    let path = ward.rig.path("holds.json");
    std::fs::remove_file(&path).expect("it is there");
    let made = Command::new("mkfifo").arg(&path).status().expect("it is there");
    assert!(made.success());
    daemon.says("everything is paused");
    ward.log_on(1, "RACDB1");
    ward.idle();
    ward.until_told("because", "paused", 2);
    assert_eq!(ward.ended(), 0);
    std::fs::remove_file(&path).expect("it is there");
    assert_eq!(ward.rig.types(&["resume"]).0, Some(0));
    ward.until_ended(1);
    drop(daemon);
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let mut ward = Ward::new(1, "");
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = ward.rig.command(&["run"]);
    command.stdout(Stdio::null()).stderr(full);
    let daemon = Guarded(command.spawn().expect("it can be started"));
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}
