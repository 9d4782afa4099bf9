//! One rule: a map, the file's `defaults` merged into it, to a [`Rule`].

use std::ops::Range;

use chrono_tz::Tz;

use super::actions::{CANCEL_SQL, DISCONNECT, DISCONNECT_MODES, KILL, KILL_MODES, action};
use super::breaker::{BREAKER, breaker};
use super::canonical::fingerprint;
use super::conditions::{Conjunct, conditions};
use super::diagnostic::{Code, Sink};
use super::durations::{Unit, comparisons, span};
use super::exemptions::{EXEMPTION, unless};
use super::limits::{LIMITS, limits};
use super::matchers::{Scope, patterns};
use super::shape::{Fields, Key, Kind, Shape, whole};
use super::suggest::did_you_mean_or_list;
use super::values::{filled_text, name, one_or_many, text, word, zone};
use super::victims::{VICTIMS, victims};
use super::yaml::{Node, Value, excerpt};
use crate::engine::condition::{Condition, Field};
use crate::engine::policy::{
    Action, Breaker, Liftable, Limits, Mode, PopulationMeasure, PopulationTest, Rule, RuleIdentity,
    Verb, Victims,
};
use crate::engine::schedule::Schedule;
use crate::engine::time::Span;
use crate::engine::window::Window;

const SCHEDULE: &str = "* * * * *";
const MIN_SESSION_AGE: Span = Span::seconds(60);

const WINDOW_HELP: &str =
    "Mon-Fri 08:00-18:00, 22:00-06:00, Sat,Sun or 2026-12-24 00:00 / 2026-12-27 00:00, in quotes";

const UNLESS_KIND: Kind = Kind::Either(&[Kind::Conditions, Kind::List(&Kind::Map(&EXEMPTION))]);

const BREAKER_KIND: Kind = Kind::Either(&[Kind::Words(&["off"]), Kind::Map(&BREAKER)]);

const ACTION_KIND: Kind = Kind::OneOrMany(&Kind::Either(&[
    Kind::Words(&["report", "cancel_sql", "kill", "disconnect"]),
    Kind::Map(&ACTION),
]));

/// For the schema: the decoder of actions reads the one key itself.
pub(super) static ACTION: Shape = Shape {
    name: "action",
    doc: "one action in detail; a map of one key",
    keys: &[
        Key::optional("cancel_sql", Kind::Map(&CANCEL_SQL), "ALTER SYSTEM CANCEL SQL"),
        Key::optional(
            "kill",
            Kind::Either(&[Kind::Words(&KILL_MODES), Kind::Map(&KILL)]),
            "ALTER SYSTEM KILL SESSION",
        ),
        Key::optional(
            "disconnect",
            Kind::Either(&[Kind::Words(&DISCONNECT_MODES), Kind::Map(&DISCONNECT)]),
            "ALTER SYSTEM DISCONNECT SESSION",
        ),
    ],
};

pub(super) static ONLY_WHEN: Shape = Shape {
    name: "only_when map",
    doc: "the rule sleeps until all of these hold",
    keys: &[
        Key::optional(
            "session_usage",
            Kind::ComparePercent,
            "sessions in percent of the limit; the highest of all instances",
        ),
        Key::optional(
            "process_usage",
            Kind::ComparePercent,
            "processes in percent of the limit; the highest of all instances",
        ),
        Key::optional("matching", Kind::CompareNumber, "how many candidates the rule has"),
        Key::optional("active_sessions", Kind::CompareNumber, "how many user sessions are ACTIVE"),
    ],
};

const OWNER: Key =
    Key::optional("owner", Kind::Text, "whom to ask; carried into log, audit and notifications");
const RUNBOOK: Key =
    Key::optional("runbook", Kind::Text, "where to read on; carried along likewise");
const UNLESS: Key = Key::optional(
    "unless",
    UNLESS_KIND,
    "who is spared although matched; what cannot be decided spares",
);
const FOR: Key =
    Key::optional("for", Kind::Span, "how long a match must hold without a break; default 0s");
const VICTIMS_KEY: Key =
    Key::optional("victims", Kind::Map(&VICTIMS), "which of the candidates; default: all");
const LIMITS_KEY: Key = Key::optional("limits", Kind::Map(&LIMITS), "how many at most");
const BREAKER_KEY: Key = Key::optional(
    "breaker",
    BREAKER_KIND,
    "when the rule is put back to a dry run by itself; `off` never does it",
);
const SCHEDULE_KEY: Key =
    Key::optional("schedule", Kind::Cron, "when the rule is due; default: every minute");
const TIMEZONE: Key =
    Key::optional("timezone", Kind::Zone, "IANA time zone of schedule and windows; default UTC");
