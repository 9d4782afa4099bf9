//! The audit in a file: what it writes, what it refuses, and what becomes of it when the disk is full.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::{FileAudit, ReasonRecord};
use crate::engine::explain::Reason;
use crate::engine::policy::{Mode, Verb};
use crate::engine::pursuit::{Finding, Verified};
use crate::engine::report::{Acting, Failure, Outcome, TickId};
use crate::engine::time::{Span, Timestamp};
use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};
use crate::ports::{AuditError, AuditSink as _, TickStamp};

pub(super) const STAMP: TickStamp<'static> = TickStamp {
    tick: TickId { run: NOON, number: 3 },
    database: "prod",
    taken_at: Some(NOON),
    acting: Acting::AsRulesSay,
};

#[test]
fn every_decision_has_its_line_with_the_documented_keys() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let mut audit = FileAudit::open(&path).expect("it can be created");
    let rule = RuleSketch { name: "idle", mode: Mode::Enforce, ..RuleSketch::default() };
    let mut rule = rule.build();
    rule.owner = Some("é".repeat(200));
    let plan = plan_of(&[rule], &snapshot(&[(7, "APP"), (8, "SYS")]));
    let lost = Outcome::Failed(Failure::Disconnected);
    audit.intend(STAMP, &plan, NOON).expect("it can be written");
    audit.outcome(STAMP, &plan.ends()[0], lost, Timestamp(NOON.0 + 1_000)).expect("likewise");
    audit.settle().expect("it can be synced");
    let head = |time, kind| {
        let stamp =
            r#""tick":"1774785600000000-3","database":"prod","taken_at":"2026-03-29T12:00:00Z""#;
        format!(r#"{{"time":"{time}",{stamp},"kind":"{kind}","rule":"idle","#)
    };
    let owner = format!("{}…", "é".repeat(128));
    let act = [
        r#""mode":"enforce","dry_run":false,"owner":""#,
        &owner,
        r#"","runbook":null,"inst_id":1,"sid":7,"serial":70,"#,
        r#""logon_time":"2026-03-29T11:00:00Z","username":"APP","action":"kill immediate","#,
    ]
    .concat();
    let expected = [
        head("2026-03-29T12:00:00Z", "intent"),
        act.clone(),
        r#""ladder":["kill immediate"],"#.to_owned(),
        r#""reasons":[{"field":"any_session","observed":"true","test":"true"}]}"#.to_owned(),
        "\n".to_owned(),
        head("2026-03-29T12:00:00Z", "spared"),
        r#""inst_id":1,"sid":8,"serial":80,"logon_time":"2026-03-29T11:00:00Z","#.to_owned(),
        r#""because":"oracle-maintained","#.to_owned(),
        r#""detail":"an account that Oracle or the platform maintains"}"#.to_owned(),
        "\n".to_owned(),
        head("2026-03-29T12:00:00.001Z", "outcome"),
        act,
        r#""outcome":"failed","why":"disconnected"}"#.to_owned(),
        "\n".to_owned(),
    ];
    assert_eq!(fs::read_to_string(&path).expect("it is text"), expected.concat());
    let mode = fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_over_is_written_down_once_and_what_is_not_is_not() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let mut audit = FileAudit::open(&path).expect("it can be created");
    let seen = snapshot(&[(7, "APP")]);
    let found = |finding| Verified {
        rule: "idle".into(),
        life: seen.sessions.get(0).life(),
        username: Some("APP".to_owned()),
        verb: Verb::KillImmediate,
        outcome: Outcome::Unknown,
        finding,
        after: Some(Span::seconds(61)),
    };
    let ending = Finding::Ending { from: Some(2), to: Some(1) };
    let found = [ending, Finding::StillThere, Finding::NotKnown, Finding::Gone].map(found);
    audit.verified(STAMP, &found, NOON).expect("it can be written");
    let expected = concat!(
        r#"{"time":"2026-03-29T12:00:00Z","tick":"1774785600000000-3","database":"prod","#,
        r#""taken_at":"2026-03-29T12:00:00Z","kind":"verified","rule":"idle","#,
        r#""inst_id":1,"sid":7,"serial":70,"logon_time":"2026-03-29T11:00:00Z","#,
        r#""username":"APP","action":"kill immediate","outcome":"unknown","finding":"gone","#,
        r#""seconds":61}"#,
        "\n"
    );
    assert_eq!(fs::read_to_string(&path).expect("it is text"), expected);
}

#[test]
fn a_line_that_was_cut_off_does_not_spoil_the_next() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let whole = "{\"time\":1}\n";
    for (before, is_cut) in [("", false), (whole, false), ("{\"time\":1}\n{\"time", true)] {
        fs::write(&path, before).expect("it can be written");
        FileAudit::open(&path).expect("it can be opened");
        let after = if is_cut { format!("{before}\n") } else { before.to_owned() };
        assert_eq!(fs::read_to_string(&path).expect("it is text"), after);
    }
}

