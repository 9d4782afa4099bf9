//! Scenarios are data: what is written is understood, and what is not understood is refused.

use rac_sim::cluster::fault::Fault;
use rac_sim::cluster::spec::{DeadInstance, Kind, Spec};
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
