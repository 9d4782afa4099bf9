//! The table of facts, section 2.5: what the row looks like afterwards, one test for each line.

use rac_sim::cluster::SECOND;
use rac_sim::cluster::fault::Fault;
use rac_sim::cluster::kill::{Answer, Manner, Order};
use rac_sim::cluster::live::{Grant, Poll};
use rac_sim::cluster::lock::Row;
use rac_sim::cluster::session::CallKind;
use rac_sim::cluster::spec::Spec;

use super::{Scene, code, death_code, log_on, quiet};

#[test]
fn plain_kill_of_an_inactive_session_leaves_a_pseudo_row_until_its_client_calls() {
    let mut scene = Scene::new(quiet());
    let instance = |scene: &Scene, name: &str| {
        let instance = scene.cluster.instance(1).expect("it is there");
        let row = scene.cluster.resource_limits(instance).into_iter().find(|row| row.name == name);
        row.expect("it is listed").current
    };
    let before = (instance(&scene, "sessions"), instance(&scene, "processes"));
    assert_eq!(code(&scene.kill(Manner::Plain)), 0);
    assert_eq!(scene.row(), Some(("KILLED", "PSEUDO")));
    let paddr = scene.cluster.session(scene.victim).expect("the row stays").paddr;
    let processes = |scene: &Scene| {
        scene
            .cluster
            .instance(1)
            .expect("it is there")
            .processes()
            .filter(|process| process.addr == paddr)
            .count()
    };
    assert_eq!(processes(&scene), 0, "PADDR dangles");
    assert_eq!(
        (instance(&scene, "sessions"), instance(&scene, "processes")),
        before,
        "it still counts"
    );
    let instance_one = scene.cluster.instance(1).expect("it is there");
    assert_eq!(scene.cluster.dead_cleanup(instance_one)[0].state, "RESOURCES FREED - PENDING ACK");
    scene.pass(100_000);
    assert_eq!(scene.row(), Some(("KILLED", "PSEUDO")), "a silent client leaves the row standing");
    assert_eq!(scene.next_call(), 28);
    assert_eq!(scene.row(), None);
    assert_eq!(scene.next_call(), 1_012);
    assert_eq!(instance(&scene, "processes"), before.1 - 1);
}

#[test]
fn paddr_of_the_killed_can_be_rewritten() {
    let mut spec = quiet();
    spec.switches.paddr_rewritten = true;
    let mut scene = Scene::new(spec);
    let before = scene.cluster.session(scene.victim).expect("it lives").paddr;
    scene.kill(Manner::Plain);
    let session = scene.cluster.session(scene.victim).expect("the row stays");
    assert_ne!(session.paddr, before);
    assert_eq!(session.creator_addr, before, "CREATOR_ADDR keeps the real process");
}

#[test]
fn plain_kill_of_an_active_session_ends_it_within_the_minute() {
    let mut scene = Scene::new(quiet());
    scene.begin("select count(*) from big");
    let Answer::Wait(pending) = scene.kill(Manner::Plain) else { panic!("the issuer waits") };
    assert_eq!(pending.until, scene.cluster.now() + 60 * SECOND);
    assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")));
    assert_eq!(code(&scene.cluster.ask_again(pending)), -1);
    scene.pass(2);
    assert_eq!(scene.row(), None, "the row vanishes as soon as the victim notices");
    assert_eq!(code(&scene.cluster.ask_again(pending)), 0);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(28));
    assert!(matches!(scene.cluster.poll(scene.victim), Poll::Failed(error) if error.code == 28));
    scene.cluster.acknowledge(scene.victim);
    assert_eq!(scene.cluster.death(scene.victim), None);
}

#[test]
fn plain_kill_of_a_sleeper_is_only_accepted() {
    let mut scene = Scene::new(quiet());
    scene.sleep(300);
    let Answer::Wait(pending) = scene.kill(Manner::Plain) else { panic!("the issuer waits") };
    scene.pass(59);
    assert_eq!(code(&scene.cluster.ask_again(pending)), -1);
    scene.pass(1);
    assert_eq!(code(&scene.cluster.ask_again(pending)), 31);
    assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")), "it sleeps on and holds what it has");
    let instance = scene.cluster.instance(1).expect("it is there");
    assert_eq!(scene.cluster.dead_cleanup(instance)[0].state, "UNSAFE TO ATTEMPT");
    scene.pass(239);
    assert!(scene.row().is_some());
    scene.pass(2);
    assert_eq!(scene.row(), None, "it ends when its sleep does");
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(28));
}

