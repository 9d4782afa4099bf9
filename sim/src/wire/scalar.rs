//! Values as they stand on the wire: NUMBER, DATE, ROWID and the rest, read from binds and written into rows.

use super::codec::{Unreadable, Writer, hex};
use super::negotiate::CHARSET;
use crate::ora::OraError;
use crate::value::{ColumnType, Number, Value};

/// The numbers of data types.
pub(super) mod code {
    pub(in crate::wire) const VARCHAR2: u8 = 1;
    pub(in crate::wire) const NUMBER: u8 = 2;
    pub(in crate::wire) const BINARY_INTEGER: u8 = 3;
    pub(in crate::wire) const LONG: u8 = 8;
    pub(in crate::wire) const ROWID: u8 = 11;
    pub(in crate::wire) const DATE: u8 = 12;
    pub(in crate::wire) const RAW: u8 = 23;
    pub(in crate::wire) const LONG_RAW: u8 = 24;
    pub(in crate::wire) const CHAR: u8 = 96;
    pub(in crate::wire) const BINARY_FLOAT: u8 = 100;
    pub(in crate::wire) const BINARY_DOUBLE: u8 = 101;
    pub(in crate::wire) const TIMESTAMP: u8 = 180;
    pub(in crate::wire) const TIMESTAMP_TZ: u8 = 181;
    pub(in crate::wire) const INTERVAL_YM: u8 = 182;
    pub(in crate::wire) const INTERVAL_DS: u8 = 183;
    pub(in crate::wire) const CURSOR: u8 = 102;
    pub(in crate::wire) const OBJECT: u8 = 109;
    pub(in crate::wire) const CLOB: u8 = 112;
    pub(in crate::wire) const BLOB: u8 = 113;
    pub(in crate::wire) const BFILE: u8 = 114;
    pub(in crate::wire) const JSON: u8 = 119;
    pub(in crate::wire) const VECTOR: u8 = 127;
    pub(in crate::wire) const UROWID: u8 = 208;
    pub(in crate::wire) const TIMESTAMP_LTZ: u8 = 231;
    pub(in crate::wire) const BOOLEAN: u8 = 252;
}

/// How a type is described: its number, the size of its buffer, and its character set if it is made of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) code: u8,
    pub(super) size: u32,
    pub(super) charset: Option<u16>,
    pub(super) precision: u8,
    pub(super) scale: u8,
}

impl Shape {
    /// As a column of this type is described.
    pub(super) fn of(column_type: ColumnType) -> Self {
        /// The largest size there is.
        const LONG_BYTES: u32 = 0x7fff_ffff;
        /// The scale of a NUMBER that has none: -127.
        const NO_SCALE: u8 = 0x81;
        let plain = |code, size| Self { code, size, charset: None, precision: 0, scale: 0 };
        let text = |code, size: u32| Self { charset: Some(CHARSET), ..plain(code, size.max(1)) };
        match column_type {
            ColumnType::Number => Self { scale: NO_SCALE, ..plain(code::NUMBER, 22) },
            ColumnType::Varchar2(size) => text(code::VARCHAR2, size),
            ColumnType::Char(size) => text(code::CHAR, size),
            ColumnType::Long => text(code::LONG, LONG_BYTES),
            ColumnType::Date => plain(code::DATE, 7),
            ColumnType::Timestamp => Self { scale: 6, ..plain(code::TIMESTAMP, 11) },
            ColumnType::TimestampTz => Self { scale: 6, ..plain(code::TIMESTAMP_TZ, 13) },
            ColumnType::IntervalDs => {
                Self { precision: 2, scale: 6, ..plain(code::INTERVAL_DS, 11) }
            }
            ColumnType::IntervalYm => Self { precision: 2, ..plain(code::INTERVAL_YM, 5) },
            ColumnType::Raw(size) => plain(code::RAW, size.max(1)),
            ColumnType::RowId => plain(code::ROWID, 18),
            ColumnType::BinaryDouble => plain(code::BINARY_DOUBLE, 8),
        }
    }
}

/// Writes a value into a row, in the form of its column.
pub(super) fn write_cell(to: &mut Writer, column_type: ColumnType, value: &Value) {
    match column_type {
        ColumnType::RowId => write_rowid(to, value),
        ColumnType::Long => write_long(to, value),
        _ => write_plain(to, Shape::of(column_type).code, false, value),
    }
}

