//! The one integration test binary: every module is a kind of test, and most cases are files.

mod by_hand;
mod captures;
mod clock;
mod command_line;
mod crashes;
mod daemon;
mod disk;
mod fixture;
mod grants;
mod holds;
mod invariants;
mod leaders;
mod live;
mod network;
mod plans;
mod policies;
mod proxy;
mod rig;
mod tidy;
mod warden;
