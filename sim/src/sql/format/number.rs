//! Number formats.

use crate::ora::OraError;
use crate::sql::language::NumericCharacters;
use crate::sql::number;
use crate::value::Number;

/// A format, read.
#[derive(Debug, Clone, Default)]
struct Model {
    /// `9`, `0`, `,`, and `.` in their order.
    digits: Vec<char>,
    fill_mode: bool,
    /// `$` or nothing.
    currency: &'static str,
    sign: Sign,
    hex: Option<(usize, bool, bool)>,
    /// TM or TM9, or TME.
    text_minimum: Option<Minimum>,
    /// D or G rather than a point and a comma.
    local: bool,
    /// EEEE.
    exponent: bool,
}

/// How the sign is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sign {
    /// A minus in front, or a blank.
    #[default]
    Minus,
    /// S in front.
    Front,
    /// S at the end.
    Behind,
    /// MI.
    MinusBehind,
    /// PR.
    Brackets,
}

/// The shortest text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Minimum {
    /// Without an exponent, where 64 characters are enough.
    Fixed,
    Exponent,
}

fn invalid() -> OraError {
    OraError::new(1481, "invalid number format model")
}

fn model(format: &str) -> Result<Model, OraError> {
    let mut model = Model::default();
    let upper = format.to_uppercase();
    let mut rest = upper.as_str();
    if let Some(behind) = rest.strip_prefix("FM") {
        model.fill_mode = true;
        rest = behind;
    }
    model.text_minimum = match rest {
        "TM" | "TM9" => Some(Minimum::Fixed),
        "TME" => Some(Minimum::Exponent),
        _ if rest.starts_with("TM") => return Err(invalid()),
        _ => None,
    };
    if model.text_minimum.is_some() {
        return Ok(model);
    }
    if rest.contains('X') {
        let zero = rest.starts_with('0');
        let lower = format.contains('x');
        if rest.trim_start_matches('0').chars().any(|character| character != 'X') {
            return Err(invalid());
        }
        model.hex = Some((rest.len(), zero, lower));
        return Ok(model);
    }
    if let Some(behind) = rest.strip_prefix('S') {
        model.sign = Sign::Front;
        rest = behind;
    }
    for (suffix, sign) in [("MI", Sign::MinusBehind), ("PR", Sign::Brackets), ("S", Sign::Behind)] {
        if let Some(before) = rest.strip_suffix(suffix) {
            model.sign = sign;
            rest = before;
            break;
        }
    }
    if let Some(before) = rest.strip_suffix("EEEE") {
        model.exponent = true;
        rest = before;
    }
    for character in rest.chars() {
        match character {
            '9' | '0' => model.digits.push(character),
            ',' | 'G' => {
                model.digits.push(',');
                model.local |= character == 'G';
            }
            '.' | 'D' if !model.digits.contains(&'.') => {
                model.digits.push('.');
                model.local |= character == 'D';
            }
            '$' => model.currency = "$",
            'B' => {}
            _ => return Err(invalid()),
        }
    }
    if model.digits.iter().any(char::is_ascii_digit) { Ok(model) } else { Err(invalid()) }
}

/// TO_CHAR(n, format).
pub(crate) fn number_text(
    value: Number,
    format: &str,
    characters: NumericCharacters,
) -> Result<String, OraError> {
    let model = model(format)?;
    let text = modelled(value, &model);
    let local = model.local || model.text_minimum.is_some();
    Ok(if local { characters.shown(text) } else { text })
}

fn modelled(value: Number, model: &Model) -> String {
    if let Some(minimum) = model.text_minimum {
        return minimum_text(value, minimum);
    }
    if let Some(hex) = model.hex {
        return hex_text(value, hex, model.fill_mode);
    }
    let point =
        model.digits.iter().position(|character| *character == '.').unwrap_or(model.digits.len());
    let behind = model.digits.len().saturating_sub(point + 1);
    if model.exponent {
        let text = number::exponential(value, behind);
        return dressed(model, &text, value.signum() < 0);
    }
    let rounded = number::round(value, i32::try_from(behind).unwrap_or(0));
    let negative = rounded.signum() < 0;
    let shown = if negative { number::negate(rounded) } else { rounded }.to_string();
    let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
    let whole = if whole == "0" { "" } else { whole };
    let Some(mut text) = whole_part(&model.digits[..point], whole) else {
        return "#".repeat(model.digits.len() + 1);
    };
    if point < model.digits.len() {
        text.push('.');
        text.push_str(&fraction_part(&model.digits[point + 1..], fraction, model.fill_mode));
    } else if whole.is_empty() && text.trim().is_empty() {
        // `TO_CHAR(0, '999')` shows one zero.
        text.pop();
        text.push('0');
    }
    dressed(model, &text, negative)
}

