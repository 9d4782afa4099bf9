//! The reference in Markdown, printed from the same tables as the loader and the schemas: what is documented is what
//! is accepted.

use std::fmt::Write as _;

use super::actions::VERBS;
use super::cells::{CellKind, DEFAULT_TEXTS, KEY_COLUMNS, kind_of};
use super::conditions::COMBINATORS;
use super::diagnostic::Code;
use super::matchers::TEXT_MATCHERS;
use super::policies::POLICY_FILE;
use super::service::SERVICE_FILE;
use super::shape::{Key, Kind, Shape};
use super::tests_file::TEST_FILE;
use crate::engine::condition::{Field, FieldKind};
use crate::engine::policy::Liftable;
use crate::engine::protect::Protection;
use crate::engine::session::{Column, TextColumn};
use crate::engine::spare::{HaltReason, SpareReason};

/// The whole reference but for the command line.
pub fn markdown() -> String {
    let mut page = Page { text: String::from(HEAD), described: Vec::new() };
    page.file("Policy files", &POLICY_FILE);
    page.conditions();
    page.actions();
    page.protections();
    page.reasons();
    page.file("Policy tests", &TEST_FILE);
    page.columns();
    page.file("Configuration", &SERVICE_FILE);
    page.diagnostics();
    page.text
}

const HEAD: &str = "# Reference

Printed by `orawarden schema reference` from the tables that the loader reads files by; changes go there. Keys in
**bold** are due.
";

const MATCHING: &str = "
The keys of a map of conditions are ANDed. A comparison with a missing value is unknown, as in SQL; only what is true
acts, and an `unless` or `protect` that cannot be decided spares the session.

A **text** is compared whole and without regard to case when it stands as a plain value; a list means any of its
elements. Instead of a text may stand a map of one key:
";

const COMPARING: &str = "
A **number** or **length of time** is compared by an operator (`<`, `<=`, `=`, `!=`, `>=`, `>`) and a value in quotes:
`\"> 30m\"`; a list of them must hold as a whole: `[\">= 9h\", \"< 12h\"]`. Units of time are `ms`, `s`, `m`, `h` and
`d`. An **identifier** also takes a plain number, a list (any of), `in_set` and `not`. Every field
but `in_query` takes `{is_null: true}` and `{is_null: false}`.
";

const SESSIONS: &str = "A session, by Oracle's columns in lower case; the other columns are NULL by default, but: it
logged on a day before `at`, its call ended at `at`, `state` is WAITING unless it is ACTIVE without an event, and a
`blocking_session` or an undo column brings the columns that go with it. `last_call_et` and the waits move with the
clock.";

struct Page {
    text: String,
    /// Shapes that have a table already: conditions and rules share some.
    described: Vec<&'static str>,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn table(&mut self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.line("");
        self.line(&format!("| {} |", header.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(header.len())));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    fn file(&mut self, title: &str, shape: &'static Shape) {
        self.line(&format!("\n## {title}\n\n{}.", sentence(shape.doc)));
        self.keys(shape);
        self.nested(shape);
    }

    fn keys(&mut self, shape: &'static Shape) {
        let name = |key: &Key| {
            if key.required { format!("**`{}`**", key.name) } else { code(key.name) }
        };
        let row = |key: &Key| vec![name(key), value(&key.kind), key.doc.to_owned()];
        self.table(&["key", "value", "meaning"], shape.keys.iter().map(row));
    }

    /// A section for every map within a map, in the order in which they come up.
    fn nested(&mut self, shape: &'static Shape) {
        for inner in shape.keys.iter().flat_map(|key| maps(&key.kind)) {
            if self.described.contains(&inner.name) {
                continue;
            }
            self.described.push(inner.name);
            self.line(&format!("\n### {}\n\n{}.", inner.name, sentence(inner.doc)));
            self.keys(inner);
            self.nested(inner);
        }
    }

    fn conditions(&mut self) {
        self.line("\n## Conditions");
        self.text.push_str(MATCHING);
        self.pairs(["matcher", "meaning"], &TEXT_MATCHERS);
        self.text.push_str(COMPARING);
        self.pairs(["combinator", "meaning"], &COMBINATORS);
        self.line("\n### Fields");
        let row = |field: &Field| {
            vec![code(field.name()), takes(*field).to_owned(), field.doc().to_owned()]
        };
        self.table(&["field", "takes", "meaning"], Field::ALL.iter().map(row));
    }

    fn actions(&mut self) {
        self.line("\n## Actions");
        self.pairs(["action", "meaning"], &VERBS);
    }

    fn protections(&mut self) {
        self.line("\n## Built-in protections");
        let liftable = |protection: &Protection| {
            Liftable::ALL.iter().any(|liftable| liftable.name() == protection.name())
        };
        let row = |protection: &Protection| {
            let lifted = if liftable(protection) { "yes" } else { "" };
            vec![code(protection.name()), lifted.to_owned(), protection.detail().to_owned()]
        };
        let header = ["protection", "`allow_protected`", "who"];
        self.table(&header, Protection::ALL.iter().map(row));
    }

    fn reasons(&mut self) {
        self.line("\n## Why a matched session stays\n\nThe protections, and:");
        let row =
            |(reason, doc): &(SpareReason, &str)| vec![code(&reason.because()), (*doc).into()];
        self.table(&["because", "meaning"], SpareReason::documented().iter().map(row));
        self.line("\n## Why a rule stands still");
        let row = |reason: &HaltReason| vec![code(reason.because()), reason.doc().to_owned()];
        self.table(&["because", "meaning"], HaltReason::ALL.iter().map(row));
    }