const MODE: Key = Key::optional(
    "mode",
    Kind::Words(&["dry-run", "enforce"]),
    "dry-run (default) only says whom it would end",
);
const AGE: Key = Key::optional(
    "min_session_age",
    Kind::Span,
    "younger sessions are protected; default 60s, 0s switches the check off",
);
const ONLY_DURING: Key = Key::optional(
    "only_during",
    Kind::OneOrMany(&Kind::Window),
    "the rule is awake in these windows only",
);
const NEVER_DURING: Key = Key::optional(
    "never_during",
    Kind::OneOrMany(&Kind::Window),
    "the rule sleeps in these windows",
);
const ONLY_WHEN_KEY: Key = Key::optional(
    "only_when",
    Kind::Map(&ONLY_WHEN),
    "the rule sleeps until this holds of the population",
);
const DATABASES: Key = Key::optional(
    "databases",
    Kind::TextMatcher,
    "the configured databases it is confined to; default: all",
);

pub(super) static RULE: Shape = Shape {
    name: "rule",
    doc: "whom to end, how, and how carefully",
    keys: &[
        Key::required(
            "name",
            Kind::Name,
            "unique over all files; log, audit and tests speak of it",
        ),
        Key::optional("description", Kind::Text, "free text"),
        OWNER,
        RUNBOOK,
        Key::required("match", Kind::Conditions, "who is matched; all keys must hold"),
        UNLESS,
        FOR,
        VICTIMS_KEY,
        Key::required(
            "action",
            ACTION_KIND,
            "what is done to the victims: one action, or a ladder",
        ),
        LIMITS_KEY,
        BREAKER_KEY,
        SCHEDULE_KEY,
        TIMEZONE,
        MODE,
        AGE,
        ONLY_DURING,
        NEVER_DURING,
        ONLY_WHEN_KEY,
        DATABASES,
        Key::optional(
            "allow_protected",
            Kind::OneOrMany(&Kind::Protection),
            "built-in protections that this rule lifts",
        ),
    ],
};

/// What a rule may say, without what makes it this rule. `allow_protected` is left out on purpose: a protection is
/// lifted in writing, where it is lifted.
pub(super) static DEFAULTS: Shape = Shape {
    name: "map of defaults",
    doc: "whatever a rule may say, said once; maps merge key by key, `unless` adds up",
    keys: &[
        OWNER,
        RUNBOOK,
        UNLESS,
        FOR,
        VICTIMS_KEY,
        Key::optional(
            "action",
            ACTION_KIND,
            "what is done to the victims: one action, or a ladder",
        ),
        LIMITS_KEY,
        BREAKER_KEY,
        SCHEDULE_KEY,
        TIMEZONE,
        MODE,
        AGE,
        ONLY_DURING,
        NEVER_DURING,
        ONLY_WHEN_KEY,
        DATABASES,
    ],
};

/// Maps whose keys merge; anything else is replaced as a whole.
const MERGED: [&str; 4] = ["limits", "breaker", "victims", "only_when"];

/// A rule and what later checks need to know of it.
pub(super) struct CompiledRule {
    pub(super) rule: Rule,
    pub(super) file: usize,
    pub(super) name_span: Range<usize>,
    pub(super) conjuncts: Vec<Conjunct>,
}

/// A rule's map with the defaults in it. `unless` is left to the compiler, because both hold.
pub(super) fn with_defaults(rule: &Node, defaults: Option<&Node>) -> Node {
    let (Some(entries), Some(defaults)) = (rule.mapping(), defaults.and_then(Node::mapping)) else {
        return rule.clone();
    };
    let mut merged = entries.to_vec();
    for (key, value) in defaults {
        let Some(name) = key.scalar().map(|scalar| scalar.text.as_str()) else { continue };
        let known = DEFAULTS.names().any(|known| known == name) && name != "unless";
        if !known {
            continue;
        }
        match merged.iter_mut().find(|(own, _)| is_key(own, name)) {
            None => merged.push((key.clone(), value.clone())),
            Some((_, own)) if MERGED.contains(&name) => merge_map(own, value),
            Some(_) => {}
        }
    }
    Node { value: Value::Mapping(merged), span: rule.span.clone() }
}

/// Whether a key is this one.
pub(super) fn is_key(node: &Node, name: &str) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == name)
}

fn merge_map(own: &mut Node, default: &Node) {
    let (Value::Mapping(entries), Some(defaults)) = (&mut own.value, default.mapping()) else {
        return;
    };
    for (key, value) in defaults {
        let Some(name) = key.scalar().map(|scalar| scalar.text.as_str()) else { continue };
        if !entries.iter().any(|(own, _)| is_key(own, name)) {
            entries.push((key.clone(), value.clone()));
        }
    }
}

