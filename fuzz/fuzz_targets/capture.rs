//! Any bytes as a capture: an answer or an error, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orawarden::capture::{ReadOptions, read};

fuzz_target!(|bytes: &[u8]| {
    drop(read(bytes, &ReadOptions::default()));
});
