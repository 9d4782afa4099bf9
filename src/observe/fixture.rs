//! What tests of `observe` and `daemon` are made of: rules, snapshots and plans in one place, where everything that a
//! test does not set has a default, so that what it sets is what it is about.

use std::sync::Arc;

use chrono_tz::Tz;

use crate::engine::condition::Condition;
use crate::engine::decide::{Question, decide};
use crate::engine::guard::ApprovedPlan;
use crate::engine::history::History;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::{
    Action, Breaker, Limits, Mode, OnExceed, PolicySet, Rule, RuleIdentity, Rung, Verb, Victims,
};
use crate::engine::report::{Missed, Outcome, Refusal, TickId, TickReport};
use crate::engine::schedule::Schedule;
use crate::engine::seen::Seen;
use crate::engine::session::{
    Column, Number, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn,
};
use crate::engine::standing::{Authority, Hold, Standing};
use crate::engine::time::{Span, Timestamp};
use crate::observe::board::{Board, Stage, Told};

/// 2026-03-29T12:00:00Z: the time of every snapshot that says nothing else.
pub(crate) const NOON: Timestamp = Timestamp(1_774_785_600_000_000);

/// What a test says about a rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleSketch {
    pub(crate) name: &'static str,
    pub(crate) mode: Mode,
    pub(crate) report: bool,
    pub(crate) hold: Span,
    pub(crate) per_tick: Option<u64>,
    pub(crate) per_hour: Option<u64>,
    /// Another one is another rule of the same name.
    pub(crate) fingerprint: u64,
    pub(crate) schedule: &'static str,
    /// Verbs, and seconds after the one before.
    pub(crate) ladder: &'static [(Verb, i64)],
    pub(crate) breaker: Option<Breaker>,
    pub(crate) per_second: Option<u64>,
}

impl Default for RuleSketch {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl RuleSketch {
    pub(crate) const DEFAULT: Self = Self {
        name: "rule",
        mode: Mode::DryRun,
        report: false,
        hold: Span::ZERO,
        per_tick: None,
        per_hour: None,
        fingerprint: 1,
        schedule: "* * * * *",
        ladder: &[(Verb::KillImmediate, 0)],
        breaker: None,
        per_second: None,
    };

    /// A rule that matches everybody.
    pub(crate) fn build(self) -> Rule {
        let rung = |(verb, after): &(Verb, i64)| Rung { verb: *verb, after: Span::seconds(*after) };
        let ladder = Action::Ladder(self.ladder.iter().map(rung).collect());
        Rule {
            name: self.name.to_owned(),
            file: "test.yaml".to_owned(),
            description: None,
            owner: None,
            runbook: None,
            identity: RuleIdentity { name: self.name.to_owned(), fingerprint: self.fingerprint },
            mode: self.mode,
            schedule: Schedule::parse(self.schedule, Tz::UTC).expect("tests write good schedules"),
            timezone: Tz::UTC,
            condition: Condition::AnySession,
            unless: Vec::new(),
            hold: self.hold,
            min_session_age: Span::ZERO,
            victims: Victims::default(),
            action: if self.report { Action::Report } else { ladder },
            limits: Limits {
                per_tick: self.per_tick,
                percent_thousandths: None,
                per_hour: self.per_hour,
                per_second: self.per_second,
                max_undo_records: None,
                on_exceed: OnExceed::Halt,
            },
            breaker: self.breaker,
            only_during: Vec::new(),
            never_during: Vec::new(),
            only_when: Vec::new(),
            databases: Vec::new(),
            allow_protected: Vec::new(),
        }
    }
}

/// A policy set of these rules.
pub(crate) fn policies(rules: &[RuleSketch]) -> Arc<PolicySet> {
    let rules = rules.iter().map(|sketch| sketch.build()).collect();
    Arc::new(PolicySet { rules, ..PolicySet::default() })
}

/// Idle sessions by SID and USERNAME, an hour old, on instance 1, at noon; SERIAL# is ten times the SID.
pub(crate) fn snapshot(sessions: &[(u32, &str)]) -> Snapshot {
    snapshot_at(NOON, sessions)
}

/// The same at another time.
pub(crate) fn snapshot_at(taken_at: Timestamp, rows: &[(u32, &str)]) -> Snapshot {
    let texts = [
        TextColumn::Username,
        TextColumn::Type,
        TextColumn::Status,
        TextColumn::Pname,
        TextColumn::OracleMaintained,
        TextColumn::Server,
        TextColumn::SqlId,
        TextColumn::Machine,
        TextColumn::Program,
    ];
    let numbers = [
        NumberColumn::LogonTime,
        NumberColumn::LastCallEt,
        NumberColumn::Qcsid,
        NumberColumn::SqlExecId,
        NumberColumn::UsedUrec,
    ];
    let columns = texts.map(Column::Text).into_iter().chain(numbers.map(Column::Number));
    let mut sessions = Sessions::with_columns(columns);
    for (sid, username) in rows {
        let row = sessions.push(SessionKey { inst_id: 1, sid: *sid, serial: sid * 10 });
        sessions.set_text(row, TextColumn::Username, username);
        sessions.set_text(row, TextColumn::Type, "USER");
        sessions.set_text(row, TextColumn::Status, "INACTIVE");
        let logon = NOON.plus(Span::seconds(-3_600));
        sessions.set_number(row, NumberColumn::LogonTime, Number::from(logon.0));
        sessions.set_number(row, NumberColumn::LastCallEt, Number::from(60));
    }
    Snapshot::of_sessions("prod", taken_at, sessions)
}

/// What all these rules decide, without a history.
pub(crate) fn plan_of(rules: &[Rule], snapshot: &Snapshot) -> ApprovedPlan {
    let policies = PolicySet { rules: rules.to_vec(), ..PolicySet::default() };
    let due: Vec<usize> = (0..rules.len()).collect();
    decide(Question {
        policies: &policies,
        due: &due,
        snapshot,
        history: &History::default(),
        options: PlanOptions::default(),
        limits: Limits::UNLIMITED,
        standing: &Standing::default(),
    })
}

/// Due at every full minute, whatever the schedule says.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands in for a schedule, which may have no next time"
)]
pub(crate) fn every_minute(_rule: &Rule, after: Timestamp) -> Option<Timestamp> {
    const MINUTE: i64 = 60_000_000;
    Some(Timestamp((after.0.div_euclid(MINUTE) + 1) * MINUTE))
}

