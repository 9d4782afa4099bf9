//! REGEXP_LIKE and its kin, over crate `regex`. It has no back-references in patterns; those are ORA-12726 here.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::{Function, Gives, function, text_of, whole_of};
use crate::ora::OraError;
use crate::sql::evaluate::Evaluator;
use crate::value::Value;

/// How many compiled patterns a thread keeps.
const KEPT_MAX: usize = 64;

thread_local! {
    /// One query asks for the same pattern for every row.
    static COMPILED: RefCell<HashMap<(String, String), Regex>> = RefCell::default();
}

pub(super) const FUNCTIONS: &[Function] = &[
    function("REGEXP_LIKE", (2, 3), Gives::Number, |e, v| {
        let (Some(text), Some(regex)) = (text_of(e, v, 0)?, pattern(e, v, 1, 2)?) else {
            return Ok(Value::Null);
        };
        Ok(Value::integer(u8::from(regex.is_match(&text))))
    }),
    function("REGEXP_SUBSTR", (2, 6), Gives::TextAsFirst, substr),
    function("REGEXP_INSTR", (2, 7), Gives::Number, instr),
    function("REGEXP_COUNT", (2, 4), Gives::Number, |e, v| {
        let (Some(text), Some(regex)) = (text_of(e, v, 0)?, pattern(e, v, 1, 3)?) else {
            return Ok(Value::Null);
        };
        let text = behind(&text, whole_of(v, 2, 1)?.unwrap_or(1));
        Ok(Value::integer(regex.find_iter(text).count() as i128))
    }),
    function("REGEXP_REPLACE", (2, 6), Gives::Text(4000), replace),
];

/// The pattern with its match parameters; `None` if the pattern is NULL.
fn pattern(
    e: &Evaluator<'_>,
    values: &[Value],
    place: usize,
    flags: usize,
) -> Result<Option<Regex>, OraError> {
    let Some(source) = text_of(e, values, place)? else { return Ok(None) };
    let flags = text_of(e, values, flags)?.unwrap_or_default();
    let key = (source, flags);
    if let Some(regex) = COMPILED.with_borrow(|compiled| compiled.get(&key).cloned()) {
        return Ok(Some(regex));
    }
    if let Some(flag) = key.1.chars().find(|flag| !"icnmx".contains(*flag)) {
        return Err(OraError::new(1760, format!("illegal argument for function: {flag}")));
    }
    let last = key.1.chars().rfind(|flag| "ic".contains(*flag));
    let regex = RegexBuilder::new(&key.0)
        .case_insensitive(last == Some('i'))
        .dot_matches_new_line(key.1.contains('n'))
        .multi_line(key.1.contains('m'))
        .ignore_whitespace(key.1.contains('x'))
        .build()
        .map_err(|_| OraError::new(12726, "unmatched bracket in regular expression"))?;
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= KEPT_MAX {
            compiled.clear();
        }
        compiled.insert(key, regex.clone());
    });
    Ok(Some(regex))
}

/// The text from a place on, counted from 1.
fn behind(text: &str, place: i64) -> &str {
    let skip = usize::try_from(place.max(1) - 1).unwrap_or(usize::MAX);
    let at = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    &text[at..]
}

fn nth(occurrence: Option<i64>) -> usize {
    usize::try_from(occurrence.unwrap_or(1).max(1) - 1).unwrap_or(0)
}

/// `(text, pattern, position, occurrence, flags, group)`
fn substr(e: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(text), Some(regex)) = (text_of(e, values, 0)?, pattern(e, values, 1, 4)?) else {
        return Ok(Value::Null);
    };
    let text = behind(&text, whole_of(values, 2, 1)?.unwrap_or(1));
    let group = usize::try_from(whole_of(values, 5, 0)?.unwrap_or(0)).unwrap_or(0);
    let found = regex.captures_iter(text).nth(nth(whole_of(values, 3, 1)?));
    Ok(found
        .and_then(|captures| captures.get(group))
        .map_or(Value::Null, |found| Value::text(found.as_str())))
}

/// `(text, pattern, position, occurrence, end, flags, group)`
fn instr(e: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(text), Some(regex)) = (text_of(e, values, 0)?, pattern(e, values, 1, 5)?) else {
        return Ok(Value::Null);
    };
    let rest = behind(&text, whole_of(values, 2, 1)?.unwrap_or(1));
    let skipped = text.len() - rest.len();
    let group = usize::try_from(whole_of(values, 6, 0)?.unwrap_or(0)).unwrap_or(0);
    let found = regex
        .captures_iter(rest)
        .nth(nth(whole_of(values, 3, 1)?))
        .and_then(|captures| captures.get(group));
    let end = whole_of(values, 4, 0)? == Some(1);
    Ok(Value::integer(found.map_or(0, |found| {
        let at = skipped + if end { found.end() } else { found.start() };
        text[..at].chars().count() as i128 + 1
    })))
}

/// `(text, pattern, replacement, position, occurrence, flags)`
fn replace(e: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let Some(text) = text_of(e, values, 0)? else { return Ok(Value::Null) };
    let Some(regex) = pattern(e, values, 1, 5)? else { return Ok(Value::text(text)) };
    let by = replacement(&text_of(e, values, 2)?.unwrap_or_default());
    let rest = behind(&text, whole_of(values, 3, 1)?.unwrap_or(1));
    let (skip, most) = match whole_of(values, 4, 0)?.unwrap_or(0) {
        0 => (0, usize::MAX),
        occurrence => (nth(Some(occurrence)), 1),
    };
    let mut replaced = text[..text.len() - rest.len()].to_owned();
    let mut behind = 0;
    for captures in regex.captures_iter(rest).skip(skip).take(most) {
        let whole = captures.get(0).map_or(0..0, |found| found.range());
        replaced.push_str(&rest[behind..whole.start]);
        captures.expand(&by, &mut replaced);
        behind = whole.end;
        let length = replaced.len() + rest.len() - behind;
        if length > text.len() {
            e.texts.check(length)?;
        }
    }
    replaced.push_str(&rest[behind..]);
    Ok(Value::text(replaced))
}

/// `\1` to `${1}`.
fn replacement(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '$' => result.push_str("$$"),
            '\\' => match characters.next() {
                Some(digit) if digit.is_ascii_digit() => result.extend(['$', '{', digit, '}']),
                Some(other) => result.push(other),
                None => result.push('\\'),
            },
            other => result.push(other),
        }
    }
    result
}
