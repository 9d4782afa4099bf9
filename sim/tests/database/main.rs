//! A simulated database without the wire: what its clients' statements do, to it and to each other.

mod applications;
mod arrays;
mod collections;
mod contexts;
mod cursors;
mod heavy;
mod host_arrays;
mod limits;
mod merge;
mod modes;
mod kills;
mod managed;
mod passwords;
mod privileges;
mod rowids;
mod rows;
mod settings;
mod support;
mod table_locks;
mod transactions;
mod user_locks;
mod utilities;
