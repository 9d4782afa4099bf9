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
use orawarden::config::{conditions, policies, render, schema, service, tests_file};
use orawarden::engine::policy::{GroupKey, PolicySet, Rule};
use serde_json::Value;

/// Codes about reading a file, which no file can show; `config::load` tests them.
const NOT_IN_FILES: [Code; 2] = [Code::Unreadable, Code::UnknownRule];

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

/// By the front of a case's name: `config-` is a configuration, `test-` a file of policy tests.
fn diagnose(name: &str, source: &SourceFile) -> Diagnostics {
    if name.starts_with("config-") {
        return service::decode(source).1;
    }
    if name.starts_with("test-") {
        return tests_file::decode(source).1;
    }
    let (set, diagnostics) = policies::compile(std::slice::from_ref(source));
    assert_eq!(set.is_none(), diagnostics.count(Severity::Error) > 0);
    diagnostics
}

/// A case of many problems, JSON and workflow commands: one line a finding, places as in the text.
#[test]
fn machine_readable_forms_hold_one_line_a_finding() {
    let (name, source) =
        cases("bad").into_iter().find(|(name, _)| name == "many.yaml").expect("the case exists");
    let diagnostics = diagnose(&name, &source);
    let json = render::json_lines(&diagnostics);
    let first: Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        first,
        serde_json::json!({
            "severity": "error", "code": "unknown-key", "message": "unknown key `default` in this policy file",
            "file": "many.yaml", "line": 2, "column": 1, "help": "did you mean `defaults`?",
        })
    );
    let github = render::github(&diagnostics);
    assert_eq!(
        github.lines().next(),
        Some(
            "::error file=many.yaml,line=2,col=1,title=unknown-key::unknown key `default` in this policy file%0Ahelp: did you mean `defaults`?"
        )
    );
    assert_eq!(
        (json.lines().count(), github.lines().count()),
        (diagnostics.iter().count(), diagnostics.iter().count())
    );
}

#[test]
fn rules_and_queries_are_unique_over_files() {
    let file = |name: &str| SourceFile {
        name: name.to_owned(),
        text: "version: 1\nrules:\n  - {name: a, match: {idle_for: \"> 1h\"}, action: kill}\n"
            .to_owned(),
    };
    let (set, diagnostics) = policies::compile(&[file("one.yaml"), file("two.yaml")]);
    assert!(set.is_none());
    let text = render::text(&diagnostics, false);
    assert!(
        text.contains("error[duplicate-rule]") && text.contains("the first is at one.yaml:3:12"),
        "{text}"
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let padding = "x".repeat(1_000_000);
    let text = format!(
        "{{version: 1, rules: [{{name: a, description: {padding}, match: {{usernam: A}}, action: kill}}]}}"
    );
    let (_, diagnostics) = policies::compile(&[SourceFile { name: "long.yaml".to_owned(), text }]);
    let text = render::text(&diagnostics, false);
    assert!(text.contains("usernam") && text.len() < 1_000, "{}", text.len());
}

#[test]
fn conditions_of_the_command_line_need_no_file() {
    let (condition, _) =
        conditions::compile_match_text("--match", "{username: APP, idle_for: \"> 1h\"}");
    let text = canonical(&condition.expect("the conditions are right"));
    assert_eq!(text, "all(username [= \"app\"], idle_for > 3600000000)");
    let (none, diagnostics) = conditions::compile_match_text("--match", "{usernam: APP}");
    assert!(none.is_none() && diagnostics.has_errors());
}

/// Files arrive half-written: whatever a file is cut to, there is an answer, and what has no error compiles.
#[test]
fn every_beginning_of_a_file_is_answered() {
    for (name, source) in cases("bad").into_iter().chain(cases("good")) {
        let cuts = source.text.char_indices().map(|(at, _)| at).step_by(7);
        for at in cuts {
            let text = source.text[..at].to_owned();
            let cut = SourceFile { name: name.clone(), text };
            let diagnostics = diagnose(&name, &cut);
            render::text(&diagnostics, false);
        }
    }
}

#[test]
fn schemas_are_as_checked_in() {
    for (name, schema) in schemas() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
        let actual = schema::printed(&schema);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &actual).expect("the schema can be written");
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), actual, "docs/{name}");
    }
}

fn schemas() -> [(&'static str, Value); 3] {
    [
        ("policy.schema.json", schema::policy_schema()),
        ("test.schema.json", schema::test_schema()),
        ("config.schema.json", schema::config_schema()),
    ]
}

/// Everything that compiles also fits the schema, or editors would complain of right files.
#[test]
fn right_files_fit_their_schemas() {
    let [policy, test, service] =
        schemas().map(|(_, schema)| jsonschema::validator_for(&schema).expect("a schema is valid"));
    let mut checked = 0;
    for (path, source) in right_files() {
        let (diagnostics, validator) = if path.contains("/config-") {
            (service::decode(&source).1, &service)
        } else if source.text.contains("\ntests:") {
            (tests_file::decode(&source).1, &test)
        } else {
            (policies::compile(std::slice::from_ref(&source)).1, &policy)
        };
        assert!(!diagnostics.has_errors(), "{}", render::text(&diagnostics, false));
        let value: Value = serde_yaml::from_str(&source.text).expect("the file is YAML");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:#?}");
        checked += 1;
    }
    assert!(checked > 0, "there are files");
}

/// The good cases, the shipped policies and the real-world ones, each with their tests.
fn right_files() -> Vec<(String, SourceFile)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "tests/policies/good",
        "tests/policies/right",
        "policies",
        "policies/tests",
        "tests/realworld",
    ];
    let mut paths: Vec<PathBuf> = folders
        .into_iter()
        .filter_map(|folder| fs::read_dir(root.join(folder)).ok())
        .flatten()
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).expect("a case is readable");
        (name.clone(), SourceFile { name, text })
    };
    paths.into_iter().map(read).collect()
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
            writeln!(wrong, "{name}: expected\n{expected}\nfound\n{actual}")
                .expect("writing to a string cannot fail");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Everything that a set says, in one form.
fn listing(set: &PolicySet) -> String {
    let mut out = String::new();
    for query in &set.queries {
        writeln!(
            out,
            "query {} every {} deadline {}: {}",
            query.name, query.every, query.deadline, query.sql
        )
        .expect("writing to a string cannot fail");
    }
    for exemption in &set.protections {
        let until = exemption.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let name = exemption.name.as_deref().unwrap_or_default();
        writeln!(out, "protect {name}{until}: {}", canonical(&exemption.condition))
            .expect("writing to a string cannot fail");
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