/// Writes a value back into a bind that was declared with this number and character set form.
pub(super) fn write_bind(to: &mut Writer, code: u8, national: bool, value: &Value) {
    match code {
        code::ROWID | code::UROWID => write_rowid(to, value),
        code::BINARY_INTEGER => write_plain(to, code::NUMBER, national, value),
        code::BOOLEAN => write_boolean(to, value),
        _ => write_plain(to, code, national, value),
    }
}

fn write_plain(to: &mut Writer, code: u8, national: bool, value: &Value) {
    match (code, value) {
        (_, Value::Null) => to.u8(0),
        (code::NUMBER, Value::Number(number)) => write_number(to, *number),
        (code::NUMBER, Value::Double(float)) => match Number::from_f64(*float) {
            Some(number) => write_number(to, number),
            None => to.u8(0),
        },
        (code::NUMBER, Value::Text(text)) => match text.parse() {
            Ok(number) => write_number(to, number),
            Err(_) => to.u8(0),
        },
        (code::BINARY_DOUBLE, Value::Double(float)) => to.counted(&ordered_double(*float)),
        (code::BINARY_DOUBLE, Value::Number(number)) => {
            to.counted(&ordered_double(number.to_f64()));
        }
        (code::BINARY_FLOAT, Value::Double(float)) => to.counted(&ordered_float(*float)),
        (code::BINARY_FLOAT, Value::Number(number)) => to.counted(&ordered_float(number.to_f64())),
        (code::DATE | code::TIMESTAMP | code::TIMESTAMP_TZ | code::TIMESTAMP_LTZ, _) => {
            write_moment(to, code, value);
        }
        (code::INTERVAL_DS, Value::IntervalDs(nanos)) => to.counted(&interval_ds(*nanos)),
        (code::INTERVAL_YM, Value::IntervalYm(months)) => to.counted(&interval_ym(*months)),
        (code::RAW | code::LONG_RAW, Value::Raw(bytes)) => to.counted(bytes),
        (_, Value::Raw(bytes)) => write_text(to, national, &hex(bytes)),
        (_, Value::Text(text) | Value::RowId(text)) => write_text(to, national, text),
        (_, Value::Number(number)) => write_text(to, national, &number.to_string()),
        (_, Value::Double(float)) => write_text(to, national, &float.to_string()),
        // What does not fit its column cannot be shown.
        _ => to.u8(0),
    }
}

/// PL/SQL's BOOLEAN, which is 0 or 1 on this side of the wire.
fn write_boolean(to: &mut Writer, value: &Value) {
    match value {
        Value::Number(number) if number.to_i64() == Some(0) => to.counted(&[0]),
        Value::Number(_) => to.counted(&[1, 1]),
        _ => to.u8(0),
    }
}

/// ORA-01426, for a NUMBER that is greater or smaller than any here.
pub(super) fn overflow() -> OraError {
    OraError::new(1_426, "numeric overflow")
}

/// ORA-03115, for a bind of a type that is not known.
pub(super) fn unsupported(code: u8) -> OraError {
    OraError::new(3_115, format!("unsupported network datatype or representation: {code}"))
}

/// True if a value can be sent as a NUMBER.
pub(super) fn fits_number(value: &Value) -> bool {
    !matches!(value, Value::Double(float) if Number::from_f64(*float).is_none())
}

/// The number of a cursor that a client named in a bind.
pub(super) fn cursor_number(value: &Value) -> Option<u16> {
    let Value::Number(number) = value else { return None };
    number.to_i64().and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0)
}

/// True if a value can be sent back into a bind of this number.
pub(super) fn fits_bind(code: u8, value: &Value) -> bool {
    ![code::NUMBER, code::BINARY_INTEGER].contains(&code) || fits_number(value)
}

fn write_text(to: &mut Writer, national: bool, text: &str) {
    if national {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        to.counted(&bytes);
    } else {
        to.counted(text.as_bytes());
    }
}

/// LONG has its own indicator and return code behind the value.
fn write_long(to: &mut Writer, value: &Value) {
    /// NULL fetched into a column without an indicator: ORA-01405.
    const FETCHED_NULL: u32 = 1_405;
    write_plain(to, code::LONG, false, value);
    if value.is_null() {
        to.raw(&[0x81, 1]);
        to.ub(FETCHED_NULL);
    } else {
        to.zeros(2);
    }
}