/// TM9 and TME.
fn minimum_text(value: Number, minimum: Minimum) -> String {
    const FIXED_MAX: usize = 64;
    let sign = if value.signum() < 0 { "-" } else { "" };
    let fixed = number::plain_text(value);
    if minimum == Minimum::Fixed && sign.len() + fixed.len() <= FIXED_MAX {
        return format!("{sign}{fixed}");
    }
    format!("{sign}{}", number::scientific(value, FIXED_MAX, false))
}

/// The digits before the point, padded with blanks; `None` if there are too many.
fn whole_part(pattern: &[char], whole: &str) -> Option<String> {
    let mut digits: Vec<char> = whole.chars().collect();
    let mut text = Vec::new();
    let first_zero = pattern.iter().position(|character| *character == '0');
    for (place, character) in pattern.iter().enumerate().rev() {
        let forced = first_zero.is_some_and(|zero| zero <= place);
        match character {
            ',' if digits.is_empty() && first_zero.is_none_or(|zero| zero >= place) => {
                text.push(' ');
            }
            ',' => text.push(','),
            _ => text.push(digits.pop().unwrap_or(if forced { '0' } else { ' ' })),
        }
    }
    digits.is_empty().then(|| text.into_iter().rev().collect())
}

fn fraction_part(pattern: &[char], fraction: &str, fill_mode: bool) -> String {
    let width = pattern.iter().filter(|character| character.is_ascii_digit()).count();
    let text = format!("{fraction:0<width$}");
    if !fill_mode {
        return text;
    }
    let kept = pattern.iter().rposition(|character| *character == '0').map_or(0, |last| last + 1);
    let trimmed = text.trim_end_matches('0').len();
    text[..trimmed.max(kept)].to_owned()
}

/// The sign and the currency, and blanks in front unless FM.
fn dressed(model: &Model, text: &str, negative: bool) -> String {
    let digits = text.trim_start();
    let width = text.len();
    let dollar = model.currency;
    let minus = if negative { "-" } else { "" };
    let sign = if negative { "-" } else { "+" };
    let body = match model.sign {
        Sign::Front => format!("{sign}{dollar}{digits}"),
        Sign::Behind => format!("{dollar}{digits}{sign}"),
        Sign::MinusBehind => format!("{dollar}{digits}{}", if negative { "-" } else { " " }),
        Sign::Brackets if negative => format!("<{dollar}{digits}>"),
        Sign::Brackets => format!("{dollar}{digits} "),
        Sign::Minus => format!("{minus}{dollar}{digits}"),
    };
    if model.fill_mode {
        return body.trim().to_owned();
    }
    let width = width + dollar.len() + if model.sign == Sign::Brackets { 2 } else { 1 };
    format!("{body:>width$}")
}

fn hex_text(value: Number, (width, zero, lower): (usize, bool, bool), fill_mode: bool) -> String {
    let whole = number::round(value, 0).to_i128().and_then(|whole| u128::try_from(whole).ok());
    let Some(whole) = whole else { return "#".repeat(width + 1) };
    let digits = if lower { format!("{whole:x}") } else { format!("{whole:X}") };
    if digits.len() > width {
        return "#".repeat(width + 1);
    }
    let digits = if zero { format!("{digits:0>width$}") } else { digits };
    if fill_mode { digits } else { format!("{digits:>padded$}", padded = width + 1) }
}

/// TO_NUMBER(text, format).
pub(crate) fn read_number(
    text: &str,
    format: &str,
    characters: NumericCharacters,
) -> Result<Number, OraError> {
    let error = || OraError::new(1722, "invalid number");
    let model = model(format)?;
    let text = text.trim();
    if model.hex.is_some() {
        return i128::from_str_radix(text, 16).map(Number::integer).map_err(|_| error());
    }
    let local = if model.local { characters.plain(text) } else { text.to_owned() };
    let text = local.as_str();
    let negative = text.contains('-') || (model.sign == Sign::Brackets && text.starts_with('<'));
    let digits: String = text
        .chars()
        .filter(|character| !matches!(character, ',' | '$' | '-' | '+' | '<' | '>' | ' '))
        .collect();
    let number: Number = digits.parse().map_err(|_| error())?;
    Ok(if negative { number::negate(number) } else { number })
}
