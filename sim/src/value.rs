//! What a column or a bind can hold, in Oracle's types.

use std::cmp::Ordering;
use std::fmt;

/// A value; `Null` has no type of its own, and the empty string is `Null`, as in Oracle.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// NUMBER.
    Number(Number),
    /// VARCHAR2, CHAR, LONG.
    Text(String),
    /// DATE: seconds since 1970-01-01 00:00:00 of the database's own wall clock. A DATE has no zone.
    Date(i64),
    /// TIMESTAMP: the same with nanoseconds.
    Timestamp {
        /// Seconds, as for a DATE.
        seconds: i64,
        /// Nanoseconds within the second.
        nanos: u32,
    },
    /// TIMESTAMP WITH TIME ZONE.
    TimestampTz {
        /// Seconds since 1970 in UTC.
        seconds: i64,
        /// Nanoseconds within the second.
        nanos: u32,
        /// What has to be added to UTC for the shown time.
        offset_minutes: i16,
    },
    /// INTERVAL DAY TO SECOND, in nanoseconds.
    IntervalDs(i128),
    /// INTERVAL YEAR TO MONTH, in months.
    IntervalYm(i32),
    /// RAW.
    Raw(Vec<u8>),
    /// ROWID, as text.
    RowId(String),
    /// BINARY_DOUBLE.
    Double(f64),
}

impl Value {
    /// Text, where empty text is NULL.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    /// A whole number.
    pub fn integer(number: impl Into<i128>) -> Self {
        Self::Number(Number::integer(number.into()))
    }

    /// True for NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// An exact decimal number: `mantissa / 10^scale`, without trailing zeros behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    mantissa: i128,
    scale: u8,
}

impl Number {
    /// The most digits behind the point.
    pub const SCALE_MAX: u8 = 30;

    /// A whole number.
    pub const fn integer(number: i128) -> Self {
        Self { mantissa: number, scale: 0 }
    }

    /// `mantissa / 10^scale`. Digits beyond [`Number::SCALE_MAX`] are cut.
    pub fn decimal(mut mantissa: i128, mut scale: u8) -> Self {
        while scale > Self::SCALE_MAX || (scale > 0 && mantissa % 10 == 0) {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// The number nearest to a float, with 15 significant digits; `None` for what is no number or far too large.
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() || float.abs() >= 1e36 {
            return None;
        }
        format!("{float:.14e}").parse().ok()
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The whole number, if it is one.
    pub fn to_i128(self) -> Option<i128> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// The whole number, if it is one and fits.
    pub fn to_i64(self) -> Option<i64> {
        self.to_i128().and_then(|number| i64::try_from(number).ok())
    }

    /// Mantissa and digits behind the point.
    pub const fn parts(self) -> (i128, u8) {
        (self.mantissa, self.scale)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let scaled = |number: &Self| {
            10_i128.checked_pow(u32::from(scale - number.scale))?.checked_mul(number.mantissa)
        };
        match (scaled(self), scaled(other)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // Too large for exact arithmetic, so far apart that a float tells.
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }
}

impl fmt::Display for Number {
    /// `12`, `-0.5`. Oracle shows the latter as `-.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return f.write_str(&digits);
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, rest) = digits.split_at(digits.len() - scale);
        write!(f, "{whole}.{rest}")
    }
}

/// A text that is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number")]
pub struct NotANumber;

impl std::str::FromStr for Number {
    type Err = NotANumber;

    /// Digits with an optional sign, point and exponent.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let text = text.trim();
        let (plain, exponent) = match text.split_once(['e', 'E']) {
            Some((plain, exponent)) => (plain, exponent.parse::<i32>().map_err(|_| NotANumber)?),
            None => (text, 0),
        };
        let (negative, plain) = match plain.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, plain.strip_prefix('+').unwrap_or(plain)),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || (whole.is_empty() && fraction.is_empty()) {
            return Err(NotANumber);
        }
        let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
        let behind = i32::try_from(fraction.trim_end_matches('0').len()).map_err(|_| NotANumber)?;
        let digits = if digits.is_empty() { "0" } else { &digits };
        let mantissa: i128 = digits.parse().map_err(|_| NotANumber)?;
        let mantissa = if negative { -mantissa } else { mantissa };
        shifted(mantissa, behind - exponent).ok_or(NotANumber)
    }
}

/// `mantissa / 10^scale` for a scale of either sign.
fn shifted(mantissa: i128, scale: i32) -> Option<Number> {
    if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
        return Some(Number::integer(mantissa.checked_mul(factor)?));
    }
    let mut mantissa = mantissa;
    let mut scale = scale;
    while scale > i32::from(Number::SCALE_MAX) {
        mantissa /= 10;
        scale -= 1;
    }
    Some(Number::decimal(mantissa, u8::try_from(scale).ok()?))
}

/// The type of a column, as a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// NUMBER without precision.
    Number,
    /// VARCHAR2 of so many bytes.
    Varchar2(u32),
    /// CHAR of so many bytes.
    Char(u32),
    /// LONG.
    Long,
    /// DATE.
    Date,
    /// TIMESTAMP.
    Timestamp,
    /// TIMESTAMP WITH TIME ZONE.
    TimestampTz,
    /// INTERVAL DAY TO SECOND.
    IntervalDs,
    /// INTERVAL YEAR TO MONTH.
    IntervalYm,
    /// RAW of so many bytes.
    Raw(u32),
    /// ROWID.
    RowId,
    /// BINARY_DOUBLE.
    BinaryDouble,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_and_show_alike() {
        for (text, shown) in [
            ("0", "0"),
            ("12", "12"),
            ("-12.50", "-12.5"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(text.parse::<Number>().expect("a number").to_string(), shown);
        }
        for text in ["", "-", ".", "1x", "e5", "--1", "1e"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        let number = |text: &str| text.parse::<Number>().expect("a number");
        assert!(number("1.5") < number("2"));
        assert!(number("-3") < number("-2.99"));
        assert_eq!(number("2.0"), number("2"));
        assert_eq!(Number::from_f64(0.1), Some(number("0.1")));
        assert_eq!(Number::from_f64(1.0 / 3.0), Some(number("0.333333333333333")));
    }
}
