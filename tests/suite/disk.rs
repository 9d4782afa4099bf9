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
