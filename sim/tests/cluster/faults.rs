//! What goes wrong does so visibly, and ends.

use rac_sim::cluster::fault::{Chances, Fault, Scheduled};
use rac_sim::cluster::live::Poll;
use rac_sim::cluster::session::CallKind;
use rac_sim::cluster::spec::{Limits, Spec, Workload};
use rac_sim::cluster::{Cluster, SECOND};

use super::{Scene, death_code, log_on, quiet, try_log_on};

#[test]
fn an_evicted_instance_is_absent_and_comes_back_with_new_serials() {
    let mut scene = Scene::new(quiet());
    let before = scene.cluster.instance(1).expect("it is there").startup;
    scene.cluster.inject(&Fault::Evict { instance: 1, seconds: 60 });
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(0));
    assert_eq!(scene.cluster.shown_in_gv().collect::<Vec<_>>(), [2]);
    assert_eq!(try_log_on(&mut scene.cluster, 1, "A").map_err(|error| error.code), Err(1_034));
    scene.pass(61);
    assert_eq!(try_log_on(&mut scene.cluster, 1, "A").map_err(|error| error.code), Err(1_033));
    scene.pass(30);
    assert!(try_log_on(&mut scene.cluster, 1, "A").is_ok());
    assert!(scene.cluster.instance(1).expect("it is there").startup > before);
    assert_eq!(scene.cluster.shown_in_gv().count(), 2);
}

#[test]
fn a_shutdown_refuses_first_and_then_ends_all() {
    let mut scene = Scene::new(quiet());
    scene.cluster.inject(&Fault::ShutDown { instance: 1, seconds: 0 });
    assert_eq!(try_log_on(&mut scene.cluster, 1, "A").map_err(|error| error.code), Err(1_089));
    assert!(scene.row().is_some());
    scene.pass(16);
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(1_092));
    scene.cluster.inject(&Fault::Start { instance: 1 });
    scene.pass(30);
    assert!(try_log_on(&mut scene.cluster, 1, "A").is_ok());
}

#[test]
fn a_hung_instance_moves_nothing_and_delays_readers_of_gv() {
    let work =
        Workload { sessions: 50, think_seconds: 5.0, instances: vec![2], ..Workload::default() };
    let mut scene = Scene::new(Spec { workloads: vec![work], ..quiet() });
    let moved = |cluster: &Cluster| {
        let sessions = cluster.instance(2).expect("it is there").sessions();
        sessions.filter(|one| one.px.is_none()).map(|one| one.calls).sum::<u64>()
    };
    scene.pass(100);
    scene.cluster.inject(&Fault::Hang { instance: 2, seconds: 60 });
    let before = moved(&scene.cluster);
    let until = scene
        .cluster
        .begin_call(scene.issuer, CallKind::Gv, Some("select * from gv$session"))
        .expect("it begins");
    assert_eq!(until, scene.cluster.now() + 60 * SECOND);
    let local =
        scene.cluster.begin_call(scene.victim, CallKind::Sql, Some("select * from v$session"));
    assert_eq!(local.expect("it is well"), scene.cluster.now());
    scene.pass(59);
    assert_eq!(moved(&scene.cluster), before);
    scene.pass(30);
    assert!(moved(&scene.cluster) > before);
}

#[test]
fn a_hung_instance_may_fail_readers_of_gv() {
    let mut spec = quiet();
    spec.switches.hung_gv = 12_801;
    let mut scene = Scene::new(spec);
    scene.cluster.inject(&Fault::Hang { instance: 2, seconds: 60 });
    let result =
        scene.cluster.begin_call(scene.issuer, CallKind::Gv, Some("select * from gv$session"));
    assert_eq!(result.map_err(|error| error.code), Err(12_801));
    scene.cluster.inject(&Fault::Lift);
    scene.cluster.inject(&Fault::NoSlaves { seconds: 5 });
    let again =
        scene.cluster.begin_call(scene.issuer, CallKind::Gv, Some("select * from gv$session"));
    assert_eq!(again.map_err(|error| error.code), Err(12_850));
    scene.pass(5);
    scene
        .cluster
        .begin_call(scene.issuer, CallKind::Gv, Some("select * from gv$session"))
        .expect("it is over");
}

