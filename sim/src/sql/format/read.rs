//! Text to a time.

use super::{Element, elements};
use crate::ora::OraError;
use crate::sql::datetime;
use crate::sql::language::Language;

/// What a text said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// Civil seconds since 1970.
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
    pub(crate) offset_minutes: Option<i16>,
}

#[derive(Default)]
struct Fields {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    hour: Option<u32>,
    hour12: Option<u32>,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    day_seconds: Option<i64>,
    nanos: u32,
    offset_hours: Option<i16>,
    offset_minutes: i16,
}

/// TO_DATE, TO_TIMESTAMP. What the format leaves out is this month's first day, at midnight; `today` says which month.
pub(crate) fn read_time(
    text: &str,
    format: &str,
    today: i64,
    language: &Language,
) -> Result<Read, OraError> {
    let mut fields = Fields::default();
    let mut rest = text.trim();
    for element in elements(format)? {
        rest = rest.trim_start();
        match element {
            Element::FillMode => {}
            Element::Literal(literal) => rest = literal_rest(rest, &literal),
            Element::Fraction(_) => {
                let (digits, left) = digits(rest, 9);
                fields.nanos = datetime::nanos_of(digits).ok_or_else(mismatch)?;
                rest = left;
            }
            Element::Field(name, _) => rest = read_field(&mut fields, name, rest, today, language)?,
        }
    }
    if !rest.trim().is_empty() {
        return Err(OraError::new(
            1830,
            "date format picture ends before converting entire input string",
        ));
    }
    finish(&fields, today)
}

fn mismatch() -> OraError {
    OraError::new(1861, "literal does not match format string")
}

/// Punctuation in the text may differ from that in the format, or be missing.
fn literal_rest<'t>(rest: &'t str, literal: &str) -> &'t str {
    if let Some(left) = rest.strip_prefix(literal) {
        return left;
    }
    match rest.chars().next() {
        Some(first) if first.is_ascii_punctuation() => &rest[1..],
        _ => rest,
    }
}

/// Up to so many digits, and what is behind them.
fn digits(text: &str, most: usize) -> (&str, &str) {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    text.split_at(count)
}

fn read_field<'t>(
    fields: &mut Fields,
    name: &str,
    text: &'t str,
    today: i64,
    language: &Language,
) -> Result<&'t str, OraError> {
    if text.is_empty() && !matches!(name, "SS" | "MI" | "HH24" | "HH12" | "HH") {
        return Err(OraError::new(1840, "input value not long enough for date format"));
    }
    if let Some(rest) = read_name(fields, name, text, language)? {
        return Ok(rest);
    }
    let width = match name {
        "SYYYY" | "YYYY" | "RRRR" | "IYYY" | "RR" => 4,
        "SSSSS" => 5,
        "J" => 7,
        "YYY" | "DDD" => 3,
        "Y" | "D" | "Q" | "W" => 1,
        _ => 2,
    };
    let (shown, rest) = digits(text, width);
    if shown.is_empty() {
        return if text.is_empty() {
            Ok(text)
        } else {
            Err(OraError::new(
                1858,
                "a non-numeric character was found where a numeric was expected",
            ))
        };
    }
    let value: u32 = shown.parse().map_err(|_| mismatch())?;
    store(fields, name, value, shown.len(), today)?;
    Ok(rest)
}

/// Fields that are words.
fn read_name<'t>(
    fields: &mut Fields,
    name: &str,
    text: &'t str,
    language: &Language,
) -> Result<Option<&'t str>, OraError> {
    let starts =
        |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    match name {
        "MON" | "MONTH" => {
            let month = language.read_month(text);
            let (month, length) = month.ok_or_else(|| OraError::new(1843, "not a valid month"))?;
            fields.month = u32::try_from(month + 1).ok();
            Ok(Some(&text[length..]))
        }
        "AM" | "PM" | "A.M." | "P.M." => {
            let afternoon = starts("P");
            if !afternoon && !starts("A") {
                return Err(OraError::new(1855, "AM/A.M. or PM/P.M. required"));
            }
            fields.afternoon = Some(afternoon);
            let length = if starts("P.M.") || starts("A.M.") { 4 } else { 2 };
            Ok(Some(text.get(length..).unwrap_or_default()))
        }
        "DY" | "DAY" => {
            let day = language.read_day(text);
            let (_, length) =
                day.ok_or_else(|| OraError::new(1846, "not a valid day of the week"))?;
            Ok(Some(&text[length..]))
        }
        "TZH" | "TZR" => {
            let length = text.find([' ', ':']).unwrap_or(text.len());
            let length = if name == "TZR" { text.len() } else { length.min(3) };
            let unknown = || OraError::new(1882, "timezone region not found");
            let zone = text.get(..length).ok_or_else(unknown)?;
            let shown = if name == "TZR" { zone.to_owned() } else { format!("{zone}:00") };
            let minutes = datetime::offset(&shown).ok_or_else(unknown)?;
            fields.offset_hours = Some(minutes / 60);
            fields.offset_minutes = minutes % 60;
            Ok(Some(&text[length..]))
        }
        "TZD" => Err(OraError::new(1820, "format code cannot appear in date input format")),
        _ => Ok(None),
    }
}

