//! TO_CHAR, TO_DATE and TO_NUMBER with their format models.

mod number;
mod read;
mod write;

pub(crate) use number::{number_text, read_number};
pub(crate) use read::read_time;
pub(crate) use write::time_text;

use crate::ora::OraError;

/// A part of a date format.
#[derive(Debug, Clone, PartialEq)]
enum Element {
    /// One of [`NAMES`], and how it was written: the case of a name follows it.
    Field(&'static str, Case),
    /// FF with its digits.
    Fraction(usize),
    /// Punctuation or quoted text.
    Literal(String),
    /// FM: no padding from here on, or padding again.
    FillMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
    Title,
}

/// Longest first where one begins like another.
const NAMES: [&str; 42] = [
    "SYYYY", "SSSSS", "MONTH", "YYYY", "RRRR", "IYYY", "Y,YYY", "HH24", "HH12", "A.M.", "P.M.",
    "B.C.", "A.D.", "YYY", "IYY", "MON", "DAY", "DDD", "TZH", "TZM", "TZR", "TZD", "YY", "RR",
    "IY", "MM", "RM", "DD", "DY", "HH", "MI", "SS", "AM", "PM", "WW", "IW", "CC", "W", "Q", "J",
    "D", "Y",
];

/// The parts of a format; ORA-01821 for what is none.
fn elements(format: &str) -> Result<Vec<Element>, OraError> {
    let mut elements = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let quoted = rest[1..].split('"').next().unwrap_or_default();
            elements.push(Element::Literal(quoted.to_owned()));
            rest = rest.get(quoted.len() + 2..).unwrap_or_default();
        } else if first.is_ascii_alphabetic() {
            let (element, length) =
                named(rest).ok_or_else(|| OraError::new(1821, "date format not recognized"))?;
            elements.extend(element);
            rest = &rest[length..];
        } else if first.is_alphanumeric() {
            return Err(OraError::new(1821, "date format not recognized"));
        } else {
            elements.push(Element::Literal(first.to_string()));
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(elements)
}

/// Whether a format of times is one at all: ORA-01821.
pub(crate) fn check_time_format(format: &str) -> Result<(), OraError> {
    elements(format).map(drop)
}

/// The element at the beginning of a text, and its length; FX means nothing here.
fn named(text: &str) -> Option<(Option<Element>, usize)> {
    let starts =
        |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if starts("FM") {
        return Some((Some(Element::FillMode), 2));
    }
    if starts("FX") {
        return Some((None, 2));
    }
    if starts("FF") {
        let digits = text[2..]
            .chars()
            .next()
            .and_then(|digit| digit.to_digit(10))
            .filter(|digit| *digit > 0);
        let length = if digits.is_some() { 3 } else { 2 };
        return Some((Some(Element::Fraction(digits.map_or(6, |digits| digits as usize))), length));
    }
    if let Some(name) = NAMES.into_iter().find(|name| starts(name)) {
        let mut letters = text[..name.len()].chars();
        let case = match (letters.next(), letters.next()) {
            (Some(first), _) if first.is_lowercase() => Case::Lower,
            (_, Some(second)) if second.is_lowercase() => Case::Title,
            _ => Case::Upper,
        };
        return Some((Some(Element::Field(name, case)), name.len()));
    }
    // The radix character between seconds and their fraction.
    starts("X").then(|| (Some(Element::Literal(".".into())), 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::language::{AMERICAN, NumericCharacters};

    /// Every format that shows all of a time reads it back.
    #[test]
    fn what_is_written_can_be_read() {
        let formats = [
            "YYYY-MM-DD HH24:MI:SS",
            "DD-MON-YYYY HH12:MI:SS AM",
            "fmDD Month YYYY, HH24.MI.SS",
            "YYYYMMDDHH24MISS",
            "DD.MM.RR SSSSS",
            "Dy DD/MM/YYYY HH:MI:SS P.M.",
        ];
        for step in 0..3000 {
            let seconds = 946_684_800 + step * 345_677;
            for format in formats {
                let text = time_text(seconds, 0, None, format, AMERICAN).expect("a format");
                let read = read_time(&text, format, seconds, AMERICAN).expect(&text);
                assert_eq!(read.seconds, seconds, "{text} as {format}");
            }
        }
    }

    #[test]
    fn whole_numbers_show_all_their_digits() {
        for number in (-2000_i128..2000).map(|step| step * step * step) {
            let value = crate::value::Number::integer(number);
            let text = number_text(value, "FM999999999999", NumericCharacters::default())
                .expect("a format");
            assert_eq!(text, number.to_string());
            let grouped = number_text(value, "999,999,999,990.00", NumericCharacters::default())
                .expect("a format");
            assert_eq!(grouped.chars().count(), 19, "{grouped}");
            assert_eq!(
                read_number(&grouped, "999,999,999,990.00", NumericCharacters::default()),
                Ok(value),
                "{grouped}"
            );
        }
    }

    #[test]
    fn unknown_formats_are_errors() {
        assert_eq!(
            time_text(0, 0, None, "YYYY-XXQ!bla", AMERICAN).map_err(|error| error.code),
            Err(1821)
        );
        assert_eq!(time_text(0, 0, None, "TZH", AMERICAN).map_err(|error| error.code), Err(1821));
        assert_eq!(
            number_text(crate::value::Number::integer(1), "9Y9", NumericCharacters::default())
                .map_err(|error| error.code),
            Err(1481)
        );
        for (text, format, code) in [
            ("2026-13-01", "YYYY-MM-DD", 1843),
            ("2026-01-32", "YYYY-MM-DD", 1847),
            ("2026-02-30", "YYYY-MM-DD", 1839),
            ("2026-01-01 25", "YYYY-MM-DD HH24", 1850),
            ("2026-01-01 x", "YYYY-MM-DD", 1830),
            ("2026-ab-01", "YYYY-MM-DD", 1858),
            ("01-FOO-26", "DD-MON-RR", 1843),
        ] {
            assert_eq!(
                read_time(text, format, 0, AMERICAN).map_err(|error| error.code),
                Err(code),
                "{text}"
            );
        }
    }
}
