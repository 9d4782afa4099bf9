//! The loop, event by event, under a clock that the tests turn by hand: no test waits for time to pass. Databases
//! answer when a test says so.

mod reload;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::{
    Audit, Daemon, Event, LoadError, NextAfter, RunError, Setup, Signal, Surroundings, TargetSpec,
    TickLog,
};
use crate::daemon::reload::Loaded;
use crate::daemon::tick::TickEnd;
use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::needs::Needs;
use crate::engine::policy::{Limits, Mode, PolicySet};
use crate::engine::pursuit::Verified;
use crate::engine::report::{Acting, Outcome};
use crate::engine::session::Snapshot;
use crate::engine::time::{Span, Timestamp};
use crate::observe::fixture::{NOON, RuleSketch, every_minute, snapshot_at};
use crate::ports::{AuditError, AuditSink, SessionKiller, SessionSource, SourceError, TickStamp};

const EVERY_HOUR: NextAfter = |_rule, after| {
    const HOUR: i64 = 3_600_000_000;
    Some(Timestamp((after.0.div_euclid(HOUR) + 1) * HOUR))
};

const ENFORCE: RuleSketch = RuleSketch {
    name: "idle",
    mode: Mode::Enforce,
    report: false,
    hold: Span::ZERO,
    per_tick: None,
    fingerprint: 1,
    schedule: "* * * * *",
    ..RuleSketch::DEFAULT
};

#[tokio::test]
async fn a_rule_ticks_when_it_is_due_and_every_end_has_one_outcome() {
    let (mut bench, killed) = Bench::new(&[ENFORCE], &["prod"]);
    bench.at(59);
    assert!(bench.daemon.ticks.is_empty(), "nothing is due");
    bench.shows("prod", &[7, 8]);
    bench.at(60);
    let (name, report) = bench.ticked().await;
    assert_eq!((name.as_str(), &*report), ("prod", "7 ended, 8 ended"));
    assert_eq!(killed.try_iter().collect::<Vec<_>>(), [7, 8]);
    bench.at(61);
    assert!(bench.daemon.ticks.is_empty(), "it was due once");
}

#[tokio::test]
async fn dry_run_ends_nobody_and_takes_the_same_path() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.dry_run = true;
    let (mut bench, killed) = sketch.start();
    bench.shows("prod", &[7]);
    bench.at(60);
    assert_eq!(bench.ticked().await.1, "7 simulated");
    assert_eq!(killed.try_iter().count(), 0);
}

#[tokio::test]
async fn without_an_audit_nobody_is_ended() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.audit = Audit::AsLoaded;
    let (bench, _killed) = sketch.start();
    assert_eq!(bench.daemon.acting(), Acting::DryRun);
}

#[tokio::test]
async fn a_database_that_hangs_delays_no_other_and_its_due_times_count_as_missed() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["hangs", "prod"]);
    for minute in 1..=3 {
        let sid = u32::try_from(minute).expect("it is small");
        bench.shows("prod", &[sid]);
        bench.at(minute * 60);
        assert_eq!(bench.ticked().await, ("prod".to_owned(), format!("{sid} ended")));
    }
    bench.shows("hangs", &[8]);
    assert_eq!(bench.ticked().await, ("hangs".to_owned(), "8 ended".to_owned()));
    bench.at(200);
    assert!(bench.daemon.ticks.is_empty(), "a missed tick is not made up for");
    bench.shows("hangs", &[]);
    bench.shows("prod", &[]);
    bench.at(240);
    let mut ticked = [bench.ticked().await, bench.ticked().await];
    ticked.sort();
    let [hangs, prod] = ticked.map(|(_, report)| report);
    assert_eq!((&*hangs, &*prod), ("missed idle 2", ""));
}

#[tokio::test]
async fn what_was_missed_is_told_even_when_the_next_look_fails() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
    bench.fails("prod");
    bench.at(180);
    assert_eq!(bench.ticked().await.1, "unseen");
    bench.shows("prod", &[]);
    bench.at(240);
    assert_eq!(bench.ticked().await.1, "missed idle 2");
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_looked_at_again_before_a_rule_is_due() {
    let (mut bench, killed) = unseen_within_the_hour().await;
    bench.at(3_659);
    assert!(bench.daemon.ticks.is_empty(), "a minute is not over");
    bench.fails("prod");
    bench.at(3_660);
    assert_eq!(bench.ticked().await.1, "unseen");
    bench.shows("prod", &[7]);
    bench.at(3_720);
    assert_eq!(bench.ticked().await.1, "", "no rule was due");
    assert_eq!(killed.try_iter().count(), 0);
    assert!(bench.daemon.unseen.is_empty());
    bench.at(3_900);
    assert!(bench.daemon.ticks.is_empty(), "it was seen");
}

