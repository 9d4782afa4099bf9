//! `+`, `-`, `*`, `/` over numbers, times and intervals, and EXTRACT.

use chrono::{Datelike, Timelike};

use super::convert::{inconsistent, number as to_number, split};
use crate::ora::OraError;
use crate::sql::ast::Binary;
use crate::sql::{datetime, number};
use crate::value::{Number, Value};

pub(crate) fn negate(value: &Value) -> Result<Value, OraError> {
    Ok(match value {
        Value::IntervalDs(nanos) => Value::IntervalDs(-nanos),
        Value::IntervalYm(months) => month_interval(months.checked_neg())?,
        Value::Double(float) => Value::Double(-float),
        other => {
            to_number(other)?.map_or(Value::Null, |number| Value::Number(number::negate(number)))
        }
    })
}

/// NULL with anything is NULL.
pub(crate) fn apply(operator: Binary, left: &Value, right: &Value) -> Result<Value, OraError> {
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    if is_time(left) || (is_time(right) && operator == Binary::Add) {
        let (time, other) = if is_time(left) { (left, right) } else { (right, left) };
        return match operator {
            Binary::Add if is_time(other) => Err(OraError::new(975, "date + date not allowed")),
            Binary::Add => moved(time, other, false),
            Binary::Subtract if is_time(other) => difference(time, other),
            Binary::Subtract => moved(time, other, true),
            _ => Err(inconsistent("NUMBER", left)),
        };
    }
    if is_interval(left) || is_interval(right) {
        return intervals(operator, left, right);
    }
    if matches!(left, Value::Double(_)) || matches!(right, Value::Double(_)) {
        return doubles(operator, left, right);
    }
    let (Some(a), Some(b)) = (to_number(left)?, to_number(right)?) else { return Ok(Value::Null) };
    let result = match operator {
        Binary::Add => number::add(a, b),
        Binary::Subtract => number::subtract(a, b),
        Binary::Multiply => number::multiply(a, b),
        Binary::Divide => number::divide(a, b),
        _ => number::power(a, b),
    };
    result.map(Value::Number)
}

fn is_time(value: &Value) -> bool {
    matches!(value, Value::Date(_) | Value::Timestamp { .. } | Value::TimestampTz { .. })
}

fn is_interval(value: &Value) -> bool {
    matches!(value, Value::IntervalDs(_) | Value::IntervalYm(_))
}

fn doubles(operator: Binary, left: &Value, right: &Value) -> Result<Value, OraError> {
    let float = |value: &Value| match value {
        Value::Double(float) => Ok(*float),
        other => Ok(to_number(other)?.map_or(f64::NAN, Number::to_f64)),
    };
    let (a, b) = (float(left)?, float(right)?);
    Ok(Value::Double(match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        _ => a.powf(b),
    }))
}

/// A time and days or an interval. A TIMESTAMP and days give a DATE.
fn moved(time: &Value, by: &Value, back: bool) -> Result<Value, OraError> {
    let sign = if back { -1 } else { 1 };
    if let Value::IntervalYm(months) = by {
        let months = months.checked_mul(sign).ok_or_else(leading_precision)?;
        return with_seconds(time, |seconds| datetime::add_months(seconds, months));
    }
    let nanos = match by {
        Value::IntervalDs(nanos) => *nanos,
        days => {
            let days = to_number(days)?.unwrap_or(Number::integer(0));
            let nanos = datetime::days_to_nanos(days)
                .ok_or_else(|| OraError::new(1426, "numeric overflow"))?;
            let seconds = datetime::rounded_division(nanos, datetime::NANOS);
            let seconds =
                i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(i64::from(sign));
            return in_range(wall_clock(time).saturating_add(seconds)).map(Value::Date);
        }
    } * i128::from(sign);
    match time {
        Value::Date(seconds) => {
            let whole = i64::try_from(nanos.div_euclid(datetime::NANOS)).unwrap_or(i64::MAX);
            in_range(seconds.saturating_add(whole)).map(Value::Date)
        }
        Value::Timestamp { seconds, nanos: within } => {
            let (seconds, nanos) =
                split(i128::from(*seconds) * datetime::NANOS + i128::from(*within) + nanos);
            Ok(Value::Timestamp { seconds: in_range(seconds)?, nanos })
        }
        Value::TimestampTz { seconds, nanos: within, offset_minutes } => {
            let (seconds, nanos) =
                split(i128::from(*seconds) * datetime::NANOS + i128::from(*within) + nanos);
            Ok(Value::TimestampTz {
                seconds: in_range(seconds)?,
                nanos,
                offset_minutes: *offset_minutes,
            })
        }
        other => Err(inconsistent("DATE", other)),
    }
}

