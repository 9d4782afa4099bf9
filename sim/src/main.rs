//! `rac-sim`: starts a simulated Oracle RAC database and serves clients until it is told to stop.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use rac_sim::scenario::Scenario;
use rac_sim::server::{Options, Server};
use rac_sim::wire::{self, Tls};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated Oracle RAC database that real Oracle clients log in to.
///
/// It listens on 127.0.0.1 only. On stdout it prints `rac-sim ready on 127.0.0.1:PORT` when clients can log in.
/// SIGUSR1 prints its status to stderr; SIGTERM and SIGINT stop it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A scenario file, or one of quiet, oltp, batch, storm, fleet.
    #[arg(long, value_name = "FILE", default_value = "oltp")]
    scenario: String,
    /// The port to listen on; 0 picks one.
    #[arg(long, default_value_t = 1521)]
    port: u16,
    /// How many instances each database has, whatever the scenario says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    instances: Option<u32>,
    /// Where chance begins, whatever the scenario says.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How much faster than real time the models run; 0: time stands still.
    #[arg(long, value_name = "X")]
    speed: Option<f64>,
    /// A PEM file with a certificate: then clients have to speak TCPS.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// A PEM file with the certificate's key.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("rac-sim: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            // With stderr gone nobody reads it either way.
            drop(writeln!(io::stderr(), "{text}"));
            ExitCode::FAILURE
        }
    }
}

type AnyError = Box<dyn std::error::Error>;

fn run(arguments: &Arguments) -> Result<(), AnyError> {
    let scenario = match Scenario::shipped(&arguments.scenario) {
        Some(scenario) => scenario,
        None => Scenario::parse(&read(Path::new(&arguments.scenario))?)?,
    };
    let tls = match (&arguments.certificate, &arguments.key) {
        (Some(chain), Some(key)) => Some(Tls::from_pem(&read(chain)?, &read(key)?)?),
        _ => None,
    };
    let options = Options {
        port: arguments.port,
        instances: arguments.instances,
        seed: arguments.seed,
        speed: arguments.speed,
        wire: wire::Options { tls, ..wire::Options::default() },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&scenario, options))
}

/// The text of a file. The error names it.
fn read(file: &Path) -> Result<String, AnyError> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Serves until a signal says to stop.
async fn serve(scenario: &Scenario, options: Options) -> Result<(), AnyError> {
    // Before the ready line, so that a signal right after it is not lost.
    let mut status = signal(SignalKind::user_defined1())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::start(scenario, options).await?;
    writeln!(io::stdout(), "rac-sim ready on {}", server.address())?;
    io::stdout().flush()?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = status.recv() => write!(io::stderr(), "{}", server.status())?,
        }
    }
    server.stop().await;
    Ok(())
}
