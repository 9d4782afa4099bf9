//! kill -9 at every step of ending sessions: the audit stays whole, nobody is ended twice, and nothing is forgotten.

use crate::proxy::Gate;
use crate::warden::{END, LOOK, Ward, fill_disk, kill};

const UNKNOWN: &str = "an earlier run ended before it knew what came of this";

#[test]
fn before_the_intent_nothing_is_known_and_nothing_was_done() {
    let mut ward = Ward::new(1, "");
    ward.proxy.stop_at(Gate::Request(LOOK));
    let daemon = ward.start();
    ward.proxy.held();
    kill(daemon);
    ward.proxy.cut();
    assert_eq!((ward.records().len(), ward.ended()), (0, 0));
    let daemon = ward.start();
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}

#[test]
fn between_intent_and_statement_it_is_unknown_and_tried_again_after_a_while() {
    let mut ward = Ward::new(1, "");
    ward.proxy.stop_at(Gate::Request(END));
    let daemon = ward.start();
    ward.proxy.held();
    kill(daemon);
    ward.proxy.cut();
    assert_eq!((ward.told("kind", "intent"), ward.told("kind", "outcome")), (1, 0));
    assert_eq!(ward.ended(), 0);
    let mut daemon = ward.start();
    daemon.says(UNKNOWN);
    assert_eq!(ward.told("why", "interrupted"), 1);
    // Nobody knows that nothing was sent, so it is not sent again at once.
    ward.until_told("because", "pending", 3);
    assert_eq!(ward.ended(), 0);
    ward.idle_before(&mut daemon);
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}

#[test]
fn between_statement_and_answer_it_is_unknown_and_found_to_be_gone() {
    let mut ward = Ward::new(1, "");
    ward.proxy.stop_at(Gate::Answer(END));
    let daemon = ward.start();
    ward.proxy.held();
    ward.until_ended(1);
    kill(daemon);
    ward.proxy.cut();
    assert_eq!((ward.told("kind", "intent"), ward.told("kind", "outcome")), (1, 0));
    let mut daemon = ward.start();
    daemon.says(UNKNOWN);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    let records = ward.records();
    let verified = records.iter().find(|it| it["kind"] == "verified").expect("it was told");
    assert_eq!((&verified["outcome"], &verified["rule"]), (&"unknown".into(), &"idle".into()));
    assert_eq!(ward.ended(), 1);
    ward.every_intent_has_one_outcome();
}

#[test]
fn between_answer_and_record_it_is_unknown_and_found_to_be_gone() {
    let mut ward = Ward::new(1, "");
    ward.proxy.stop_at(Gate::Answer(END));
    let mut daemon = ward.start();
    ward.proxy.held();
    // Half of the outcome would fit.
    fill_disk(&daemon, Some(ward.rig.read("audit.jsonl").len() as u64 + 100));
    ward.proxy.open();
    daemon.says("nobody is ended: no audit");
    kill(daemon);
    assert_eq!((ward.told("kind", "intent"), ward.told("kind", "outcome")), (1, 0));
    assert_eq!(ward.records().len(), 1, "no half record is left");
    let mut daemon = ward.start();
    daemon.says(UNKNOWN);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    assert_eq!(ward.ended(), 1);
    ward.every_intent_has_one_outcome();
}

/// The outcome is written when it is known, and synced with the tick's last: a process that dies in between leaves it,
/// a machine may not.
#[test]
fn between_record_and_sync_it_is_known_or_unknown_and_never_done_again() {
    for is_lost in [false, true] {
        let mut ward = Ward::new(2, "concurrency: 1, limits: {per_second: 1}");
        let daemon = ward.start();
        ward.until_told("kind", "outcome", 1);
        kill(daemon);
        let (ended, known) = (ward.ended(), ward.told("outcome", "ended"));
        assert!(known > 0 && known <= ended, "{known} of {ended}");
        if is_lost {
            let text = ward.rig.read("audit.jsonl");
            let is_intent = |line: &&str| line.contains("\"kind\":\"intent\"");
            let synced: String = text.split_inclusive('\n').filter(is_intent).collect();
            ward.rig.write("audit.jsonl", &synced);
        }
        let mut daemon = ward.start();
        let interrupted = if is_lost { 2 } else { 2 - known };
        ward.until_told("finding", "gone", ended);
        assert_eq!(ward.told("why", "interrupted"), interrupted);
        ward.idle_before(&mut daemon);
        ward.until_ended(2);
        ward.until_told("finding", "gone", 2);
        drop(daemon);
        ward.every_intent_has_one_outcome();
    }
}

#[test]
fn half_an_intent_is_none_and_spoils_nothing() {
    let mut ward = Ward::new(2, "");
    ward.proxy.stop_at(Gate::Request(END));
    let daemon = ward.start();
    ward.proxy.held();
    kill(daemon);
    ward.proxy.cut();
    // What a machine that lost its power may leave.
    let text = ward.rig.read("audit.jsonl");
    let half = text.lines().next().expect("there are two intents").len() / 2;
    ward.rig.write("audit.jsonl", &text[..half]);
    let daemon = ward.start();
    ward.until_ended(2);
    ward.until_told("finding", "gone", 2);
    drop(daemon);
    let text = ward.rig.read("audit.jsonl");
    let (cut_off, rest) = text.split_once('\n').expect("it was closed");
    assert_eq!(cut_off.len(), half);
    ward.rig.write("audit.jsonl", rest);
    ward.every_intent_has_one_outcome();
}

/// How often the daemon is killed at some moment.
const KILLS: usize = 50;

/// More than what the daemon sends from its log-in to the first end.
const BYTES_MAX: usize = 40_000;

#[test]
fn fifty_kills_at_some_moment_end_nobody_twice_and_forget_nobody() {
    let mut ward = Ward::new(0, "concurrency: 3");
    let mut chance = 7_usize;
    for _ in 0..KILLS {
        ward.log_on(4, "RACDB1");
        ward.idle();
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ward.proxy.stop_at(Gate::Bytes((chance >> 33) % BYTES_MAX));
        let daemon = ward.start();
        ward.proxy.held();
        kill(daemon);
        ward.proxy.cut();
        ward.ended();
        ward.records();
    }
    let mut daemon = ward.start();
    ward.idle_before(&mut daemon);
    ward.until_ended(4 * KILLS);
    crate::daemon::until("every end is seen", || ward.alive() == 0);
    drop(daemon);
    assert!(ward.told("why", "interrupted") > 0, "no kill came at a moment that matters");
}
