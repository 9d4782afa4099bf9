//! The decision, and nothing else: no IO, no clock, no logging, no async. The same inputs give the same plan, byte for
//! byte.

pub mod command;
pub mod condition;
pub mod like;
pub mod policy;
pub mod schedule;
pub mod session;
pub mod text;
pub mod time;
