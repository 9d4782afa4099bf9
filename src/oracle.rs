//! The adapter for live databases.
//!
//! A connection lives in a process of its own ([`worker`]), started from this very program: a client library that
//! crashes, a beta driver that aborts and a call that never returns cost that process and nothing else. [`host`] is
//! the daemon's end of the pipe, [`link`] the one seam over both drivers. On top of it: what to ask a database, and how
//! a session is compared and ended in one call.

// Without a driver nobody gathers rows.
#![cfg_attr(not(any(feature = "oci", feature = "thin")), allow(dead_code, unused_imports))]

pub mod block;
pub mod codes;
pub mod columns;
pub mod connection;
pub mod datum;
pub mod doctor;
pub mod error;
pub mod grants;
pub mod host;
pub mod killer;
mod leadership;
pub mod link;
#[cfg(feature = "oci")]
mod oci;
pub mod protocol;
mod queries;
mod reader;
pub mod secret;
pub mod source;
pub mod statement;
#[cfg(feature = "thin")]
mod thin;
pub mod worker;
