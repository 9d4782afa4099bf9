//! Single cells: numbers, lengths of time, `sid,serial`, and the words that stand for NULL.
//!
//! Dates are in [`super::date`]. Everything here is a pure function of the text; messages name the text, the caller
//! knows line and column.

use std::borrow::Cow;

/// Longest piece of a cell that a message repeats.
const SHOWN_MAX: usize = 40;

/// Significant digits that are worked with: Oracle's NUMBER has 38, of which 64 bits hold 19.
const DIGITS_MAX: u32 = 30;

/// Words that tools write for NULL, exactly so.
const NULL_WORDS: [&str; 6] = ["NULL", "(null)", "<null>", "(NULL)", "<NULL>", "{null}"];

/// The text, or nothing where a tool wrote a word for NULL.
pub(super) fn without_null_word(text: &str) -> &str {
    let may_be =
        text.len() <= 6 && matches!(text.as_bytes().first(), Some(b'N' | b'(' | b'<' | b'{'));
    if may_be && NULL_WORDS.contains(&text) { "" } else { text }
}

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole units.
    Whole,
    /// Whole seconds; lengths of time such as `00:05:40` and `10.6 Hour(s)` are read too.
    Seconds,
    /// Thousandths; a decimal comma is read too.
    Thousandths,
    /// Seconds in thousandths.
    SecondThousandths,
}

impl Kind {
    const fn scale(self) -> i64 {
        match self {
            Self::Whole | Self::Seconds => 1,
            Self::Thousandths | Self::SecondThousandths => 1_000,
        }
    }
}

/// Reads a number into stored units; the text is trimmed and not empty.
pub(super) fn number(text: &str, kind: Kind) -> Result<i64, String> {
    if let Some(value) = plain(text)
        && kind.scale() == 1
    {
        return Ok(value);
    }
    let scaled = kind.scale() != 1;
    if let Some(decimal) = decimal(text, scaled) {
        return decimal.stored(kind.scale(), scaled).map_err(|fault| fault.about(text));
    }
    let span =
        matches!(kind, Kind::Seconds | Kind::SecondThousandths).then(|| span(text)).flatten();
    match span {
        Some(span) => span.stored(kind.scale(), true).map_err(|fault| fault.about(text)),
        None => Err(format!("{} is not a number", shown(text))),
    }
}

/// Reads a number that names something: SID, SERIAL#, INST_ID.
pub(super) fn identifier(text: &str) -> Result<u32, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let value = number(text, Kind::Whole)?;
    u32::try_from(value).map_err(|_| format!("{} is out of range", shown(text)))
}

/// `sid,serial` with an optional `,@inst`, also in quotes: `'1378,5'`.
pub(super) fn sid_serial(text: &str) -> Result<(u32, u32, Option<u32>), String> {
    let mut parts = text.trim().trim_matches('\'').split(',');
    let sid = identifier(parts.next().unwrap_or_default())?;
    let serial =
        identifier(parts.next().ok_or_else(|| format!("{} is not `sid,serial`", shown(text)))?)?;
    let inst_id = parts.next().map(|part| identifier(part.trim().trim_start_matches('@')));
    if parts.next().is_some() {
        return Err(format!("{} is not `sid,serial`", shown(text)));
    }
    Ok((sid, serial, inst_id.transpose()?))
}

/// A cell for a message: in back quotes, cut, control characters escaped.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A name for a message: as it is, but for control characters, which must not reach a terminal or a log.
pub(super) fn visible(name: &str) -> Cow<'_, str> {
    if name.contains(char::is_control) { shown(name).into() } else { name.into() }
}

/// The common case: digits that surely fit.
fn plain(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut value = 0;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// `digits × 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: i128,
    exponent: i32,
    /// True when digits that are not zero were cut off behind.
    cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    OutOfRange,
    Fraction,
}

impl Fault {
    fn about(self, text: &str) -> String {
        match self {
            Self::OutOfRange => format!("{} is out of range", shown(text)),
            Self::Fraction => format!("{} is not a whole number", shown(text)),
        }
    }
}

impl Decimal {
    /// In stored units; rounds half away from zero where that is allowed.
    fn stored(self, scale: i64, may_round: bool) -> Result<i64, Fault> {
        let units = self.digits.checked_mul(i128::from(scale)).ok_or(Fault::OutOfRange)?;
        let power = 10_i128.checked_pow(self.exponent.unsigned_abs());
        let value = match power {
            _ if units == 0 => 0,
            Some(power) if self.exponent >= 0 => {
                units.checked_mul(power).ok_or(Fault::OutOfRange)?
            }
            None if self.exponent >= 0 => return Err(Fault::OutOfRange),
            None if may_round => 0,
            None => return Err(Fault::Fraction),
            Some(power) if !may_round && (units % power != 0 || self.cut) => {
                return Err(Fault::Fraction);
            }
            Some(power) => {
                let half = units % power * 2;
                units / power + if half.abs() >= power { units.signum() } else { 0 }
            }
        };
        // i64::MIN is how NULL is stored.
        i64::try_from(value).ok().filter(|value| *value != i64::MIN).ok_or(Fault::OutOfRange)
    }

    fn times(self, factor: i128) -> Option<Self> {
        Some(Self { digits: self.digits.checked_mul(factor)?, ..self })
    }
}