fn write_number(to: &mut Writer, number: Number) {
    let digits = number.digits();
    if digits.is_empty() {
        return to.raw(&[1, 0x80]);
    }
    let negative = number.signum() < 0;
    let ending = negative && digits.len() < Number::DIGITS_MAX;
    // Between 2 and 22.
    to.u8((digits.len() + 1 + usize::from(ending)).to_le_bytes()[0]);
    let exponent = number.exponent().to_le_bytes()[0];
    if negative {
        to.u8(0x3e_u8.wrapping_sub(exponent));
        for digit in digits {
            to.u8(101 - digit);
        }
        if ending {
            to.u8(102);
        }
    } else {
        to.u8(0xc1_u8.wrapping_add(exponent));
        for digit in digits {
            to.u8(digit + 1);
        }
    }
}

/// `None` if a number is not between the greatest and the smallest here.
fn read_number(bytes: &[u8]) -> Result<Option<Value>, Unreadable> {
    const WRONG: Unreadable = Unreadable::Wrong("a NUMBER that is none");
    let (first, pairs) = bytes.split_first().ok_or(WRONG)?;
    if pairs.is_empty() {
        // Zero, or minus infinity, which no client can mean.
        return if *first == 0x80 { Ok(Some(Value::integer(0))) } else { Err(WRONG) };
    }
    let negative = first & 0x80 == 0;
    let pairs = if negative { pairs.strip_suffix(&[102]).unwrap_or(pairs) } else { pairs };
    let exponent = if negative { 0x3e - i32::from(*first) } else { i32::from(*first) - 0xc1 };
    let digit = |pair: &u8| {
        let digit = if negative { 101_u8.checked_sub(*pair) } else { pair.checked_sub(1) };
        digit.filter(|digit| *digit < 100).ok_or(WRONG)
    };
    let digits = pairs.iter().map(digit).collect::<Result<Vec<u8>, Unreadable>>()?;
    let number = Number::from_digits(negative, exponent, &digits);
    // Zero has no pairs: this one is too small.
    Ok(number.filter(|number| !number.is_zero()).map(Value::Number))
}

/// What orders like the number when compared byte by byte.
fn ordered_double(float: f64) -> [u8; 8] {
    let bits = float.to_bits();
    let ordered = if float.is_sign_negative() { !bits } else { bits | 1 << 63 };
    ordered.to_be_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "BINARY_FLOAT is the nearest of fewer digits")]
fn ordered_float(float: f64) -> [u8; 4] {
    let bits = (float as f32).to_bits();
    let ordered = if float.is_sign_negative() { !bits } else { bits | 1 << 31 };
    ordered.to_be_bytes()
}

fn read_double(bytes: [u8; 8]) -> f64 {
    let bits = u64::from_be_bytes(bytes);
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

fn read_float(bytes: [u8; 4]) -> f32 {
    let bits = u32::from_be_bytes(bytes);
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

const DAY_SECONDS: i64 = 86_400;

/// The year, month and day of a day counted from 1970-01-01.
fn civil(day: i64) -> (i64, u8, u8) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), byte(month), byte(day))
}

/// The day counted from 1970-01-01 of a year, month and day.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A number that is known to fit a byte.
const fn byte(number: i64) -> u8 {
    number.to_le_bytes()[0]
}

fn date(seconds: i64) -> [u8; 7] {
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    let year = year.clamp(1, 9_999);
    let [century, of_century] = [byte(year / 100 + 100), byte(year % 100 + 100)];
    let [hour, minute, second] =
        [byte(of_day / 3_600 + 1), byte(of_day / 60 % 60 + 1), byte(of_day % 60 + 1)];
    [century, of_century, month, day, hour, minute, second]
}

/// 1970-01-01 00:00:00 as a DATE.
pub(super) const EPOCH: [u8; 7] = [119, 170, 1, 1, 1, 1, 1];

