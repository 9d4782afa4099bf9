//! Adapter: snapshots as files.

pub mod source;