#[tokio::test]
async fn looking_again_makes_no_rule_miss_its_time_and_outlives_a_clock_that_is_set() {
    let (mut bench, _killed) = unseen_within_the_hour().await;
    bench.at(7_141);
    assert!(bench.daemon.ticks.is_empty(), "a rule is due in less than a minute");
    bench.fails("prod");
    bench.at(3_000);
    assert_eq!(bench.ticked().await.1, "unseen", "a clock that was set back is not waited for");
}

#[tokio::test]
async fn a_rule_that_comes_due_during_a_look_without_rules_is_begun_when_it_is_back() {
    let (mut bench, _killed) = unseen_within_the_hour().await;
    bench.at(7_100);
    bench.at(7_200);
    assert!(!bench.daemon.until_due().is_zero(), "it is not asked again and again meanwhile");
    bench.fails("prod");
    assert_eq!(bench.ticked().await.1, "unseen");
    assert!(bench.daemon.until_due().is_zero());
    bench.shows("prod", &[7]);
    bench.at(7_201);
    assert_eq!(bench.ticked().await.1, "7 ended", "nothing was missed");
}

#[tokio::test]
async fn the_intent_is_in_the_file_before_the_killer_is_called_and_the_outcome_follows() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.audit = Audit::AsLoaded;
    sketch.audit_file = Some(path.clone());
    sketch.reads = Some(path.clone());
    let (mut bench, _killed) = sketch.start();
    bench.shows("prod", &[7, 8]);
    bench.at(60);
    // The killer that reads the audit answers Ended only where it finds what it should.
    assert_eq!(bench.ticked().await.1, "7 ended, 8 ended");
    let text = fs::read_to_string(path).expect("it is text");
    let kinds: Vec<(String, u64)> = text.lines().map(kind_and_sid).collect();
    let expected = [("intent", 7), ("intent", 8), ("outcome", 7), ("outcome", 8)];
    assert_eq!(kinds, expected.map(|(kind, sid)| (kind.to_owned(), sid)));
}

#[tokio::test]
async fn an_audit_that_fails_ends_nobody_and_the_daemon_goes_on() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.audit = Audit::Sink(Box::new(FullDisk));
    let (mut bench, killed) = sketch.start();
    for seconds in [60, 120] {
        bench.shows("prod", &[7]);
        bench.at(seconds);
        assert_eq!(
            bench.ticked().await,
            ("prod".to_owned(), "7 failed (not-tried), unaudited".to_owned())
        );
    }
    assert!(bench.daemon.failure.is_none());
    drop(bench);
    assert_eq!(killed.iter().count(), 0);
}

#[tokio::test]
async fn once_leaves_with_what_is_wrong_with_the_audit() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    (sketch.audit, sketch.once) = (Audit::Sink(Box::new(FullDisk)), true);
    let (bench, killed) = sketch.start();
    bench.shows("prod", &[7]);
    let left = bench.daemon.watch().await;
    assert!(matches!(left, Err(RunError::Audit(_))), "{left:?}");
    assert_eq!(killed.iter().count(), 0);
}

#[tokio::test]
async fn an_audit_that_cannot_be_opened_is_told_before_anything_is_looked_at() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.audit = Audit::AsLoaded;
    sketch.audit_file = Some(PathBuf::from("/nonexistent/audit.jsonl"));
    let (setup, surroundings, _parts) = sketch.build();
    let left = Daemon::new(setup, surroundings).watch().await;
    let why = LoadError::Audit(AuditError::Broken).to_string();
    assert!(matches!(&left, Err(RunError::Load(LoadError::Audit(_)))), "{left:?}");
    assert_eq!(left.map_err(|left| left.to_string()), Err(why));
}

#[tokio::test]
async fn policies_that_do_not_load_are_told_at_the_start() {
    let (mut setup, surroundings, _parts) = Sketch::new(&[ENFORCE], &["prod"]).build();
    setup.loader = Arc::new(|| Err(bad_files()));
    let left = Daemon::new(setup, surroundings).watch().await;
    assert!(matches!(left, Err(RunError::Load(LoadError::Files(why))) if why == "no such field"));
}

