//! Functions over text.

use super::{Function, Gives, function, number_of, text_of, whole_of};
use crate::ora::OraError;
use crate::sql::evaluate::{Evaluator, compare, convert};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("UPPER", (1, 1), Gives::TextAsFirst, |e, v| mapped(e, v, str::to_uppercase)),
    function("LOWER", (1, 1), Gives::TextAsFirst, |e, v| mapped(e, v, str::to_lowercase)),
    function("INITCAP", (1, 1), Gives::TextAsFirst, |e, v| mapped(e, v, initcap)),
    function("REVERSE", (1, 1), Gives::TextAsFirst, |e, v| {
        mapped(e, v, |text| text.chars().rev().collect())
    }),
    function("TRIM", (1, 2), Gives::TextAsFirst, |e, v| trimmed(e, v, true, true)),
    function("LTRIM", (1, 2), Gives::TextAsFirst, |e, v| trimmed(e, v, true, false)),
    function("RTRIM", (1, 2), Gives::TextAsFirst, |e, v| trimmed(e, v, false, true)),
    function("LPAD", (2, 3), Gives::TextAsSecond, |e, v| padded(e, v, true)),
    function("RPAD", (2, 3), Gives::TextAsSecond, |e, v| padded(e, v, false)),
    function("SUBSTR", (2, 3), Gives::TextAsFirst, substr),
    function("SUBSTRB", (2, 3), Gives::TextAsFirst, substrb),
    function("INSTR", (2, 4), Gives::Number, instr),
    function("INSTRB", (2, 4), Gives::Number, instrb),
    function("LENGTH", (1, 1), Gives::Number, |e, v| counted(e, v, |text| text.chars().count())),
    function("LENGTHB", (1, 1), Gives::Number, |e, v| counted(e, v, str::len)),
    function("REPLACE", (2, 3), Gives::Text(4000), replace),
    function("TRANSLATE", (3, 3), Gives::Text(4000), translate),
    function("CONCAT", (2, 2), Gives::Text(4000), concat),
    function("CHR", (1, 1), Gives::Text(4), chr),
    function("ASCII", (1, 1), Gives::Number, ascii),
    function("GREATEST", (1, 255), Gives::First, |e, v| extreme(e, v, std::cmp::Ordering::Greater)),
    function("LEAST", (1, 255), Gives::First, |e, v| extreme(e, v, std::cmp::Ordering::Less)),
    function("HEXTORAW", (1, 1), Gives::Raw(2000), |e, v| match text_of(e, v, 0)? {
        Some(text) => convert::unhex(&text).map(Value::Raw),
        None => Ok(Value::Null),
    }),
    function("RAWTOHEX", (1, 1), Gives::Text(4000), |e, v| match &v[0] {
        Value::Text(text) => Ok(Value::text(convert::hex(text.as_bytes()))),
        other => Ok(convert::text(other, e.environment)?.map_or(Value::Null, Value::text)),
    }),
    function("ORA_HASH", (1, 3), Gives::Number, hash),
    // There are no LOBs; texts stand for them.
    function("DBMS_LOB.SUBSTR", (1, 3), Gives::Text(4000), |e, v| {
        let amount = v.get(1).cloned().unwrap_or(Value::integer(32_767));
        let offset = v.get(2).cloned().unwrap_or(Value::integer(1));
        substr(e, &[v[0].clone(), offset, amount])
    }),
    function("DBMS_LOB.GETLENGTH", (1, 1), Gives::Number, |e, v| {
        counted(e, v, |text| text.chars().count())
    }),
    function("DBMS_LOB.INSTR", (2, 4), Gives::Number, instr),
    function("TO_CLOB", (1, 1), Gives::Text(4000), |e, v| mapped(e, v, str::to_owned)),
];

fn mapped(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    map: fn(&str) -> String,
) -> Result<Value, OraError> {
    Ok(text_of(evaluator, values, 0)?.map_or(Value::Null, |text| Value::text(map(&text))))
}

fn counted(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    count: fn(&str) -> usize,
) -> Result<Value, OraError> {
    Ok(text_of(evaluator, values, 0)?
        .map_or(Value::Null, |text| Value::integer(count(&text) as i128)))
}

