//! Rules about the source itself. Each is a function from text to a list of offenders, `file:line: why`, and each has
//! a deliberately bad sample beside it, so that a rule which has stopped looking is noticed. Needles are put together
//! with `concat!`, so that this file is held to its own rules.

use std::fs;
use std::path::Path;

/// A file of the repository: its path from the root, with `/`, and its text.
type File = (String, String);

/// Which top modules of the crate each top module may name, besides itself. `cli` puts everything together.
const LAYERS: [(&str, &[&str]); 8] = [
    ("engine", &[]),
    ("ports", &["engine"]),
    ("observe", &["engine", "ports"]),
    ("config", &["engine"]),
    ("capture", &["engine", "ports"]),
    ("oracle", &["engine", "ports"]),
    ("daemon", &["engine", "ports", "config", "observe"]),
    ("cli", &["engine", "ports", "observe", "config", "capture", "oracle", "daemon"]),
];

/// What a pure module has no use for.
const IMPURE: [&str; 14] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::thread",
    "Instant",
    "SystemTime",
    "Utc::now",
    "Local::now",
    "tracing",
    "tokio",
    "async ",
    "print!",
    "println!",
];

/// Lines of the log that say nothing of their kind: `say!` does.
const UNKIND: [&str; 6] = ["trace!(", "debug!(", "info!(", "warn!(", "error!(", "tracing::event!("];

/// File names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 3] = ["utils.rs", "common.rs", "helpers.rs"];

const LINES_MAX: usize = 700;
const COLUMNS_MAX: usize = 120;

/// Work left for later, and tests that do not test.
const LEFT_OVERS: [&str; 7] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("#[", "ignore"),
    concat!("should", "_panic"),
    concat!("thread::", "sleep"),
];

/// Paths of somebody's machine, and names of hosts that a build takes from its configuration.
const FOREIGN: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("../sha", "red"),
    concat!("crates", ".io"),
    concat!("/ro", "ot/"),
    concat!("/tm", "p/w/"),
];

/// Directories that hold what tools made. `.git` is a file in a linked work tree.
const SKIPPED: [&str; 8] = [
    ".git",
    "target",
    "fuzz/target",
    "fuzz/artifacts",
    "fuzz/corpus",
    "sim/fuzz/target",
    "sim/fuzz/artifacts",
    "sim/fuzz/corpus",
];

fn direction(path: &str, text: &str) -> Vec<String> {
    let Some(module) = top_module(path) else { return Vec::new() };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{path}:1: the module {module} has no place among the layers")];
    };
    offenders(path, text, |line| {
        code(line).split("crate::").skip(1).find_map(|rest| {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if name.is_empty() {
                return Some("name the module right after crate::".to_owned());
            }
            let fine = name == module || allowed.contains(&name.as_str());
            (!fine).then(|| format!("{module} must not use {name}"))
        })
    })
}

/// The module right under the crate root; none for the two roots themselves.
fn top_module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let module = inside.split('/').next()?;
    let module = module.strip_suffix(".rs").unwrap_or(module);
    (inside != "main.rs" && inside != "lib.rs").then_some(module)
}

fn purity(path: &str, text: &str) -> Vec<String> {
    let is_model = path.starts_with("sim/src/cluster");
    if top_module(path) != Some("engine") && !is_model {
        return Vec::new();
    }
    let what = if is_model { "model" } else { "engine" };
    offenders(path, text, |line| {
        let needle = IMPURE.iter().find(|needle| code(line).contains(**needle))?;
        Some(format!("the {what} is pure, and this names {}", needle.trim()))
    })
}

fn opening(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!("{path}:1: opens without //! to say what the file is for")]
}

fn naming(path: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if !EMPTY_NAMES.contains(&name) {
        return Vec::new();
    }
    vec![format!("{path}:1: the name says nothing about what is inside")]
}

fn size(path: &str, text: &str) -> Vec<String> {
    let mut found = offenders(path, text, |line| {
        let columns = line.chars().count();
        (columns > COLUMNS_MAX).then(|| format!("{columns} characters, at most {COLUMNS_MAX}"))
    });
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push(format!("{path}:{lines}: {lines} lines, at most {LINES_MAX}"));
    }
    found
}