#[tokio::test]
async fn a_stop_is_heeded_while_the_first_load_hangs() {
    let (mut setup, surroundings, parts) = Sketch::new(&[ENFORCE], &["prod"]).build();
    let (_held, never) = channel::<()>();
    let never = Mutex::new(never);
    setup.loader = Arc::new(move || {
        never.lock().expect("nobody panicked").recv().ok();
        Err(bad_files())
    });
    parts.signals.try_send(Signal::Stop).expect("there is room");
    assert!(Daemon::new(setup, surroundings).watch().await.is_ok());
}

#[tokio::test]
async fn stop_finishes_the_running_tick_which_ends_nobody_else_and_begins_no_other() {
    let (mut bench, killed) = Bench::new(&[ENFORCE], &["prod"]);
    bench.at(60);
    bench.signal(Signal::Stop);
    bench.handle_next().await;
    bench.at(120);
    bench.shows("prod", &[7]);
    assert!(bench.daemon.watch().await.is_ok());
    assert_eq!(killed.iter().count(), 0);
}

#[tokio::test]
async fn a_second_stop_leaves_at_once_and_nobody_is_ended_after_it() {
    let (mut bench, killed) = Bench::new(&[ENFORCE], &["prod"]);
    bench.at(60);
    bench.looks.recv().expect("the tick begins");
    bench.signal(Signal::Stop);
    bench.signal(Signal::Stop);
    let gates = std::mem::take(&mut bench.gates);
    assert!(bench.daemon.watch().await.is_ok(), "it does not wait for the tick");
    let late = snapshot_at(NOON, &[(7, "APP")]);
    gates[0].1.send(Some(late)).expect("the tick still waits for it");
    assert_eq!(killed.iter().count(), 0);
}

#[tokio::test]
async fn a_tick_that_outlives_the_deadline_is_left_behind() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
    bench.at(60);
    assert_eq!(bench.daemon.handle(Event::Stop), ControlFlow::Continue(()));
    assert_eq!(bench.daemon.handle(Event::GraceOver), ControlFlow::Break(()));
}

#[tokio::test]
async fn once_ticks_every_rule_and_leaves() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.once = true;
    let (bench, killed) = sketch.start();
    bench.shows("prod", &[7]);
    assert!(bench.daemon.watch().await.is_ok());
    assert_eq!(killed.iter().collect::<Vec<_>>(), [7]);
}

#[tokio::test]
async fn once_says_that_it_was_stopped_before_its_tick_was_done() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.once = true;
    let (mut bench, killed) = sketch.start();
    bench.signal(Signal::Stop);
    bench.handle_next().await;
    bench.shows("prod", &[7]);
    assert!(matches!(bench.daemon.watch().await, Err(RunError::Unfinished(_))));
    assert_eq!(killed.iter().count(), 0);
}

#[tokio::test]
async fn once_says_which_databases_could_not_be_looked_at() {
    let mut sketch = Sketch::new(&[ENFORCE], &["down", "prod"]);
    sketch.once = true;
    let (bench, _killed) = sketch.start();
    bench.shows("prod", &[7]);
    bench.fails("down");
    let left = bench.daemon.watch().await;
    assert!(matches!(left, Err(RunError::Unavailable(names)) if names == "down"));
}

#[tokio::test]
async fn once_that_is_told_to_leave_before_its_tick_is_done_says_so() {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.once = true;
    let (bench, _killed) = sketch.start();
    bench.signal(Signal::Stop);
    bench.signal(Signal::Stop);
    let Bench { daemon, gates, .. } = bench;
    let left = daemon.watch().await;
    assert!(matches!(left, Err(RunError::Unfinished(names)) if names == ": prod"));
    drop(gates);
}

