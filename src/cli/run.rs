//! `run`: the daemon. This file only puts together what it needs; the loop is `daemon`'s.

use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use rustc_hash::FxHasher;
use tracing_subscriber::filter::LevelFilter;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::hooks::{hooks, misnamed, redaction};
use super::inputs::{
    CaptureArgs, PolicyArgs, capture_path, load_policies, policy_paths, read_service, stem,
};
use super::live::Live;
use super::systemd;
use super::{Format, Global};
use crate::capture::source::CaptureSource;
use crate::capture::{self, ReadOptions};
use crate::config::diagnostic::{Code, Severity};
use crate::config::render;
use crate::config::service::{self, Database, LogLevel, Service};
use crate::daemon::reload::{LoadError, Loaded, too_many};
use crate::daemon::run::{Audit, RunError, Setup, run as run_daemon};
use crate::daemon::target::TargetSpec;
use crate::engine::policy::Limits;
use crate::engine::policy::PolicySet;
use crate::engine::text::with_causes;
use crate::engine::time::Timestamp;
use crate::observe::board::Board;
use crate::observe::http;
use crate::observe::log::{self, Log, LogFormat, Settings, journal, say};

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
    /// Instead of the configuration's.
    audit: Option<PathBuf>,
    /// What the configuration said when the log was set up.
    log_format: Option<service::LogFormat>,
    /// How often `-v` was typed.
    verbose: u8,
    /// What it said of where HTTP listens. A single tick is over before anybody could ask.
    http: Option<Listening>,
}

/// What a configuration says of where HTTP listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listening(Option<SocketAddr>);

/// Runs until told to stop.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    global.format.among(&[Format::Text, Format::Json])?;
    let mut wanted = wanted(args, global)?;
    let service = match wanted.service() {
        Ok(service) => service,
        Err(text) => {
            let log = start_log(global, None, console)?;
            return Ok(last_words(log, ExitStatus::BadPolicy, &text));
        }
    };
    let log = start_log(global, service.as_ref(), console)?;
    let address = service.as_ref().and_then(|it| it.http_listen).filter(|_| !args.once);
    let board = match address.map(serve_board).transpose() {
        Ok(None) => None,
        Ok(Some((board, address))) => {
            say!(HttpListens, address = tracing::field::display(address));
            Some(board)
        }
        Err(error) => return Ok(last_words(log, error.status(), &error.to_string())),
    };
    wanted.log_format = service.as_ref().and_then(|service| service.log_format);
    wanted.http = service.as_ref().filter(|_| !args.once).map(|it| Listening(it.http_listen));
    let setup = Setup {
        loader: Arc::new(move || wanted.load()),
        audit: Audit::AsLoaded,
        once: args.once,
        dry_run: args.dry_run,
        log: log.of_ticks(),
        manager: systemd::listener(),
        board,
    };
    Ok(match run_daemon(setup) {
        Ok(()) => {
            log.close(String::new());
            ExitStatus::Fine
        }
        Err(error) => {
            let (status, text) = leave(&error);
            last_words(log, status, &text)
        }
    })
}

/// Says why the daemon leaves: here and not by the caller, who would wait for whoever reads standard error.
fn last_words(log: Log, status: ExitStatus, text: &str) -> ExitStatus {
    // A log of fields has it as an event: whoever reads that looks for nothing else.
    if log.format() != LogFormat::Text {
        say!(LeftWithError, exit_status = status as u8, cause = text);
    }
    let is_read = match log.format() {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Journald => io::stderr().is_terminal(),
    };
    log.close(if is_read { format!("error: {text}\n") } else { String::new() });
    status
}

/// Metrics and health, from now on and there.
pub(super) fn serve_board(address: SocketAddr) -> Result<(Board, SocketAddr), CliError> {
    let board = Board::new(Timestamp::from(Utc::now()));
    let address = http::serve(address, board.clone())
        .map_err(|error| CliError::Unavailable(format!("http.listen {address}: {error}")))?;
    Ok((board, address))
}

/// How the process ends, and its last words. The exit code is that of what is to blame.
fn leave(error: &RunError) -> (ExitStatus, String) {
    let text = with_causes(error);
    let error = match error {
        // The caller's variant has a cause of its own, and here it is in the text already.
        RunError::Load(LoadError::Capture(_)) => return (ExitStatus::BadCapture, text),
        RunError::Audit(_) | RunError::Load(LoadError::Audit(_)) => CliError::Audit(text),
        RunError::Load(LoadError::Files(_)) => CliError::BadPolicy(text),
        RunError::Unavailable(_) | RunError::Unfinished(_) => CliError::Unavailable(text),
        RunError::Runtime(_) => CliError::Runtime(text),
    };
    (error.status(), error.to_string())
}

