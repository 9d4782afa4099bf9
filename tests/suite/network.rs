//! The network cut, the database hung, an instance gone, the account closed: in the middle of a look and of an end.

use rac_sim::catalog::account::AccountStatus;
use rac_sim::cluster::fault::Fault;

use crate::proxy::Gate;
use crate::warden::{END, LOOK, Ward};

const LEADS: &str = "leadership: true";

/// So that a test need not wait long.
const HASTY: &str = "leadership: true, deadlines: {connect: 2s, snapshot: 2s, kill: 2s}";

#[test]
fn a_cut_before_the_statement_is_unknown_and_tried_again_later_by_whoever_leads() {
    let mut ward = Ward::new(1, LEADS);
    ward.proxy.stop_at(Gate::Request(END));
    let mut daemon = ward.start();
    ward.proxy.held();
    ward.proxy.cut();
    ward.until_told("outcome", "unknown", 1);
    // It may have got there, for all that is known here.
    ward.until_told("because", "pending", 3);
    assert_eq!(ward.ended(), 0);
    ward.idle_before(&mut daemon);
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}

#[test]
fn a_cut_before_the_answer_is_unknown_and_found_to_be_gone() {
    let mut ward = Ward::new(1, LEADS);
    ward.proxy.stop_at(Gate::Answer(END));
    let daemon = ward.start();
    ward.proxy.held();
    ward.until_ended(1);
    ward.proxy.cut();
    ward.until_told("outcome", "unknown", 1);
    ward.until_told("finding", "gone", 1);
    // The lock went with the session, and is taken anew.
    ward.log_on(1, "RACDB2");
    ward.idle();
    ward.until_ended(2);
    drop(daemon);
}

#[test]
fn a_network_that_stands_still_costs_a_deadline_and_nothing_else() {
    let mut ward = Ward::new(1, HASTY);
    ward.proxy.stop_at(Gate::Request(LOOK));
    let mut daemon = ward.start();
    ward.proxy.held();
    daemon.says("could not look");
    ward.proxy.cut();
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    ward.log_on(1, "RACDB2");
    ward.proxy.stop_at(Gate::Answer(END));
    ward.idle();
    ward.proxy.held();
    ward.until_told("outcome", "unknown", 1);
    ward.proxy.cut();
    ward.until_told("finding", "gone", 2);
    assert_eq!(ward.ended(), 2);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}

#[test]
fn a_database_that_hangs_costs_a_deadline_and_ends_nobody_twice() {
    let mut ward = Ward::new(1, HASTY);
    let inject = |fault: Fault| ward.rig.database().lock().cluster.inject(&fault);
    let hang = || [1, 2].map(|instance| inject(Fault::Hang { instance, seconds: 0 }));
    let lift = || inject(Fault::Lift);
    ward.proxy.stop_at(Gate::Request(LOOK));
    let mut daemon = ward.start();
    ward.proxy.held();
    hang();
    ward.proxy.open();
    daemon.says("could not look");
    lift();
    ward.proxy.stop_at(Gate::Request(END));
    ward.proxy.held();
    hang();
    ward.proxy.open();
    ward.until_told("outcome", "unknown", 1);
    lift();
    ward.idle_before(&mut daemon);
    ward.until_ended(1);
    ward.until_told("finding", "gone", 1);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}

#[test]
fn an_instance_that_dies_with_our_sessions_on_it_ends_nobody_else() {
    let mut ward = Ward::new(1, LEADS);
    ward.proxy.stop_at(Gate::Request(END));
    let mut daemon = ward.start();
    ward.proxy.held();
    ward.rig.database().lock().cluster.inject(&Fault::Evict { instance: 1, seconds: 0 });
    ward.rig.database().lock().cluster.inject(&Fault::Evict { instance: 2, seconds: 0 });
    ward.proxy.open();
    ward.until_told("kind", "outcome", 1);
    daemon.says("could not look");
    for instance in [1, 2] {
        ward.rig.database().lock().cluster.inject(&Fault::Start { instance });
    }
    ward.idle();
    ward.until_told("kind", "verified", 1);
    ward.log_on(1, "RACDB2");
    ward.idle();
    ward.until_ended(1);
    ward.until_told("outcome", "ended", 1);
    drop(daemon);
    ward.every_intent_has_one_outcome();
}

#[test]
fn who_is_on_an_instance_that_is_missing_without_an_error_is_not_gone() {
    let mut ward = Ward::new(0, LEADS);
    let mut daemon = ward.start();
    daemon.says(" tick ");
    ward.log_on(1, "RACDB2");
    ward.proxy.stop_at(Gate::Answer(END));
    ward.idle();
    ward.proxy.held();
    ward.rig.database().lock().cluster.inject(&Fault::Hide { instance: 2, seconds: 0 });
    ward.proxy.open();
    ward.until_told("outcome", "ended", 1);
    daemon.forget();
    for _ in 0..3 {
        daemon.says(" tick ");
    }
    assert_eq!(ward.told("finding", "gone"), 0, "nobody can know");
    ward.rig.database().lock().cluster.inject(&Fault::Lift);
    ward.until_told("finding", "gone", 1);
    assert_eq!(ward.ended(), 1);
    drop(daemon);
}

#[test]
fn a_password_that_was_changed_is_tried_once_and_the_new_one_as_soon_as_it_is_there() {
    let mut ward = Ward::new(0, LEADS);
    let mut daemon = ward.start();
    daemon.says(" tick ");
    let database = ward.rig.database();
    database.lock().books.accounts.change_password("ORAWARDEN", "new").expect("it is there");
    ward.proxy.cut();
    let why = daemon.says("not tried again with the same password");
    assert!(why.contains("ORA-01017"), "{why}");
    let failed = || {
        let state = database.lock();
        state.books.accounts.get("ORAWARDEN").expect("it is there").failed
    };
    assert_eq!(failed(), 1);
    ward.rig.write("password", "new\n");
    daemon.says(" tick ");
    ward.log_on(1, "RACDB1");
    ward.idle();
    ward.until_ended(1);
    drop(daemon);
}

#[test]
fn an_account_that_is_closed_is_said_to_be_and_used_again_when_it_is_open() {
    let mut ward = Ward::new(0, LEADS);
    let set = |status| {
        let database = ward.rig.database();
        database.lock().books.accounts.get_mut("ORAWARDEN").expect("it is there").status = status;
    };
    let mut daemon = ward.start();
    daemon.says(" tick ");
    for (status, code) in
        [(AccountStatus::Locked, "ORA-28000"), (AccountStatus::Expired, "ORA-28001")]
    {
        set(status);
        ward.proxy.cut();
        daemon.says(code);
        set(AccountStatus::Open);
        // Somebody who mended it need not wait until the daemon tries again by itself.
        let minutes = if code == "ORA-28000" { 3 } else { 4 };
        let besides = format!(
            "{{connect: '{}', deadlines: {{kill: {minutes}m}}, leadership: true}}",
            ward.proxy.connect()
        );
        let policy = ward.rig.read("p.yaml");
        ward.rig.configure("orawarden", &besides);
        ward.rig.write("p.yaml", &policy);
        daemon.signal("HUP");
        daemon.says("reloaded");
        daemon.says(" tick ");
    }
    ward.log_on(1, "RACDB1");
    ward.idle();
    ward.until_ended(1);
    drop(daemon);
}