/// The file a rule stands in.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: usize,
    pub(super) file_name: &'a str,
    /// `unless` of the defaults.
    pub(super) unless: Option<&'a Node>,
}

/// Compiles a rule whose defaults are merged in.
pub(super) fn rule(
    node: &Node,
    place: Place<'_>,
    scope: &Scope<'_>,
    sink: &mut Sink,
) -> Option<CompiledRule> {
    let fields = RULE.read(node, sink)?;
    let name_node = fields.get("name");
    let name = name_node.and_then(|node| name(node, sink));
    let awake = awake(&fields, sink);
    let manner = manner(&fields, scope, sink);
    let labels = labels(&fields, sink);
    let exempted = fields.get("unless").into_iter().chain(place.unless);
    let unless: Vec<_> = exempted.flat_map(|node| unless(node, scope, sink)).collect();
    let databases = fields.get("databases").map(|node| patterns(node, scope, sink));
    let matched = fields.get("match").and_then(|node| conditions(node, scope, sink));
    let compiled = matched?;
    check_negations(&fields, &compiled.conjuncts, sink);
    let action = manner.action?;
    check_cancel(&fields, &action, &compiled.conjuncts, sink);
    let name = name?.to_owned();
    let rule = Rule {
        identity: RuleIdentity {
            name: name.clone(),
            fingerprint: fingerprint(&compiled.condition, &unless),
        },
        name,
        file: place.file_name.to_owned(),
        description: labels.description,
        owner: labels.owner,
        runbook: labels.runbook,
        mode: manner.mode,
        schedule: awake.schedule?,
        timezone: awake.timezone,
        condition: compiled.condition,
        unless,
        hold: manner.hold,
        min_session_age: manner.min_session_age,
        victims: manner.victims,
        action,
        limits: manner.limits,
        breaker: manner.breaker,
        only_during: awake.only_during,
        never_during: awake.never_during,
        only_when: awake.only_when,
        databases: databases.unwrap_or_default(),
        allow_protected: manner.allow_protected,
    };
    let name_span = name_node.map_or_else(|| node.span.clone(), |node| node.span.clone());
    Some(CompiledRule { rule, file: place.file, name_span, conjuncts: compiled.conjuncts })
}

/// Reads the defaults of a file by themselves.
pub(super) fn check_parts(fields: &Fields<'_>, scope: &Scope<'_>, sink: &mut Sink) {
    awake(fields, sink);
    manner(fields, scope, sink);
    labels(fields, sink);
    if let Some(node) = fields.get("databases") {
        patterns(node, scope, sink);
    }
    if let Some(node) = fields.get("unless") {
        unless(node, scope, sink);
    }
}

struct Labels {
    description: Option<String>,
    owner: Option<String>,
    runbook: Option<String>,
}

fn labels(fields: &Fields<'_>, sink: &mut Sink) -> Labels {
    let mut label = |name: &str| {
        let text = fields.get(name).and_then(|node| filled_text(node, "text", sink));
        text.map(|text| text.trim_end().to_owned())
    };
    Labels { description: label("description"), owner: label("owner"), runbook: label("runbook") }
}

/// When the rule is due, and when awake.
struct Awake {
    schedule: Option<Schedule>,
    timezone: Tz,
    only_during: Vec<Window>,
    never_during: Vec<Window>,
    only_when: Vec<PopulationTest>,
}

fn awake(fields: &Fields<'_>, sink: &mut Sink) -> Awake {
    let timezone = fields.get("timezone").and_then(|node| zone(node, sink)).unwrap_or(Tz::UTC);
    let mut windows_of =
        |name: &str| fields.get(name).map(|node| windows(node, sink)).unwrap_or_default();
    let (only_during, never_during) = (windows_of("only_during"), windows_of("never_during"));
    Awake {
        schedule: schedule(fields.get("schedule"), timezone, sink),
        timezone,
        only_during,
        never_during,
        only_when: fields.get("only_when").map(|node| only_when(node, sink)).unwrap_or_default(),
    }
}

fn schedule(node: Option<&Node>, timezone: Tz, sink: &mut Sink) -> Option<Schedule> {
    let Some(node) = node else { return Schedule::parse(SCHEDULE, timezone).ok() };
    let written = text(node, "a cron expression", sink)?;
    match Schedule::parse(written, timezone) {
        Ok(schedule) => Some(schedule),
        Err(reason) => {
            let help = "minute hour day-of-month month day-of-week: \"*/5 * * * *\"";
            let message = format!("`{}` is not a schedule: {reason}", excerpt(written));
            sink.error(Code::BadCron, &node.span, message).help(help);
            None
        }
    }
}

