//! Random policies, twice: as YAML for the production compiler, and as [`RuleSpec`]s that the checks judge by, with
//! code of their own.

use std::fmt::Write as _;
use std::sync::Arc;

use orawarden::config::diagnostic::SourceFile;
use orawarden::config::policies::compile;
use orawarden::engine::policy::{PolicySet, Verb};

use crate::rng::Rng;
use crate::truth::Truth;

/// What a rule asks of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Idle(i64),
    Active(i64),
    AnySession,
}

/// Who is spared although matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unless {
    Module(&'static str),
    Machine(&'static str),
}

/// A rule as it is meant.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a choice that a policy file has a key for"
)]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleSpec {
    pub(crate) name: String,
    pub(crate) enforce: bool,
    pub(crate) asks: Asks,
    pub(crate) users: Vec<&'static str>,
    pub(crate) unless: Option<Unless>,
    pub(crate) hold: i64,
    pub(crate) min_age: i64,
    pub(crate) by_user: bool,
    pub(crate) keep: usize,
    pub(crate) per_tick: Option<usize>,
    pub(crate) per_hour: Option<usize>,
    pub(crate) percent: Option<usize>,
    pub(crate) truncate: bool,
    pub(crate) max_undo: i64,
    pub(crate) ladder: Vec<(Verb, i64)>,
    pub(crate) breaker: bool,
}

/// What is in force: the specs, and the same compiled.
#[derive(Clone)]
pub(crate) struct Policies {
    pub(crate) specs: Arc<Vec<RuleSpec>>,
    pub(crate) protected_machine: Option<&'static str>,
    pub(crate) set: Arc<PolicySet>,
}

const USERS: [&str; 6] = ["SHOP", "CRM", "BATCH", "SYSTEM", "ORAWARDEN", "DBSNMP"];

impl RuleSpec {
    pub(crate) fn random(rng: &mut Rng, number: usize) -> Self {
        let asks = match rng.below(8) {
            0 => Asks::AnySession,
            1 | 2 => Asks::Active(rng.pick(&[0, 5, 20])),
            _ => Asks::Idle(rng.pick(&[0, 2, 10, 60, 300])),
        };
        let users = if asks == Asks::AnySession || rng.one_in(2) {
            Vec::new()
        } else {
            vec![rng.pick(&USERS), rng.pick(&USERS)]
        };
        let unless = match rng.below(4) {
            0 => Some(Unless::Module(rng.pick(&["login", "basket"]))),
            1 => Some(Unless::Machine(rng.pick(&["app1", "app2"]))),
            _ => None,
        };
        let mut limit = |of: &[usize]| (!rng.one_in(3)).then(|| rng.pick(of));
        let (per_tick, per_hour) = (limit(&[1, 2, 5, 10]), limit(&[3, 10, 40]));
        let percent = limit(&[3, 10, 50]);
        Self {
            name: format!("r{number}"),
            enforce: !rng.one_in(4),
            asks,
            users,
            unless,
            hold: rng.pick(&[0, 0, 0, 15, 60]),
            min_age: rng.pick(&[0, 0, 30, 60, 600]),
            by_user: rng.one_in(2),
            keep: rng.pick(&[0, 0, 0, 2, 6]),
            per_tick,
            per_hour,
            percent,
            truncate: !rng.one_in(4),
            max_undo: rng.pick(&[1_000_000, 1_000, 50]),
            ladder: ladder(rng, asks),
            breaker: rng.one_in(3),
        }
    }

    fn yaml(&self, text: &mut String) {
        let ask = match self.asks {
            Asks::AnySession => "any_session: true".to_owned(),
            Asks::Idle(seconds) => format!("idle_for: \">= {seconds}s\""),
            Asks::Active(seconds) => format!("active_for: \">= {seconds}s\""),
        };
        let mut line = |part: String| writeln!(text, "{part}").expect("a string takes it all");
        line(format!("  - name: {}", self.name));
        line(format!("    mode: {}", if self.enforce { "enforce" } else { "dry-run" }));
        line(format!("    match:\n      {ask}"));
        if !self.users.is_empty() {
            line(format!("      username: [{}]", self.users.join(", ")));
        }
        match self.unless {
            Some(Unless::Module(module)) => line(format!("    unless: {{module: {module}}}")),
            Some(Unless::Machine(machine)) => line(format!("    unless: {{machine: {machine}}}")),
            None => {}
        }
        line(format!("    for: {}s\n    min_session_age: {}s", self.hold, self.min_age));
        let group = if self.by_user { "group_by: [username], " } else { "" };
        if self.by_user || self.keep > 0 {
            line(format!("    victims: {{{group}keep: {}}}", self.keep));
        }
        let count =
            |limit: Option<usize>| limit.map_or("unlimited".to_owned(), |it| it.to_string());
        let percent = self.percent.map_or("unlimited".to_owned(), |it| format!("\"{it}%\""));
        line(format!(
            "    limits: {{per_tick: {}, per_hour: {}, percent: {percent}, max_undo_records: {}, on_exceed: {}}}",
            count(self.per_tick),
            count(self.per_hour),
            self.max_undo,
            if self.truncate { "truncate" } else { "halt" }
        ));
        if !self.breaker {
            line("    breaker: off".to_owned());
        }
        let rungs: Vec<String> = self.ladder.iter().map(|rung| rung_yaml(*rung)).collect();
        line(format!("    action: [{}]", rungs.join(", ")));
    }