/// Years 1 to 9999.
fn in_range(seconds: i64) -> Result<i64, OraError> {
    if (-62_135_596_800..=253_402_300_799).contains(&seconds) {
        return Ok(seconds);
    }
    Err(OraError::new(1841, "(full) year must be between -4713 and +9999, and not be 0"))
}

fn wall_clock(time: &Value) -> i64 {
    match time {
        Value::Date(seconds) | Value::Timestamp { seconds, .. } => *seconds,
        Value::TimestampTz { seconds, offset_minutes, .. } => {
            seconds + i64::from(*offset_minutes) * 60
        }
        _ => 0,
    }
}

fn with_seconds(
    time: &Value,
    change: impl Fn(i64) -> Result<i64, OraError>,
) -> Result<Value, OraError> {
    Ok(match time {
        Value::Date(seconds) => Value::Date(change(*seconds)?),
        Value::Timestamp { seconds, nanos } => {
            Value::Timestamp { seconds: change(*seconds)?, nanos: *nanos }
        }
        Value::TimestampTz { seconds, nanos, offset_minutes } => {
            let offset = i64::from(*offset_minutes) * 60;
            let seconds = change(seconds + offset)? - offset;
            Value::TimestampTz { seconds, nanos: *nanos, offset_minutes: *offset_minutes }
        }
        other => return Err(inconsistent("DATE", other)),
    })
}

/// Two DATEs give days; with a TIMESTAMP it is an interval.
fn difference(left: &Value, right: &Value) -> Result<Value, OraError> {
    if let (Value::Date(left), Value::Date(right)) = (left, right) {
        return number::divide(Number::integer(i128::from(left - right)), Number::integer(86_400))
            .map(Value::Number);
    }
    let zoned = matches!((left, right), (Value::TimestampTz { .. }, Value::TimestampTz { .. }));
    let nanos = |value: &Value| match value {
        Value::TimestampTz { seconds, nanos, .. } if zoned => {
            i128::from(*seconds) * datetime::NANOS + i128::from(*nanos)
        }
        Value::Timestamp { nanos, .. } | Value::TimestampTz { nanos, .. } => {
            i128::from(wall_clock(value)) * datetime::NANOS + i128::from(*nanos)
        }
        other => i128::from(wall_clock(other)) * datetime::NANOS,
    };
    Ok(Value::IntervalDs(nanos(left) - nanos(right)))
}

/// ORA-01873.
fn leading_precision() -> OraError {
    OraError::new(1873, "the leading precision of the interval is too small")
}

/// An INTERVAL DAY TO SECOND of so many nanoseconds: nine digits of days are the most there are.
pub(crate) fn day_interval(nanos: Option<i128>) -> Result<Value, OraError> {
    const MOST: i128 = 1_000_000_000 * datetime::DAY_NANOS;
    let fits = nanos.filter(|nanos| (1 - MOST..MOST).contains(nanos));
    fits.map(Value::IntervalDs).ok_or_else(leading_precision)
}

/// An INTERVAL YEAR TO MONTH of so many months, if that is a number of them.
pub(crate) fn month_interval(months: Option<i32>) -> Result<Value, OraError> {
    months.map(Value::IntervalYm).ok_or_else(leading_precision)
}