#[test]
fn kill_immediate_of_an_inactive_session_takes_the_row_at_once() {
    for (lost_contact, told) in [(false, 0), (true, 3_135)] {
        let mut spec = quiet();
        spec.switches.lost_contact = lost_contact;
        let mut scene = Scene::new(spec);
        scene.change(50);
        assert_eq!(code(&scene.kill(Manner::Immediate)), 0);
        assert_eq!(scene.row(), None);
        assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(told));
        assert_eq!(
            scene.cluster.instance(1).expect("it is there").transactions().count(),
            0,
            "rolled back"
        );
    }
}

#[test]
fn kill_immediate_of_an_active_session_answers_31_and_ends_it_soon() {
    let mut scene = Scene::new(quiet());
    scene.begin("select count(*) from big");
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
    assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")));
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31, "marked is marked");
    scene.pass(2);
    assert_eq!(scene.row(), None);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(28));
}

#[test]
fn undo_of_a_large_transaction_falls_to_nothing_while_the_row_says_killed() {
    let mut scene = Scene::new(quiet());
    scene.change(2_000_000); // 100 seconds at 20,000 records a second
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31, "it is not over at once");
    let undo = |scene: &Scene| {
        let instance = scene.cluster.instance(1).expect("it is there");
        let one = instance
            .transactions()
            .next()
            .map(|one| (one.used_urec(scene.cluster.now()), one.is_rolling_back()));
        one.unwrap_or_default()
    };
    let mut last = undo(&scene).0;
    assert_eq!(last, 2_000_001);
    for _ in 0..9 {
        scene.pass(10);
        let (records, rolling_back) = undo(&scene);
        assert!(rolling_back && records < last, "{records} < {last}");
        assert!((last - records).abs_diff(200_000) < 10, "the fall is even");
        assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")));
        last = records;
    }
    let instance = scene.cluster.instance(1).expect("it is there");
    assert_eq!(scene.cluster.dead_cleanup(instance)[0].state, "PARTIAL CLEANUP");
    let locks = scene.cluster.lock_rows(instance);
    assert!(
        locks.iter().any(|lock| lock.sid == scene.victim.sid && lock.lock_type == "TX"),
        "the locks stay"
    );
    scene.pass(11);
    assert_eq!((undo(&scene), scene.row()), ((0, false), None));
}

#[test]
fn disconnect_immediate_takes_the_row_and_leaves_the_undo_to_the_background() {
    let mut scene = Scene::new(quiet());
    scene.change(2_000_000);
    scene.sleep(300);
    assert_eq!(code(&scene.disconnect(false, Manner::Immediate)), 0);
    assert_eq!(scene.row(), None, "even out of a sleep");
    assert_eq!(
        death_code(scene.cluster.death(scene.victim)),
        Some(0),
        "cut: the client makes ORA-03113 of it"
    );
    let instance = scene.cluster.instance(1).expect("it is there");
    assert_eq!(instance.transactions().next().map(|one| one.session), Some(None));
    assert_eq!(scene.cluster.dead_cleanup(instance)[0].cleanup_type, "DEAD PROCESS");
    scene.pass(101);
    assert_eq!(scene.cluster.instance(1).expect("it is there").transactions().count(), 0);
}

#[test]
fn cancel_sql_ends_the_call_and_the_session_lives() {
    let mut scene = Scene::new(quiet());
    scene.begin("select count(*) from big");
    let sql_id = scene
        .cluster
        .session(scene.victim)
        .and_then(|one| one.current.clone())
        .expect("it runs")
        .statement
        .sql_id;
    assert_eq!(code(&scene.order(&Order::Cancel { sql_id: Some(sql_id.to_string()) })), 0);
    assert_eq!(
        scene.cluster.poll(scene.victim),
        Poll::Done(0),
        "the answer comes before the effect"
    );
    scene.pass(2);
    assert!(matches!(scene.cluster.poll(scene.victim), Poll::Failed(error) if error.code == 1_013));
    scene.end();
    assert_eq!(scene.row(), Some(("INACTIVE", "DEDICATED")));
    let session = scene.cluster.session(scene.victim).expect("it lives");
    assert_eq!(session.current, None);
    assert_eq!(session.previous.as_ref().map(|one| one.statement.sql_id), Some(sql_id));
    assert_eq!(scene.next_call(), 0);
}

#[test]
fn cancel_sql_that_comes_late_does_not_hit_the_next_call() {
    let mut scene = Scene::new(quiet());
    scene.begin("select count(*) from big");
    assert_eq!(code(&scene.order(&Order::Cancel { sql_id: None })), 0);
    scene.end();
    scene.pass(1);
    scene.begin("select 2 from dual");
    scene.pass(5);
    assert_eq!(scene.cluster.poll(scene.victim), Poll::Done(0));
}

