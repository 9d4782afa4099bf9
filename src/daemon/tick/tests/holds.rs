//! Pauses and silences: at the beginning of a tick, and when they change in the middle of one.

use std::fs;

use super::{Bench, ENFORCE, in_short};
use crate::config::holds::Hold;
use crate::daemon::holds::change;
use crate::engine::policy::Mode;
use crate::engine::session::{Column, TextColumn};
use crate::observe::fixture::{NOON, RuleSketch, snapshot};

pub(super) fn hold(matched: Option<&str>, rule: Option<&str>) -> Hold {
    Hold {
        id: 0,
        matched: matched.map(str::to_owned),
        rule: rule.map(str::to_owned),
        database: None,
        since: NOON.to_string(),
        until: None,
        author: "ada".to_owned(),
        reason: "calm".to_owned(),
    }
}

#[test]
fn pauses_hold_enforcing_rules_and_silences_hold_sessions_in_both_modes() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("holds.json");
    let app = Some("{username: APP}");
    let unknown = Some("{module: BATCH}");
    for (held, mode, told) in [
        (hold(None, None), Mode::Enforce, "7 paused: pause 1 of ada: calm"),
        (hold(None, Some("rule")), Mode::Enforce, "7 paused: pause 1 of ada: calm"),
        (hold(None, Some("other")), Mode::Enforce, "7 ended"),
        (hold(None, None), Mode::DryRun, "7 simulated"),
        (hold(app, None), Mode::Enforce, "7 silenced: silence 1 of ada: calm"),
        (hold(app, Some("rule")), Mode::DryRun, "7 silenced: silence 1 of ada: calm"),
        (hold(app, Some("other")), Mode::Enforce, "7 ended"),
        (hold(Some("{username: WEB}"), None), Mode::Enforce, "7 ended"),
        (hold(unknown, None), Mode::Enforce, "7 silenced: silence 1 of ada: calm"),
    ] {
        fs::remove_file(&path).ok();
        change(&path, NOON, |holds| holds.add(held)).expect("it can be written");
        let mut bench = Bench::new(&[RuleSketch { mode, ..ENFORCE }]);
        bench.holds = Some(path.as_path().into());
        assert_eq!(in_short(&bench.tick(snapshot(&[(7, "APP")]))), told);
    }
}

#[test]
fn a_silence_has_the_source_read_what_it_asks_about() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("holds.json");
    let silence = hold(Some("{terminal: pts}"), None);
    change(&path, NOON, |holds| holds.add(silence)).expect("it can be written");
    let terminal = Column::Text(TextColumn::Terminal);
    for (holds, reads) in [(None, false), (Some(path.as_path().into()), true)] {
        let mut bench = Bench::new(&[ENFORCE]);
        bench.holds = holds;
        bench.tick(snapshot(&[(7, "APP")]));
        assert_eq!(bench.script().needs.columns.contains(&terminal), reads);
    }
}

#[test]
fn holds_that_cannot_be_read_pause_everything_until_they_can() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("holds.json");
    fs::write(&path, "{\"version\":1").expect("it can be written");
    let mut bench = Bench::new(&[ENFORCE]);
    bench.holds = Some(path.as_path().into());
    let report = bench.tick(snapshot(&[(7, "APP")]));
    assert_eq!(report.plan.spared()[0].reason.because(), "paused");
    assert!(report.plan.warnings().iter().any(|it| it.starts_with("everything is paused: ")));
    fs::remove_file(&path).expect("it is there");
    change(&path, NOON, |_| Ok(())).expect("it can be made anew");
    assert_eq!(in_short(&bench.tick(snapshot(&[(7, "APP")]))), "7 ended");
}

#[test]
fn whoever_pauses_in_the_middle_of_a_tick_stops_the_rest_of_it() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let path = place.path().join("holds.json");
    change(&path, NOON, |_| Ok(())).expect("it can be made");
    let mut bench = Bench::new(&[ENFORCE]);
    bench.holds = Some(path.as_path().into());
    bench.script().pauses = bench.holds.clone();
    let rows = [(7, "APP"), (8, "APP"), (9, "APP")];
    let report = bench.tick(snapshot(&rows));
    assert_eq!(in_short(&report), "7 ended, 8 failed (not-tried), 9 failed (not-tried)");
    assert_eq!(bench.asked(), [7]);
    let report = bench.tick(snapshot(&rows[1..]));
    assert!(in_short(&report).starts_with("8 paused"), "{}", in_short(&report));
}
