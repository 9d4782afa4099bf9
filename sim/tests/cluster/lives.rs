//! How sessions live: calls, cursors, slots, clients that come back.

use rac_sim::cluster::history::What;
use rac_sim::cluster::instance::Instance;
use rac_sim::cluster::kill::{Manner, Order, Target};
use rac_sim::cluster::live::{Cursor, Poll};
use rac_sim::cluster::session::{CallKind, NO_OWNER, SessionKey};
use rac_sim::cluster::spec::{Kind, ServerKind, Spec, Workload};
use rac_sim::cluster::{Cluster, SECOND};
use rac_sim::conversation::Tags;

use super::{Scene, code, log_on, quiet};

fn only(workload: Workload) -> Spec {
    Spec { workloads: vec![workload], ..quiet() }
}

/// The sessions of users.
fn users(cluster: &Cluster) -> Vec<SessionKey> {
    let all = cluster.sessions();
    all.filter(|session| session.user.is_some()).map(|session| session.key).collect()
}

#[test]
fn a_slot_is_used_again_at_once_and_its_serial_rises() {
    let mut cluster = Cluster::new(quiet(), 5);
    let mut last = log_on(&mut cluster, 1, "A");
    for _ in 0..1_000 {
        cluster.log_off(last);
        let next = log_on(&mut cluster, 1, "A");
        assert_eq!((next.sid, next.serial), (last.sid, last.serial % 65_535 + 1));
        assert!(cluster.session(last).is_none());
        last = next;
    }
}

#[test]
fn a_call_moves_status_sql_id_and_last_call_et() {
    let mut scene = Scene::new(quiet());
    scene.pass(10);
    scene.begin("select 1 from dual");
    scene.pass(5);
    let session = scene.cluster.session(scene.victim).expect("it lives");
    assert_eq!(
        (session.status().as_str(), session.last_call_et(scene.cluster.now()), session.command),
        ("ACTIVE", 5, 3)
    );
    let running = session.current.clone().expect("it runs");
    assert_eq!(running.id >> 24, 1, "the high byte of SQL_EXEC_ID names the instance");
    assert_eq!(running.start, Some(scene.cluster.now() - 5 * SECOND));
    scene.end();
    scene.pass(3);
    let session = scene.cluster.session(scene.victim).expect("it lives");
    assert_eq!(
        (session.status().as_str(), session.last_call_et(scene.cluster.now())),
        ("INACTIVE", 3)
    );
    assert_eq!((&session.current, session.previous.as_ref()), (&None, Some(&running)));
    assert!(scene.cluster.statements().any(|known| &*known.text == "select 1 from dual"));
}

#[test]
fn an_open_cursor_holds_the_sql_id_of_an_inactive_session() {
    let mut scene = Scene::new(quiet());
    scene.begin("select * from big");
    scene.cluster.end_call(scene.victim, Cursor::Open);
    let session = scene.cluster.session(scene.victim).expect("it lives");
    assert_eq!(session.status().as_str(), "INACTIVE");
    assert!(session.current.is_some() && session.current == session.previous);
    scene.cluster.begin_call(scene.victim, CallKind::Fetch, None).expect("it is well");
    assert!(scene.cluster.session(scene.victim).is_some_and(|session| session.current.is_some()));
    scene.end();
    assert!(scene.cluster.session(scene.victim).is_some_and(|session| session.current.is_none()));
}

#[test]
fn a_sleeper_is_active_in_an_idle_event() {
    let mut scene = Scene::new(quiet());
    scene.sleep(30);
    scene.pass(29);
    let session = scene.cluster.session(scene.victim).expect("it lives");
    let wait = session.wait(scene.cluster.now());
    assert_eq!((session.status().as_str(), wait.event().name), ("ACTIVE", "PL/SQL lock timer"));
    assert_eq!(wait.event().class.columns().2, "Idle");
    assert_eq!(wait.remaining, Some(SECOND));
    assert_eq!(scene.cluster.poll(scene.victim), Poll::Waiting);
    scene.pass(1);
    assert_eq!(scene.cluster.poll(scene.victim), Poll::Done(0));
}

