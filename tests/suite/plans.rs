//! `plan` as people run it: a policy that names its capture, and the JSON that comes out. A case is a policy file in
//! `tests/plans` whose first lines say `# capture: FILE` and, if need be, `# args: …`; beside it stands what is expected,
//! made for eyes: one line an entry. `UPDATE_EXPECT=1` rewrites it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let entries = std::fs::read_dir(folder).expect("the folder is in the repository");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut cases: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    cases.sort();
    cases
}

#[test]
fn plans_are_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = plan(&case);
        let expected = case.with_extension("expected");
        if update {
            std::fs::write(&expected, &found).expect("the expectation can be written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected (UPDATE_EXPECT=1 rewrites):\n{}", wrong.join("\n"));
}

/// Runs `plan` on a case, and shows what it says.
fn plan(case: &Path) -> String {
    let text = std::fs::read_to_string(case).expect("a readable case");
    let told =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim();
    let args = told("# args:");
    let mut command = Command::new(env!("CARGO_BIN_EXE_orawarden"));
    command.current_dir(case.parent().expect("a case is in a folder"));
    command.args(["plan", "--format", "json", "--capture", told("# capture:")]);
    command.args(args.split_whitespace());
    if !args.contains("--policy") {
        command.arg("--policy").arg(case.file_name().expect("a case is a file"));
    }
    let output = command.output().expect("the binary runs");
    let mut shown = format!("exit {}\n", output.status.code().unwrap_or(-1));
    shown.push_str(&String::from_utf8_lossy(&output.stderr));
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        show(&serde_json::from_str(line).expect("one JSON object a line"), &mut shown);
    }
    shown
}

fn show(plan: &Value, shown: &mut String) {
    let keys: Vec<&str> = plan.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["database", "taken_at", "sessions", "end", "spared", "halted", "warnings"]);
    writeln!(shown, "{} {} {}", plan["database"], plan["taken_at"], plan["sessions"])
        .expect("memory");
    for list in ["end", "spared", "halted", "warnings"] {
        for entry in plan[list].as_array().expect("a list") {
            writeln!(shown, "  {list} {entry}").expect("memory");
        }
    }
}
