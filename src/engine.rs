//! The decision, and nothing else: no IO, no clock, no logging, no async. The same inputs give the same plan, byte for
//! byte.
//!
//! In reading order: the nouns ([`text`] to [`policy`]), the steps ([`evaluate`], [`plan`], [`guard`]) with what each
//! needs, and [`decide`], which is the one path through them.

pub mod text;
pub mod time;
pub mod session;
pub mod command;
pub mod like;
pub mod condition;
pub mod schedule;
pub mod window;
pub mod policy;

pub mod sql_text;
pub mod waits;
pub mod facts;
pub mod explain;
pub mod bits;
pub mod evaluate;

pub mod protect;
pub mod group;
pub mod spare;
pub mod pursuit;
pub mod breaker;
pub mod history;
pub mod plan;

pub mod witness;
pub mod needs;
mod limit;
pub mod standing;
pub mod guard;
pub mod decide;
pub mod seen;
pub mod report;
