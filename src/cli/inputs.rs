//! What most verbs are given: policies, and captures to look at.

use std::path::{Path, PathBuf};

use chrono::{DateTime, LocalResult, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::Global;
use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::live::Live;
use super::run::holds_path;
use crate::capture::{self, Capture, ColumnMap, DateFormat, ReadOptions};
use crate::config::diagnostic::Diagnostics;
use crate::config::service::{self, Database, DatabaseSource, Service};
use crate::config::{load, policies, render};
use crate::daemon::holds;
use crate::engine::needs::Needs;
use crate::engine::policy::Limits;
use crate::engine::policy::PolicySet;
use crate::engine::session::Snapshot;
use crate::engine::standing::Standing;
use crate::engine::text::counted;
use crate::engine::time::Timestamp;

/// Policies named on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyArgs {
    /// A policy file, or a directory of them, instead of the configuration's policies
    #[arg(long = "policy", value_name = "PATH")]
    pub(super) policy: Vec<PathBuf>,
}

/// Captures to look at.
#[derive(Debug, clap::Args)]
pub(super) struct CaptureArgs {
    /// A capture: CSV or JSON Lines, also .gz and .zst; `-` is standard input
    #[arg(long = "capture", value_name = "FILE")]
    pub(super) capture: Vec<PathBuf>,
    /// The configured database to look at; with --capture, the name that its database goes by
    #[arg(long, value_name = "NAME")]
    pub(super) database: Option<String>,
    /// When the capture was taken: RFC 3339, or without an offset in --timezone
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Zone of times that do not name one
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// What foreign headers stand for: 'event_name=EVENT,sid_serial=SID:SERIAL#'
    #[arg(long, value_name = "MAP")]
    columns: Option<String>,
    /// How dates are written that could be read in two ways: dmy, mdy, ymd (for years of two digits) or a format such
    /// as %d/%m/%Y %H:%M:%S
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<String>,
}

/// Snapshots of one database, in the order of their times, and how their files could be read.
pub(super) struct Source {
    /// In time order.
    pub(super) snapshots: Vec<Snapshot>,
    /// The database's limits.
    pub(super) limits: Limits,
    /// What holds there now; nothing where captures are named on the command line.
    pub(super) standing: Standing,
}

/// All sources, and whether every row could be read.
pub(super) struct Sources {
    /// One per database.
    pub(super) databases: Vec<Source>,
    /// [`ExitStatus::BadCapture`] when rows were left out.
    pub(super) status: ExitStatus,
}

impl PolicyArgs {
    /// Compiles the policies that are meant: those named here, else the configuration's.
    pub(super) fn load(
        &self,
        global: &Global,
        console: &mut Console,
    ) -> Result<PolicySet, CliError> {
        let paths = if self.policy.is_empty() {
            policy_paths(&load_service(&global.config, console)?, &global.config)
        } else {
            self.policy.clone()
        };
        let (policies, diagnostics) = load_policies(&paths);
        show(&diagnostics, console);
        policies.ok_or_else(|| CliError::BadPolicy("the policies do not load".to_owned()))
    }
}

/// Reads and compiles policy files.
pub(super) fn load_policies(paths: &[PathBuf]) -> (Option<PolicySet>, Diagnostics) {
    let (files, mut diagnostics) = load::policy_files(paths);
    let (policies, found) = policies::compile(&files);
    diagnostics.append(found);
    (policies.filter(|_| !diagnostics.has_errors()), diagnostics)
}

/// Reads a configuration.
pub(super) fn read_service(path: &Path) -> (Option<Service>, Diagnostics) {
    let (file, mut diagnostics) = load::file(path);
    let Some(file) = file else { return (None, diagnostics) };
    let (service, found) = service::decode(&file);
    diagnostics.append(found);
    (service, diagnostics)
}

/// Reads the configuration and prints what is wrong with it.
pub(super) fn load_service(path: &Path, console: &mut Console) -> Result<Service, CliError> {
    // One that may not be looked at is there all the same, and reading it says what is wrong.
    if path.try_exists().is_ok_and(|exists| !exists) {
        return Err(CliError::BadPolicy(format!(
            "there is no {}; name a configuration with --config, or --policy and --capture",
            path.display()
        )));
    }
    let (service, diagnostics) = read_service(path);
    show(&diagnostics, console);
    service.ok_or_else(|| CliError::BadPolicy(format!("{} does not load", path.display())))
}

/// The policies of a configuration; relative paths are relative to its file.
pub(super) fn policy_paths(service: &Service, config: &Path) -> Vec<PathBuf> {
    let beside = config.parent().unwrap_or(Path::new("."));
    service.policies.iter().map(|path| beside.join(path)).collect()
}

/// The file of a database that is a capture.
pub(super) fn capture_path(database: &Database, config: &Path) -> Option<PathBuf> {
    let beside = config.parent().unwrap_or(Path::new("."));
    match &database.source {
        DatabaseSource::Capture(path) => Some(beside.join(path)),
        DatabaseSource::Live(_) => None,
    }
}

/// Prints diagnostics for people, beside the result.
pub(super) fn show(diagnostics: &Diagnostics, console: &mut Console) {
    if !diagnostics.is_empty() {
        let text = render::text(diagnostics, console.color);
        console.note_raw(&text);
    }
}