fn initcap(text: &str) -> String {
    let mut inside = false;
    let mut result = String::new();
    for character in text.chars() {
        if inside {
            result.extend(character.to_lowercase());
        } else {
            result.extend(character.to_uppercase());
        }
        inside = character.is_alphanumeric();
    }
    result
}

fn trimmed(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    left: bool,
    right: bool,
) -> Result<Value, OraError> {
    let Some(text) = text_of(evaluator, values, 0)? else { return Ok(Value::Null) };
    let set = match values.len() {
        1 => Some(" ".to_owned()),
        _ => text_of(evaluator, values, 1)?,
    };
    let Some(set) = set else { return Ok(Value::Null) };
    let inside = |character: char| set.contains(character);
    let mut rest = text.as_str();
    if left {
        rest = rest.trim_start_matches(inside);
    }
    if right {
        rest = rest.trim_end_matches(inside);
    }
    Ok(Value::text(rest))
}

fn padded(evaluator: &Evaluator<'_>, values: &[Value], left: bool) -> Result<Value, OraError> {
    let (text, width) = (text_of(evaluator, values, 0)?, whole_of(values, 1, 0)?);
    let fill = if values.len() > 2 { text_of(evaluator, values, 2)? } else { Some(" ".into()) };
    let (Some(text), Some(width), Some(fill)) = (text, width, fill) else { return Ok(Value::Null) };
    // What does not fit is left out.
    let most = evaluator.texts.most();
    let width = usize::try_from(width.max(0)).unwrap_or(0).min(most);
    let length = text.chars().count();
    if length >= width {
        return Ok(Value::text(text.chars().take(width).collect::<String>()));
    }
    let mut bytes = text.len();
    let padding = fill.chars().cycle().take(width - length).take_while(|character| {
        bytes += character.len_utf8();
        bytes <= most
    });
    let padding: String = padding.collect();
    Ok(Value::text(if left { padding + &text } else { text + &padding }))
}

/// Which of so many characters or bytes SUBSTR is about: how many to skip, and how many to take.
fn part(values: &[Value], length: usize) -> Result<Option<(usize, usize)>, OraError> {
    let (start, count) = (whole_of(values, 1, 1)?, whole_of(values, 2, i64::MAX)?);
    let (Some(start), Some(count)) = (start, count) else { return Ok(None) };
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let skip = if start < 0 { length + start } else { (start - 1).max(0) };
    if skip < 0 || count < 1 {
        return Ok(None);
    }
    Ok(Some((usize::try_from(skip).unwrap_or(0), usize::try_from(count).unwrap_or(usize::MAX))))
}

fn substr(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let Some(text) = text_of(evaluator, values, 0)? else { return Ok(Value::Null) };
    let Some((skip, count)) = part(values, text.chars().count())? else { return Ok(Value::Null) };
    Ok(Value::text(text.chars().skip(skip).take(count).collect::<String>()))
}

/// Of a character that is cut, blanks remain.
fn substrb(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let Some(text) = text_of(evaluator, values, 0)? else { return Ok(Value::Null) };
    let Some((skip, count)) = part(values, text.len())? else { return Ok(Value::Null) };
    let (from, to) = (skip.min(text.len()), skip.saturating_add(count).min(text.len()));
    let whole = text.ceil_char_boundary(from).min(to)..text.floor_char_boundary(to).max(from);
    let inside = text.get(whole.clone()).unwrap_or_default();
    let blanks = |bytes: usize| " ".repeat(bytes);
    if inside.is_empty() {
        return Ok(Value::text(blanks(to - from)));
    }
    Ok(Value::text(blanks(whole.start - from) + inside + &blanks(to - whole.end)))
}

fn instr(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    found_in(evaluator, values, |text| text.chars().collect::<Vec<char>>())
}

fn instrb(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    found_in(evaluator, values, |text| text.as_bytes().to_vec())
}

