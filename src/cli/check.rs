//! `check`: everything that can be known of policies, policy tests and configurations without a database.

use std::path::{Path, PathBuf};

use saphyr_parser::{Event, Parser};
use serde_json::json;

use super::check_live;
use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::hooks::misnamed;
use super::inputs::{load_service, policy_paths};
use super::{Format, Global};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics, Severity, SourceFile};
use crate::config::{load, policies, render, service, tests_file};
use crate::engine::policy::PolicySet;
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
    /// Look at the configuration's live databases, too: columns, grants, role, verbs, native limits
    #[arg(long, conflicts_with = "protections")]
    live: bool,
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
    let status = match counts(diagnostics) {
        (0, 0) => ExitStatus::Fine,
        (0, _) => ExitStatus::Warnings,
        _ => ExitStatus::BadPolicy,
    };
    let status = match status {
        ExitStatus::BadPolicy => status,
        _ if args.live => worse(status, live(args, global, format, console)?),
        _ => status,
    };
    Ok(if status == ExitStatus::Warnings && !args.deny_warnings {
        ExitStatus::Fine
    } else {
        status
    })
}

/// Policies of `--policy` instead of the configuration's are checked against its databases.
fn live(
    args: &Args,
    global: &Global,
    format: Format,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let service = load_service(&global.config, console)?;
    let policies = if args.policy.is_empty() {
        policy_paths(&service, &global.config)
    } else {
        args.policy.clone()
    };
    check_live::run(&service, &global.config, &policies, format, console)
}

fn worse(first: ExitStatus, second: ExitStatus) -> ExitStatus {
    if second == ExitStatus::Fine { first } else { second }
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
    let (mut policies, mut piped) = (Vec::new(), Vec::new());
    for path in paths {
        // Directories and patterns, and what is not there, are the policy loader's.
        if path.is_dir() || !path.exists() {
            policies.push(path.clone());
            continue;
        }
        // Once only: a pipe gives what it has to the first who reads.
        let (file, diagnostics) = load::file(path);
        let Some(file) = file else {
            checked.files += 1;
            checked.diagnostics.append(diagnostics);
            continue;
        };
        match kind_of(&file.text) {
            Kind::Policies if path.is_file() => policies.push(path.clone()),
            Kind::Policies => piped.push(file),
            Kind::Tests => checked.tests(&file),
            Kind::Service => checked.service(path, &file),
        }
    }
    checked.policies(&policies, piped);
    checked
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Policies,
    Tests,
    Service,
}

/// What a file is, by its top-level keys. What has none of them is left to the policy loader to complain about.
fn kind_of(text: &str) -> Kind {
    let keys = top_level_keys(text);
    let has_one = |wanted: &[&str]| keys.iter().any(|key| wanted.contains(&key.as_str()));
    if has_one(&["tests"]) {
        Kind::Tests
    } else if has_one(&["rules"]) || !has_one(&["databases", "policies", "audit", "http", "log"]) {
        Kind::Policies
    } else {
        Kind::Service
    }
}

/// The keys of the map that the file is, however they are written, up to the first mistake in the YAML.
fn top_level_keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let (mut depth, mut is_key) = (0_usize, true);
    for (event, _) in Parser::new_from_str(text).map_while(Result::ok) {
        match event {
            Event::SequenceStart(..) if depth == 0 => break,
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                depth += 1;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::Scalar(key, ..) if depth == 1 && is_key => keys.push(key.into_owned()),
            Event::Scalar(..) | Event::Alias(_) => {}
            _ => continue,
        }
        // Something has ended: in the outer map, keys and values take turns.
        if depth == 1 {
            is_key = !is_key;
        }
    }
    keys
}

impl Checked {
    fn policies(&mut self, paths: &[PathBuf], piped: Vec<SourceFile>) -> Option<PolicySet> {
        if paths.is_empty() && piped.is_empty() {
            return None;
        }
        let (mut files, mut diagnostics) = load::policy_files(paths);
        files.extend(piped);
        let (policies, found) = policies::compile(&files);
        diagnostics.append(found);
        let policies = policies.filter(|_| !diagnostics.has_errors());
        self.files += diagnostics.sources().len();
        self.rules += policies.as_ref().map_or(0, |policies| policies.rules.len());
        self.diagnostics.append(diagnostics);
        policies
    }

    fn tests(&mut self, file: &SourceFile) {
        self.files += 1;
        self.diagnostics.append(tests_file::decode(file).1);
    }

    /// The configuration, what of it `run` would refuse, and the policies that it names.
    fn service(&mut self, path: &Path, file: &SourceFile) {
        let (service, diagnostics) = service::decode(file);
        self.files += 1;
        self.diagnostics.append(diagnostics);
        let Some(service) = service else { return };
        let refusals = super::run::refusals(&service, path).into_iter();
        let refusals = refusals.map(|(code, why)| about_file(Severity::Error, code, why));
        self.find(file, refusals.collect());
        if let Some(policies) = self.policies(&policy_paths(&service, path), Vec::new()) {
            let odd = misnamed(&service, &policies).into_iter();
            let odd = odd.map(|why| about_file(Severity::Warning, Code::UnknownRule, why));
            self.find(file, odd.collect());
        }
    }

    fn find(&mut self, file: &SourceFile, entries: Vec<Diagnostic>) {
        let nameless = SourceFile { name: file.name.clone(), text: String::new() };
        self.diagnostics.append(Diagnostics::new(vec![nameless], entries));
    }
}

fn about_file(severity: Severity, code: Code, message: String) -> Diagnostic {
    let (help, related) = (None, Vec::new());
    Diagnostic { severity, code, message, file: 0, span: 0..0, help, related }
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

#[cfg(test)]
mod tests {
    use super::{Kind, kind_of};

    #[test]
    fn a_file_is_what_its_top_level_keys_say_however_they_are_written() {
        for (text, kind) in [
            ("version: 1\ndatabases: []\n", Kind::Service),
            ("{version: 1, policies: [p.yaml], databases: [{name: a}]}", Kind::Service),
            ("\"version\": 1\n'policies': p.yaml\n", Kind::Service),
            ("? audit\n: {file: a}\n", Kind::Service),
            ("version: 1\npolicies: p.yaml\ntests: []\n", Kind::Tests),
            ("{tests: [], policies: [p.yaml]}", Kind::Tests),
            ("version: 1\nrules:\n  - {name: a, databases: [b]}\n", Kind::Policies),
            ("version: 1\nsets: {tests: [a], databases: [b]}\nrules: []\n", Kind::Policies),
            ("- tests\n- databases\n", Kind::Policies),
            ("version: 1\ndatabases:\n  - {name: [}\n", Kind::Service),
            ("x: |\n  text\ndatabases:\n", Kind::Service),
            ("x: |\n\n  databases:\n", Kind::Policies),
            ("", Kind::Policies),
        ] {
            assert_eq!(kind_of(text), kind, "{text}");
        }
    }
}