fn left_overs(path: &str, text: &str) -> Vec<String> {
    contains_none(path, text, &LEFT_OVERS)
}

fn foreign(path: &str, text: &str) -> Vec<String> {
    contains_none(path, text, &FOREIGN)
}

/// A dependency needs a comment right above it, or to follow one of its own family that has it (`clap_mangen` after
/// `clap`).
fn unexplained_dependencies(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut commented = false;
    let mut family: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        }
        let names = line.starts_with(|c: char| c.is_ascii_alphabetic());
        if inside && names {
            let name = line.split([' ', '=', '.']).next().unwrap_or(line);
            if commented {
                family = Some(name);
            } else if !family.is_some_and(|family| name.starts_with(family)) {
                found.push(format!("{path}:{}: {name} has no comment that says why", index + 1));
            }
        } else if !line.starts_with([' ', ']']) {
            family = None;
        }
        commented = line.starts_with('#');
    }
    found
}

fn unkind(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("src/observe/log/") {
        return Vec::new();
    }
    offenders(path, text, |line| {
        let needle = UNKIND.iter().find(|needle| code(line).contains(**needle))?;
        Some(format!("{needle}…) is a line of no kind; say!(…) of observe::log has one"))
    })
}

fn contains_none(path: &str, text: &str, needles: &[&str]) -> Vec<String> {
    offenders(path, text, |line| {
        let needle = needles.iter().find(|needle| line.contains(**needle))?;
        Some(format!("contains {needle}"))
    })
}

fn offenders(path: &str, text: &str, why: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let judged = text.lines().enumerate().filter_map(|(index, line)| {
        let why = why(line)?;
        Some(format!("{path}:{}: {why}", index + 1))
    });
    judged.collect()
}

/// The line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

/// Every text file of the repository, in the order of their paths.
fn repository() -> Vec<File> {
    let mut files = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    files.sort();
    assert!(files.iter().any(|(path, _)| path == "src/lib.rs"), "the walk finds the sources");
    files
}

fn walk(directory: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(directory).expect("a directory of the repository can be listed") {
        let entry = entry.expect("an entry of the repository can be read");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if SKIPPED.contains(&path.as_str()) || path.ends_with("Cargo.lock") {
            continue;
        }
        if entry.file_type().expect("an entry has a type").is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push((path, text));
        }
    }
}

/// Holds every file under one of the prefixes to a rule.
fn hold(prefixes: &[&str], suffix: &str, rule: impl Fn(&str, &str) -> Vec<String>) {
    let files = repository();
    let covered: Vec<&File> = files
        .iter()
        .filter(|(path, _)| prefixes.iter().any(|prefix| path.starts_with(prefix)))
        .filter(|(path, _)| path.ends_with(suffix))
        .collect();
    assert!(!covered.is_empty(), "the rule covers some file");
    let found: Vec<String> = covered.iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(found.is_empty(), "{} offenders:\n{}", found.len(), found.join("\n"));
}

#[test]
fn dependencies_point_to_the_engine() {
    hold(&["src/"], ".rs", direction);
}

#[test]
fn dependencies_that_point_elsewhere_are_found() {
    let bad = |path| direction(path, "// crate::cli\nuse crate::capture::Source;\n");
    assert_eq!(bad("src/engine/plan.rs"), ["src/engine/plan.rs:2: engine must not use capture"]);
    assert_eq!(bad("src/oracle.rs"), ["src/oracle.rs:2: oracle must not use capture"]);
    assert_eq!(bad("src/daemon/run/tests.rs").len(), 1);
    assert_eq!(
        bad("src/other.rs"),
        ["src/other.rs:1: the module other has no place among the layers"]
    );
    assert!(bad("src/cli/plan.rs").is_empty() && bad("src/main.rs").is_empty());
    assert_eq!(direction("src/config.rs", "use crate::{cli, engine};").len(), 1);
    assert_eq!(direction("src/config.rs", "fn f(a: crate::engine::A, b: crate::cli::B)").len(), 1);
}

