//! Where tests build engine values by hand: every option has a default, so what a test sets is what it is about.

use chrono_tz::Tz;
use orawarden::engine::condition::{Comparison, Condition, Field, Leaf, Operator, Pattern, Test};
use orawarden::engine::like::Like;
use orawarden::engine::policy::{
    Action, Limits, Mode, PolicySet, Rule, RuleIdentity, Rung, Verb, Victims,
};
use orawarden::engine::schedule::Schedule;
use orawarden::engine::session::{
    Column, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn,
};
use orawarden::engine::time::{MICROS_PER_SECOND, Span, Timestamp};

/// 2026-03-29T01:30:00Z
pub(crate) const NOW: Timestamp = Timestamp(1_774_747_800 * MICROS_PER_SECOND);

/// A dry-run rule that kills whoever meets the condition, without limits.
pub(crate) fn rule(name: &str, condition: Condition) -> Rule {
    Rule {
        name: name.to_owned(),
        file: "test.yaml".to_owned(),
        description: None,
        owner: None,
        runbook: None,
        identity: RuleIdentity { name: name.to_owned(), fingerprint: 0 },
        mode: Mode::DryRun,
        schedule: Schedule::parse("* * * * *", Tz::UTC).expect("a valid schedule"),
        timezone: Tz::UTC,
        condition,
        unless: Vec::new(),
        hold: Span::ZERO,
        min_session_age: Span::seconds(60),
        victims: Victims::default(),
        action: Action::Ladder([Rung { verb: Verb::KillImmediate, after: Span::ZERO }].into()),
        limits: unlimited(),
        breaker: None,
        only_during: Vec::new(),
        never_during: Vec::new(),
        only_when: Vec::new(),
        databases: Vec::new(),
        allow_protected: Vec::new(),
    }
}

/// Limits that never bite.
pub(crate) fn unlimited() -> Limits {
    Limits {
        per_tick: None,
        percent_thousandths: None,
        per_hour: None,
        max_undo_records: None,
        ..Limits::default()
    }
}

/// A policy set of these rules.
pub(crate) fn policies(rules: Vec<Rule>) -> PolicySet {
    PolicySet { rules, ..PolicySet::default() }
}

/// `field = text`.
pub(crate) fn is(field: Field, text: &str) -> Condition {
    leaf(field, Test::Text(vec![Pattern::exact(text)]), format!("= {text}"))
}

/// `field like pattern`.
pub(crate) fn like(field: Field, pattern: &str) -> Condition {
    let like = Like::new(pattern).expect("a valid pattern");
    leaf(field, Test::Text(vec![Pattern::Like(like)]), format!("like {pattern}"))
}

/// `field > value`, in stored units.
pub(crate) fn compare(field: Field, operator: Operator, value: i64) -> Condition {
    let shown = format!("{operator:?} {value}");
    leaf(field, Test::Compare(vec![Comparison { operator, value }]), shown)
}

/// A leaf.
pub(crate) fn leaf(field: Field, test: Test, shown: String) -> Condition {
    Condition::Leaf(Leaf { field, test, shown })
}

/// A row of a test snapshot: texts and numbers by column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) inst_id: u32,
    pub(crate) sid: u32,
    pub(crate) serial: u32,
    pub(crate) texts: Vec<(TextColumn, String)>,
    pub(crate) numbers: Vec<(NumberColumn, i64)>,
}

/// A snapshot of these rows whose source offers `columns`.
pub(crate) fn snapshot(columns: &[Column], rows: &[Row]) -> Snapshot {
    let mut sessions = Sessions::with_columns(columns.iter().copied());
    for row in rows {
        let (inst_id, sid, serial) = (row.inst_id, row.sid, row.serial);
        let at = sessions.push(SessionKey { inst_id, sid, serial });
        for (column, text) in &row.texts {
            sessions.set_text(at, *column, text);
        }
        for (column, number) in &row.numbers {
            sessions.set_number(at, *column, (*number).into());
        }
    }
    Snapshot::of_sessions("test", NOW, sessions)
}
