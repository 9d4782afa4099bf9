//! Policy test files: sessions, ticks, and what is expected of each.
//!
//! What is read here is still raw: it says which sessions there are and who should be ended. Building snapshots from
//! it and running the engine is the work of `orawarden test`.

use std::ops::Range;

use chrono_tz::Tz;

use super::cells::{Cell, session};
use super::diagnostic::{Code, Diagnostics, Sink, SourceFile};
use super::durations::span;
use super::policies::{VERSION_KEY, check_version};
use super::shape::{Fields, Key, Kind, Shape};
use super::values::{any_list, count_as, filled_text, list, time, wrong_type, zone};
use super::yaml::{Node, parse};
use crate::engine::time::{Span, Timestamp};

/// Live sessions beside the listed ones when a test does not say: enough that `percent` limits mean what they mean on
/// a full database.
pub const POPULATION: u32 = 1_000;

const SID: Key = Key::required("sid", Kind::Count, "SID of the session");
const INST_ID: Key = Key::optional("inst_id", Kind::Count, "its instance; 1 if left out");
const SERIAL: Key = Key::optional("serial", Kind::Count, "its SERIAL#; any if left out");
const RULE_NAME: Key = Key::optional("rule", Kind::Name, "by which rule");

pub(super) static TEST_FILE: Shape = Shape {
    name: "test file",
    doc: "tests of policies",
    keys: &[
        VERSION_KEY,
        Key::required(
            "policies",
            Kind::OneOrMany(&Kind::Text),
            "the policy files under test, relative to this file",
        ),
        Key::required("tests", Kind::List(&Kind::Map(&TEST)), "the tests"),
    ],
};

pub(super) static TEST: Shape = Shape {
    name: "test",
    doc: "some sessions, and what becomes of them tick by tick",
    keys: &[
        Key::required("name", Kind::Text, "what is tested"),
        Key::optional("at", Kind::Time, "the moment of the first tick; due with `sessions`"),
        Key::optional("database", Kind::Text, "the database's name, for rules with `databases`"),
        Key::optional(
            "population",
            Kind::Count,
            "live user sessions that match nothing, for percent limits; default 1000, 0 with `snapshot`",
        ),
        Key::optional(
            "timezone",
            Kind::Zone,
            "of moments without an offset in a snapshot; default UTC",
        ),
        Key::optional(
            "sessions",
            Kind::List(&Kind::Session),
            "the sessions; every column has a sensible default",
        ),
        Key::optional(
            "snapshot",
            Kind::Text,
            "a capture instead of sessions, relative to this file",
        ),
        Key::required("ticks", Kind::List(&Kind::Map(&TICK)), "what is expected, in time order"),
    ],
};

pub(super) static TICK: Shape = Shape {
    name: "tick",
    doc: "one evaluation of every rule",
    keys: &[
        Key::required("after", Kind::Span, "how long after `at`"),
        Key::optional(
            "change",
            Kind::List(&Kind::Session),
            "columns that are different from now on; a session that is not listed yet logs on",
        ),
        Key::optional("gone", Kind::List(&Kind::Map(&GONE)), "sessions that are gone from now on"),
        Key::optional("end", Kind::List(&Kind::Map(&END)), "exactly who is ended"),
        Key::optional("spared", Kind::List(&Kind::Map(&SPARED)), "some of those who are spared"),
        Key::optional("halted", Kind::List(&Kind::Map(&HALTED)), "exactly which rules stand still"),
    ],
};

pub(super) static GONE: Shape =
    Shape { name: "session key", doc: "which session", keys: &[SID, INST_ID, SERIAL] };

pub(super) static END: Shape = Shape {
    name: "victim",
    doc: "who is ended, and how",
    keys: &[
        SID,
        INST_ID,
        SERIAL,
        RULE_NAME,
        Key::optional("action", Kind::Text, "how: `kill immediate`"),
    ],
};

pub(super) static SPARED: Shape = Shape {
    name: "spared session",
    doc: "who is spared, and why",
    keys: &[
        SID,
        INST_ID,
        SERIAL,
        RULE_NAME,
        Key::required("because", Kind::Text, "why: `unless`, `pending`, `too-young`, …"),
    ],
};

pub(super) static HALTED: Shape = Shape {
    name: "halted rule",
    doc: "which rule stands still, and why",
    keys: &[
        Key::required("rule", Kind::Name, "the rule"),
        Key::required(
            "because",
            Kind::Text,
            "why: `limit`, `window`, `only-when`, `database`, `partial`",
        ),
    ],
};

