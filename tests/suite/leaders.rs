//! Two daemons on one database: one that is frozen, and many hand-overs. Never do both end sessions.

use std::collections::BTreeSet;

use orawarden::oracle::block::Via;
use orawarden::oracle::connection::Account;
use orawarden::oracle::killer::{OracleKiller, Way};
use rac_sim::cluster::mode_lock::Mode;
use rac_sim::cluster::session::Session;
use serde_json::Value;

use crate::daemon::{Running, until};
use crate::proxy::Proxy;
use crate::rig::{Rig, json_lines};
use crate::warden::{QUIET, Ward, kill};

const LEADS: &str = "leadership: true, deadlines: {connect: 5s, snapshot: 5s, kill: 5s}";

/// A second daemon, with an audit and a network of its own.
struct Second {
    proxy: Proxy,
    daemon: Running,
}

impl Second {
    fn start(ward: &Ward, policies: &str) -> Self {
        let proxy = Proxy::before(ward.rig.address());
        let config = ward.rig.read("c.yaml").replace("audit.jsonl", "second.jsonl");
        let config = config.replace("p.yaml", policies);
        let config = config.replace(&ward.proxy.connect(), &proxy.connect());
        ward.rig.write("second.yaml", &config);
        Self { proxy, daemon: ward.start_with("second.yaml") }
    }
}

/// The sessions that one of them was told to have ended.
fn ended(ward: &Ward, audit: &str) -> BTreeSet<String> {
    let records = json_lines(&ward.rig.read(audit));
    let ended = records.iter().filter(|it| it["outcome"] == "ended" && it["kind"] == "outcome");
    let name = |it: &Value| format!("{},{},@{}", it["sid"], it["serial"], it["inst_id"]);
    ended.map(name).collect()
}

#[test]
fn a_frozen_leader_leads_until_its_sessions_are_gone_and_then_ends_nobody() {
    let mut ward = Ward::new(1, LEADS);
    let mut first = ward.start();
    ward.until_ended(1);
    ward.until_told("outcome", "ended", 1);
    let mut second = Second::start(&ward, "p.yaml");
    second.daemon.says(" tick ");

    first.signal("STOP");
    ward.log_on(1, "RACDB1");
    ward.idle();
    second.daemon.forget();
    for _ in 0..4 {
        second.daemon.says(" tick ");
    }
    assert_eq!(ward.ended(), 1, "the leader's sessions are still there");
    let told = ward.rig.read("second.jsonl");
    assert!(told.contains("\"because\":\"follower\""), "{told}");
    // What the server does once it notices that nobody is there.
    ward.proxy.cut();
    ward.until_ended(2);

    first.signal("CONT");
    ward.log_on(1, "RACDB2");
    ward.idle();
    ward.until_ended(3);
    first.forget();
    first.says(" tick ");
    first.says(" tick ");
    let mine = |ward: &Ward| ended(ward, "audit.jsonl").len();
    assert_eq!(mine(&ward), 1, "it did so once, before it was frozen");
    assert_eq!(ended(&ward, "second.jsonl").len(), 2);
    kill(second.daemon);
    ward.log_on(1, "RACDB2");
    ward.idle();
    ward.until_ended(4);
    until("its outcome", || mine(&ward) == 2);
    drop(first);
}

#[test]
fn a_leader_whose_rules_all_rehearse_lets_another_lead() {
    let mut ward = Ward::new(1, LEADS);
    let mut first = ward.start();
    ward.until_ended(1);
    ward.until_told("outcome", "ended", 1);
    ward.rig.write("kept.yaml", &ward.rig.read("p.yaml"));
    let mut second = Second::start(&ward, "kept.yaml");
    second.daemon.says("another daemon leads");

    ward.rig.write("p.yaml", &ward.rig.read("p.yaml").replace("enforce", "dry-run"));
    first.signal("HUP");
    first.says("reloaded");
    ward.log_on(1, "RACDB1");
    ward.idle();
    ward.until_ended(2);
    until("its outcome", || ended(&ward, "second.jsonl").len() == 1);
    drop(first);
}

/// As when ORA-00052 keeps the second of the two locks from a session that has the first.
#[test]
fn a_lock_that_was_asked_for_half_way_lets_nobody_end_anybody() {
    let rig = Rig::start(QUIET);
    let database = rig.database();
    let former = database.connect("orawarden", "RACDB1").expect("it can log in");
    let way =
        Way { via: Via::AlterSystem, leadership: true, width: 1, disconnect_names_instance: false };
    let killer = OracleKiller::new(rig.settings("RACDB1"), Account::default(), way);
    let holds = |program: &str, lock: &str| {
        let mut state = database.lock();
        let id = state.cluster.lock_id(lock).expect("there is room");
        let its = |it: &&Session| it.client.program.starts_with(program);
        let key = state.cluster.sessions().find(its).expect("it is there").key;
        assert_eq!(state.cluster.request_lock(key, id, Mode::Exclusive, 0, false), Ok(Some(0)));
    };
    holds("in-process", "ORAWARDEN_LANES");
    let denied = Err("sessions of the former leader are still there".to_owned());
    assert_eq!(killer.may_end(), denied);
    holds("orawarden", "ORAWARDEN_LEADER");
    assert!(killer.may_end().is_err(), "the former leader's session is still there");
    drop(former);
    until("the end of the former leader", || killer.may_end().is_ok());
}

/// How often the network of whoever leads is cut.
const HAND_OVERS: usize = 100;

#[test]
fn the_lead_goes_to_and_fro_and_nobody_is_ended_twice() {
    let mut ward = Ward::new(0, LEADS);
    let first = ward.start();
    let second = Second::start(&ward, "p.yaml");
    let mut led = [0, 0];
    for round in 1..=HAND_OVERS {
        ward.log_on(2, if round % 2 == 0 { "RACDB1" } else { "RACDB2" });
        ward.idle();
        ward.until_ended(2 * round);
        let now = ["audit.jsonl", "second.jsonl"].map(|audit| {
            std::fs::read_to_string(ward.rig.path(audit))
                .unwrap_or_default()
                .matches("intent")
                .count()
        });
        if now[0] > led[0] {
            ward.proxy.cut();
        } else {
            second.proxy.cut();
        }
        led = now;
    }
    drop((first, second.daemon));
    let (one, other) = (ended(&ward, "audit.jsonl"), ended(&ward, "second.jsonl"));
    assert!(one.is_disjoint(&other), "{one:?} {other:?}");
    assert!(!one.is_empty() && !other.is_empty(), "one of them never led: {one:?} {other:?}");
}