#[test]
fn tags_change_what_they_name_and_are_cut() {
    let mut scene = Scene::new(quiet());
    let tags = Tags { module: Some("m".repeat(80)), action: Some("a".into()), ..Tags::default() };
    scene.cluster.tag(scene.victim, &tags);
    scene.cluster.tag(scene.victim, &Tags { action: Some(String::new()), ..Tags::default() });
    let marks = &scene.cluster.session(scene.victim).expect("it lives").marks;
    assert_eq!(marks.module.as_deref().map(str::len), Some(64));
    assert_eq!(marks.action, None);
}

#[test]
fn the_columns_of_a_working_session_are_stale_half_of_the_time() {
    let mut spec = only(Workload {
        kind: Kind::Batch,
        sessions: 300,
        call_seconds: 9e5,
        ..Workload::default()
    });
    spec.workloads[0].think_seconds = 1.0;
    let mut cluster = Cluster::new(spec, 1);
    cluster.advance(600 * SECOND);
    let states = users(&cluster).into_iter().map(|key| {
        let session = cluster.session(key).expect("it is listed");
        let wait = session.wait(cluster.now());
        (session.status().as_str(), wait.state.as_str(), wait.remaining.is_none())
    });
    let states: Vec<_> = states.filter(|(status, ..)| *status == "ACTIVE").collect();
    let stale = states.iter().filter(|(_, state, _)| *state != "WAITING").count();
    assert!(states.len() > 250 && (60..200).contains(&stale), "{stale} of {}", states.len());
    assert!(states.iter().all(|(_, state, unknown)| (*state == "WAITING") != *unknown));
}

#[test]
fn a_pool_refills_itself_and_its_dead_rows_go_when_it_calls() {
    let mut cluster = Cluster::new(only(Workload { sessions: 40, ..Workload::default() }), 9);
    let issuer = log_on(&mut cluster, 1, "WARDEN");
    cluster.advance(60 * SECOND);
    let members: Vec<_> = users(&cluster).into_iter().filter(|key| *key != issuer).collect();
    assert_eq!(members.len(), 40);
    for key in &members {
        let target = Target { sid: key.sid, serial: key.serial, inst_id: Some(key.inst_id) };
        cluster.order(issuer, target, &Order::Kill { manner: Manner::Plain, timeout: None });
    }
    let pseudo = |cluster: &Cluster| {
        let all = cluster.sessions();
        all.filter(|session| session.server().as_str() == "PSEUDO").count()
    };
    assert!(pseudo(&cluster) > 30);
    cluster.advance(900 * SECOND);
    assert_eq!(pseudo(&cluster), 0);
    let after: Vec<_> = users(&cluster).into_iter().filter(|key| *key != issuer).collect();
    assert_eq!(after.len(), 40);
    assert!(after.iter().all(|key| !members.contains(key)), "all are new lives");
    assert!(
        after.iter().any(|new| members.iter().any(|old| old.sid == new.sid)),
        "in slots that were used"
    );
}

#[test]
fn a_coordinator_has_slaves_that_go_with_its_call() {
    let work = Workload {
        kind: Kind::Parallel,
        degree: 8,
        call_seconds: 300.0,
        think_seconds: 30.0,
        user: "DWH".into(),
        ..Workload::default()
    };
    let mut cluster = Cluster::new(only(work), 2);
    while users(&cluster).len() < 9 {
        cluster.advance(SECOND);
    }
    let all: Vec<_> = users(&cluster).into_iter().filter_map(|key| cluster.session(key)).collect();
    let coordinator = all
        .iter()
        .find(|one| one.px.is_some_and(|px| px.coordinator == one.key))
        .expect("one leads");
    assert_eq!(coordinator.wait(cluster.now()).event().name, "PX Deq: Execute Reply");
    let slaves: Vec<_> = all.iter().filter(|one| one.key != coordinator.key).collect();
    assert_eq!(slaves.len(), 8);
    for slave in &slaves {
        assert_eq!((slave.audsid, slave.username()), (coordinator.audsid, Some("DWH")));
        assert_eq!(slave.owner_id, coordinator.key.inst_id << 16 | coordinator.key.sid);
        assert!(slave.client.program.contains("(P00") && slave.session_type.as_str() == "USER");
        assert_eq!(slave.current, coordinator.current);
    }
    assert_eq!(
        slaves.iter().filter(|slave| slave.key.inst_id == 2).count(),
        4,
        "on both instances"
    );
    assert_eq!(coordinator.owner_id, NO_OWNER);
    let (coordinator, slave) = (coordinator.key, slaves[0].key);
    let issuer = log_on(&mut cluster, 1, "WARDEN");
    let target = Target { sid: slave.sid, serial: slave.serial, inst_id: Some(slave.inst_id) };
    let order =
        Order::Disconnect { post_transaction: false, manner: Manner::Immediate, timeout: None };
    assert_eq!(code(&cluster.order(issuer, target, &order)), 0);
    assert_eq!(users(&cluster).len(), 2, "a statement fails with its slave");
    assert!(cluster.session(coordinator).is_some_and(|one| one.call.is_none()));
}

