//! `man`: the manual pages, made from the definition of the command line.

use std::path::PathBuf;

use super::console::Console;
use super::exit::{CliError, ExitStatus};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write a page for the command and for each verb into this directory instead, for packages
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints one page in roff, of the command and every verb, or writes them as pages of their own.
pub(super) fn run(
    args: &Args,
    console: &mut Console,
    command: &clap::Command,
) -> Result<ExitStatus, CliError> {
    if let Some(directory) = &args.out {
        clap_mangen::generate_to(command.clone(), directory)?;
        return Ok(ExitStatus::Fine);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for verb in command.get_subcommands() {
        let verb = verb.clone().bin_name(format!("orawarden {}", verb.get_name()));
        let verb = clap_mangen::Man::new(verb);
        verb.render_synopsis_section(&mut page)?;
        verb.render_description_section(&mut page)?;
        verb.render_options_section(&mut page)?;
    }
    console.out().write_all(&page)?;
    Ok(ExitStatus::Fine)
}
