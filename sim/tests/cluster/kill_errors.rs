//! The tables of facts, section 2.6: each error that an issuer or a victim can get.

use rac_sim::cluster::fault::Fault;
use rac_sim::cluster::kill::{Answer, Manner, Order, Target};
use rac_sim::cluster::live::{LogOn, Poll};
use rac_sim::cluster::session::SessionKey;
use rac_sim::cluster::spec::{DeadInstance, ProfileSpec, PseudoAgain, Spec};
use rac_sim::cluster::{Cluster, SECOND};
use rac_sim::conversation::Release;

use super::{Scene, code, death_code, log_on, quiet};

const PLAIN: Order = Order::Kill { manner: Manner::Plain, timeout: None };
const IMMEDIATE: Order = Order::Kill { manner: Manner::Immediate, timeout: None };

fn target(key: SessionKey) -> Target {
    Target { sid: key.sid, serial: key.serial, inst_id: Some(key.inst_id) }
}

#[test]
fn a_malformed_target_is_26() {
    for text in [
        "",
        "12",
        "12,",
        "a,1",
        "12,13,1",
        "12,13,@",
        "12,13,@x",
        "12,13,@1,",
        "-1,2",
        "1.5,2",
        "12,13,@1,@2",
    ] {
        assert_eq!(Target::parse(text).map_err(|error| error.code), Err(26), "{text}");
    }
    let parsed = Target::parse(" 12 , 13 , @2 ").expect("spaces are allowed");
    assert_eq!(parsed, Target { sid: 12, serial: 13, inst_id: Some(2) });
    let (parsed, sql_id) = Target::parse_cancel("12,13,@2,a5ks9fhw2v9s1").expect("a cancel");
    assert_eq!((parsed.inst_id, sql_id.as_deref()), (Some(2), Some("a5ks9fhw2v9s1")));
    let (parsed, sql_id) =
        Target::parse_cancel("12,13,a5ks9fhw2v9s1").expect("a cancel without an instance");
    assert_eq!((parsed.inst_id, sql_id.as_deref()), (None, Some("a5ks9fhw2v9s1")));
}

#[test]
fn ones_own_session_is_27_and_a_background_29() {
    let mut scene = Scene::new(quiet());
    let issuer = scene.issuer;
    assert_eq!(code(&scene.cluster.order(issuer, target(issuer), &IMMEDIATE)), 27);
    let instance = scene.cluster.instance(2).expect("it is there");
    let pmon = instance
        .sessions()
        .find(|one| one.client.program.contains("(PMON)"))
        .expect("it has one")
        .key;
    assert_eq!(code(&scene.cluster.order(issuer, target(pmon), &IMMEDIATE)), 29);
    let cancel = Order::Cancel { sql_id: None };
    assert_eq!(code(&scene.cluster.order(issuer, target(pmon), &cancel)), 29);
}

#[test]
fn a_session_that_is_gone_or_another_life_of_its_slot_is_30() {
    let mut scene = Scene::new(quiet());
    let old = scene.victim;
    scene.cluster.log_off(old);
    assert_eq!(code(&scene.kill(Manner::Plain)), 30);
    let new = log_on(&mut scene.cluster, 1, "OTHER");
    assert_eq!((new.sid, new.serial), (old.sid, old.serial + 1), "the slot is used again at once");
    for order in [PLAIN, IMMEDIATE, Order::Cancel { sql_id: None }] {
        assert_eq!(code(&scene.order(&order)), 30);
    }
    assert_eq!(code(&scene.disconnect(false, Manner::Immediate)), 30);
    assert!(scene.cluster.session(new).is_some_and(|one| one.doom.is_none()), "its heir is well");
    assert_eq!(
        code(&scene.cluster.order(
            scene.issuer,
            Target { sid: 99_999, serial: 1, inst_id: None },
            &PLAIN
        )),
        30
    );
}

#[test]
fn an_instance_is_the_issuers_own_unless_it_is_named() {
    let mut scene = Scene::new(quiet());
    let far = log_on(&mut scene.cluster, 2, "APP");
    let near = Target { inst_id: None, ..target(far) };
    assert_eq!(code(&scene.cluster.order(scene.issuer, near, &IMMEDIATE)), 30);
    assert_eq!(code(&scene.cluster.order(scene.issuer, target(far), &IMMEDIATE)), 0);
}