fn intervals(operator: Binary, left: &Value, right: &Value) -> Result<Value, OraError> {
    match (operator, left, right) {
        (Binary::Add, Value::IntervalDs(a), Value::IntervalDs(b)) => day_interval(Some(a + b)),
        (Binary::Subtract, Value::IntervalDs(a), Value::IntervalDs(b)) => day_interval(Some(a - b)),
        (Binary::Add, Value::IntervalYm(a), Value::IntervalYm(b)) => {
            month_interval(a.checked_add(*b))
        }
        (Binary::Subtract, Value::IntervalYm(a), Value::IntervalYm(b)) => {
            month_interval(a.checked_sub(*b))
        }
        (Binary::Multiply | Binary::Divide, Value::IntervalDs(nanos), other)
        | (Binary::Multiply, other, Value::IntervalDs(nanos)) => {
            let factor = to_number(other)?.unwrap_or(Number::integer(0));
            let result = scaled(Number::integer(*nanos), operator, factor)?;
            day_interval(number::round(result, 0).to_i128())
        }
        (Binary::Multiply | Binary::Divide, Value::IntervalYm(months), other)
        | (Binary::Multiply, other, Value::IntervalYm(months)) => {
            let factor = to_number(other)?.unwrap_or(Number::integer(0));
            let result = scaled(Number::integer(i128::from(*months)), operator, factor)?;
            let months = number::round(result, 0).to_i128();
            month_interval(months.and_then(|months| i32::try_from(months).ok()))
        }
        _ if is_interval(left) => Err(inconsistent(super::convert::type_name(left), right)),
        _ => Err(inconsistent("NUMBER", right)),
    }
}

fn scaled(value: Number, operator: Binary, factor: Number) -> Result<Number, OraError> {
    if operator == Binary::Divide {
        number::divide(value, factor)
    } else {
        number::multiply(value, factor)
    }
}

/// EXTRACT.
pub(crate) fn extract(field: &str, value: &Value) -> Result<Value, OraError> {
    let invalid = || OraError::new(30076, "invalid extract field for extract source");
    let number = match value {
        Value::Null => return Ok(Value::Null),
        Value::IntervalYm(months) => match field {
            "YEAR" => Number::integer(i128::from(months / 12)),
            "MONTH" => Number::integer(i128::from(months % 12)),
            _ => return Err(invalid()),
        },
        Value::IntervalDs(nanos) => match field {
            "DAY" => Number::integer(nanos / datetime::DAY_NANOS),
            "HOUR" => Number::integer(nanos / (3600 * datetime::NANOS) % 24),
            "MINUTE" => Number::integer(nanos / (60 * datetime::NANOS) % 60),
            "SECOND" => Number::decimal(nanos % (60 * datetime::NANOS), 9),
            _ => return Err(invalid()),
        },
        time if is_time(time) => return extract_time(field, time).map(Value::Number),
        _ => return Err(invalid()),
    };
    Ok(Value::Number(number))
}

/// From a zoned time hours and minutes are those of UTC.
fn extract_time(field: &str, value: &Value) -> Result<Number, OraError> {
    let invalid = || OraError::new(30076, "invalid extract field for extract source");
    let (time, nanos, offset) = match value {
        Value::Date(seconds) if matches!(field, "YEAR" | "MONTH" | "DAY") => {
            (datetime::civil(*seconds), 0, None)
        }
        Value::Timestamp { seconds, nanos } => (datetime::civil(*seconds), *nanos, None),
        Value::TimestampTz { seconds, nanos, offset_minutes } => {
            (datetime::civil(*seconds), *nanos, Some(*offset_minutes))
        }
        _ => return Err(invalid()),
    };
    Ok(match (field, offset) {
        ("YEAR", _) => Number::integer(i128::from(time.year())),
        ("MONTH", _) => Number::integer(i128::from(time.month())),
        ("DAY", _) => Number::integer(i128::from(time.day())),
        ("HOUR", _) => Number::integer(i128::from(time.hour())),
        ("MINUTE", _) => Number::integer(i128::from(time.minute())),
        ("SECOND", _) => {
            Number::decimal(i128::from(time.second()) * datetime::NANOS + i128::from(nanos), 9)
        }
        ("TIMEZONE_HOUR", Some(minutes)) => Number::integer(i128::from(minutes / 60)),
        ("TIMEZONE_MINUTE", Some(minutes)) => Number::integer(i128::from(minutes % 60)),
        _ => return Err(invalid()),
    })
}