#[test]
fn a_hidden_instance_is_absent_without_an_error_and_lives() {
    let mut scene = Scene::new(quiet());
    scene.cluster.inject(&Fault::Hide { instance: 2, seconds: 30 });
    scene
        .cluster
        .begin_call(scene.issuer, CallKind::Gv, Some("select * from gv$session"))
        .expect("no error");
    assert_eq!(scene.cluster.shown_in_gv().collect::<Vec<_>>(), [1]);
    assert!(try_log_on(&mut scene.cluster, 2, "A").is_ok());
    scene.pass(30);
    assert_eq!(scene.cluster.shown_in_gv().count(), 2);
}

#[test]
fn full_processes_refuse_with_20_and_full_sessions_with_18() {
    let mut scene = Scene::new(quiet());
    scene.cluster.inject(&Fault::FillProcesses { instance: 1, leaving: 1, seconds: 60 });
    log_on(&mut scene.cluster, 1, "LAST");
    assert_eq!(try_log_on(&mut scene.cluster, 1, "A").map_err(|error| error.code), Err(20));
    assert!(try_log_on(&mut scene.cluster, 2, "A").is_ok());
    scene.pass(60);
    assert!(try_log_on(&mut scene.cluster, 1, "A").is_ok());

    let limits = Limits { processes: 500, sessions: Some(100), ..Limits::default() };
    let mut cluster = Cluster::new(Spec { limits, ..quiet() }, 1);
    let refused = (0..100).find_map(|_| try_log_on(&mut cluster, 1, "A").err());
    assert_eq!(refused.map(|error| error.code), Some(18));
    let instance = cluster.instance(1).expect("it is there");
    let row = cluster
        .resource_limits(instance)
        .into_iter()
        .find(|row| row.name == "sessions")
        .expect("it is listed");
    assert_eq!((row.current, row.max, row.limit), (100, 100, Some(100)));
}

#[test]
fn errors_on_demand_hit_calls_and_log_ons_of_live_clients() {
    let mut scene = Scene::new(quiet());
    scene.cluster.inject(&Fault::Error { instance: 1, code: 4_031, calls: 2 });
    scene.cluster.inject(&Fault::LogOnError { instance: 1, code: 28_000, log_ons: 1 });
    assert_eq!([scene.next_call(), scene.next_call(), scene.next_call()], [4_031, 4_031, 0]);
    assert_eq!(try_log_on(&mut scene.cluster, 1, "A").map_err(|error| error.code), Err(28_000));
    assert!(try_log_on(&mut scene.cluster, 1, "A").is_ok());
}

#[test]
fn slow_calls_lost_connections_hung_calls_and_skew() {
    let mut scene = Scene::new(quiet());
    scene.cluster.inject(&Fault::Slow { instance: 1, millis: 2_500, seconds: 10 });
    let until = scene
        .cluster
        .begin_call(scene.victim, CallKind::Sql, Some("select 1 from dual"))
        .expect("it begins");
    assert_eq!(until, scene.cluster.now() + 2_500_000);
    scene.cluster.inject(&Fault::HangCall(scene.victim));
    scene.pass(100_000);
    assert_eq!(scene.cluster.poll(scene.victim), Poll::Waiting);
    scene.cluster.inject(&Fault::LoseConnection(scene.victim));
    assert_eq!(death_code(scene.cluster.death(scene.victim)), Some(0));
    scene.cluster.inject(&Fault::Skew { instance: 2, millis: -40_000 });
    let (one, two) = (log_on(&mut scene.cluster, 1, "A"), log_on(&mut scene.cluster, 2, "A"));
    let logon = |key| scene.cluster.session(key).expect("it lives").logon;
    assert_eq!(logon(one) - logon(two), 40 * SECOND);
}

#[test]
fn scheduled_and_random_faults_happen() {
    let mut spec = quiet();
    spec.workloads =
        vec![Workload { name: "w".into(), sessions: 100, hot_rows: 3, ..Workload::default() }];
    let storm = Fault::LockStorm { workload: "w".into(), clients: 60, seconds: 60 };
    spec.schedule = vec![
        Scheduled { after_seconds: 100, every_seconds: Some(1_000), fault: storm },
        Scheduled {
            after_seconds: 500,
            every_seconds: None,
            fault: Fault::LogOnBurst { workload: "w".into(), clients: 30 },
        },
    ];
    spec.chances = Chances { lost_connections: 60.0, evictions: 0.5, ..Chances::default() };
    let mut cluster = Cluster::new(spec, 8);
    let blocked = |cluster: &Cluster| {
        let all = cluster.sessions();
        all.filter(|session| cluster.blocking(session).blocker.is_some()).count()
    };
    cluster.advance(99 * SECOND);
    assert_eq!(blocked(&cluster), 0);
    cluster.advance(31 * SECOND);
    assert!(blocked(&cluster) > 40, "{}", blocked(&cluster));
    cluster.advance(300 * SECOND);
    assert_eq!(blocked(&cluster), 0);
    cluster.history.keep();
    cluster.advance(20_000 * SECOND);
    let closed = cluster
        .history
        .take()
        .iter()
        .filter(|entry| entry.what == rac_sim::cluster::history::What::Closed)
        .count();
    assert!((1..12).contains(&closed), "{closed}");
    let users = cluster.sessions().filter(|session| session.user.is_some()).count();
    assert_eq!(users, 130);
}