#[test]
fn an_instance_that_is_not_open_answers_as_the_switch_says() {
    let possible =
        [(DeadInstance::Gone, 30), (DeadInstance::RemoteFailed, 43), (DeadInstance::Invalid, 26)];
    for (dead_instance, expected) in possible {
        let mut spec = quiet();
        spec.switches.dead_instance = dead_instance;
        let mut scene = Scene::new(spec);
        let far = log_on(&mut scene.cluster, 2, "APP");
        scene.cluster.inject(&Fault::Evict { instance: 2, seconds: 0 });
        assert_eq!(code(&scene.cluster.order(scene.issuer, target(far), &IMMEDIATE)), expected);
    }
    let mut spec = quiet();
    spec.switches.dead_instance = DeadInstance::Waits;
    let mut scene = Scene::new(spec);
    scene.cluster.inject(&Fault::Evict { instance: 2, seconds: 0 });
    let wanted = Target { sid: 1, serial: 1, inst_id: Some(2) };
    let Answer::Wait(pending) = scene.cluster.order(scene.issuer, wanted, &PLAIN) else {
        panic!("it waits")
    };
    scene.pass(60);
    assert_eq!(code(&scene.cluster.ask_again(pending)), 31);
}

#[test]
fn clauses_that_a_release_does_not_know_are_syntax_errors() {
    let ask = |release, force_before_23, order: &Order| {
        let mut spec = Spec { release, ..quiet() };
        spec.switches.force_before_23 = force_before_23;
        code(&Scene::new(spec).order(order))
    };
    let kill = |manner, timeout| Order::Kill { manner, timeout };
    assert_eq!(ask(Release::R11_2, false, &kill(Manner::NoReplay, None)), 922);
    assert_eq!(ask(Release::R12_1, false, &kill(Manner::NoReplay, None)), 0);
    assert_eq!(ask(Release::R11_2, false, &IMMEDIATE), 0);
    assert_eq!(ask(Release::R19, false, &kill(Manner::Force, None)), 922);
    assert_eq!(ask(Release::R19, true, &kill(Manner::Force, Some(0))), 0);
    assert_eq!(ask(Release::R12_1, true, &kill(Manner::Force, None)), 922);
    assert_eq!(ask(Release::R23, false, &kill(Manner::Force, None)), 0);
    assert_eq!(ask(Release::R19, false, &kill(Manner::Immediate, Some(9))), 922);
    let cancel = Order::Cancel { sql_id: None };
    assert_eq!(ask(Release::R12_1, false, &cancel), 2_065);
    assert_eq!(ask(Release::R12_2, false, &cancel), 0);
    assert_eq!(ask(Release::R19, false, &cancel), 0);
}

#[test]
fn disconnect_may_refuse_an_instance() {
    let mut spec = quiet();
    spec.switches.disconnect_at_instance = false;
    let mut scene = Scene::new(spec);
    assert_eq!(code(&scene.disconnect(false, Manner::Immediate)), 26);
    let near = Target { inst_id: None, ..target(scene.victim) };
    let order =
        Order::Disconnect { post_transaction: false, manner: Manner::Immediate, timeout: None };
    assert_eq!(code(&scene.cluster.order(scene.issuer, near, &order)), 0);
}

#[test]
fn another_container_is_out_of_reach_from_a_pluggable_one() {
    let mut spec = quiet();
    spec.containers = vec!["ONE".into(), "TWO".into()];
    spec.switches.other_container = 30;
    let mut cluster = Cluster::new(spec, 1);
    let mut enter = |con_id| {
        let who = LogOn { user: "U".into(), con_id, ..LogOn::default() };
        cluster.log_on(1, who).expect("there is room")
    };
    let (root, one, two, other) = (enter(1), enter(3), enter(4), enter(4));
    assert_eq!(code(&cluster.order(one, target(two), &IMMEDIATE)), 30);
    assert_eq!(code(&cluster.order(root, target(two), &IMMEDIATE)), 0);
    assert_eq!(code(&cluster.order(one, target(root), &IMMEDIATE)), 30);
    assert_eq!(code(&cluster.order(other, target(one), &IMMEDIATE)), 30);
}

#[test]
fn a_pseudo_row_answers_a_second_kill_as_the_switch_says() {
    for (pseudo_again, expected) in
        [(PseudoAgain::Gone, 30), (PseudoAgain::Marked, 31), (PseudoAgain::Nothing, 0)]
    {
        let mut spec = quiet();
        spec.switches.pseudo_again = pseudo_again;
        let mut scene = Scene::new(spec);
        assert_eq!(code(&scene.kill(Manner::Plain)), 0);
        assert_eq!(code(&scene.kill(Manner::Plain)), expected);
        assert_eq!(scene.row(), Some(("KILLED", "PSEUDO")));
        assert_eq!(code(&scene.kill(Manner::Immediate)), 0);
        assert_eq!(scene.row(), None, "IMMEDIATE does not wait for the client");
    }
}

