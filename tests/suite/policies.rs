//! Policy files: what the good ones compile to, and what is said about the bad ones.
//!
//! A case is a file in `tests/policies/good` or `tests/policies/bad` with an `.expected` beside it. `UPDATE_EXPECT=1`
//! writes what comes out; read the difference before it is committed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use orawarden::config::canonical::canonical;
use orawarden::config::diagnostic::{Code, Diagnostics, Severity, SourceFile};
use orawarden::config::{policies, render};
use orawarden::engine::policy::{GroupKey, PolicySet, Rule};

/// Codes about reading a file, which no file can show; `config::load` tests them.
const NOT_IN_FILES: [Code; 1] = [Code::Unreadable];

#[test]
fn good_policies_compile_to_what_they_say() {
    check("good", |name, source| {
        let (set, diagnostics) = policies::compile(std::slice::from_ref(source));
        assert!(!diagnostics.has_errors(), "{name}:\n{}", render::text(&diagnostics, false));
        let set = set.expect("a set without errors compiles");
        format!("{}{}", render::text(&diagnostics, false), listing(&set))
    });
}

#[test]
fn bad_policies_are_told_everything_at_once() {
    check("bad", |name, source| {
        let diagnostics = diagnose(name, source);
        assert!(!diagnostics.is_empty(), "{name} is not bad");
        render::text(&diagnostics, false)
    });
}

#[test]
fn every_code_has_a_case() {
    let mut seen: BTreeSet<Code> = NOT_IN_FILES.into_iter().collect();
    for (name, source) in cases("bad") {
        seen.extend(diagnose(&name, &source).iter().map(|diagnostic| diagnostic.code));
    }
    let missing: Vec<&str> =
        Code::ALL.iter().filter(|code| !seen.contains(code)).map(|code| code.as_str()).collect();
    assert!(missing.is_empty(), "no bad case shows {missing:?}");
}

fn diagnose(_name: &str, source: &SourceFile) -> Diagnostics {
    let (set, diagnostics) = policies::compile(std::slice::from_ref(source));
    assert_eq!(set.is_none(), diagnostics.count(Severity::Error) > 0);
    diagnostics
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies").join(kind)
}

fn cases(kind: &str) -> Vec<(String, SourceFile)> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder(kind))
        .expect("the folder of cases exists")
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there are cases");
    names
        .into_iter()
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a case is readable");
            (name.clone(), SourceFile { name, text })
        })
        .collect()
}

fn check(kind: &str, outcome: impl Fn(&str, &SourceFile) -> String) {
    let mut wrong = String::new();
    for (name, source) in cases(kind) {
        let actual = outcome(&name, &source);
        let path = folder(kind).join(&name).with_extension("expected");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &actual).expect("the expected file can be written");
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if actual != expected {
            let _ = writeln!(wrong, "{name}: expected\n{expected}\nfound\n{actual}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Everything that a set says, in one form.
fn listing(set: &PolicySet) -> String {
    let mut out = String::new();
    for query in &set.queries {
        let _ = writeln!(
            out,
            "query {} every {} deadline {}: {}",
            query.name, query.every, query.deadline, query.sql
        );
    }
    for exemption in &set.protections {
        let until = exemption.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let name = exemption.name.as_deref().unwrap_or_default();
        let _ = writeln!(out, "protect {name}{until}: {}", canonical(&exemption.condition));
    }
    for rule in &set.rules {
        out.push_str(&rule_listing(rule));
    }
    out
}

fn rule_listing(rule: &Rule) -> String {
    let mut lines = vec![
        format!(
            "rule {} ({}), fingerprint {:016x}",
            rule.name, rule.mode, rule.identity.fingerprint
        ),
        format!("schedule {} in {}", rule.schedule.expression(), rule.timezone),
        format!("match {}", canonical(&rule.condition)),
    ];
    let shown =
        rule.leaves().into_iter().map(|leaf| format!("{} {}", leaf.field.name(), leaf.shown));
    lines.push(format!("shown {}", shown.collect::<Vec<_>>().join("; ")));
    for (label, text) in
        [("description", &rule.description), ("owner", &rule.owner), ("runbook", &rule.runbook)]
    {
        lines.extend(text.as_ref().map(|text| format!("{label} {text}")));
    }
    for exemption in &rule.unless {
        let name = exemption.name.as_deref().unwrap_or("-");
        let until = exemption.until.map(|until| format!(" until {until}")).unwrap_or_default();
        lines.push(format!("unless {name}{until}: {}", canonical(&exemption.condition)));
    }
    lines.push(format!("for {}, min_session_age {}", rule.hold, rule.min_session_age));
    if !rule.victims.is_everybody() || !rule.victims.group_by.is_empty() {
        lines.push(victims_listing(rule));
    }
    lines.push(format!("action {}", rule.action.rungs().join(", ")));
    lines.push(format!("limits {:?}", rule.limits));
    for (label, windows) in
        [("only_during", &rule.only_during), ("never_during", &rule.never_during)]
    {
        lines.extend(windows.iter().map(|window| format!("{label} {window:?}")));
    }
    for test in &rule.only_when {
        lines.push(format!("only_when {} {}", test.measure.name(), test.shown));
    }
    if !rule.databases.is_empty() {
        lines.push(format!("databases {:?}", rule.databases));
    }
    if !rule.allow_protected.is_empty() {
        lines.push(format!("allow_protected {:?}", rule.allow_protected));
    }
    lines.join("\n  ") + "\n"
}

fn victims_listing(rule: &Rule) -> String {
    let victims = &rule.victims;
    let groups = victims.group_by.iter().map(|key| match key {
        GroupKey::Field(field) => field.name().to_owned(),
        GroupKey::Capture { regex, of } => format!("{regex} of {}", of.name()),
    });
    let groups: Vec<String> = groups.collect();
    format!(
        "victims group_by {groups:?} having {:?} order {:?} skip {} take {:?} keep {}",
        victims.having, victims.order, victims.skip, victims.take, victims.keep
    )
}