fn write_moment(to: &mut Writer, code: u8, value: &Value) {
    let (seconds, nanos, offset) = match value {
        Value::Date(seconds) => (*seconds, 0, 0),
        Value::Timestamp { seconds, nanos } => (*seconds, *nanos, 0),
        Value::TimestampTz { seconds, nanos, offset_minutes } => {
            (*seconds, *nanos, *offset_minutes)
        }
        _ => return to.u8(0),
    };
    // Only a type with a zone has UTC on the wire.
    let zoned = code == code::TIMESTAMP_TZ;
    let shown = if zoned { seconds } else { seconds + i64::from(offset) * 60 };
    let date = date(shown);
    match code {
        code::DATE => to.counted(&date),
        code::TIMESTAMP_TZ => {
            to.u8(13);
            to.raw(&date);
            to.raw(&nanos.to_be_bytes());
            to.raw(&[byte(i64::from(offset / 60) + 20), byte(i64::from(offset % 60) + 60)]);
        }
        _ => {
            to.u8(11);
            to.raw(&date);
            to.raw(&nanos.to_be_bytes());
        }
    }
}

fn read_moment(code: u8, bytes: &[u8]) -> Result<Value, Unreadable> {
    const WRONG: Unreadable = Unreadable::Wrong("a DATE that is none");
    let (date, rest) = bytes.split_first_chunk::<7>().ok_or(WRONG)?;
    let [century, of_century, month, day, hour, minute, second] = date.map(i64::from);
    let year = (century - 100) * 100 + of_century - 100;
    if !(1..=12).contains(&month) || hour == 0 || minute == 0 || second == 0 {
        return Err(WRONG);
    }
    let days = day_number(year, month, day);
    // The 31st of February would be one of the first days of March.
    if civil(days) != (year, byte(month), byte(day)) {
        return Err(WRONG);
    }
    let seconds = days * DAY_SECONDS + (hour - 1) * 3_600 + (minute - 1) * 60 + second - 1;
    let nanos = rest.first_chunk().map_or(0, |nanos| u32::from_be_bytes(*nanos));
    match (code, rest.get(4..)) {
        (code::DATE, _) => Ok(Value::Date(seconds)),
        (code::TIMESTAMP_TZ, Some([hours, minutes, ..])) => {
            let offset_minutes = (i16::from(*hours) - 20) * 60 + i16::from(*minutes) - 60;
            Ok(Value::TimestampTz { seconds, nanos, offset_minutes })
        }
        (code::TIMESTAMP_TZ, _) => Ok(Value::TimestampTz { seconds, nanos, offset_minutes: 0 }),
        _ => Ok(Value::Timestamp { seconds, nanos }),
    }
}

/// What a signed part of an interval is shifted by.
const INTERVAL_SHIFT: i64 = 1 << 31;
const SECOND_NANOS: i128 = 1_000_000_000;

fn shifted(part: i64) -> [u8; 4] {
    u32::try_from(part + INTERVAL_SHIFT).unwrap_or(u32::MAX).to_be_bytes()
}

fn unshifted(bytes: &[u8]) -> Option<i64> {
    bytes.first_chunk().map(|bytes| i64::from(u32::from_be_bytes(*bytes)) - INTERVAL_SHIFT)
}

fn interval_ds(nanos: i128) -> [u8; 11] {
    let part = |number: i128| i64::try_from(number).unwrap_or(i64::from(i32::MAX));
    let seconds = nanos / SECOND_NANOS;
    let of_day = part(seconds % i128::from(DAY_SECONDS));
    let [d0, d1, d2, d3] =
        shifted(part(seconds / i128::from(DAY_SECONDS)).clamp(-999_999_999, 999_999_999));
    let [n0, n1, n2, n3] = shifted(part(nanos % SECOND_NANOS));
    let [h, m, s] = [of_day / 3_600, of_day / 60 % 60, of_day % 60].map(|part| byte(part + 60));
    [d0, d1, d2, d3, h, m, s, n0, n1, n2, n3]
}

fn interval_ym(months: i32) -> [u8; 5] {
    let [y0, y1, y2, y3] = shifted(i64::from(months / 12));
    [y0, y1, y2, y3, byte(i64::from(months % 12) + 60)]
}

fn read_interval(code: u8, bytes: &[u8]) -> Option<Value> {
    let first = unshifted(bytes)?;
    if code == code::INTERVAL_YM {
        let months = first * 12 + i64::from(*bytes.get(4)?) - 60;
        return i32::try_from(months).ok().map(Value::IntervalYm);
    }
    let [h, m, s] = *bytes.get(4..7)?.first_chunk::<3>()?;
    let [h, m, s] = [h, m, s].map(|part| i64::from(part) - 60);
    let seconds = first * DAY_SECONDS + h * 3_600 + m * 60 + s;
    let nanos = unshifted(bytes.get(7..)?)?;
    Some(Value::IntervalDs(i128::from(seconds) * SECOND_NANOS + i128::from(nanos)))
}

