//! Who waits for whom, over instances, and who gets what is freed.

use rac_sim::cluster::kill::Manner;
use rac_sim::cluster::live::{Grant, LogOn, Poll};
use rac_sim::cluster::lock::{BlockingStatus, Row};
use rac_sim::cluster::mode_lock::Mode;
use rac_sim::cluster::session::{CallKind, SessionKey};
use rac_sim::cluster::{Cluster, SECOND};

use super::{Scene, code, death_code, log_on, quiet};

/// Begins an UPDATE of a row.
fn update(cluster: &mut Cluster, key: SessionKey, number: u32) -> Result<Grant, u32> {
    let object = cluster.table("APP.T");
    cluster
        .begin_call(key, CallKind::Sql, Some("update t set a = 1 where id = :1"))
        .expect("it is well");
    cluster.lock_row(key, Row { object, number }).map_err(|error| error.code)
}

/// A holds row 1; B (on the other instance) holds row 2 and waits for row 1; C waits for row 2.
fn chain() -> (Cluster, [SessionKey; 3]) {
    let mut cluster = Cluster::new(quiet(), 3);
    let [a, b, c] =
        [(1, "A"), (2, "B"), (1, "C")].map(|(inst, user)| log_on(&mut cluster, inst, user));
    assert_eq!(update(&mut cluster, a, 1), Ok(Grant::Granted));
    cluster.end_call(a, rac_sim::cluster::live::Cursor::Closed);
    assert_eq!(update(&mut cluster, b, 2), Ok(Grant::Granted));
    assert_eq!(update(&mut cluster, b, 1), Ok(Grant::Queued));
    assert_eq!(update(&mut cluster, c, 2), Ok(Grant::Queued));
    (cluster, [a, b, c])
}

#[test]
fn a_chain_over_instances_shows_the_next_and_the_final_blocker() {
    let (mut cluster, [a, b, c]) = chain();
    cluster.advance(7 * SECOND);
    let of = |key| cluster.blocking(cluster.session(key).expect("it lives"));
    assert_eq!(
        (of(c).status, of(c).blocker, of(c).final_blocker),
        (BlockingStatus::Valid, Some(b), Some(a))
    );
    assert_eq!((of(b).blocker, of(b).final_blocker), (Some(a), Some(a)));
    assert_eq!((of(a).status, of(a).blocker), (BlockingStatus::NoHolder, None));
    let session = cluster.session(c).expect("it lives");
    let wait = session.wait(cluster.now());
    assert_eq!(
        (wait.event().name, wait.state.as_str()),
        ("enq: TX - row lock contention", "WAITING")
    );
    assert_eq!((wait.p[0], wait.seconds_in_wait(), wait.wait_time()), (1_415_053_318, 7, 0));
    assert!(session.lockwait().is_some() && wait.row.is_some_and(|row| row.number == 2));
    let rows = |inst| cluster.lock_rows(cluster.instance(inst).expect("it is there"));
    let held =
        rows(2).into_iter().find(|row| row.sid == b.sid && row.lock_type == "TX" && row.mode == 6);
    let wanted = rows(1).into_iter().find(|row| row.sid == c.sid && row.request == 6);
    let (held, wanted) = (held.expect("B holds"), wanted.expect("C wants"));
    assert_eq!((held.id1, held.id2, held.block), (wanted.id1, wanted.id2, 1));
    assert_eq!((wanted.ctime, wanted.con_id), (7, 0));
}

#[test]
fn an_idle_root_is_inactive_in_a_transaction() {
    let (cluster, [a, ..]) = chain();
    let root = cluster.session(a).expect("it lives");
    assert_eq!(root.status().as_str(), "INACTIVE");
    let transaction =
        root.transaction.and_then(|key| cluster.transaction(key)).expect("TADDR points at it");
    assert_eq!(transaction.ses_addr, root.saddr);
    assert_eq!(root.wait(cluster.now()).event().name, "SQL*Net message from client");
}

#[test]
fn what_is_freed_goes_down_the_chain() {
    let (mut cluster, [a, b, c]) = chain();
    assert_eq!(cluster.poll(b), Poll::Waiting);
    cluster.commit(a);
    assert_eq!((cluster.poll(b), cluster.poll(c)), (Poll::Done(0), Poll::Waiting));
    cluster.drop_connection(b);
    assert_eq!(cluster.poll(c), Poll::Done(0), "a broken connection frees what it held");
}