fn store(
    fields: &mut Fields,
    name: &str,
    value: u32,
    width: usize,
    today: i64,
) -> Result<(), OraError> {
    use chrono::Datelike;
    let this_year = datetime::civil(today).year();
    let year = i32::try_from(value).map_err(|_| mismatch())?;
    match name {
        "SYYYY" | "YYYY" | "IYYY" => fields.year = Some(year),
        "RRRR" | "RR" if width > 2 => fields.year = Some(year),
        "RR" | "RRRR" => {
            let century = this_year.div_euclid(100) * 100;
            let century = match (this_year.rem_euclid(100) < 50, year < 50) {
                (true, false) => century - 100,
                (false, true) => century + 100,
                _ => century,
            };
            fields.year = Some(century + year);
        }
        "YYY" => fields.year = Some(this_year.div_euclid(1000) * 1000 + year),
        "YY" => fields.year = Some(this_year.div_euclid(100) * 100 + year),
        "Y" => fields.year = Some(this_year.div_euclid(10) * 10 + year),
        "MM" => fields.month = Some(value),
        "DD" => fields.day = Some(value),
        "HH24" => fields.hour = Some(value),
        "HH" | "HH12" => fields.hour12 = Some(value),
        "MI" => fields.minute = value,
        "SS" => fields.second = value,
        "SSSSS" => fields.day_seconds = Some(i64::from(value)),
        "TZM" => {
            let minutes = i16::try_from(value).unwrap_or(0);
            fields.offset_minutes = if fields.offset_hours < Some(0) { -minutes } else { minutes };
        }
        _ => return Err(OraError::new(1820, "format code cannot appear in date input format")),
    }
    Ok(())
}

fn finish(fields: &Fields, today: i64) -> Result<Read, OraError> {
    use chrono::Datelike;
    let error = |code, text: &str| Err(OraError::new(code, text));
    let now = datetime::civil(today);
    let year = fields.year.unwrap_or(now.year());
    let month = fields.month.unwrap_or(now.month());
    let day = fields.day.unwrap_or(1);
    let hour = match (fields.hour, fields.hour12) {
        (Some(hour), _) => hour,
        (None, Some(hour)) if (1..=12).contains(&hour) => {
            hour % 12 + if fields.afternoon == Some(true) { 12 } else { 0 }
        }
        (None, Some(_)) => return error(1849, "hour must be between 1 and 12"),
        (None, None) => 0,
    };
    match () {
        () if year == 0 || year > 9999 => {
            error(1841, "(full) year must be between -4713 and +9999, and not be 0")
        }
        () if !(1..=12).contains(&month) => error(1843, "not a valid month"),
        () if !(1..=31).contains(&day) => {
            error(1847, "day of month must be between 1 and last day of month")
        }
        () if hour > 23 => error(1850, "hour must be between 0 and 23"),
        () if fields.minute > 59 => error(1851, "minutes must be between 0 and 59"),
        () if fields.second > 59 => error(1852, "seconds must be between 0 and 59"),
        () => {
            let seconds =
                datetime::seconds((year, month, day), (hour, fields.minute, fields.second))
                    .ok_or_else(|| OraError::new(1839, "date not valid for month specified"))?;
            let seconds = match fields.day_seconds {
                Some(within) => seconds - seconds.rem_euclid(datetime::DAY_SECS) + within,
                None => seconds,
            };
            let offset_minutes =
                fields.offset_hours.map(|hours| hours * 60 + fields.offset_minutes);
            Ok(Read { seconds, nanos: fields.nanos, offset_minutes })
        }
    }
}