const ROWID_DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `OOOOOOFFFBBBBBBRRR`: the object, the file, the block and the row.
fn write_rowid(to: &mut Writer, value: &Value) {
    /// Any length that is not zero.
    const LENGTH: u8 = 14;
    let (Value::RowId(text) | Value::Text(text)) = value else {
        return to.u8(0);
    };
    let [object, file, block, row] = rowid_parts(text);
    to.u8(LENGTH);
    to.ub(object);
    to.ub(file);
    to.u8(0);
    to.ub(block);
    to.ub(row);
}

/// The object, the file, the block and the row of a ROWID.
pub(super) fn rowid_parts(text: &str) -> [u64; 4] {
    let text = text.as_bytes();
    let part = |range: std::ops::Range<usize>| {
        let digits = text.get(range).unwrap_or_default().iter();
        digits.fold(0_u64, |number, digit| {
            let value = ROWID_DIGITS.iter().position(|known| known == digit).unwrap_or(0);
            number << 6 | value as u64
        })
    };
    [part(0..6), part(6..9), part(9..15), part(15..18)]
}

/// Reads the value of a bind that was declared with this number and character set form. `None` is a NUMBER that is
/// greater or smaller than any here.
pub(super) fn read_bind(
    code: u8,
    national: bool,
    bytes: &[u8],
) -> Result<Option<Value>, Unreadable> {
    match code {
        _ if bytes.is_empty() => Ok(Some(Value::Null)),
        code::NUMBER | code::BINARY_INTEGER => read_number(bytes),
        _ => read_other(code, national, bytes).map(Some),
    }
}

