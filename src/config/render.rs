//! Diagnostics as people and programs read them: text with excerpts, JSON lines, GitHub workflow commands.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Diagnostics, Severity};

/// Lines longer than this are cut around the place that matters.
const LINE_BYTES_MAX: usize = 400;

/// How much of a cut line is shown.
const CUT_BYTES: usize = 120;

/// How much of that stands before the place.
const CUT_LEAD: usize = 40;

/// Text for a terminal, in the form that rustc prints. Ends in a newline unless there is nothing to say.
pub fn text(diagnostics: &Diagnostics, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&one_text(diagnostics, diagnostic, &renderer));
        out.push_str("\n\n");
    }
    out
}

/// One JSON object a line: `severity`, `code`, `message`, `file`, `line`, `column`, `help`.
pub fn json_lines(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let place = diagnostics.position_of(diagnostic);
        let object = serde_json::json!({
            "severity": diagnostic.severity.as_str(),
            "code": diagnostic.code.as_str(),
            "message": diagnostic.message,
            "file": diagnostics.source_of(diagnostic).name,
            "line": place.line,
            "column": place.column,
            "help": diagnostic.help,
        });
        out.push_str(&object.to_string());
        out.push('\n');
    }
    out
}

/// GitHub workflow commands, which show findings beside the changed lines.
pub fn github(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let place = diagnostics.position_of(diagnostic);
        let help =
            diagnostic.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let written = writeln!(
            out,
            "::{} file={},line={},col={},title={}::{}",
            diagnostic.severity.as_str(),
            property(&diagnostics.source_of(diagnostic).name),
            place.line,
            place.column,
            diagnostic.code.as_str(),
            data(&format!("{}{help}", diagnostic.message)),
        );
        written.expect("writing to a string cannot fail");
    }
    out
}

/// Workflow commands are lines; what would end one is escaped as the runner unescapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn one_text(diagnostics: &Diagnostics, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let source = diagnostics.source_of(diagnostic);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code.as_str());
    let name = printable(&source.name);
    let mut group = if is_short(&source.text, diagnostic.span.start) {
        title.element(excerpt(diagnostics, diagnostic).path(name))
    } else {
        let place = diagnostics.position_of(diagnostic);
        let origin = Origin::path(name).line(place.line).char_column(place.column);
        title.element(origin).element(cut_excerpt(diagnostics, diagnostic))
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    renderer.render(&[group])
}

/// Control characters in names and texts must not reach the terminal as such.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// The lines of all places in one picture. Other places on lines that are too long are left out.
fn excerpt<'a>(
    diagnostics: &'a Diagnostics,
    diagnostic: &'a Diagnostic,
) -> Snippet<'a, Annotation<'a>> {
    let text = diagnostics.source_of(diagnostic).text.as_str();
    let main = first_line(text, &diagnostic.span);
    let line = line_around(text, main.start);
    let mut places: Vec<(_, _, Option<&str>)> = vec![(main, AnnotationKind::Primary, None)];
    for (span, label) in &diagnostic.related {
        if is_short(text, span.start) {
            places.push((first_line(text, span), AnnotationKind::Context, Some(label)));
        }
    }
    let lines = places.iter().map(|(span, ..)| line_around(text, span.start));
    let (from, to) = lines
        .fold((line.start, line.end), |(from, to), line| (from.min(line.start), to.max(line.end)));
    let annotations = places
        .into_iter()
        .map(|(span, kind, label)| kind.span(span.start - from..span.end - from).label(label));
    Snippet::source(&text[from..to])
        .line_start(diagnostics.line_of(diagnostic, from))
        .annotations(annotations)
}

/// A stretch of a long line around a place.
fn cut_excerpt<'a>(
    diagnostics: &'a Diagnostics,
    diagnostic: &'a Diagnostic,
) -> Snippet<'a, Annotation<'a>> {
    let text = diagnostics.source_of(diagnostic).text.as_str();
    let span = first_line(text, &diagnostic.span);
    let line = line_around(text, span.start);
    let from = text.ceil_char_boundary(span.start.saturating_sub(CUT_LEAD).max(line.start));
    let to = text.floor_char_boundary((from + CUT_BYTES).min(line.end));
    let end = span.end.min(to);
    let annotation = AnnotationKind::Primary.span(span.start - from..end - from);
    Snippet::source(&text[from..to])
        .line_start(diagnostics.line_of(diagnostic, span.start))
        .annotation(annotation)
}

/// Whether the line of a place can be shown as it is.
fn is_short(text: &str, at: usize) -> bool {
    line_around(text, text.floor_char_boundary(at)).len() <= LINE_BYTES_MAX
}

/// A place without the lines that follow its first.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    start..end.min(line_around(text, start).end)
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    start..end
}
