//! The decision, and nothing else: no IO, no clock, no logging, no async. The same inputs give the same plan, byte for
//! byte.

pub mod bits;
pub mod condition;
pub mod decide;
pub mod evaluate;
pub mod explain;
pub mod facts;
pub mod group;
pub mod guard;
pub mod history;
pub mod like;
pub mod plan;
pub mod policy;
pub mod protect;
pub mod report;
pub mod schedule;
pub mod session;
pub mod spare;
pub mod sql_text;
pub mod text;
pub mod time;
pub mod waits;
pub mod witness;