fn windows(node: &Node, sink: &mut Sink) -> Vec<Window> {
    let mut read = Vec::new();
    for item in one_or_many(node, "windows", sink) {
        let Some(written) = text(item, "a window", sink) else { continue };
        match Window::parse(written) {
            Ok(window) => read.push(window),
            Err(reason) => {
                let message = format!("`{}` is not a window: {reason}", excerpt(written));
                sink.error(Code::BadWindow, &item.span, message).help(WINDOW_HELP);
            }
        }
    }
    read
}

fn only_when(node: &Node, sink: &mut Sink) -> Vec<PopulationTest> {
    let Some(fields) = ONLY_WHEN.read(node, sink) else { return Vec::new() };
    let mut tests = Vec::new();
    for measure in PopulationMeasure::ALL {
        let Some(node) = fields.get(measure.name()) else { continue };
        let unit = if measure.is_percent() { Unit::Percent } else { Unit::Number(1) };
        if let Some(read) = comparisons(node, unit, sink) {
            tests.push(PopulationTest { measure, comparisons: read.all, shown: read.shown });
        }
    }
    tests
}

/// What is done, to how many, how carefully.
struct Manner {
    mode: Mode,
    hold: Span,
    min_session_age: Span,
    victims: Victims,
    action: Option<Action>,
    limits: Limits,
    breaker: Option<Breaker>,
    allow_protected: Vec<Liftable>,
}

fn manner(fields: &Fields<'_>, scope: &Scope<'_>, sink: &mut Sink) -> Manner {
    let modes = [("dry-run", Mode::DryRun), ("enforce", Mode::Enforce)];
    Manner {
        mode: fields
            .get("mode")
            .and_then(|node| word(node, &modes, "a mode", sink))
            .unwrap_or_default(),
        hold: fields.get("for").and_then(|node| span(node, sink)).unwrap_or_default(),
        min_session_age: fields
            .get("min_session_age")
            .and_then(|node| span(node, sink))
            .unwrap_or(MIN_SESSION_AGE),
        victims: fields
            .get("victims")
            .and_then(|node| victims(node, scope, sink))
            .unwrap_or_default(),
        action: fields.get("action").and_then(|node| action(node, sink)),
        limits: fields
            .get("limits")
            .and_then(|node| limits(node, Limits::default(), sink))
            .unwrap_or_default(),
        breaker: fields
            .get("breaker")
            .map_or_else(|| Some(Breaker::default()), |node| breaker(node, sink)),
        allow_protected: fields
            .get("allow_protected")
            .map(|node| allow_protected(node, sink))
            .unwrap_or_default(),
    }
}

fn allow_protected(node: &Node, sink: &mut Sink) -> Vec<Liftable> {
    let mut lifted = Vec::new();
    for item in one_or_many(node, "protections", sink) {
        let Some(written) = text(item, "a protection", sink) else { continue };
        let known = Liftable::ALL.into_iter().find(|known| known.name() == written);
        if known.is_none() {
            let help = did_you_mean_or_list(written, Liftable::ALL.map(Liftable::name));
            let message = format!("`{}` is no protection that a rule may lift", excerpt(written));
            sink.error(Code::UnknownProtection, &item.span, message).help_if(help);
        }
        lifted.extend(known);
    }
    lifted
}

fn check_negations(fields: &Fields<'_>, conjuncts: &[Conjunct], sink: &mut Sink) {
    if !conjuncts.is_empty() && conjuncts.iter().all(|conjunct| conjunct.negative) {
        let span = fields.span_of("match");
        sink.warning(Code::OnlyNegations, &span, "this match only says who is left out")
            .help("everybody else is matched; say who is meant, and put exceptions under `unless`");
    }
}

/// CANCEL SQL needs a running statement, and idle sessions run none.
fn check_cancel(fields: &Fields<'_>, action: &Action, conjuncts: &[Conjunct], sink: &mut Sink) {
    let is_idle = |conjunct: &&Conjunct| match &conjunct.condition {
        Condition::Leaf(leaf) => leaf.field == Field::IdleFor,
        _ => false,
    };
    let Some(idle) = conjuncts.iter().find(is_idle) else { return };
    if action.first() == Some(Verb::CancelSql) {
        let Some((key, value)) = fields.entry("action") else { return };
        sink.error(
            Code::Contradiction,
            &whole(key, value),
            "`cancel_sql` can do nothing to an idle session",
        )
        .related(&idle.span, "matches idle sessions")
        .help("kill or disconnect it");
    }
}
