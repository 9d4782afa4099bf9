//! Clocks of databases that are set, and those of whom nobody can tell.

use std::time::Duration;

use super::{BROKEN, Bench, ENFORCE, LADDER, at, in_short, verbs};
use crate::engine::policy::Verb;
use crate::engine::report::Outcome;
use crate::engine::time::Span;
use crate::observe::fixture::RuleSketch;

/// An hour and more, either way.
const SET: [Span; 2] = [Span::seconds(7_200), Span::seconds(-7_200)];

#[test]
fn a_clock_that_is_set_ends_no_wait_and_forgets_no_limit() {
    let waits = RuleSketch { hold: Span::seconds(600), ..ENFORCE };
    let limited = RuleSketch { per_hour: Some(1), ..ENFORCE };
    for set in SET {
        for (rule, expected) in [(waits, "pending"), (LADDER, "pending"), (limited, "halted")] {
            let mut bench = Bench::new(&[rule]);
            bench.tick(at(0, &[(7, "APP")]));
            bench.set = set;
            let rows: &[_] = if rule.per_hour.is_some() { &[(8, "APP")] } else { &[(7, "APP")] };
            for seconds in [10, 20] {
                let report = bench.tick(at(seconds, rows));
                assert!(in_short(&report).contains(expected), "{}", in_short(&report));
                let said = report.plan.warnings().iter().any(|it| it.contains("clock was set"));
                assert_eq!(said, seconds == 10, "it is said once");
            }
        }
        let mut bench = Bench::new(&[LADDER]);
        bench.tick(at(0, &[(7, "APP")]));
        bench.set = set;
        bench.tick(at(10, &[(7, "APP")]));
        // Only time that passed counts.
        let verbs = verbs(&bench.tick(at(61, &[(7, "APP")])));
        assert_eq!(verbs, [Verb::DisconnectImmediate]);
    }
}

/// A database that answers late, or a daemon that is stopped in the middle of a look.
#[test]
fn a_look_that_takes_long_is_no_clock_that_was_set() {
    let waits = RuleSketch { hold: Span::seconds(600), ..ENFORCE };
    let mut bench = Bench::new(&[waits]);
    bench.script().tells_at_once = true;
    for (seconds, takes) in [(0, 0), (10, 1_000), (1_020, 0)] {
        bench.script().look_takes = Duration::from_secs(takes);
        let report = bench.tick(at(seconds, &[(7, "APP")]));
        assert_eq!(report.plan.warnings(), [] as [String; 0], "at {seconds}");
        let expected = if seconds < 600 { "7 pending" } else { "7 ended" };
        assert!(in_short(&report).starts_with(expected), "at {seconds}: {}", in_short(&report));
    }
    // Where its time may have been told at any moment of it, nobody knows.
    let mut bench = Bench::new(&[waits]);
    for (seconds, takes, unsure) in [(0, 0, false), (10, 100, true), (120, 0, true)] {
        bench.script().look_takes = Duration::from_secs(takes);
        let report = bench.tick(at(seconds, &[(7, "APP")]));
        let said = report.plan.warnings().iter().any(|it| it.contains("within 1m40s"));
        assert_eq!(said, unsure, "at {seconds}");
    }
    for (seconds, expected) in [(699, "7 pending"), (700, "7 ended")] {
        let report = bench.tick(at(seconds, &[(7, "APP")]));
        assert!(in_short(&report).starts_with(expected), "at {seconds}: {}", in_short(&report));
        assert_eq!(report.plan.warnings(), [] as [String; 0], "at {seconds}");
    }
    // What was set while a look took long is noticed at the next, and counts in full.
    let mut bench = Bench::new(&[waits]);
    bench.script().look_takes = Duration::from_secs(100);
    bench.tick(at(0, &[(7, "APP")]));
    bench.set = SET[0];
    let report = bench.tick(at(10, &[(7, "APP")]));
    assert!(report.plan.warnings().iter().any(|it| it.contains("clock was set forward")));
    let report = bench.tick(at(599, &[(7, "APP")]));
    assert!(in_short(&report).starts_with("7 pending"), "{}", in_short(&report));
}

#[test]
fn an_open_breaker_does_not_close_because_a_clock_was_set() {
    let mut bench = Bench::new(&[BROKEN]);
    bench.script().answers.extend([Outcome::Unknown; 3]);
    bench.tick(at(0, &[(1, "APP"), (2, "APP"), (3, "APP")]));
    bench.set = SET[0];
    let report = bench.tick(at(10, &[(4, "APP")]));
    assert!(in_short(&report).starts_with("4 breaker"), "{}", in_short(&report));
    let report = bench.tick(at(620, &[(4, "APP")]));
    assert_eq!(in_short(&report), "4 ended");
}
