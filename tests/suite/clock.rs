//! The database's clock is set by an hour while the daemon looks: nobody is ended because of that.

use rac_sim::cluster::fault::Fault;

use crate::warden::Ward;

/// Ages by a clock, and not by a counter of the server's.
const POLICY: &str = "\
version: 1
rules:
  - name: old
    schedule: '* * * * * *'
    match: {program: in-process, session_age: '> 30m'}
    mode: enforce
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: kill
  - name: young
    schedule: '* * * * * *'
    match: {program: in-process, session_age: '< 10s'}
    min_session_age: 0s
    mode: enforce
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: kill
";

#[test]
fn nobody_is_ended_because_the_databases_clock_was_set() {
    for (hours, way) in [(1, "forward"), (-1, "back")] {
        let mut ward = Ward::new(2, "leadership: true");
        ward.rig.write("p.yaml", POLICY);
        let mut daemon = ward.start();
        daemon.says(" tick ");
        for instance in [1, 2] {
            let skew = Fault::Skew { instance, millis: hours * 3_600_000 };
            ward.rig.database().lock().cluster.inject(&skew);
        }
        daemon.says(&format!("the database's clock was set {way} by"));
        for _ in 0..3 {
            daemon.says(" tick ");
        }
        assert_eq!((ward.ended(), ward.alive()), (0, 2), "{way}");
        drop(daemon);
    }
}
