//! `demo`: a simulated two-instance cluster inside this process, and the daemon at work on it, over the wire and
//! through the thin driver as on a real database. Nothing outside the process is touched.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rac_sim::scenario::{DatabaseSpec, Like, Scenario};
use rac_sim::server::{Options, Server};
use signal_hook::consts::SIGTERM;
use tracing_subscriber::filter::LevelFilter;

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::inputs::{load_policies, show};
use super::live::Live;
use super::run::serve_board;
use super::story::Story;
use super::{Format, Global};
use crate::config::diagnostic::SourceFile;
use crate::config::policies;
use crate::config::service::Database;
use crate::config::{durations, service};
use crate::daemon::reload::{LoadError, Loaded};
use crate::daemon::run::{Audit, RunError, Setup, run as run_daemon};
use crate::engine::needs::Needs;
use crate::engine::policy::{Mode, OnExceed, PolicySet};
use crate::engine::schedule::Schedule;
use crate::engine::session::Snapshot;
use crate::engine::text::with_causes;
use crate::observe::log::redact::Redaction;
use crate::observe::log::{self, LogFormat, Settings, Teller, TickLog};
use crate::ports::{SessionSource, SourceError};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Really end sessions, of the simulated database
    #[arg(long)]
    enforce: bool,
    /// Leave after so long: 60s, 5m; default: at Ctrl-C
    #[arg(long = "for", value_name = "DURATION")]
    leave_after: Option<String>,
    /// Policies instead of those that come with orawarden
    #[arg(long, value_name = "PATH")]
    policy: Vec<PathBuf>,
    /// What the database is like: oltp, batch, storm
    #[arg(long, value_name = "NAME", default_value = "oltp")]
    scenario: String,
    /// How much faster than real time the simulated database lives
    #[arg(long, default_value_t = 60.0, value_name = "FACTOR")]
    speed: f64,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds between ticks, instead of what the rules say
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=59), value_name = "SECONDS")]
    every: u32,
}

/// The policies that come with orawarden.
const SHIPPED: [(&str, &str); 9] = [
    ("idle-blockers.yaml", include_str!("../../policies/idle-blockers.yaml")),
    ("idle-cleanup.yaml", include_str!("../../policies/idle-cleanup.yaml")),
    ("idle-in-transaction.yaml", include_str!("../../policies/idle-in-transaction.yaml")),
    ("nightly-batch-windows.yaml", include_str!("../../policies/nightly-batch-windows.yaml")),
    ("runaway-programs.yaml", include_str!("../../policies/runaway-programs.yaml")),
    ("runaway-sql.yaml", include_str!("../../policies/runaway-sql.yaml")),
    ("sniped-left-overs.yaml", include_str!("../../policies/sniped-left-overs.yaml")),
    ("starter-report.yaml", include_str!("../../policies/starter-report.yaml")),
    ("stuck-waits.yaml", include_str!("../../policies/stuck-waits.yaml")),
];

/// Runs until Ctrl-C, or as long as was asked for.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    let format = global.format.among(&[Format::Text, Format::Json])?;
    let leave_after = args.leave_after.as_deref().map(duration).transpose()?;
    let policies = Arc::new(policies(args, console)?);
    let failed = |error: &dyn std::fmt::Display| CliError::Runtime(error.to_string());
    let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    let server = runtime.block_on(Server::start(&scenario(args)?, Options::default()));
    let server = server.map_err(|error| failed(&error))?;
    let database = configured(&server, folder.path()).map_err(CliError::Runtime)?;
    let audit = folder.path().join("audit.jsonl");
    let (board, page) = serve_board(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    console.note(&introduction(args, &server, page, &audit));
    let (form, level) = match (format, global.verbose) {
        (Format::Json, 0) => (LogFormat::Json, LevelFilter::INFO),
        (Format::Json, _) => (LogFormat::Json, LevelFilter::DEBUG),
        // Ticks are told, so of the log only trouble is news.
        _ => (LogFormat::Text, LevelFilter::WARN),
    };
    let log = log::init(form, Settings { level, redact: Redaction::default() })
        .map_err(|error| failed(&error))?;
    let of_ticks = if format == Format::Json { log.of_ticks() } else { told() };
    if let Some(after) = leave_after {
        thread::spawn(move || {
            thread::park_timeout(after);
            // As if it had been sent from outside; a process that cannot signal itself runs on until Ctrl-C.
            drop(signal_hook::low_level::raise(SIGTERM));
        });
    }
    let setup = Setup {
        loader: Arc::new(move || load(&policies, &database, &audit)),
        audit: Audit::AsLoaded,
        once: false,
        dry_run: !args.enforce,
        log: of_ticks,
        manager: None,
        board: Some(board),
    };
    let left = run_daemon(setup);
    let last_words =
        left.as_ref().err().map(|error: &RunError| format!("error: {}\n", with_causes(error)));
    log.close(last_words.unwrap_or_default());
    runtime.block_on(server.stop());
    left.map(|()| ExitStatus::Fine).map_err(|error| CliError::Runtime(with_causes(&error)))
}

