//! The words and signs of a session: names of months and days, and the decimal character.

use crate::ora::OraError;

/// A language of NLS_DATE_LANGUAGE.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// As NLS_LANGUAGE names it.
    pub name: &'static str,
    /// As the language of messages is abbreviated, in USERENV's LANG.
    pub short: &'static str,
    months: [&'static str; 12],
    short_months: [&'static str; 12],
    /// From Monday on.
    days: [&'static str; 7],
    short_days: [&'static str; 7],
}

impl Language {
    /// By its name, in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.name.eq_ignore_ascii_case(name.trim()))
    }

    /// The name of a month, counted from 0, or its abbreviation.
    pub(crate) const fn month(&self, place: usize, short: bool) -> &'static str {
        if short { self.short_months[place] } else { self.months[place] }
    }

    /// The name of a day, Monday being 0, or its abbreviation.
    pub(crate) const fn day(&self, place: usize, short: bool) -> &'static str {
        if short { self.short_days[place] } else { self.days[place] }
    }

    /// Names are padded to the longest of their kind.
    pub(crate) fn width(&self, months: bool, short: bool) -> usize {
        let names: &[&str] = match (months, short) {
            (true, true) => &self.short_months,
            (true, false) => &self.months,
            (false, true) => &self.short_days,
            (false, false) => &self.days,
        };
        names.iter().map(|name| name.chars().count()).max().unwrap_or(0)
    }

    /// The month that a text begins with, and the bytes of its name.
    pub(crate) fn read_month(&self, text: &str) -> Option<(usize, usize)> {
        starting(&self.months, text).or_else(|| starting(&self.short_months, text))
    }

    /// The day that a text begins with, and the bytes of its name.
    pub(crate) fn read_day(&self, text: &str) -> Option<(usize, usize)> {
        starting(&self.days, text).or_else(|| starting(&self.short_days, text))
    }
}

fn starting(names: &[&str], text: &str) -> Option<(usize, usize)> {
    names.iter().enumerate().find_map(|(place, name)| {
        let mut rest = text.char_indices();
        let same = name.chars().all(|wanted| {
            rest.next().is_some_and(|(_, found)| found.to_lowercase().eq(wanted.to_lowercase()))
        });
        same.then(|| (place, rest.next().map_or(text.len(), |(at, _)| at)))
    })
}

/// NLS_NUMERIC_CHARACTERS: the decimal character and the group separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericCharacters {
    /// D.
    pub decimal: char,
    /// G.
    pub group: char,
}

impl Default for NumericCharacters {
    fn default() -> Self {
        Self { decimal: '.', group: ',' }
    }
}

impl NumericCharacters {
    /// Two different characters that mean nothing else in a number.
    pub fn read(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let (decimal, group) = (characters.next()?, characters.next()?);
        let taken = |sign: char| sign.is_ascii_digit() || "+-<>".contains(sign);
        (characters.next().is_none() && decimal != group && !taken(decimal) && !taken(group))
            .then_some(Self { decimal, group })
    }

    /// A text with `.` and `,` in these characters.
    pub(crate) fn shown(self, text: String) -> String {
        if self == Self::default() {
            return text;
        }
        text.chars()
            .map(|character| match character {
                '.' => self.decimal,
                ',' => self.group,
                other => other,
            })
            .collect()
    }

    /// The text as it would be with `.` and `,`.
    pub(crate) fn plain(self, text: &str) -> String {
        let swapped = text.chars().map(|character| match character {
            _ if character == self.decimal => '.',
            _ if character == self.group => ',',
            // It stands for neither of them here, and is not part of a number.
            '.' | ',' => '?',
            other => other,
        });
        swapped.collect()
    }
}

/// The third argument of TO_CHAR and its kin: `NLS_DATE_LANGUAGE = German NLS_NUMERIC_CHARACTERS = ',.'`.
pub(crate) fn parameters(
    text: &str,
) -> Result<(Option<&'static Language>, Option<NumericCharacters>), OraError> {
    let invalid = || OraError::new(12_702, "invalid NLS parameter string used in SQL function");
    let (mut language, mut characters) = (None, None);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once('=').ok_or_else(invalid)?;
        let behind = behind.trim_start();
        let (value, left) = match behind.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').ok_or_else(invalid)?,
            None => behind.split_once(' ').unwrap_or((behind, "")),
        };
        match name.trim().to_uppercase().as_str() {
            "NLS_DATE_LANGUAGE" => language = Some(Language::find(value).ok_or_else(invalid)?),
            "NLS_NUMERIC_CHARACTERS" => {
                characters = Some(NumericCharacters::read(value).ok_or_else(invalid)?);
            }
            "NLS_CURRENCY" | "NLS_ISO_CURRENCY" => {
                return Err(OraError::new(3001, "unimplemented feature: NLS_CURRENCY"));
            }
            _ => return Err(invalid()),
        }
        rest = left.trim_start();
    }
    Ok((language, characters))
}