/// `-12`, `.5`, `5.`, `1E+05`, and `1,5` where a comma may be the decimal mark.
fn decimal(text: &str, comma: bool) -> Option<Decimal> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i16>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let mut decimal = Decimal { digits: 0, exponent: i32::from(exponent), cut: false };
    let (mut seen, mut kept, mut after_point) = (false, 0, false);
    for byte in unsigned.bytes() {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                if kept < DIGITS_MAX {
                    decimal.digits = decimal.digits * 10 + i128::from(byte - b'0');
                    kept += u32::from(decimal.digits != 0);
                    decimal.exponent -= i32::from(after_point);
                } else {
                    decimal.cut |= byte != b'0';
                    decimal.exponent = decimal.exponent.checked_add(i32::from(!after_point))?;
                }
            }
            b'.' if !after_point => after_point = true,
            b',' if comma && !after_point => after_point = true,
            _ => return None,
        }
    }
    if mantissa.starts_with('-') {
        decimal.digits = -decimal.digits;
    }
    seen.then_some(decimal)
}

/// `dd:hh:mm:ss`, `hh:mm:ss`, or `N Day(s)`, `N Hour(s)`, `N Minute(s)`, `N Second(s)`, in seconds.
fn span(text: &str) -> Option<Decimal> {
    if text.contains(':') { clock_span(text) } else { worded_span(text) }
}

fn clock_span(text: &str) -> Option<Decimal> {
    let parts: Vec<&str> = text.split(':').collect();
    let (last, whole) = parts.split_last()?;
    if !(2..=3).contains(&whole.len()) {
        return None;
    }
    let [days, hours, minutes] = match *whole {
        [days, hours, minutes] => [plain(days)?, plain(hours)?, plain(minutes)?],
        [hours, minutes] => [0, plain(hours)?, plain(minutes)?],
        _ => return None,
    };
    let seconds = decimal(last, false).filter(|_| !last.starts_with(['-', '+']))?;
    if minutes > 59
        || (whole.len() == 3 && hours > 23)
        || seconds.exponent < -12
        || seconds.exponent > 0
    {
        return None;
    }
    let unit = 10_i128.pow(seconds.exponent.unsigned_abs());
    let whole = i128::from(days) * 86_400 + i128::from(hours) * 3_600 + i128::from(minutes) * 60;
    Some(Decimal { digits: seconds.digits + whole * unit, ..seconds })
}

fn worded_span(text: &str) -> Option<Decimal> {
    let (count, unit) = text.split_once(' ')?;
    let unit = unit.trim().to_ascii_lowercase();
    let seconds = match unit.trim_end_matches("(s)").trim_end_matches('s') {
        "day" => 86_400,
        "hour" => 3_600,
        "minute" => 60,
        "second" => 1,
        _ => return None,
    };
    decimal(count, false)?.times(seconds)
}

#[cfg(test)]
mod tests {
    use super::{Kind, identifier, number, sid_serial};

    #[test]
    fn numbers_are_read_as_tools_write_them() {
        for (text, kind, expected) in [
            ("12", Kind::Whole, Ok(12)),
            ("-12", Kind::Whole, Ok(-12)),
            ("5.000", Kind::Whole, Ok(5)),
            ("1E+05", Kind::Whole, Ok(100_000)),
            ("1.5E1", Kind::Whole, Ok(15)),
            ("18446744073709551615", Kind::Whole, Err("is out of range")),
            ("-9223372036854775808", Kind::Whole, Err("is out of range")),
            ("1E999", Kind::Whole, Err("is out of range")),
            ("5.5", Kind::Whole, Err("is not a whole number")),
            ("1,234", Kind::Whole, Err("is not a number")),
            (".", Kind::Whole, Err("is not a number")),
            ("1e", Kind::Whole, Err("is not a number")),
            (".5", Kind::Thousandths, Ok(500)),
            ("1,5", Kind::Thousandths, Ok(1_500)),
            ("1,5,0", Kind::Thousandths, Err("is not a number")),
            ("0.0005", Kind::Thousandths, Ok(1)),
            ("-0.0005", Kind::Thousandths, Ok(-1)),
            ("0.3333333333333333333333333333333333333333", Kind::Thousandths, Ok(333)),
            ("1E-999", Kind::Thousandths, Ok(0)),
            ("00:00:05:40", Kind::Seconds, Ok(340)),
            ("1:02:03", Kind::Seconds, Ok(3_723)),
            ("00:03:50.783", Kind::Seconds, Ok(231)),
            ("10.6 Hour(s)", Kind::Seconds, Ok(38_160)),
            ("2 days", Kind::Seconds, Ok(172_800)),
            ("1 fortnight", Kind::Seconds, Err("is not a number")),
            ("1:02:03", Kind::Whole, Err("is not a number")),
        ] {
            let found = number(text, kind);
            match expected {
                Ok(value) => assert_eq!(found, Ok(value), "{text}"),
                Err(tail) => assert!(found.is_err_and(|message| message.ends_with(tail)), "{text}"),
            }
        }
    }

    #[test]
    fn keys_are_unsigned() {
        assert_eq!(identifier(" 7 "), Ok(7));
        assert!(identifier("-1").is_err());
        assert!(identifier("4294967296").is_err());
        assert_eq!(sid_serial("1378,5"), Ok((1378, 5, None)));
        assert_eq!(sid_serial("'1378,5,@2'"), Ok((1378, 5, Some(2))));
        assert!(sid_serial("1378").is_err());
        assert!(sid_serial("1,2,3,4").is_err());
    }
}