/// Holds a text against a file. `UPDATE_EXPECT=1` rewrites the file.
pub(crate) fn hold_against(path: &str, text: &str) {
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&full, text).expect("it can be written");
    }
    let expected = std::fs::read_to_string(&full).expect("it is there");
    assert_eq!(text, expected, "UPDATE_EXPECT=1 rewrites {path}");
}

/// What a daemon shows of two databases: one where an enforcing rule ended a session and was refused another, one dry
/// run met both, and SYS was spared; and one that was not reached.
pub(crate) fn board() -> Board {
    let rules = [("idle", Mode::Enforce), ("old", Mode::DryRun)].map(|(name, mode)| {
        let mut rule = RuleSketch { name, mode, ..RuleSketch::default() }.build();
        rule.runbook = (name == "idle").then(|| "https://wiki.example.com/idle".to_owned());
        rule.owner = (name == "old").then(|| "javascript:alert(1)".to_owned());
        rule
    });
    let seen = snapshot(&[(7, "<script>alert(1)</script>"), (8, "APP"), (9, "SYS")]);
    let plan = plan_of(&rules, &seen);
    let summary = Seen::of(&seen, &plan);
    let why = Arc::from("paused by ana: <i>month's\u{202e} end</i>");
    let report = TickReport {
        outcomes: vec![Outcome::Ended, Outcome::Refused(Refusal::Privilege)],
        missed: vec![Missed { rule: "old".into(), ticks: 3 }],
        duration: Span(260_000),
        due: rules.iter().map(|rule| Arc::from(rule.name.as_str())).collect(),
        holds: vec![Hold { condition: None, rule: Some("old".into()), why }],
        authority: Some(Authority::Leads),
        ..TickReport::of(TickId { run: NOON, number: 1 }, plan, summary)
    };
    let board = Board::new(NOON);
    let policies = PolicySet { rules: rules.to_vec(), ..PolicySet::default() };
    board.loaded(&policies, ["prod", "hr"].into_iter(), false, NOON);
    board.turned(Stage::Watching, 0);
    board.ticked(&Told { report: &report, unaudited: None }, NOON);
    board.card("hr", |card| card.not_seen("ORA-12541".to_owned()));
    board.card("prod", |card| {
        card.next([("idle", Some(NOON.plus(Span::seconds(90)))), ("old", None)].into_iter());
    });
    board
}
