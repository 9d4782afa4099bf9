//! Functions over times, and TO_CHAR.

use super::{Function, Gives, function, number_of, text_of, whole_of};
use crate::ora::OraError;
use crate::sql::evaluate::{Evaluator, arithmetic, convert};
use crate::sql::{datetime, format, language, number};
use crate::value::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("SYSDATE", (0, 0), Gives::Date, |e, _| {
        Ok(Value::Date(wall(e, e.environment.database_offset()).0))
    }),
    function("CURRENT_DATE", (0, 0), Gives::Date, |e, _| {
        Ok(Value::Date(wall(e, e.environment.session_offset()).0))
    }),
    function("SYSTIMESTAMP", (0, 1), Gives::TimestampTz, |e, _| {
        Ok(zoned(e, e.environment.database_offset()))
    }),
    function("CURRENT_TIMESTAMP", (0, 1), Gives::TimestampTz, |e, _| {
        Ok(zoned(e, e.environment.session_offset()))
    }),
    function("LOCALTIMESTAMP", (0, 1), Gives::Timestamp, |e, _| {
        let (seconds, nanos) = wall(e, e.environment.session_offset());
        Ok(Value::Timestamp { seconds, nanos })
    }),
    function("SYS_EXTRACT_UTC", (1, 1), Gives::Timestamp, |e, v| match &v[0] {
        Value::Null => Ok(Value::Null),
        other => {
            let (seconds, nanos) = convert::split(convert::instant(other, true, e.environment));
            Ok(Value::Timestamp { seconds, nanos })
        }
    }),
    function("TO_CHAR", (1, 3), Gives::Shown, to_char),
    function("TO_DATE", (1, 3), Gives::Date, to_date),
    function("TO_TIMESTAMP", (1, 3), Gives::Timestamp, to_timestamp),
    function("TO_TIMESTAMP_TZ", (1, 3), Gives::TimestampTz, to_timestamp_tz),
    function("TO_DSINTERVAL", (1, 2), Gives::IntervalDs, |e, v| {
        convert::cast(v[0].clone(), crate::value::ColumnType::IntervalDs, None, e.environment)
    }),
    function("TO_YMINTERVAL", (1, 2), Gives::IntervalYm, |e, v| {
        convert::cast(v[0].clone(), crate::value::ColumnType::IntervalYm, None, e.environment)
    }),
    function("NUMTODSINTERVAL", (2, 2), Gives::IntervalDs, to_interval),
    function("NUMTOYMINTERVAL", (2, 2), Gives::IntervalYm, to_months),
    function("ADD_MONTHS", (2, 2), Gives::Date, add_months),
    function("MONTHS_BETWEEN", (2, 2), Gives::Number, months_between),
    function("LAST_DAY", (1, 1), Gives::Date, |e, v| {
        Ok(seconds_of(e, &v[0])?
            .map_or(Value::Null, |seconds| Value::Date(datetime::last_day(seconds))))
    }),
    function("NEXT_DAY", (2, 2), Gives::Date, next_day),
    function("FROM_TZ", (2, 2), Gives::TimestampTz, from_tz),
];

pub(super) fn is_time(value: &Value) -> bool {
    matches!(value, Value::Date(_) | Value::Timestamp { .. } | Value::TimestampTz { .. })
}

fn wall(evaluator: &Evaluator<'_>, offset_minutes: i16) -> (i64, u32) {
    let now = evaluator.environment.now();
    (now.seconds + i64::from(offset_minutes) * 60, now.nanos)
}

fn zoned(evaluator: &Evaluator<'_>, offset_minutes: i16) -> Value {
    let now = evaluator.environment.now();
    Value::TimestampTz { seconds: now.seconds, nanos: now.nanos, offset_minutes }
}

/// The argument as a DATE's seconds.
fn seconds_of(evaluator: &Evaluator<'_>, value: &Value) -> Result<Option<i64>, OraError> {
    Ok(match convert::date(value, evaluator.environment)? {
        Value::Date(seconds) => Some(seconds),
        _ => None,
    })
}

fn wall_of(value: &Value) -> i64 {
    match value {
        Value::Date(seconds) | Value::Timestamp { seconds, .. } => *seconds,
        Value::TimestampTz { seconds, offset_minutes, .. } => {
            seconds + i64::from(*offset_minutes) * 60
        }
        _ => 0,
    }
}

pub(super) fn truncated(value: &Value, unit: &str) -> Result<Value, OraError> {
    datetime::truncate(wall_of(value), unit).map(Value::Date)
}

pub(super) fn rounded(value: &Value, unit: &str) -> Result<Value, OraError> {
    datetime::round(wall_of(value), unit).map(Value::Date)
}

fn to_char(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    if values.len() < 2 {
        return Ok(text_of(evaluator, values, 0)?.map_or(Value::Null, Value::text));
    }
    let Some(format) = text_of(evaluator, values, 1)? else { return Ok(Value::Null) };
    let given =
        text_of(evaluator, values, 2)?.map(|text| language::parameters(&text)).transpose()?;
    let (words, characters) = given.unwrap_or((None, None));
    let words = words.unwrap_or_else(|| evaluator.environment.language());
    let characters = characters.unwrap_or_else(|| evaluator.environment.numeric_characters());
    let text = match &values[0] {
        Value::Null => return Ok(Value::Null),
        Value::Date(seconds) => format::time_text(*seconds, 0, None, &format, words)?,
        Value::Timestamp { seconds, nanos } => {
            format::time_text(*seconds, *nanos, None, &format, words)?
        }
        Value::TimestampTz { nanos, offset_minutes, .. } => {
            format::time_text(wall_of(&values[0]), *nanos, Some(*offset_minutes), &format, words)?
        }
        Value::IntervalDs(_) | Value::IntervalYm(_) => {
            return Ok(text_of(evaluator, values, 0)?.map_or(Value::Null, Value::text));
        }
        other => match convert::local_number(other, evaluator.environment)? {
            Some(number) => format::number_text(number, &format, characters)?,
            None => return Ok(Value::Null),
        },
    };
    Ok(Value::text(text))
}