    fn columns(&mut self) {
        self.line("\n### session\n");
        self.line(SESSIONS);
        let keys = KEY_COLUMNS.iter().map(|(name, doc)| {
            vec![code(name), "a whole number".into(), String::new(), (*doc).into()]
        });
        let columns = Column::all().map(|column| {
            let (doc, default) = match column {
                Column::Text(column) => (column.doc(), default_text(column)),
                Column::Number(column) => (column.doc(), String::new()),
            };
            vec![code(&column.name().to_lowercase()), cell(column).into(), default, doc.into()]
        });
        self.table(&["column", "value", "default", "meaning"], keys.chain(columns));
    }

    fn diagnostics(&mut self) {
        self.line("\n## Findings of `check`");
        let row = |code: &Code| vec![self::code(code.as_str()), code.doc().to_owned()];
        self.table(&["code", "meaning"], Code::ALL.iter().map(row));
    }

    fn pairs(&mut self, header: [&str; 2], pairs: &[(&str, &str)]) {
        let row = |(name, doc): &(&str, &str)| vec![code(name), (*doc).to_owned()];
        self.table(&header, pairs.iter().map(row));
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// With a capital, for a line of its own.
fn sentence(doc: &str) -> String {
    let mut letters = doc.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// The maps that a kind of value is or contains.
fn maps(kind: &Kind) -> Vec<&'static Shape> {
    match kind {
        Kind::Map(shape) => vec![*shape],
        Kind::List(inner) | Kind::OneOrMany(inner) | Kind::MapOf(inner) => maps(inner),
        Kind::Either(kinds) => kinds.iter().flat_map(maps).collect(),
        _ => Vec::new(),
    }
}

/// What stands after a key's colon.
fn value(kind: &Kind) -> String {
    match kind {
        Kind::Map(shape) => format!("[{}](#{})", shape.name, shape.name.replace(' ', "-")),
        Kind::List(inner) => format!("list of {}", value(inner)),
        Kind::OneOrMany(inner) => format!("{}, or a list", value(inner)),
        Kind::MapOf(inner) => format!("name: {}", value(inner)),
        Kind::Either(kinds) => kinds.iter().map(value).collect::<Vec<_>>().join(" or "),
        Kind::Words(words) => words.iter().fold(String::new(), |mut text, word| {
            let separator = if text.is_empty() { "" } else { ", " };
            write!(text, "{separator}`{word}`").expect("writing to memory");
            text
        }),
        plain => plain_value(plain).to_owned(),
    }
}

fn plain_value(kind: &Kind) -> &'static str {
    match kind {
        Kind::Version => "`1`",
        Kind::Name => "a name",
        Kind::Flag => "`true` or `false`",
        Kind::True => "`true`",
        Kind::Count => "a whole number",
        Kind::CountOrUnlimited => "a whole number or `unlimited`",
        Kind::Percent => "`\"10%\"` or `unlimited`",
        Kind::Span => "a length of time: `60s`, `1.5h`",
        Kind::Time => "a moment: `2026-12-27T00:00:00+01:00`",
        Kind::Cron => "cron: `\"*/5 * * * *\"`",
        Kind::Zone => "a zone: `Europe/Berlin`",
        Kind::Protection => "a [protection](#built-in-protections)",
        Kind::Window => "`Mon-Fri 08:00-18:00`, `2026-12-24 00:00 / 2026-12-27 00:00`",
        Kind::CompareNumber => "`\">= 3\"`",
        Kind::ComparePercent => "`\"> 75%\"`",
        Kind::Conditions => "[conditions](#conditions)",
        Kind::TextMatcher => "a [text matcher](#conditions)",
        Kind::Field => "a [field](#fields)",
        Kind::OrderKey => "a [field](#fields), `-` before it for descending",
        Kind::Session => "[session](#session)",
        _ => "text",
    }
}

fn takes(field: Field) -> &'static str {
    match field.kind() {
        FieldKind::Text => "text",
        FieldKind::SqlId => "text, a SQL_ID",
        FieldKind::Identifier => "identifier",
        FieldKind::Duration => "length of time",
        FieldKind::Number if field == Field::LogonTime => "(order and groups only)",
        FieldKind::Number => "number",
        FieldKind::Flag => "`true` or `false`",
        FieldKind::Query => "the name of a query",
    }
}

fn default_text(column: TextColumn) -> String {
    let default = DEFAULT_TEXTS.iter().find(|(defaulted, _)| *defaulted == column);
    default.map_or_else(String::new, |(_, text)| code(text))
}

fn cell(column: Column) -> &'static str {
    match kind_of(column) {
        CellKind::Text => "text",
        CellKind::Number(_) => "a number",
        CellKind::Span(_) => "a length of time",
        CellKind::Time => "a moment, or `-2h`: before `at`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_written_stands_in_the_reference() {
        let reference = markdown();
        let fields = Field::ALL.iter().map(|field| field.name());
        let codes = Code::ALL.iter().map(|code| code.as_str());
        let protections = Protection::ALL.iter().map(|protection| protection.name());
        for name in fields.chain(codes).chain(protections) {
            assert!(reference.contains(&format!("| `{name}` |")), "{name} is missing");
        }
    }

    #[test]
    fn links_lead_to_a_heading() {
        let reference = markdown();
        let anchor =
            |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        let headings: Vec<String> =
            reference.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
        for link in reference.split("](#").skip(1) {
            let target = link.split(')').next().unwrap_or_default().to_owned();
            assert!(headings.contains(&target), "nothing is called {target}");
        }
    }
}
