//! The loop that keeps watch: it knows when rules are due, runs one tick at a time per database on a thread of its
//! own, and hands what came out to `observe`. It decides nothing: decisions come from `engine`, and sessions are seen
//! and ended through `ports`. The wall clock is read here and nowhere else.

pub mod executor;
pub mod holds;
pub mod killer;
pub mod manager;
pub mod memory;
pub mod pace;
pub mod recheck;
pub mod reload;
pub mod run;
pub mod shared_audit;
mod signals;
mod standing_news;
pub mod target;
pub mod tick;
pub mod timetable;
