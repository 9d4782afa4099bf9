//! What a reload keeps, what it replaces, and what becomes of one that fails or hangs.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::channel;

use super::super::{Asked, Audit, AuditAt, Daemon, Event, LOADS_LEFT_BEHIND_MAX, Signal};
use super::{Bench, ENFORCE, Sketch, bad_files, in_short, loaded, number, spec};
use crate::daemon::reload::Loaded;
use crate::engine::policy::{Breaker, Mode, Reset};
use crate::engine::time::Span;
use crate::observe::fixture::RuleSketch;

#[tokio::test]
async fn a_failed_reload_keeps_what_is_in_force() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
    let before = Arc::clone(&bench.daemon.policies);
    let superseded = bench.daemon.superseded.clone();
    bench.loads.send(Err(bad_files())).expect("the loader listens");
    bench.signal(Signal::Reload);
    bench.handle_next().await;
    bench.handle_next().await;
    assert!(Arc::ptr_eq(&before, &bench.daemon.policies) && !superseded.is_raised());
    bench.shows("prod", &[7]);
    bench.at(60);
    assert_eq!(bench.ticked().await.1, "7 ended");
}

#[tokio::test]
async fn a_reload_that_hangs_is_left_behind_and_later_ones_work() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
    let before = Arc::clone(&bench.daemon.policies);
    for hanging in 1..=LOADS_LEFT_BEHIND_MAX {
        bench.daemon.reload();
        assert!(bench.daemon.loads.deadline().is_some());
        assert_eq!(bench.daemon.handle(Event::LoadOverdue), ControlFlow::Continue(()));
        assert_eq!(bench.daemon.loads.left_behind(), hanging);
    }
    bench.daemon.reload();
    assert!(bench.daemon.loads.deadline().is_none(), "one more would hang too");
    bench.loads.send(Err(bad_files())).expect("those that hang listen");
    bench.handle_next().await;
    assert_eq!(bench.daemon.loads.left_behind(), LOADS_LEFT_BEHIND_MAX - 1);
    assert!(Arc::ptr_eq(&before, &bench.daemon.policies), "what comes too late is not used");
    bench.daemon.reload();
    assert!(bench.daemon.loads.deadline().is_some());
}

#[tokio::test]
async fn a_reload_that_is_asked_for_twice_is_done_twice() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
    bench.daemon.reload();
    bench.daemon.reload();
    bench.loads.send(Err(bad_files())).expect("the loader listens");
    bench.handle_next().await;
    assert!(bench.daemon.loads.deadline().is_some(), "the second is under way");
    bench.reload_under_way(&[ENFORCE], &["other"]).await;
    assert_eq!(bench.daemon.targets.keys().collect::<Vec<_>>(), ["other"]);
}

#[tokio::test]
async fn another_audit_is_opened_before_anything_is_swapped() {
    let place = tempfile::tempdir().expect("a directory for the test");
    let [first, second] = ["first.jsonl", "second.jsonl"].map(|name| place.path().join(name));
    let mut sketch = Sketch::new(&[ENFORCE], &["prod"]);
    sketch.audit = Audit::AsLoaded;
    sketch.audit_file = Some(first.clone());
    let (mut bench, _killed) = sketch.start();
    for (audit, files) in [(place.path().join("no/a.jsonl"), [1, 0]), (second.clone(), [1, 1])] {
        bench.loads.send(Ok(Loaded { audit: Some(audit), ..loaded(&[ENFORCE], vec![]) })).ok();
        bench.signal(Signal::Reload);
        bench.handle_next().await;
        bench.handle_next().await;
        let there = [&first, &second].map(|path| usize::from(path.exists()));
        assert_eq!(there, files);
        assert_eq!(bench.daemon.targets.len(), 1 - files[1], "all or nothing");
    }
    assert_eq!(bench.daemon.audit_at, AuditAt::File(second.clone()));
    let other_name = place.path().join("linked.jsonl");
    std::os::unix::fs::symlink(&second, &other_name).expect("it can be linked");
    bench.loads.send(Ok(Loaded { audit: Some(other_name), ..loaded(&[ENFORCE], vec![]) })).ok();
    bench.daemon.reload();
    bench.handle_next().await;
    assert_eq!(bench.daemon.audit_at, AuditAt::File(second), "it is the same file");
}

