//! `grants`: the least that has to be granted, as SQL for a DBA to read and run. It reaches for no database.

use super::console::Console;
use super::exit::{CliError, ExitStatus};
use super::{Format, Global};
use crate::oracle::grants::{Ending, Wanted, script, wrapper};
use crate::oracle::protocol::Release;

/// Names of accounts and procedures are never longer (30 before 12.2).
const NAME_BYTES_MAX: usize = 128;

/// What can be typed.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Args {
    /// The daemon's account
    #[arg(long, value_name = "NAME", default_value = "ORAWARDEN")]
    account: String,
    /// Print a procedure that ends sessions, too, so that the account needs no ALTER SYSTEM
    #[arg(long, value_name = "OWNER.NAME", conflicts_with_all = ["dry_run_only", "rds"])]
    wrapper: Option<String>,
    /// Only what it takes to look
    #[arg(long, conflicts_with = "rds")]
    dry_run_only: bool,
    /// For Amazon RDS
    #[arg(long)]
    rds: bool,
    /// For a common user of a container database's root
    #[arg(long)]
    root: bool,
    /// For `topology: per-instance`
    #[arg(long)]
    per_instance: bool,
    /// Without the election of one daemon among several
    #[arg(long)]
    no_leadership: bool,
    /// The server's release: 11.2, 12.1, 19, …
    #[arg(long, value_name = "RELEASE", default_value = "19", value_parser = release)]
    release: Release,
}

/// Prints the script.
pub(super) fn run(
    args: &Args,
    global: &Global,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    global.format.among(&[Format::Text])?;
    if args.root && args.release < Release::new(12, 1) {
        return Err(CliError::Usage("--root: there are no containers before 12.1".to_owned()));
    }
    let is_name = |name: &str| name.split('.').all(is_identifier);
    if !is_identifier(&args.account) {
        return Err(CliError::Usage(format!("--account {}: not a name", args.account)));
    }
    let ending = match &args.wrapper {
        Some(procedure) if procedure.matches('.').count() == 1 && is_name(procedure) => {
            Ending::Wrapper(procedure.clone())
        }
        Some(other) => return Err(CliError::Usage(format!("--wrapper {other}: not OWNER.NAME"))),
        None if args.dry_run_only => Ending::Never,
        None if args.rds => Ending::Rds,
        None => Ending::AlterSystem,
    };
    let wanted = Wanted {
        account: args.account.clone(),
        ending,
        leadership: !args.no_leadership,
        root: args.root,
        per_instance: args.per_instance,
        release: args.release,
    };
    if let Ending::Wrapper(procedure) = &wanted.ending {
        writeln!(console.out(), "{}", wrapper(procedure, &wanted))?;
    }
    write!(console.out(), "{}", script(&wanted))?;
    Ok(ExitStatus::Fine)
}

/// A name that needs no quotes, and so cannot end the statement that it stands in.
fn is_identifier(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$#".contains(&byte))
}

/// `19`, `19.28`, `12.1`.
fn release(text: &str) -> Result<Release, String> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let number = |part: &str| part.parse().map_err(|_| "not a release such as 12.1".to_owned());
    let release = Release::new(number(major)?, number(minor)?);
    if release < Release::new(11, 2) {
        return Err("releases before 11.2 are not supported".to_owned());
    }
    Ok(release)
}
