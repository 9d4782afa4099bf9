//! orawarden: the session warden for Oracle databases.

pub mod engine;
