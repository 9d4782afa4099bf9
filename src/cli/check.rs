//! `check`: everything that can be known of policies, policy tests and configurations without a database.

use std::io::Write as _;
use std::path::PathBuf;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::{Format, Global};
use crate::config::diagnostic::{Diagnostics, Severity};
use crate::config::{load, render};
use crate::engine::protect::{MAINTAINED_ACCOUNTS, Protection};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policy files, policy tests, configurations, or directories; the configuration if none is named
    paths: Vec<PathBuf>,
    /// Policy files or directories, as other verbs take them
    #[arg(long = "policy", value_name = "PATH")]
    policy: Vec<PathBuf>,
    /// Exit with 3 when there are warnings
    #[arg(long)]
    deny_warnings: bool,
    /// List the built-in protections and leave
    #[arg(long)]
    protections: bool,
}

/// Checks every file and prints what it finds; the result on standard output is one line a file or finding.
pub(super) fn run(args: &Args, global: &Global, console: &mut Console) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json, Format::Github])?;
    if args.protections {
        return list_protections(console);
    }
    let mut paths: Vec<PathBuf> = args.paths.iter().chain(&args.policy).cloned().collect();
    if paths.is_empty() {
        paths.push(global.config.clone());
    }
    let checked = load::check(&paths);
    let diagnostics = &checked.diagnostics;
    match format {
        Format::Json => write!(console.out(), "{}", render::json_lines(diagnostics))?,
        Format::Github => write!(console.out(), "{}", render::github(diagnostics))?,
        _ => {
            let text = render::text(diagnostics, console.color);
            console.note_raw(&text);
            let (errors, warnings) = counts(diagnostics);
            let files = checked.files;
            writeln!(console.out(), "{files} files, {} rules: {errors} errors, {warnings} warnings", checked.rules)?;
        }
    }
    Ok(match counts(diagnostics) {
        (0, 0) => ExitStatus::Fine,
        (0, _) if args.deny_warnings => ExitStatus::Warnings,
        (0, _) => ExitStatus::Fine,
        _ => ExitStatus::BadPolicy,
    })
}

fn counts(diagnostics: &Diagnostics) -> (usize, usize) {
    (diagnostics.count(Severity::Error), diagnostics.count(Severity::Warning))
}

fn list_protections(console: &mut Console) -> Result<ExitStatus, CliError> {
    let liftable = crate::engine::policy::Liftable::ALL.map(crate::engine::policy::Liftable::protection);
    let out = console.out();
    for protection in Protection::ALL {
        let lifted = if liftable.contains(&protection) { " (allow_protected lifts it)" } else { "" };
        writeln!(out, "{:<18} {}{lifted}", protection.name(), protection.detail())?;
    }
    writeln!(out, "\noracle-maintained accounts, besides those that the database says it maintains:")?;
    for line in MAINTAINED_ACCOUNTS.chunks(8) {
        writeln!(out, "  {}", line.join(" "))?;
    }
    Ok(ExitStatus::Fine)
}
