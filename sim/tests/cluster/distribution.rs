//! The shipped scenarios look like the measured systems (realdata, sections 2.6 and 5.1), within tolerances.

use rac_sim::cluster::history::What;
use rac_sim::cluster::session::{Session, Status};
use rac_sim::cluster::spec::Spec;
use rac_sim::cluster::{Cluster, SECOND};

/// Pools several moments, as one would pool listings.
fn listings(cluster: &mut Cluster, count: u32, mut look: impl FnMut(&Cluster, &[&Session])) {
    for _ in 0..count {
        cluster.advance(177 * SECOND);
        let all = cluster.sessions();
        let users: Vec<&Session> = all.filter(|session| session.user.is_some()).collect();
        look(cluster, &users);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a test")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[test]
fn a_calm_online_system() {
    let mut cluster = Cluster::new(Spec::oltp(), 1);
    let (mut active, mut zero, mut unseen, mut inactive, mut recent, mut hours, mut all) =
        (0, 0, 0, 0, 0, 0, 0);
    listings(&mut cluster, 20, |cluster, users| {
        all += users.len();
        for session in users {
            let age = cluster.last_call_et(session);
            match session.status() {
                Status::Active => {
                    active += 1;
                    zero += usize::from(age == 0);
                    unseen += usize::from(session.current.is_none());
                }
                Status::Inactive => {
                    inactive += 1;
                    recent += usize::from(age < 60);
                    hours += usize::from(age > 3_600);
                }
                Status::Killed | Status::Sniped | Status::Cached => {}
            }
        }
    });
    assert!((3_600..4_300).contains(&(all / 20)), "{} sessions", all / 20);
    assert!((0.01..0.03).contains(&share(active, all)), "active {}", share(active, all));
    assert!((0.68..0.92).contains(&share(zero, active)), "LAST_CALL_ET 0: {}", share(zero, active));
    assert!(
        (0.02..0.12).contains(&share(unseen, active)),
        "SQL_ID null: {}",
        share(unseen, active)
    );
    assert!(
        (0.60..0.80).contains(&share(recent, inactive)),
        "under a minute: {}",
        share(recent, inactive)
    );
    assert!(
        (0.03..0.08).contains(&share(hours, inactive)),
        "over an hour: {}",
        share(hours, inactive)
    );
    assert!(share(active + inactive, all) > 0.995, "KILLED and SNIPED are rare");
}

#[test]
fn log_ons_come_every_other_second() {
    let mut cluster = Cluster::new(Spec::oltp(), 5);
    cluster.advance(600 * SECOND);
    cluster.history.keep();
    cluster.advance(3_600 * SECOND);
    let log_ons = cluster.history.take().iter().filter(|entry| entry.what == What::LogOn).count();
    assert!((900..3_600).contains(&log_ons), "{log_ons} in an hour");
}

#[test]
fn users_machines_and_slots() {
    let cluster = Cluster::new(Spec::oltp(), 3);
    let sessions = || cluster.sessions();
    let of = |user: &str| sessions().filter(|session| session.username() == Some(user)).count();
    let pools = 3_520;
    assert!((0.36..0.50).contains(&share(of("SHOP"), pools)), "first user");
    assert!((0.16..0.28).contains(&share(of("BILLING"), pools)), "second user");
    assert!((0.14..0.26).contains(&share(of("CRM"), pools)), "third user");
    let jvm = || sessions().filter(|session| &*session.client.program == "JDBC Thin Client");
    assert!((0.1..0.3).contains(&share(
        jvm().filter(|one| &*one.client.machine == "localhost").count(),
        jvm().count()
    )));
    assert!(jvm().all(|one| &*one.client.process == "1234"));
    let windows = || sessions().filter(|session| session.client.machine.contains('\\'));
    let upper =
        windows().filter(|one| one.client.osuser.chars().all(|c| !c.is_ascii_lowercase())).count();
    assert!((0.13..0.38).contains(&share(upper, windows().count())), "the other case");
    for instance in cluster.instances() {
        let backgrounds = instance.sessions().filter(|session| session.user.is_none()).count();
        assert!((60..=85).contains(&backgrounds), "{backgrounds} backgrounds");
        let highest =
            instance.sessions().map(|session| session.key.sid).max().unwrap_or(0) as usize;
        assert!(highest > 2 * instance.sessions().count(), "slots are sparse: {highest}");
        assert!(instance.sessions().all(|session| session.key.serial < 65_536));
        let split = share(instance.sessions().count(), sessions().count());
        assert!((0.46..0.54).contains(&split), "{split}");
    }
}

#[test]
fn a_storm_and_a_batch_night() {
    let busy = |spec: Spec, count| {
        let mut cluster = Cluster::new(spec, 1);
        let mut shares = Vec::new();
        listings(&mut cluster, count, |_, users| {
            shares.push(share(
                users.iter().filter(|one| one.status() == Status::Active).count(),
                users.len(),
            ));
        });
        shares
    };
    let storm = busy(Spec::storm(), 20);
    assert!(storm.iter().any(|share| (0.35..0.65).contains(share)), "{storm:?}");
    assert!(storm.iter().any(|share| *share < 0.05), "storms end: {storm:?}");
    let night = busy(Spec::batch(), 10);
    assert!(night.iter().all(|share| (0.03..0.11).contains(share)), "{night:?}");
}

#[test]
fn a_fleet_of_sixteen() {
    let fleet = Spec::fleet();
    assert_eq!(fleet.len(), 16);
    let sizes: Vec<usize> = fleet
        .into_iter()
        .map(|spec| {
            let mut cluster = Cluster::new(spec, 1);
            cluster.advance(600 * SECOND);
            cluster.instances().map(|instance| instance.sessions().count()).sum()
        })
        .collect();
    let total: usize = sizes.iter().sum();
    assert!((6_000..11_000).contains(&total), "{sizes:?}");
    assert!(sizes.iter().filter(|size| **size < 100).count() >= 4, "{sizes:?}");
}
