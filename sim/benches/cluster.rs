//! How fast the model is: virtual seconds per second, on one core.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::Instant;

use rac_sim::cluster::spec::Spec;
use rac_sim::cluster::{Cluster, SECOND};

fn main() {
    for (name, spec) in [("oltp", Spec::oltp()), ("batch", Spec::batch()), ("storm", Spec::storm())]
    {
        let began = Instant::now();
        let mut cluster = Cluster::new(spec, 1);
        let made = began.elapsed();
        let sessions: usize = cluster.instances().map(|instance| instance.sessions().count()).sum();
        // Past the first minutes, in which all is warm.
        cluster.advance(600 * SECOND);
        let seconds = 20_000;
        let (began, events) = (Instant::now(), cluster.history.count());
        cluster.advance(seconds * SECOND);
        let took = began.elapsed().as_secs_f64();
        let events = cluster.history.count() - events;
        println!(
            "{name}: {sessions} sessions made in {:.0} ms; {:.0} virtual seconds per second, {:.2} million events/s",
            made.as_secs_f64() * 1e3,
            seconds as f64 / took,
            events as f64 / took / 1e6
        );
    }
}