#[test]
fn cancel_sql_without_an_id_reaches_the_next_statement_of_an_idle_session_or_not() {
    for (reaches, told) in [(true, 1_013), (false, 0)] {
        let mut spec = quiet();
        spec.switches.cancel_reaches_next = reaches;
        let mut scene = Scene::new(spec);
        assert_eq!(code(&scene.order(&Order::Cancel { sql_id: None })), 0);
        assert_eq!(scene.next_call(), told);
        scene.end();
        assert_eq!(scene.next_call(), 0, "only one");
    }
}

#[test]
fn disconnect_post_transaction_waits_for_its_end() {
    let mut scene = Scene::new(quiet());
    scene.change(50);
    assert_eq!(code(&scene.disconnect(true, Manner::Immediate)), 0);
    scene.pass(100_000);
    assert_eq!(
        scene.row(),
        Some(("INACTIVE", "DEDICATED")),
        "an abandoned transaction means never"
    );
    scene.cluster.begin_call(scene.victim, CallKind::Bare, None).expect("it works on");
    scene.cluster.commit(scene.victim);
    assert_eq!(scene.row(), None);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(0));

    let mut scene = Scene::new(Spec::default());
    assert_eq!(code(&scene.disconnect(true, Manner::Plain)), 0);
    assert_eq!(scene.row(), Some(("KILLED", "PSEUDO")), "without a transaction it is a KILL");
}

#[test]
fn a_marked_session_gets_nothing_any_more_but_its_end() {
    let mut scene = Scene::new(quiet());
    let holder = log_on(&mut scene.cluster, 2, "B");
    let object = scene.cluster.table("APP.T");
    let row = Row { object, number: 9 };
    scene
        .cluster
        .begin_call(holder, CallKind::Sql, Some("update t set a = 2"))
        .expect("it is well");
    assert_eq!(scene.cluster.lock_row(holder, row), Ok(Grant::Granted));
    scene.change(1_000_000); // 50 seconds
    scene.begin("update t set a = 3");
    assert_eq!(scene.cluster.lock_row(scene.victim, row), Ok(Grant::Queued));
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
    scene.pass(5);
    scene.cluster.commit(holder);
    assert_eq!(
        scene.cluster.poll(scene.victim),
        Poll::Waiting,
        "the freed row is not for the dying"
    );
    scene.cluster.commit(scene.victim);
    scene.pass(10);
    let instance = scene.cluster.instance(1).expect("it is there");
    assert_eq!(instance.transactions().count(), 1, "a commit comes too late");
    let long = &scene.cluster.long_ops(instance)[0];
    assert_eq!((long.name, long.session), ("Transaction Rollback", scene.victim));
    assert!((10..=15).contains(&long.elapsed) && (34..41).contains(&long.remaining), "{long:?}");
    scene.pass(60);
    assert_eq!((scene.row(), death_code(scene.cluster.death(scene.victim))), (None, Some(28)));
}

#[test]
fn a_client_that_calls_during_its_rollback_is_told_and_the_row_stays_until_the_end() {
    let mut scene = Scene::new(quiet());
    scene.change(1_000_000);
    let Answer::Wait(pending) = scene.kill(Manner::Plain) else { panic!("it is not over at once") };
    scene.pass(10);
    assert_eq!(scene.next_call(), 28);
    scene.cluster.drop_connection(scene.victim);
    assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")));
    assert_eq!(code(&scene.cluster.ask_again(pending)), -1);
    scene.pass(41);
    assert_eq!(scene.row(), None);
    assert_eq!(code(&scene.cluster.ask_again(pending)), 0);
}

#[test]
fn an_order_to_a_hung_instance_is_only_accepted_until_it_moves_again() {
    let mut scene = Scene::new(quiet());
    let far = log_on(&mut scene.cluster, 2, "APP");
    scene.victim = far;
    scene.cluster.inject(&Fault::Hang { instance: 2, seconds: 30 });
    assert_eq!(code(&scene.disconnect(false, Manner::Immediate)), 31);
    assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")));
    scene.pass(40);
    assert_eq!(scene.row(), None);
}

#[test]
fn a_call_that_could_not_notice_its_kill_is_over_when_its_client_breaks_it_off() {
    let mut scene = Scene::new(quiet());
    scene.begin("select count(*) from big");
    scene.cluster.inject(&Fault::HangCall(scene.victim));
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
    scene.pass(1_000);
    assert_eq!(scene.row(), Some(("KILLED", "DEDICATED")));
    scene.cluster.break_call(scene.victim);
    scene.end();
    assert_eq!(scene.row(), None);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(28));
}
