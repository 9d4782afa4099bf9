//! YAML text to compiled engine types, or every diagnostic at once.
//!
//! Text is read into nodes that know their place (`yaml`), nodes are read through tables of keys (`shape`), and
//! the tables are also what the JSON Schemas are printed from. Nothing here does IO but `load`, and nothing here
//! decides about sessions: that is the engine's, on which this module alone depends.

pub mod diagnostic;
pub mod render;

mod yaml;

mod shape;
mod suggest;
mod values;

pub mod durations;
mod matchers;
mod patterns;

pub mod conditions;
mod contradictions;

mod actions;
mod exemptions;
mod limits;
mod breaker;
mod rules;
mod shadows;
mod victims;

pub mod canonical;
pub mod policies;

pub mod cells;
mod secret;
pub mod notify;
pub mod service;
pub mod holds;
pub mod tests_file;

pub mod load;
pub mod reference;
pub mod schema;