#[test]
fn killing_the_root_lets_the_next_one_in_and_killing_a_waiter_does_not() {
    let mut scene = Scene::new(quiet());
    scene.change(10);
    let [first, second] = ["B", "C"].map(|user| log_on(&mut scene.cluster, 2, user));
    assert_eq!(update(&mut scene.cluster, first, 1), Ok(Grant::Queued));
    assert_eq!(update(&mut scene.cluster, second, 1), Ok(Grant::Queued));
    let root = std::mem::replace(&mut scene.victim, first);
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
    scene.pass(2);
    assert_eq!(death_code(scene.cluster.death(first)), Some(28));
    assert_eq!(scene.cluster.poll(second), Poll::Waiting);
    scene.victim = root;
    assert_eq!(code(&scene.kill(Manner::Plain)), 0);
    assert_eq!(scene.cluster.poll(second), Poll::Done(0));
    assert_eq!(scene.row(), Some(("KILLED", "PSEUDO")), "a row that holds nothing any more");
}

#[test]
fn waiters_of_a_large_rollback_wait_for_its_end_even_without_its_session() {
    let mut scene = Scene::new(quiet());
    scene.change(400_000);
    let waiter = log_on(&mut scene.cluster, 2, "B");
    assert_eq!(update(&mut scene.cluster, waiter, 1), Ok(Grant::Queued));
    assert_eq!(code(&scene.disconnect(false, Manner::Immediate)), 0);
    let blocking = scene.cluster.blocking(scene.cluster.session(waiter).expect("it waits"));
    assert_eq!((blocking.status, blocking.blocker), (BlockingStatus::Unknown, None));
    scene.pass(19);
    assert_eq!(scene.cluster.poll(waiter), Poll::Waiting);
    scene.pass(2);
    assert_eq!(scene.cluster.poll(waiter), Poll::Done(0));
}

#[test]
fn who_waits_for_a_transaction_that_let_go_of_the_row_may_be_in_a_deadlock_later() {
    let mut cluster = Cluster::new(quiet(), 3);
    let [a, b, c] =
        [(1, "A"), (2, "B"), (1, "C")].map(|(inst, user)| log_on(&mut cluster, inst, user));
    let point = cluster.point(a);
    assert_eq!(update(&mut cluster, a, 1), Ok(Grant::Granted));
    assert_eq!(update(&mut cluster, b, 2), Ok(Grant::Granted));
    assert_eq!(update(&mut cluster, b, 1), Ok(Grant::Queued));
    assert!(!cluster.roll_back_to(a, point), "there was no transaction then");
    assert_eq!(cluster.poll(b), Poll::Waiting);
    assert_eq!(update(&mut cluster, c, 1), Ok(Grant::Granted));
    // C waits for B, which waits for A and not for C.
    assert_eq!(update(&mut cluster, c, 2), Ok(Grant::Queued));
    cluster.commit(a);
    assert!(matches!(cluster.poll(b), Poll::Failed(error) if error.code == 60));
    cluster.rollback(b);
    assert_eq!(cluster.poll(c), Poll::Done(0));
}

#[test]
fn who_is_left_behind_by_a_savepoint_can_be_cancelled_and_killed() {
    for kill in [true, false] {
        let mut scene = Scene::new(quiet());
        let [a, b] =
            [(1, "A"), (2, "B")].map(|(inst, user)| log_on(&mut scene.cluster, inst, user));
        let point = scene.cluster.point(a);
        assert_eq!(update(&mut scene.cluster, a, 1), Ok(Grant::Granted));
        let waiter = scene.victim;
        for one in [waiter, b] {
            assert_eq!(update(&mut scene.cluster, one, 1), Ok(Grant::Queued));
        }
        scene.cluster.roll_back_to(a, point);
        if kill {
            assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
            scene.pass(2);
            assert_eq!(death_code(scene.cluster.death(waiter)), Some(28));
        } else {
            scene.cluster.break_call(waiter);
        }
        scene.cluster.commit(a);
        assert_eq!(scene.cluster.poll(b), Poll::Done(0));
        let held = |key| scene.cluster.session(key).is_some_and(|one| one.transaction.is_some());
        assert!(held(b) && !held(waiter));
    }
}

#[test]
fn a_circle_is_a_deadlock() {
    let mut cluster = Cluster::new(quiet(), 3);
    let [a, b] = [(1, "A"), (2, "B")].map(|(inst, user)| log_on(&mut cluster, inst, user));
    assert_eq!(update(&mut cluster, a, 1), Ok(Grant::Granted));
    assert_eq!(update(&mut cluster, b, 2), Ok(Grant::Granted));
    assert_eq!(update(&mut cluster, a, 2), Ok(Grant::Queued));
    assert_eq!(update(&mut cluster, b, 1), Err(60));
    cluster.rollback(b);
    assert_eq!(cluster.poll(a), Poll::Done(0));
}

