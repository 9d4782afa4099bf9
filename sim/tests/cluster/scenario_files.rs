//! Scenarios are data: what is written is understood, and what is not understood is refused.

use rac_sim::cluster::fault::Fault;
use rac_sim::cluster::spec::{DeadInstance, Kind, Spec};
use rac_sim::cluster::{Cluster, SECOND};
use rac_sim::conversation::Release;

#[test]
fn a_scenario_reads() {
    let spec: Spec = serde_json::from_str(
        r#"{
            "name": "TEST", "release": 12.2, "containers": ["PDB1"],
            "instances": [{"name": "t1", "skew_millis": -500}, {}],
            "workloads": [{"name": "pool", "kind": "idle_in_transaction", "sessions": 5, "server": "pooled"}],
            "limits": {"processes": 300},
            "switches": {"dead_instance": "gone"},
            "schedule": [{"after_seconds": 60, "fault": {"kind": "hide", "instance": 2, "seconds": 30}},
                         {"after_seconds": 90, "every_seconds": 10, "fault": {"kind": "lift"}}],
            "chances": {"lost_connections": 2.5}
        }"#,
    )
    .expect("it is right");
    assert_eq!((spec.release, spec.instances.len()), (Release::R12_2, 2));
    assert_eq!(spec.workloads[0].kind, Kind::IdleInTransaction);
    assert_eq!(spec.switches.dead_instance, DeadInstance::Gone);
    assert_eq!(spec.schedule[0].fault, Fault::Hide { instance: 2, seconds: 30 });
    assert_eq!(spec.limits.sessions(), 472);
}

#[test]
fn unknown_keys_and_releases_are_refused() {
    for text in [
        r#"{"nmae": "X"}"#,
        r#"{"release": "20c"}"#,
        r#"{"workloads": [{"thinks": 5}]}"#,
        r#"{"switches": {"cancel": 1}}"#,
        r#"{"schedule": [{"after_seconds": 1, "fault": {"kind": "hide", "instance": 2, "second": 30}}]}"#,
        r#"{"chances": {"meteors": 1}}"#,
    ] {
        assert!(serde_json::from_str::<Spec>(text).is_err(), "{text}");
    }
}

#[test]
fn what_cannot_be_is_named_all_at_once() {
    let spec: Spec = serde_json::from_str(
        r#"{
            "release": "11.2", "containers": ["PDB1"],
            "limits": {"processes": 4000000000},
            "workloads": [{"name": "w", "instances": [2], "container": "X", "write_share": 1.5, "think_seconds": -1.0}],
            "schedule": [{"after_seconds": 1, "fault": {"kind": "hang", "instance": 3}},
                         {"after_seconds": 1,
                          "fault": {"kind": "lock_storm", "workload": "v", "clients": 1, "seconds": 1}}]
        }"#,
    )
    .expect("its form is right");
    let problems = spec.problems();
    for part in [
        "limits",
        "11.2",
        "no instance 2",
        "`X`",
        "write_share",
        "think_seconds",
        "no instance 3",
        "`v`",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
    }
    assert_eq!(problems.len(), 8, "{problems:?}");
    for spec in [Spec::oltp(), Spec::batch(), Spec::storm()].into_iter().chain(Spec::fleet()) {
        assert_eq!(spec.problems(), Vec::<String>::new(), "{}", spec.name);
    }
}

#[test]
fn odd_workloads_do_no_harm() {
    for workload in [
        r#"{"statements": ["update t set a = 1"]}"#,
        r#"{"statements": ["update t set a = 1"], "kind": "monitor"}"#,
        r#"{"think_seconds": 0.0, "call_seconds": 0.0, "machines": [], "kind": "dashboard"}"#,
        r#"{"kind": "parallel", "degree": 100000}"#,
        r#"{"kind": "job", "process_name": "LONGNAME", "statement_count": 0}"#,
        r#"{"kind": "pool", "sessions": 5000, "reserve_share": 1.0, "ping_seconds": 0.0}"#,
    ] {
        let text = format!(r#"{{"limits": {{"processes": 200}}, "workloads": [{workload}]}}"#);
        let spec: Spec = serde_json::from_str(&text).expect("its form is right");
        assert_eq!(spec.problems(), Vec::<String>::new());
        let mut cluster = Cluster::new(spec, 1);
        cluster.advance(30 * SECOND);
        assert!(cluster.sessions().count() > 40, "{workload}");
    }
}