/// A file of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFile {
    /// Policy files, relative to this one.
    pub policies: Vec<String>,
    /// The tests.
    pub tests: Vec<TestCase>,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// What is tested.
    pub name: String,
    /// Where it stands.
    pub span: Range<usize>,
    /// The moment of the first tick; a snapshot brings its own.
    pub at: Option<Timestamp>,
    /// The database's name.
    pub database: Option<String>,
    /// Live user sessions that match nothing.
    pub population: u32,
    /// Of moments without an offset in a snapshot.
    pub timezone: Tz,
    /// The sessions.
    pub sessions: Vec<TestSession>,
    /// A capture, relative to this file.
    pub snapshot: Option<String>,
    /// What is expected.
    pub ticks: Vec<TestTick>,
}

/// A session, or what changes of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSession {
    /// Which session.
    pub key: TestKey,
    /// The columns that are written.
    pub cells: Vec<Cell>,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestKey {
    /// SID.
    pub sid: u32,
    /// INST_ID, 1 if not written.
    pub inst_id: u32,
    /// SERIAL#, if written.
    pub serial: Option<u32>,
}

/// One tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestTick {
    /// How long after the start.
    pub after: Span,
    /// What is different from now on.
    pub change: Vec<TestSession>,
    /// Who is gone from now on.
    pub gone: Vec<TestKey>,
    /// Exactly who is ended; `None` when the tick says nothing about it.
    pub end: Option<Vec<ExpectedEnd>>,
    /// Some of those who are spared.
    pub spared: Vec<ExpectedSpared>,
    /// Exactly which rules stand still; `None` when the tick says nothing about it.
    pub halted: Option<Vec<ExpectedHalt>>,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Somebody who must be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedEnd {
    /// Who.
    pub key: TestKey,
    /// By which rule, if that matters.
    pub rule: Option<String>,
    /// How, if that matters.
    pub action: Option<String>,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Somebody who must be spared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSpared {
    /// Who.
    pub key: TestKey,
    /// By which rule, if that matters.
    pub rule: Option<String>,
    /// Why.
    pub because: String,
    /// Where it stands.
    pub span: Range<usize>,
}

/// A rule that must stand still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedHalt {
    /// Which.
    pub rule: String,
    /// Why.
    pub because: String,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Reads a test file, or says everything that is wrong with it.
pub fn decode(source: &SourceFile) -> (Option<TestFile>, Diagnostics) {
    let mut sink = Sink::default();
    let file = parse(&source.text, &mut sink).and_then(|root| file(&root, &mut sink));
    let file = file.filter(|_| !sink.has_errors());
    (file, Diagnostics::new(vec![source.clone()], sink.into_entries()))
}

fn file(root: &Node, sink: &mut Sink) -> Option<TestFile> {
    let fields = TEST_FILE.read(root, sink)?;
    check_version(&fields, sink);
    let policies =
        fields.get("policies").map(|node| super::service::texts(node, "policy files", sink));
    let tests = fields.get("tests").map(|node| {
        list(node, "tests", sink).iter().filter_map(|item| test(item, sink)).collect::<Vec<_>>()
    });
    let file = TestFile { policies: policies?, tests: tests? };
    check_names(&file, sink);
    Some(file)
}

fn check_names(file: &TestFile, sink: &mut Sink) {
    for (at, test) in file.tests.iter().enumerate() {
        if file.tests[..at].iter().any(|earlier| earlier.name == test.name) {
            let message = format!("a second test is called `{}`", test.name);
            sink.error(Code::DuplicateName, &test.span, message);
        }
    }
}

fn test(node: &Node, sink: &mut Sink) -> Option<TestCase> {
    let fields = TEST.read(node, sink)?;
    let mut text_of = |name: &str| {
        let text = fields.get(name).and_then(|node| filled_text(node, "text", sink));
        text.map(ToOwned::to_owned)
    };
    let (name, database, snapshot) = (text_of("name"), text_of("database"), text_of("snapshot"));
    let at = fields.get("at").and_then(|node| time(node, sink));
    let population = fields.get("population").and_then(|node| count_as(node, sink));
    let timezone = fields.get("timezone").and_then(|node| zone(node, sink));
    let sessions = fields.get("sessions").map(|node| {
        any_list(node, "sessions", sink)
            .iter()
            .filter_map(|item| session(item, at, sink))
            .collect::<Vec<_>>()
    });
    let ticks = fields.get("ticks").map(|node| {
        list(node, "ticks", sink).iter().filter_map(|item| tick(item, at, sink)).collect::<Vec<_>>()
    });
    check_source(&fields, sink);
    check_order(ticks.as_deref().unwrap_or_default(), sink);
    let default = if snapshot.is_some() { 0 } else { POPULATION };
    Some(TestCase {
        name: name?,
        span: node.span.clone(),
        at,
        database,
        population: population.unwrap_or(default),
        timezone: timezone.unwrap_or(Tz::UTC),
        sessions: sessions.unwrap_or_default(),
        snapshot,
        ticks: ticks?,
    })
}

/// A test is about sessions or about a snapshot.
fn check_source(fields: &Fields<'_>, sink: &mut Sink) {
    match (fields.get("sessions"), fields.get("snapshot")) {
        (Some(_), Some(snapshot)) => {
            wrong_type(snapshot, "either `sessions` or `snapshot`", sink);
        }
        (None, None) => {
            let message = "a test has `sessions` or a `snapshot`";
            sink.error(Code::MissingKey, &fields.span, message);
        }
        (Some(_), None) if fields.get("at").is_none() => {
            sink.error(Code::MissingKey, &fields.span, "`at` is missing from this test")
                .help("at: 2026-03-02T10:00:00Z, the moment of the first tick");
        }
        _ => {}
    }
}

fn check_order(ticks: &[TestTick], sink: &mut Sink) {
    for pair in ticks.windows(2) {
        if pair[1].after <= pair[0].after {
            let message =
                format!("a tick after {} stands behind one after {}", pair[1].after, pair[0].after);
            sink.error(Code::BadTime, &pair[1].span, message)
                .help("`after` counts from `at`, not from the tick before");
        }
    }
}

fn tick(node: &Node, at: Option<Timestamp>, sink: &mut Sink) -> Option<TestTick> {
    let fields = TICK.read(node, sink)?;
    let after = fields.get("after").and_then(|node| span(node, sink));
    let moment = at.map(|at| at.plus(after.unwrap_or_default()));
    let mut items = |name: &str| -> Option<&[Node]> {
        fields.get(name).map(|node| any_list(node, "entries", sink))
    };
    let (change, gone, end) = (items("change"), items("gone"), items("end"));
    let (spared, halted) = (items("spared"), items("halted"));
    let change =
        change.unwrap_or_default().iter().filter_map(|item| session(item, moment, sink)).collect();
    let gone = gone
        .unwrap_or_default()
        .iter()
        .filter_map(|item| key(&GONE.read(item, sink)?, sink))
        .collect();
    let end = end.map(|items| items.iter().filter_map(|item| expected_end(item, sink)).collect());
    let spared =
        spared.unwrap_or_default().iter().filter_map(|item| expected_spared(item, sink)).collect();
    let halted =
        halted.map(|items| items.iter().filter_map(|item| expected_halt(item, sink)).collect());
    Some(TestTick { after: after?, change, gone, end, spared, halted, span: node.span.clone() })
}

/// Which session a map speaks of.
pub(super) fn key(fields: &Fields<'_>, sink: &mut Sink) -> Option<TestKey> {
    let mut number = |name: &str| fields.get(name).map(|node| count_as::<u32>(node, sink));
    let (sid, inst_id, serial) = (number("sid"), number("inst_id"), number("serial"));
    Some(TestKey {
        sid: sid??,
        inst_id: inst_id.unwrap_or(Some(1))?,
        serial: serial.unwrap_or_default(),
    })
}

fn optional_text(fields: &Fields<'_>, name: &str, sink: &mut Sink) -> Option<String> {
    fields.get(name).and_then(|node| filled_text(node, "text", sink)).map(ToOwned::to_owned)
}

fn expected_end(node: &Node, sink: &mut Sink) -> Option<ExpectedEnd> {
    let fields = END.read(node, sink)?;
    let rule = optional_text(&fields, "rule", sink);
    let action = optional_text(&fields, "action", sink);
    Some(ExpectedEnd { key: key(&fields, sink)?, rule, action, span: node.span.clone() })
}

fn expected_spared(node: &Node, sink: &mut Sink) -> Option<ExpectedSpared> {
    let fields = SPARED.read(node, sink)?;
    let rule = optional_text(&fields, "rule", sink);
    let because = optional_text(&fields, "because", sink);
    Some(ExpectedSpared {
        key: key(&fields, sink)?,
        rule,
        because: because?,
        span: node.span.clone(),
    })
}

fn expected_halt(node: &Node, sink: &mut Sink) -> Option<ExpectedHalt> {
    let fields = HALTED.read(node, sink)?;
    let rule = optional_text(&fields, "rule", sink);
    let because = optional_text(&fields, "because", sink);
    Some(ExpectedHalt { rule: rule?, because: because?, span: node.span.clone() })
}
