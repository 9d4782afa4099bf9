//! A time to text.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::{Case, Element, elements};
use crate::ora::OraError;
use crate::sql::datetime;
use crate::sql::language::Language;

/// TO_CHAR of a civil time with its nanoseconds and, if it has one, its offset in minutes.
pub(crate) fn time_text(
    seconds: i64,
    nanos: u32,
    offset_minutes: Option<i16>,
    format: &str,
    language: &Language,
) -> Result<String, OraError> {
    let time = datetime::civil(seconds);
    let mut text = String::new();
    let mut fill = true;
    for element in elements(format)? {
        match element {
            Element::FillMode => fill = !fill,
            Element::Literal(literal) => text.push_str(&literal),
            Element::Fraction(digits) => text.push_str(&format!("{nanos:09}")[..digits.min(9)]),
            Element::Field(name, case) => match zone_field(name, offset_minutes) {
                Some(field) => text.push_str(&field?),
                None => text.push_str(&field(time, name, case, fill, language)),
            },
        }
    }
    Ok(text)
}

fn zone_field(name: &str, offset_minutes: Option<i16>) -> Option<Result<String, OraError>> {
    if !matches!(name, "TZH" | "TZM" | "TZR" | "TZD") {
        return None;
    }
    let Some(minutes) = offset_minutes else {
        return Some(Err(OraError::new(1821, "date format not recognized")));
    };
    let text = datetime::offset_text(minutes);
    Some(Ok(match name {
        "TZH" => text[..3].to_owned(),
        "TZM" => text[4..].to_owned(),
        "TZR" => text,
        _ => String::new(),
    }))
}

/// The name of a month or a day, which is padded to the longest of them.
fn word(time: NaiveDateTime, name: &str, language: &Language) -> Option<(&'static str, usize)> {
    let short = matches!(name, "MON" | "DY");
    match name {
        "MON" | "MONTH" => {
            Some((language.month(time.month0() as usize, short), language.width(true, short)))
        }
        "DY" | "DAY" => Some((
            language.day(time.weekday().num_days_from_monday() as usize, short),
            language.width(false, short),
        )),
        _ => None,
    }
}

fn field(time: NaiveDateTime, name: &str, case: Case, fill: bool, language: &Language) -> String {
    if let Some((word, width)) = word(time, name, language) {
        return padded(word, width, fill, case);
    }
    let digits = |value: u32, width: usize| {
        if fill { format!("{value:0width$}") } else { value.to_string() }
    };
    let year = time.year().unsigned_abs();
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    match name {
        "SYYYY" => format!("{}{}", if time.year() < 0 { "-" } else { " " }, digits(year, 4)),
        "YYYY" | "RRRR" => digits(year, 4),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "YYY" => digits(year % 1000, 3),
        "YY" | "RR" => digits(year % 100, 2),
        "Y" => digits(year % 10, 1),
        "IYYY" => digits(time.iso_week().year().unsigned_abs(), 4),
        "IYY" => digits(time.iso_week().year().unsigned_abs() % 1000, 3),
        "IY" => digits(time.iso_week().year().unsigned_abs() % 100, 2),
        "CC" => digits(year.div_ceil(100), 2),
        "Q" => digits(time.month0() / 3 + 1, 1),
        "MM" => digits(time.month(), 2),
        "RM" => padded(ROMAN[time.month0() as usize], 4, fill, case),
        "WW" => digits(time.ordinal0() / 7 + 1, 2),
        "IW" => digits(time.iso_week().week(), 2),
        "W" => digits(time.day0() / 7 + 1, 1),
        "DDD" => digits(time.ordinal(), 3),
        "DD" => digits(time.day(), 2),
        "D" => digits(time.weekday().number_from_sunday(), 1),
        "J" => (i64::from(time.date().num_days_from_ce()) + 1_721_425).to_string(),
        "HH24" => digits(time.hour(), 2),
        "HH" | "HH12" => digits(hour12, 2),
        "MI" => digits(time.minute(), 2),
        "SS" => digits(time.second(), 2),
        "SSSSS" => digits(time.num_seconds_from_midnight(), 5),
        "AM" | "PM" => cased(if time.hour() < 12 { "AM" } else { "PM" }, case),
        "A.M." | "P.M." => cased(if time.hour() < 12 { "A.M." } else { "P.M." }, case),
        "A.D." | "B.C." => cased(if time.year() > 0 { "A.D." } else { "B.C." }, case),
        _ => String::new(),
    }
}

const ROMAN: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Title => text.to_owned(),
    }
}

fn padded(text: &str, width: usize, fill: bool, case: Case) -> String {
    let text = cased(text, case);
    if fill { format!("{text:<width$}") } else { text }
}