#[test]
fn a_cancel_ends_the_call_that_it_was_for_and_no_other() {
    let cancel = Order::Cancel { sql_id: None };
    let mut scene = Scene::new(quiet());
    scene.begin("select count(*) from big");
    assert_eq!(code(&scene.order(&cancel)), 0);
    scene.end();
    // No time has passed.
    scene.begin("select count(*) from innocent");
    scene.pass(5);
    assert_eq!(scene.cluster.poll(scene.victim), Poll::Done(0));
    assert_eq!(code(&scene.order(&cancel)), 0);
    scene.pass(5);
    assert!(matches!(scene.cluster.poll(scene.victim), Poll::Failed(error) if error.code == 1_013));
}

#[test]
fn a_cancel_with_another_sql_id_is_refused() {
    for (cancel_mismatch, expected) in [(26, 26), (0, 0)] {
        let mut spec = quiet();
        spec.switches.cancel_mismatch = cancel_mismatch;
        let mut scene = Scene::new(spec);
        scene.begin("select count(*) from big");
        assert_eq!(
            code(&scene.order(&Order::Cancel { sql_id: Some("a5ks9fhw2v9s1".into()) })),
            expected
        );
        scene.pass(10);
        assert_eq!(scene.row(), Some(("ACTIVE", "DEDICATED")), "nothing was cancelled");
    }
}

#[test]
fn no_replay_tells_the_victim_45() {
    let mut scene = Scene::new(quiet());
    assert_eq!(code(&scene.kill(Manner::NoReplay)), 0);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(45));
    let mut spec = quiet();
    spec.switches.no_replay_waits = true;
    let mut scene = Scene::new(spec);
    scene.sleep(300);
    assert_eq!(
        code(&scene.kill(Manner::NoReplay)),
        -1,
        "with the switch it waits like a plain KILL"
    );
    let mut scene = Scene::new(quiet());
    scene.sleep(300);
    assert_eq!(code(&scene.kill(Manner::NoReplay)), 31);
    let mut scene = Scene::new(quiet());
    assert_eq!(code(&scene.disconnect(false, Manner::NoReplay)), 0);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(45));
}

#[test]
fn force_tears_the_connection_down_when_its_time_is_over() {
    let mut scene = Scene::new(Spec { release: Release::R23, ..quiet() });
    scene.sleep(3_000);
    let Answer::Wait(pending) = scene.kill(Manner::Force) else {
        panic!("it waits for five seconds")
    };
    assert_eq!(pending.until, scene.cluster.now() + 5 * SECOND);
    scene.pass(5);
    assert_eq!(code(&scene.cluster.ask_again(pending)), 0);
    assert_eq!(scene.row(), None);
    let mut scene = Scene::new(Spec { release: Release::R23, ..quiet() });
    scene.sleep(3_000);
    let Answer::Wait(pending) =
        scene.order(&Order::Kill { manner: Manner::Immediate, timeout: Some(7) })
    else {
        panic!("with TIMEOUT it no longer returns at once")
    };
    scene.pass(7);
    assert_eq!(code(&scene.cluster.ask_again(pending)), 31);
}

#[test]
fn being_told_31_can_cost_the_issuer_its_connection() {
    let mut spec = quiet();
    spec.switches.marked_cuts_issuer = true;
    let mut scene = Scene::new(spec);
    scene.sleep(300);
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
    assert!(scene.cluster.session(scene.issuer).is_none());
    assert_eq!(death_code(scene.cluster.death(scene.issuer)), Some(0));
}

#[test]
fn profiles_tell_2396_2399_and_2391() {
    let mut spec = quiet();
    let profile = |user: &str, idle_minutes, connect_minutes, sessions| ProfileSpec {
        user: user.into(),
        idle_minutes,
        connect_minutes,
        sessions,
    };
    spec.profiles =
        vec![profile("APP", Some(5), None, None), profile("SHORT", None, Some(10), Some(1))];
    let mut scene = Scene::new(spec);
    let short = log_on(&mut scene.cluster, 1, "SHORT");
    assert_eq!(
        super::try_log_on(&mut scene.cluster, 1, "SHORT").map_err(|error| error.code),
        Err(2_391)
    );
    scene.pass(299);
    assert_eq!(scene.row(), Some(("INACTIVE", "DEDICATED")));
    scene.pass(70);
    assert_eq!(scene.row(), Some(("SNIPED", "DEDICATED")));
    let session = scene.cluster.session(scene.victim).expect("its row and its process stay");
    assert_eq!(
        scene.cluster.last_call_et(session),
        369,
        "it still counts from when it became idle"
    );
    assert_eq!(scene.next_call(), 2_396);
    assert_eq!(scene.row(), None);
    scene.pass(400);
    scene.victim = short;
    assert_eq!(scene.next_call(), 2_399);
}
