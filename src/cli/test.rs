//! `test`: policy tests. Each runs the production engine over sessions that it describes, tick by tick, and compares
//! who was ended, exactly.

mod coverage;
mod judge;
mod render;
mod world;

use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{load_policies, show};
use super::{Format, Global};
use crate::capture::ReadOptions;
use crate::config::tests_file::{self, TestCase};
use crate::config::{diagnostic::SourceFile, load};
use crate::engine::decide::{Question, decide};
use crate::engine::history::History;
use crate::engine::plan::PlanOptions;
use crate::engine::policy::Limits;
use crate::engine::policy::PolicySet;
use crate::engine::session::Snapshot;
use crate::engine::standing::Standing;

use coverage::Coverage;
use judge::judge_tick;
use world::World;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Test files, or directories of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only tests whose name contains this text
    #[arg(long, value_name = "TEXT")]
    run: Option<String>,
    /// Say of every rule and predicate whether both outcomes were seen
    #[arg(long)]
    coverage: bool,
    /// Fail below this percentage
    #[arg(long, value_name = "PERCENT", requires = "coverage")]
    min_coverage: Option<f64>,
}

/// The result of one test.
pub(super) struct Outcome {
    /// The file it stands in.
    file: PathBuf,
    /// Its name.
    name: String,
    /// Its line in the file.
    line: usize,
    /// What was not as expected; empty when it passed.
    failures: Vec<String>,
}

/// Runs every test of every file.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let formats = [Format::Text, Format::Json, Format::Junit, Format::Github];
    let format = global.format.among(&formats)?;
    let files = test_files(&args.paths)
        .map_err(|error| CliError::BadPolicy(format!("cannot look for tests: {error}")))?;
    if files.is_empty() {
        return Err(CliError::Usage("no policy tests there".to_owned()));
    }
    let mut runner = Runner { console, coverage: Coverage::default(), outcomes: Vec::new() };
    let mut broken = false;
    for file in &files {
        if !runner.file(file, args.run.as_deref()) {
            broken = true;
            runner.outcomes.push(Outcome {
                file: file.clone(),
                name: "the file and its policies load".to_owned(),
                line: 1,
                failures: vec!["they do not; `check` says why".to_owned()],
            });
        }
    }
    let Runner { coverage, outcomes, .. } = runner;
    let coverage = args.coverage.then(|| coverage.report());
    render::write(format, &outcomes, coverage.as_ref(), console)?;
    let failed = outcomes.iter().any(|outcome| !outcome.failures.is_empty());
    let too_little = match (&coverage, args.min_coverage) {
        (Some(report), Some(minimum)) => report.percent() < minimum,
        _ => false,
    };
    if too_little {
        console.note("error: the coverage is below --min-coverage");
    }
    Ok(match (broken, failed || too_little) {
        (true, _) => ExitStatus::BadPolicy,
        (false, true) => ExitStatus::Found,
        (false, false) => ExitStatus::Fine,
    })
}

struct Runner<'c> {
    console: &'c mut Console,
    coverage: Coverage,
    outcomes: Vec<Outcome>,
}

impl Runner<'_> {
    /// Runs one file; false when it, or the policies it names, do not load.
    fn file(&mut self, path: &Path, only: Option<&str>) -> bool {
        let (source, diagnostics) = load::file(path);
        show(&diagnostics, self.console);
        let Some(source) = source else { return false };
        let (file, diagnostics) = tests_file::decode(&source);
        show(&diagnostics, self.console);
        let Some(file) = file else { return false };
        let beside = path.parent().unwrap_or(Path::new("."));
        let paths: Vec<PathBuf> = file.policies.iter().map(|policy| beside.join(policy)).collect();
        let (policies, diagnostics) = load_policies(&paths);
        show(&diagnostics, self.console);
        let Some(policies) = policies else { return false };
        self.coverage.expect(&policies);
        for test in
            file.tests.iter().filter(|test| only.is_none_or(|text| test.name.contains(text)))
        {
            let failures = self.test(test, beside, &policies);
            self.outcomes.push(Outcome {
                file: path.to_owned(),
                name: test.name.clone(),
                line: line_of(&source, test),
                failures,
            });
        }
        true
    }

    fn test(&mut self, test: &TestCase, beside: &Path, policies: &PolicySet) -> Vec<String> {
        let captured = match captured(test, beside) {
            Ok(captured) => captured,
            Err(failure) => return vec![failure],
        };
        let mut world = World::new(test, captured);
        let due: Vec<usize> = (0..policies.rules.len()).collect();
        let mut history = History::default();
        let mut failures = Vec::new();
        for tick in &test.ticks {
            let snapshot = match world.advance(test, tick) {
                Ok(snapshot) => snapshot,
                Err(failure) => {
                    failures.push(failure);
                    break;
                }
            };
            let plan = decide(Question {
                policies,
                due: &due,
                snapshot: &snapshot,
                history: &history,
                options: PlanOptions::default(),
                limits: Limits::UNLIMITED,
                standing: &Standing::default(),
            });
            history.record(&snapshot, &plan);
            self.coverage.see(policies, &snapshot, &plan);
            let found = judge_tick(tick, policies, &snapshot, &plan);
            failures.extend(found.into_iter().map(|it| format!("after {}: {it}", tick.after)));
        }
        failures
    }
}

/// The line on which a test begins, from 1.
fn line_of(source: &SourceFile, test: &TestCase) -> usize {
    source.text[..test.span.start].matches('\n').count() + 1
}

/// The test files that are meant: files as named, and every file with `tests:` below a directory, by name.
fn test_files(paths: &[PathBuf]) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, 0, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Directories deeper than this are nobody's tests, but perhaps a loop of links.
const DEPTH_MAX: usize = 16;

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = std::fs::read_dir(directory)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        if path.is_dir() && depth < DEPTH_MAX {
            collect(&path, depth + 1, files)?;
        } else if yaml && has_tests(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn has_tests(path: &Path) -> bool {
    let (file, _) = load::file(path);
    file.is_some_and(|file| file.text.lines().any(|line| line.starts_with("tests:")))
}

/// The snapshots of the file that a test names.
fn captured(test: &TestCase, beside: &Path) -> Result<Vec<Snapshot>, String> {
    let Some(name) = &test.snapshot else { return Ok(Vec::new()) };
    let path = beside.join(name);
    let options = ReadOptions {
        database: test.database.clone().unwrap_or_default(),
        at: test.at,
        timezone: test.timezone,
        ..ReadOptions::default()
    };
    let capture = crate::capture::read_file(&path, &options)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    match capture.problems.first() {
        Some(problem) => Err(format!("{}: {problem}", path.display())),
        None => Ok(capture.snapshots),
    }
}