#[tokio::test]
async fn a_database_that_comes_back_starts_its_timers_anew_and_no_tick_has_the_name_of_another() {
    let held = RuleSketch { hold: Span::seconds(120), ..ENFORCE };
    let (mut bench, _killed) = Bench::new(&[held], &["away", "prod"]);
    bench.shows("away", &[7]);
    bench.shows("prod", &[]);
    bench.at(60);
    let mut numbers = vec![bench.tick_number().await, bench.tick_number().await];
    bench.reload(&[held], &["prod"]).await;
    let (gate, answers) = channel();
    let again = vec![spec("away", answers, &channel().0)];
    bench.loads.send(Ok(loaded(&[held], again))).expect("the loader listens");
    bench.signal(Signal::Reload);
    bench.handle_next().await;
    bench.handle_next().await;
    bench.gates.retain(|(name, _)| *name != "away");
    bench.gates.push(("away", gate));
    for (seconds, number_of_it) in [(120, 3), (180, 4)] {
        bench.shows_at(seconds, "away", &[7]);
        bench.at(seconds);
        let event = bench.daemon.next_event().await;
        let Event::Ticked(Ok((_, finished))) = &event else { panic!("a tick was to end") };
        assert_eq!(in_short(&finished.end), "", "its timer starts anew");
        assert_eq!(number(&finished.end), number_of_it);
        assert!(bench.daemon.handle(event).is_continue());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
}

#[tokio::test]
async fn a_reload_keeps_timers_and_the_source_of_what_stays() {
    let held = RuleSketch { hold: Span::seconds(120), ..ENFORCE };
    let (mut bench, _killed) = Bench::new(&[held], &["prod"]);
    bench.shows("prod", &[7]);
    bench.at(60);
    assert_eq!(bench.ticked().await.1, "", "the `for` runs");
    let added = RuleSketch { name: "added", report: true, ..ENFORCE };
    let superseded = bench.daemon.superseded.clone();
    bench.reload(&[added, held], &["prod"]).await;
    assert!(superseded.is_raised() && !bench.daemon.superseded.is_raised());
    for (seconds, expected) in [(120, "7 reported"), (180, "7 reported, 7 ended")] {
        bench.shows_at(seconds, "prod", &[7]);
        bench.at(seconds);
        assert_eq!(bench.ticked().await.1, expected);
    }
}

#[tokio::test]
async fn a_rule_that_asks_something_else_starts_its_timers_anew() {
    let held = RuleSketch { hold: Span::seconds(120), ..ENFORCE };
    let (mut bench, _killed) = Bench::new(&[held], &["prod"]);
    bench.shows("prod", &[7]);
    bench.at(60);
    bench.ticked().await;
    bench.reload(&[RuleSketch { fingerprint: 2, ..held }], &["prod"]).await;
    for seconds in [120, 180] {
        bench.shows_at(seconds, "prod", &[7]);
        bench.at(seconds);
        assert_eq!(bench.ticked().await.1, "");
    }
}

#[tokio::test]
async fn a_database_that_is_taken_out_goes_when_its_tick_is_done() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["gone", "prod"]);
    bench.shows("prod", &[]);
    bench.at(60);
    bench.ticked().await;
    bench.reload(&[ENFORCE], &["prod"]).await;
    assert_eq!(bench.daemon.targets.len(), 2);
    bench.shows("gone", &[]);
    bench.ticked().await;
    assert_eq!(bench.daemon.targets.keys().collect::<Vec<_>>(), ["prod"]);
}

#[tokio::test]
async fn what_is_said_of_a_database_goes_with_it() {
    let (mut bench, _killed) = Bench::new(&[ENFORCE], &["gone", "prod"]);
    bench.fails("gone");
    bench.shows("prod", &[]);
    bench.at(60);
    bench.ticked().await;
    bench.ticked().await;
    let status = bench.daemon.status();
    assert_eq!(status, "watching: 1 rule on 2 databases; 1 enforces; not reached: gone");
    bench.reload(&[RuleSketch { mode: Mode::DryRun, ..ENFORCE }], &["prod"]).await;
    assert_eq!(bench.daemon.status(), "watching: 1 rule on 1 database; none enforces");
}

/// `/readyz` and the alerts would wait for its first due time, which may be tomorrow.
#[tokio::test]
async fn a_database_that_a_reload_brings_is_looked_at_at_once_if_anybody_can_ask() {
    for is_shown in [true, false] {
        let (mut bench, _killed) = Bench::new(&[ENFORCE], &["prod"]);
        bench.daemon.is_shown = is_shown;
        bench.reload(&[ENFORCE], &["new", "prod"]).await;
        assert_eq!(bench.daemon.targets["new"].is_running(), is_shown);
        assert!(!bench.daemon.targets["prod"].is_running(), "it was looked at before");
    }
}

#[tokio::test]
async fn a_reload_during_the_first_load_keeps_no_database_from_its_first_look() {
    let (setup, surroundings, _parts) = Sketch::new(&[ENFORCE], &["prod"]).build();
    let mut daemon = Daemon::new(setup, surroundings);
    daemon.is_shown = true;
    assert_eq!(daemon.loads.ask(daemon.audit_at.clone(), None), Asked::Begun);
    assert_eq!(daemon.handle(Event::Reload), ControlFlow::Continue(()));
    let loaded = daemon.next_event().await;
    assert_eq!(daemon.handle(loaded), ControlFlow::Continue(()));
    assert!(daemon.targets["prod"].is_running());
    assert!(daemon.loads.deadline().is_some(), "the reload is under way");
}

#[tokio::test]
async fn a_breaker_that_outlives_its_database_is_shown_when_it_comes_back() {
    const BREAKS: RuleSketch = RuleSketch {
        breaker: Some(Breaker {
            failures: 1,
            reconnects: 100,
            within: Span::seconds(60),
            reset: Reset::After(Span::seconds(3_600)),
        }),
        ..ENFORCE
    };
    let mut sketch = Sketch::new(&[BREAKS], &["prod"]);
    // A killer that does not find there what it should fails.
    sketch.reads = Some("no/such/file".into());
    let (mut bench, _killed) = sketch.start();
    bench.shows("prod", &[7]);
    bench.at(60);
    bench.ticked().await;
    let is_open = |bench: &Bench| {
        let state = bench.daemon.board.read();
        state
            .databases
            .get("prod")
            .and_then(|card| card.rules.get("idle")?.broken.clone())
            .is_some()
    };
    assert!(is_open(&bench));
    bench.reload(&[BREAKS], &["other"]).await;
    assert!(!is_open(&bench), "nobody watches it");
    bench.reload(&[BREAKS], &["prod"]).await;
    assert!(is_open(&bench));
}