/// The language of a session that says nothing else.
pub static AMERICAN: &Language = &LANGUAGES[0];

static LANGUAGES: [Language; 8] = [
    Language {
        name: "AMERICAN",
        short: "US",
        months: ENGLISH_MONTHS,
        short_months: ENGLISH_SHORT_MONTHS,
        days: ENGLISH_DAYS,
        short_days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    },
    Language {
        name: "ENGLISH",
        short: "GB",
        months: ENGLISH_MONTHS,
        short_months: ENGLISH_SHORT_MONTHS,
        days: ENGLISH_DAYS,
        short_days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    },
    Language {
        name: "GERMAN",
        short: "D",
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        short_months: [
            "Jan", "Feb", "Mrz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez",
        ],
        days: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        short_days: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
    },
    Language {
        name: "FRENCH",
        short: "F",
        months: [
            "Janvier",
            "Février",
            "Mars",
            "Avril",
            "Mai",
            "Juin",
            "Juillet",
            "Août",
            "Septembre",
            "Octobre",
            "Novembre",
            "Décembre",
        ],
        short_months: [
            "Janv.", "Févr.", "Mars", "Avr.", "Mai", "Juin", "Juil.", "Août", "Sept.", "Oct.",
            "Nov.", "Déc.",
        ],
        days: ["Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"],
        short_days: ["Lun.", "Mar.", "Mer.", "Jeu.", "Ven.", "Sam.", "Dim."],
    },
    Language {
        name: "SPANISH",
        short: "E",
        months: [
            "Enero",
            "Febrero",
            "Marzo",
            "Abril",
            "Mayo",
            "Junio",
            "Julio",
            "Agosto",
            "Septiembre",
            "Octubre",
            "Noviembre",
            "Diciembre",
        ],
        short_months: [
            "Ene", "Feb", "Mar", "Abr", "May", "Jun", "Jul", "Ago", "Sep", "Oct", "Nov", "Dic",
        ],
        days: ["Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo"],
        short_days: ["Lun", "Mar", "Mié", "Jue", "Vie", "Sáb", "Dom"],
    },
    Language {
        name: "ITALIAN",
        short: "I",
        months: [
            "Gennaio",
            "Febbraio",
            "Marzo",
            "Aprile",
            "Maggio",
            "Giugno",
            "Luglio",
            "Agosto",
            "Settembre",
            "Ottobre",
            "Novembre",
            "Dicembre",
        ],
        short_months: [
            "Gen", "Feb", "Mar", "Apr", "Mag", "Giu", "Lug", "Ago", "Set", "Ott", "Nov", "Dic",
        ],
        days: ["Lunedì", "Martedì", "Mercoledì", "Giovedì", "Venerdì", "Sabato", "Domenica"],
        short_days: ["Lun", "Mar", "Mer", "Gio", "Ven", "Sab", "Dom"],
    },
    Language {
        name: "PORTUGUESE",
        short: "PT",
        months: PORTUGUESE_MONTHS,
        short_months: PORTUGUESE_SHORT_MONTHS,
        days: PORTUGUESE_DAYS,
        short_days: ["Seg", "Ter", "Qua", "Qui", "Sex", "Sáb", "Dom"],
    },
    Language {
        name: "BRAZILIAN PORTUGUESE",
        short: "PTB",
        months: PORTUGUESE_MONTHS,
        short_months: PORTUGUESE_SHORT_MONTHS,
        days: PORTUGUESE_DAYS,
        short_days: ["Seg", "Ter", "Qua", "Qui", "Sex", "Sáb", "Dom"],
    },
];

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ENGLISH_SHORT_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ENGLISH_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const PORTUGUESE_MONTHS: [&str; 12] = [
    "Janeiro",
    "Fevereiro",
    "Março",
    "Abril",
    "Maio",
    "Junho",
    "Julho",
    "Agosto",
    "Setembro",
    "Outubro",
    "Novembro",
    "Dezembro",
];
const PORTUGUESE_SHORT_MONTHS: [&str; 12] =
    ["Jan", "Fev", "Mar", "Abr", "Mai", "Jun", "Jul", "Ago", "Set", "Out", "Nov", "Dez"];
const PORTUGUESE_DAYS: [&str; 7] = [
    "Segunda-Feira",
    "Terça-Feira",
    "Quarta-Feira",
    "Quinta-Feira",
    "Sexta-Feira",
    "Sábado",
    "Domingo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_call_are_read() {
        let german = Language::find("German");
        let comma = NumericCharacters::read(",.");
        let both = "NLS_DATE_LANGUAGE = german nls_numeric_characters=',.'";
        assert_eq!(parameters(both), Ok((german, comma)));
        for wrong in
            ["X", "NLS_DATE_LANGUAGE=KLINGON", "NLS_NUMERIC_CHARACTERS='..'", "NLS_SORT=BINARY"]
        {
            assert_eq!(parameters(wrong).map_err(|error| error.code), Err(12_702), "{wrong}");
        }
    }
}
