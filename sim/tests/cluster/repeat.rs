//! The same seed gives the same history; another one gives another.

use rac_sim::cluster::history::Entry;
use rac_sim::cluster::spec::Spec;
use rac_sim::cluster::{Cluster, SECOND};

/// A storm at an eighth of its size, with everything that can happen.
fn small() -> Spec {
    let mut spec = Spec::storm();
    for workload in &mut spec.workloads {
        workload.sessions = workload.sessions.div_ceil(8);
    }
    spec.workloads
        .extend(Spec::batch().workloads.into_iter().filter(|work| work.name == "warehouse"));
    spec
}

#[test]
fn the_same_seed_gives_the_same_history_over_100_000_seconds() {
    let run = |step: i64| {
        let mut cluster = Cluster::new(small(), 42);
        let mut left = 100_000 * SECOND;
        while left > 0 {
            cluster.advance(step.min(left));
            left -= step;
        }
        (
            cluster.history.digest(),
            cluster.history.count(),
            format!("{:?}", cluster.instances().collect::<Vec<_>>()),
        )
    };
    // Neither does it matter in which steps time passes.
    let (whole, steps) = (run(100_000 * SECOND), run(977 * SECOND));
    assert!(whole.1 > 1_000_000, "much happened: {}", whole.1);
    assert_eq!(whole.0, steps.0);
    assert!(whole == steps, "the state is the same to the last byte");
}

#[test]
fn the_list_is_the_same_to_the_last_entry_and_differs_by_seed() {
    let run = |seed| -> Vec<Entry> {
        let mut cluster = Cluster::new(small(), seed);
        cluster.history.keep();
        cluster.advance(1_000 * SECOND);
        cluster.history.take()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
