//! `check`: everything that can be known of policies, policy tests and configurations without a database.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{load_policies, policy_paths, read_service};
use super::{Format, Global};
use crate::config::diagnostic::{Diagnostics, Severity};
use crate::config::{load, render, tests_file};
use crate::engine::protect::{MAINTAINED_ACCOUNTS, Protection};
use crate::engine::text::counted;

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
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json, Format::Github])?;
    if args.protections {
        return list_protections(format, console);
    }
    let mut paths: Vec<PathBuf> = args.paths.iter().chain(&args.policy).cloned().collect();
    if paths.is_empty() {
        paths.push(global.config.clone());
    }
    let checked = check(&paths);
    let diagnostics = &checked.diagnostics;
    match format {
        Format::Json => write!(console.out(), "{}", render::json_lines(diagnostics))?,
        Format::Github => write!(console.out(), "{}", render::github(diagnostics))?,
        _ => {
            let text = render::text(diagnostics, console.color);
            console.note_raw(&text);
            let (errors, warnings) = counts(diagnostics);
            let files = checked.files;
            writeln!(
                console.out(),
                "{}, {}: {}, {}",
                counted(files as u64, "file"),
                counted(checked.rules as u64, "rule"),
                counted(errors as u64, "error"),
                counted(warnings as u64, "warning")
            )?;
        }
    }
    Ok(match counts(diagnostics) {
        (0, 0) => ExitStatus::Fine,
        (0, _) if args.deny_warnings => ExitStatus::Warnings,
        (0, _) => ExitStatus::Fine,
        _ => ExitStatus::BadPolicy,
    })
}

/// What was looked at, and what was found.
#[derive(Default)]
struct Checked {
    diagnostics: Diagnostics,
    files: usize,
    rules: usize,
}

/// Files of every kind. Policies are compiled together, because names are unique over all of them.
fn check(paths: &[PathBuf]) -> Checked {
    let mut checked = Checked::default();
    let mut policies = Vec::new();
    for path in paths {
        match kind_of(path) {
            Kind::Policies => policies.push(path.clone()),
            Kind::Tests => checked.tests(path),
            Kind::Service => checked.service(path),
        }
    }
    checked.policies(&policies);
    checked
}

enum Kind {
    Policies,
    Tests,
    Service,
}

/// What a file is, by its top-level keys. What cannot be read is left to the loader to complain about.
fn kind_of(path: &Path) -> Kind {
    let (file, _) = if path.is_file() { load::file(path) } else { return Kind::Policies };
    let has = |key: &str| {
        let lines = file.as_ref().map(|file| file.text.lines());
        lines.is_some_and(|mut lines| lines.any(|line| line.starts_with(key)))
    };
    match (has("tests:"), has("databases:")) {
        (true, _) => Kind::Tests,
        (false, true) => Kind::Service,
        (false, false) => Kind::Policies,
    }
}

impl Checked {
    fn policies(&mut self, paths: &[PathBuf]) {
        if paths.is_empty() {
            return;
        }
        let (policies, diagnostics) = load_policies(paths);
        self.files += diagnostics.sources().len();
        self.rules += policies.map_or(0, |policies| policies.rules.len());
        self.diagnostics.append(diagnostics);
    }

    fn tests(&mut self, path: &Path) {
        let (file, mut diagnostics) = load::file(path);
        if let Some(file) = file {
            diagnostics.append(tests_file::decode(&file).1);
        }
        self.files += 1;
        self.diagnostics.append(diagnostics);
    }

    /// The configuration, and the policies that it names.
    fn service(&mut self, path: &Path) {
        let (service, diagnostics) = read_service(path);
        self.files += 1;
        self.diagnostics.append(diagnostics);
        let Some(service) = service else { return };
        self.policies(&policy_paths(&service, path));
    }
}

fn counts(diagnostics: &Diagnostics) -> (usize, usize) {
    (diagnostics.count(Severity::Error), diagnostics.count(Severity::Warning))
}

fn list_protections(format: Format, console: &mut Console) -> Result<ExitStatus, CliError> {
    let liftable =
        crate::engine::policy::Liftable::ALL.map(crate::engine::policy::Liftable::protection);
    let out = console.out();
    if format.among(&[Format::Text, Format::Json])? == Format::Json {
        for protection in Protection::ALL {
            let (name, detail) = (protection.name(), protection.detail());
            let liftable = liftable.contains(&protection);
            let line = json!({"protection": name, "detail": detail, "liftable": liftable});
            writeln!(out, "{line}")?;
        }
        return Ok(ExitStatus::Fine);
    }
    for protection in Protection::ALL {
        let lifted =
            if liftable.contains(&protection) { " (allow_protected lifts it)" } else { "" };
        writeln!(out, "{:<18} {}{lifted}", protection.name(), protection.detail())?;
    }
    writeln!(
        out,
        "\noracle-maintained accounts, besides those that the database says it maintains:"
    )?;
    for line in MAINTAINED_ACCOUNTS.chunks(8) {
        writeln!(out, "  {}", line.join(" "))?;
    }
    Ok(ExitStatus::Fine)
}
