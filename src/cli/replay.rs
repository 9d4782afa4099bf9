//! `replay`: what the daemon would have done over the snapshots of captures, by its schedules, as if everybody whom it
//! chose had gone. It never ends anyone.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use serde_json::json;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{CaptureArgs, PolicyArgs, Source};
use super::plan::write_decided;
use super::{Format, Global, table};
use crate::engine::decide::{Question, decide};
use crate::engine::guard::{ApprovedPlan, End};
use crate::engine::history::History;
use crate::engine::needs::Needs;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::{PolicySet, Verb};
use crate::engine::session::{SessionLife, Snapshot};
use crate::engine::standing::Standing;
use crate::engine::text::counted;
use crate::engine::time::Timestamp;
use crate::observe::plan_json::plan_json;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    policies: PolicyArgs,
    #[command(flatten)]
    captures: CaptureArgs,
    /// Every rule is due at every snapshot, whatever its schedule
    #[arg(long)]
    every_snapshot: bool,
}

/// What one rule did over all snapshots.
#[derive(Debug, Default)]
struct Tally {
    ticks: u64,
    ended: u64,
    halted: u64,
    spared: BTreeMap<String, u64>,
    /// How often `for` began anew because nothing was recorded for so long.
    begun_anew: u64,
}

/// A rule that is due at a snapshot.
#[derive(Debug, Clone, Copy)]
struct Due {
    rule: usize,
    /// It had been due before, since the last snapshot.
    missed: bool,
}

/// Replays each database's snapshots in the order of their times.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let policies = args.policies.load(global, console)?;
    if args.captures.capture.is_empty() {
        let why = "name what is replayed with --capture; `orawarden record` writes one";
        return Err(CliError::Usage(why.to_owned()));
    }
    let all: Vec<usize> = (0..policies.rules.len()).collect();
    let sources = args.captures.read(&Needs::of(&policies, &all), global, console)?;
    let mut said = BTreeSet::new();
    for source in &sources.databases {
        let tallies = replay(args, &policies, source, |plan| {
            if format == Format::Json {
                return Ok(writeln!(console.out(), "{}", plan_json(plan))?);
            }
            // Captures lack the same columns from the first snapshot to the last.
            for warning in plan.warnings().iter().filter(|it| said.insert((*it).clone())) {
                console.note(&format!("warning: {warning}"));
            }
            // What happened at a tick; who stayed each time would bury it.
            if plan.ends().is_empty() && plan.halted().is_empty() && global.verbose == 0 {
                return Ok(());
            }
            write_decided(console, plan, global.verbose)
        })?;
        warn_of_gaps(&policies, &tallies, console);
        summary(&policies, source, &tallies, format, console)?;
    }
    Ok(sources.status)
}

fn replay(
    args: &Args,
    policies: &PolicySet,
    source: &Source,
    mut say: impl FnMut(&ApprovedPlan) -> Result<(), CliError>,
) -> Result<Vec<Tally>, CliError> {
    let mut tallies: Vec<Tally> = policies.rules.iter().map(|_| Tally::default()).collect();
    let mut history = History::default();
    let mut gone: FxHashSet<SessionLife> = FxHashSet::default();
    let mut before = None;
    for snapshot in &source.snapshots {
        let now = snapshot.known_time();
        let due = due(policies, before, now, args.every_snapshot);
        before = now.or(before);
        if due.is_empty() {
            continue;
        }
        let snapshot = without(snapshot, &gone);
        for Due { rule, missed } in &due {
            let anew = history.break_timers(&policies.rules[*rule], *missed, &snapshot);
            tallies[*rule].begun_anew += u64::from(anew);
        }
        let due: Vec<usize> = due.into_iter().map(|it| it.rule).collect();
        let plan = decide(Question {
            policies,
            due: &due,
            snapshot: &snapshot,
            history: &history,
            options: PlanOptions::default(),
            limits: source.limits,
            standing: &Standing::default(),
        });
        history.record(&snapshot, &plan);
        for at in due {
            count(&mut tallies[at], &plan, &policies.rules[at].name);
        }
        // A statement that is cancelled leaves its session as it was recorded.
        let goes = |end: &&End| end.verb().is_some_and(|verb| verb != Verb::CancelSql);
        gone.extend(plan.ends().iter().filter(goes).map(|end| end.life));
        say(&plan)?;
    }
    Ok(tallies)
}