/// Each of these records is in one file that is there, once.
#[test]
fn a_file_that_goes_between_a_record_and_its_sync_takes_nothing_with_it() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let moved = place.path().join("audit.jsonl.1");
    let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP"), (8, "APP")]));
    let goes: [&dyn Fn(); 2] = [&|| fs::remove_file(&path).expect("it is there"), &|| {
        fs::rename(&path, &moved).expect("it can be moved");
    }];
    for go in goes {
        let mut audit = FileAudit::open(&path).expect("it can be opened");
        fs::write(&moved, "").expect("it can be written");
        audit.outcome(STAMP, &plan.ends()[0], Outcome::Ended, NOON).expect("it can be written");
        go();
        audit.outcome(STAMP, &plan.ends()[1], Outcome::Ended, NOON).expect("it can be written");
        go();
        audit.settle().expect("it can be synced");
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let all = format!("{}{}", text(&moved), text(&path));
        let last = all.matches(r#""sid":8"#).count();
        assert_eq!(last, 1, "{all}");
        let written = audit.whole(|audit| {
            audit.begin()?;
            audit.file.write_all(b"{}\n")?;
            go();
            audit.sync()
        });
        assert!(written.is_err(), "nobody is ended by that record");
        drop(audit);
    }
}

#[test]
fn a_file_that_was_moved_away_is_begun_anew() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
    let mut audit = FileAudit::open(&path).expect("it can be created");
    audit.intend(STAMP, &plan, NOON).expect("it can be written");
    fs::rename(&path, place.path().join("audit.jsonl.1")).expect("it can be moved");
    audit.intend(STAMP, &plan, NOON).expect("it can be written");
    for name in ["audit.jsonl", "audit.jsonl.1"] {
        let text = fs::read_to_string(place.path().join(name)).expect("it is text");
        assert_eq!(text.lines().count(), 1, "{name}");
    }
}

#[test]
fn an_intent_that_failed_is_forgotten_and_what_happened_comes_first_once_there_is_room() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let directory = place.path().join("audits");
    let path = directory.join("audit.jsonl");
    fs::create_dir(&directory).expect("it can be made");
    let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
    let end = &plan.ends()[0];
    let mut audit = FileAudit::open(&path).expect("it can be created");
    fs::remove_dir_all(&directory).expect("it can be removed");
    let is_lost = |done| matches!(done, Err(AuditError::Unwritable { .. }));
    assert!(is_lost(audit.intend(STAMP, &plan, NOON)));
    assert!(is_lost(audit.outcome(STAMP, end, Outcome::Ended, NOON)));
    assert!(is_lost(audit.outcome(STAMP, end, Outcome::Unknown, NOON)));
    assert!(is_lost(audit.settle()));
    fs::create_dir(&directory).expect("it can be made again");
    audit.intend(STAMP, &plan, NOON).expect("there is room again");
    let text = fs::read_to_string(&path).expect("it is text");
    let told = ["\"outcome\":\"ended\"", "\"outcome\":\"unknown\"", "\"kind\":\"intent\""];
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().zip(told).all(|(line, told)| line.contains(told)), "{text}");
}

#[test]
fn what_is_kept_is_written_at_the_end() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let directory = place.path().join("audits");
    let path = directory.join("audit.jsonl");
    fs::create_dir(&directory).expect("it can be made");
    let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
    let mut audit = FileAudit::open(&path).expect("it can be created");
    fs::remove_dir_all(&directory).expect("it can be removed");
    assert!(audit.outcome(STAMP, &plan.ends()[0], Outcome::Ended, NOON).is_err());
    fs::create_dir(&directory).expect("it can be made again");
    drop(audit);
    assert_eq!(fs::read_to_string(&path).expect("it is text").lines().count(), 1);
}

#[test]
fn a_file_has_one_writer_at_a_time() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let first = FileAudit::open(&path).expect("it can be created");
    let refused = FileAudit::open(&path).expect_err("it is locked");
    let AuditError::Unwritable { cause, .. } = refused else { panic!("{refused}") };
    assert!(cause.to_string().starts_with("another process has locked it"), "{cause}");
    drop(first);
    FileAudit::open(&path).expect("nobody has it any more");
}

#[test]
fn another_file_is_not_written_to() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("policy.yaml");
    for (text, is_ours) in [("version: 1\n", false), ("{}", false), ("", true), ("{\"ti", true)] {
        fs::write(&path, text).expect("it can be written");
        assert_eq!(FileAudit::open(&path).is_ok(), is_ours, "{text}");
        assert!(is_ours || fs::read_to_string(&path).is_ok_and(|now| now == text));
    }
}

#[test]
fn an_intent_begins_a_line_whoever_wrote_before() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("audit.jsonl");
    let plan = plan_of(&[RuleSketch::default().build()], &snapshot(&[(7, "APP")]));
    let mut audit = FileAudit::open(&path).expect("it can be created");
    fs::write(&path, "{\"time").expect("somebody does not ask for locks");
    audit.intend(STAMP, &plan, NOON).expect("it can be written");
    let text = fs::read_to_string(&path).expect("it is text");
    let intent = text.lines().nth(1).expect("there are two lines");
    assert!(intent.contains(r#""kind":"intent""#) && text.starts_with("{\"time\n"), "{text}");
}

#[test]
fn what_cannot_be_synced_is_refused() {
    assert!(matches!(FileAudit::open("/dev/null"), Err(AuditError::Unwritable { .. })));
}

#[test]
fn the_text_of_statements_is_withheld() {
    let reason = |field| Reason { field, observed: "x".to_owned(), test: "like %".to_owned() };
    assert_eq!(ReasonRecord::of(&reason("sql_text")).observed, "(withheld)");
    assert_eq!(ReasonRecord::of(&reason("sql_text_normalized")).observed, "(withheld)");
    assert_eq!(ReasonRecord::of(&reason("sql_id")).observed, "x");
}