#[test]
fn the_engine_is_pure() {
    hold(&["src/engine", "sim/src/cluster"], ".rs", purity);
}

#[test]
fn impurity_is_found() {
    for needle in IMPURE {
        assert_eq!(
            purity("src/engine/plan.rs", &format!("//! A.\n    {needle}(a)\n")).len(),
            1,
            "{needle}"
        );
        assert!(purity("src/engine/plan.rs", &format!("/// Not {needle}.\n")).is_empty());
        assert!(purity("src/capture/csv.rs", needle).is_empty());
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    hold(&["src/", "sim/"], ".rs", opening);
}

#[test]
fn a_file_that_does_not_say_is_found() {
    assert_eq!(opening("src/a.rs", "use std::fmt;\n").len(), 1);
    assert!(opening("src/a.rs", "//! A.\n").is_empty());
}

#[test]
fn file_names_mean_something() {
    hold(&[""], ".rs", |path, _| naming(path));
}

#[test]
fn a_name_that_means_nothing_is_found() {
    for name in EMPTY_NAMES {
        assert_eq!(naming(&format!("src/engine/{name}")).len(), 1);
    }
    assert!(naming("src/engine/plan.rs").is_empty());
}

#[test]
fn files_and_lines_fit_the_eye() {
    hold(&["src/", "sim/src/"], ".rs", size);
}

#[test]
fn files_and_lines_that_do_not_fit_are_found() {
    assert_eq!(
        size("src/a.rs", &format!("\n{}\n", "é".repeat(121))),
        ["src/a.rs:2: 121 characters, at most 120"]
    );
    assert_eq!(size("src/a.rs", &"\n".repeat(701)), ["src/a.rs:701: 701 lines, at most 700"]);
    assert!(size("src/a.rs", &format!("{}\n", "é".repeat(120)).repeat(700)).is_empty());
}

#[test]
fn nothing_is_left_for_later() {
    hold(&["src/", "tests/", "sim/"], "", left_overs);
}

#[test]
fn what_is_left_for_later_is_found() {
    for needle in LEFT_OVERS {
        assert_eq!(
            left_overs("src/a.rs", &format!("\n    {needle}\n")),
            [format!("src/a.rs:2: contains {needle}")]
        );
    }
}

#[test]
fn every_line_of_the_log_has_a_kind() {
    hold(&["src/"], ".rs", unkind);
}

#[test]
fn a_line_of_no_kind_is_found() {
    let bad =
        "use tracing::warn;\n\nfn f() {\n    warn!(rule, \"late\");\n    // info!(no code)\n}\n";
    let why = "warn!(…) is a line of no kind; say!(…) of observe::log has one";
    assert_eq!(unkind("src/daemon/a.rs", bad), [format!("src/daemon/a.rs:4: {why}")]);
    assert!(unkind("src/observe/log/a.rs", bad).is_empty());
}

#[test]
fn every_dependency_is_explained() {
    hold(&["Cargo.toml", "sim/Cargo.toml"], "", unexplained_dependencies);
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let bad = "[package]\nname = \"a\"\n\n[dependencies]\n# Arguments.\nclap = \"4\"\nclap_complete = \"4\"\n\
               serde = \"1\"\n\n[dev-dependencies]\nclap_mangen = \"1\"\n\n[features]\nall = []\n";
    let why = "has no comment that says why";
    let expected =
        [format!("Cargo.toml:8: serde {why}"), format!("Cargo.toml:11: clap_mangen {why}")];
    assert_eq!(unexplained_dependencies("Cargo.toml", bad), expected);
}

#[test]
fn no_file_names_a_machine() {
    hold(&[""], "", foreign);
}

#[test]
fn a_file_that_names_a_machine_is_found() {
    for needle in FOREIGN {
        assert_eq!(foreign("README.md", &format!("See {needle}x.\n")).len(), 1);
    }
}