#[test]
fn a_stuck_archiver_makes_an_idle_background_the_root() {
    let work = Workload {
        name: "w".into(),
        sessions: 100,
        write_share: 0.8,
        think_seconds: 5.0,
        ..Workload::default()
    };
    let mut cluster = Cluster::new(Spec { workloads: vec![work], ..quiet() }, 8);
    cluster.advance(60 * SECOND);
    cluster.inject(&Fault::ArchiverStuck { instance: 1, seconds: 120 });
    cluster.advance(60 * SECOND);
    let blocked: Vec<_> =
        cluster.sessions().filter_map(|one| cluster.blocking(one).final_blocker).collect();
    assert!(blocked.len() > 30, "{}", blocked.len());
    let root = cluster.session(blocked[0]).expect("it lives");
    assert!(root.client.program.contains("(LGWR)") && root.username().is_none());
    assert!(blocked.iter().all(|key| *key == root.key));
    cluster.advance(90 * SECOND);
    assert!(cluster.sessions().all(|one| cluster.blocking(one).blocker.is_none()));
}

#[test]
fn a_latch_storm_is_one_statement_and_many_mutexes() {
    let work = Workload { name: "w".into(), sessions: 100, ..Workload::default() };
    let mut cluster = Cluster::new(Spec { workloads: vec![work], ..quiet() }, 8);
    cluster.inject(&Fault::LatchStorm { workload: "w".into(), clients: 41, seconds: 60 });
    cluster.advance(10 * SECOND);
    let busy: Vec<_> =
        cluster.sessions().filter(|one| one.user.is_some() && one.call.is_some()).collect();
    let first =
        busy.iter().filter_map(|one| one.current.as_ref()).map(|one| one.statement.sql_id).next();
    let same = busy
        .iter()
        .filter(|one| one.current.as_ref().map(|one| one.statement.sql_id) == first)
        .count();
    assert!((30..=42).contains(&same), "{same} of {}", busy.len());
    let mutex = |one: &&&rac_sim::cluster::session::Session| {
        one.wait(cluster.now()).event().class.columns().2 == "Concurrency"
    };
    assert!(busy.iter().filter(mutex).count() > 25);
}

#[test]
fn a_lock_storm_queues_as_deep_as_measured() {
    let work =
        Workload { name: "w".into(), sessions: 900, think_seconds: 600.0, ..Workload::default() };
    let mut cluster = Cluster::new(Spec { workloads: vec![work], ..quiet() }, 8);
    cluster.inject(&Fault::LockStorm { workload: "w".into(), clients: 500, seconds: 120 });
    cluster.advance(60 * SECOND);
    let mut depths = [0_usize; 6];
    let mut roots = std::collections::BTreeSet::new();
    for session in cluster.sessions() {
        let mut at = cluster.blocking(session).blocker;
        roots.extend(cluster.blocking(session).final_blocker);
        let mut depth = 0;
        while let Some(key) = at {
            depth += 1;
            at = cluster.blocking(cluster.session(key).expect("a blocker lives")).blocker;
        }
        depths[depth] += 1;
    }
    assert_eq!(roots.len(), 1, "one root");
    let waiters: usize = depths[1..].iter().sum();
    assert!(waiters > 480, "{depths:?}");
    for (depth, share) in [(1, 11), (2, 14), (3, 3), (4, 7)] {
        let expected = waiters * share / 35;
        assert!(depths[depth].abs_diff(expected) < 30, "{depths:?}: {expected} at {depth}");
    }
    assert!(cluster.sessions().any(|one| {
        cluster.blocking(one).final_blocker.is_some_and(|key| key.inst_id != one.key.inst_id)
    }));
}
