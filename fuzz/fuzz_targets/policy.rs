//! Any bytes as a policy file, a test file and a configuration: diagnostics or a result, never a panic or a hang.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orawarden::config::diagnostic::SourceFile;
use orawarden::config::{policies, render, service, tests_file};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = SourceFile { name: "fuzz.yaml".to_owned(), text: text.to_owned() };
    let (_, diagnostics) = policies::compile(std::slice::from_ref(&file));
    let _ = render::text(&diagnostics, false);
    let _ = render::json_lines(&diagnostics);
    let _ = tests_file::decode(&file);
    let _ = service::decode(&file);
});
