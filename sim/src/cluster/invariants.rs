//! What has to hold at every moment, looked at while faults and kills rage.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::kill::{Answer, Manner, Order, Target};
use super::rng::Rng;
use super::session::{Role, SessionKey, SessionType};
use super::spec::Spec;
use super::wait::Doing;
use super::{Cluster, SECOND};

/// Fails if the model contradicts itself.
fn check(cluster: &Cluster) {
    for instance in cluster.instances() {
        let sessions = instance.sessions().count();
        assert_eq!(sessions, instance.sessions_used.now as usize, "sessions are counted");
        let ghosts = instance.sessions().filter(|session| session.pid.is_none()).count();
        let processes = instance.processes().count();
        assert_eq!(
            processes + ghosts,
            instance.processes_used.now as usize,
            "processes are counted"
        );
        assert_eq!(instance.transactions().count(), instance.transactions_used.now as usize);
        assert!(sessions <= cluster.spec.limits.sessions() as usize);
        assert!(instance.processes_used.now <= cluster.spec.limits.processes);
        for process in instance.processes() {
            let session = process
                .session
                .and_then(|key| cluster.session(key))
                .expect("a process serves a session");
            assert_eq!((session.pid, session.paddr), (Some(process.pid), process.addr));
        }
        for session in instance.sessions() {
            check_session(cluster, session.key);
        }
        for transaction in instance.transactions() {
            let owner = transaction.session.and_then(|key| cluster.session(key));
            assert_eq!(transaction.session.is_some(), owner.is_some(), "{transaction:?}");
            assert!(owner.is_none_or(|owner| owner.transaction == Some(transaction.key)));
            for row in &transaction.rows {
                let lock = cluster.locks.rows.get(row).expect("a transaction's row is locked");
                assert_eq!(lock.holder, transaction.key);
            }
        }
    }
    for (row, lock) in &cluster.locks.rows {
        let holder = cluster.transaction(lock.holder).expect("a row's holder lives");
        assert!(holder.rows.contains(row));
        for waiter in &lock.waiters {
            let session = cluster.session(*waiter).expect("a waiter lives");
            let call = session.call.as_ref().expect("a waiter is in a call");
            assert!(
                matches!(call.doing, Doing::Row { row: wanted, left_by: None, .. } if wanted == *row)
            );
        }
    }
    for (place, seat) in cluster.seats.iter().enumerate() {
        if let Some(key) = seat.session() {
            let session = cluster.session(key).expect("a client knows its session");
            assert_eq!(session.role, Role::Seat(u32::try_from(place).expect("few")));
        }
    }
}

fn check_session(cluster: &Cluster, key: SessionKey) {
    let session = cluster.session(key).expect("it is listed");
    if let Some(transaction) = session.transaction {
        let found = cluster.transaction(transaction).expect("a session's transaction lives");
        assert_eq!(found.session, Some(key));
    }
    if let (Some(Doing::Row { row, left_by, .. }), None) =
        (session.call.as_ref().map(|call| call.doing), session.doom)
    {
        let holder = cluster.waited_for(row, left_by).expect("what is waited for is locked");
        let lock = cluster.locks.rows.get(&row).filter(|_| left_by.is_none());
        let queues = lock.is_some_and(|lock| lock.waiters.contains(&key));
        assert_eq!(queues, left_by.is_none(), "{session:?} {lock:?}");
        assert_eq!(holder.left_behind.contains(&(key, row)), left_by.is_some(), "{session:?}");
    }
    if let Some(px) = session.px {
        let slaves =
            cluster.slaves.get(&px.coordinator).expect("a coordinator lives as long as its slaves");
        assert!(px.coordinator == key || slaves.contains(&key));
        assert!(
            cluster.session(px.coordinator).is_some_and(|coordinator| coordinator.px.is_some())
        );
    }
    assert_eq!(session.locks as usize, cluster.locks.held_by(key).len());
    assert!(session.boundary <= cluster.now());
    let wait = session.wait(cluster.now());
    assert!(
        wait.began <= wait.now && wait.wait_time_micro() >= 0 && wait.since_last_wait_micro() >= 0,
        "{wait:?}"
    );
    assert!(cluster.blocking(session).final_blocker != Some(key), "nobody blocks himself");
}

fn random_order(rng: &mut Rng) -> Order {
    let manner = [Manner::Plain, Manner::Immediate, Manner::NoReplay, Manner::Force][rng.index(4)];
    match rng.below(4) {
        0 => Order::Cancel { sql_id: None },
        1 => Order::Disconnect {
            post_transaction: rng.chance(0.5),
            manner: Manner::Immediate,
            timeout: None,
        },
        _ => Order::Kill { manner, timeout: None },
    }
}

/// Kills some sessions and asks about what was not over.
fn rage(cluster: &mut Cluster, rng: &mut Rng, pending: &mut Vec<super::kill::Pending>) {
    let users: Vec<SessionKey> = cluster
        .sessions()
        .filter(|session| session.session_type == SessionType::User)
        .map(|session| session.key)
        .collect();
    for _ in 0..3 {
        let [issuer, victim] = [(); 2].map(|()| users[rng.index(users.len())]);
        let target =
            Target { sid: victim.sid, serial: victim.serial, inst_id: Some(victim.inst_id) };
        if let Answer::Wait(one) = cluster.order(issuer, target, &random_order(rng)) {
            pending.push(one);
        }
    }
    let now = cluster.now();
    let (due, rest): (Vec<_>, Vec<_>) = pending.drain(..).partition(|one| one.until <= now);
    *pending = rest;
    for one in due {
        assert!(
            !matches!(cluster.ask_again(one), Answer::Wait(_)),
            "no order waits beyond its time"
        );
    }
}

#[test]
fn the_model_never_contradicts_itself() {
    let mut spec = Spec::storm();
    spec.release = crate::conversation::Release::R23;
    for workload in &mut spec.workloads {
        workload.sessions = workload.sessions.div_ceil(8);
        workload.undo_per_second *= 20_000;
    }
    spec.workloads
        .extend(Spec::batch().workloads.into_iter().filter(|work| work.name == "warehouse"));
    let mut most_dying = 0;
    for seed in 0..4 {
        let mut cluster = Cluster::new(spec.clone(), seed);
        let mut rng = Rng::new(seed ^ 0xabcd);
        let mut pending = Vec::new();
        for step in 0..1_500 {
            cluster.advance(i64::try_from(rng.below(4_000_000)).expect("small"));
            rage(&mut cluster, &mut rng, &mut pending);
            match step % 300 {
                100 => cluster.inject(&Fault::Evict { instance: 1, seconds: 90 }),
                200 => cluster.inject(&Fault::Hang { instance: 2, seconds: 30 }),
                250 => cluster.inject(&Fault::ShutDown { instance: 2, seconds: 60 }),
                270 => {
                    cluster.inject(&Fault::FillProcesses { instance: 1, leaving: 2, seconds: 40 });
                }
                _ => {}
            }
            check(&cluster);
            most_dying = most_dying.max(cluster.dying.len());
        }
        let alive: BTreeSet<u32> = cluster.shown_in_gv().collect();
        assert!(!alive.is_empty());
    }
    assert!(most_dying > 3, "the storm tests what it should: {most_dying}");
    assert_eq!(SECOND, 1_000_000);
}