impl CaptureArgs {
    /// Reads the captures named here, else looks at the configuration's databases.
    pub(super) fn read(
        &self,
        needs: &Needs,
        global: &Global,
        console: &mut Console,
    ) -> Result<Sources, CliError> {
        let mut reader =
            Reader { args: self, console, status: ExitStatus::Fine, databases: Vec::new() };
        if self.capture.is_empty() {
            reader.read_configured(needs, global)?;
        } else {
            for path in &self.capture {
                let name = self.database.clone().unwrap_or_else(|| stem(path));
                reader.add(path, &name, Limits::UNLIMITED, Standing::default())?;
            }
        }
        for source in &mut reader.databases {
            source.snapshots.sort_by_key(|snapshot| snapshot.taken_at);
        }
        Ok(Sources { databases: reader.databases, status: reader.status })
    }

    /// How captures are to be read.
    pub(super) fn options(&self, database: &str) -> Result<ReadOptions, CliError> {
        let usage = |text: String| CliError::Usage(text);
        let timezone: Tz = self
            .timezone
            .parse()
            .map_err(|_| usage(format!("--timezone {}: not an IANA time zone", self.timezone)))?;
        let at = self.at.as_deref().map(|at| moment(at, timezone)).transpose()?;
        let columns = match &self.columns {
            Some(map) => map.parse().map_err(|it| usage(format!("--columns: {it}")))?,
            None => ColumnMap::default(),
        };
        let format = |text: &String| {
            text.parse::<DateFormat>().map_err(|it| usage(format!("--date-format: {it}")))
        };
        let date_format = self.date_format.as_ref().map(format).transpose()?;
        Ok(ReadOptions { database: database.to_owned(), at, timezone, columns, date_format })
    }
}

/// A moment typed on the command line: RFC 3339, or without an offset in the zone of `--timezone`.
fn moment(text: &str, zone: Tz) -> Result<Timestamp, CliError> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc().into());
    }
    let local =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .into_iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    // The year needs all its digits, or 26 would be one of the first century.
    let local =
        local.filter(|_| text.get(..4).is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit())));
    let usage = |why: &str| CliError::Usage(format!("--at {text}: {why}"));
    let local = local.ok_or_else(|| {
        usage("not a moment such as 2026-03-29T01:30:00+01:00 or \"2026-03-29 01:30:00\"")
    })?;
    match local.and_local_timezone(zone) {
        LocalResult::Single(moment) => Ok(moment.to_utc().into()),
        LocalResult::Ambiguous(..) => Err(usage("comes twice that night; write the offset")),
        LocalResult::None => Err(usage("is left out by the change of clocks that night")),
    }
}

/// `prod-0930` of `dir/prod-0930.csv.zst`.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or_default();
    stem.to_owned()
}

struct Reader<'a> {
    args: &'a CaptureArgs,
    console: &'a mut Console,
    status: ExitStatus,
    databases: Vec<Source>,
}

impl Reader<'_> {
    fn read_configured(&mut self, needs: &Needs, global: &Global) -> Result<(), CliError> {
        let service = load_service(&global.config, self.console)?;
        let holds = holds_path(&service, &global.config);
        let mut found = false;
        for database in service.databases {
            if self.args.database.as_ref().is_some_and(|it| *it != database.name) {
                continue;
            }
            found = true;
            let (holds, warning) = holds.as_ref().map_or_else(Default::default, |path| {
                holds::standing(path, &database.name, Utc::now().into())
            });
            let needs = needs.clone().with_holds(&holds);
            let mut standing = Standing { holds, ..Standing::default() };
            if let Some(live) = Live::of(&database, &global.config) {
                let mut snapshot = live.look(&needs)?;
                snapshot.warnings.extend(warning);
                standing.rehearses_on(&mut snapshot);
                let (snapshots, limits) = (vec![snapshot], database.limits);
                self.databases.push(Source { snapshots, limits, standing });
                continue;
            }
            let Some(path) = capture_path(&database, &global.config) else { continue };
            self.add(&path, &database.name, database.limits, standing)?;
            let read = self.databases.iter_mut().flat_map(|source| &mut source.snapshots);
            let mut read = read.filter(|snapshot| snapshot.database == database.name);
            if let (Some(warning), Some(first)) = (warning, read.next()) {
                first.warnings.push(warning);
            }
        }
        if found {
            Ok(())
        } else {
            Err(CliError::Usage("no such database in the configuration".to_owned()))
        }
    }

    /// Reads one file. Snapshots of one database belong together, whichever file they are in.
    fn add(
        &mut self,
        path: &Path,
        database: &str,
        limits: Limits,
        standing: Standing,
    ) -> Result<(), CliError> {
        let options = self.args.options(database)?;
        let capture = read_capture(path, &options)?;
        if report_problems(path, &capture, self.console) {
            self.status = ExitStatus::BadCapture;
        }
        let known = self.databases.iter_mut().find(|source| {
            source.snapshots.first().is_some_and(|snapshot| snapshot.database == database)
        });
        match known {
            Some(source) => source.snapshots.extend(capture.snapshots),
            None => self.databases.push(Source { snapshots: capture.snapshots, limits, standing }),
        }
        Ok(())
    }
}

/// Reads one capture.
pub(super) fn read_capture(path: &Path, options: &ReadOptions) -> Result<Capture, CliError> {
    capture::read_file(path, options)
        .map_err(|source| CliError::Capture { path: path.to_owned(), source })
}

/// Prints what is wrong with a capture; true when rows were left out.
pub(super) fn report_problems(path: &Path, capture: &Capture, console: &mut Console) -> bool {
    for warning in &capture.warnings {
        console.note(&format!("warning: {}: {warning}", path.display()));
    }
    for problem in &capture.problems {
        console.note(&format!("error: {}: {problem}", path.display()));
    }
    let left_out = capture.problems.len() as u64 + capture.further_problems;
    if left_out > 0 {
        console.note(&format!("error: {}: {} left out", path.display(), counted(left_out, "row")));
    }
    left_out > 0
}
