//! orawarden: the session warden for Oracle databases.

pub mod capture;
pub mod daemon;
pub mod engine;
pub mod observe;
pub mod ports;
