//! What is wrong with a file: [`Diagnostic`]s with a stable code, a place, and where possible a way out.
//!
//! Nothing here prints; `config::render` turns a list into text, JSON or workflow commands.

use std::ops::Range;

/// Findings that are kept. A file of 4 MiB can hold some hundred thousand mistakes; beyond this many it is some other
/// kind of file, and what counts is that it is not used.
const KEPT_MAX: usize = 50_000;

/// A file as it was read. Diagnostics carry their sources, so that a renderer needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The name it was given by, for messages.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Whether a finding keeps a file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// Probably not what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// What kind of finding it is: stable, for scripts and for the reference.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $doc] $variant,)* }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, for the reference.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

codes! {
    Unreadable = "unreadable", "the file cannot be read";
    NotText = "not-text", "the file is not UTF-8 text, or holds a NUL character";
    TooLarge = "too-large", "the file, or what its aliases expand to, is larger than anything a person would write";
    TooDeep = "too-deep", "lists and maps are nested deeper than anything a person would write";
    Syntax = "syntax", "the file is not YAML";
    Unsupported = "unsupported-yaml", "a feature of YAML that is not used here: several documents, merge keys, tags";
    UnknownKey = "unknown-key", "a key that means nothing here";
    DuplicateKey = "duplicate-key", "a key that stands twice in one map";
    MissingKey = "missing-key", "a key that is due is missing";
    WrongType = "wrong-type", "a value of another kind is due here";
    BadVersion = "bad-version", "the file's version is not one that this release reads";
    BadName = "bad-name", "a name may hold letters, digits, `.`, `_` and `-`, 64 characters at most";
    DuplicateRule = "duplicate-rule", "rule names are unique over all files: log, audit and tests use them";
    DuplicateName = "duplicate-name", "two things of one kind have the same name";
    DuplicateSet = "duplicate-set", "a set is defined twice in one file";
    EmptyMatch = "empty-match", "no conditions would match everybody; that is said as `any_session: true`";
    EmptyList = "empty-list", "a list without elements";
    EmptyPattern = "empty-pattern", "a pattern without text";
    MatchesEverything = "matches-everything", "a pattern that every value matches";
    BadLike = "bad-like", "a LIKE pattern that Oracle would refuse";
    BadRegex = "bad-regex", "a regular expression that does not compile, or is too large";
    PercentNeedsLike = "percent-needs-like", "a `%` in a text that is compared exactly";
    BadSqlId = "bad-sql-id", "a SQL_ID has 13 characters, lower-case letters and digits";
    SqlIdQuote = "sql-id-quote", "a SQL_ID that YAML reads as a number: it must be quoted";
    MissingUnit = "missing-unit", "a number without a unit where one is due";
    BadDuration = "bad-duration", "a length of time that cannot be read";
    BadNumber = "bad-number", "a number that cannot be read, or is out of range";
    BadOperator = "bad-operator", "a comparison is an operator and a value: `\"> 30m\"`, `\">= 3\"`";
    UnknownSet = "unknown-set", "no set of that name in this file";
    SetLoop = "set-loop", "a set that contains itself";
    UnknownQuery = "unknown-query", "no query of that name";
    BadQuery = "bad-query", "a query is one SELECT, without a semicolon";
    UnknownDatabase = "unknown-database", "no database of that name";
    UnknownRule = "unknown-rule", "no rule of that name";
    UnknownProtection = "unknown-protection", "not a protection that a rule may lift";
    OrderingOnly = "ordering-only", "a field that can be ordered and grouped by, but not compared";
    BadCron = "bad-cron", "a schedule that is not a cron expression";
    UnknownZone = "unknown-zone", "not an IANA time zone";
    BadWindow = "bad-window", "a window is `Mon-Fri 08:00-18:00` or `2026-12-24 00:00 / 2026-12-27 00:00`";
    BadTime = "bad-time", "a moment is written as RFC 3339, with its offset";
    BadAction = "bad-action", "not an action";
    BadLadder = "bad-ladder", "the rungs of an action do not make a ladder";
    BadLimit = "bad-limit", "a limit that ends nobody, or means nothing";
    BadVictims = "bad-victims", "a selection of victims that cannot select anybody";
    Contradiction = "contradiction", "conditions that cannot hold together";
    NeverTrue = "never-true", "a condition that no session, or no session that may be ended, can meet";
    OnlyNegations = "only-negations", "a match that only says who is left out";
    AnySessionBesides = "any-session-besides", "`any_session` adds nothing to other conditions";
    ShadowedRule = "shadowed-rule", "an earlier rule claims every session that this one matches";
    InlineSecret = "inline-secret", "a secret stands in the file";
    SecretInClear = "secret-in-clear", "a secret crosses the network unencrypted";
    BadAddress = "bad-address", "not an address and a port, or not one of the web";
    NoDatabaseChoice = "capture-or-connect", "a database is either a capture or a connection";
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Its kind.
    pub code: Code,
    /// Lower-case, without a full stop.
    pub message: String,
    /// Which of [`Diagnostics::sources`].
    pub file: usize,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// A way out.
    pub help: Option<String>,
    /// Other places of the same file that belong to it.
    pub related: Vec<(Range<usize>, String)>,
}

impl Diagnostic {
    /// Sets the way out.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the way out if there is one.
    pub(super) fn help_if(&mut self, help: Option<String>) -> &mut Self {
        self.help = help.or(self.help.take());
        self
    }