    /// Whether the rule counts over instances, so that a missing one lets it stand still.
    pub(crate) const fn counts(&self) -> bool {
        self.keep > 0
    }

    /// Whether the session, as it was, is one that the rule may act on. Everything has to be known.
    pub(crate) fn names(&self, was: &Truth, protected_machine: Option<&str>) -> bool {
        let asked = match self.asks {
            Asks::AnySession => true,
            Asks::Idle(seconds) => {
                ["INACTIVE", "SNIPED"].contains(&was.status) && was.et >= seconds
            }
            Asks::Active(seconds) => was.status == "ACTIVE" && was.et >= seconds,
        };
        let by_name = self.users.is_empty() || self.users.contains(&&*was.username);
        let spared = match self.unless {
            None => false,
            Some(Unless::Machine(machine)) => is_or_may_be(Some(&was.machine), machine),
            Some(Unless::Module(module)) => {
                !was.module_shown || is_or_may_be(was.module.as_deref(), module)
            }
        };
        let protected = protected_machine.is_some_and(|machine| *was.machine == *machine);
        let old = self.min_age == 0 || was.age >= self.min_age;
        asked && by_name && !spared && !protected && old
    }
}

fn is_or_may_be(value: Option<&str>, text: &str) -> bool {
    value.is_none_or(|value| value.eq_ignore_ascii_case(text))
}

fn ladder(rng: &mut Rng, asks: Asks) -> Vec<(Verb, i64)> {
    let kill = rng.pick(&[
        Verb::KillImmediate,
        Verb::KillPlain,
        Verb::DisconnectImmediate,
        Verb::DisconnectPostTransaction,
    ]);
    match rng.below(4) {
        0 if !matches!(asks, Asks::Idle(_)) => {
            vec![(Verb::CancelSql, 0), (Verb::KillImmediate, rng.pick(&[5, 30]))]
        }
        1 => vec![(Verb::DisconnectPostTransaction, 0), (Verb::KillImmediate, 20)],
        _ => vec![(kill, 0)],
    }
}

fn rung_yaml((verb, after): (Verb, i64)) -> String {
    let (key, mode) = match verb {
        Verb::CancelSql => return "cancel_sql".to_owned(),
        Verb::KillPlain => ("kill", "plain"),
        Verb::DisconnectImmediate => ("disconnect", "immediate"),
        Verb::DisconnectPostTransaction => ("disconnect", "post_transaction"),
        _ => ("kill", "immediate"),
    };
    if after == 0 {
        return format!("{{{key}: {mode}}}");
    }
    format!("{{{key}: {{mode: {mode}, after: {after}s}}}}")
}

impl Policies {
    /// One to four rules, as production compiles them.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let count = 1 + usize::try_from(rng.below(4)).expect("a few");
        let specs: Vec<RuleSpec> = (0..count).map(|at| RuleSpec::random(rng, at)).collect();
        let protected_machine = rng.one_in(4).then_some("app3");
        let mut text = "version: 1\n".to_owned();
        if let Some(machine) = protected_machine {
            writeln!(text, "protect:\n  - name: p\n    match: {{machine: {machine}}}")
                .expect("a string");
        }
        text.push_str("rules:\n");
        for spec in &specs {
            spec.yaml(&mut text);
        }
        let set = compiled(&text).unwrap_or_else(|said| panic!("{said}\n{text}"));
        Self { specs: Arc::new(specs), protected_machine, set: Arc::new(set) }
    }
}

/// What the production compiler makes of it, or what it says.
pub(crate) fn compiled(text: &str) -> Result<PolicySet, String> {
    let file = SourceFile { name: "random.yaml".to_owned(), text: text.to_owned() };
    let (set, diagnostics) = compile(&[file]);
    set.ok_or_else(|| orawarden::config::render::text(&diagnostics, false))
}
