//! `explain`: every rule against one session, as a tree of tests with what was observed.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{CaptureArgs, PolicyArgs};
use super::table::time_or_unknown;
use super::{Format, Global};
use crate::engine::condition::{Condition, Truth};
use crate::engine::decide::{Question, decide};
use crate::engine::evaluate::is_valid;
use crate::engine::explain::{Judgement, judge};
use crate::engine::facts::Facts;
use crate::engine::guard::ApprovedPlan;
use crate::engine::history::History;
use crate::engine::needs::Needs;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::{Exemption, PolicySet, Rule};
use crate::engine::session::{SessionKey, Snapshot, TextColumn};
use crate::engine::text::printable;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The session: SID,SERIAL[,@INST]
    #[arg(value_name = "SID,SERIAL[,@INST]")]
    session: String,
    #[command(flatten)]
    policies: PolicyArgs,
    #[command(flatten)]
    captures: CaptureArgs,
}

/// Explains the session as the last snapshot shows it; earlier ones carry `for` and counts.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let wanted = parse_session(&args.session)?;
    let policies = args.policies.load(global, console)?;
    let due: Vec<usize> = (0..policies.rules.len()).collect();
    let sources = args.captures.read(&Needs::of(&policies, &due), global, console)?;
    let mut found = false;
    for source in &sources.databases {
        let mut history = History::default();
        for (at, snapshot) in source.snapshots.iter().enumerate() {
            let plan = decide(Question {
                policies: &policies,
                due: &due,
                snapshot,
                history: &history,
                options: PlanOptions::default(),
                limits: source.limits,
                standing: &source.standing,
            });
            history.record(snapshot, &plan);
            let is_last = at + 1 == source.snapshots.len();
            for row in rows_of(snapshot, wanted).filter(|_| is_last) {
                found = true;
                let explanation = Explanation { policies: &policies, snapshot, plan: &plan, row };
                match format {
                    Format::Json => writeln!(console.out(), "{}", explanation.json())?,
                    _ => write!(console.out(), "{}", printable(&explanation.text()))?,
                }
            }
        }
    }
    if found {
        Ok(sources.status)
    } else {
        Err(CliError::Usage(format!("no session {} in what was read", args.session)))
    }
}

/// SID, SERIAL# and, if given, INST_ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) sid: u32,
    pub(super) serial: u32,
    pub(super) inst_id: Option<u32>,
}

pub(super) fn parse_session(text: &str) -> Result<Wanted, CliError> {
    let wrong = || CliError::Usage(format!("{text}: a session is SID,SERIAL or SID,SERIAL,@INST"));
    let number = |part: &str| part.trim().parse::<u32>().map_err(|_| wrong());
    let parts: Vec<&str> = text.split(',').collect();
    match parts.as_slice() {
        [sid, serial] => Ok(Wanted { sid: number(sid)?, serial: number(serial)?, inst_id: None }),
        [sid, serial, instance] => {
            let instance = instance.trim().strip_prefix('@').ok_or_else(wrong)?;
            Ok(Wanted {
                sid: number(sid)?,
                serial: number(serial)?,
                inst_id: Some(number(instance)?),
            })
        }
        _ => Err(wrong()),
    }
}

pub(super) fn rows_of(snapshot: &Snapshot, wanted: Wanted) -> impl Iterator<Item = usize> {
    let is = move |key: &SessionKey| {
        (key.sid, key.serial) == (wanted.sid, wanted.serial)
            && wanted.inst_id.is_none_or(|inst_id| key.inst_id == inst_id)
    };
    let keys = snapshot.sessions.keys().iter().enumerate();
    keys.filter(move |(_, key)| is(key)).map(|(row, _)| row)
}

struct Explanation<'a> {
    policies: &'a PolicySet,
    snapshot: &'a Snapshot,
    plan: &'a ApprovedPlan,
    row: usize,
}

