//! Results of policy tests for people, for scripts, for build servers.

use std::io::Write;

use serde_json::json;

use super::Outcome;
use super::coverage::Report;
use crate::cli::Format;
use crate::cli::console::Console;
use crate::cli::exit::CliError;
use crate::engine::text::printable;

/// Writes the results in the format.
pub(super) fn write(
    format: Format,
    outcomes: &[Outcome],
    coverage: Option<&Report>,
    console: &mut Console,
) -> Result<(), CliError> {
    let out = console.out();
    match format {
        Format::Json => json_lines(outcomes, coverage, out)?,
        Format::Junit => junit(outcomes, out)?,
        Format::Github => github(outcomes, out)?,
        Format::Text | Format::Csv => text(outcomes, coverage, out)?,
    }
    Ok(())
}

fn text(
    outcomes: &[Outcome],
    coverage: Option<&Report>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for outcome in outcomes {
        let verdict = if outcome.failures.is_empty() { "ok    " } else { "FAILED" };
        let name = printable(&outcome.name);
        writeln!(out, "{verdict}  {}:{}  {name}", outcome.file.display(), outcome.line)?;
        for failure in &outcome.failures {
            writeln!(out, "        {}", printable(failure))?;
        }
    }
    if let Some(report) = coverage {
        writeln!(out, "\ncoverage {:.1} % ({} of {})", report.percent(), report.seen, report.all)?;
        for (rule, seen, all, missing) in &report.rules {
            writeln!(out, "  {rule}: {seen} of {all}")?;
            for missing in missing {
                writeln!(out, "    {missing}")?;
            }
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    writeln!(out, "\n{} passed, {failed} failed", outcomes.len() - failed)
}

fn json_lines(
    outcomes: &[Outcome],
    coverage: Option<&Report>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for outcome in outcomes {
        let Outcome { file, name, line, failures } = outcome;
        let (file, passed) = (file.display().to_string(), failures.is_empty());
        let mut test = json!({"file": file, "line": line, "name": name, "passed": passed});
        test["failures"] = json!(failures);
        writeln!(out, "{test}")?;
    }
    if let Some(report) = coverage {
        let mut rules = Vec::new();
        for (rule, seen, points, missing) in &report.rules {
            rules.push(json!({"rule": rule, "seen": seen, "points": points, "missing": missing}));
        }
        let (coverage, seen, points) = (report.percent(), report.seen, report.all);
        let line = json!({"coverage": coverage, "seen": seen, "points": points, "rules": rules});
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn junit(outcomes: &[Outcome], out: &mut dyn Write) -> std::io::Result<()> {
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuite name="orawarden" tests="{}" failures="{failed}">"#,
        outcomes.len()
    )?;
    for outcome in outcomes {
        let (file, name) = (escape(&outcome.file.display().to_string()), escape(&outcome.name));
        write!(out, r#"  <testcase classname="{file}" name="{name}""#)?;
        if outcome.failures.is_empty() {
            writeln!(out, "/>")?;
            continue;
        }
        let failures = escape(&outcome.failures.join("\n"));
        writeln!(
            out,
            ">\n    <failure message=\"not as expected\">{failures}</failure>\n  </testcase>"
        )?;
    }
    writeln!(out, "</testsuite>")
}

fn github(outcomes: &[Outcome], out: &mut dyn Write) -> std::io::Result<()> {
    for outcome in outcomes {
        for failure in &outcome.failures {
            let text = printable(&format!("{}: {failure}", outcome.name));
            let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
            writeln!(out, "::error file={},line={}::{text}", outcome.file.display(), outcome.line)?;
        }
    }
    Ok(())
}

/// For XML text and attributes; control characters have no place in XML 1.0.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            control if control.is_control() => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}
