//! Diagnostics as people and programs read them: text with excerpts, JSON lines, GitHub workflow commands.
//!
//! Nobody reads a thousand of them. What is beyond the bounds is counted, a line a file.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::engine::text::{counted, printable};

/// Findings of one file that are shown: after the first screens, people mend and ask again.
const SHOWN_OF_FILE_MAX: usize = 200;

/// Findings of all files that are shown.
const SHOWN_MAX: usize = 1_000;

/// Stands for a code where findings are only counted.
const MORE: &str = "and-more";

/// Another place farther away than this is shown in a picture of its own.
const PICTURE_BYTES_MAX: usize = 4 << 10;

/// Lines longer than this are cut around the place that matters.
const LINE_BYTES_MAX: usize = 400;

/// How much of a cut line is shown.
const CUT_BYTES: usize = 120;

/// How much of that stands before the place.
const CUT_LEAD: usize = 40;

/// Text for a terminal, in the form that rustc prints. Ends in a newline unless there is nothing to say.
pub fn text(diagnostics: &Diagnostics, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let selection = Selection::of(diagnostics);
    let mut out = String::new();
    for diagnostic in selection.shown {
        out.push_str(&one_text(diagnostics, diagnostic, &renderer));
        out.push_str("\n\n");
    }
    for more in selection.more {
        let place = diagnostics.position_of(more.first);
        let name = printable(&diagnostics.source_of(more.first).name);
        let origin = Origin::path(name).line(place.line).char_column(place.column);
        let title = level(more.severity()).primary_title(more.message()).id(MORE);
        out.push_str(&renderer.render(&[title.element(origin)]));
        out.push_str("\n\n");
    }
    out
}

/// One JSON object a line: `severity`, `code`, `message`, `file`, `line`, `column`, `help`.
pub fn json_lines(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for line in lines(diagnostics) {
        let object = serde_json::json!({
            "severity": line.severity.as_str(),
            "code": line.code,
            "message": line.message,
            "file": diagnostics.source_of(line.at).name,
            "line": diagnostics.position_of(line.at).line,
            "column": diagnostics.position_of(line.at).column,
            "help": line.help,
        });
        out.push_str(&object.to_string());
        out.push('\n');
    }
    out
}

/// GitHub workflow commands, which show findings beside the changed lines.
pub fn github(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for line in lines(diagnostics) {
        let place = diagnostics.position_of(line.at);
        let help = line.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let written = writeln!(
            out,
            "::{} file={},line={},col={},title={}::{}",
            line.severity.as_str(),
            property(&diagnostics.source_of(line.at).name),
            place.line,
            place.column,
            line.code,
            data(&format!("{}{help}", line.message)),
        );
        written.expect("writing to a string cannot fail");
    }
    out
}

/// What is shown, and what is only counted.
struct Selection<'a> {
    shown: Vec<&'a Diagnostic>,
    more: Vec<More<'a>>,
}

/// The findings of one file that are only counted.
struct More<'a> {
    first: &'a Diagnostic,
    errors: u64,
    warnings: u64,
}

impl<'a> Selection<'a> {
    /// Errors go before warnings, what stands first before what follows.
    fn of(diagnostics: &'a Diagnostics) -> Self {
        let mut of_file = vec![0; diagnostics.sources().len()];
        let mut is_shown = vec![false; diagnostics.iter().len()];
        let mut left = SHOWN_MAX;
        for severity in [Severity::Error, Severity::Warning] {
            for (diagnostic, is_shown) in diagnostics.iter().zip(&mut is_shown) {
                let of_file = &mut of_file[diagnostic.file];
                if diagnostic.severity == severity && left > 0 && *of_file < SHOWN_OF_FILE_MAX {
                    *is_shown = true;
                    *of_file += 1;
                    left -= 1;
                }
            }
        }
        let mut selection = Self { shown: Vec::new(), more: Vec::new() };
        for (diagnostic, is_shown) in diagnostics.iter().zip(is_shown) {
            if is_shown {
                selection.shown.push(diagnostic);
            } else {
                selection.count(diagnostic);
            }
        }
        selection
    }

    /// Findings come file by file, so that the last line is the one to count in.
    fn count(&mut self, diagnostic: &'a Diagnostic) {
        if self.more.last().is_none_or(|more| more.first.file != diagnostic.file) {
            self.more.push(More { first: diagnostic, errors: 0, warnings: 0 });
        }
        let more = self.more.last_mut().expect("one was just pushed if there was none");
        match diagnostic.severity {
            Severity::Error => more.errors += 1,
            Severity::Warning => more.warnings += 1,
        }
    }
}

impl More<'_> {
    fn severity(&self) -> Severity {
        if self.errors > 0 { Severity::Error } else { Severity::Warning }
    }

    /// `… and 7 more errors and 1 more warning`
    fn message(&self) -> String {
        let counts = [(self.errors, "more error"), (self.warnings, "more warning")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, noun)| counted(count, noun)).collect();
        format!("… and {} in this file", counts.join(" and "))
    }
}

/// A finding, or a count of them, as one line of a program's input.
struct Line<'a> {
    severity: Severity,
    code: &'static str,
    message: Cow<'a, str>,
    at: &'a Diagnostic,
    help: Option<&'a str>,
}

fn lines(diagnostics: &Diagnostics) -> impl Iterator<Item = Line<'_>> {
    let Selection { shown, more } = Selection::of(diagnostics);
    let shown = shown.into_iter().map(|at| Line {
        severity: at.severity,
        code: at.code.as_str(),
        message: at.message.as_str().into(),
        at,
        help: at.help.as_deref(),
    });
    shown.chain(more.into_iter().map(|more| Line {
        severity: more.severity(),
        code: MORE,
        message: more.message().into(),
        at: more.first,
        help: None,
    }))
}

