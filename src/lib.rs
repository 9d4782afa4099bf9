//! orawarden: the session warden for Oracle databases.

pub mod capture;
pub mod config;
pub mod engine;
