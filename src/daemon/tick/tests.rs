//! Ticks in a row of one database: what it shows and what its killer answers is the test's, what comes of it is said
//! in short.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::{Job, TickEnd, Worker, tick};
use crate::daemon::executor::Leaving;
use crate::daemon::killer::Killers;
use crate::daemon::shared_audit::SharedAudit;
use crate::engine::guard::End;
use crate::engine::history::History;
use crate::engine::policy::{Limits, Mode, PolicySet};
use crate::engine::report::{Acting, Outcome, TickId, TickReport};
use crate::engine::session::Snapshot;
use crate::engine::standing::Authority;
use crate::observe::fixture::{NOON, RuleSketch, policies, snapshot};
use crate::ports::{SessionKiller, SessionSource, SourceError};

const ENFORCE: RuleSketch = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };

/// What a test and the ports share.
#[derive(Default)]
struct Script {
    shown: VecDeque<Snapshot>,
    authority: Authority,
    authority_asked: usize,
    /// What the killer answers next; `Ended` when nothing is said.
    answers: VecDeque<Outcome>,
    /// Whom the killer was asked to end.
    asked: Vec<u32>,
}

type Shared = Arc<Mutex<Script>>;

struct Source(Shared);

impl SessionSource for Source {
    fn observe(&mut self) -> Result<Snapshot, SourceError> {
        let shown = self.0.lock().expect("nobody panicked").shown.pop_front();
        shown.ok_or_else(|| SourceError::Unavailable("nothing more to show".into()))
    }
}

struct Killer(Shared);

impl SessionKiller for Killer {
    fn authority(&self) -> Authority {
        let mut script = self.0.lock().expect("nobody panicked");
        script.authority_asked += 1;
        script.authority.clone()
    }

    fn end(&self, end: &End, _seen: &Snapshot) -> Outcome {
        let mut script = self.0.lock().expect("nobody panicked");
        script.asked.push(end.life.key.sid);
        script.answers.pop_front().unwrap_or(Outcome::Ended)
    }
}

/// One database and the rules for it.
struct Bench {
    worker: Worker,
    policies: Arc<PolicySet>,
    script: Shared,
    ticks: u64,
}

impl Bench {
    fn new(rules: &[RuleSketch]) -> Self {
        let script = Shared::default();
        let policies = policies(rules);
        let killer = Killer(Arc::clone(&script));
        let worker = Worker {
            database: "prod".to_owned(),
            source: Box::new(Source(Arc::clone(&script))),
            killers: Killers::new(Some(Box::new(killer)), Acting::AsRulesSay),
            history: History::default(),
            policies: Arc::clone(&policies),
            audit: SharedAudit::new(None),
            leaving: Leaving::default(),
            clock: Arc::new(|| NOON),
        };
        Self { worker, policies, script, ticks: 0 }
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("nobody panicked")
    }

    /// One tick of all rules on what is shown.
    fn tick(&mut self, shown: Snapshot) -> TickReport {
        self.script().shown.push_back(shown);
        self.ticks += 1;
        let job = Job {
            tick: TickId { run: NOON, number: self.ticks },
            policies: Arc::clone(&self.policies),
            due: (0..self.policies.rules.len()).collect(),
            missed: Vec::new(),
            limits: Limits::UNLIMITED,
        };
        match tick(&mut self.worker, job) {
            TickEnd::Done(report) => *report,
            TickEnd::Unseen(..) | TickEnd::Unaudited(_) => panic!("the tick was to be done"),
        }
    }

    fn asked(&self) -> Vec<u32> {
        std::mem::take(&mut self.script().asked)
    }
}

/// `7 ended, 8 follower: db2 leads`.
fn in_short(report: &TickReport) -> String {
    let ends = report.ends().map(|(end, outcome)| format!("{} {outcome}", end.life.key.sid));
    let spared = report.plan.spared().iter().map(|spared| {
        format!("{} {}: {}", spared.life.key.sid, spared.reason.because(), spared.detail)
    });
    ends.chain(spared).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_follower_spares_whom_enforcing_rules_chose_and_rehearses_the_rest() {
    let rehearsing = RuleSketch { name: "b", ..RuleSketch::DEFAULT };
    let reporting = RuleSketch { name: "c", report: true, ..ENFORCE };
    for (rule, outcome, asked) in [
        (ENFORCE, "7 follower: another leads", 1),
        (rehearsing, "7 simulated", 0),
        (reporting, "7 reported", 0),
    ] {
        let mut bench = Bench::new(&[rule]);
        bench.script().authority = Authority::Follows("another leads".into());
        let report = bench.tick(snapshot(&[(7, "APP")]));
        assert_eq!(in_short(&report), outcome);
        assert!(bench.asked().is_empty());
        // Leadership is nobody's business where nobody is to be ended.
        assert_eq!(bench.script().authority_asked, asked, "{rule:?}");
    }
}

#[test]
fn a_database_that_is_read_only_is_rehearsed_on_for_as_long_as_it_is() {
    let mut bench = Bench::new(&[ENFORCE]);
    let mut standby = snapshot(&[(7, "APP")]);
    standby.read_only = Some("it is a physical standby".to_owned());
    let report = bench.tick(standby);
    assert_eq!(in_short(&report), "7 simulated");
    assert_eq!(report.acting, Acting::DryRun);
    let why = "nobody is ended, enforcing rules are rehearsed: it is a physical standby";
    assert!(report.plan.warnings().iter().any(|warning| warning == why));
    assert!(bench.asked().is_empty());
    let report = bench.tick(snapshot(&[(7, "APP")]));
    assert_eq!((in_short(&report), report.acting), ("7 ended".to_owned(), Acting::AsRulesSay));
    assert_eq!(bench.asked(), [7]);
}
