//! Ticks in a row of one database: what it shows and what its killer answers is the test's, what comes of it is said
//! in short.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holds::hold;

use super::{Job, TickEnd, Worker, tick};
use crate::daemon::executor::Leaving;
use crate::daemon::holds::change;
use crate::daemon::killer::Killers;
use crate::daemon::manager::Pulse;
use crate::daemon::pace::{Beat, Pace};
use crate::daemon::recheck::Superseded;
use crate::daemon::shared_audit::SharedAudit;
use crate::engine::guard::End;
use crate::engine::history::{Counted, History};
use crate::engine::needs::Needs;
use crate::engine::policy::{Breaker, Limits, Mode, PolicySet, Reset, Verb};
use crate::engine::pursuit::{Finding, Recalled};
use crate::engine::report::{Acting, Failure, Missed, Outcome, Refusal, TickId, TickReport};
use crate::engine::session::{Instance, InstanceState, Number, NumberColumn, Snapshot, TextColumn};
use crate::engine::standing::Authority;
use crate::engine::time::Span;
use crate::observe::fixture::{NOON, RuleSketch, policies, snapshot, snapshot_at};
use crate::ports::{SessionKiller, SessionSource, SourceError};

const ENFORCE: RuleSketch = RuleSketch { mode: Mode::Enforce, ..RuleSketch::DEFAULT };

/// What a test and the ports share.
#[derive(Default)]
struct Script {
    shown: VecDeque<Snapshot>,
    /// What it was asked for last.
    needs: Needs,
    authority: Authority,
    authority_asked: usize,
    /// What the killer answers next; `Ended` when nothing is said.
    answers: VecDeque<Outcome>,
    /// Whom the killer was asked to end.
    asked: Vec<u32>,
    /// How long the machine has run.
    ran: Arc<Mutex<Duration>>,
    /// How long a look takes from when the database told its time.
    look_takes: Duration,
    /// The database's time comes at once, however long the look takes.
    tells_at_once: bool,
    /// Who pauses while somebody is being ended, a second later.
    pauses: Option<Arc<Path>>,
    /// Other policies come into force while somebody is being ended.
    reloads: bool,
    superseded: Superseded,
}

impl Script {
    fn pass(&self, time: Duration) {
        *self.ran.lock().expect("nobody panicked") += time;
    }
}

type Shared = Arc<Mutex<Script>>;

struct Source(Shared);

impl SessionSource for Source {
    fn observe(&mut self, needs: &Needs) -> Result<Snapshot, SourceError> {
        let mut script = self.0.lock().expect("nobody panicked");
        script.needs = needs.clone();
        script.pass(script.look_takes);
        let mut shown = script.shown.pop_front();
        if let Some(seen) = shown.as_mut().filter(|_| script.tells_at_once) {
            seen.told_within = Some((Span::ZERO, Span::ZERO));
        }
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
        if let Some(path) = script.pauses.take() {
            change(&path, NOON, |holds| holds.add(hold(None, None))).expect("it can be changed");
            script.pass(Duration::from_secs(1));
        }
        if script.reloads {
            script.superseded.raise();
        }
        script.answers.pop_front().unwrap_or(Outcome::Ended)
    }
}

/// One database and the rules for it.
struct Bench {
    worker: Worker,
    policies: Arc<PolicySet>,
    script: Shared,
    ticks: u64,
    holds: Option<Arc<Path>>,
    /// How long the machine has run.
    ran: Arc<Mutex<Duration>>,
    /// By how much the database's clock was set.
    set: Span,
}

impl Bench {
    fn new(rules: &[RuleSketch]) -> Self {
        let script = Shared::default();
        let policies = policies(rules);
        let killer = Killer(Arc::clone(&script));
        let ran = Arc::clone(&script.lock().expect("nobody panicked").ran);
        let told = Arc::clone(&ran);
        let now = move || *told.lock().expect("nobody panicked");
        let beat = Beat { now: Box::new(now), wait: Box::new(|_| ()) };
        let worker = Worker {
            database: "prod".to_owned(),
            source: Box::new(Source(Arc::clone(&script))),
            killers: Killers::new(Some(Box::new(killer)), Acting::AsRulesSay),
            history: History::default(),
            policies: Arc::clone(&policies),
            audit: SharedAudit::new(None),
            leaving: Leaving::default(),
            pace: Pace::new(beat),
            pulse: Pulse::default(),
            clock: Arc::new(|| NOON),
        };
        Self { worker, policies, script, ticks: 0, holds: None, ran, set: Span::ZERO }
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("nobody panicked")
    }