impl Explanation<'_> {
    fn key(&self) -> SessionKey {
        self.snapshot.sessions.get(self.row).key()
    }

    /// What the plan says of this session under `rule`: the verdict, and its detail.
    fn verdict(&self, rule: &Rule) -> (String, String) {
        let is = |name: &str, key: SessionKey| name == rule.name && key == self.key();
        let ended = self.plan.ends().iter().find(|it| is(&it.rule, it.life.key));
        if let Some(end) = ended {
            return (format!("end: {}", end.action.rungs().join(", ")), rule.mode.to_string());
        }
        let spared = self.plan.spared().iter().find(|it| is(&it.rule, it.life.key));
        if let Some(spared) = spared {
            return (format!("spared: {}", spared.reason.because()), spared.detail.to_string());
        }
        let halted = self.plan.halted().iter().find(|it| *it.rule == *rule.name);
        match halted {
            Some(halted) => {
                (format!("halted: {}", halted.reason.because()), halted.detail.to_string())
            }
            None => ("not matched".to_owned(), String::new()),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing to memory");
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let session = self.snapshot.sessions.get(self.row);
        let text = |column| session.text(column).unwrap_or("-");
        writeln!(
            out,
            "session {} of {} at {}: {} {} {} {}",
            session.key(),
            self.snapshot.database,
            time_or_unknown(self.snapshot.known_time()),
            text(TextColumn::Username),
            text(TextColumn::Status),
            text(TextColumn::Program),
            text(TextColumn::Machine)
        )?;
        let facts = Facts::new(self.snapshot);
        for rule in &self.policies.rules {
            let (verdict, detail) = self.verdict(rule);
            let detail = if detail.is_empty() { detail } else { format!(" ({detail})") };
            writeln!(out, "\nrule {}: {verdict}{detail}", rule.name)?;
            writeln!(out, "  match")?;
            write_tree(out, &judge(&rule.condition, &facts, self.row), 4)?;
            for exemption in &rule.unless {
                writeln!(out, "  unless{}{}", name_of(exemption), self.expired(exemption))?;
                write_tree(out, &judge(&exemption.condition, &facts, self.row), 4)?;
            }
        }
        for protection in &self.policies.protections {
            writeln!(out, "\nprotect{}{}", name_of(protection), self.expired(protection))?;
            write_tree(out, &judge(&protection.condition, &facts, self.row), 4)?;
        }
        writeln!(out)
    }

    fn expired(&self, exemption: &Exemption) -> &'static str {
        if is_valid(exemption, self.snapshot) { "" } else { " (expired: not used)" }
    }

    fn json(&self) -> Value {
        let facts = Facts::new(self.snapshot);
        let tree = |condition: &Condition| tree_json(&judge(condition, &facts, self.row));
        let exemption = |it: &Exemption| {
            let expired = !is_valid(it, self.snapshot);
            json!({"name": it.name, "expired": expired, "match": tree(&it.condition)})
        };
        let rule = |rule: &Rule| {
            let (verdict, detail) = self.verdict(rule);
            json!({
                "rule": rule.name,
                "verdict": verdict,
                "detail": detail,
                "match": tree(&rule.condition),
                "unless": rule.unless.iter().map(exemption).collect::<Vec<_>>(),
            })
        };
        let key = self.key();
        json!({
            "database": self.snapshot.database,
            "taken_at": self.snapshot.known_time().map(|at| at.to_string()),
            "inst_id": key.inst_id,
            "sid": key.sid,
            "serial": key.serial,
            "rules": self.policies.rules.iter().map(rule).collect::<Vec<_>>(),
            "protect": self.policies.protections.iter().map(exemption).collect::<Vec<_>>(),
        })
    }
}

fn name_of(exemption: &Exemption) -> String {
    exemption.name.as_ref().map_or_else(String::new, |name| format!(" {name}"))
}

const fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::Unknown => "unknown",
        Truth::False => "false",
    }
}

fn write_tree(out: &mut String, judgement: &Judgement<'_>, indent: usize) -> fmt::Result {
    let verdict = word(judgement.truth);
    let pad = " ".repeat(indent);
    match (judgement.condition, &judgement.observed) {
        (Condition::Leaf(leaf), Some(observed)) => {
            let test = format!("{} {}", leaf.field.name(), leaf.shown);
            writeln!(out, "{pad}{verdict:<8} {test:<40} observed: {observed}")?;
        }
        (condition, _) => writeln!(out, "{pad}{verdict:<8} {}", kind(condition))?,
    }
    judgement.parts.iter().try_for_each(|part| write_tree(out, part, indent + 2))
}

const fn kind(condition: &Condition) -> &'static str {
    match condition {
        Condition::AnySession => "any_session",
        Condition::All(_) => "all of",
        Condition::Any(_) => "any of",
        Condition::Not(_) => "not",
        Condition::Leaf(_) => "test",
    }
}

fn tree_json(judgement: &Judgement<'_>) -> Value {
    match judgement.condition {
        Condition::Leaf(leaf) => json!({
            "field": leaf.field.name(),
            "test": leaf.shown,
            "observed": judgement.observed,
            "truth": word(judgement.truth),
        }),
        condition => json!({
            "kind": kind(condition),
            "truth": word(judgement.truth),
            "parts": judgement.parts.iter().map(tree_json).collect::<Vec<_>>(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_named_as_oracle_names_them() {
        let wanted = |inst_id| Wanted { sid: 12, serial: 3, inst_id };
        assert_eq!(parse_session("12,3").ok(), Some(wanted(None)));
        assert_eq!(parse_session("12, 3, @2").ok(), Some(wanted(Some(2))));
        for wrong in ["", "12", "12,3,2", "a,b", "12,3,@", "12,3,@1,4", "-1,3"] {
            assert!(parse_session(wrong).is_err(), "{wrong}");
        }
    }
}
