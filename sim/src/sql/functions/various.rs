//! Functions that look at a value's bytes, or make new ones.

use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Function, Gives, function, number_of, text_of, whole_of};
use crate::ora::OraError;
use crate::sql::evaluate::{Evaluator, convert};
use crate::sql::{datetime, number};
use crate::value::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("UNISTR", (1, 1), Gives::Text(4000), |e, v| match text_of(e, v, 0)? {
        Some(text) => unistr(&text).map(Value::text),
        None => Ok(Value::Null),
    }),
    function("ASCIISTR", (1, 1), Gives::Text(4000), |e, v| {
        Ok(text_of(e, v, 0)?.map_or(Value::Null, |text| Value::text(asciistr(&text))))
    }),
    function("SYS_GUID", (0, 0), Gives::Raw(16), |e, _| Ok(guid(e))),
    function("STANDARD_HASH", (1, 2), Gives::Raw(64), standard_hash),
    function("VSIZE", (1, 1), Gives::Number, |e, v| match &v[0] {
        Value::Null => Ok(Value::Null),
        value => Ok(Value::integer(stored(e, value)?.1.len() as i128)),
    }),
    function("DUMP", (2, 5), Gives::Text(4000), dump),
    function("WIDTH_BUCKET", (4, 4), Gives::Number, width_bucket),
    function("TZ_OFFSET", (1, 1), Gives::Text(7), |e, v| {
        let Some(zone) = text_of(e, v, 0)? else { return Ok(Value::Null) };
        let offset = datetime::Zone::read(&zone)?.offset_at(e.environment.now().seconds);
        Ok(Value::text(datetime::offset_text(offset)))
    }),
    function("NEW_TIME", (3, 3), Gives::Date, new_time),
];

/// `\` and four hex digits, a unit of UTF-16; `\\` is itself.
fn unistr(text: &str) -> Result<String, OraError> {
    let invalid = || {
        OraError::new(30186, "'\\' must be followed by four hexdecimal characters or another '\\'")
    };
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("\\\\") {
            units.push(u16::from(b'\\'));
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('\\') {
            let digits = behind.get(..4).ok_or_else(invalid)?;
            units.push(u16::from_str_radix(digits, 16).map_err(|_| invalid())?);
            rest = &behind[4..];
        } else {
            units.extend(character.encode_utf16(&mut [0; 2]).iter());
            rest = &rest[character.len_utf8()..];
        }
    }
    Ok(String::from_utf16_lossy(&units))
}

fn asciistr(text: &str) -> String {
    let shown = text.encode_utf16().map(|unit| match u8::try_from(unit) {
        Ok(b'\\') => "\\005C".to_owned(),
        Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ => format!("\\{unit:04X}"),
    });
    shown.collect()
}

