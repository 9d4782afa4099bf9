//! `schema`: the JSON Schema of a kind of file, or the reference, made from the same tables as the loader.

use super::Format;
use super::console::Console;
use super::exit::{CliError, ExitStatus};
use crate::config::{reference, schema};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which kind of file
    #[arg(value_enum, default_value_t = Kind::Policy)]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Policy files
    Policy,
    /// Policy test files
    Test,
    /// The service's configuration
    Config,
    /// Not a schema: the reference of all of them and of the exit codes, in Markdown
    Reference,
}

/// Prints the schema.
pub(super) fn run(
    args: &Args,
    format: Format,
    console: &mut Console,
) -> Result<ExitStatus, CliError> {
    format.among(&[Format::Text, Format::Json])?;
    let schema = match args.kind {
        Kind::Policy => schema::policy_schema(),
        Kind::Test => schema::test_schema(),
        Kind::Config => schema::config_schema(),
        Kind::Reference => {
            write!(console.out(), "{}{}", reference::markdown(), exit_codes())?;
            return Ok(ExitStatus::Fine);
        }
    };
    write!(console.out(), "{}", schema::printed(&schema))?;
    Ok(ExitStatus::Fine)
}

fn exit_codes() -> String {
    let rows = ExitStatus::ALL.map(|status| format!("| {} | {} |\n", status as u8, status.doc()));
    format!("\n## Exit codes\n\n| code | meaning |\n|---|---|\n{}", rows.concat())
}
