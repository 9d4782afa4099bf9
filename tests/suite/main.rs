//! The one integration test binary: every module is a kind of test, and most cases are files.

mod by_hand;
mod captures;
mod command_line;
mod daemon;
mod drivers;
mod fixture;
mod grants;
mod holds;
mod hung;
mod invariants;
mod live;
mod plans;
mod policies;
mod relay;
mod rig;
mod secrets;
mod tidy;
