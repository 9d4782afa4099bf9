//! Bytes from a client, as packets and as messages.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| rac_sim::wire::read_anything(bytes));