/// Sixteen bytes that no call before had.
fn guid(evaluator: &Evaluator<'_>) -> Value {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut hash = Md5::new();
    hash.update(CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    hash.update(evaluator.environment.now().seconds.to_be_bytes());
    hash.update(evaluator.environment.user());
    Value::Raw(hash.finalize().to_vec())
}

/// The bytes that Oracle stores, and the number of their type.
fn stored(evaluator: &Evaluator<'_>, value: &Value) -> Result<(u8, Vec<u8>), OraError> {
    Ok(match value {
        Value::Number(number) => (2, number.stored()),
        Value::Date(seconds) => (12, date_bytes(*seconds)),
        Value::Raw(bytes) => (23, bytes.clone()),
        Value::Text(text) => (1, text.as_bytes().to_vec()),
        other => (1, convert::text(other, evaluator.environment)?.unwrap_or_default().into_bytes()),
    })
}

/// Century and year above 100, month, day, and the time above 1.
fn date_bytes(seconds: i64) -> Vec<u8> {
    use chrono::{Datelike, Timelike};
    let time = datetime::civil(seconds);
    let byte = |number: i64| number.to_le_bytes()[0];
    let year = i64::from(time.year());
    vec![
        byte(year / 100 + 100),
        byte(year % 100 + 100),
        byte(time.month().into()),
        byte(time.day().into()),
        byte(i64::from(time.hour()) + 1),
        byte(i64::from(time.minute()) + 1),
        byte(i64::from(time.second()) + 1),
    ]
}

/// Of a DATE that was not read from a table: the year with its low byte first, and no offsets.
fn made_date_bytes(seconds: i64) -> Vec<u8> {
    use chrono::{Datelike, Timelike};
    let time = datetime::civil(seconds);
    let [low, high, ..] = time.year().to_le_bytes();
    let rest = [time.month(), time.day(), time.hour(), time.minute(), time.second(), 0];
    [low, high].into_iter().chain(rest.map(|part| part.to_le_bytes()[0])).collect()
}

fn standard_hash(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (_, bytes) = stored(evaluator, &values[0])?;
    let method = match values.len() {
        1 => Some("SHA1".to_owned()),
        _ => text_of(evaluator, values, 1)?,
    };
    let hash = match method.unwrap_or_default().trim().to_uppercase().as_str() {
        "SHA1" => Sha1::digest(bytes).to_vec(),
        "SHA256" => Sha256::digest(bytes).to_vec(),
        "SHA384" => Sha384::digest(bytes).to_vec(),
        "SHA512" => Sha512::digest(bytes).to_vec(),
        "MD5" => Md5::digest(bytes).to_vec(),
        _ => return Err(OraError::new(1760, "illegal argument for function")),
    };
    Ok(Value::Raw(hash))
}

/// `Typ=2 Len=2: 193,2`. The first argument is the number of a type that the value alone does not tell, or 0. The
/// format is 8, 10, 16 or 17 for characters; 1000 more shows the character set.
fn dump(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let told = whole_of(values, 0, 0)?.unwrap_or(0);
    let values = &values[1..];
    if values[0].is_null() {
        return Ok(Value::text("NULL"));
    }
    let (kind, bytes) = match (told, &values[0]) {
        (13, Value::Date(seconds)) => (13, made_date_bytes(*seconds)),
        (96, value) => (96, stored(evaluator, value)?.1),
        (_, value) => stored(evaluator, value)?,
    };
    let format = whole_of(values, 1, 10)?.unwrap_or(10);
    let start = usize::try_from(whole_of(values, 2, 1)?.unwrap_or(1).max(1) - 1).unwrap_or(0);
    let count = usize::try_from(whole_of(values, 3, i64::MAX)?.unwrap_or(i64::MAX)).unwrap_or(0);
    let set = if format >= 1000 && matches!(kind, 1 | 96) { " CharacterSet=AL32UTF8" } else { "" };
    let shown = |byte: &u8| match format % 1000 {
        8 => format!("{byte:o}"),
        17 if byte.is_ascii_graphic() || *byte == b' ' => char::from(*byte).to_string(),
        16 | 17 => format!("{byte:x}"),
        _ => byte.to_string(),
    };
    let parts: Vec<String> = bytes.iter().skip(start).take(count).map(shown).collect();
    Ok(Value::text(format!("Typ={kind} Len={}{set}: {}", bytes.len(), parts.join(","))))
}

fn width_bucket(_: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let mut numbers = Vec::new();
    for place in 0..4 {
        let Some(number) = number_of(values, place)? else { return Ok(Value::Null) };
        numbers.push(number);
    }
    let [value, low, high, count] = numbers[..] else { return Ok(Value::Null) };
    let count = number::truncate(count, 0);
    if count.signum() <= 0 {
        return Err(OraError::new(
            30494,
            "The argument of WIDTH_BUCKET function is NULL or invalid.",
        ));
    }
    // The range may run downwards.
    let down = high < low;
    let ahead =
        |a: Number, b: Number| if down { number::subtract(a, b) } else { number::subtract(b, a) };
    if ahead(low, value)?.signum() < 0 {
        return Ok(Value::integer(0));
    }
    if low == high || ahead(value, high)?.signum() <= 0 {
        return number::add(count, Number::integer(1)).map(Value::Number);
    }
    let share = number::divide(number::multiply(ahead(low, value)?, count)?, ahead(low, high)?)?;
    number::add(number::truncate(share, 0), Number::integer(1)).map(Value::Number)
}

/// The zones of NEW_TIME, which are those of North America and GMT.
fn new_time(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    const ZONES: [(&str, i64); 17] = [
        ("AST", -4),
        ("ADT", -3),
        ("BST", -11),
        ("BDT", -10),
        ("CST", -6),
        ("CDT", -5),
        ("EST", -5),
        ("EDT", -4),
        ("GMT", 0),
        ("HST", -10),
        ("HDT", -9),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
        ("YST", -9),
        ("YDT", -8),
    ];
    let hours = |place: usize| -> Result<Option<i64>, OraError> {
        let Some(name) = text_of(evaluator, values, place)? else { return Ok(None) };
        let found = ZONES.iter().find(|zone| zone.0.eq_ignore_ascii_case(name.trim()));
        found.map(|zone| Some(zone.1)).ok_or_else(|| OraError::new(1857, "not a valid time zone"))
    };
    let (Some(from), Some(to)) = (hours(1)?, hours(2)?) else { return Ok(Value::Null) };
    Ok(match convert::date(&values[0], evaluator.environment)? {
        Value::Date(seconds) => Value::Date(seconds + (to - from) * 3600),
        other => other,
    })
}
