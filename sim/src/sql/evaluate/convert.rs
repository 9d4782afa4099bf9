//! Conversions between types, implicit and by CAST.

use crate::ora::OraError;
use crate::sql::environment::Environment;
use crate::sql::{datetime, format, number};
use crate::value::{ColumnType, Digits, NotANumber, Number, Value};

/// ORA-01722.
pub(crate) fn invalid_number() -> OraError {
    OraError::new(1722, "invalid number")
}

/// True for an error that says that a value is none of the wanted type.
pub(crate) fn failed(error: &OraError) -> bool {
    matches!(error.code, 1426 | 1722 | 1438 | 1465 | 1481 | 1830..=1867 | 1873..=1882)
}

/// ORA-00932.
pub(crate) fn inconsistent(expected: &str, got: &Value) -> OraError {
    OraError::new(
        932,
        format!("inconsistent datatypes: expected {expected} got {}", type_name(got)),
    )
}

/// A value's type as error texts name it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Text(_) => "CHAR",
        Value::Number(_) => "NUMBER",
        Value::Date(_) => "DATE",
        Value::Timestamp { .. } => "TIMESTAMP",
        Value::TimestampTz { .. } => "TIMESTAMP WITH TIME ZONE",
        Value::IntervalDs(_) => "INTERVAL DAY TO SECOND",
        Value::IntervalYm(_) => "INTERVAL YEAR TO MONTH",
        Value::Raw(_) => "BINARY",
        Value::RowId(_) => "ROWID",
        Value::Double(_) => "BINARY_DOUBLE",
    }
}

/// To NUMBER; `None` for NULL.
pub(crate) fn number(value: &Value) -> Result<Option<Number>, OraError> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(Some(*number)),
        Value::Text(text) => text.parse().map(Some).map_err(|error| match error {
            NotANumber::Malformed => invalid_number(),
            NotANumber::TooLarge => OraError::new(1426, "numeric overflow"),
        }),
        Value::Double(float) => Number::from_f64(*float)
            .map(Some)
            .ok_or_else(|| OraError::new(1426, "numeric overflow")),
        other => Err(inconsistent("NUMBER", other)),
    }
}

/// To NUMBER, where a text has the session's decimal character.
pub(crate) fn local_number(
    value: &Value,
    environment: &dyn Environment,
) -> Result<Option<Number>, OraError> {
    match value {
        Value::Text(text) => number(&Value::Text(environment.numeric_characters().plain(text))),
        other => number(other),
    }
}

/// To a whole number, cut as Oracle cuts arguments.
pub(crate) fn whole(value: &Value) -> Result<Option<i64>, OraError> {
    let Some(number) = number(value)? else { return Ok(None) };
    number::truncate(number, 0)
        .to_i64()
        .map(Some)
        .ok_or_else(|| OraError::new(1428, "argument is out of range"))
}

/// To text; `None` for NULL.
pub(crate) fn text(
    value: &Value,
    environment: &dyn Environment,
) -> Result<Option<String>, OraError> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Text(text) | Value::RowId(text) => text.clone(),
        Value::Number(number) => environment.numeric_characters().shown(number::text(*number)),
        Value::Double(float) => double_text(*float),
        Value::Raw(bytes) => hex(bytes),
        Value::IntervalDs(nanos) => datetime::interval_text(*nanos),
        Value::IntervalYm(months) => datetime::months_text(*months),
        Value::Date(seconds) => format::time_text(
            *seconds,
            0,
            None,
            &environment.date_format(),
            environment.language(),
        )?,
        Value::Timestamp { seconds, nanos } => format::time_text(
            *seconds,
            *nanos,
            None,
            &environment.timestamp_format(),
            environment.language(),
        )?,
        Value::TimestampTz { seconds, nanos, offset_minutes } => format::time_text(
            seconds + i64::from(*offset_minutes) * 60,
            *nanos,
            Some(*offset_minutes),
            &environment.timestamp_tz_format(),
            environment.language(),
        )?,
    }))
}