fn wanted(args: &Args, global: &Global) -> Result<Wanted, CliError> {
    if !args.once && args.captures.capture.iter().any(|path| path == Path::new("-")) {
        let why = "standard input can be read only once: --capture - goes with --once";
        return Err(CliError::Usage(why.to_owned()));
    }
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
        audit: args.audit.clone(),
        log_format: None,
        verbose: global.verbose,
        http: None,
    })
}

fn start_log(
    global: &Global,
    service: Option<&Service>,
    console: &mut Console,
) -> Result<Log, CliError> {
    let format = match (global.format, service.and_then(|service| service.log_format)) {
        (Format::Json, _) | (_, Some(service::LogFormat::Json)) => LogFormat::Json,
        (_, Some(service::LogFormat::Journald)) if !Path::new(journal::SOCKET).exists() => {
            let why = "is not there: the log is JSON, on standard error";
            console.note(&format!("warning: the journal's socket {} {why}", journal::SOCKET));
            LogFormat::Json
        }
        (_, Some(service::LogFormat::Journald)) => LogFormat::Journald,
        _ => LogFormat::Text,
    };
    log::init(format, log_settings(global.verbose, service))
        .map_err(|error| CliError::Runtime(with_causes(&error)))
}

/// What a reload may change.
fn log_settings(verbose: u8, service: Option<&Service>) -> Settings {
    let level = match (verbose, service.map(|service| service.log_level)) {
        (2.., _) | (_, Some(LogLevel::Trace)) => LevelFilter::TRACE,
        (1, _) | (_, Some(LogLevel::Debug)) => LevelFilter::DEBUG,
        (_, Some(LogLevel::Warn)) => LevelFilter::WARN,
        (_, Some(LogLevel::Error)) => LevelFilter::ERROR,
        (_, Some(LogLevel::Info) | None) => LevelFilter::INFO,
    };
    Settings { level, redact: redaction(service.map_or(&[], |service| &service.log_redact)) }
}

impl Wanted {
    /// The configuration, if one is needed. The error is rendered for people.
    fn service(&self) -> Result<Option<Service>, String> {
        let Some(config) = &self.config else { return Ok(None) };
        refuse_pipes(config)?;
        let (service, diagnostics) = read_service(config);
        match service {
            Some(service) => Ok(Some(service)),
            None => Err(render::text(&diagnostics, false)),
        }
    }

    /// Loads everything anew, or says why not.
    fn load(&self) -> Result<Loaded, LoadError> {
        let service = self.service().map_err(LoadError::Files)?;
        let configured = service.as_ref().zip(self.config.as_deref());
        if let Some((service, _)) = configured {
            self.warn(service);
        }
        let policies = self.policies(configured).map_err(LoadError::Files)?;
        let mut targets = Vec::new();
        for (path, options) in &self.captures {
            targets.push(target(path, options, Limits::UNLIMITED)?);
        }
        if let (Some((service, config)), true) = (configured, self.captures.is_empty()) {
            targets = self.configured(service, config)?;
        }
        let audit = self.audit.clone().or_else(|| {
            let (service, config) = configured?;
            audit_path(service, config)
        });
        let holds = configured.and_then(|(service, config)| holds_path(service, config));
        let log = Some(log_settings(self.verbose, service.as_ref()));
        let mut told = Vec::new();
        if let Some((service, config)) = configured {
            let odd = misnamed(service, &policies);
            if !odd.is_empty() {
                say!(PolicyWarnings, diagnostics = odd.join("\n"));
            }
            told = hooks(service, config);
        }
        Ok(Loaded { policies, targets, audit, holds, log, hooks: told })
    }

    /// Says what the configuration asks for and does not get.
    fn warn(&self, service: &Service) {
        if self.http.is_some_and(|it| it != Listening(service.http_listen)) {
            say!(HttpStays);
        }
        if self.log_format != service.log_format {
            say!(LogFormatStays);
        }
    }