#[test]
fn a_reader_of_gv_has_a_slave_on_each_instance_under_its_own_name() {
    let mut scene = Scene::new(quiet());
    scene
        .cluster
        .begin_call(scene.issuer, CallKind::Gv, Some("select * from gv$session"))
        .expect("it is well");
    let own = scene.cluster.session(scene.issuer).expect("it lives").audsid;
    let slaves: Vec<_> = scene
        .cluster
        .instances()
        .map(|instance| {
            let found = instance
                .sessions()
                .find(|one| one.px.is_some_and(|px| px.is_gv))
                .expect("one each");
            (
                found.audsid,
                found.username().map(str::to_owned),
                found.client.program.contains("(PZ99)"),
            )
        })
        .collect();
    assert_eq!(slaves, vec![(own, Some("WARDEN".to_owned()), true); 2]);
    scene.cluster.end_call(scene.issuer, Cursor::Closed);
    assert_eq!(users(&scene.cluster).len(), 2);
}

#[test]
fn jobs_are_there_only_while_they_run() {
    let work = Workload {
        kind: Kind::Job,
        sessions: 6,
        think_seconds: 60.0,
        call_seconds: 60.0,
        ..Workload::default()
    };
    let mut cluster = Cluster::new(only(work), 4);
    let mut counts = Vec::new();
    for _ in 0..200 {
        cluster.advance(20 * SECOND);
        let jobs = users(&cluster);
        for key in &jobs {
            let session = cluster.session(*key).expect("it is listed");
            let instance = cluster.instance(key.inst_id).expect("it is there");
            let process = instance
                .processes()
                .find(|process| Some(process.pid) == session.pid)
                .expect("it has one");
            assert!(
                process.name.as_deref().is_some_and(|name| name.starts_with("J00")),
                "{process:?}"
            );
            assert_eq!(session.marks.module.as_deref(), Some("DBMS_SCHEDULER"));
        }
        counts.push(jobs.len());
    }
    let mean = counts.iter().sum::<usize>() as f64 / 200.0;
    assert!((2.0..4.0).contains(&mean), "half of the time each: {mean}");
}

#[test]
fn behind_a_pooled_server_the_people_change_without_a_log_on() {
    let work = Workload { server: ServerKind::Pooled, think_seconds: 5.0, ..Workload::default() };
    let mut cluster = Cluster::new(only(work), 4);
    let key = users(&cluster)[0];
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        cluster.advance(10 * SECOND);
        let session = cluster.session(key).expect("it is one life");
        assert_eq!(session.server().as_str(), "POOLED");
        seen.extend(session.marks.client_identifier.clone());
    }
    assert!(seen.len() > 10);
}

#[test]
fn a_block_changes_its_sql_id_and_its_call_goes_on() {
    let mut scene = Scene::new(quiet());
    scene.begin("begin work; end;");
    scene.pass(20);
    scene.cluster.run_statement(scene.victim, "delete from log");
    scene.pass(5);
    let session = scene.cluster.session(scene.victim).expect("it lives");
    assert_eq!((session.last_call_et(scene.cluster.now()), session.command), (25, 7));
    let running = session.current.as_ref().expect("it runs");
    assert_eq!(
        (&*running.statement.text, running.start),
        ("delete from log", Some(scene.cluster.now() - 5 * SECOND))
    );
}

#[test]
fn sessions_of_a_transaction_manager_are_cached_between_calls() {
    let work = Workload { kind: Kind::Xa, sessions: 20, think_seconds: 5.0, ..Workload::default() };
    let mut cluster = Cluster::new(only(work), 4);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        cluster.advance(7_300_000);
        seen.extend(
            users(&cluster)
                .into_iter()
                .filter_map(|key| cluster.session(key))
                .map(|one| one.status().as_str()),
        );
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["ACTIVE", "CACHED"]);
}