    /// One tick of all rules on what is shown.
    fn tick(&mut self, shown: Snapshot) -> TickReport {
        match self.tick_after(shown, &[]) {
            TickEnd::Done(report) => *report,
            TickEnd::Unseen(..) | TickEnd::Unaudited(..) => panic!("the tick was to be done"),
        }
    }

    /// The same after these due times went by.
    fn tick_after(&mut self, mut shown: Snapshot, missed: &[Missed]) -> TickEnd {
        let since_noon = shown.taken_at.since(NOON).0;
        let ran = Duration::from_micros(u64::try_from(since_noon).expect("tests begin at noon"));
        *self.ran.lock().expect("nobody panicked") = ran;
        shown.taken_at = shown.taken_at.plus(self.set);
        self.script().shown.push_back(shown);
        self.look(missed)
    }

    /// A tick that sees what there is, if anything.
    fn look(&mut self, missed: &[Missed]) -> TickEnd {
        self.ticks += 1;
        let job = Job {
            tick: TickId { run: NOON, number: self.ticks },
            policies: Arc::clone(&self.policies),
            due: (0..self.policies.rules.len()).collect(),
            missed: missed.to_vec(),
            limits: Limits::UNLIMITED,
            holds: self.holds.clone(),
            superseded: self.script().superseded.clone(),
        };
        tick(&mut self.worker, job)
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

/// So many seconds after noon.
fn at(seconds: i64, rows: &[(u32, &str)]) -> Snapshot {
    let mut seen = snapshot_at(NOON.plus(Span::seconds(seconds)), rows);
    seen.instances = vec![Instance { inst_id: 1, state: InstanceState::Answered }];
    seen
}

/// SID 7 alone, with these texts.
fn seven(seconds: i64, texts: &[(TextColumn, &str)]) -> Snapshot {
    let mut seen = at(seconds, &[(7, "APP")]);
    for (column, text) in texts {
        seen.sessions.set_text(0, *column, text);
    }
    seen
}

/// `gone`, `ending 5 to 3`, and what else was found.
fn found(report: &TickReport) -> Vec<String> {
    let found = report.verified.iter().map(|verified| match verified.finding {
        Finding::Ending { from, to } => format!("ending {from:?} to {to:?}"),
        finding => finding.word().to_owned(),
    });
    found.collect()
}

const LADDER: RuleSketch =
    RuleSketch { ladder: &[(Verb::KillImmediate, 0), (Verb::DisconnectImmediate, 60)], ..ENFORCE };

fn verbs(report: &TickReport) -> Vec<Verb> {
    report.plan.ends().iter().filter_map(End::verb).collect()
}

#[test]
fn the_next_rung_is_taken_when_its_time_has_come_and_the_last_is_repeated_and_given_up() {
    let mut bench = Bench::new(&[LADDER]);
    let mut told = Vec::new();
    for seconds in [0, 30, 59, 62, 90, 125, 190, 255, 320, 7_200] {
        let report = bench.tick(at(seconds, &[(7, "APP")]));
        let because = report.plan.spared().first().map(|spared| spared.reason.because());
        let verb = verbs(&report).first().map(|verb| verb.text().to_owned());
        told.push(verb.or(because).unwrap_or_default());
    }
    let (kill, disconnect) = ("kill immediate", "disconnect immediate");
    assert_eq!(
        told,
        [
            kill, "pending", "pending", disconnect, "pending", disconnect, disconnect, disconnect,
            "limit", "limit"
        ]
    );
    assert_eq!(bench.asked().len(), 5);
}

#[test]
fn what_waits_says_when_and_what_is_given_up_says_why() {
    let mut bench = Bench::new(&[LADDER]);
    bench.tick(at(0, &[(7, "APP")]));
    let report = in_short(&bench.tick(at(30, &[(7, "APP")])));
    assert!(report.starts_with("7 pending: disconnect immediate is due at 2026-03-29T12:01:00"));
    for seconds in [100, 200, 300, 400] {
        bench.tick(at(seconds, &[(7, "APP")]));
    }
    let report = in_short(&bench.tick(at(500, &[(7, "APP")])));
    assert_eq!(report, "7 limit: still there after disconnect immediate and 3 repetitions");
}

/// What an earlier run wrote down of SID 7, at noon.
fn recalled(outcome: Outcome) -> Recalled {
    Recalled {
        rule: "rule".to_owned(),
        life: at(0, &[(7, "APP")]).sessions.get(0).life(),
        username: Some("APP".to_owned()),
        verb: Verb::KillImmediate,
        taken: Some(NOON),
        outcome,
        is_over: !matches!(outcome, Outcome::Ended | Outcome::Accepted | Outcome::Unknown),
    }
}

#[test]
fn after_a_restart_who_may_have_been_ended_is_looked_at_and_not_simply_ended_again() {
    for outcome in [Outcome::Ended, Outcome::Accepted, Outcome::Unknown] {
        let mut bench = Bench::new(&[LADDER]);
        bench.worker.history.recall(&bench.policies, &[recalled(outcome)]);
        let report = bench.tick(at(30, &[(7, "APP")]));
        assert_eq!(found(&report), ["still-there"]);
        let due = "7 pending: disconnect immediate is due at 2026-03-29T12:01:00Z";
        assert_eq!(in_short(&report), due);
        let report = bench.tick(at(60, &[(7, "APP")]));
        assert_eq!(verbs(&report), [Verb::DisconnectImmediate]);

        let mut bench = Bench::new(&[LADDER]);
        bench.worker.history.recall(&bench.policies, &[recalled(outcome)]);
        let report = bench.tick(at(30, &[]));
        assert_eq!(found(&report), ["gone"]);
        assert_eq!(report.verified[0].after, Some(Span::seconds(30)));
    }
}

#[test]
fn after_a_restart_limits_count_what_was_ended_before_and_not_what_was_not_tried() {
    let rule = RuleSketch { per_hour: Some(1), ..LADDER };
    let not_tried = Outcome::Failed(Failure::NotTried);
    for (outcome, expected) in [(Outcome::Ended, "per_hour allows 0 more"), (not_tried, "ended")] {
        let mut bench = Bench::new(&[rule]);
        bench.worker.history.recall(&bench.policies, &[recalled(outcome)]);
        let report = in_short(&bench.tick(at(30, &[(8, "APP")])));
        assert!(report.contains(expected), "{report}");
    }
}

#[test]
fn who_is_gone_is_verified_once_with_the_time_it_took() {
    for outcome in [Outcome::Ended, Outcome::Accepted, Outcome::Unknown] {
        let mut bench = Bench::new(&[LADDER]);
        bench.script().answers.push_back(outcome);
        bench.tick(at(0, &[(7, "APP")]));
        let report = bench.tick(at(20, &[]));
        assert_eq!(found(&report), ["gone"]);
        let verified = &report.verified[0];
        assert_eq!((verified.verb, verified.outcome), (Verb::KillImmediate, outcome));
        let after = verified.after.expect("both times are known");
        assert!(after <= Span::seconds(20) && after > Span::seconds(10), "{after}");
        assert!(bench.tick(at(40, &[])).verified.is_empty());
    }
}

#[test]
fn what_was_not_sent_is_not_pursued() {
    for outcome in [Outcome::AlreadyGone, Outcome::Changed, Outcome::Failed(Failure::Server)] {
        let mut bench = Bench::new(&[LADDER]);
        bench.script().answers.push_back(outcome);
        bench.tick(at(0, &[(7, "APP")]));
        let report = bench.tick(at(20, &[(7, "APP")]));
        assert_eq!((found(&report).len(), verbs(&report)), (0, vec![Verb::KillImmediate]));
    }
}

#[test]
fn a_killed_session_is_watched_while_it_rolls_back_and_let_go_when_only_its_client_sleeps() {
    let mut bench = Bench::new(&[LADDER]);
    bench.tick(at(0, &[(7, "APP")]));
    for (seconds, undo) in [(100, 500), (200, 300)] {
        let mut seen = seven(seconds, &[(TextColumn::Status, "KILLED")]);
        seen.sessions.set_number(0, NumberColumn::UsedUrec, Number::from(undo));
        let report = bench.tick(seen);
        assert_eq!(found(&report), [format!("ending Some(500) to Some({undo})")]);
        assert!(verbs(&report).is_empty(), "nobody kills the dying");
    }
    let pseudo = [(TextColumn::Status, "KILLED"), (TextColumn::Server, "PSEUDO")];
    assert_eq!(found(&bench.tick(seven(300, &pseudo))), ["unnoticed"]);
    assert!(found(&bench.tick(seven(400, &pseudo))).is_empty());
}

#[test]
fn a_cancelled_statement_ends_the_pursuit_and_the_same_one_still_running_does_not() {
    const CANCEL: RuleSketch =
        RuleSketch { ladder: &[(Verb::CancelSql, 0), (Verb::KillImmediate, 60)], ..ENFORCE };
    let running = |seconds, sql_id, exec_id| {
        let texts = [(TextColumn::Status, "ACTIVE"), (TextColumn::SqlId, sql_id)];
        let mut seen = seven(seconds, &texts);
        seen.sessions.set_number(0, NumberColumn::SqlExecId, Number::from(exec_id));
        seen
    };
    let idle = seven(120, &[(TextColumn::SqlId, "7gk3z5hmbn7a1")]);
    for (next, finding, verb) in [
        (running(120, "7gk3z5hmbn7a1", 1), "still-there", Some(Verb::KillImmediate)),
        (running(120, "7gk3z5hmbn7a1", 2), "cancelled", Some(Verb::CancelSql)),
        (running(120, "9babjv8yq8ru3", 1), "cancelled", Some(Verb::CancelSql)),
        (idle, "cancelled", None),
    ] {
        let mut bench = Bench::new(&[CANCEL]);
        bench.tick(running(0, "7gk3z5hmbn7a1", 1));
        let report = bench.tick(next);
        assert_eq!(found(&report), [finding]);
        assert_eq!(verbs(&report).first().copied(), verb);
    }
}

#[test]
fn who_cannot_be_seen_is_not_gone_and_nothing_more_is_done_to_him() {
    let mut bench = Bench::new(&[LADDER]);
    bench.tick(at(0, &[(7, "APP")]));
    let mut partial = at(100, &[]);
    partial.instances = vec![Instance { inst_id: 1, state: InstanceState::Missing }];
    assert_eq!(found(&bench.tick(partial)), ["not-known"]);
    let mut ageless = at(200, &[(7, "APP")]);
    ageless.sessions.set_number(0, NumberColumn::LogonTime, Number::NULL);
    let report = bench.tick(ageless);
    assert_eq!((found(&report), verbs(&report).len()), (vec!["not-known".to_owned()], 0));
    let report = bench.tick(at(300, &[(7, "APP")]));
    assert_eq!(verbs(&report), [Verb::DisconnectImmediate]);
}

#[test]
fn rehearsals_stand_on_the_first_rung_and_count_by_themselves() {
    let mut bench = Bench::new(&[RuleSketch { per_tick: Some(1), ..LADDER }]);
    bench.worker.killers = Killers::new(None, Acting::AsRulesSay);
    for seconds in [0, 100, 200] {
        let report = bench.tick(at(seconds, &[(7, "APP")]));
        assert_eq!((verbs(&report), found(&report).len()), (vec![Verb::KillImmediate], 0));
    }
    let ended = |counted| bench.worker.history.ended_by("rule", counted, Some(NOON)).len();
    assert_eq!((ended(Counted::Enforced), ended(Counted::Rehearsed)), (0, 1));
}

#[test]
fn a_changed_ladder_begins_anew() {
    let mut bench = Bench::new(&[LADDER]);
    bench.tick(at(0, &[(7, "APP")]));
    bench.policies = policies(&[ENFORCE]);
    assert_eq!(verbs(&bench.tick(at(10, &[(7, "APP")]))), [Verb::KillImmediate]);
}

const BREAKER: Breaker = Breaker {
    failures: 3,
    reconnects: 2,
    within: Span::seconds(10),
    reset: Reset::After(Span::seconds(600)),
};

const BROKEN: RuleSketch = RuleSketch { breaker: Some(BREAKER), ..ENFORCE };

/// `rule opened`, `rule closed`.
fn changes(report: &TickReport) -> Vec<String> {
    let word = |opened: bool| if opened { "opened" } else { "closed" };
    let changes = report.breakers.iter();
    changes.map(|it| format!("{} {}", it.rule, word(it.opened.is_some()))).collect()
}

#[test]
fn a_breaker_opens_after_failures_in_a_row_and_closes_when_its_time_is_over() {
    let mut bench = Bench::new(&[BROKEN]);
    let failed = Outcome::Failed(Failure::Server);
    let gone = Outcome::AlreadyGone;
    let not_tried = Outcome::Failed(Failure::NotTried);
    // One that is done breaks the row; those that say nothing about the way do not.
    let row = [failed, Outcome::Unknown, Outcome::Ended, failed, gone, not_tried, failed];
    for (sid, outcome) in (1..).zip(row) {
        bench.script().answers.push_back(outcome);
        assert!(changes(&bench.tick(at(0, &[(sid, "APP")]))).is_empty());
    }
    bench.script().answers.push_back(Outcome::Refused(Refusal::Unsupported));
    assert_eq!(changes(&bench.tick(at(0, &[(20, "APP")]))), ["rule opened"]);
    bench.asked();
    let report = bench.tick(at(599, &[(21, "APP")]));
    let why = in_short(&report);
    assert!(why.starts_with("21 breaker: open since 2026-03-29T12:00:00"), "{why}");
    assert!(why.ends_with(": 3 ends in a row failed, the last was refused (unsupported)"), "{why}");
    assert!(changes(&report).is_empty(), "it is said once");
    assert!(bench.asked().is_empty());
    let report = bench.tick(at(601, &[(21, "APP")]));
    assert_eq!(
        (changes(&report), in_short(&report)),
        (vec!["rule closed".to_owned()], "21 ended".to_owned())
    );
}

#[test]
fn a_breaker_that_waits_for_a_reload_closes_with_it_alone() {
    let patient = RuleSketch {
        breaker: Some(Breaker { failures: 1, reset: Reset::Reload, ..BREAKER }),
        ..ENFORCE
    };
    let mut bench = Bench::new(&[patient]);
    bench.script().answers.push_back(Outcome::Failed(Failure::Server));
    bench.tick(at(0, &[(7, "APP")]));
    let why = in_short(&bench.tick(at(1_000_000, &[(7, "APP")])));
    assert!(why.contains("until a reload"), "{why}");
    bench.policies = policies(&[patient]);
    let report = bench.tick(at(1_000_060, &[(7, "APP")]));
    assert_eq!(
        (changes(&report), in_short(&report)),
        (vec!["rule closed".to_owned()], "7 ended".to_owned())
    );
}

#[test]
fn a_breaker_that_opens_in_the_middle_of_a_tick_stops_the_rest_of_its_rule() {
    let rows: Vec<(u32, &str)> = (1..=9).map(|sid| (sid, "APP")).collect();
    let mut bench = Bench::new(&[BROKEN]);
    bench.script().answers.extend([Outcome::Ended, Outcome::Unknown, Outcome::AlreadyGone]);
    bench.script().answers.extend([Outcome::Unknown, Outcome::Failed(Failure::Server)]);
    let report = bench.tick(at(0, &rows));
    assert_eq!(changes(&report), ["rule opened"]);
    assert_eq!(bench.asked().len(), 5);
    assert!(in_short(&report).ends_with("9 failed (not-tried)"), "{}", in_short(&report));

    let other = RuleSketch { name: "other", ..BROKEN };
    let mut bench = Bench::new(&[BROKEN, other]);
    bench.script().answers.push_back(Outcome::Refused(Refusal::Privilege));
    assert_eq!(changes(&bench.tick(at(0, &rows))), ["rule opened", "other opened"]);
    assert_eq!(bench.asked().len(), 1);
}

/// How a rule with a `for` of two minutes fares that is due each minute, when the looks of the minutes after the first
/// one go so.
fn waits(gap: fn(&mut Bench) -> Vec<Missed>, next: i64) -> Vec<u32> {
    let mut bench = Bench::new(&[RuleSketch { hold: Span::seconds(120), ..ENFORCE }]);
    bench.tick(at(0, &[(7, "APP")]));
    let missed = gap(&mut bench);
    drop(bench.tick_after(at(next, &[(7, "APP")]), &missed));
    bench.asked()
}

#[test]
fn who_was_out_of_sight_for_as_long_as_a_match_has_to_hold_begins_anew() {
    let fails = |bench: &mut Bench| {
        assert!(matches!(bench.look(&[]), TickEnd::Unseen(..)));
        Vec::new()
    };
    let misses = |_: &mut Bench| vec![Missed { rule: ENFORCE.name.into(), ticks: 2 }];
    let is_due_seldom = |_: &mut Bench| Vec::new();
    assert_eq!(waits(fails, 180), [0; 0], "nobody looked");
    assert_eq!(waits(misses, 180), [0; 0], "nobody looked");
    assert_eq!(waits(is_due_seldom, 180), [7], "no look was due");
    let mut bench = Bench::new(&[RuleSketch { hold: Span::seconds(120), ..ENFORCE }]);
    bench.tick(at(0, &[(7, "APP")]));
    assert!(matches!(bench.look(&[]), TickEnd::Unseen(..)));
    bench.tick(at(119, &[(7, "APP")]));
    bench.tick(at(120, &[(7, "APP")]));
    assert_eq!(bench.asked(), [7], "a short gap is none");
}

#[test]
fn policies_that_come_into_force_stop_what_is_left_of_a_tick() {
    let mut bench = Bench::new(&[ENFORCE]);
    bench.script().reloads = true;
    let report = bench.tick(at(0, &[(7, "APP"), (8, "APP")]));
    assert_eq!(
        (in_short(&report), bench.asked()),
        ("7 ended, 8 failed (not-tried)".into(), vec![7])
    );
}

/// Whatever it took the time for, such as named queries that are asked before it.
#[test]
fn a_look_that_took_too_long_ends_nobody() {
    for (seconds, expected) in [(300, "7 ended"), (301, "7 failed (not-tried)")] {
        let mut bench = Bench::new(&[ENFORCE]);
        bench.script().look_takes = Duration::from_secs(seconds);
        assert_eq!(in_short(&bench.tick(at(0, &[(7, "APP")]))), expected);
    }
}

#[test]
fn a_missing_privilege_opens_the_breakers_of_all_enforcing_rules() {
    let other = RuleSketch { name: "other", ..BROKEN };
    let rehearsing = RuleSketch { name: "rehearsing", mode: Mode::DryRun, ..BROKEN };
    let without = RuleSketch { name: "without", ..ENFORCE };
    let mut bench = Bench::new(&[BROKEN, other, rehearsing, without]);
    bench.script().answers.push_back(Outcome::Refused(Refusal::Privilege));
    assert_eq!(changes(&bench.tick(at(0, &[(7, "APP")]))), ["rule opened", "other opened"]);
}

/// SID, USERNAME, and seconds after noon.
type Logon = (u32, &'static str, i64);

/// Sessions that logged on so.
fn since(seconds: i64, rows: &[Logon]) -> Snapshot {
    let names: Vec<(u32, &str)> = rows.iter().map(|(sid, name, _)| (*sid, *name)).collect();
    let mut seen = at(seconds, &names);
    for (row, (_, _, logon)) in rows.iter().enumerate() {
        let logon = NOON.plus(Span::seconds(*logon));
        seen.sessions.set_number(row, NumberColumn::LogonTime, Number::from(logon.0));
        seen.sessions.set_text(row, TextColumn::Machine, "web1");
    }
    seen
}

#[test]
fn a_breaker_opens_when_the_pool_just_reconnects() {
    let there = [(1, "APP", -60), (2, "APP", -60), (3, "WEB", -60)];
    // Whom the second look shows, and whether two of them are reconnects.
    let cases: [(&[Logon], bool); 6] = [
        (&[(4, "APP", 0), (5, "APP", 9)], true),
        (&[(4, "APP", 1), (5, "WEB", 2)], true),
        (&[(4, "APP", 1), (5, "APP", 15)], false),
        (&[(4, "APP", 1), (5, "OTHER", 1)], false),
        (&[(4, "WEB", 1), (5, "WEB", 1)], false),
        (&[(1, "APP", -60), (4, "APP", 1)], false),
    ];
    for (shown, opens) in cases {
        let mut bench = Bench::new(&[BROKEN]);
        assert_eq!(bench.tick(since(0, &there)).outcomes.len(), 3);
        let report = bench.tick(since(60, shown));
        assert_eq!(!changes(&report).is_empty(), opens, "{shown:?}");
        let broken = report.plan.spared().iter().any(|it| it.reason.because() == "breaker");
        assert_eq!(broken, opens, "{shown:?}");
        // Nobody is counted twice.
        if !opens {
            assert!(changes(&bench.tick(since(61, shown))).is_empty(), "{shown:?}");
        }
    }
}

mod clocks;
mod holds;