#[tokio::test]
async fn the_sleep_is_bounded_whatever_the_clock_says() {
    let (bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
    assert_eq!(bench.daemon.until_due(), super::LOOK_AGAIN_AFTER);
    bench.clock.store(NOON.0 + 59_500_000, Ordering::SeqCst);
    assert_eq!(bench.daemon.until_due().as_millis(), 500);
    bench.clock.store(NOON.0 + 90_000_000, Ordering::SeqCst);
    assert_eq!(bench.daemon.until_due().as_millis(), 0);
}

#[test]
fn the_whole_daemon_ticks_a_capture_once() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let (gate, answers) = channel();
    gate.send(Some(snapshot_at(NOON, &[(7, "APP")]))).expect("it is watched");
    let answers = Mutex::new(Some(answers));
    let audit_file = path.clone();
    let load = move || {
        let answers = answers.lock().expect("nobody panicked").take();
        let targets = vec![spec("yesterday", answers.expect("it is loaded once"), &channel().0)];
        Ok(Loaded { audit: Some(audit_file.clone()), ..loaded(&[ENFORCE], targets) })
    };
    let (audit, log) = (Audit::AsLoaded, TickLog::default());
    let setup = Setup {
        loader: Arc::new(load),
        audit,
        once: true,
        dry_run: false,
        log,
        manager: None,
        board: None,
    };
    assert!(super::run(setup).is_ok());
    let text = fs::read_to_string(path).expect("it is text");
    assert!(text.contains(r#""database":"yesterday""#), "{text}");
    assert!(text.contains(r#""mode":"enforce","dry_run":true"#), "{text}");
    assert!(text.contains(r#""outcome":"simulated""#), "{text}");
}

/// A rule of every hour, whose look failed an hour after noon.
async fn unseen_within_the_hour() -> (Bench, Receiver<u32>) {
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.next_after = EVERY_HOUR;
    let (mut bench, killed) = sketch.start();
    bench.fails("prod");
    bench.at(3_600);
    assert_eq!(bench.ticked().await.1, "unseen");
    (bench, killed)
}

/// What a test says about a daemon before it starts.
struct Sketch {
    rules: Vec<RuleSketch>,
    databases: Vec<&'static str>,
    audit: Audit,
    audit_file: Option<PathBuf>,
    once: bool,
    dry_run: bool,
    /// The audit that the killer reads before it answers.
    reads: Option<PathBuf>,
    next_after: NextAfter,
}

type Gates = Vec<(&'static str, Sender<Option<Snapshot>>)>;
type Load = Result<Loaded, LoadError>;

/// What a test keeps of the world around a daemon.
struct Parts {
    gates: Gates,
    clock: Arc<AtomicI64>,
    loads: Sender<Load>,
    signals: tokio::sync::mpsc::Sender<Signal>,
    killed: Receiver<u32>,
    looks: Receiver<()>,
}

impl Sketch {
    fn new(rules: &[RuleSketch], databases: &[&'static str]) -> Self {
        Self {
            rules: rules.to_vec(),
            databases: databases.to_vec(),
            audit: Audit::Sink(Box::new(Patient)),
            audit_file: None,
            once: false,
            dry_run: false,
            reads: None,
            next_after: every_minute,
        }
    }

    fn start(self) -> (Bench, Receiver<u32>) {
        let (setup, surroundings, parts) = self.build();
        let Parts { gates, clock, loads, signals, killed, looks } = parts;
        let mut daemon = Daemon::new(setup, surroundings);
        let first = daemon.loads.load_now(&daemon.audit_at);
        assert_eq!(daemon.handle(Event::Loaded(Ok(first))), ControlFlow::Continue(()));
        (Bench { daemon, gates, clock, loads, signals, looks }, killed)
    }

    fn build(self) -> (Setup, Surroundings, Parts) {
        let clock = Arc::new(AtomicI64::new(NOON.0));
        let (kills, killed) = channel();
        let (signals, heard) = tokio::sync::mpsc::channel(8);
        let (loads, asked) = channel();
        let (begun, looks) = channel();
        let mut gates = Vec::new();
        let mut targets = Vec::new();
        for name in &self.databases {
            let (gate, answers) = channel();
            gates.push((*name, gate));
            let killer = Remembering { kills: kills.clone(), reads: self.reads.clone() };
            targets
                .push(TargetSpec { killer: Some(Box::new(killer)), ..spec(name, answers, &begun) });
        }
        let first = Loaded { audit: self.audit_file.clone(), ..loaded(&self.rules, targets) };
        loads.send(Ok(first)).expect("the loader listens");
        let asked = Mutex::new(asked);
        let load = move || asked.lock().expect("nobody panicked").recv().expect("a test loads");
        let hands = Arc::clone(&clock);
        let surroundings = Surroundings {
            clock: Arc::new(move || Timestamp(hands.load(Ordering::SeqCst))),
            next_after: self.next_after,
            signals: heard,
        };
        let Self { audit, once, dry_run, .. } = self;
        let log = TickLog::default();
        let setup =
            Setup { loader: Arc::new(load), audit, once, dry_run, log, manager: None, board: None };
        (setup, surroundings, Parts { gates, clock, loads, signals, killed, looks })
    }
}

fn spec(name: &str, answers: Receiver<Option<Snapshot>>, begun: &Sender<()>) -> TargetSpec {
    let source = Box::new(Gated { answers, begun: begun.clone() });
    TargetSpec::dry_run(name, 1, source, Limits::UNLIMITED)
}

fn loaded(rules: &[RuleSketch], targets: Vec<TargetSpec>) -> Loaded {
    let rules = rules.iter().map(|sketch| sketch.build()).collect();
    let policies = PolicySet { rules, ..PolicySet::default() };
    let hooks = Vec::new();
    Loaded { policies, targets, audit: None, holds: None, log: None, hooks }
}

fn bad_files() -> LoadError {
    LoadError::Files("no such field".to_owned())
}

fn number(end: &TickEnd) -> u64 {
    let TickEnd::Done(report) = end else { panic!("it was to be done") };
    report.tick.number
}

/// A daemon and the handles to its world.
struct Bench {
    daemon: Daemon,
    gates: Gates,
    clock: Arc<AtomicI64>,
    loads: Sender<Load>,
    signals: tokio::sync::mpsc::Sender<Signal>,
    /// Hears of every look as it begins.
    looks: Receiver<()>,
}

impl Bench {
    fn new(rules: &[RuleSketch], databases: &[&'static str]) -> (Self, Receiver<u32>) {
        Sketch::new(rules, databases).start()
    }

    /// Turns the clock to so many seconds after noon, and lets the loop look.
    fn at(&mut self, seconds: i64) {
        self.clock.store(NOON.plus(Span::seconds(seconds)).0, Ordering::SeqCst);
        assert_eq!(self.daemon.handle(Event::Due), ControlFlow::Continue(()));
    }

    /// Lets the next look at a database see these sessions.
    fn shows(&self, database: &str, sids: &[u32]) {
        self.shows_at(60, database, sids);
    }

    fn shows_at(&self, seconds: i64, database: &str, sids: &[u32]) {
        let rows: Vec<(u32, &str)> = sids.iter().map(|sid| (*sid, "APP")).collect();
        let taken_at = NOON.plus(Span::seconds(seconds));
        self.gate(database).send(Some(snapshot_at(taken_at, &rows))).expect("it is watched");
    }

    /// Lets the next look at a database fail.
    fn fails(&self, database: &str) {
        self.gate(database).send(None).expect("it is watched");
    }

    fn gate(&self, database: &str) -> &Sender<Option<Snapshot>> {
        let gate = self.gates.iter().find(|(name, _)| *name == database);
        &gate.expect("the test configured it").1
    }

    fn signal(&self, signal: Signal) {
        self.signals.try_send(signal).expect("there is room");
    }

    async fn handle_next(&mut self) {
        let event = self.daemon.next_event().await;
        assert_eq!(self.daemon.handle(event), ControlFlow::Continue(()));
    }

    /// Loads these rules and databases, whose new sources never answer.
    async fn reload(&mut self, rules: &[RuleSketch], databases: &[&str]) {
        let targets = databases.iter().map(|name| spec(name, channel().1, &channel().0)).collect();
        self.loads.send(Ok(loaded(rules, targets))).expect("the loader listens");
        self.signal(Signal::Reload);
        self.handle_next().await;
        self.handle_next().await;
    }

    /// Answers a load that was begun.
    async fn reload_under_way(&mut self, rules: &[RuleSketch], databases: &[&str]) {
        let targets = databases.iter().map(|name| spec(name, channel().1, &channel().0)).collect();
        self.loads.send(Ok(loaded(rules, targets))).expect("the loader listens");
        self.handle_next().await;
    }

    /// Waits for a tick; answers its number.
    async fn tick_number(&mut self) -> u64 {
        let event = self.daemon.next_event().await;
        let Event::Ticked(Ok((_, finished))) = &event else { panic!("a tick was to end") };
        let number = number(&finished.end);
        assert_eq!(self.daemon.handle(event), ControlFlow::Continue(()));
        number
    }

    /// Waits for a tick; answers whose it was, and how it went in short.
    async fn ticked(&mut self) -> (String, String) {
        let event = self.daemon.next_event().await;
        let Event::Ticked(Ok((name, finished))) = &event else { panic!("a tick was to end") };
        let told = (name.clone(), in_short(&finished.end));
        assert_eq!(self.daemon.handle(event), ControlFlow::Continue(()));
        told
    }
}

fn in_short(end: &TickEnd) -> String {
    match end {
        TickEnd::Unseen(..) => "unseen".to_owned(),
        TickEnd::Done(report) | TickEnd::Unaudited(_, report) => {
            assert_eq!(report.outcomes.len(), report.plan.ends().len());
            let ends =
                report.ends().map(|(end, outcome)| format!("{} {outcome}", end.life.key.sid));
            let missed = report.missed.iter().map(|it| format!("missed {} {}", it.rule, it.ticks));
            let unaudited = matches!(end, TickEnd::Unaudited(..)).then(|| "unaudited".to_owned());
            ends.chain(missed).chain(unaudited).collect::<Vec<_>>().join(", ")
        }
    }
}

fn kind_and_sid(line: &str) -> (String, u64) {
    let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
    let kind = record["kind"].as_str().expect("a record has a kind");
    (kind.to_owned(), record["sid"].as_u64().expect("these records are of sessions"))
}

/// Answers when the test lets it; fails when it is told nothing.
struct Gated {
    answers: Receiver<Option<Snapshot>>,
    begun: Sender<()>,
}

impl SessionSource for Gated {
    fn observe(&mut self, _needs: &Needs) -> Result<Snapshot, SourceError> {
        // Most tests do not listen.
        self.begun.send(()).ok();
        let answer = self.answers.recv().ok().flatten();
        answer.ok_or_else(|| SourceError::Unavailable("no listener".into()))
    }

    /// Its clock goes on with the test, and not with the machine.
    fn is_live(&self) -> bool {
        false
    }
}

/// Ends everybody, and tells the test whom.
struct Remembering {
    kills: Sender<u32>,
    reads: Option<PathBuf>,
}

impl SessionKiller for Remembering {
    fn end(&self, end: &End, _seen: &Snapshot) -> Outcome {
        let sid = end.life.key.sid;
        if let Some(path) = &self.reads {
            let text = fs::read_to_string(path).unwrap_or_default();
            let kinds: Vec<(String, u64)> = text.lines().map(kind_and_sid).collect();
            let of_this = kinds.iter().filter(|(_, of)| *of == u64::from(sid));
            if !of_this.map(|(kind, _)| kind).eq(["intent"]) {
                return Outcome::Unknown;
            }
        }
        self.kills.send(sid).map_or(Outcome::Unknown, |()| Outcome::Ended)
    }
}

/// Takes everything.
struct Patient;

impl AuditSink for Patient {
    fn verified(
        &mut self,
        _: TickStamp<'_>,
        _: &[Verified],
        _: Timestamp,
    ) -> Result<(), AuditError> {
        Ok(())
    }

    fn intend(
        &mut self,
        _: TickStamp<'_>,
        _: &ApprovedPlan,
        _: Timestamp,
    ) -> Result<(), AuditError> {
        Ok(())
    }

    fn outcome(
        &mut self,
        _: TickStamp<'_>,
        _: &End,
        _: Outcome,
        _: Timestamp,
    ) -> Result<(), AuditError> {
        Ok(())
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        Ok(())
    }
}

/// Takes nothing.
struct FullDisk;

impl AuditSink for FullDisk {
    fn verified(
        &mut self,
        _: TickStamp<'_>,
        _: &[Verified],
        _: Timestamp,
    ) -> Result<(), AuditError> {
        panic!("nobody was ended")
    }

    fn intend(
        &mut self,
        _: TickStamp<'_>,
        _: &ApprovedPlan,
        _: Timestamp,
    ) -> Result<(), AuditError> {
        Err(AuditError::Unwritable { path: "disk".to_owned(), cause: "no space left".into() })
    }

    fn outcome(
        &mut self,
        _: TickStamp<'_>,
        _: &End,
        _: Outcome,
        _: Timestamp,
    ) -> Result<(), AuditError> {
        panic!("nobody was ended")
    }

    fn settle(&mut self) -> Result<(), AuditError> {
        panic!("nobody was ended")
    }
}
