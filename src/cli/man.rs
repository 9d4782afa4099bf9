//! `man`: the manual page, made from the definition of the command line.

use super::console::Console;
use super::exit::{CliError, ExitStatus};

/// Prints the page in roff: the command and every verb.
pub(super) fn run(console: &mut Console, command: &clap::Command) -> Result<ExitStatus, CliError> {
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
