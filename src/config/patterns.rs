//! One pattern of text: exact, LIKE or a regular expression, and what Oracle's columns can hold at all.

use regex::RegexBuilder;

use super::diagnostic::{Code, Sink};
use super::values::{text, wrong_type};
use super::yaml::{Node, Scalar, ScalarKind, excerpt};
use crate::engine::command::command_name;
use crate::engine::condition::{Comparison, Field, FieldKind, Operator, Pattern, in_order};
use crate::engine::like::Like;
use crate::engine::text::fold;

/// The longest pattern.
const PATTERN_BYTES_MAX: usize = 4_096;

/// The largest compiled regular expression; the regex crate's own default is ten times that.
const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// How long a SQL_ID is.
const SQL_ID_CHARACTERS: usize = 13;

/// A pattern and how it was written.
pub(super) struct Written {
    pub(super) pattern: Pattern,
    text: String,
}

impl Written {
    /// `= APP`, `like JDBC%`, `regex ^python`.
    pub(super) fn shown(&self) -> String {
        match self.pattern {
            Pattern::Exact(_) => format!("= {}", self.text),
            _ => self.shown_in_list(),
        }
    }

    /// The same without `=`.
    pub(super) fn shown_in_list(&self) -> String {
        match self.pattern {
            Pattern::Exact(_) | Pattern::Unsigned(_) => self.text.clone(),
            Pattern::Like(_) => format!("like {}", self.text),
            Pattern::Regex(_) => format!("regex {}", self.text),
        }
    }
}

/// A scalar: the whole value, exactly.
pub(super) fn exact(field: Field, node: &Node, sink: &mut Sink) -> Option<Written> {
    let scalar = node.scalar()?;
    match scalar.kind() {
        ScalarKind::Null => {
            wrong_type(node, "text", sink).help("sessions without a value: {is_null: true}");
            return None;
        }
        ScalarKind::Flag(flag) => {
            wrong_type(node, "text", sink)
                .help(format!("if the word is meant, quote it: \"{flag}\""));
            return None;
        }
        ScalarKind::Number | ScalarKind::Text => {}
    }
    if scalar.text.is_empty() {
        sink.error(Code::EmptyPattern, &node.span, "an empty text")
            .help("to Oracle empty text is NULL: {is_null: true}");
        return None;
    }
    match field {
        Field::ForceMatchingSignature => return signature(node, scalar, sink),
        Field::Command => return Some(command(&scalar.text)),
        _ if field.kind() == FieldKind::SqlId => sql_id(node, scalar, sink)?,
        _ => check_literal(field, node, &scalar.text, sink),
    }
    Some(Written { pattern: Pattern::exact(&scalar.text), text: scalar.text.clone() })
}

/// A command by its name, or by its number in V$SQLCOMMAND. Numbers with a known name are that name, as they are in
/// snapshots.
fn command(text: &str) -> Written {
    let name = text.parse().ok().and_then(command_name).unwrap_or(text);
    Written { pattern: Pattern::exact(name), text: text.to_owned() }
}

/// A signature is a number of up to 64 bits without a sign, more than the engine's numbers hold: it compares as
/// digits.
fn signature(node: &Node, scalar: &Scalar, sink: &mut Sink) -> Option<Written> {
    let digits = unsigned(node, &scalar.text, sink)?.to_string();
    Some(Written { pattern: Pattern::exact(&digits), text: digits })
}

/// `"> 0"` of a signature, whose operator was found already.
pub(super) fn signature_comparison(
    node: &Node,
    spelling: &str,
    operator: Operator,
    sink: &mut Sink,
) -> Option<Written> {
    let amount = node.scalar()?.text.trim().strip_prefix(spelling)?.trim();
    let value = in_order(unsigned(node, amount, sink)?);
    let pattern = Pattern::Unsigned(Comparison { operator, value });
    Some(Written { pattern, text: format!("{spelling} {amount}") })
}

