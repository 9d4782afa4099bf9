//! Consumers of what a tick decided and did: log, audit and JSON are views of the same values. Nothing here decides,
//! and nothing here is asked before a decision; `daemon` and `cli` call it afterwards, and the audit also before.

pub mod audit;
pub mod board;
pub mod http;
pub mod log;
pub mod metrics;
pub mod notify;
pub mod page;
pub mod plan_json;

#[cfg(test)]
pub(crate) mod fixture;
