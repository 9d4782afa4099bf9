//! DATE arithmetic on seconds since 1970, and the literals of times and intervals.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike,
};

use crate::ora::OraError;
use crate::value::{Number, Value};

pub(crate) const DAY_SECS: i64 = 86_400;
pub(crate) const NANOS: i128 = 1_000_000_000;
/// Nanoseconds of a day.
pub(crate) const DAY_NANOS: i128 = DAY_SECS as i128 * NANOS;

/// The civil time of a DATE.
pub(crate) fn civil(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH).naive_utc()
}

/// The DATE of a civil time; `None` if there is no such day or time.
pub(crate) fn seconds(date: (i32, u32, u32), time: (u32, u32, u32)) -> Option<i64> {
    let day = NaiveDate::from_ymd_opt(date.0, date.1, date.2)?;
    Some(day.and_hms_opt(time.0, time.1, time.2)?.and_utc().timestamp())
}

/// `2026-01-31`.
pub(crate) fn date_literal(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, '-');
    let year = parts.next()?.parse().ok().filter(|year| (1..=9999).contains(year))?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    seconds((year, month, day), (0, 0, 0))
}

/// `2026-01-31 10:00[:00[.123]] [+02:00|Europe/Berlin]`.
pub(crate) fn timestamp_literal(text: &str) -> Option<Value> {
    let text = text.trim();
    let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, "0:0:0"));
    let rest = rest.trim();
    let (time, zone) =
        match rest.find(|at: char| matches!(at, ' ' | '+' | '-') || at.is_alphabetic()) {
            Some(at) => (&rest[..at], Some(rest[at..].trim())),
            None => (rest, None),
        };
    let mut parts = time.splitn(3, ':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let (second, nanos) = fractional(parts.next().unwrap_or("0"))?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = date_literal(date)? + hour * 3600 + minute * 60 + second;
    match zone {
        None => Some(Value::Timestamp { seconds, nanos }),
        Some(zone) => {
            let wall = || Zone::read(zone).ok().map(|zone| zone.offset_on_wall(seconds));
            let offset_minutes = offset(zone).or_else(wall)?;
            Some(Value::TimestampTz {
                seconds: seconds - i64::from(offset_minutes) * 60,
                nanos,
                offset_minutes,
            })
        }
    }
}

/// `5.25` to seconds and nanoseconds.
fn fractional(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    Some((whole.parse().ok()?, nanos_of(fraction)?))
}

/// The digits behind the point of a second.
pub(crate) fn nanos_of(digits: &str) -> Option<u32> {
    let digits: String = digits.chars().take(9).collect();
    format!("{digits:0<9}").parse().ok()
}

/// A time zone: an offset, or a region with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Minutes to add to UTC.
    Offset(i16),
    /// `Europe/Berlin`.
    Region(chrono_tz::Tz),
}

impl Zone {
    /// ORA-01874 for an offset that is too large, ORA-01882 for a region that does not exist.
    pub(crate) fn read(text: &str) -> Result<Self, OraError> {
        let text = text.trim();
        if text.starts_with(['+', '-']) {
            let minutes = offset(text);
            return minutes
                .map(Self::Offset)
                .ok_or_else(|| OraError::new(1874, "time zone hour must be between -15 and 15"));
        }
        let region = chrono_tz::Tz::from_str_insensitive(text);
        region.map(Self::Region).map_err(|_| OraError::new(1882, "timezone region not found"))
    }

    /// What is added to UTC at that second of UTC.
    pub(crate) fn offset_at(&self, seconds: i64) -> i16 {
        match self {
            Self::Offset(minutes) => *minutes,
            Self::Region(region) => minutes(region.offset_from_utc_datetime(&civil(seconds)).fix()),
        }
    }

    /// What is added to UTC at that second of the zone's own wall clock; the earlier of two, and where the clock is
    /// put forward the offset that holds afterwards.
    pub(crate) fn offset_on_wall(&self, seconds: i64) -> i16 {
        match self {
            Self::Offset(minutes) => *minutes,
            Self::Region(region) => {
                match region.offset_from_local_datetime(&civil(seconds)).earliest() {
                    Some(offset) => minutes(offset.fix()),
                    None => self.offset_at(seconds),
                }
            }
        }
    }