    fn policies(&self, configured: Option<(&Service, &Path)>) -> Result<PolicySet, String> {
        let paths = match configured {
            Some((service, config)) if self.policies.is_empty() => policy_paths(service, config),
            _ => self.policies.clone(),
        };
        paths.iter().filter(|path| !path.is_dir()).try_for_each(|path| refuse_pipes(path))?;
        let (policies, diagnostics) = load_policies(&paths);
        let text = render::text(&diagnostics, false);
        let policies = policies.ok_or_else(|| text.clone())?;
        if diagnostics.count(Severity::Warning) > 0 {
            say!(PolicyWarnings, diagnostics = text);
        }
        Ok(policies)
    }

    fn configured(&self, service: &Service, config: &Path) -> Result<Vec<TargetSpec>, LoadError> {
        let chosen = |name: &str| self.database.as_ref().is_none_or(|it| it == name);
        let chosen: Vec<_> = service.databases.iter().filter(|it| chosen(&it.name)).collect();
        if chosen.is_empty() {
            return Err(LoadError::Files("no database to look at".to_owned()));
        }
        // Before any file is read: so many captures take their time.
        if let Some(why) = too_many(chosen.len()) {
            return Err(LoadError::Files(why));
        }
        let load = |database: &Database| {
            if let Some(live) = Live::of(database, config) {
                return Ok(live.target(database));
            }
            let path = capture_path(database, config).unwrap_or_default();
            let options = ReadOptions { database: database.name.clone(), ..ReadOptions::default() };
            target(&path, &options, database.limits)
        };
        chosen.into_iter().map(load).collect()
    }
}

/// What `run` would refuse of a configuration, as far as that can be known without reading the captures.
pub(super) fn refusals(service: &Service, config: &Path) -> Vec<(Code, String)> {
    let mut refusals: Vec<(Code, String)> =
        too_many(service.databases.len()).map(|why| (Code::TooLarge, why)).into_iter().collect();
    for database in &service.databases {
        let Some(path) = capture_path(database, config) else { continue };
        let why = match fs::metadata(&path) {
            Err(error) => Some(format!("{}: {error}", path.display())),
            Ok(_) => refuse_pipes(&path).err(),
        };
        refusals.extend(
            why.map(|why| (Code::Unreadable, format!("database {}: {why}", database.name))),
        );
    }
    let audit = audit_path(service, config);
    if let Some(path) = audit.as_ref().filter(|path| path.is_dir()) {
        let why = format!("the audit {} is a directory", path.display());
        refusals.push((Code::Unreadable, why));
    }
    let folder = audit.as_ref().and_then(|path| path.parent());
    if let Some(folder) = folder.filter(|it| !it.as_os_str().is_empty() && !it.is_dir()) {
        let why = format!("the audit's directory {} is not there", folder.display());
        refusals.push((Code::Unreadable, why));
    }
    refusals
}

/// The audit file; a relative path is relative to the configuration.
pub(super) fn audit_path(service: &Service, config: &Path) -> Option<PathBuf> {
    let beside = config.parent().unwrap_or(Path::new("."));
    service.audit_file.as_ref().map(|file| beside.join(file))
}

/// The file of holds; a relative path is relative to the configuration.
pub(super) fn holds_path(service: &Service, config: &Path) -> Option<PathBuf> {
    let beside = config.parent().unwrap_or(Path::new("."));
    service.holds_file.as_ref().map(|file| beside.join(file))
}

/// What is no regular file may never answer, and cannot be read again at a reload. What is not there at all is the
/// reader's to tell.
fn refuse_pipes(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(format!(
            "{}: not a regular file; the daemon reads its files again at a reload",
            path.display()
        )),
        _ => Ok(()),
    }
}

/// A capture as a database. Rows that cannot be read keep it from loading: a daemon must see what it judges.
fn target(path: &Path, options: &ReadOptions, limits: Limits) -> Result<TargetSpec, LoadError> {
    if path != Path::new("-") {
        refuse_pipes(path).map_err(LoadError::Capture)?;
    }
    let named = |problem: &str| LoadError::Capture(format!("{}: {problem}", path.display()));
    let capture = capture::read_file(path, options).map_err(|error| named(&with_causes(&error)))?;
    if let Some(problem) = capture.problems.first() {
        return Err(named(&problem.to_string()));
    }
    for warning in &capture.warnings {
        say!(
            CaptureWarning,
            capture = tracing::field::display(path.display()),
            detail = warning.as_str()
        );
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