fn unsigned(node: &Node, text: &str, sink: &mut Sink) -> Option<u64> {
    let number = text.parse().ok();
    if number.is_none() {
        let message = format!(
            "`force_matching_signature` takes a whole number without a sign, found {}",
            node.describe()
        );
        sink.error(Code::BadNumber, &node.span, message)
            .help("a number, a list of numbers, or \"!= 0\"");
    }
    number
}

fn sql_id(node: &Node, scalar: &Scalar, sink: &mut Sink) -> Option<()> {
    if scalar.kind() == ScalarKind::Number || (!scalar.quoted && is_power(&scalar.text)) {
        let message = format!("YAML reads the SQL_ID `{}` as a number", excerpt(&scalar.text));
        sink.error(Code::SqlIdQuote, &node.span, message)
            .help(format!("quote it: \"{}\"", excerpt(&scalar.text)));
        return None;
    }
    let letters_and_digits = scalar.text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if scalar.text.len() == SQL_ID_CHARACTERS && letters_and_digits {
        return Some(());
    }
    sink.error(Code::BadSqlId, &node.span, format!("`{}` is not a SQL_ID", excerpt(&scalar.text)))
        .help(format!("{SQL_ID_CHARACTERS} letters and digits, such as 7gk3z5hmbn7a1"));
    None
}

/// `12345e7890123`: too large for the library, so that it stays text there, but a number to other readers of YAML.
fn is_power(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('e').is_some_and(|(base, exponent)| digits(base) && digits(exponent))
}

/// Warns of texts that are probably not meant as they stand.
fn check_literal(field: Field, node: &Node, text: &str, sink: &mut Sink) {
    if text.contains('%') {
        let message = format!("`{}` is compared exactly, with its `%`", excerpt(text));
        sink.warning(Code::PercentNeedsLike, &node.span, message)
            .help(format!("did you mean {{like: \"{}\"}}?", excerpt(text)));
    }
    if let Some(width) = column_width(field).filter(|width| text.chars().count() > *width) {
        let message =
            format!("`{}` holds {width} characters at most: this text never occurs", field.name());
        sink.warning(Code::NeverTrue, &node.span, message)
            .help("the database cuts longer values: use {like: …} on the beginning");
    }
}

/// How many bytes Oracle's column holds (Database Reference, V$SESSION).
const fn column_width(field: Field) -> Option<usize> {
    match field {
        Field::Program => Some(48),
        Field::Module
        | Field::Action
        | Field::Machine
        | Field::ClientInfo
        | Field::ClientIdentifier
        | Field::WaitEvent
        | Field::WaitClass
        | Field::ServiceName => Some(64),
        Field::Osuser | Field::Username | Field::Schemaname => Some(128),
        Field::Terminal => Some(30),
        _ => None,
    }
}

/// `{like: …}`
pub(super) fn like(field: Field, node: &Node, sink: &mut Sink) -> Option<Written> {
    if field == Field::ForceMatchingSignature {
        sink.error(Code::BadNumber, &node.span, "`force_matching_signature` is a number, not text");
        return None;
    }
    let text = pattern_text(node, sink)?;
    match Like::new(text) {
        Ok(like) => {
            if like.matches_everything() {
                sink.warning(
                    Code::MatchesEverything,
                    &node.span,
                    "this pattern matches every value",
                )
                .help("that there is a value is said by {is_null: false}");
            }
            Some(Written { pattern: Pattern::Like(like), text: text.to_owned() })
        }
        Err(reason) => {
            sink.error(Code::BadLike, &node.span, reason)
                .help("a plain backslash is written twice: {like: 'ACME\\\\PC%'}");
            None
        }
    }
}

