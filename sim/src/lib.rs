//! A simulated Oracle RAC database, for tests and demonstrations of programs that watch and end sessions.
//!
//! It is a model built from documentation: what it answers is evidence about the program under test, never about
//! Oracle. Where Oracle's behaviour is not established there is a switch, so that a test can try every possibility.
//!
//! From the inside out:
//!
//! - [`value`]: what a column or a bind can hold.
//! - [`ora`]: errors as Oracle numbers them.
//! - [`cluster`]: the model: instances, sessions, transactions, locks; a virtual clock; no IO.
//! - [`catalog`]: the model's state as tables, and what an account may see of them.
//! - [`sql`]: statements over these tables.
//! - [`conversation`]: what a logged-in client can ask; the seam between the database and the wire.
//! - [`database`]: accounts and sessions over one cluster: what a client's statements do to it.
//! - [`wire`]: Oracle Net, so that unmodified clients can log in.
//! - [`scenario`]: what a process plays, as a file.
//! - [`server`]: databases, a listener and a clock that runs, put together.

pub mod catalog;
pub mod cluster;
pub mod conversation;
pub mod database;
pub mod ora;
pub mod scenario;
pub mod server;
pub mod sql;
pub mod value;
pub mod wire;