/// Text and a format, read; `None` if one of them is NULL.
fn read(
    evaluator: &Evaluator<'_>,
    values: &[Value],
    default: String,
) -> Result<Option<(i64, u32, Option<i16>)>, OraError> {
    let format = if values.len() > 1 { text_of(evaluator, values, 1)? } else { Some(default) };
    let (Some(text), Some(format)) = (text_of(evaluator, values, 0)?, format) else {
        return Ok(None);
    };
    let given =
        text_of(evaluator, values, 2)?.map(|text| language::parameters(&text)).transpose()?;
    let words = given.and_then(|given| given.0);
    let words = words.unwrap_or_else(|| evaluator.environment.language());
    let read = format::read_time(&text, &format, convert::today(evaluator.environment), words)?;
    Ok(Some((read.seconds, read.nanos, read.offset_minutes)))
}

fn to_date(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    if values.len() == 1 && is_time(&values[0]) {
        return convert::date(&values[0], evaluator.environment);
    }
    let read = read(evaluator, values, evaluator.environment.date_format())?;
    Ok(read.map_or(Value::Null, |(seconds, ..)| Value::Date(seconds)))
}

fn to_timestamp(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    if values.len() == 1 && is_time(&values[0]) {
        return convert::timestamp(&values[0], evaluator.environment);
    }
    let read = read(evaluator, values, evaluator.environment.timestamp_format())?;
    Ok(read.map_or(Value::Null, |(seconds, nanos, _)| Value::Timestamp { seconds, nanos }))
}

fn to_timestamp_tz(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let read = read(evaluator, values, evaluator.environment.timestamp_tz_format())?;
    Ok(read.map_or(Value::Null, |(seconds, nanos, offset)| {
        let offset_minutes = offset.unwrap_or_else(|| evaluator.environment.session_offset());
        Value::TimestampTz {
            seconds: seconds - i64::from(offset_minutes) * 60,
            nanos,
            offset_minutes,
        }
    }))
}

fn to_interval(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(count), Some(unit)) = (number_of(values, 0)?, text_of(evaluator, values, 1)?) else {
        return Ok(Value::Null);
    };
    let unit_nanos = match unit.trim().to_uppercase().as_str() {
        "DAY" => datetime::DAY_NANOS,
        "HOUR" => 3600 * datetime::NANOS,
        "MINUTE" => 60 * datetime::NANOS,
        "SECOND" => datetime::NANOS,
        _ => return Err(OraError::new(1760, "illegal argument for function")),
    };
    let nanos = number::multiply(count, Number::integer(unit_nanos))?;
    arithmetic::day_interval(number::round(nanos, 0).to_i128())
}

fn to_months(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(count), Some(unit)) = (number_of(values, 0)?, text_of(evaluator, values, 1)?) else {
        return Ok(Value::Null);
    };
    let months = match unit.trim().to_uppercase().as_str() {
        "YEAR" => number::multiply(count, Number::integer(12))?,
        "MONTH" => count,
        _ => return Err(OraError::new(1760, "illegal argument for function")),
    };
    let months = number::round(months, 0).to_i128();
    arithmetic::month_interval(months.and_then(|months| i32::try_from(months).ok()))
}

fn add_months(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(seconds), Some(months)) =
        (seconds_of(evaluator, &values[0])?, whole_of(values, 1, 0)?)
    else {
        return Ok(Value::Null);
    };
    let months = i32::try_from(months).map_err(|_| OraError::new(1426, "numeric overflow"))?;
    datetime::add_months(seconds, months).map(Value::Date)
}

fn months_between(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(later), Some(earlier)) =
        (seconds_of(evaluator, &values[0])?, seconds_of(evaluator, &values[1])?)
    else {
        return Ok(Value::Null);
    };
    Ok(datetime::months_between(later, earlier).map_or(Value::Null, Value::Number))
}

fn next_day(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let (Some(seconds), Some(day)) =
        (seconds_of(evaluator, &values[0])?, text_of(evaluator, values, 1)?)
    else {
        return Ok(Value::Null);
    };
    let wanted = evaluator.environment.language().read_day(day.trim()).map(|(place, _)| place);
    let wanted = wanted.ok_or_else(|| OraError::new(1846, "not a valid day of the week"))?;
    let today =
        chrono::Datelike::weekday(&datetime::civil(seconds)).num_days_from_monday() as usize;
    let ahead = (wanted + 6 - today) % 7 + 1;
    Ok(Value::Date(seconds + i64::try_from(ahead).unwrap_or(0) * datetime::DAY_SECS))
}

fn from_tz(evaluator: &Evaluator<'_>, values: &[Value]) -> Result<Value, OraError> {
    let Some(zone) = text_of(evaluator, values, 1)? else { return Ok(Value::Null) };
    let zone = datetime::Zone::read(&zone)?;
    Ok(match convert::timestamp(&values[0], evaluator.environment)? {
        Value::Timestamp { seconds, nanos } => {
            let offset_minutes = zone.offset_on_wall(seconds);
            let seconds = seconds - i64::from(offset_minutes) * 60;
            Value::TimestampTz { seconds, nanos, offset_minutes }
        }
        other => other,
    })
}
