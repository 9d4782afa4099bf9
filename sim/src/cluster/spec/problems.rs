//! What a specification must not say: names that mean nothing, shares beyond 1, sizes that no machine has.

use super::{Spec, Workload};
use crate::cluster::fault::Fault;
use crate::conversation::Release;

/// More sessions, processes or instances than this are a slip of the pen.
const COUNT_MAX: u32 = 100_000;
/// A thousand years: times beyond this are no dates of Oracle's, and cannot be counted in microseconds.
const SECONDS_MAX: u64 = 1_000 * 366 * 86_400;
/// More often an hour than this is no chance any more.
const RATE_MAX: f64 = 1e6;
/// RAC has no more here than fit the numbers of the views.
pub const INSTANCES_MAX: usize = 16;

impl Spec {
    /// All that is wrong, in words; nothing if a cluster can be made of it.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.instances.is_empty() || self.instances.len() > INSTANCES_MAX {
            found.push(format!(
                "there are {} instances, but 1 to {INSTANCES_MAX} can be",
                self.instances.len()
            ));
        }
        if self.limits.processes > COUNT_MAX
            || self.limits.sessions.is_some_and(|sessions| sessions > COUNT_MAX)
        {
            found.push(format!("limits above {COUNT_MAX} are not played"));
        }
        if !self.containers.is_empty() && self.release == Release::R11_2 {
            found.push("11.2 has no containers".to_owned());
        }
        found.extend(self.time_problems());
        for (name, rate) in self.chances.rates() {
            if !(0.0..=RATE_MAX).contains(&rate) {
                found.push(format!("chance `{name}` is {rate}, but 0 to {RATE_MAX} can be"));
            }
        }
        for workload in &self.workloads {
            let problems = self.workload_problems(workload);
            found.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("workload `{}`: {problem}", workload.name)),
            );
        }
        for (place, scheduled) in self.schedule.iter().enumerate() {
            let problem = self.fault_problem(&scheduled.fault);
            found.extend(
                problem.map(|problem| format!("fault {} of the schedule: {problem}", place + 1)),
            );
        }
        found
    }

    /// Times that cannot be.
    fn time_problems(&self) -> Vec<String> {
        let start = ("start_seconds", self.start_seconds.unsigned_abs());
        let skews =
            self.instances.iter().map(|it| ("skew_millis", it.skew_millis.unsigned_abs() / 1_000));
        let faults = self.schedule.iter().flat_map(|it| {
            let skew = if let Fault::Skew { millis, .. } = it.fault { millis } else { 0 };
            [
                ("after_seconds", it.after_seconds),
                ("every_seconds", it.every_seconds.unwrap_or(0)),
                ("millis", skew.unsigned_abs() / 1_000),
            ]
        });
        let all = [start].into_iter().chain(skews).chain(faults);
        all.filter(|(_, seconds)| *seconds > SECONDS_MAX)
            .map(|(name, _)| format!("`{name}` is more than {SECONDS_MAX} seconds"))
            .collect()
    }

    fn has_instance(&self, inst_id: u32) -> bool {
        (1..=self.instances.len()).contains(&(inst_id as usize))
    }

    fn workload_problems(&self, workload: &Workload) -> Vec<String> {
        let mut found = Vec::new();
        if workload.sessions > COUNT_MAX {
            found.push(format!("{} sessions are more than {COUNT_MAX}", workload.sessions));
        }
        for (name, count) in
            [("statement_count", workload.statement_count), ("degree", workload.degree)]
        {
            if count > COUNT_MAX {
                found.push(format!("`{name}` is {count}, which is more than {COUNT_MAX}"));
            }
        }
        for inst_id in workload.instances.iter().filter(|inst_id| !self.has_instance(**inst_id)) {
            found.push(format!("there is no instance {inst_id}"));
        }
        let named = workload.container.is_empty()
            || matches!(&*workload.container, "CDB$ROOT")
            || self.containers.contains(&workload.container);
        if !named {
            found.push(format!("there is no container `{}`", workload.container));
        }
        for (name, share) in [
            ("long_share", workload.long_share),
            ("reserve_share", workload.reserve_share),
            ("write_share", workload.write_share),
            ("hold_share", workload.hold_share),
            ("reconnect_share", workload.reconnect_share),
        ] {
            if !(0.0..=1.0).contains(&share) {
                found.push(format!("`{name}` is {share}, but a share is 0 to 1"));
            }
        }
        for (name, seconds) in [
            ("think_seconds", workload.think_seconds),
            ("call_seconds", workload.call_seconds),
            ("long_seconds", workload.long_seconds),
            ("ping_seconds", workload.ping_seconds),
        ] {
            if !(0.0..=1e9).contains(&seconds) {
                found.push(format!(
                    "`{name}` is {seconds}, but it must not be negative or above 1e9"
                ));
            }
        }
        found
    }

    fn fault_problem(&self, fault: &Fault) -> Option<String> {
        let unknown_workload = |name: &String| {
            let known = self.workloads.iter().any(|workload| workload.name == *name);
            (!known).then(|| format!("there is no workload `{name}`"))
        };
        let unknown_instance = |inst_id: &u32| {
            (!self.has_instance(*inst_id)).then(|| format!("there is no instance {inst_id}"))
        };
        let many = match fault {
            Fault::Error { calls: count, .. }
            | Fault::LogOnError { log_ons: count, .. }
            | Fault::LogOnBurst { clients: count, .. } => *count > COUNT_MAX,
            Fault::LoseConnections { share, .. } if !(0.0..=1.0).contains(share) => {
                return Some(format!("`share` is {share}, but a share is 0 to 1"));
            }
            _ => false,
        };
        if many {
            return Some(format!("more than {COUNT_MAX} times is not played"));
        }
        match fault {
            Fault::LockStorm { workload, .. }
            | Fault::LatchStorm { workload, .. }
            | Fault::LogOnBurst { workload, .. } => unknown_workload(workload),
            Fault::Evict { instance, .. }
            | Fault::ShutDown { instance, .. }
            | Fault::Start { instance }
            | Fault::Hang { instance, .. }
            | Fault::Hide { instance, .. }
            | Fault::Slow { instance, .. }
            | Fault::Skew { instance, .. }
            | Fault::Error { instance, .. }
            | Fault::LogOnError { instance, .. }
            | Fault::FillProcesses { instance, .. }
            | Fault::ArchiverStuck { instance, .. }
            | Fault::LoseConnections { instance, .. } => unknown_instance(instance),
            Fault::NoSlaves { .. }
            | Fault::LoseConnection(_)
            | Fault::HangCall(_)
            | Fault::Lift => None,
        }
    }
}