/// `1.5E+000`.
fn double_text(float: f64) -> String {
    let shown = format!("{float:E}");
    match shown.split_once('E') {
        _ if float.is_nan() => "Nan".to_owned(),
        Some(_) if float == 0.0 => "0".to_owned(),
        Some((digits, power)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            format!("{digits}{point}E{:+04}", power.parse::<i32>().unwrap_or(0))
        }
        None if float < 0.0 => "-Inf".to_owned(),
        None => "Inf".to_owned(),
    }
}

/// RAWTOHEX.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let nibble =
        |bits: u8| char::from_digit(u32::from(bits), 16).unwrap_or('0').to_ascii_uppercase();
    bytes.iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).collect()
}

/// HEXTORAW.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, OraError> {
    let error = || OraError::new(1465, "invalid hex number");
    let padded = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
    if !padded.is_ascii() {
        return Err(error());
    }
    let bytes = (0..padded.len()).step_by(2).map(|at| u8::from_str_radix(&padded[at..at + 2], 16));
    bytes.collect::<Result<Vec<u8>, _>>().map_err(|_| error())
}

/// What today is where the session is, for formats that leave parts out.
pub(crate) fn today(environment: &dyn Environment) -> i64 {
    environment.now().seconds + i64::from(environment.session_offset()) * 60
}

/// To DATE: NULL stays NULL.
pub(crate) fn date(value: &Value, environment: &dyn Environment) -> Result<Value, OraError> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::Date(seconds) | Value::Timestamp { seconds, .. } => Value::Date(*seconds),
        Value::TimestampTz { seconds, offset_minutes, .. } => {
            Value::Date(seconds + i64::from(*offset_minutes) * 60)
        }
        Value::Text(text) => Value::Date(
            format::read_time(
                text,
                &environment.date_format(),
                today(environment),
                environment.language(),
            )?
            .seconds,
        ),
        other => return Err(inconsistent("DATE", other)),
    })
}

/// To TIMESTAMP, with or without a zone; a DATE becomes a TIMESTAMP.
pub(crate) fn timestamp(value: &Value, environment: &dyn Environment) -> Result<Value, OraError> {
    Ok(match value {
        Value::Date(seconds) => Value::Timestamp { seconds: *seconds, nanos: 0 },
        Value::Null | Value::Timestamp { .. } | Value::TimestampTz { .. } => value.clone(),
        Value::Text(text) => {
            let read = format::read_time(
                text,
                &environment.timestamp_format(),
                today(environment),
                environment.language(),
            )?;
            Value::Timestamp { seconds: read.seconds, nanos: read.nanos }
        }
        other => return Err(inconsistent("TIMESTAMP", other)),
    })
}

/// Nanoseconds of a time: of the wall clock, or if `zoned` of UTC, where a time without a zone is in the session's.
pub(crate) fn instant(value: &Value, zoned: bool, environment: &dyn Environment) -> i128 {
    let (seconds, nanos) = match value {
        Value::Date(seconds) => (*seconds, 0),
        Value::Timestamp { seconds, nanos } => (*seconds, *nanos),
        Value::TimestampTz { seconds, nanos, .. } => {
            return i128::from(*seconds) * datetime::NANOS + i128::from(*nanos);
        }
        _ => (0, 0),
    };
    let offset = if zoned { i64::from(environment.session_offset()) * 60 } else { 0 };
    i128::from(seconds - offset) * datetime::NANOS + i128::from(nanos)
}

/// `x AT TIME ZONE z`, and CAST to TIMESTAMP WITH TIME ZONE.
pub(crate) fn at_time_zone(
    value: &Value,
    zone: &str,
    environment: &dyn Environment,
) -> Result<Value, OraError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let value = timestamp(value, environment)?;
    let (seconds, nanos) = split(instant(&value, true, environment));
    let offset_minutes = match zone.to_uppercase().as_str() {
        "DBTIMEZONE" => environment.database_offset(),
        "SESSIONTIMEZONE" => environment.session_offset(),
        _ => datetime::Zone::read(zone)?.offset_at(seconds),
    };
    Ok(Value::TimestampTz { seconds, nanos, offset_minutes })
}

