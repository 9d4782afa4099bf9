//! The daemon as a process on a simulated database, with a network in between that a test controls; and sessions that
//! its one rule ends.

use std::collections::BTreeMap;
use std::process::Stdio;

use rac_sim::cluster::SECOND;
use rac_sim::cluster::history::What;
use rac_sim::cluster::session::SessionKey;
use rac_sim::conversation::Conversation;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::daemon::{Running, until};
use crate::proxy::Proxy;
use crate::rig::Rig;

pub(crate) const QUIET: &str = "{seed: 3, speed: 1, databases: [{like: quiet}]}";

/// What the call that ends a session has in it, and no other.
pub(crate) const END: &str = "KILL SESSION";

/// What the call that looks at sessions has in it, and no other.
pub(crate) const LOOK: &str = "s.last_call_et";

/// Due each second. Whoever is idle for longer than a minute is ended, and only those that a test made.
const POLICY: &str = "\
version: 1
rules:
  - name: idle
    schedule: '* * * * * *'
    match: {program: in-process, idle_for: '> 1m'}
    min_session_age: 0s
    mode: enforce
    limits: {percent: unlimited, per_tick: unlimited, per_hour: unlimited}
    action: kill
";

/// A database, a network in front of it, and the sessions that are to be ended.
pub(crate) struct Ward {
    pub(crate) rig: Rig,
    pub(crate) proxy: Proxy,
    victims: Vec<Box<dyn Conversation>>,
    /// How often each session was marked to be killed.
    marks: BTreeMap<SessionKey, usize>,
}

impl Ward {
    /// With so many victims on instance 1; `besides` goes to the database's configuration.
    pub(crate) fn new(victims: usize, besides: &str) -> Self {
        let rig = Rig::start(QUIET);
        let proxy = Proxy::before(rig.address());
        rig.configure("orawarden", &format!("{{connect: '{}', {besides}}}", proxy.connect()));
        rig.write("p.yaml", POLICY);
        assert_eq!(rig.types(&["resume"]).0, Some(0), "there is a file of holds now");
        rig.database().lock().cluster.history.keep();
        let mut ward = Self { rig, proxy, victims: Vec::new(), marks: BTreeMap::new() };
        ward.log_on(victims, "RACDB1");
        ward.idle();
        ward
    }

    /// More of them.
    pub(crate) fn log_on(&mut self, count: usize, service: &str) {
        let log_on = || self.rig.database().connect("app", service).expect("it can log in");
        let more: Vec<_> = (0..count).map(|_| log_on()).collect();
        self.victims.extend(more);
    }

    /// Time goes by while no daemon runs, longer than the rule allows and than a daemon waits before it repeats anything.
    pub(crate) fn idle(&self) {
        self.rig.database().advance(65 * SECOND);
    }

    /// The same under the eyes of one, in steps that it does not take for a clock that was set.
    pub(crate) fn idle_before(&self, daemon: &mut Running) {
        for _ in 0..2 {
            self.rig.database().advance(40 * SECOND);
            daemon.forget();
            // The first one may have looked before.
            daemon.says(" tick ");
            daemon.says(" tick ");
        }
    }

    /// The daemon.
    pub(crate) fn start(&self) -> Running {
        self.start_with("c.yaml")
    }

    /// One with this configuration.
    pub(crate) fn start_with(&self, config: &str) -> Running {
        let mut command = self.rig.command_with(config, &["run"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Running::of(command.spawn().expect("it can be started"))
    }

    /// How often victims were ended: once each, or the test fails.
    pub(crate) fn ended(&mut self) -> usize {
        for entry in self.rig.database().lock().cluster.history.take() {
            if entry.what == What::Marked {
                *self.marks.entry(entry.session).or_default() += 1;
            }
        }
        assert!(self.marks.values().all(|marks| *marks == 1), "ended twice: {:?}", self.marks);
        self.marks.len()
    }

    /// Waits until so many were ended.
    pub(crate) fn until_ended(&mut self, count: usize) {
        until("the end of all victims", || self.ended() == count);
    }

    /// Victims that are still there.
    pub(crate) fn alive(&self) -> usize {
        let database = self.rig.database();
        let state = database.lock();
        let ours = state.cluster.sessions().filter(|it| &*it.client.program == "in-process");
        ours.count()
    }

    /// The records of the audit; a line that is not whole fails the test.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = self.rig.read("audit.jsonl");
        assert!(text.is_empty() || text.ends_with('\n'), "half a line: {text}");
        crate::rig::json_lines(&text)
    }

    /// How many records say this.
    pub(crate) fn told(&self, name: &str, value: &str) -> usize {
        let path = self.rig.path("audit.jsonl");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.matches(&format!("\"{name}\":\"{value}\"")).count()
    }

    /// Waits until so many records say this.
    pub(crate) fn until_told(&self, name: &str, value: &str, count: usize) {
        until(&format!("{count} {name} {value}"), || self.told(name, value) >= count);
    }

    /// Every intent has one outcome, and no outcome is without an intent.
    pub(crate) fn every_intent_has_one_outcome(&self) {
        let mut open = BTreeMap::new();
        for record in self.records() {
            let place = |name: &str| record[name].to_string();
            let end = ["tick", "rule", "inst_id", "sid", "serial"].map(place);
            let by = match record["kind"].as_str() {
                Some("intent") => 1,
                Some("outcome") => -1,
                _ => 0,
            };
            *open.entry(end).or_insert(0) += by;
        }
        assert!(open.values().all(|it| *it == 0), "{open:?}");
    }
}

/// Ends the process as the machine would: it does nothing any more.
pub(crate) fn kill(mut daemon: Running) {
    daemon.child.0.kill().expect("it is our child");
    daemon.child.0.wait().expect("it is our child");
}

/// From here on its files cannot grow beyond this, as on a full disk; `None` lifts that.
pub(crate) fn fill_disk(daemon: &Running, bytes: Option<u64>) {
    let id = i32::try_from(daemon.child.0.id()).ok().and_then(Pid::from_raw);
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(id, Resource::Fsize, limit).expect("it is our child");
}
