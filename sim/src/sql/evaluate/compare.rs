//! Comparing values, by Oracle's rules for values of different types.

use std::cmp::Ordering;

use super::convert;
use crate::catalog::rowid::RowId;
use crate::ora::OraError;
use crate::sql::ast::Binary;
use crate::sql::environment::Environment;
use crate::value::Value;

/// A comparison; `None` if one side is NULL. CHAR values compare as if padded with blanks.
pub(crate) fn compare(
    operator: Binary,
    left: &Value,
    right: &Value,
    padded: bool,
    environment: &dyn Environment,
) -> Result<Option<bool>, OraError> {
    if left.is_null() || right.is_null() {
        return Ok(None);
    }
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) if padded => {
            left.trim_end_matches(' ').cmp(right.trim_end_matches(' '))
        }
        _ => order(left, right, environment)?,
    };
    Ok(Some(match operator {
        Binary::Equal => order.is_eq(),
        Binary::NotEqual => order.is_ne(),
        Binary::Less => order.is_lt(),
        Binary::LessEqual => order.is_le(),
        Binary::Greater => order.is_gt(),
        _ => order.is_ge(),
    }))
}

/// The order of two values that are not NULL. Text meets a number as a number, and a time as a time.
pub(crate) fn order(
    left: &Value,
    right: &Value,
    environment: &dyn Environment,
) -> Result<Ordering, OraError> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Ok(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Value::RowId(left), Value::RowId(right) | Value::Text(right))
        | (Value::Text(left), Value::RowId(right)) => Ok(rowid(left)?.cmp(&rowid(right)?)),
        (Value::Date(left), Value::Date(right)) => Ok(left.cmp(right)),
        (Value::IntervalDs(left), Value::IntervalDs(right)) => Ok(left.cmp(right)),
        (Value::IntervalYm(left), Value::IntervalYm(right)) => Ok(left.cmp(right)),
        (Value::Raw(left), Value::Raw(right)) => Ok(left.cmp(right)),
        (Value::Raw(left), Value::Text(right)) => Ok(convert::hex(left).cmp(right)),
        (Value::Text(left), Value::Raw(right)) => Ok(left.cmp(&convert::hex(right))),
        (Value::Double(_), Value::Number(_) | Value::Double(_) | Value::Text(_))
        | (Value::Number(_) | Value::Text(_), Value::Double(_)) => {
            let float = |value: &Value| match value {
                Value::Double(float) => Ok(*float),
                other => Ok(convert::number(other)?.map_or(f64::NAN, crate::value::Number::to_f64)),
            };
            Ok(float(left)?.total_cmp(&float(right)?))
        }
        (Value::Number(number), Value::Text(_)) => Ok(Some(*number).cmp(&convert::number(right)?)),
        (Value::Text(_), Value::Number(number)) => Ok(convert::number(left)?.cmp(&Some(*number))),
        _ if is_time(left) || is_time(right) => times(left, right, environment),
        _ => Err(OraError::new(932, "inconsistent datatypes")),
    }
}

/// ROWIDs are in the order of the rows, not of their letters.
fn rowid(text: &str) -> Result<RowId, OraError> {
    text.parse().map_err(|_| crate::sql::functions::rowid::invalid())
}

fn is_time(value: &Value) -> bool {
    matches!(value, Value::Date(_) | Value::Timestamp { .. } | Value::TimestampTz { .. })
}

/// Times without a zone are in the session's when the other one has a zone.
fn times(left: &Value, right: &Value, environment: &dyn Environment) -> Result<Ordering, OraError> {
    let zoned = [left, right].iter().any(|value| matches!(value, Value::TimestampTz { .. }));
    let like = |value: &Value, other: &Value| match value {
        Value::Text(_) if matches!(other, Value::Date(_)) => convert::date(value, environment),
        _ => convert::timestamp(value, environment),
    };
    let (left, right) = (like(left, right)?, like(right, left)?);
    let instant = |value: &Value| convert::instant(value, zoned, environment);
    Ok(instant(&left).cmp(&instant(&right)))
}

/// As ORDER BY sees two values of one column: mixed types, which a column cannot have, count as equal.
pub(crate) fn sort(left: &Value, right: &Value, environment: &dyn Environment) -> Ordering {
    order(left, right, environment).unwrap_or(Ordering::Equal)
}

/// LIKE. The escape character has to be one character, and it may stand only before `%`, `_` and itself.
pub(crate) fn like(value: &str, pattern: &str, escape: Option<&str>) -> Result<bool, OraError> {
    let escape = match escape {
        None => None,
        Some(text) => {
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Some(character),
                _ => {
                    return Err(OraError::new(
                        1425,
                        "escape character must be character string of length 1",
                    ));
                }
            }
        }
    };
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        parts.push(if Some(character) == escape {
            let literal =
                characters.next().filter(|next| matches!(next, '%' | '_') || Some(*next) == escape);
            Part::Exactly(literal.ok_or_else(|| {
                OraError::new(1424, "missing or illegal character following the escape character")
            })?)
        } else {
            match character {
                '%' => Part::Anything,
                '_' => Part::One,
                other => Part::Exactly(other),
            }
        });
    }
    let value: Vec<char> = value.chars().collect();
    Ok(matches_parts(&value, &parts))
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Anything,
    One,
    Exactly(char),
}

/// Greedy with one point to come back to, so the time is at most the product of both lengths.
fn matches_parts(value: &[char], parts: &[Part]) -> bool {
    let (mut at, mut part) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < value.len() {
        match parts.get(part) {
            Some(Part::Anything) => {
                back = Some((at, part));
                part += 1;
                continue;
            }
            Some(Part::One) => {}
            Some(Part::Exactly(character)) if *character == value[at] => {}
            _ => {
                let Some((start, wildcard)) = back else { return false };
                back = Some((start + 1, wildcard));
                at = start + 1;
                part = wildcard + 1;
                continue;
            }
        }
        at += 1;
        part += 1;
    }
    parts[part..].iter().all(|part| *part == Part::Anything)
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_has_wildcards_and_an_escape() {
        for (value, pattern, escape, expected) in [
            ("ABC", "A%", None, true),
            ("ABC", "%C", None, true),
            ("ABC", "_B_", None, true),
            ("ABC", "B%", None, false),
            ("A_C", "A\\_C", Some("\\"), true),
            ("ABC", "A\\_C", Some("\\"), false),
            ("aXbXc", "%X%X%", None, true),
            ("", "%", None, true),
        ] {
            assert_eq!(like(value, pattern, escape), Ok(expected), "{value} {pattern}");
        }
        assert_eq!(like("a", "a!b", Some("!")).map_err(|error| error.code), Err(1424));
        assert_eq!(like("a", "a", Some("ab")).map_err(|error| error.code), Err(1425));
    }
}
