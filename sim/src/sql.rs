//! Statements over a [`Catalog`](crate::catalog::Catalog): SELECT in Oracle's dialect, the commands that a session
//! manager sends, and anonymous PL/SQL.
//!
//! - [`statement`]: text to a [`statement::Command`] that the caller carries out.
//! - [`query`]: a SELECT to rows.
//! - [`dml`]: INSERT, UPDATE and DELETE to the rows that change; the caller changes them.
//! - [`plsql`]: blocks, which call the outside through [`plsql::Host`] and can wait there.
//! - [`environment`]: what a statement needs besides tables.
//!
//! The evaluator is our own and no embedded SQL engine stands behind it. One was the first idea, but every rule that a
//! client can see differs there: NULL is the empty string, a DATE minus a DATE is days as an exact NUMBER, text meets
//! numbers by ORA-01722, ROWNUM, `(+)` and CONNECT BY, the described types, and each error's number and position. All
//! of it would have to be rewritten on the way in and checked again on the way out, for a few thousand rows that never
//! leave memory. PL/SQL needs the parser and the expressions in any case.

mod ast;
mod code;
mod compile;
pub(crate) mod datetime;
pub(crate) mod format;
mod functions;
pub mod dml;
pub mod environment;
mod evaluate;
mod execute;
pub mod language;
mod lex;
pub mod meter;
pub(crate) mod number;
mod parse;
pub mod plsql;
pub mod query;
pub mod statement;
