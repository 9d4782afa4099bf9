//! The `orawarden` binary: parse arguments, call one function, turn its result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    orawarden::cli::main()
}