    /// Adds another place.
    pub(super) fn related(&mut self, span: &Range<usize>, label: impl Into<String>) -> &mut Self {
        self.related.push((span.clone(), label.into()));
        self
    }
}

/// A place as people count: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// Everything that was found, by file and position, with the files.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    sources: Vec<SourceFile>,
    /// Where the lines of each source begin: counting them again for each finding would be quadratic.
    lines: Vec<Vec<usize>>,
    entries: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts what was found. The same thing found twice (an anchor, a default used by many rules) is kept once.
    pub fn new(sources: Vec<SourceFile>, mut entries: Vec<Diagnostic>) -> Self {
        entries.sort_by(|a, b| {
            let place = |d: &Diagnostic| (d.file, d.span.start, d.span.end, d.code);
            place(a).cmp(&place(b)).then_with(|| a.message.cmp(&b.message))
        });
        entries.dedup_by(|a, b| {
            (a.file, &a.span, a.code, &a.message) == (b.file, &b.span, b.code, &b.message)
        });
        let lines = sources.iter().map(|source| line_starts(&source.text)).collect();
        Self { sources, lines, entries }
    }

    /// The findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.entries.iter()
    }

    /// The files.
    pub fn sources(&self) -> &[SourceFile] {
        &self.sources
    }

    /// True when nothing was found.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many findings of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.entries.iter().filter(|entry| entry.severity == severity).count()
    }

    /// True when something may not be used.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// The file of a finding.
    pub fn source_of(&self, diagnostic: &Diagnostic) -> &SourceFile {
        &self.sources[diagnostic.file]
    }

    /// Where a finding begins.
    pub fn position_of(&self, diagnostic: &Diagnostic) -> Position {
        let text = &self.source_of(diagnostic).text;
        let offset = text.floor_char_boundary(diagnostic.span.start);
        let line = self.line_of(diagnostic, offset);
        let line_start = self.lines[diagnostic.file][line - 1];
        Position { line, column: text[line_start..offset].chars().count() + 1 }
    }

    /// The bytes of the line that holds a byte of a finding's file, without the line feed.
    pub(super) fn line_range(&self, diagnostic: &Diagnostic, offset: usize) -> Range<usize> {
        let starts = &self.lines[diagnostic.file];
        let line = starts.partition_point(|start| *start <= offset);
        let end = starts.get(line).map_or(self.source_of(diagnostic).text.len(), |next| next - 1);
        starts[line - 1]..end
    }

    /// The line, from 1, of a byte of a finding's file.
    pub(super) fn line_of(&self, diagnostic: &Diagnostic, offset: usize) -> usize {
        self.lines[diagnostic.file].partition_point(|start| *start <= offset)
    }

    /// Appends what was found elsewhere.
    pub fn append(&mut self, other: Self) {
        let shift = self.sources.len();
        self.sources.extend(other.sources);
        self.lines.extend(other.lines);
        self.entries.extend(other.entries.into_iter().map(|mut entry| {
            entry.file += shift;
            entry
        }));
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Where each line begins; the first at 0.
fn line_starts(text: &str) -> Vec<usize> {
    let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_newlines).collect()
}

/// Line and column of a byte offset, for the few places that are asked for while a file is read.
pub(super) fn position(text: &str, offset: usize) -> Position {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Where decoders report to. It knows which file is being read.
#[derive(Debug, Default)]
pub(super) struct Sink {
    file: usize,
    entries: Vec<Diagnostic>,
    has_errors: bool,
    /// The last finding beyond the bound, so that its reporter has something to add its help to.
    beyond: Option<Diagnostic>,
}

impl Sink {
    /// From now on findings belong to this file.
    pub(super) fn enter(&mut self, file: usize) {
        self.file = file;
    }

    /// Reports an error; the answer takes label and help.
    pub(super) fn error(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Error, code, span, message.into())
    }

    /// Reports a warning.
    pub(super) fn warning(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Warning, code, span, message.into())
    }

    /// True when an error was reported.
    pub(super) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Everything reported.
    pub(super) fn into_entries(self) -> Vec<Diagnostic> {
        self.entries
    }

    fn push(
        &mut self,
        severity: Severity,
        code: Code,
        span: &Range<usize>,
        message: String,
    ) -> &mut Diagnostic {
        let is_first_error = severity == Severity::Error && !self.has_errors;
        self.has_errors |= severity == Severity::Error;
        let diagnostic = Diagnostic {
            severity,
            code,
            message,
            file: self.file,
            span: span.clone(),
            help: None,
            related: Vec::new(),
        };
        // However many warnings there are: without its error, the file would be used.
        if self.entries.len() >= KEPT_MAX && !is_first_error {
            return self.beyond.insert(diagnostic);
        }
        self.entries.push(diagnostic);
        self.entries.last_mut().expect("an entry was just pushed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_kept_up_to_a_bound_and_an_error_always() {
        let mut sink = Sink::default();
        for _ in 0..KEPT_MAX + 2 {
            sink.warning(Code::UnknownKey, &(0..1), "odd").help("none");
        }
        assert!(!sink.has_errors());
        sink.error(Code::Syntax, &(0..1), "first");
        sink.error(Code::Syntax, &(0..1), "second").help("none");
        assert!(sink.has_errors());
        let entries = sink.into_entries();
        assert_eq!(entries.len(), KEPT_MAX + 1);
        assert_eq!(entries.last().map(|entry| entry.message.as_str()), Some("first"));
    }
}