#[test]
fn user_locks_answer_0_1_and_4_and_go_with_their_session() {
    let mut scene = Scene::new(quiet());
    let id = scene.cluster.lock_id("ORAWARDEN").expect("there is room");
    assert_eq!(scene.cluster.lock_id("ORAWARDEN"), Some(id));
    let (leader, follower) = (scene.victim, log_on(&mut scene.cluster, 2, "WARDEN"));
    let call = |scene: &mut Scene, key| {
        scene
            .cluster
            .begin_call(key, CallKind::Plsql, Some("begin :1 := dbms_lock.request(:2); end;"))
            .expect("well");
    };
    call(&mut scene, leader);
    assert_eq!(scene.cluster.request_lock(leader, id, Mode::Exclusive, 0, false), Ok(Some(0)));
    assert_eq!(scene.cluster.request_lock(leader, id, Mode::Exclusive, 0, false), Ok(Some(4)));
    scene.cluster.commit(leader);
    scene.end();
    call(&mut scene, follower);
    assert_eq!(scene.cluster.request_lock(follower, id, Mode::Exclusive, 0, false), Ok(Some(1)));
    assert_eq!(
        scene.cluster.request_lock(follower, id, Mode::Exclusive, 10 * SECOND, false),
        Ok(None)
    );
    scene.pass(9);
    assert_eq!(scene.cluster.poll(follower), Poll::Waiting);
    let waiting = scene.cluster.session(follower).expect("it waits");
    assert_eq!(waiting.wait(scene.cluster.now()).event().name, "enq: UL - contention");
    assert_eq!(scene.cluster.blocking(waiting).blocker, Some(leader));
    scene.pass(1);
    assert_eq!(scene.cluster.poll(follower), Poll::Done(1));
    assert_eq!(
        scene.cluster.request_lock(follower, id, Mode::Exclusive, 100 * SECOND, false),
        Ok(None)
    );
    assert_eq!(code(&scene.kill(Manner::Immediate)), 0);
    assert_eq!(scene.cluster.poll(follower), Poll::Done(0), "the killed leader's lock is free");
    let instance = scene.cluster.instance(2).expect("it is there");
    assert!(
        scene
            .cluster
            .lock_rows(instance)
            .iter()
            .any(|row| row.lock_type == "UL" && row.id1 == u64::from(id))
    );
    assert_eq!(scene.cluster.release_lock(follower, id), 0);
    assert_eq!(scene.cluster.release_lock(follower, id), 4);
}

#[test]
fn a_lock_released_on_commit_is_gone_with_it() {
    let mut scene = Scene::new(quiet());
    scene.begin("begin null; end;");
    assert_eq!(scene.cluster.request_lock(scene.victim, 5, Mode::Exclusive, 0, true), Ok(Some(0)));
    scene.cluster.commit(scene.victim);
    assert_eq!(scene.cluster.request_lock(scene.issuer, 5, Mode::Exclusive, 0, false), Ok(Some(0)));
}

#[test]
fn user_locks_are_known_per_container_or_everywhere() {
    for (per_container, expected) in [(true, 0), (false, 1)] {
        let mut spec = quiet();
        spec.containers = vec!["ONE".into(), "TWO".into()];
        spec.switches.user_locks_per_container = per_container;
        let mut cluster = Cluster::new(spec, 1);
        let [one, two] = [3, 4].map(|con_id| {
            let who = LogOn { user: "U".into(), con_id, ..LogOn::default() };
            cluster.log_on(1, who).expect("there is room")
        });
        assert_eq!(cluster.request_lock(one, 7, Mode::Exclusive, 0, false), Ok(Some(0)));
        assert_eq!(cluster.request_lock(two, 7, Mode::Exclusive, 0, false), Ok(Some(expected)));
    }
}

#[test]
fn a_circle_of_user_locks_is_2() {
    let mut scene = Scene::new(quiet());
    let (one, two) = (scene.issuer, scene.victim);
    for (key, id) in [(one, 1), (two, 2)] {
        scene
            .cluster
            .begin_call(key, CallKind::Plsql, Some("begin null; end;"))
            .expect("it is well");
        assert_eq!(scene.cluster.request_lock(key, id, Mode::Exclusive, 0, false), Ok(Some(0)));
    }
    assert_eq!(scene.cluster.request_lock(one, 2, Mode::Exclusive, 60 * SECOND, false), Ok(None));
    assert_eq!(
        scene.cluster.request_lock(two, 1, Mode::Exclusive, 60 * SECOND, false),
        Ok(Some(2))
    );
}

#[test]
fn a_freed_row_passes_by_who_is_marked_already() {
    let mut scene = Scene::new(quiet());
    scene.change(10);
    let [first, second] = ["B", "C"].map(|user| log_on(&mut scene.cluster, 2, user));
    assert_eq!(update(&mut scene.cluster, first, 1), Ok(Grant::Queued));
    assert_eq!(update(&mut scene.cluster, second, 1), Ok(Grant::Queued));
    let root = std::mem::replace(&mut scene.victim, first);
    assert_eq!(code(&scene.kill(Manner::Immediate)), 31);
    scene.cluster.commit(root);
    assert_eq!(scene.cluster.poll(second), Poll::Done(0));
    scene.pass(2);
    assert_eq!(death_code(scene.cluster.death(first)), Some(28));
}
