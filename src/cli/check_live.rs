//! `check --live`: what only a database can tell of policies and of a configuration.

use std::path::Path;

use chrono::Utc;
use serde_json::json;

use super::Format;
use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::load_policies;
use super::live::Live;
use crate::config::service::Service;
use crate::engine::decide::{Question, decide};
use crate::engine::evaluate::{Asleep, asleep};
use crate::engine::explain::unanswerable;
use crate::engine::facts::Facts;
use crate::engine::history::History;
use crate::engine::needs::Needs;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::{Action, PolicySet, Rule};
use crate::engine::session::Snapshot;
use crate::engine::standing::Standing;
use crate::engine::text::counted;
use crate::oracle::block::can;
use crate::oracle::doctor::{Duty, Examined, Grade, examine};
use crate::oracle::protocol::Release;

/// What was found at one database.
struct Found {
    is_error: bool,
    about: String,
    what: String,
}

/// Checks the policies of a configuration against each of its live databases.
pub(super) fn run(
    service: &Service,
    config: &Path,
    policies: &[std::path::PathBuf],
    format: Format,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let (Some(policies), _) = load_policies(policies) else { return Ok(ExitStatus::BadPolicy) };
    let mut status = ExitStatus::Fine;
    for database in &service.databases {
        let Some(live) = Live::of(database, config) else { continue };
        let found = match look(&live, &policies) {
            Ok(found) => found,
            Err(error) => {
                console.error(&error);
                status = error.status();
                continue;
            }
        };
        write(&database.name, &found, format, console)?;
        let worst = match found.iter().map(|it| it.is_error).max() {
            Some(true) => ExitStatus::BadPolicy,
            Some(false) => ExitStatus::Warnings,
            None => ExitStatus::Fine,
        };
        if matches!(status, ExitStatus::Fine | ExitStatus::Warnings) && worst != ExitStatus::Fine {
            status = worst;
        }
    }
    Ok(status)
}

fn look(live: &Live, policies: &PolicySet) -> Result<Vec<Found>, CliError> {
    let failed = |error| live.failed(&error);
    let duty = Duty { via: live.way.via.clone(), leadership: live.way.leadership };
    let all: Vec<usize> = (0..policies.rules.len()).collect();
    let needs = Needs::of(policies, &all);
    let examined = examine(live.settings.clone(), &duty, &needs, || Utc::now().into());
    let Examined { findings, seen, release } = examined.map_err(failed)?;
    let snapshot = seen.map_err(failed)?;
    let mut found: Vec<Found> = findings
        .into_iter()
        .filter(|it| it.grade != Grade::Fine)
        .map(|it| Found {
            is_error: it.grade == Grade::Failure,
            about: it.subject,
            what: it.advice.map_or(it.found.clone(), |advice| format!("{}; {advice}", it.found)),
        })
        .collect();
    let here = |rule: &&Rule| asleep(rule, &snapshot) != Some(Asleep::Database);
    for rule in policies.rules.iter().filter(here) {
        found.extend(rule_finds(rule, &snapshot, live, release));
    }
    let plan = decide(Question {
        policies,
        due: &all,
        snapshot: &snapshot,
        history: &History::default(),
        options: PlanOptions::default(),
        limits: crate::engine::policy::Limits::UNLIMITED,
        standing: &Standing::default(),
    });
    for warning in plan.warnings() {
        if !found.iter().any(|it| it.what == *warning) {
            found.push(Found {
                is_error: false,
                about: "sessions".to_owned(),
                what: warning.clone(),
            });
        }
    }
    Ok(found)
}

/// A rule that asks what this database cannot tell matches nobody; one that asks for a verb that cannot be sent there
/// ends nobody.
fn rule_finds(rule: &Rule, snapshot: &Snapshot, live: &Live, release: Release) -> Vec<Found> {
    let about = || format!("rule {}", rule.name);
    let untold =
        unanswerable(rule.leaves(), &Facts::new(snapshot)).into_iter().map(|field| Found {
            is_error: true,
            about: about(),
            what: format!("nothing here tells {}: its tests are unknown", field.name()),
        });
    let mut found: Vec<Found> = untold.collect();
    let Action::Ladder(rungs) = &rule.action else { return found };
    for rung in rungs.iter() {
        let sent = |remote| {
            let names_instance = live.way.disconnect_names_instance;
            can(&live.way.via, rung.verb, release, remote, names_instance)
        };
        if !sent(false) {
            let (major, minor) = (release.major, release.minor);
            let what =
                format!("{} cannot be sent this way to release {major}.{minor}", rung.verb.text());
            found.push(Found { is_error: true, about: about(), what });
        }
    }
    found
}

fn write(
    database: &str,
    found: &[Found],
    format: Format,
    console: &mut Console,
) -> Result<(), CliError> {
    let out = console.out();
    for Found { is_error, about, what } in found {
        let severity = if *is_error { "error" } else { "warning" };
        match format {
            Format::Json => writeln!(
                out,
                "{}",
                json!({"database": database, "severity": severity, "about": about, "message": what})
            )?,
            Format::Github => writeln!(out, "::{severity}::{database}: {about}: {what}")?,
            _ => writeln!(out, "{severity}: {database}: {about}: {what}")?,
        }
    }
    if format == Format::Text {
        let errors = found.iter().filter(|it| it.is_error).count();
        let (errors, all) = (counted(errors as u64, "error"), found.len() as u64);
        writeln!(out, "{database}: {} found, {errors}", counted(all, "thing"))?;
    }
    Ok(())
}
