//! `run`: the daemon. This file only puts together what it needs; the loop is `daemon`'s.

use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use rustc_hash::FxHasher;
use tracing_subscriber::filter::LevelFilter;

use super::Global;
use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{
    CaptureArgs, PolicyArgs, capture_path, database_limits, load_policies, policy_paths,
    read_service, stem,
};
use crate::capture::source::CaptureSource;
use crate::capture::{self, ReadOptions};
use crate::config::diagnostic::Severity;
use crate::config::render;
use crate::config::service::{self, LogLevel, Service};
use crate::daemon::reload::Loaded;
use crate::daemon::run::{Audit, RunError, Setup, run as run_daemon};
use crate::daemon::target::TargetSpec;
use crate::engine::guard::DatabaseLimits;
use crate::observe::log::{self, Log, LogFormat};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    policies: PolicyArgs,
    #[command(flatten)]
    captures: CaptureArgs,
    /// End nobody, whatever the rules say
    #[arg(long)]
    dry_run: bool,
    /// One tick of every rule, then leave
    #[arg(long)]
    once: bool,
    /// The audit file, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
}

/// Everything that a (re)load starts from.
#[derive(Debug, Clone)]
struct Wanted {
    config: Option<PathBuf>,
    policies: Vec<PathBuf>,
    captures: Vec<(PathBuf, ReadOptions)>,
    database: Option<String>,
}

/// Runs until told to stop.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let wanted = wanted(args, global)?;
    let service = wanted.service().map_err(CliError::BadPolicy)?;
    let log = start_log(global, service.as_ref(), console)?;
    let audit = args.audit.clone().or_else(|| {
        let config = wanted.config.as_deref()?;
        let file = service.as_ref()?.audit_file.as_ref()?;
        Some(config.parent().unwrap_or(Path::new(".")).join(file))
    });
    let setup = Setup {
        loader: Box::new(move || wanted.load()),
        audit: audit.map_or(Audit::Nowhere, Audit::File),
        once: args.once,
        dry_run: args.dry_run,
        log: log.of_ticks(),
    };
    let (status, last_words) = match run_daemon(setup) {
        Ok(()) => (ExitStatus::Fine, String::new()),
        Err(error) => {
            let error = leave(&error);
            (error.status(), format!("error: {error}\n"))
        }
    };
    // Said here and not by the caller, who would wait for whoever reads standard error.
    log.close(last_words);
    Ok(status)
}

fn leave(error: &RunError) -> CliError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    match error {
        RunError::Audit(_) => CliError::Audit(text),
        RunError::Load(_) => CliError::BadPolicy(text),
        RunError::Unavailable(_) => CliError::Unavailable(text),
        RunError::Runtime(_) => CliError::Runtime(text),
    }
}

fn wanted(args: &Args, global: &Global) -> Result<Wanted, CliError> {
    let captures = args.captures.capture.iter().map(|path| {
        let name = args.captures.database.clone().unwrap_or_else(|| stem(path));
        Ok((path.clone(), args.captures.options(&name)?))
    });
    let captures = captures.collect::<Result<Vec<_>, CliError>>()?;
    let needs_config = args.policies.policy.is_empty() || captures.is_empty();
    Ok(Wanted {
        config: needs_config.then(|| global.config.clone()),
        policies: args.policies.policy.clone(),
        captures,
        database: args.captures.database.clone(),
    })
}

fn start_log(
    global: &Global,
    service: Option<&Service>,
    console: &mut Console,
) -> Result<Log, CliError> {
    let format = match (global.format, service.and_then(|service| service.log_format)) {
        (super::Format::Json, _) | (_, Some(service::LogFormat::Json)) => LogFormat::Json,
        (_, Some(service::LogFormat::Journald)) => {
            console.note("warning: log.format journald is not there yet; the log is JSON");
            LogFormat::Json
        }
        _ => LogFormat::Text,
    };
    let level = match (global.verbose, service.map(|service| service.log_level)) {
        (2.., _) | (_, Some(LogLevel::Trace)) => LevelFilter::TRACE,
        (1, _) | (_, Some(LogLevel::Debug)) => LevelFilter::DEBUG,
        (_, Some(LogLevel::Warn)) => LevelFilter::WARN,
        (_, Some(LogLevel::Error)) => LevelFilter::ERROR,
        (_, Some(LogLevel::Info) | None) => LevelFilter::INFO,
    };
    log::init(format, level).map_err(|error| CliError::Runtime(error.to_string()))
}

impl Wanted {
    /// The configuration, if one is needed. The error is rendered for people.
    fn service(&self) -> Result<Option<Service>, String> {
        let Some(config) = &self.config else { return Ok(None) };
        let (service, diagnostics) = read_service(config);
        match service {
            Some(service) => Ok(Some(service)),
            None => Err(render::text(&diagnostics, false)),
        }
    }

    /// Loads everything anew, or says why not.
    fn load(&self) -> Result<Loaded, String> {
        let service = self.service()?;
        let paths = match (&service, &self.config) {
            (Some(service), Some(config)) if self.policies.is_empty() => {
                policy_paths(service, config)
            }
            _ => self.policies.clone(),
        };
        let (policies, diagnostics) = load_policies(&paths);
        let text = render::text(&diagnostics, false);
        let policies = policies.ok_or_else(|| text.clone())?;
        if diagnostics.count(Severity::Warning) > 0 {
            tracing::warn!(diagnostics = text, "the policies load with warnings");
        }
        let mut targets = Vec::new();
        for (path, options) in &self.captures {
            targets.push(target(path, options, DatabaseLimits::default())?);
        }
        if let (Some(service), Some(config), true) =
            (&service, &self.config, self.captures.is_empty())
        {
            targets = self.configured(service, config)?;
        }
        Ok(Loaded { policies, targets })
    }

    fn configured(&self, service: &Service, config: &Path) -> Result<Vec<TargetSpec>, String> {
        let chosen = |name: &str| self.database.as_ref().is_none_or(|it| it == name);
        let mut targets = Vec::new();
        for database in service.databases.iter().filter(|it| chosen(&it.name)) {
            let path = capture_path(database, config).ok_or_else(|| {
                format!("database {}: this release reads captures only", database.name)
            })?;
            let options = ReadOptions { database: database.name.clone(), ..ReadOptions::default() };
            targets.push(target(&path, &options, database_limits(database))?);
        }
        if targets.is_empty() { Err("no database to look at".to_owned()) } else { Ok(targets) }
    }
}

/// A capture as a database. Rows that cannot be read keep it from loading: a daemon must see what it judges.
fn target(
    path: &Path,
    options: &ReadOptions,
    limits: DatabaseLimits,
) -> Result<TargetSpec, String> {
    let named = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    let capture = capture::read_file(path, options).map_err(|error| named(&error))?;
    if let Some(problem) = capture.problems.first() {
        return Err(named(problem));
    }
    for warning in &capture.warnings {
        tracing::warn!(capture = %path.display(), warning, "the capture loads with a warning");
    }
    let source = Box::new(CaptureSource::new(capture.snapshots));
    Ok(TargetSpec::dry_run(options.database.clone(), fingerprint(path), source, limits))
}

/// Changes when the file does: then the source begins anew, and otherwise it goes on where it was.
fn fingerprint(path: &Path) -> u64 {
    let mut hasher = FxHasher::default();
    path.hash(&mut hasher);
    if let Ok(metadata) = std::fs::metadata(path) {
        metadata.len().hash(&mut hasher);
        metadata.modified().ok().hash(&mut hasher);
    }
    hasher.finish()
}
