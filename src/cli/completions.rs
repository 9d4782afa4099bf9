//! `completions`: what a shell needs to complete our command line.

use super::console::Console;
use super::exit::{CliError, ExitStatus};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints the completions.
pub(super) fn run(
    args: &Args,
    console: &mut Console,
    command: &mut clap::Command,
) -> Result<ExitStatus, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "orawarden", &mut script);
    console.out().write_all(&script)?;
    Ok(ExitStatus::Fine)
}
