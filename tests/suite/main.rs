//! The one integration test binary: every module is a kind of test, and most cases are files.

mod fixture;
mod invariants;
mod tidy;
