//! What is typed and what comes out, verb by verb: the cases are the `console` blocks in `tests/cli`, run in that
//! directory. `TRYCMD=overwrite cargo test command_line` rewrites what comes out.

#[test]
fn what_is_typed_gives_what_is_written() {
    let cases = trycmd::TestCases::new();
    cases.case("tests/cli/*.trycmd");
    cases.run();
}