/// INSTR over characters or bytes.
fn found_in<T: PartialEq>(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    units: fn(&str) -> Vec<T>,
) -> Result<Value, OraError> {
    let (text, part) = (text_of(evaluator, values, 0)?, text_of(evaluator, values, 1)?);
    let (start, nth) = (whole_of(values, 2, 1)?, whole_of(values, 3, 1)?);
    let (Some(text), Some(part), Some(start), Some(nth)) = (text, part, start, nth) else {
        return Ok(Value::Null);
    };
    if nth < 1 {
        return Err(OraError::new(1428, format!("argument '{nth}' is out of range")));
    }
    let (text, part) = (units(&text), units(&part));
    let found = |at: &usize| text[*at..].starts_with(&part);
    let nth = usize::try_from(nth - 1).unwrap_or(0);
    let place = match usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX) {
        0 => None,
        start_at if start > 0 => (start_at - 1..text.len()).filter(found).nth(nth),
        from_end if from_end <= text.len() => {
            (0..=text.len() - from_end).rev().filter(found).nth(nth)
        }
        _ => None,
    };
    Ok(Value::integer(place.map_or(0, |place| place as i128 + 1)))
}

fn replace(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let Some(text) = text_of(evaluator, values, 0)? else { return Ok(Value::Null) };
    let Some(part) = text_of(evaluator, values, 1)? else { return Ok(Value::text(text)) };
    let by = text_of(evaluator, values, 2)?.unwrap_or_default();
    if by.len() > part.len() {
        // Counted first: two texts can make one of a gigabyte.
        let more = text.matches(&part).count().saturating_mul(by.len() - part.len());
        evaluator.texts.check(text.len().saturating_add(more))?;
    }
    Ok(Value::text(text.replace(&part, &by)))
}

fn translate(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (text, from, to) = (
        text_of(evaluator, values, 0)?,
        text_of(evaluator, values, 1)?,
        text_of(evaluator, values, 2)?,
    );
    let (Some(text), Some(from), Some(to)) = (text, from, to) else { return Ok(Value::Null) };
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mapped = text.chars().filter_map(|character| {
        match from.iter().position(|other| *other == character) {
            Some(place) => to.get(place).copied(),
            None => Some(character),
        }
    });
    Ok(Value::text(mapped.collect::<String>()))
}

fn concat(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let left = text_of(evaluator, values, 0)?.unwrap_or_default();
    evaluator.texts.made(left + &text_of(evaluator, values, 1)?.unwrap_or_default())
}

/// The number is that of the character's bytes, as ASCII gives it.
fn chr(_: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let Some(code) = whole_of(values, 0, 0)? else { return Ok(Value::Null) };
    let code = u32::try_from(code).map_err(|_| OraError::new(1426, "numeric overflow"))?;
    let bytes = code.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(3);
    Ok(Value::text(String::from_utf8_lossy(&bytes[zeros..])))
}

fn ascii(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let text = text_of(evaluator, values, 0)?;
    let first = text.and_then(|text| text.chars().next());
    Ok(first.map_or(Value::Null, |first| {
        let mut bytes = [0; 4];
        let bytes = first.encode_utf8(&mut bytes).bytes();
        Value::integer(bytes.fold(0_u32, |code, byte| code << 8 | u32::from(byte)))
    }))
}

/// GREATEST and LEAST; the first argument decides what the others are compared as.
fn extreme(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    wanted: std::cmp::Ordering,
) -> Result<Value, OraError> {
    if values.iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    let mut best = values[0].clone();
    for value in &values[1..] {
        let value = match &best {
            Value::Text(_) => {
                Value::text(convert::text(value, evaluator.environment)?.unwrap_or_default())
            }
            Value::Number(_) => {
                number_of(std::slice::from_ref(value), 0)?.map_or(Value::Null, Value::Number)
            }
            _ => value.clone(),
        };
        if compare::order(&value, &best, evaluator.environment)? == wanted {
            best = value;
        }
    }
    Ok(best)
}

/// FNV-1a over the text: stable, and spread over `0..=max`.
fn hash(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let text = text_of(evaluator, values, 0)?.unwrap_or_default();
    let most = whole_of(values, 1, i64::from(u32::MAX))?.unwrap_or(0);
    let seed = whole_of(values, 2, 0)?.unwrap_or(0);
    let buckets = u64::try_from(most).ok().filter(|most| u32::try_from(*most).is_ok());
    let buckets = buckets
        .ok_or_else(|| OraError::new(1428, format!("argument '{most}' is out of range")))?
        + 1;
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ seed.unsigned_abs();
    let hashed = text
        .bytes()
        .fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Ok(Value::integer((hashed ^ (hashed >> 32)) % buckets))
}
