//! orawarden: the session warden for Oracle databases.
//!
//! One tick is a straight line, and nothing flows back:
//!
//! ```text
//!  policies (YAML) ──config──▶ PolicySet
//!                                 │
//!  schedule ─due─▶ observe ─▶ evaluate ─▶ plan ─▶ guard ─▶ act ─▶ report
//! ```
//!
//! [`engine`] decides and does nothing else; [`config`] reads what people write; [`ports`] are what the decision needs
//! of the world, and [`capture`] and [`oracle`] are its two sides; [`daemon`] is the loop; [`observe`] tells what
//! happened; [`cli`] puts it all together.

pub mod engine;
pub mod config;
pub mod ports;
pub mod capture;
pub mod oracle;
pub mod observe;
pub mod daemon;
pub mod cli;