/// Nanoseconds to seconds and the rest.
pub(crate) fn split(nanos: i128) -> (i64, u32) {
    let seconds = i64::try_from(nanos.div_euclid(datetime::NANOS)).unwrap_or(i64::MAX);
    (seconds, u32::try_from(nanos.rem_euclid(datetime::NANOS)).unwrap_or(0))
}

/// CAST.
pub(crate) fn cast(
    value: Value,
    column_type: ColumnType,
    digits: Option<Digits>,
    environment: &dyn Environment,
) -> Result<Value, OraError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match column_type {
        ColumnType::Number => {
            let Some(number) = local_number(&value, environment)? else { return Ok(Value::Null) };
            let fitted = digits.map_or(Ok(number), |digits| number::fit(number, digits));
            fitted.map(Value::Number)
        }
        ColumnType::Varchar2(_) | ColumnType::Char(_) | ColumnType::Long => {
            let shown = text(&value, environment)?.unwrap_or_default();
            let sized = sized(&shown, column_type);
            // Only of a text the beginning is what was meant.
            if sized.len() < shown.len() && !matches!(value, Value::Text(_)) {
                return Err(OraError::new(25_137, "Data value out of range"));
            }
            Ok(Value::text(sized))
        }
        ColumnType::Date => date(&value, environment),
        ColumnType::Timestamp => match timestamp(&value, environment)? {
            Value::TimestampTz { seconds, nanos, offset_minutes } => {
                Ok(Value::Timestamp { seconds: seconds + i64::from(offset_minutes) * 60, nanos })
            }
            other => Ok(other),
        },
        ColumnType::TimestampTz => match value {
            Value::TimestampTz { .. } => Ok(value),
            _ => at_time_zone(&value, "SESSIONTIMEZONE", environment),
        },
        ColumnType::IntervalDs => match value {
            Value::IntervalDs(_) => Ok(value),
            Value::Text(text) => datetime::interval_literal(&text, "DAY", "SECOND")
                .map(Value::IntervalDs)
                .ok_or_else(|| OraError::new(1867, "the interval is invalid")),
            other => Err(inconsistent("INTERVAL DAY TO SECOND", &other)),
        },
        ColumnType::IntervalYm => match value {
            Value::IntervalYm(_) => Ok(value),
            Value::Text(text) => datetime::months_literal(&text, "YEAR", "MONTH")
                .map(Value::IntervalYm)
                .ok_or_else(|| OraError::new(1867, "the interval is invalid")),
            other => Err(inconsistent("INTERVAL YEAR TO MONTH", &other)),
        },
        ColumnType::Raw(_) => match value {
            Value::Raw(_) => Ok(value),
            other => unhex(&text(&other, environment)?.unwrap_or_default()).map(Value::Raw),
        },
        ColumnType::RowId => Ok(text(&value, environment)?.map_or(Value::Null, Value::RowId)),
        ColumnType::BinaryDouble => match value {
            Value::Double(_) => Ok(value),
            other => {
                Ok(number(&other)?.map_or(Value::Null, |number| Value::Double(number.to_f64())))
            }
        },
    }
}

/// Cut or padded to a type's length in bytes.
fn sized(text: &str, column_type: ColumnType) -> String {
    let cut = |bytes: u32| {
        let mut end = text.len().min(bytes as usize);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        &text[..end]
    };
    match column_type {
        ColumnType::Varchar2(bytes) => cut(bytes).to_owned(),
        ColumnType::Char(bytes) => format!("{:<width$}", cut(bytes), width = bytes as usize),
        _ => text.to_owned(),
    }
}