/// The rules that came due since the snapshot before. At the first one, and where nothing says when it was taken, all.
fn due(
    policies: &PolicySet,
    before: Option<Timestamp>,
    now: Option<Timestamp>,
    all: bool,
) -> Vec<Due> {
    let due = |rule: usize| match (before, now) {
        (Some(before), Some(now)) if !all => {
            let schedule = &policies.rules[rule].schedule;
            let next = |after| schedule.next_after(after).filter(|next| *next <= now);
            next(before).map(|first| Due { rule, missed: next(first).is_some() })
        }
        _ => Some(Due { rule, missed: false }),
    };
    (0..policies.rules.len()).filter_map(due).collect()
}

fn without(snapshot: &Snapshot, gone: &FxHashSet<SessionLife>) -> Snapshot {
    let stays = |row: &usize| !gone.contains(&snapshot.sessions.get(*row).life());
    let rows: Vec<usize> = (0..snapshot.sessions.len()).filter(stays).collect();
    if rows.len() == snapshot.sessions.len() {
        return snapshot.clone();
    }
    Snapshot { sessions: snapshot.sessions.only(&rows), ..snapshot.clone() }
}

/// Where a capture is too sparse for a rule, that nobody is named says little.
fn warn_of_gaps(policies: &PolicySet, tallies: &[Tally], console: &mut Console) {
    for (rule, tally) in policies.rules.iter().zip(tallies).filter(|(_, it)| it.begun_anew > 0) {
        console.note(&format!(
            "warning: rule {}: `for` ({}) began anew {}: nothing was recorded for so long though the rule was due; \
             --every-snapshot takes what matched before and after such a gap for a match that held",
            rule.name,
            rule.hold,
            counted(tally.begun_anew, "time")
        ));
    }
}

fn count(tally: &mut Tally, plan: &ApprovedPlan, rule: &str) {
    tally.ticks += 1;
    tally.ended += plan.ends().iter().filter(|end| &*end.rule == rule).count() as u64;
    tally.halted += u64::from(plan.halted().iter().any(|halted| &*halted.rule == rule));
    for spared in plan.spared().iter().filter(|spared| &*spared.rule == rule) {
        *tally.spared.entry(spared.reason.because()).or_default() += 1;
    }
}

fn summary(
    policies: &PolicySet,
    source: &Source,
    tallies: &[Tally],
    format: Format,
    console: &mut Console,
) -> Result<(), CliError> {
    let database = source.snapshots.first().map_or("", |snapshot| &snapshot.database);
    let rules = || policies.rules.iter().zip(tallies);
    let out = console.out();
    if format == Format::Json {
        for (rule, Tally { ticks, ended, halted, spared, begun_anew: _ }) in rules() {
            let line = json!({
                "kind": "replayed", "database": database, "rule": rule.name, "ticks": ticks, "end": ended,
                "halted": halted, "spared": spared,
            });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    writeln!(out, "{database}: {}", counted(source.snapshots.len() as u64, "snapshot"))?;
    let rows: Vec<Vec<String>> = rules()
        .map(|(rule, tally)| {
            let spared = tally.spared.iter().map(|(why, count)| format!("{count} {why}"));
            vec![
                rule.name.clone(),
                tally.ticks.to_string(),
                tally.ended.to_string(),
                tally.halted.to_string(),
                spared.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    table::write(out, &["RULE", "TICKS", "TO END", "HALTED", "SPARED (each time)"], &rows)?;
    writeln!(out)?;
    Ok(())
}