/// Workflow commands are lines; what would end one is escaped as the runner unescapes it.
fn data(text: &str) -> String {
    printable(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn one_text(diagnostics: &Diagnostics, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let source = diagnostics.source_of(diagnostic);
    let title = level(diagnostic.severity)
        .primary_title(printable(&diagnostic.message))
        .id(diagnostic.code.as_str());
    let name = printable(&source.name);
    let mut group = if is_short(diagnostics, diagnostic, diagnostic.span.start) {
        let pictures = excerpts(diagnostics, diagnostic);
        title.elements(pictures.into_iter().map(|picture| picture.path(name.clone())))
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

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    }
}

/// A place of an excerpt.
struct Place<'a> {
    span: Range<usize>,
    kind: AnnotationKind,
    label: Option<&'a str>,
}

/// The lines of all places that are near each other in one picture, the others each in its own: what lies between would
/// be gone through for every finding. Other places on lines that are too long are left out.
fn excerpts<'a>(
    diagnostics: &'a Diagnostics,
    diagnostic: &'a Diagnostic,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let main = first_line(diagnostics, diagnostic, &diagnostic.span);
    let main_at = main.start;
    let mut near = vec![Place { span: main, kind: AnnotationKind::Primary, label: None }];
    let mut far = Vec::new();
    for (span, label) in &diagnostic.related {
        if is_short(diagnostics, diagnostic, span.start) {
            let span = first_line(diagnostics, diagnostic, span);
            let is_near = span.start.abs_diff(main_at) <= PICTURE_BYTES_MAX;
            let place = Place { span, kind: AnnotationKind::Context, label: Some(label) };
            if is_near { near.push(place) } else { far.push(vec![place]) }
        }
    }
    let pictures = std::iter::once(near).chain(far);
    pictures.map(|places| picture(diagnostics, diagnostic, places)).collect()
}

fn picture<'a>(
    diagnostics: &'a Diagnostics,
    diagnostic: &'a Diagnostic,
    places: Vec<Place<'a>>,
) -> Snippet<'a, Annotation<'a>> {
    let text = diagnostics.source_of(diagnostic).text.as_str();
    let lines = || places.iter().map(|it| diagnostics.line_range(diagnostic, it.span.start));
    let from = lines().map(|line| line.start).min().unwrap_or(0);
    let to = lines().map(|line| line.end).max().unwrap_or(from);
    let annotations: Vec<Annotation<'a>> = places
        .into_iter()
        .map(|Place { span, kind, label }| {
            kind.span(span.start - from..span.end - from).label(label)
        })
        .collect();
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
    let span = first_line(diagnostics, diagnostic, &diagnostic.span);
    let line = diagnostics.line_range(diagnostic, span.start);
    let from = text.ceil_char_boundary(span.start.saturating_sub(CUT_LEAD).max(line.start));
    let to = text.floor_char_boundary((from + CUT_BYTES).min(line.end));
    let end = span.end.min(to);
    let annotation = AnnotationKind::Primary.span(span.start - from..end - from);
    Snippet::source(&text[from..to])
        .line_start(diagnostics.line_of(diagnostic, span.start))
        .annotation(annotation)
}

/// Whether the line of a place can be shown as it is.
fn is_short(diagnostics: &Diagnostics, diagnostic: &Diagnostic, at: usize) -> bool {
    diagnostics.line_range(diagnostic, at).len() <= LINE_BYTES_MAX
}

/// A place without the lines that follow its first.
fn first_line(
    diagnostics: &Diagnostics,
    diagnostic: &Diagnostic,
    span: &Range<usize>,
) -> Range<usize> {
    let text = diagnostics.source_of(diagnostic).text.as_str();
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    start..end.min(diagnostics.line_range(diagnostic, start).end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostic::{Code, Sink, SourceFile};

    fn found(errors: usize, warnings: usize) -> Diagnostics {
        let name = "q.yaml".to_owned();
        let text = "rules: []\n".repeat(errors + warnings + 1);
        let mut sink = Sink::default();
        for line in 0..warnings {
            sink.warning(Code::UnknownKey, &(line * 10..line * 10 + 5), "odd");
        }
        for line in warnings..warnings + errors {
            let span = line * 10..line * 10 + 5;
            sink.error(Code::DuplicateKey, &span, "twice").related(&(0..5), "first");
        }
        Diagnostics::new(vec![SourceFile { name, text }], sink.into_entries())
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted_and_errors_go_first() {
        let diagnostics = found(SHOWN_OF_FILE_MAX + 7, 1);
        let text = text(&diagnostics, false);
        assert_eq!(text.matches("error[duplicate-key]").count(), SHOWN_OF_FILE_MAX);
        assert_eq!(text.matches("warning[").count(), 0);
        let more =
            "error[and-more]: … and 7 more errors and 1 more warning in this file\n--> q.yaml:1:1";
        assert!(text.trim_end().ends_with(more), "{text}");
        assert_eq!(json_lines(&diagnostics).lines().count(), SHOWN_OF_FILE_MAX + 1);
        assert_eq!(github(&diagnostics).lines().count(), SHOWN_OF_FILE_MAX + 1);
    }

    #[test]
    fn places_far_apart_have_pictures_of_their_own() {
        let text = text(&found(1, PICTURE_BYTES_MAX), false);
        let error = text.find("error[").map_or("", |at| &text[at..]);
        assert!(error.lines().count() < 20, "{error}");
        assert!(error.contains("first"), "{error}");
    }
}