#[test]
fn max_idle_time_ends_whoever_is_idle_and_spares_who_works() {
    let mut spec = quiet();
    spec.limits.max_idle_minutes = 10;
    let mut scene = Scene::new(spec);
    scene.sleep(100_000);
    scene.pass(1_000);
    assert!(scene.row().is_some());
    assert!(scene.cluster.session(scene.issuer).is_none());
}

#[test]
fn sorts_take_temp_and_open_cursors_keep_it() {
    let work =
        Workload { kind: Kind::Person, sessions: 200, think_seconds: 30.0, ..Workload::default() };
    let mut cluster = Cluster::new(only(work), 4);
    cluster.advance(900 * SECOND);
    let holders: Vec<_> = cluster.sessions().filter(|one| one.temp_blocks > 0).collect();
    assert!(holders.len() > 5);
    assert!(
        holders.iter().all(|one| one.current.is_some() || one.call.is_some()),
        "those with an open cursor"
    );
    assert!(holders.iter().any(|one| one.status().as_str() == "INACTIVE"));
}

#[test]
fn last_call_et_can_move_in_steps() {
    let mut spec = quiet();
    spec.switches.last_call_et_step = 3;
    let mut scene = Scene::new(spec);
    scene.pass(8);
    let session = scene.cluster.session(scene.victim).expect("it lives");
    assert_eq!(scene.cluster.last_call_et(session), 6);
}

#[test]
fn undo_grows_while_a_call_works_and_not_while_it_waits() {
    let mut cluster = Cluster::new(
        only(Workload {
            kind: Kind::Batch,
            sessions: 40,
            hot_rows: 12,
            undo_per_second: 100,
            think_seconds: 10.0,
            call_seconds: 60_000.0,
            write_share: 1.0,
            ..Workload::default()
        }),
        4,
    );
    cluster.advance(120 * SECOND);
    let waiting = |cluster: &Cluster, key| {
        cluster.session(key).is_some_and(|one| cluster.blocking(one).blocker.is_some())
    };
    let undo = |cluster: &Cluster| -> Vec<(bool, u64)> {
        let all = cluster.instances().flat_map(Instance::transactions);
        let waits = |key| waiting(cluster, key);
        all.map(|one| (one.session.is_some_and(waits), one.used_urec(cluster.now()))).collect()
    };
    let before = undo(&cluster);
    cluster.advance(SECOND);
    let after = undo(&cluster);
    // Some wait for their second row; who waits for the first has changed nothing yet.
    let wait_in_transaction = before.iter().filter(|(waits, _)| *waits).count();
    let waits = cluster.sessions().filter(|session| waiting(&cluster, session.key)).count();
    assert!(0 < wait_in_transaction && wait_in_transaction < waits, "{waits} {before:?}");
    for ((waits, before), (_, after)) in before.iter().zip(&after) {
        assert_eq!(after - before, if *waits { 0 } else { 100 });
    }
}

#[test]
fn a_named_process_is_its_own_client() {
    let cluster = Cluster::new(quiet(), 1);
    let instance = cluster.instance(1).expect("it is there");
    for process in instance.processes() {
        let session = process.session.and_then(|key| cluster.session(key)).expect("it serves one");
        assert_eq!(*session.client.process, *process.spid.to_string());
    }
}

#[test]
fn who_forgets_a_transaction_is_idle_in_it_until_the_next_call() {
    let mut cluster = Cluster::new(
        only(Workload {
            kind: Kind::IdleInTransaction,
            sessions: 4,
            think_seconds: 100.0,
            ..Workload::default()
        }),
        5,
    );
    cluster.history.keep();
    let (mut idle, mut all) = (0, 0);
    for _ in 0..200 {
        cluster.advance(30 * SECOND);
        let users = || cluster.sessions().filter(|one| one.username() == Some("APP"));
        all += users().count();
        idle += users().filter(|one| one.call.is_none() && one.transaction.is_some()).count();
    }
    assert!((all / 3..all * 2 / 3).contains(&idle), "{idle} of {all}");
    let log = cluster.history.take();
    let ended = log.iter().filter(|one| one.what == What::Committed).count();
    assert!(
        (60..200).contains(&ended),
        "a hundred and twenty, as every other call ends one: {ended}"
    );
}
