//! The NLS parameters of a session: what setting one of them means for the others. Sorting and comparing are binary
//! here, whatever the language.

use std::collections::BTreeMap;

use crate::ora::OraError;
use crate::sql::format;
use crate::sql::language::{Language, NumericCharacters};

/// What a territory brings along.
struct Territory {
    name: &'static str,
    date: &'static str,
    /// Of a TIMESTAMP, behind the date.
    time: &'static str,
    numeric: &'static str,
    currency: &'static str,
}

const fn territory(
    name: &'static str,
    date: &'static str,
    time: &'static str,
    numeric: &'static str,
    currency: &'static str,
) -> Territory {
    Territory { name, date, time, numeric, currency }
}

const TWELVE_HOURS: &str = "HH.MI.SSXFF AM";
const TWENTY_FOUR_HOURS: &str = "HH24:MI:SSXFF";

static TERRITORIES: [Territory; 8] = [
    territory("AMERICA", "DD-MON-RR", TWELVE_HOURS, ".,", "$"),
    territory("UNITED KINGDOM", "DD-MON-RR", "HH24.MI.SSXFF", ".,", "\u{a3}"),
    territory("GERMANY", "DD.MM.RR", TWENTY_FOUR_HOURS, ",.", "\u{20ac}"),
    territory("FRANCE", "DD/MM/RR", TWENTY_FOUR_HOURS, ", ", "\u{20ac}"),
    territory("SPAIN", "DD/MM/RR", TWENTY_FOUR_HOURS, ",.", "\u{20ac}"),
    territory("ITALY", "DD-MON-RR", TWENTY_FOUR_HOURS, ",.", "\u{20ac}"),
    territory("PORTUGAL", "RR.MM.DD", TWENTY_FOUR_HOURS, ",.", "\u{20ac}"),
    territory("BRAZIL", "DD/MM/RR", TWENTY_FOUR_HOURS, ",.", "R$"),
];

/// ORA-12705, for a value that is not known.
fn not_known() -> OraError {
    OraError::new(12_705, "Cannot access NLS data files or invalid environment specified")
}

fn unsupported(name: &str, value: &str) -> OraError {
    OraError::new(3001, format!("unimplemented feature: {name} = {value}"))
}

/// ALTER SESSION SET of one of them.
pub(super) fn set(
    nls: &mut BTreeMap<String, String>,
    name: &str,
    value: &str,
) -> Result<(), OraError> {
    let upper = value.trim().to_uppercase();
    match name {
        "NLS_LANGUAGE" | "NLS_DATE_LANGUAGE" => {
            let language = Language::find(value).ok_or_else(not_known)?;
            nls.insert("NLS_DATE_LANGUAGE".to_owned(), language.name.to_owned());
            nls.insert(name.to_owned(), language.name.to_owned());
        }
        "NLS_TERRITORY" => settle(nls, find(&upper)?),
        "NLS_ISO_CURRENCY" => {
            let territory = find(&upper)?;
            nls.insert(name.to_owned(), territory.name.to_owned());
        }
        "NLS_NUMERIC_CHARACTERS" => {
            NumericCharacters::read(value).ok_or_else(not_known)?;
            nls.insert(name.to_owned(), value.to_owned());
        }
        "NLS_SORT" | "NLS_COMP" if upper != "BINARY" => return Err(unsupported(name, value)),
        "NLS_CALENDAR" if upper != "GREGORIAN" => return Err(unsupported(name, value)),
        "NLS_LENGTH_SEMANTICS" if !matches!(upper.as_str(), "BYTE" | "CHAR") => {
            return Err(not_known());
        }
        "NLS_SORT" | "NLS_COMP" | "NLS_CALENDAR" | "NLS_LENGTH_SEMANTICS" => {
            nls.insert(name.to_owned(), upper);
        }
        _ => {
            if name.ends_with("_FORMAT") {
                format::check_time_format(value)?;
            }
            nls.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(())
}

fn find(name: &str) -> Result<&'static Territory, OraError> {
    TERRITORIES.iter().find(|territory| territory.name == name).ok_or_else(not_known)
}

fn settle(nls: &mut BTreeMap<String, String>, territory: &Territory) {
    let Territory { name, date, time, numeric, currency } = territory;
    for (parameter, value) in [
        ("NLS_TERRITORY", (*name).to_owned()),
        ("NLS_ISO_CURRENCY", (*name).to_owned()),
        ("NLS_CURRENCY", (*currency).to_owned()),
        ("NLS_DUAL_CURRENCY", (*currency).to_owned()),
        ("NLS_NUMERIC_CHARACTERS", (*numeric).to_owned()),
        ("NLS_DATE_FORMAT", (*date).to_owned()),
        ("NLS_TIMESTAMP_FORMAT", format!("{date} {time}")),
        ("NLS_TIMESTAMP_TZ_FORMAT", format!("{date} {time} TZR")),
        ("NLS_TIME_FORMAT", (*time).to_owned()),
        ("NLS_TIME_TZ_FORMAT", format!("{time} TZR")),
    ] {
        nls.insert(parameter.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_brings_others_along_or_is_refused() {
        let mut nls = crate::catalog::default_nls();
        for (name, value) in [("NLS_TERRITORY", "Germany"), ("NLS_LANGUAGE", "GERMAN")] {
            assert_eq!(set(&mut nls, name, value), Ok(()));
        }
        let shown = |name: &str| nls.get(name).map(String::as_str);
        assert_eq!(shown("NLS_DATE_FORMAT"), Some("DD.MM.RR"));
        assert_eq!(shown("NLS_NUMERIC_CHARACTERS"), Some(",."));
        assert_eq!(shown("NLS_DATE_LANGUAGE"), Some("GERMAN"));
        for (name, value, code) in [
            ("NLS_LANGUAGE", "KLINGON", 12_705),
            ("NLS_TERRITORY", "ATLANTIS", 12_705),
            ("NLS_NUMERIC_CHARACTERS", "..", 12_705),
            ("NLS_SORT", "BINARY_CI", 3001),
            ("NLS_COMP", "LINGUISTIC", 3001),
            ("NLS_DATE_FORMAT", "bla", 1821),
        ] {
            let refused = set(&mut nls.clone(), name, value).map_err(|error| error.code);
            assert_eq!(refused, Err(code), "{name}");
        }
    }
}
