//! The command line: what was typed, turned into one call, and its result into an exit code.
//!
//! One file per verb, each with the same two things: `Args`, what can be typed, and `run`. Verbs write to a
//! `console::Console`, never to the process's own streams, so that tests can read what people would.

mod check;
mod check_live;
mod completions;
mod console;
mod doctor;
mod exit;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod grants;
mod holds;
mod hooks;
mod inputs;
mod kill;
mod live;
mod man;
mod plan;
mod record;
mod replay;
mod run;
mod schema;
mod sessions;
#[cfg(feature = "demo")]
mod story;
mod systemd;
mod table;
mod test;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use console::{ColorChoice, Console};
use exit::{CliError, ExitStatus};

use crate::oracle::worker;

/// The session warden for Oracle databases.
///
/// Policies in YAML decide which user sessions are ended, and why. Nothing is ended unless a rule says `mode: enforce`.
#[derive(Debug, Parser)]
#[command(name = "orawarden", version, max_term_width = 100, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    global: Global,
}

/// What every verb takes.
#[derive(Debug, clap::Args)]
struct Global {
    /// The configuration of the service
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        default_value = "/etc/orawarden/orawarden.yaml"
    )]
    config: std::path::PathBuf,
    /// How the result is written; each verb says which it knows
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Whether to use colours
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line, stable and documented
    Json,
    /// SQL*Plus's CSV (sessions)
    Csv,
    /// JUnit XML (test)
    Junit,
    /// Workflow commands (check, test)
    Github,
}

impl Format {
    /// Itself, if the verb knows it.
    fn among(self, known: &[Self]) -> Result<Self, CliError> {
        if known.contains(&self) {
            Ok(self)
        } else {
            Err(CliError::Usage(format!(
                "this verb has no --format {}",
                clap::ValueEnum::to_possible_value(&self)
                    .map_or_else(String::new, |it| it.get_name().to_owned())
            )))
        }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon
    Run(run::Args),
    /// Check policies, policy tests and configurations without a database
    Check(check::Args),
    /// Run policy tests
    Test(test::Args),
    /// Say who would be ended, by which rule and why, and who is spared and why
    Plan(plan::Args),
    /// Say what every rule makes of one session
    Explain(explain::Args),
    /// List sessions
    Sessions(sessions::Args),
    /// End a session, or those that run a statement, by hand
    Kill(kill::Args),
    /// Write what a live database shows as a capture, once or again and again
    Record(record::Args),
    /// Say what the daemon would have done over the snapshots of captures
    Replay(replay::Args),
    /// Say whether the configured databases can be worked with, and what is missing
    Doctor(doctor::Args),
    /// Print what has to be granted, as SQL
    Grants(grants::Args),
    /// Let enforcing rules end nobody for a while
    Pause(holds::PauseArgs),
    /// End pauses of exactly this scope; without one, those of everything
    Resume(holds::ResumeArgs),
    /// Leave some sessions alone for a while
    Silence(holds::SilenceArgs),
    /// List pauses and silences
    Silences,
    /// Watch a simulated cluster inside this process
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Print the JSON Schema of a kind of file
    Schema(schema::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

/// Parses the process's arguments, runs the verb and says how it went.
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == worker::ARGUMENT) {
        // Nobody types this; what it has to say goes through its pipes.
        return worker::run().map_or(ExitStatus::Bug, |()| ExitStatus::Fine).into();
    }
    // Verbs read passwords. Where the system refuses this, the work is done all the same.
    drop(worker::keep_secrets());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let mut console = Console::of_process(cli.global.color);
    let status = match dispatch(&cli, &mut console) {
        Ok(status) => status,
        Err(error) => {
            console.error(&error);
            error.status()
        }
    };
    console.flush(status).into()
}

fn dispatch(cli: &Cli, console: &mut Console) -> Result<ExitStatus, CliError> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Run(args) => run::run(args, global, console),
        Verb::Check(args) => check::run(args, global, console),
        Verb::Test(args) => test::run(args, global, console),
        Verb::Plan(args) => plan::run(args, global, console),
        Verb::Explain(args) => explain::run(args, global, console),
        Verb::Sessions(args) => sessions::run(args, global, console),
        Verb::Kill(args) => kill::run(args, global, console),
        Verb::Record(args) => record::run(args, global, console),
        Verb::Replay(args) => replay::run(args, global, console),
        Verb::Doctor(args) => doctor::run(args, global, console),
        Verb::Grants(args) => grants::run(args, global, console),
        Verb::Pause(args) => holds::pause(args, global, console),
        Verb::Resume(args) => holds::resume(args, global, console),
        Verb::Silence(args) => holds::silence(args, global, console),
        Verb::Silences => holds::list(global, console),
        #[cfg(feature = "demo")]
        Verb::Demo(args) => demo::run(args, global, console),
        Verb::Schema(args) => schema::run(args, cli.global.format, console),
        Verb::Completions(args) => completions::run(args, console, &mut Cli::command()),
        Verb::Man(args) => man::run(args, console, &Cli::command()),
    }
}

/// Help and version are answers; everything else is a mistake.
fn refuse(error: &clap::Error) -> ExitCode {
    let status = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitStatus::Fine,
        _ => ExitStatus::Usage,
    };
    // Nothing is left to do when even this cannot be printed.
    match error.print() {
        Ok(()) => status.into(),
        Err(_) => ExitStatus::Output.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds() {
        Cli::command().debug_assert();
    }
}
