//! A simulated database without the wire: what its clients' statements do, to it and to each other.

mod applications;
mod kills;
mod managed;
mod privileges;
mod rows;
mod settings;
mod support;