/// Ticks on standard output, for whoever watches. One who has gone is not told.
fn told() -> TickLog {
    let mut story = Story::default();
    TickLog::told_by(Teller(Box::new(move |report| {
        story.tell(report, &mut io::stdout().lock()).ok();
    })))
}

fn duration(text: &str) -> Result<Duration, CliError> {
    let span =
        durations::duration(text).map_err(|why| CliError::Usage(format!("--for {text}: {why}")))?;
    Ok(span.to_duration())
}

fn scenario(args: &Args) -> Result<Scenario, CliError> {
    let like = match args.scenario.as_str() {
        "oltp" => Like::Oltp,
        "batch" => Like::Batch,
        "storm" => Like::Storm,
        other => return Err(CliError::Usage(format!("--scenario {other}: oltp, batch or storm"))),
    };
    let database = DatabaseSpec { like: Some(like), ..DatabaseSpec::default() };
    Ok(Scenario { speed: args.speed, seed: args.seed, databases: vec![database] })
}

/// The shipped policies, or those named, as the demo runs them: often, and with `--enforce` in earnest.
fn policies(args: &Args, console: &mut Console) -> Result<PolicySet, CliError> {
    let (compiled, diagnostics) = if args.policy.is_empty() {
        let files: Vec<SourceFile> = SHIPPED
            .iter()
            .map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).to_owned() })
            .collect();
        policies::compile(&files)
    } else {
        load_policies(&args.policy)
    };
    show(&diagnostics, console);
    let mut policies =
        compiled.ok_or_else(|| CliError::BadPolicy("the policies do not load".to_owned()))?;
    let expression = format!("*/{} * * * * *", args.every);
    for rule in &mut policies.rules {
        // A crowd of idle sessions, which would halt the rule, is the point here: the first of them are taken.
        rule.limits.on_exceed = OnExceed::Truncate;
        rule.schedule = Schedule::parse(&expression, rule.timezone).map_err(CliError::Runtime)?;
        if args.enforce {
            rule.mode = Mode::Enforce;
        }
    }
    Ok(policies)
}

/// The simulated database as a configuration would name it, with the password in a file beside it.
fn configured(server: &Server, folder: &Path) -> Result<(Database, PathBuf), String> {
    std::fs::write(folder.join("password"), "orawarden").map_err(|error| error.to_string())?;
    let text = format!(
        "version: 1\npolicies: [none]\ndatabases:\n  - name: demo\n    driver: thin\n    connect: //{}/RACDB\n    \
         username: ORAWARDEN\n    password: {{file: password}}\n",
        server.address()
    );
    let config = folder.join("orawarden.yaml");
    let (service, diagnostics) = service::decode(&SourceFile { name: "demo".to_owned(), text });
    let database = service.and_then(|service| service.databases.into_iter().next());
    database.map(|database| (database, config)).ok_or_else(|| format!("{diagnostics:?}"))
}

/// A database whose clock runs at a pace of its own.
struct Accelerated(Box<dyn SessionSource + Send>);

impl SessionSource for Accelerated {
    fn observe(&mut self, needs: &Needs) -> Result<Snapshot, SourceError> {
        self.0.observe(needs)
    }

    fn is_live(&self) -> bool {
        false
    }
}

fn load(
    policies: &PolicySet,
    database: &(Database, PathBuf),
    audit: &Path,
) -> Result<Loaded, LoadError> {
    let live = Live::of(&database.0, &database.1);
    let live = live.ok_or_else(|| LoadError::Files("the demo has no database".to_owned()))?;
    let mut target = live.target(&database.0);
    target.source = Box::new(Accelerated(target.source));
    Ok(Loaded {
        policies: policies.clone(),
        targets: vec![target],
        audit: Some(audit.to_owned()),
        holds: None,
        log: None,
        hooks: Vec::new(),
    })
}

fn introduction(args: &Args, server: &Server, page: SocketAddr, audit: &Path) -> String {
    let ends = if args.enforce {
        "sessions are really ended there"
    } else {
        "nobody is ended (--enforce does)"
    };
    format!(
        "a simulated two-instance RAC database is at //{}/RACDB ({} times as fast as life); {ends}\n\
         rules are due every {} s here, and beyond their limits take the first victims instead of none\n\
         what the daemon sees and does is shown on http://{page}/\n\
         log in to it with any Oracle client as app/app or system/manager\n\
         the audit is in {} until this ends; Ctrl-C stops",
        server.address(),
        args.speed,
        args.every,
        audit.display()
    )
}