    /// As SESSIONTIMEZONE shows it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Offset(minutes) => offset_text(*minutes),
            Self::Region(region) => region.name().to_owned(),
        }
    }
}

fn minutes(offset: chrono::FixedOffset) -> i16 {
    i16::try_from(offset.local_minus_utc() / 60).unwrap_or(0)
}

/// `+02:00`, `-5:30`, `UTC`, to minutes.
pub(crate) fn offset(zone: &str) -> Option<i16> {
    let zone = zone.trim();
    if matches!(zone.to_uppercase().as_str(), "UTC" | "GMT" | "Z" | "ETC/UTC" | "ETC/GMT") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => (1, zone),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then(|| sign * (i16::from(hours) * 60 + i16::from(minutes)))
}

/// Minutes to `+02:00`.
pub(crate) fn offset_text(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `'1-6' YEAR TO MONTH`, `'3' MONTH`.
pub(crate) fn months_literal(text: &str, from: &str, to: &str) -> Option<i32> {
    let (sign, text) = signed(text);
    let months = match (from, to) {
        ("YEAR", "MONTH") => {
            let (years, months) = text.split_once('-')?;
            let (years, months): (i32, i32) = (years.parse().ok()?, months.parse().ok()?);
            let months = (0..12).contains(&months).then_some(months)?;
            years.checked_mul(12)?.checked_add(months)?
        }
        ("YEAR", "YEAR") => text.parse::<i32>().ok()?.checked_mul(12)?,
        ("MONTH", "MONTH") => text.parse().ok()?,
        _ => return None,
    };
    Some(if sign { -months } else { months })
}

fn signed(text: &str) -> (bool, &str) {
    let text = text.trim();
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `'1 02:03:04.5' DAY TO SECOND` and its parts, to nanoseconds.
pub(crate) fn interval_literal(text: &str, from: &str, to: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 4] =
        [("DAY", DAY_NANOS), ("HOUR", 3600 * NANOS), ("MINUTE", 60 * NANOS), ("SECOND", NANOS)];
    let place = |field| UNITS.iter().position(|unit| unit.0 == field);
    let (first, last) = (place(from)?, place(to)?);
    let (negative, text) = signed(text);
    let parts: Vec<&str> = text.split([' ', ':']).filter(|part| !part.is_empty()).collect();
    if first > last || parts.len() != last - first + 1 {
        return None;
    }
    let mut nanos = 0_i128;
    for (part, unit) in parts.iter().zip(&UNITS[first..=last]) {
        nanos += if unit.0 == "SECOND" {
            let (seconds, rest) = fractional(part)?;
            i128::from(seconds) * NANOS + i128::from(rest)
        } else {
            part.parse::<u32>().ok().map(i128::from)? * unit.1
        };
    }
    Some(if negative { -nanos } else { nanos })
}

/// `+01 02:03:04.500000`, as clients show an INTERVAL DAY TO SECOND.
pub(crate) fn interval_text(nanos: i128) -> String {
    let sign = if nanos < 0 { '-' } else { '+' };
    let nanos = nanos.abs();
    let seconds = nanos / NANOS;
    format!(
        "{sign}{:09} {:02}:{:02}:{:02}.{:09}",
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        nanos % NANOS
    )
}

/// `+01-06`.
pub(crate) fn months_text(months: i32) -> String {
    let sign = if months < 0 { '-' } else { '+' };
    let months = months.unsigned_abs();
    format!("{sign}{:02}-{:02}", months / 12, months % 12)
}

/// Nanoseconds as an exact number of `unit` seconds.
pub(crate) fn days_to_nanos(days: Number) -> Option<i128> {
    let nanos = super::number::multiply(days, Number::integer(DAY_NANOS)).ok()?;
    super::number::round(nanos, 0).to_i128()
}

/// To the nearest, halves away from zero.
pub(crate) fn rounded_division(value: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    if value < 0 { (value - half) / divisor } else { (value + half) / divisor }
}

/// ADD_MONTHS: the last day of a month stays the last day.
pub(crate) fn add_months(value: i64, months: i32) -> Result<i64, OraError> {
    let error = || OraError::new(1841, "(full) year must be between -4713 and +9999, and not be 0");
    let time = civil(value);
    let moved = if months < 0 {
        time.checked_sub_months(Months::new(months.unsigned_abs()))
    } else {
        time.checked_add_months(Months::new(months.unsigned_abs()))
    };
    let moved = moved.ok_or_else(error)?.and_utc().timestamp();
    let moved = if is_last_day(value) { last_day(moved) } else { moved };
    if (-4713..=9999).contains(&civil(moved).year()) { Ok(moved) } else { Err(error()) }
}

fn is_last_day(value: i64) -> bool {
    civil(value + DAY_SECS).day() == 1
}

/// LAST_DAY.
pub(crate) fn last_day(value: i64) -> i64 {
    let time = civil(value);
    let first = time.with_day(1).unwrap_or(time);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    next.checked_sub_days(Days::new(1)).unwrap_or(next).and_utc().timestamp()
}

/// MONTHS_BETWEEN: whole for equal days or two last days, else by a month of 31 days.
pub(crate) fn months_between(later: i64, earlier: i64) -> Option<Number> {
    let (a, b) = (civil(later), civil(earlier));
    let months =
        i128::from((a.year() - b.year()) * 12) + i128::from(a.month()) - i128::from(b.month());
    if a.day() == b.day() || (is_last_day(later) && is_last_day(earlier)) {
        return Some(Number::integer(months));
    }
    let within = |time: NaiveDateTime| {
        i128::from(time.day()) * 86_400 + i128::from(time.num_seconds_from_midnight())
    };
    let rest =
        super::number::divide(Number::integer(within(a) - within(b)), Number::integer(31 * 86_400))
            .ok()?;
    super::number::add(Number::integer(months), rest).ok()
}

/// TRUNC of a DATE.
pub(crate) fn truncate(value: i64, unit: &str) -> Result<i64, OraError> {
    let time = civil(value);
    let day = time.date();
    let first = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(day);
    let back = |days: u32| day.checked_sub_days(Days::new(u64::from(days))).unwrap_or(day);
    let day = match unit.to_uppercase().as_str() {
        "SYYYY" | "YYYY" | "YEAR" | "SYEAR" | "YYY" | "YY" | "Y" => first(time.year(), 1),
        "Q" => first(time.year(), (time.month() - 1) / 3 * 3 + 1),
        "MONTH" | "MON" | "MM" | "RM" => first(time.year(), time.month()),
        "WW" => back((time.ordinal() - 1) % 7),
        "IW" => back(time.weekday().num_days_from_monday()),
        "W" => back((time.day() - 1) % 7),
        "DAY" | "DY" | "D" => back(time.weekday().num_days_from_sunday()),
        "DDD" | "DD" | "J" => day,
        "HH" | "HH12" | "HH24" => return Ok(value - value.rem_euclid(3600)),
        "MI" => return Ok(value - value.rem_euclid(60)),
        "CC" => first((time.year() - 1).div_euclid(100) * 100 + 1, 1),
        "IYYY" | "IY" | "I" => {
            NaiveDate::from_isoywd_opt(day.iso_week().year(), 1, chrono::Weekday::Mon)
                .unwrap_or(day)
        }
        _ => return Err(OraError::new(1898, "too many precision specifiers")),
    };
    Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

/// ROUND of a DATE.
pub(crate) fn round(value: i64, unit: &str) -> Result<i64, OraError> {
    let half = match unit.to_uppercase().as_str() {
        "MI" => 30,
        "HH" | "HH12" | "HH24" => 1800,
        "DDD" | "DD" | "J" => DAY_SECS / 2,
        "MONTH" | "MON" | "MM" | "RM" => {
            let start = truncate(value, "MM")?;
            let next = add_months(start, 1)?;
            return Ok(if civil(value).day() >= 16 { next } else { start });
        }
        "SYYYY" | "YYYY" | "YEAR" | "SYEAR" | "YYY" | "YY" | "Y" => {
            let start = truncate(value, "YYYY")?;
            return if civil(value).month() >= 7 { add_months(start, 12) } else { Ok(start) };
        }
        "DAY" | "DY" | "D" | "IW" | "WW" | "W" => 7 * DAY_SECS / 2,
        _ => return Err(OraError::new(1898, "too many precision specifiers")),
    };
    truncate(value + half, unit)
}
