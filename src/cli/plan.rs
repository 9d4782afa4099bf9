//! `plan`: who would be ended, by which rule and why; who is spared, and why. It never ends anyone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{CaptureArgs, PolicyArgs};
use super::{Format, Global, table};
use crate::engine::decide::{Question, decide};
use crate::engine::explain::Reason;
use crate::engine::guard::{ApprovedPlan, Spared};
use crate::engine::history::History;
use crate::engine::needs::Needs;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::Action;
use crate::engine::spare::SpareReason;
use crate::engine::text::counted;
use crate::observe::plan_json::plan_json;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    policies: PolicyArgs,
    #[command(flatten)]
    captures: CaptureArgs,
    /// Plan as if every `for` had run out
    #[arg(long)]
    assume_held: bool,
    /// Exit with 1 when someone would be ended, or is reported
    #[arg(long)]
    exit_code: bool,
}

/// Plans over every snapshot, carrying `for` and counts from one to the next.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let policies = args.policies.load(global, console)?;
    let due: Vec<usize> = (0..policies.rules.len()).collect();
    let sources = args.captures.read(&Needs::of(&policies, &due), global, console)?;
    let mut found = false;
    for source in &sources.databases {
        let mut history = History::default();
        for snapshot in &source.snapshots {
            let plan = decide(Question {
                policies: &policies,
                due: &due,
                snapshot,
                history: &history,
                options: PlanOptions { assume_held: args.assume_held },
                limits: source.limits,
                standing: &source.standing,
            });
            history.record(snapshot, &plan);
            found |= !plan.ends().is_empty();
            match format {
                Format::Json => writeln!(console.out(), "{}", plan_json(&plan))?,
                _ => write_for_people(console, &plan, global.verbose)?,
            }
        }
    }
    Ok(match (sources.status, found && args.exit_code) {
        (ExitStatus::Fine, true) => ExitStatus::Found,
        (status, _) => status,
    })
}

pub(super) fn write_for_people(
    console: &mut Console,
    plan: &ApprovedPlan,
    verbose: u8,
) -> Result<(), CliError> {
    for warning in plan.warnings() {
        console.note(&format!("warning: {warning}"));
    }
    write_decided(console, plan, verbose)
}

/// The same without the warnings.
pub(super) fn write_decided(
    console: &mut Console,
    plan: &ApprovedPlan,
    verbose: u8,
) -> Result<(), CliError> {
    let out = console.out();
    let reports = plan.ends().iter().filter(|end| end.action == Action::Report).count();
    let reports = if reports > 0 { format!("{reports} to report, ") } else { String::new() };
    writeln!(
        out,
        "{} at {}: {}, {} to end, {reports}{} spared, {} halted",
        plan.database(),
        table::time_or_unknown(plan.taken_at()),
        counted(plan.sessions() as u64, "session"),
        plan.ends().iter().filter(|end| end.action != Action::Report).count(),
        plan.spared().len(),
        counted(plan.halted().len() as u64, "rule")
    )?;
    if !plan.ends().is_empty() {
        let rows: Vec<Vec<String>> = plan.ends().iter().map(end_row).collect();
        writeln!(out)?;
        table::write(out, &["SESSION", "USERNAME", "RULE", "MODE", "ACTION", "BECAUSE"], &rows)?;
    }
    if !plan.halted().is_empty() {
        let rows: Vec<Vec<String>> = plan
            .halted()
            .iter()
            .map(|it| {
                vec![it.rule.to_string(), it.reason.because().to_owned(), it.detail.to_string()]
            })
            .collect();
        writeln!(out)?;
        table::write(out, &["HALTED RULE", "BECAUSE", "DETAIL"], &rows)?;
    }
    write_spared(out, plan, verbose)?;
    writeln!(out)?;
    Ok(())
}

fn end_row(end: &crate::engine::guard::End) -> Vec<String> {
    vec![
        end.life.key.to_string(),
        end.username.clone().unwrap_or_default(),
        end.rule.to_string(),
        end.mode.to_string(),
        end.action.rungs().join(", "),
        end.reasons.iter().map(show_reason).collect::<Vec<_>>().join("; "),
    ]
}

fn show_reason(reason: &Reason) -> String {
    format!("{} {} ({})", reason.field, reason.test, reason.observed)
}

/// Rows of spared sessions beyond this many are counted only; `-v` lists all.
const SPARED_SHOWN_MAX: usize = 50;

/// Beyond so many sessions that one rule matches and one protection spares, they share a row: the background processes
/// of an instance are a hundred and more, and would hide everybody else.
const ALIKE_SHOWN_MAX: usize = 5;

fn write_spared(out: &mut dyn Write, plan: &ApprovedPlan, verbose: u8) -> Result<(), CliError> {
    let mut rows = told(plan.spared(), verbose);
    if verbose == 0 {
        rows.truncate(SPARED_SHOWN_MAX);
    }
    let in_all = plan.spared().len();
    let named: usize = rows.iter().map(|(_, sessions)| sessions).sum();
    let merged = named > rows.len();
    if !rows.is_empty() {
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(row, _)| row.into()).collect();
        writeln!(out)?;
        table::write(out, &["SPARED", "RULE", "BECAUSE", "DETAIL"], &rows)?;
    }
    if named < in_all {
        writeln!(out, "… and {} more (-v lists all)", in_all - named)?;
    } else if merged {
        writeln!(out, "(-v lists all)")?;
    }
    Ok(())
}

/// A row each, with how many sessions it tells of: where many are spared alike, one does, at the place of the first.
fn told(spared: &[Spared], verbose: u8) -> Vec<([String; 4], usize)> {
    let why = |it: &Spared| [it.rule.to_string(), it.reason.because(), it.detail.to_string()];
    let mut alike: BTreeMap<[String; 3], usize> = BTreeMap::new();
    for it in spared.iter().filter(|it| matches!(it.reason, SpareReason::Protected(_))) {
        *alike.entry(why(it)).or_default() += 1;
    }
    alike.retain(|_, sessions| verbose == 0 && *sessions > ALIKE_SHOWN_MAX);
    let mut merged = BTreeSet::new();
    let mut rows = Vec::new();
    for it in spared {
        let why = why(it);
        let (who, sessions) = match alike.get(&why) {
            Some(_) if !merged.insert(why.clone()) => continue,
            Some(&sessions) => (counted(sessions as u64, "session"), sessions),
            None => (it.life.key.to_string(), 1),
        };
        let [rule, because, detail] = why;
        rows.push(([who, rule, because, detail], sessions));
    }
    rows
}