/// `{regex: …}`
pub(super) fn regex(node: &Node, sink: &mut Sink) -> Option<Written> {
    let text = pattern_text(node, sink)?;
    let compiled = expression(node, text, sink)?;
    if compiled.is_match("") {
        sink.warning(
            Code::MatchesEverything,
            &node.span,
            "this expression matches every value, even empty text",
        )
        .help("that there is a value is said by {is_null: false}");
    }
    Some(Written { pattern: Pattern::Regex(compiled), text: text.to_owned() })
}

/// A regular expression as all of ours are compiled: case ignored, bounded in size.
pub(super) fn expression(node: &Node, text: &str, sink: &mut Sink) -> Option<regex::Regex> {
    match RegexBuilder::new(text).case_insensitive(true).size_limit(REGEX_BYTES_MAX).build() {
        Ok(compiled) => Some(compiled),
        Err(error) => {
            report_regex(node, text, &error, sink);
            None
        }
    }
}

/// The text of a pattern that is not empty and not absurd.
pub(super) fn pattern_text<'n>(node: &'n Node, sink: &mut Sink) -> Option<&'n str> {
    if node.scalar().is_some_and(|scalar| scalar.quoted && scalar.text.is_empty()) {
        sink.error(Code::EmptyPattern, &node.span, "an empty pattern")
            .help("sessions without a value: {is_null: true}");
        return None;
    }
    if node.sequence().is_some() {
        let help = "a list goes around the matchers: [{like: A%}, {like: B%}]";
        wrong_type(node, "one pattern", sink).help(help);
        return None;
    }
    let text = text(node, "a pattern", sink)?;
    if text.len() > PATTERN_BYTES_MAX {
        let message =
            format!("a pattern of {} bytes; {PATTERN_BYTES_MAX} are the most", text.len());
        sink.error(Code::TooLarge, &node.span, message);
        return None;
    }
    Some(text)
}

/// The regex crate draws its own picture of where the error is; the last line says what, the caret line where.
fn report_regex(node: &Node, text: &str, error: &regex::Error, sink: &mut Sink) {
    let picture = match error {
        regex::Error::CompiledTooBig(_) => {
            sink.error(
                Code::BadRegex,
                &node.span,
                "this regular expression compiles to more than 1 MiB",
            )
            .help("smaller repetition counts, or (?-u) for plain ASCII");
            return;
        }
        other => other.to_string(),
    };
    let reason = picture.lines().last().unwrap_or_default().trim_start_matches("error: ").trim();
    let span =
        caret(&picture).and_then(|at| inside(node, text, at)).unwrap_or_else(|| node.span.clone());
    sink.error(Code::BadRegex, &span, format!("bad regular expression: {reason}"));
}

/// The column under which the picture's first caret stands: every line is indented by four.
fn caret(picture: &str) -> Option<usize> {
    const INDENT: usize = 4;
    let line = picture
        .lines()
        .find(|line| !line.trim().is_empty() && line.chars().all(|c| c == ' ' || c == '^'))?;
    line.find('^')?.checked_sub(INDENT)
}

/// The place in the file of a character of a scalar, where the scalar stands in the file as it is.
fn inside(node: &Node, text: &str, character: usize) -> Option<std::ops::Range<usize>> {
    let quotes = usize::from(node.scalar()?.quoted);
    if node.span.len() != text.len() + 2 * quotes {
        return None;
    }
    let (at, found) = text.char_indices().nth(character)?;
    let start = node.span.start + quotes + at;
    Some(start..start + found.len_utf8())
}

/// Whether two sets of exact texts have nothing in common; false when either holds another kind of pattern.
pub(super) fn disjoint(a: &[Pattern], b: &[Pattern]) -> bool {
    let exact = |patterns: &[Pattern]| -> Option<Vec<String>> {
        let folded = |pattern: &Pattern| match pattern {
            Pattern::Exact(text) => Some(fold(text).into_owned()),
            _ => None,
        };
        patterns.iter().map(folded).collect()
    };
    match (exact(a), exact(b)) {
        (Some(a), Some(b)) => !a.iter().any(|text| b.contains(text)),
        _ => false,
    }
}