fn read_other(code: u8, national: bool, bytes: &[u8]) -> Result<Value, Unreadable> {
    match code {
        code::VARCHAR2 | code::CHAR | code::LONG | code::ROWID | code::UROWID => {
            Ok(Value::text(if national {
                utf16(bytes)
            } else {
                String::from_utf8_lossy(bytes).into_owned()
            }))
        }
        code::BOOLEAN => Ok(Value::integer(i32::from(bytes.last() == Some(&1)))),
        code::RAW | code::LONG_RAW => Ok(Value::Raw(bytes.to_vec())),
        code::DATE | code::TIMESTAMP | code::TIMESTAMP_TZ | code::TIMESTAMP_LTZ => {
            read_moment(code, bytes)
        }
        code::BINARY_DOUBLE => {
            let bytes =
                bytes.first_chunk().ok_or(Unreadable::Wrong("a BINARY_DOUBLE that is none"))?;
            Ok(Value::Double(read_double(*bytes)))
        }
        code::BINARY_FLOAT => {
            let bytes =
                bytes.first_chunk().ok_or(Unreadable::Wrong("a BINARY_FLOAT that is none"))?;
            Ok(Value::Double(read_float(*bytes).into()))
        }
        code::INTERVAL_DS | code::INTERVAL_YM => {
            read_interval(code, bytes).ok_or(Unreadable::Wrong("an INTERVAL that is none"))
        }
        _ => Err(Unreadable::Wrong("a bind of a type that is not known")),
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The type that a bind is declared as.
pub(super) const fn bind_type(code: u8, size: u32) -> Option<ColumnType> {
    Some(match code {
        code::VARCHAR2 => ColumnType::Varchar2(size),
        // PL/SQL's own types are numbers here.
        code::NUMBER | code::BINARY_INTEGER | code::BOOLEAN => ColumnType::Number,
        code::LONG => ColumnType::Long,
        // The value of a cursor is never looked at.
        code::ROWID | code::UROWID | code::CURSOR => ColumnType::RowId,
        code::DATE => ColumnType::Date,
        code::RAW | code::LONG_RAW => ColumnType::Raw(size),
        code::CHAR => ColumnType::Char(size),
        code::BINARY_FLOAT | code::BINARY_DOUBLE => ColumnType::BinaryDouble,
        code::TIMESTAMP => ColumnType::Timestamp,
        code::TIMESTAMP_TZ | code::TIMESTAMP_LTZ => ColumnType::TimestampTz,
        code::INTERVAL_YM => ColumnType::IntervalYm,
        code::INTERVAL_DS => ColumnType::IntervalDs,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::Reader;

    /// The bytes of a value in a bind of this type, without their count.
    fn plain(code: u8, value: &Value) -> Vec<u8> {
        let mut writer = Writer::new();
        write_plain(&mut writer, code, false, value);
        let bytes = writer.into_bytes();
        Reader::new(&bytes).counted().expect("counted").into_owned()
    }

    fn number(text: &str) -> Value {
        Value::Number(text.parse().expect("a number"))
    }

    #[test]
    fn numbers_are_written_as_oracle_dumps_them() {
        for (text, bytes) in [
            ("0", &[0x80][..]),
            ("1", &[0xc1, 2]),
            ("100", &[0xc2, 2]),
            ("123.45", &[0xc2, 2, 24, 46]),
            ("0.001", &[0xbf, 11]),
            ("1e125", &[0xff, 11]),
            ("-1e125", &[0, 91, 102]),
            ("1e-130", &[0x80, 2]),
            ("-1", &[0x3e, 100, 102]),
            ("-123.45", &[0x3d, 100, 78, 56, 102]),
        ] {
            assert_eq!(plain(code::NUMBER, &number(text)), bytes, "{text}");
        }
    }

    #[test]
    fn values_read_as_they_were_written() {
        let whole = 12_345_678_901_234_567_890_123_456_789_012_345_678_i128;
        let seconds = 1_767_225_599;
        for (code, value) in [
            (code::NUMBER, Value::integer(whole)),
            (code::NUMBER, Value::integer(-whole)),
            (code::NUMBER, number("-0.000123")),
            (code::NUMBER, number("99999999.99")),
            (code::NUMBER, number("9.99e125")),
            (code::NUMBER, number("-1e-130")),
            (code::NUMBER, number("-3333333333333333333333333333333333333333e-45")),
            (code::VARCHAR2, Value::text("a \u{e9}")),
            (code::RAW, Value::Raw(vec![0, 255])),
            (code::DATE, Value::Date(seconds)),
            (code::DATE, Value::Date(-62_135_596_800)),
            (code::TIMESTAMP, Value::Timestamp { seconds: -1, nanos: 999_999_999 }),
            (code::TIMESTAMP_TZ, Value::TimestampTz { seconds, nanos: 7, offset_minutes: -330 }),
            (code::INTERVAL_DS, Value::IntervalDs(-90_061_000_000_001)),
            (code::INTERVAL_YM, Value::IntervalYm(-14)),
            (code::BINARY_DOUBLE, Value::Double(-0.1)),
            (code::BINARY_FLOAT, Value::Double(1.5)),
            (code::NUMBER, Value::Null),
        ] {
            assert_eq!(read_bind(code, false, &plain(code, &value)), Ok(Some(value)), "{code}");
        }
    }

    #[test]
    fn a_national_bind_is_utf_16() {
        let mut writer = Writer::new();
        write_bind(&mut writer, code::VARCHAR2, true, &Value::text("\u{20ac}"));
        assert_eq!(writer.into_bytes(), [2, 0x20, 0xac]);
        let euro = Value::text("\u{20ac}");
        assert_eq!(read_bind(code::VARCHAR2, true, &[0x20, 0xac]), Ok(Some(euro)));
    }

    #[test]
    fn a_rowid_is_taken_apart() {
        let mut writer = Writer::new();
        write_rowid(&mut writer, &Value::RowId("AAAR3sAAEAAAACXAAB".to_owned()));
        // Object 73196, file 4, block 151, row 1.
        assert_eq!(writer.into_bytes(), [14, 3, 1, 0x1d, 0xec, 1, 4, 0, 1, 0x97, 1, 1]);
    }

    #[test]
    fn bytes_that_are_no_value_are_refused() {
        for (code, bytes) in [
            (code::NUMBER, &[0xc1, 0][..]),
            (code::NUMBER, &[0xff, 0x65, 200]),
            (code::DATE, &[120, 126]),
            (code::DATE, &[120, 126, 13, 1, 1, 1, 1]),
            (code::DATE, &[120, 126, 2, 31, 1, 1, 1]),
            (code::DATE, &[120, 126, 2, 0, 1, 1, 1]),
            (code::TIMESTAMP, &[120, 125, 2, 29, 1, 1, 1, 0, 0, 0, 0]),
            (code::BINARY_DOUBLE, &[1]),
            (code::INTERVAL_DS, &[0; 5]),
            (200, &[1]),
        ] {
            assert!(read_bind(code, false, bytes).is_err(), "{code}");
        }
    }
}
