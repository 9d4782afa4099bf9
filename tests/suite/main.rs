//! The one integration test binary: every module is a kind of test, and most cases are files.

mod by_hand;
mod captures;
mod command_line;
mod daemon;
mod demo;
mod drivers;
mod fixture;
mod grants;
mod holds;
mod hung;
mod invariants;
mod live;
mod looking;
mod plans;
mod policies;
mod queries;
mod relay;
mod rig;
mod secrets;
mod tidy;
