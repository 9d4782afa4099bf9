//! `man`: the manual pages, made from the definition of the command line.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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
        write_pages(command, directory)?;
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
    page.extend_from_slice(ENDING.as_bytes());
    console.out().write_all(&page)?;
    Ok(ExitStatus::Fine)
}

/// What the definition of the command line does not know: where things are, and where to read on.
const ENDING: &str = "\
.SH FILES
.TP
/etc/orawarden/orawarden.yaml
The configuration of the service.
.TP
/etc/orawarden/policies
The policies that it names.
.TP
/etc/orawarden/credentials
Passwords, for systemd to hand to the service. A verb that is typed by hand finds them with
CREDENTIALS_DIRECTORY=/etc/orawarden/credentials in its environment.
.TP
/var/lib/orawarden/audit.jsonl
What was decided and done.
.TP
/usr/share/orawarden
Policies to start from, schemas for editors, drop-ins of the service, alert rules and a dashboard.
.SH \"SEE ALSO\"
.BR orawarden (1),
.BR journalctl (1)
.PP
The guide begins in /usr/share/doc/orawarden/getting-started.md.
";

/// A page for the command and for each verb.
fn write_pages(command: &clap::Command, directory: &Path) -> io::Result<()> {
    clap_mangen::generate_to(command.clone(), directory)?;
    let verbs = command.get_subcommands().map(|verb| format!("orawarden-{}.1", verb.get_name()));
    for page in verbs.chain(["orawarden.1".to_owned()]) {
        let mut page = OpenOptions::new().append(true).open(directory.join(page))?;
        page.write_all(ENDING.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::write_pages;

    #[test]
    fn every_page_says_where_things_are_and_where_to_read_on() {
        let folder = tempfile::tempdir().expect("a directory");
        let verbs = ["plan", "run"].map(clap::Command::new);
        let command = clap::Command::new("orawarden").subcommands(verbs);
        // A second time over the first.
        for _ in 0..2 {
            write_pages(&command, folder.path()).expect("it can be written");
        }
        for name in ["orawarden", "orawarden-plan", "orawarden-run"] {
            let page = fs::read_to_string(folder.path().join(format!("{name}.1")));
            let page = page.expect("there is a page");
            assert_eq!(page.matches(".SH FILES").count(), 1, "{page}");
            assert!(page.starts_with(".ie") && page.contains("getting-started.md"), "{page}");
        }
    }
}
