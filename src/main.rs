//! The `orawarden` binary: parse arguments, call one function, turn its result into an exit code.

fn main() {}
