//! The wire, tried by real clients and by bad ones, over a database that is not a model but a handful of answers.

mod bad_input;
mod breaks;
mod clients;
mod fake;
