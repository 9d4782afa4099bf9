//! `doctor`: whether the configured databases can be worked with, and what is missing.

use chrono::Utc;
use serde_json::json;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::load_service;
use super::live::Live;
use super::{Format, Global, table};
use crate::engine::needs::Needs;
use crate::engine::text::{fold, printable};
use crate::oracle::doctor::{Duty, Examined, Finding, Grade, examine};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this database of the configuration
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
}

/// Examines every live database; one that cannot be reached keeps no other from being examined.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let service = load_service(&global.config, console)?;
    let chosen = |name: &str| args.database.as_ref().is_none_or(|it| fold(it) == fold(name));
    let (mut status, mut examined) = (ExitStatus::Fine, 0);
    for database in service.databases.iter().filter(|it| chosen(&it.name)) {
        let Some(live) = Live::of(database, &global.config) else { continue };
        examined += 1;
        let duty = Duty { via: live.way.via.clone(), leadership: live.way.leadership };
        match examine(live.settings.clone(), &duty, &Needs::always(), || Utc::now().into()) {
            Ok(Examined { findings, .. }) => {
                write(&database.name, &findings, format, console)?;
                let fails = findings.iter().any(|it| it.grade == Grade::Failure);
                if fails && status == ExitStatus::Fine {
                    status = ExitStatus::Found;
                }
            }
            Err(error) => {
                let error = live.failed(&error);
                console.error(&error);
                status = error.status();
            }
        }
    }
    if examined == 0 {
        return Err(CliError::Usage("no such live database in the configuration".to_owned()));
    }
    Ok(status)
}

fn write(
    database: &str,
    findings: &[Finding],
    format: Format,
    console: &mut Console,
) -> Result<(), CliError> {
    let out = console.out();
    if format == Format::Json {
        for Finding { grade, subject, found, advice } in findings {
            let grade = grade.word();
            let line = json!({
                "database": database, "grade": grade, "subject": subject, "found": found, "advice": advice,
            });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    writeln!(out, "{database}")?;
    let row = |it: &Finding| vec![it.grade.word().to_owned(), it.subject.clone(), it.found.clone()];
    let rows: Vec<Vec<String>> = findings.iter().map(row).collect();
    table::write(out, &["", "WHAT", "FOUND"], &rows)?;
    // Whole, and not in a table: it is there to be copied.
    for Finding { subject, advice, .. } in findings {
        if let Some(advice) = advice {
            writeln!(out, "-- {}\n{}", printable(subject), printable(advice))?;
        }
    }
    writeln!(out)?;
    Ok(())
}
