//! Lines of all formats: their keys and forms, what they withhold, and what becomes of those that cannot be written.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;

use super::kind::{Form, Key, Kind, say};
use super::redact::{Personal, Redaction, WITHHELD};
use super::{LogFormat, Settings, TickLog, in_background, layer};
use crate::engine::breaker::BreakerChange;
use crate::engine::condition::{Condition, Field, Leaf, Pattern, Test};
use crate::engine::policy::{Mode, Verb};
use crate::engine::pursuit::{Finding, Verified};
use crate::engine::report::{Failure, Missed, Outcome, Refusal, TickId, TickReport};
use crate::engine::seen::Seen;
use crate::engine::time::Span;
use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};

/// What was written.
#[derive(Clone, Default)]
pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panicked").clone()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that fails.
struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

/// Everything that is logged, without a filter.
pub(super) fn written(format: LogFormat, log: impl FnOnce()) -> Vec<u8> {
    let captured = Captured::default();
    let writer = captured.clone();
    let layer = layer::<Registry, _>(format, false, move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    captured.bytes()
}

fn lines(format: LogFormat, log: impl FnOnce()) -> Vec<String> {
    let text = String::from_utf8(written(format, log)).expect("a log is text");
    text.lines().map(str::to_owned).collect()
}

fn json(log: impl FnOnce()) -> Vec<Map<String, Value>> {
    let lines = lines(LogFormat::Json, log);
    lines.iter().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// A tick over APP and SYS: SYS is spared.
pub(super) fn report(mode: Mode, outcome: Outcome, username: &str) -> TickReport {
    let rule = RuleSketch { name: "idle", mode, ..RuleSketch::default() };
    let mut rule = rule.build();
    rule.owner = Some("payroll".to_owned());
    rule.runbook = Some("https://wiki/idle".to_owned());
    let leaf = |field, shown: &str| {
        Condition::Leaf(Leaf { field, test: Test::IsNull(false), shown: shown.to_owned() })
    };
    rule.condition = Condition::All(vec![
        leaf(Field::SessionAge, "> 30m"),
        leaf(Field::Username, &format!("= {username}")),
    ]);
    let plan = plan_of(&[rule], &snapshot(&[(7, username), (8, "SYS")]));
    TickReport {
        outcomes: vec![outcome],
        missed: vec![Missed { rule: "idle".into(), ticks: 2 }],
        duration: Span(1_500),
        ..TickReport::of(TickId { run: NOON, number: 1 }, plan, Seen::default())
    }
}

const EVERY_OUTCOME: [Outcome; 9] = [
    Outcome::Ended,
    Outcome::Accepted,
    Outcome::AlreadyGone,
    Outcome::Changed,
    Outcome::Simulated,
    Outcome::Reported,
    Outcome::Refused(Refusal::Privilege),
    Outcome::Failed(Failure::Server),
    Outcome::Unknown,
];

/// What was found of the first session that the report ends.
fn verified(report: &TickReport, finding: Finding) -> Verified {
    let end = &report.plan.ends()[0];
    Verified {
        rule: Arc::clone(&end.rule),
        life: end.life,
        username: end.username.clone(),
        verb: Verb::KillImmediate,
        outcome: Outcome::Ended,
        finding,
        after: Some(Span::seconds(3)),
    }
}

/// Reports that between them have everything that a report can have.
fn everything() -> Vec<TickReport> {
    let mut reports: Vec<_> =
        EVERY_OUTCOME.iter().map(|it| report(Mode::Enforce, *it, "APP")).collect();
    let undo = Finding::Ending { from: Some(9), to: Some(4) };
    for finding in [Finding::Gone, undo, Finding::StillThere] {
        let found = verified(&reports[0], finding);
        reports[0].verified.push(found);
    }
    for opened in [Some("three failures".into()), None] {
        reports[0].breakers.push(BreakerChange { rule: "idle".into(), opened });
    }
    let halts = RuleSketch { per_tick: Some(0), ..RuleSketch::default() };
    let mut halted = report(Mode::DryRun, Outcome::Simulated, "APP");
    let mut asleep = halts.build();
    asleep.databases = vec![Pattern::exact("another")];
    let mut seen = snapshot(&[(7, "APP")]);
    seen.warnings.push("the view is gone".to_owned());
    halted.plan = plan_of(&[halts.build(), asleep], &seen);
    halted.outcomes.clear();
    reports.push(halted);
    reports
}

fn log_everything() {
    let mut log = TickLog::default();
    for report in everything() {
        log.tick(&report);
    }
}

#[test]
fn json_lines_have_stable_keys_and_begin_with_the_time_in_utc() {
    let report = report(Mode::DryRun, Outcome::Simulated, "APP\nX");
    let lines = lines(LogFormat::Json, || TickLog::default().tick(&report));
    let texts: Vec<String> = lines
        .iter()
        .map(|line| {
            let (time, rest) = line.split_once(',').expect("there is more than a time");
            let time = time.strip_prefix(r#"{"timestamp":""#).expect("it comes first");
            assert!(time.ends_with("Z\""), "{time}");
            rest.to_owned()
        })
        .collect();
    assert_eq!(
        texts,
        [
            concat!(
                r#""level":"INFO","event":"tick","message":"tick","database":"prod","#,
                r#""tick":"1774785600000000-1","sessions":2,"ended":0,"would_end":1,"reported":0,"#,
                r#""gone_or_changed":0,"trouble":0,"spared":1,"halted":0,"missed":2,"duration_ms":1}"#
            ),
            concat!(
                r#""level":"INFO","event":"would-end","message":"would end","rule":"idle","#,
                r#""owner":"payroll","runbook":"https://wiki/idle","#,
                r#""database":"prod","tick":"1774785600000000-1","inst_id":1,"sid":7,"serial":70,"#,
                r#""username":"APP\nX","action":"kill immediate","outcome":"simulated","#,
                r#""mode":"dry-run","dry_run":true,"#,
                r#""reasons":"session_age 1h (> 30m); username APP\nX (= APP\nX)"}"#
            ),
            concat!(
                r#""level":"DEBUG","event":"spared","message":"spared","rule":"idle","#,
                r#""database":"prod","tick":"1774785600000000-1","inst_id":1,"sid":8,"serial":80,"#,
                r#""because":"oracle-maintained","#,
                r#""detail":"an account that Oracle or the platform maintains"}"#
            ),
            concat!(
                r#""level":"WARN","event":"missed","message":"due times were missed","#,
                r#""rule":"idle","database":"prod","tick":"1774785600000000-1","missed":2}"#
            ),
        ]
    );
}

#[test]
fn every_value_has_the_form_that_its_key_says() {
    let mut seen = BTreeSet::new();
    for line in json(log_everything) {
        let word = line["event"].as_str().expect("it is a word").to_owned();
        let kind = Kind::ALL.iter().find(|kind| kind.word() == word).expect("it is a kind");
        assert_eq!(line["level"], kind.level().as_str());
        assert_eq!(line["message"], kind.message());
        for (name, value) in line.iter().skip(4) {
            let key = kind.keys().iter().find(|key| key.name() == name).expect("it is its key");
            let fits = match key.form() {
                Form::Text => value.is_string(),
                Form::Number => value.is_i64() || value.is_u64(),
                Form::Flag => value.is_boolean(),
            };
            assert!(fits, "{word}: {name} is {value}");
        }
        seen.insert(word);
    }
    let told: BTreeSet<_> = seen.iter().map(String::as_str).collect();
    let expected = [
        "already-gone breaker-closed breaker-opened changed ended ending failed halted asleep missed",
        "not-verified refused reported spared tick unknown verified warning would-end",
    ];
    assert_eq!(told, expected.iter().flat_map(|words| words.split(' ')).collect());
}

#[test]
fn words_ids_and_keys_are_each_there_once() {
    let words: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    let ids: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    let keys: BTreeSet<_> = Key::ALL.iter().map(|key| key.name()).collect();
    assert_eq!(
        [words.len(), ids.len(), keys.len()],
        [Kind::ALL.len(), Kind::ALL.len(), Key::ALL.len()]
    );
    for (nobody, key) in [("timestamp", "level"), ("event", "message")] {
        assert!(!keys.contains(nobody) && !keys.contains(key), "they have a meaning already");
    }
}

#[test]
fn a_line_has_all_keys_of_its_kind_in_their_order_or_does_not_compile() {
    assert!(Kind::AuditFailed.has_keys(&["database", "cause"]));
    for wrong in [&["cause", "database"][..], &["database"], &["database", "cause", "rule"], &[]] {
        assert!(!Kind::AuditFailed.has_keys(wrong), "{wrong:?}");
    }
    assert!(!Kind::AuditWorks.has_keys(&["databases"]) && !Kind::AuditWorks.has_keys(&["data"]));
}

#[test]
fn a_user_name_cannot_begin_a_line_of_the_log() {
    let report = report(Mode::Enforce, Outcome::Ended, "APP\n2026-01-01T00:00:00Z  INFO left");
    let lines = lines(LogFormat::Text, || TickLog::default().tick(&report));
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].contains(r#"ended rule="idle""#), "{}", lines[1]);
}

#[test]
fn trouble_is_a_warning_and_says_its_kind() {
    let report = report(Mode::Enforce, Outcome::Refused(Refusal::Privilege), "APP");
    let lines = json(|| TickLog::default().tick(&report));
    assert_eq!(lines[1]["level"], "WARN");
    assert_eq!([&lines[1]["outcome"], &lines[1]["because"]], ["refused", "privilege"]);
}

#[test]
fn what_is_withheld_stands_in_no_format() {
    for format in [LogFormat::Text, LogFormat::Json, LogFormat::Journald] {
        let said = |redact: Redaction| {
            let mut report = report(Mode::Enforce, Outcome::Ended, "MILLER");
            for finding in [Finding::Gone, Finding::NotKnown] {
                report.verified.push(verified(&report, finding));
            }
            let mut log = TickLog::default();
            log.apply(Settings { level: LevelFilter::TRACE, redact });
            String::from_utf8_lossy(&written(format, || log.tick(&report))).into_owned()
        };
        let all = said(Redaction::default());
        assert!(all.contains("MILLER") && !all.contains(WITHHELD), "{format:?}: {all}");
        let other = said([Personal::Machine].into_iter().collect());
        assert_eq!(all.matches("MILLER").count(), other.matches("MILLER").count());
        let none = said([Personal::Machine, Personal::Username].into_iter().collect());
        assert!(!none.contains("MILLER") && none.contains(WITHHELD), "{format:?}: {none}");
    }
}

#[test]
fn the_level_follows_the_settings() {
    let captured = Captured::default();
    let writer = captured.clone();
    let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
    let layer = layer(LogFormat::Json, false, move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(filter).with(layer);
    let said = || String::from_utf8(captured.bytes()).expect("it is text").lines().count();
    tracing::subscriber::with_default(subscriber, || {
        let (.., lost) = in_background(Box::new(io::sink()));
        let info = Settings { level: LevelFilter::INFO, redact: Redaction::default() };
        let mut log = TickLog::new(lost, handle, info);
        let report = report(Mode::Enforce, Outcome::Ended, "APP");
        log.tick(&report);
        assert_eq!(said(), 3);
        log.apply(Settings { level: LevelFilter::WARN, ..info });
        log.tick(&report);
        assert_eq!(said(), 4, "only what was missed");
        log.apply(Settings { level: LevelFilter::DEBUG, ..info });
        log.tick(&report);
        assert_eq!(said(), 8, "and who is spared");
    });
}

#[test]
fn lines_that_cannot_be_written_are_counted_and_told() {
    let (mut writer, worker, lost) = in_background(Box::new(Broken));
    for _ in 0..3 {
        io::Write::write_all(&mut writer, b"a line\n").expect("it never fails");
    }
    drop(worker);
    assert_eq!(lost.unsent.load(Ordering::Relaxed), 3);
    let mut log = TickLog::of_lost(lost);
    let said = json(|| {
        log.lost();
        log.lost();
    });
    assert_eq!(said.len(), 1, "once: {said:?}");
    assert_eq!([&said[0]["event"], &said[0]["lost"]], [&Value::from("lines-lost"), &3.into()]);
}

#[test]
fn a_line_of_another_crate_has_no_event() {
    let said = json(|| {
        tracing::info!(target: "elsewhere", answer = 42, "hello");
        say!(Left);
    });
    assert_eq!(said[0].get("event"), None);
    assert_eq!(said[0]["answer"], 42);
    assert_eq!(said[1]["event"], "left");
}
